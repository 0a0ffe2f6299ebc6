"""Store: one open store."""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _html, _lamina, _sql
from ._leases import Leases
from ._time import AsOf, as_of_text, to_microseconds
from .backtests import Backtests, Batch
from .bars import Bars
from .calendar import Calendar
from .datasets import Datasets, Features
from .errors import Unsupported
from .instruments import Instruments
from .registry import Registry
from .ticks import Ticks

if TYPE_CHECKING:
    import duckdb


_CHECKED_UNASKED = 1 << 30  # bytes of lake files that a query has compared without being asked


@dataclass(frozen=True)
class Problem:
    """Something that `Store.verify` found."""

    kind: str
    path: str
    detail: str
    remedy: str  # what can be done


@dataclass(frozen=True)
class VerifyReport:
    """What `Store.verify` looked at; true when it found nothing wrong."""

    checked_files: int
    checked_chunks: int
    checked_bytes: int
    checked_backtests: int
    checked_runs: int
    checked_documents: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return not self.problems

    def __bool__(self) -> bool:
        return self.ok


@dataclass(frozen=True)
class RepairReport:
    """What `Store.repair` did (path, action, detail), and what remains."""

    actions: tuple[dict[str, str], ...]
    problems: tuple[Problem, ...]
    dry_run: bool


_open_stores: weakref.WeakSet[Store] = weakref.WeakSet()
_inherited: list[Any] = []


def _after_fork() -> None:
    # Descriptors and locks of the parent must not be touched here, not even to close them.
    for store in list(_open_stores):
        _inherited.append(store._disown())


os.register_at_fork(after_in_child=_after_fork)


