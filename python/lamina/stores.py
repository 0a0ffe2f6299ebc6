"""Stores of backtests behind one face: a folder of bundles, a Lamina store, copies between them."""

from __future__ import annotations

import builtins
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from . import _lamina, _progress
from .backtest import Backtest, Names, NoStore, StrPath
from .errors import InvalidArgument, LaminaError, NotFound
from .folder_index import list_index, rank_index
from .reports import ExportReport, ImportFailure, ImportReport, MergeReport, import_report
from .store import Store
from .table import Table

StoreError = LaminaError
StoreHandleNotFoundError = NotFound
Source = Backtest | Mapping[str, Any] | StrPath


@runtime_checkable
class BacktestStore(Protocol):
    """What every store of backtests can do. Handles are relative paths: `sweep/run-17`.

    Put under a handle, a backtest is all that the handle holds: nothing merges but `merge`.
    """

    def put(self, backtest: Source, *, handle: str | None = None, replace: bool = False) -> str: ...
    def write(self, backtest: Source, *, handle: str | None = None) -> str: ...
    def merge(
        self, handle: str, other: Source | Sequence[Source], *, replace_windows: bool = False
    ) -> MergeReport: ...
    def get(self, handle: str) -> Backtest: ...
    def open(self, handle: str, *, summary_only: bool = False) -> Backtest: ...
    def exists(self, handle: str) -> bool: ...
    def delete(self, handle: str) -> None: ...
    def export(self, handle: str, path: StrPath) -> ExportReport: ...
    def import_(self, path_or_paths: StrPath | Sequence[StrPath]) -> ImportReport: ...
    def list(self, **options: Any) -> Table: ...
    def rank(self, by: str, **options: Any) -> Table: ...
    def iter_handles(self) -> Iterator[str]: ...
    def iter_index_rows(self) -> Iterator[dict[str, Any]]: ...
    def __len__(self) -> int: ...
    def __contains__(self, handle: object) -> bool: ...


@runtime_checkable
class SupportsCopyFrom(Protocol):
    """A store that takes backtests from another one."""

    def copy_from(
        self, source: BacktestStore, *, handles: Sequence[str] | None = None
    ) -> MigrationReport: ...


@dataclass(frozen=True)
class MigrationReport:
    """What a copy between stores did; `path` of a failure is its handle."""

    migrated: int
    unchanged: int
    failed: tuple[ImportFailure, ...]
    warnings: tuple[tuple[str, str], ...]
    seconds: float

    def __int__(self) -> int:
        return self.migrated


