"""The notebook magic: `%load_ext lamina`, then `%lamina list`, `%lamina rank`, `%%lamina sql`."""

from __future__ import annotations

import argparse
import os
import shlex
from typing import Any, NoReturn

from .errors import InvalidArgument
from .store import Store, open
from .table import Table

_HELP = """%lamina list   [--sort METRIC] [--asc] [-n N] [--where FILTER] [--columns A,B]
%lamina rank   [--by METRIC | --focus PRESET] [-n N] [--where FILTER] [--columns A,B]
%lamina sql    SELECT …
%lamina store  [ROOT or a variable that holds a store]

%%lamina sql            the cell is the query
SELECT …
%%lamina list (or rank) the cell is the filter
trades > 30 AND sharpe > 1

The store is that of `%lamina store`, else the variable `store`, else LAMINA_STORE; `--store X`
chooses another for one call. The answer is a lamina.Table (`top = %lamina rank --by sharpe`)."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidArgument(f"{message}\n{_HELP}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise InvalidArgument(message or _HELP)


class Magic:
    """The state of the magic in one notebook: the store in use."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._store: Store | None = None
        self._opened: dict[str, Store] = {}

    def lamina(self, line: str, cell: str | None = None) -> Table | Store | None:
        """Ask a Lamina store. Without arguments: help."""
        command, _, rest = line.strip().partition(" ")
        if command in ("", "help", "--help", "-h"):
            print(_HELP)
            return None
        if command == "sql":
            return self._sql(rest, cell)
        if command in ("list", "rank"):
            return self._rows(command, rest, cell)
        if command == "store":
            if rest.strip():
                self._store = self._store_named(shlex.split(rest)[0])
            return self._current(None)
        raise InvalidArgument(f"%lamina has no command {command!r}\n{_HELP}")

    def _sql(self, rest: str, cell: str | None) -> Table:
        name = None
        if rest.lstrip().startswith("--store"):
            words = rest.split(maxsplit=2)
            name, rest = (words[1] if len(words) > 1 else ""), "".join(words[2:])
        query = "\n".join(part for part in (rest, cell or "") if part.strip())
        if not query:
            raise InvalidArgument("no query: %lamina sql SELECT …, or %%lamina sql over a cell")
        return Table(self._current(name).sql(query))

    def _rows(self, command: str, rest: str, cell: str | None) -> Table:
        parser = _Parser(prog=f"%lamina {command}", add_help=False)
        parser.add_argument("--store")
        parser.add_argument("--where", "--filter")
        parser.add_argument("-n", "--limit", type=int)
        parser.add_argument("--columns")
        parser.add_argument("--asc", action="store_true")
        if command == "list":
            parser.add_argument("--sort")
        else:
            parser.add_argument("--by")
            parser.add_argument("--focus")
        try:
            asked = vars(parser.parse_args(shlex.split(rest)))
        except ValueError as error:  # an open quote
            raise InvalidArgument(f"%lamina {command} {rest}: {error}") from error
        store = self._current(asked.pop("store"))
        filters = [part.strip() for part in (asked.pop("where"), cell) if part and part.strip()]
        where = " AND ".join(f"({part})" for part in filters) or None
        options = {"where": where, "columns": asked["columns"], "descending": not asked["asc"]}
        if asked["limit"] is not None:
            options["limit"] = asked["limit"]
        if command == "list":
            return store.backtests.list(sort=asked["sort"], **options)
        return store.backtests.rank(asked["by"], focus=asked["focus"], **options)

    def _current(self, name: str | None) -> Store:
        if name is not None:
            return self._store_named(name)
        if self._store is not None:
            return self._store
        variable = self._shell.user_ns.get("store")
        if isinstance(variable, Store):
            return variable
        root = os.environ.get("LAMINA_STORE")
        if root:
            return self._store_named(root)
        raise InvalidArgument("no store: %lamina store ROOT, or a variable `store`")

    def _store_named(self, name: str) -> Store:
        """A variable that holds a store, else the folder of one; each folder is opened once."""
        variable = self._shell.user_ns.get(name)
        if isinstance(variable, Store):
            return variable
        root = os.path.abspath(os.path.expanduser(name))
        if root not in self._opened:
            self._opened[root] = open(root, read_only=True)
        return self._opened[root]


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext lamina` calls."""
    magic = Magic(shell)
    shell.register_magic_function(magic.lamina, magic_kind="line_cell", magic_name="lamina")