class Store:
    """One open store. Thread-safe. Pickles by its root, so workers of multiprocessing, joblib and
    Ray open it again for themselves; a forked child must do so too.

    Use `lamina.open`, and close it with `with` or `close()`.
    """

    def __init__(
        self, root: str | os.PathLike[str], *, create: bool = False, read_only: bool = False
    ) -> None:
        self._native: _lamina.OpenStore | None = _lamina.OpenStore(
            os.path.abspath(root), create, read_only
        )
        self._read_only = read_only
        self._pid = os.getpid()
        self._root = Path(self._native.root)
        self._sql = _sql.Connections()
        self._leases = Leases()
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()
        self._batches = threading.local()
        _open_stores.add(self)

    @property
    def _engine(self) -> _lamina.OpenStore:
        if self._native is None:
            raise Unsupported(
                f"{self._root} was opened by process {self._pid} and not by this fork of it; "
                "open the store again in this process"
            )
        return self._native

    @property
    def _batch(self) -> Batch | None:
        """The batch that this thread is in."""
        return getattr(self._batches, "batch", None)

    @_batch.setter
    def _batch(self, batch: Batch | None) -> None:
        self._batches.batch = batch

    def _disown(self) -> Any:
        native, self._native = self._native, None
        self._batches = threading.local()
        self._sql = _sql.Connections()
        self._leases = Leases()
        return native

    @property
    def root(self) -> Path:
        """The folder of the store."""
        return self._root

    @property
    def store_id(self) -> str:
        """The UUID that the store got when it was made."""
        return self._engine.store_id

    @property
    def read_only(self) -> bool:
        return self._read_only

    @property
    def backtests(self) -> Backtests:
        """The backtests of this store, by handle."""
        return Backtests(self)

    @property
    def ticks(self) -> Ticks:
        """The ticks of this store: record, query, follow."""
        return Ticks(self)

    @property
    def instruments(self) -> Instruments:
        """What is traded: ids and symbols over time."""
        return Instruments(self)

    @property
    def datasets(self) -> Datasets:
        """Named time-series tables."""
        return Datasets(self)

    @property
    def bars(self) -> Bars:
        """OHLCV bars."""
        return Bars(self)

    @property
    def features(self) -> Features:
        """Features, latents, splits."""
        return Features(self)

    @property
    def registry(self) -> Registry:
        """Files, fetches, processing runs, model artifacts, lineage."""
        return Registry(self)

    def calendar(self, name: str) -> Calendar:
        """The calendar `name` (`XNYS`, `NYSE`, `CME_Equity`, `24/7`, …); see `lamina.Calendar`.

        Raises InvalidArgument, listing the known ones.
        """
        return Calendar(name)

    def _snapshot_id(self, snapshot: AsOf) -> int | None:
        if snapshot is None or (isinstance(snapshot, int) and not isinstance(snapshot, bool)):
            return snapshot
        return self._engine.resolve_snapshot(as_of_text(snapshot))

    def sql(
        self, query: str, *, snapshot: AsOf = None, check: bool | None = None
    ) -> duckdb.DuckDBPyRelation:
        """Run SQL over one snapshot of the store (the latest one unless given: a number, the name
        of a pin, or a time), in DuckDB.

        The lake tables are there by schema (`backtests.portfolio_snapshots`, `backtests.trades`,
        `backtests.runs`, …), and two tables of handles: `backtest_index` (identity, parameters,
        summary metrics, tags) and `backtest_run` (handle, slot, run_id, engine, study).
        The answer is lazy: `.df()`, `.pl()`, `.arrow()`, `.fetchall()`, or another `.filter(…)`.
        While it lives for more than a second it holds a lease on its snapshot, so that `expire` and
        `gc` of other processes leave what it reads (not in a store opened read-only): keep it until
        what was made of it is read. Needs `lamina[sql]`.

        DuckDB compares no checksums. So the files of the tables that the query names are compared
        with the catalog's before it reads them, each once while the store is open; raises
        Corruption that names a file. `check=None` leaves that out where it would read more than
        1 GiB, `True` never does, `False` always.
        """
        engine = self._engine
        snapshot = self._snapshot_id(snapshot)
        if snapshot is None:
            snapshot = engine.latest_snapshot()

        def check_tables(tables: list[str]) -> None:
            if check is not False:
                limit = _CHECKED_UNASKED if check is None else None
                engine.check_lake_bytes(snapshot, tables, limit)

        answer = self._sql.run(
            query, snapshot, self._root / "lake", self._snapshot_catalog, check_tables
        )
        if not self._read_only:
            self._leases.hold(engine, snapshot, answer)
        return answer

    def _snapshot_catalog(self, snapshot: int) -> Path:
        """A private SQLite catalog of one snapshot; see docs/decisions/0008."""
        folder = self._root / "cache" / "sql"
        if self._read_only:
            with self._lock:
                if self._scratch is None:
                    self._scratch = tempfile.TemporaryDirectory(prefix="lamina-sql-")
            folder = Path(self._scratch.name)
        path = folder / f"{snapshot}.sqlite"
        if not path.exists():
            self._engine.export_snapshot(path, snapshot)
            _sql.forget_old_files(folder)
        else:
            os.utime(path)
        return path

    def snapshots(self) -> list[dict[str, Any]]:
        """The lake snapshots, oldest first: id, time, author, message, what changed."""
        return self._engine.snapshots()

    def stats(self) -> dict[str, Any]:
        """Sizes and counts by table and chunk kind."""
        return self._engine.stats()

    def snapshot_at(self, at: AsOf) -> int:
        """The number of the snapshot that `at` means: a number, the name of a pin, or a time (the
        one that was the latest then). Raises NotFound for an expired one, InvalidArgument."""
        return (
            self._engine.latest_snapshot()
            if at is None
            else self._engine.resolve_snapshot(as_of_text(at))
        )

    def pin(self, name: str, snapshot: AsOf = None) -> int:
        """Name a snapshot (the latest unless given), so that `expire` and `gc` spare it and all it
        needs. Returns its number. Raises AlreadyExists, NotFound, InvalidArgument."""
        return self._engine.pin(name, self._snapshot_id(snapshot))

    def unpin(self, name: str) -> None:
        """Take a pin away. Raises NotFound."""
        self._engine.unpin(name)

    def pins(self) -> list[dict[str, Any]]:
        """Pins and leases: name, snapshot, created_us, expires_us (None: never), holder."""
        return self._engine.pins()

    def expire(
        self, older_than: str | timedelta | None = None, *, dry_run: bool = False
    ) -> dict[str, Any]:
        """Forget snapshots that stopped being the latest that long ago (`"7d"`, a timedelta; by
        default `keep_snapshots` of lamina.toml), apart from pinned ones. Returns expired,
        kept_by_pins, kept, condemned_files, condemned_chunks, removed_rows, dry_run."""
        span = None if older_than is None else to_microseconds(older_than)
        return self._engine.expire(span, dry_run)

    def gc(self, dry_run: bool = False, *, grace: str | timedelta | None = None) -> dict[str, Any]:
        """Expire by policy, then remove what no kept snapshot, pin or writer needs and what was
        retired longer ago than the grace. Returns removed_chunks, removed_files, freed_bytes,
        kept_pinned, removed_orphans, waiting, expired_snapshots, dry_run. Raises, and has removed
        nothing, when something could not be read."""
        return self._engine.collect(None if grace is None else to_microseconds(grace), dry_run)

    def compact(self, tables: str | Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Merge small lake files and fold deleted rows out of them. Returns one dict a table:
        table, files_before, files_after, rows, bytes_before, bytes_after."""
        names = [tables] if isinstance(tables, str) else list(tables or ())
        return self._engine.compact(names)

    def purge(self, handles: str | Sequence[str]) -> dict[str, Any]:
        """Take backtests out for good, from older snapshots too: every snapshot since the first
        that held one of them is forgotten. Cannot be undone. Raises NotFound, Conflict (a pin)."""
        return self._engine.purge([handles] if isinstance(handles, str) else list(handles))

    def backup(self, dest: str | os.PathLike[str]) -> dict[str, Any]:
        """Copy the store into folder `dest` while it is used; again into the same folder copies
        what is new. Returns files, bytes, snapshot, copied_files, copied_bytes. `lamina.restore`
        makes a store of it."""
        return self._engine.backup(os.path.abspath(dest))

    def verify(self, deep: bool = False) -> VerifyReport:
        """Check the store: structure, counts, hashes; with `deep` every byte and every document."""
        found = self._engine.verify(deep)
        problems = tuple(Problem(*problem) for problem in found.pop("problems"))
        return VerifyReport(problems=problems, **found)

    def repair(
        self, *, dry_run: bool = False, backup: str | os.PathLike[str] | None = None
    ) -> RepairReport:
        """Make again what can be derived, fetch damaged files from a backup, set the rest aside in
        quarantine/ with its reason. Nothing is deleted."""
        done = self._engine.repair(dry_run, None if backup is None else os.path.abspath(backup))
        problems = tuple(Problem(*problem) for problem in done["problems"])
        return RepairReport(tuple(done["actions"]), problems, done["dry_run"])

    def doctor(self) -> list[dict[str, str]]:
        """File system, disk, limits, versions, writers: one dict a check, with check, state (ok,
        warn, bad), value, advice."""
        return _lamina.doctor(self._root)

    def close(self) -> None:
        """Let the files go. Closing again is harmless."""
        if self._native is not None:
            self._sql.close()
            self._leases.close()
            self._native.close()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (str(self._root), self._read_only)

    def __repr__(self) -> str:
        return f"lamina.open({str(self._root)!r}{', read_only=True' if self._read_only else ''})"

    def _repr_html_(self) -> str:
        if self._native is None:
            return _html.facts("a store of another process", [("root", self._root)])
        last = self.snapshots()[-1]
        return _html.facts(
            "Lamina store",
            [
                ("root", self._root),
                ("backtests", len(self.backtests)),
                ("instruments", len(self.instruments.list())),
                ("snapshot", last["snapshot_id"]),
                ("read only", "yes" if self._read_only else None),
            ],
        )


def _reopen(root: str, read_only: bool) -> Store:
    return Store(root, read_only=read_only)


def open(root: str | os.PathLike[str], *, create: bool = False, read_only: bool = False) -> Store:
    """Open the store in folder `root`.

    With `create` a store is made when `root` is absent or an empty folder.
    Raises NotFound (no store there), AlreadyExists (`create` in a folder of other things),
    Unsupported (made by a newer version; network file system), Corruption.
    """
    return Store(root, create=create, read_only=read_only)


def restore(source: str | os.PathLike[str], root: str | os.PathLike[str]) -> Store:
    """Make a store in the new or empty folder `root` from the backup in `source`, verify it, and
    open it. It has an id of its own. Raises NotFound (no whole backup), AlreadyExists, Corruption.
    """
    _lamina.restore(os.path.abspath(source), os.path.abspath(root))
    return Store(root)