class _Store:
    """What both stores do alike."""

    _native: Any  # what the functions of _lamina take

    def put(self, backtest: Source, *, handle: str | None = None, replace: bool = False) -> str:
        """Store a backtest: a document (dict), a bundle file (path), or a Backtest of any store.

        Returns the handle: as given (a bundle's suffix is left out), else the file's name, else
        the algorithm id. Raises AlreadyExists when the handle holds another document, unless
        `replace`; the same document again is fine. Durable on return.
        """
        return put(self._native, backtest, handle, replace)

    def write(self, backtest: Source, *, handle: str | None = None) -> str:
        """Store a backtest; one that is there under the handle is replaced."""
        return self.put(backtest, handle=handle, replace=True)

    def merge(
        self, handle: str, other: Source | Sequence[Source], *, replace_windows: bool = False
    ) -> MergeReport:
        """Add the runs of `other` (or of several, in order) to those of `handle`; see
        Backtests.merge.
        """
        return merge(self._native, handle, other, replace_windows)

    def get(self, handle: str) -> Backtest:
        """The backtest of that handle. Raises NotFound (a KeyError) naming near handles."""
        return self.open(handle)

    def open(self, handle: str, *, summary_only: bool = False) -> Backtest:
        raise NotImplementedError

    __getitem__ = get

    def exists(self, handle: str) -> bool:
        """False for what cannot be a handle, too."""
        return _lamina.has_backtest(self._native, handle)

    def delete(self, handle: str) -> None:
        """Nothing happens when it is not there. Price files stay: others may share them."""
        _lamina.delete_backtest(self._native, handle)

    def import_(
        self,
        path_or_paths: StrPath | Sequence[StrPath],
        *,
        workers: int | None = None,
        progress: bool | _progress.Progress | None = None,
        keep_going: bool = True,
        replace: bool = False,
    ) -> ImportReport:
        """Bundles, or folders of bundles (recursive), with their prices; see Backtests.import_."""
        paths = (
            [path_or_paths] if isinstance(path_or_paths, str | os.PathLike) else list(path_or_paths)
        )
        report, finish = _progress.reporter(progress, " bundles")
        try:
            done = _lamina.import_bundles(
                self._native, paths, workers or 0, keep_going, replace, report
            )
        finally:
            finish()
        return import_report(done, keep_going)

    def copy_from(
        self,
        source: Any,
        *,
        handles: Sequence[str] | None = None,
        replace: bool = False,
        workers: int | None = None,
        progress: bool | _progress.Progress | None = None,
    ) -> MigrationReport:
        """Copy backtests (all unless `handles`) with their prices from another store.

        What is here already is left alone, so an interrupted copy is run again. A handle that
        holds another document fails, unless `replace`; failures are in the report.
        """
        if handles is not None and not handles:
            return MigrationReport(0, 0, (), (), 0.0)
        report, finish = _progress.reporter(progress, " backtests")
        try:
            done = _lamina.copy_backtests(
                _native_of(source), self._native, list(handles or ()), replace, workers or 0, report
            )
        finally:
            finish()
        return MigrationReport(
            migrated=done["imported"] + done["replaced"],
            unchanged=done["unchanged"],
            failed=tuple(ImportFailure(*failure) for failure in done["failed"]),
            warnings=tuple(done["warnings"]),
            seconds=done["seconds"],
        )

    def handles(self) -> Names:
        """All handles, sorted."""
        raise NotImplementedError

    def iter_handles(self) -> Iterator[str]:
        """All handles, sorted; each one opens."""
        return iter(self.handles())

    def iter_index_rows(self) -> Iterator[dict[str, Any]]:
        """Identity and summary metrics, one row for each engine, study and universe."""
        for handle in self.handles():
            for row in self.open(handle, summary_only=True).index_rows:
                yield {"handle": handle, **row}

    def __iter__(self) -> Iterator[str]:
        return self.iter_handles()

    def __len__(self) -> int:
        return len(self.handles())

    def __contains__(self, handle: object) -> bool:
        return isinstance(handle, str) and self.exists(handle)


class LocalDirStore(_Store):
    """A folder of bundle files as a store. Thread-safe; several processes may share the folder.

    Written files are synced and renamed into place, so a reader or a crash never meets half a one.
    Links that lead out of the folder are not followed. `level`: zstd level of what is put as a
    document; files are copied as they are.
    """

    def __init__(self, root: StrPath, *, create: bool = True, level: int = 19) -> None:
        self._create, self._level = create, level
        self._native = _lamina.OpenFolder(os.path.abspath(root), create, level)

    @property
    def root(self) -> Path:
        return Path(self._native.root)

    def open(self, handle: str, *, summary_only: bool = False) -> Backtest:
        """The backtest; rows of its runs are taken out of the bundle when first asked for.

        Raises NotFound (a KeyError), Corruption, Conflict when two files have the handle.
        """
        del summary_only  # nothing is decoded before it is needed
        return Backtest(self, self._native.find(handle), None)

    def export(
        self,
        handle: str,
        path: StrPath,
        *,
        format_version: int | None = None,
        level: int | None = None,
        snapshot: int | None = None,
    ) -> ExportReport:
        """Copy the bundle to `path`, with the price files that it names."""
        if snapshot is not None:
            raise InvalidArgument("a folder of bundles has no snapshots")
        return ExportReport(**self._native.export_bundle(handle, path, format_version, level))

    def path_of(self, handle: str) -> Path:
        """The bundle's file."""
        return Path(self._native.path_of(handle))

    def list(self, **options: Any) -> Table:
        """As `list_index` of the folder, whose index is brought up to date first; handles there are
        paths of bundles, with their suffixes, and open here as they are.
        """
        return list_index(self.root, **options)

    def rank(self, by: str | None = None, **options: Any) -> Table:
        """As `rank_index` of the folder; see `list`."""
        return rank_index(self.root, by, **options)

    def handles(self) -> Names:
        return self._native.handles()

    def unreachable(self) -> builtins.list[tuple[str, str]]:
        """Bundles that no handle names (a link that leads out, an odd name), and why."""
        return self._native.unreachable()

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen_folder, (str(self.root), self._level)

    def __repr__(self) -> str:
        return f"lamina.LocalDirStore({str(self.root)!r})"


def _reopen_folder(root: str, level: int) -> LocalDirStore:
    return LocalDirStore(root, create=False, level=level)


