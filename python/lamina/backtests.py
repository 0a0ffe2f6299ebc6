"""Backtests of a store: import, list, rank, read, export, edit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from . import _lamina, _progress, errors
from ._time import AsOf
from .backtest import Backtest, Names, StrPath
from .registry import Edge, check_kinds
from .reports import (
    ExportManyReport,
    ExportReport,
    ImportFailure,
    ImportReport,
    MergeReport,
    PruneReport,
    ValidateReport,
    import_report,
)
from .table import Table

if TYPE_CHECKING:
    from .store import Store


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
        inputs: Sequence[tuple[str, str] | tuple[str, str, int]] = (),
    ) -> str:
        """Store one backtest: a Backtest (of `from_frames`, or of any store), a document (dict), or
        a bundle file (path). `inputs`: the prices it used, and whatever else it was made from, as
        (kind, id) or (kind, id, snapshot): `("dataset", "ohlcv/EUR_USD/1h", snapshot)`; lineage
        notes them once the backtest is stored.

        Returns the handle: as given, else the Backtest's own, the file's name, or the algorithm id.
        Raises AlreadyExists when the handle holds another document, unless `replace`; the same
        document again is fine. Durable on return; inside `batch()` of this thread, when that ends.
        """
        from . import stores

        check_kinds([one[0] for one in inputs])
        batch = self._store._batch
        if batch is not None:
            if inputs:
                raise errors.InvalidArgument(
                    "inputs cannot be noted within a batch: put the backtest outside of it, or use "
                    "registry.add_lineage when the batch has ended"
                )
            return batch.put(backtest, handle=handle, replace=replace)
        made = stores.put(self._engine, backtest, handle, replace)
        if inputs:
            self._store.registry.add_lineage([Edge("backtest", made, *one) for one in inputs])
        return made

    def merge(
        self,
        handle: str,
        other: Backtest
        | Mapping[str, Any]
        | StrPath
        | Sequence[Backtest | Mapping[str, Any] | StrPath],
        *,
        replace_windows: bool = False,
    ) -> MergeReport:
        """Add the runs of `other` to those of `handle`: a document (dict), a bundle file or a
        legacy backtest folder (path), a Backtest of any store, or several of them in order.

        Everything else replaces; this merges, in one commit or not at all. A run of the same study,
        engine, window (start and end) and universe is the same run: when it says another thing,
        Conflict is raised, unless `replace_windows`. Summaries are made anew over all runs; tags,
        note and prices stay. Raises NotFound, Conflict, InvalidArgument when the algorithms differ,
        Unsupported when the version of the stored bundle cannot hold the runs.
        """
        from . import stores

        return stores.merge(self._engine, handle, other, replace_windows)

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """Group puts into one commit: `with store.backtests.batch() as batch: batch.put(…)`.

        Puts of this thread on this store join it too (`store.backtests.put` in the block); threads
        that share the work call `batch.put`. Everything is stored, durably, when the block ends;
        readers see all of it or nothing, and nothing is stored when the block raises. Each put
        checks its backtest and keeps it in memory until then: a few thousand at a time.
        Raises at the end AlreadyExists (another process took a handle; nothing is stored),
        Conflict, IoError. InvalidArgument for a batch inside a batch of the same thread.
        """
        if self._store._batch is not None:
            raise errors.InvalidArgument("this thread is in a batch of this store already")
        batch = Batch(self._store)
        self._store._batch = batch
        try:
            yield batch
        except BaseException:
            batch._drop()
            raise
        finally:
            self._store._batch = None
        batch._commit()

    def series(
        self,
        handles: str | Sequence[str] | Table,
        metric: str = "equity_curve",
        *,
        snapshot: AsOf = None,
    ) -> Table:
        """One metric series of all runs of many backtests: run_id, handle, window, ts, value.

        One row a point, `ts` in UTC (microseconds), in the order of `handles` and then of runs and
        time. `handles` are texts, or a table with column `handle` (as `list` and `rank` give it).
        `metric`: equity_curve, drawdown_series, cumulative_return_series, rolling_sharpe_ratio,
        monthly_returns, yearly_returns, twr_equity_curve, twr_drawdown_series. The store is read
        once for all of them, only where their runs lie; series that follow from the snapshots are
        made from them, bit for bit as recorded. run_id, handle and window are dictionaries
        (pandas: categories). A run without the series has no rows.
        Raises NotFound for a handle, InvalidArgument for an unknown metric.
        """
        if isinstance(handles, Table):
            wanted = [row["handle"] for row in handles.to_dicts()]
        else:
            wanted = [handles] if isinstance(handles, str) else list(handles)
        as_of = self._store._snapshot_id(snapshot)
        return Table(self._engine.series_of_many(wanted, metric, as_of))

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

    def open(self, handle: str, *, summary_only: bool = False, snapshot: AsOf = None) -> Backtest:
        """The backtest of that handle, as `get` gives it; parts are read when they are asked for.

        With `summary_only` its identity, parameters and summary metrics are read at once, and only
        those: no series, snapshot, trade or order is decoded. Raises NotFound (a KeyError).
        """
        backtest = self.get(handle, snapshot=snapshot)
        if summary_only:
            _ = backtest.index_rows
        return backtest

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

    def export_many(
        self,
        handles: Sequence[str],
        folder: StrPath,
        *,
        format_version: int | None = None,
        level: int | None = None,
        snapshot: AsOf = None,
        workers: int | None = None,
        progress: bool | _progress.Progress | None = None,
    ) -> ExportManyReport:
        """Write each of `handles` to `folder`/<handle>.iafbt (versions 3 and later: .obtf).

        On all cores unless `workers` says otherwise: zstd's level 19, the default, takes seconds
        for one. A file that is there is replaced; a handle that fails is in the report and does
        not stop the others. Raises NotFound before anything is written, InvalidArgument for a
        handle given twice, Cancelled (what was written stays).
        """
        snapshot = self._store._snapshot_id(snapshot)
        report, finish = _progress.reporter(progress, " backtests")
        try:
            done = self._engine.export_many(
                list(handles), folder, format_version, level, snapshot, workers or 0, report
            )
        finally:
            finish()
        return ExportManyReport(
            tuple(ExportReport(**one) for one in done["exported"]),
            tuple(ImportFailure(*one) for one in done["failed"]),
            done["bytes"],
        )

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


class Batch:
    """Puts that are stored together when the block of `Backtests.batch` ends. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._native: _lamina.OpenBatch | None = _lamina.OpenBatch(store._engine)

    def put(
        self,
        backtest: Backtest | Mapping[str, Any] | StrPath,
        *,
        handle: str | None = None,
        replace: bool = False,
    ) -> str:
        """As `Backtests.put`, stored when the batch ends. A handle that the batch has already
        raises AlreadyExists, unless the document is the same or `replace`."""
        from . import stores

        return stores.put_in_batch(self._open(), backtest, handle, replace)

    def __len__(self) -> int:
        """Backtests that wait."""
        return len(self._native) if self._native is not None else 0

    def _open(self) -> _lamina.OpenBatch:
        self._store._engine.store_id  # noqa: B018  (raises in a fork, and when the store is closed)
        if self._native is None:
            raise errors.InvalidArgument("this batch has ended")
        return self._native

    def _commit(self) -> None:
        native = self._open()
        self._native = None
        native.commit()

    def _drop(self) -> None:
        self._native = None

    def __repr__(self) -> str:
        return f"<lamina.Batch: {len(self)} backtests wait>"


def _names(columns: Sequence[str] | None) -> Names:
    if isinstance(columns, str):
        return [name.strip() for name in columns.split(",")]
    return list(columns or ())
