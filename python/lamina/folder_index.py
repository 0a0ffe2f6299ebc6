"""Folders of bundles: index, list and rank them without a store."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from . import _lamina, _progress, errors
from .backtest import StrPath
from .backtests import _names
from .index_row import BacktestIndexRow
from .reports import ImportFailure
from .table import Table


@dataclass(frozen=True)
class IndexReport:
    """What indexing a folder did."""

    path: str
    """Of the index file."""
    indexed: int
    """Bundles that were read."""
    skipped: int
    """Bundles that had not changed."""
    removed: int
    """Bundles that were in the index and have gone."""
    failed: tuple[ImportFailure, ...]
    warnings: tuple[tuple[str, str], ...]
    seconds: float


def build_index(
    directory: StrPath,
    output: StrPath | None = None,
    *,
    incremental: bool = True,
    absolute_paths: bool = False,
    validate: bool = False,
    workers: int | None = None,
    progress: bool | _progress.Progress | None = None,
) -> IndexReport:
    """Bring the index of the bundles below `directory` up to date: `directory/index.sqlite`.

    Bundles whose file has the time and size it had are not read again unless `incremental=False`;
    those that have gone leave. `validate` computes metrics from snapshots and trades too (the
    `validated_` columns, NULL otherwise), which takes as long as an import. Bundles that cannot be
    read are in the report's `failed`. Readers see the index before or after. Raises NotFound,
    InvalidArgument (a store, another file at `output`), AlreadyExists (the index of another
    folder), Conflict (another process indexes), Unsupported (made by a newer program).
    """
    report, finish = _progress.reporter(progress, " bundles")
    try:
        done = _lamina.build_index(
            directory, output, not incremental, absolute_paths, validate, workers or 0, report
        )
    finally:
        finish()
    failed = tuple(ImportFailure(*failure) for failure in done.pop("failed"))
    return IndexReport(failed=failed, warnings=tuple(done.pop("warnings")), **done)


def list_index(
    index: StrPath,
    *,
    sort: str | None = None,
    descending: bool = True,
    limit: int | None = None,
    offset: int = 0,
    where: str | None = None,
    columns: Sequence[str] | None = None,
    engine: str | None = None,
    study: str | None = None,
    universe: str | None = None,
) -> Table:
    """Backtests of an index file, a folder of bundles (indexed first) or a store's root.

    Arguments as for `Backtests.list`; handles of a folder are paths of its bundles.
    """
    return Table(
        _lamina.list_target(
            index,
            sort or "",
            descending,
            limit,
            offset,
            where or "",
            _names(columns),
            engine,
            study,
            universe,
        )
    )


def rank_index(
    index: StrPath,
    by: str | None = None,
    *,
    weights: Mapping[str, float] | None = None,
    focus: str | None = None,
    where: str | None = None,
    limit: int = 10,
    descending: bool = True,
    columns: Sequence[str] | None = None,
    engine: str | None = None,
    study: str | None = None,
    universe: str | None = None,
) -> Table:
    """The best backtests of an index file, a folder of bundles or a store's root.

    Arguments as for `Backtests.rank`.
    """
    return Table(
        _lamina.rank_target(
            index,
            by or "",
            focus or "",
            [(name, float(weight)) for name, weight in (weights or {}).items()],
            descending,
            limit,
            where or "",
            _names(columns),
            engine,
            study,
            universe,
        )
    )


class SqliteBacktestIndex:
    """The rows of an index file as values. Not thread-safe; a context manager."""

    def __init__(self, native: _lamina.OpenIndex, path: StrPath) -> None:
        self._native = native
        self.path = path

    @classmethod
    def create(cls, path: StrPath) -> SqliteBacktestIndex:
        """Open the index at `path`, made empty when nothing is there.

        Raises what `open` raises but NotFound.
        """
        return cls(_lamina.open_index(path, True), path)

    @classmethod
    def open(cls, path: StrPath) -> SqliteBacktestIndex:
        """Open an index; the framework's own can be read, too.

        Raises NotFound, InvalidArgument (another kind of file), Corruption, Unsupported (made by
        a newer program).
        """
        return cls(_lamina.open_index(path, False), path)

    def upsert(
        self,
        row: BacktestIndexRow,
        bundle_mtime_ns: int | None = None,
        bundle_size: int | None = None,
    ) -> None:
        """Insert a row, or replace the one of the same path, engine, universe and study.

        `build_index` reads a bundle again whose row was written so. Raises InvalidArgument for a
        row without bundle_path, Conflict.
        """
        native = row._to_native()
        native["bundle_mtime_ns"] = bundle_mtime_ns
        native["bundle_size"] = bundle_size
        self._native.upsert([native])

    def upsert_many(self, rows: Iterable[BacktestIndexRow]) -> int:
        """Insert or replace all rows, or none. Returns how many."""
        natives = [row._to_native() for row in rows]
        if natives:
            self._native.upsert(natives)
        return len(natives)

    def iter_rows(self) -> Iterator[BacktestIndexRow]:
        """Every row, by path, engine, universe and study."""
        return iter([BacktestIndexRow._from_native(row) for row in self._native.rows("")])

    def query(
        self, where: str | None = None, params: Sequence[Any] | None = None
    ) -> list[BacktestIndexRow]:
        """The rows that a filter takes, of all universes; each `?` stands for the next of `params`.

        The filter language is that of `list`: `"summary_sharpe_ratio > ? AND tag = ?"`. Raises
        InvalidArgument.
        """
        rows = self._native.rows("")
        if where:
            wanted = set(self._native.keys(_filled_in(where, list(params or ()))))
            rows = [row for row in rows if _key(row) in wanted]
        elif params:
            raise errors.InvalidArgument("parameters without a filter")
        return [BacktestIndexRow._from_native(row) for row in rows]

    def is_up_to_date(self, bundle_path: str, mtime_ns: int, size: int) -> bool:
        """Whether the index has rows of that bundle as its file was at that time, of that size."""
        return self._native.is_up_to_date(bundle_path, mtime_ns, size)

    def close(self) -> None:
        """Close the file; further calls raise InvalidArgument."""
        self._native.close()

    def __len__(self) -> int:
        return self._native.count()

    def __iter__(self) -> Iterator[BacktestIndexRow]:
        return self.iter_rows()

    def __enter__(self) -> SqliteBacktestIndex:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _key(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return row["bundle_path"], row["engine_type"], row["universe_key"], row["study_name"]


_QUOTED_OR_MARK = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\?")


def _filled_in(where: str, params: list[Any]) -> str:
    """The filter with literals for its question marks (those inside quotes are text)."""
    left = iter(params)
    used = 0

    def literal(match: re.Match[str]) -> str:
        nonlocal used
        if match[0] != "?":
            return match[0]
        try:
            value = next(left)
        except StopIteration:
            raise errors.InvalidArgument("the filter has more `?` than parameters") from None
        used += 1
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, int | float):
            return repr(value)
        if isinstance(value, str):
            return "'" + value.replace("'", "''") + "'"
        raise errors.InvalidArgument(f"a filter compares numbers and texts, not {value!r}")

    filled = _QUOTED_OR_MARK.sub(literal, where)
    if used != len(params):
        raise errors.InvalidArgument(f"{len(params)} parameters for {used} `?` in the filter")
    return filled