class LocalTieredStore(_Store):
    """The backtests of a Lamina store (`lamina.open`): index, columns and chunks in place of files.

    `root` is a folder, made when it is absent or empty, or an open Store, which stays the caller's.
    """

    def __init__(self, root: StrPath | Store, *, create: bool = True) -> None:
        self.store = root if isinstance(root, Store) else Store(root, create=create)

    @property
    def _native(self) -> Any:
        return self.store._engine

    @property
    def root(self) -> Path:
        return self.store.root

    def open(self, handle: str, *, summary_only: bool = False) -> Backtest:
        """The backtest; what is asked of it is read then. Raises NotFound (a KeyError)."""
        del summary_only  # nothing is decoded before it is needed
        return self.store.backtests.get(self._known(handle))

    def export(
        self,
        handle: str,
        path: StrPath,
        *,
        format_version: int | None = None,
        level: int | None = None,
    ) -> ExportReport:
        """Write the bundle to `path`, with the price files that it names."""
        return self.store.backtests.export(
            self._known(handle), path, format_version=format_version, level=level
        )

    def list(self, **options: Any) -> Table:
        """As `Backtests.list`: sort, where, limit, columns, …"""
        return self.store.backtests.list(**options)

    def rank(self, by: str, **options: Any) -> Table:
        """As `Backtests.rank`."""
        return self.store.backtests.rank(by, **options)

    def scan(self, name: str, columns: Sequence[str] | None = None) -> Table:
        """Rows of all runs of one table, sorted by run: `runs` (engine, study, window, metrics),
        `portfolio_snapshots`, `trades`, `orders`, `positions`, `metric_series`.

        Times are timestamps in UTC. `run_id` joins the tables; `store.sql` has them too, and
        reads only the runs that a query asks for. Raises InvalidArgument for another name.
        """
        return Table(self._native.scan(name, list(columns) if columns is not None else None))

    def rebuild_index(self) -> int:
        """Make the rows of the rank table anew from the stored documents; tags and notes stay.

        Returns the number of backtests. Raises Corruption naming one that cannot be read.
        """
        return self._native.rebuild_index()

    def iter_ohlcv_hashes(self) -> Iterator[str]:
        """The SHA-256 (lower-case hex) of every price file that a backtest names, once for each
        (backtest, key). Raises when the references of any backtest cannot be read.
        """
        return iter(self._native.ohlcv_uses())

    def ohlcv_referenced_hashes(self) -> set[str]:
        """The hashes of `iter_ohlcv_hashes`, each once."""
        return set(self._native.ohlcv_uses())

    def ohlcv_stored_hashes(self) -> set[str]:
        """Price files whose bytes are in the store."""
        return set(self._native.ohlcv_blobs())

    def ohlcv_stats(self) -> dict[str, int]:
        """Counts: stored_blobs, stored_bytes, referenced_blobs, orphan_blobs (stored, named by no
        backtest), missing_blobs (named, not stored).
        """
        return self._native.ohlcv_stats()

    def garbage_collect_ohlcv(
        self, *, dry_run: bool = False, keep_deleted: bool = False
    ) -> builtins.list[str]:
        """Remove price files that no backtest names. Returns their hashes, sorted.

        `dry_run` removes nothing. Refuses (raises) when the references of any backtest cannot be
        read. A writer in another thread or process loses nothing. A deleted backtest that is
        brought back by `undelete` after this lacks its prices, unless `keep_deleted`.
        """
        return self._native.collect_ohlcv(dry_run, keep_deleted)

    def handles(self) -> Names:
        return self.store.backtests.handles()

    def __len__(self) -> int:
        return len(self.store.backtests)

    def _known(self, handle: str) -> str:
        _lamina.check_handle(handle)
        bare = _without_suffix(handle)
        return handle if bare == handle or handle in self.store.backtests else bare

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> LocalTieredStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return LocalTieredStore, (self.store,)

    def __repr__(self) -> str:
        return f"lamina.LocalTieredStore({str(self.root)!r})"


def migrate_store(
    src: Any,
    dst: Any,
    *,
    handles: Sequence[str] | None = None,
    replace: bool = False,
    workers: int | None = None,
    progress: bool | _progress.Progress | None = None,
) -> MigrationReport:
    """Copy all backtests (or `handles`) from one store to another, prices included.

    Can be interrupted or killed and run again: what is there already is left alone.
    """
    return _lay(dst).copy_from(
        src, handles=handles, replace=replace, workers=workers, progress=progress
    )


