"""Backtests of a store: import, list, rank, read, export, edit."""

from __future__ import annotations

import builtins
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from . import _lamina, _progress, errors
from ._time import AsOf
from .summary import BacktestSummary
from .table import Table

if TYPE_CHECKING:
    from .store import Store

StrPath = str | os.PathLike[str]
Names = list[str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ImportFailure:
    """A file that was not imported, and why."""

    path: str
    code: str
    message: str

    def error(self) -> errors.LaminaError:
        """As the exception that a single import would have raised."""
        return errors.class_of(self.code)(f"{self.path}: {self.message}")


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    imported: int
    unchanged: int
    replaced: int
    failed: tuple[ImportFailure, ...]
    warnings: tuple[tuple[str, str], ...]
    runs_new: int
    runs_shared: int
    bytes_in: int
    bytes_stored: int
    seconds: float


@dataclass(frozen=True)
class ExportReport:
    """A bundle that was written."""

    path: str
    bytes: int
    sha256: str
    document_sha256: str
    identical_to_original: bool
    level: int
    format_version: int
    warnings: list[str]
    """What could not be written as the document has it."""


@dataclass(frozen=True)
class ValidateReport:
    """What a validation did; disagreements over the backtests that were asked for."""

    validated: int
    up_to_date: int
    with_disagreements: int
    disagreements: int


@dataclass(frozen=True)
class PruneReport:
    """What a prune kept and removed, or would."""

    kept: tuple[str, ...]
    pruned: tuple[str, ...]
    dry_run: bool


def import_report(done: dict[str, Any], keep_going: bool) -> ImportReport:
    """The engine's report; with `keep_going` off, its failure raises."""
    failed = tuple(ImportFailure(*failure) for failure in done.pop("failed"))
    if failed and not keep_going:
        raise failed[0].error()
    return ImportReport(failed=failed, warnings=tuple(done.pop("warnings")), **done)


class Backtests:
    """The backtests of one store, by handle. Thread-safe.

    A handle is the bundle's path below the imported folder, without suffix: `sweep/run-17`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _engine(self) -> _lamina.OpenStore:
        return self._store._engine

    def import_(
        self,
        path_or_paths: StrPath | Sequence[StrPath],
        *,
        workers: int | None = None,
        progress: bool | _progress.Progress | None = None,
        keep_going: bool = True,
        replace: bool = False,
        max_document_bytes: int | None = None,
    ) -> ImportReport:
        """Import bundles, or folders of bundles (recursive). What is stored already is left alone.

        A bundle that cannot be imported is in the report's `failed`; with `keep_going=False` the
        first one raises. A known handle with another document fails with AlreadyExists unless
        `replace`. Can be interrupted and run again. `workers` defaults to all cores.
        A bundle that unpacks to more than `max_document_bytes` (64 MB) is refused: importing one
        takes up to ten times as much memory.
        """
        paths = (
            [path_or_paths] if isinstance(path_or_paths, str | os.PathLike) else list(path_or_paths)
        )
        report, finish = _progress.reporter(progress, " bundles")
        try:
            done = self._engine.import_bundles(
                paths, workers or 0, keep_going, replace, max_document_bytes, report
            )
        finally:
            finish()
        return import_report(done, keep_going)

    def put(
        self,
        backtest: Backtest | Mapping[str, Any] | StrPath,
        *,
        handle: str | None = None,
        replace: bool = False,
    ) -> str:
        """Store one backtest: a document (dict), a bundle file (path), or a Backtest of any store.

        Returns the handle: as given, else the file's name, else the algorithm id. Raises
        AlreadyExists when the handle holds another document, unless `replace`. Durable on return.
        """
        from . import stores

        return stores.put(self._engine, backtest, handle, replace)

    def list(
        self,
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
        snapshot: AsOf = None,
    ) -> Table:
        """Backtests with chosen columns, sorted (missing values last) and filtered.

        `where` is the filter language: `"tag LIKE 'sweep_%' AND trades > 30"`. Metrics are known
        with and without `summary_`; `parameters.fast` reaches into parameters. Raises
        InvalidArgument naming near names for one that does not exist.
        """
        return Table(
            self._engine.list_backtests(
                sort or "",
                descending,
                limit,
                offset,
                where or "",
                _names(columns),
                engine,
                study,
                universe,
                self._store._snapshot_id(snapshot),
            )
        )

    def rank(
        self,
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
        snapshot: AsOf = None,
    ) -> Table:
        """The best backtests by one metric, or by several; other arguments as for `list`.

        `focus` names a preset of weights (balanced, profit, frequency, risk_adjusted), `weights`
        are your own, on top of it; negative: less is better. Each metric counts by its place
        between the least and the greatest of the ranked rows, and column `score` is the sum.
        """
        return Table(
            self._engine.rank_backtests(
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
                self._store._snapshot_id(snapshot),
            )
        )

    def prune(
        self,
        keep: Table | Sequence[str],
        *,
        archive_dir: StrPath | None = None,
        dry_run: bool = True,
    ) -> PruneReport:
        """Delete every backtest but those of `keep`: handles, or a table with column `handle`.

        With `archive_dir` each is exported there before. Nothing is deleted when `keep` is empty
        (InvalidArgument), names a handle that is not there (NotFound), or the archive holds
        another file in a bundle's place (AlreadyExists). `undelete` brings them back while a
        snapshot holds them; tags and notes of yours are not in the archive.
        """
        if isinstance(keep, Table):
            keep = [row["handle"] for row in keep.to_dicts()]
        done = self._engine.prune_except(_names(keep), archive_dir, dry_run)
        return PruneReport(tuple(done["kept"]), tuple(done["pruned"]), done["dry_run"])

    def get(self, handle: str, *, snapshot: AsOf = None) -> Backtest:
        """The backtest of that handle. Raises NotFound (a KeyError) naming near handles."""
        snapshot = self._store._snapshot_id(snapshot)
        return Backtest(self, self._engine.find(handle, snapshot), snapshot)

    __getitem__ = get

    def validate(
        self,
        handles: str | Sequence[str] = (),
        *,
        again: bool = False,
        workers: int | None = None,
        progress: bool | _progress.Progress | None = None,
    ) -> ValidateReport:
        """Compute our own metrics of backtests that lack them (or, `again`, of all).

        Import does it too: this is for stores that an earlier version made. `handles` defaults to
        every backtest. Can be interrupted and run again. Raises NotFound, Corruption.
        """
        report, finish = _progress.reporter(progress, " backtests")
        names = [handles] if isinstance(handles, str) else list(handles)
        try:
            return ValidateReport(**self._engine.validate(names, again, workers or 0, report))
        finally:
            finish()

    def export(
        self,
        handle: str,
        path: StrPath,
        *,
        format_version: int | None = None,
        level: int | None = None,
        snapshot: AsOf = None,
    ) -> ExportReport:
        """Write the bundle to `path`, as it came in unless `format_version` (1, 2, 5) or the zstd
        `level` say otherwise. Price files that it names are put beside it.

        Another version than it came in carries runs, summary and identity over; `warnings` of the
        report name what that version has no place for. Raises InvalidArgument for an unknown
        version, Unsupported when the version cannot hold the runs (several studies, both engines
        or universes in 1 and 2); then no file is written.
        """
        snapshot = self._store._snapshot_id(snapshot)
        done = self._engine.export_bundle(handle, path, format_version, level, snapshot)
        return ExportReport(**done)

    def delete(self, handle: str | Sequence[str]) -> None:
        """Delete one or several; all or, when one does not exist (NotFound), none."""
        self._engine.delete([handle] if isinstance(handle, str) else list(handle))

    def undelete(self, handle: str) -> None:
        """Bring the last deleted backtest of that handle back, while a snapshot holds it."""
        self._engine.undelete(handle)

    def rename(self, handle: str, new: str) -> None:
        """Give it another handle. Raises NotFound, AlreadyExists."""
        self._engine.rename(handle, new)

    def tag(self, handle: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Names:
        """Add and remove tags of yours. Returns the tags after that."""
        return self._engine.tag(handle, _names(add), _names(remove))

    def note(self, handle: str, text: str) -> None:
        """Set the note; an empty text removes it."""
        self._engine.note(handle, text)

    def exists(self, handle: str) -> bool:
        return self._engine.exists(handle)

    def handles(self, *, snapshot: AsOf = None) -> Names:
        """All handles, sorted."""
        return self._engine.handles(self._store._snapshot_id(snapshot))

    def __contains__(self, handle: object) -> bool:
        return isinstance(handle, str) and self._engine.exists(handle)

    def __len__(self) -> int:
        return self._engine.count()

    def __iter__(self) -> Iterator[str]:
        return iter(self.handles())

    def __repr__(self) -> str:
        return f"<{len(self)} backtests of {self._store!r}>"

    def _repr_html_(self) -> str:
        return self.list(limit=20)._repr_html_()


def _names(columns: Sequence[str] | None) -> Names:
    if isinstance(columns, str):
        return [name.strip() for name in columns.split(",")]
    return list(columns or ())


class Backtest:
    """One backtest of a store or a bundle, read when it is asked for. Immutable; thread-safe."""

    def __init__(self, store: Any, native: Any, snapshot: int | None) -> None:
        self._store = store  # what it is exported by
        self._native = native
        self._snapshot = snapshot
        self._record = native.record()

    @property
    def handle(self) -> str:
        return self._record["handle"]

    @property
    def algorithm_id(self) -> str | None:
        return self._record["algorithm_id"]

    @property
    def tag(self) -> str | None:
        """The tag in the bundle."""
        return self._record["tag"]

    @property
    def bundle_version(self) -> int:
        """The version of the bundle that it came in."""
        return self._record["bundle_version"]

    @property
    def document_sha256(self) -> str:
        return self._record["document_sha256"]

    @property
    def imported_at(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self._record["imported_at_us"])

    @property
    def warnings(self) -> Names:
        """Oddities of the bundle that were tolerated."""
        return self._record["warnings"]

    @cached_property
    def index_rows(self) -> builtins.list[dict[str, Any]]:
        """Its rows of the rank table: one for each engine, study and universe."""
        return self._native.index_rows()

    @property
    def _pooled(self) -> dict[str, Any]:
        """The row over all universes of the first engine and study."""
        pooled = [row for row in self.index_rows if not row["universe_key"]]
        return (pooled or self.index_rows or [{}])[0]

    @property
    def engine_type(self) -> str | None:
        return self._pooled.get("engine_type") or None

    @property
    def parameters(self) -> dict[str, Any]:
        """The strategy's parameters."""
        return json.loads(self._pooled.get("parameters_json") or "{}")

    @property
    def metadata(self) -> dict[str, Any]:
        return json.loads(self._pooled.get("extras_json") or "{}")

    @property
    def strategy_ids(self) -> Names:
        return json.loads(self._pooled.get("strategy_ids_json") or "[]")

    @property
    def studies(self) -> Names:
        """Names of the studies, each once."""
        return list(dict.fromkeys(run.study for run in self.runs))

    @property
    def summary(self) -> BacktestSummary:
        """The summary metrics, pooled over universes, of the first engine and study."""
        return BacktestSummary.from_dict(self._pooled)

    @cached_property
    def runs(self) -> builtins.list[BacktestRun]:
        """Its runs in the order of the bundle."""
        return [BacktestRun(self, facts) for facts in self._native.runs()]

    def snapshots(self) -> Table:
        """Portfolio snapshots of all runs."""
        return self._rows("portfolio_snapshots")

    def trades(self) -> Table:
        return self._rows("trades")

    def orders(self) -> Table:
        return self._rows("orders")

    def positions(self) -> Table:
        return self._rows("positions")

    def document(self) -> dict[str, Any]:
        """Exactly the bundle's document, put together again and checked against its hash."""
        return self._native.document()

    def export(
        self, path: StrPath, *, format_version: int | None = None, level: int | None = None
    ) -> ExportReport:
        """Write it as a bundle; see `Backtests.export`."""
        return self._store.export(
            self.handle,
            path,
            format_version=format_version,
            level=level,
            snapshot=self._snapshot,
        )

    def _rows(self, table: str, run_ids: Sequence[str] = ()) -> Table:
        return Table(self._native.rows(table, list(run_ids)))

    def __repr__(self) -> str:
        return f"<lamina.Backtest {self.handle!r}: {len(self.runs)} runs>"

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()


class BacktestRun:
    """One run: one engine over one window. Immutable; thread-safe."""

    def __init__(self, backtest: Backtest, facts: dict[str, Any]) -> None:
        self._backtest = backtest
        self._facts = facts

    @property
    def run_id(self) -> str:
        """UUID; equal for identical runs of different backtests."""
        return self._facts["run_id"]

    @property
    def engine(self) -> str:
        return self._facts["engine"]

    @property
    def study(self) -> str:
        return self._facts["study"]

    @cached_property
    def _row(self) -> dict[str, Any]:
        return self._backtest._rows("runs", [self.run_id]).to_dicts()[0]

    @property
    def window(self) -> str | None:
        return self._row["window_name"]

    @property
    def start(self) -> datetime | None:
        return self._row["start_ts"]

    @property
    def end(self) -> datetime | None:
        return self._row["end_ts"]

    @property
    def metrics(self) -> dict[str, float]:
        """The scalar metrics that the run recorded."""
        names = list(self._row)
        first = names.index("created_at") + 1  # metrics are the columns after the facts
        return {name: self._row[name] for name in names[first:] if self._row[name] is not None}

    @property
    def snapshot_count(self) -> int:
        return self._facts["snapshots"]

    def snapshots(self) -> Table:
        """Portfolio snapshots in the order of the bundle."""
        return self._backtest._rows("portfolio_snapshots", [self.run_id])

    def trades(self) -> Table:
        return self._backtest._rows("trades", [self.run_id])

    def orders(self) -> Table:
        return self._backtest._rows("orders", [self.run_id])

    def positions(self) -> Table:
        return self._backtest._rows("positions", [self.run_id])

    def equity_curve(self) -> Table:
        """Total value over time: columns ts, value."""
        return self.series("equity_curve")

    def series(self, name: str) -> Table:
        """One metric series: columns ts, value. Raises InvalidArgument for an unknown name."""
        return Table(self._backtest._native.series(self.run_id, name))

    def __repr__(self) -> str:
        return f"<lamina.BacktestRun {self.run_id} {self.engine} {self.study}>"