def merge(
    native: Any, handle: str, other: Source | Sequence[Source], replace_windows: bool
) -> MergeReport:
    """Merge into `handle` of `native`, an engine's open store or folder."""
    single = isinstance(other, Backtest | Mapping | str | os.PathLike)
    sources: list[Source] = [other] if single else list(other)  # type: ignore[arg-type, list-item]
    with tempfile.TemporaryDirectory() as scratch:
        given = [_merge_source(one, Path(scratch) / str(i)) for i, one in enumerate(sources)]
        done = _lamina.merge_backtest(native, handle, given, replace_windows)
    return MergeReport(**{**done, "warnings": tuple(done["warnings"])})


def _merge_source(source: Source, scratch: Path) -> Any:
    if isinstance(source, Backtest):
        if not source.document().get("ohlcv"):
            return source.bundle_version, source._native.document_bytes()
        scratch.mkdir()
        source.export(scratch / "bundle")  # its prices go with it
        return scratch / "bundle"
    if isinstance(source, Mapping):
        document = dict(source)
        return _version_of(document), _lamina.encode_document(document)
    return source


def put(native: Any, backtest: Source, handle: str | None, replace: bool) -> str:
    """Store `backtest` through `native`, an engine's open store or folder."""

    def document(name: str, version: int, encoded: bytes) -> None:
        _lamina.put_document(native, name, version, encoded, replace)

    def file(name: str, path: StrPath) -> None:
        _lamina.import_file(native, path, name, replace)

    return _hand_over(backtest, handle, document, file)


def put_in_batch(
    batch: _lamina.OpenBatch, backtest: Source, handle: str | None, replace: bool
) -> str:
    """The same, to be stored when the batch ends."""

    def document(name: str, version: int, encoded: bytes) -> None:
        batch.add_document(name, version, encoded, replace)

    def file(name: str, path: StrPath) -> None:
        batch.add_file(name, path, replace)

    return _hand_over(backtest, handle, document, file)


def _hand_over(
    backtest: Source,
    handle: str | None,
    take_document: Callable[[str, int, bytes], None],
    take_file: Callable[[str, StrPath], None],
) -> str:
    """Give `backtest` to whom it suits. Returns its handle, without a bundle's suffix."""
    if isinstance(backtest, str | os.PathLike):
        handle = handle or Path(os.fsdecode(backtest)).name
        take_file(handle, backtest)
    elif isinstance(backtest, Mapping):
        version, encoded, handle = encode(backtest, handle)
        take_document(handle, version, encoded)
    elif not isinstance(backtest, Backtest):
        raise InvalidArgument(
            f"a {type(backtest).__name__} is no backtest; give a document (dict), the path of a "
            "bundle, or a lamina.Backtest"
        )
    elif isinstance(backtest._store, NoStore) or not backtest.document().get("ohlcv"):
        handle = handle or backtest.handle
        take_document(handle, backtest.bundle_version, backtest._native.document_bytes())
    else:
        handle = handle or backtest.handle
        with tempfile.TemporaryDirectory() as scratch:  # its prices go with it
            path = Path(scratch) / "bundle"
            backtest.export(path)
            take_file(handle, path)
    return _without_suffix(handle)


def encode(document: Mapping[str, Any], handle: str | None) -> tuple[int, bytes, str]:
    """Version, bytes and handle (the algorithm id unless given) of a document."""
    document = dict(document)
    encoded = _lamina.encode_document(document)
    return _version_of(document), encoded, handle or _default_handle(document)


def _version_of(document: Mapping[str, Any]) -> int:
    version = document.get("format_version")
    if isinstance(version, int) and 1 <= version <= 5:
        return version
    raise InvalidArgument(
        f"the document's format_version is {version!r}; a bundle's document says 1, 2 or 5"
    )


def _default_handle(document: Mapping[str, Any]) -> str:
    inner = document.get("backtest")
    name = (inner if isinstance(inner, Mapping) else document).get("algorithm_id")
    if isinstance(name, str) and name:
        return name
    return datetime.now(UTC).strftime("backtest_%Y%m%dT%H%M%S_%fZ")


def _without_suffix(handle: str) -> str:
    for suffix in (".iafbt", ".obtf"):
        bare = handle.removesuffix(suffix)
        if bare != handle and bare and not bare.endswith("/"):
            return bare
    return handle


def _native_of(store: Any) -> Any:
    return store._engine if isinstance(store, Store) else store._native


def _lay(store: Any) -> Any:
    return LocalTieredStore(store) if isinstance(store, Store) else store
