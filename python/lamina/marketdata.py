"""StorageManager: bars, features and latents of a data root, as a store and as a tree of files.

The store in `data_root/.lamina` holds the data; the tree (`raw/ohlcv/{INSTRUMENT}/year=/month=/`,
`processed/`, `splits/`) and `raw/metadata/data_registry.db` are copies of it for tools that walk
folders. Each save is one commit of the store, then the files of the months it touched are written
anew; what a crash left behind is caught up when the root is opened again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _lamina
from . import store as _store
from ._file_tree import (
    after_inclusive,
    check_compression,
    empty_bars,
    encode,
    file_sha256,
    folder_name,
    iso,
    iso_of,
    micros_of,
    month_start,
    months_of,
    next_month,
    replace_file,
    shown,
    span_of,
)
from ._registry_copy import copy_rows
from ._time import to_nanoseconds
from .datasets import rows_of
from .errors import Conflict, InvalidArgument, NotFound
from .health import Health, check_files, check_series
from .table import Table

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from .calendar import Calendar

_FOLDERS = (
    "raw/ohlcv",
    "raw/metadata",
    "processed/features",
    "processed/normalized",
    "processed/latents",
    "splits/train",
    "splits/validation",
    "cache",
)
_WIDE = ("features", "normalized", "latents")
#: Granularities of OANDA for the usual timeframes.
_GRANULARITIES = {"1m": "M1", "5m": "M5", "15m": "M15", "30m": "M30", "1h": "H1", "4h": "H4",
                  "1d": "D"}  # fmt: skip


class StorageManager:
    """Bars, features, normalized features and latents below `data_root`.

    Frames go in and come out as pandas. Times need a zone. Ends of ranges are inclusive; an end
    without a time of day (a date, `"2022-12-31"`, or a datetime without zone at midnight) covers
    its whole day. `timeframe`: of the bars of this root. Usable from several threads and processes.
    """

    def __init__(self, data_root: str | os.PathLike[str], *, timeframe: str = "1h") -> None:
        self.data_root = Path(data_root)
        self.db_path = self.data_root / "raw" / "metadata" / "data_registry.db"
        self.timeframe = timeframe
        for folder in _FOLDERS:
            (self.data_root / folder).mkdir(parents=True, exist_ok=True)
        self.store = _store.open(self.data_root / ".lamina", create=True)
        self._saved: dict[str, tuple[int, int]] = {}
        self._since = time.monotonic()
        self._remove_left_overs()
        self._catch_up()
        self._copy_registry()

    def close(self) -> None:
        """Let the store go."""
        self.store.close()

    def __enter__(self) -> StorageManager:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- saving --------------------------------------------------------------------------------

    def save_ohlcv_data(
        self, data: pandas.DataFrame, instrument: str, compression: str = "snappy"
    ) -> list[str]:
        """Save bars (timestamp with zone, open, high, low, close; volume, complete if known) of
        one instrument. Rows may be unsorted and of any months; with stored ones they are merged by
        timestamp (a complete bar beats an incomplete one, else the later saved one wins). `data`
        is not changed. Returns the paths of the month files. Raises InvalidArgument naming column
        and row, Conflict (another process saved the same span; nothing was saved)."""
        check_compression(compression)
        folder_name(instrument)
        rows = rows_of(data, "data")
        months = months_of(rows)
        with self._pending("ohlcv", instrument, months):
            self.store.bars.save(rows, instrument, timeframe=self.timeframe)
            if months:
                self._saved[instrument] = span_of(rows)
            return self._refresh("ohlcv", instrument, months, compression)

    def save_features(
        self,
        features: pandas.DataFrame,
        data_type: str = "features",
        compression: str = "snappy",
    ) -> list[str]:
        """Save a wide frame (timestamp with zone and any number columns) as `features`,
        `normalized` or `latents`, all months or none; merged by timestamp as bars are. The first
        save fixes the columns. Returns the paths of the month files."""
        check_compression(compression)
        if data_type not in _WIDE:
            raise InvalidArgument(f"{data_type!r} is no data_type of features: {', '.join(_WIDE)}")
        rows = rows_of(features, data_type)
        months = months_of(rows)
        with self._pending(data_type, "ALL", months):
            self.store.features.save(rows, data_type, kind=data_type)
            return self._refresh(data_type, "ALL", months, compression)

    def save_splits(
        self,
        train: tuple[Any, Any],
        validation: tuple[Any, Any],
        instruments: Sequence[str] | None = None,
        compression: str = "snappy",
    ) -> list[str]:
        """Write the stored bars of two spans (inclusive ends) to
        `splits/train/{INSTRUMENT}.parquet` and `splits/validation/…`. Returns the paths."""
        check_compression(compression)
        import pyarrow.compute as pc

        spans = {
            split: (to_nanoseconds(start), after_inclusive(end) * 1000)
            for split, (start, end) in (("train", train), ("validation", validation))
        }
        self.store.features.splits(spans, instruments=instruments)
        snapshot = self.store.snapshot_at(None)
        written = []
        for split in spans:
            table = self.store.datasets.load("splits", where={"split": split}).to_arrow()
            names = table["instrument"].unique().to_pylist()
            for name in names:
                rows = shown(table.filter(pc.equal(table["instrument"], name)), "ohlcv")
                path = f"splits/{split}/{folder_name(name)}.parquet"
                written.append((path, name, "splits", rows))
        return self._write(written, snapshot, compression)

    # ---- loading -------------------------------------------------------------------------------

    def load_data_by_date_range(
        self,
        data_type: str,
        start_date: Any,
        end_date: Any,
        instrument: str | None = None,
    ) -> pandas.DataFrame:
        """Rows of `ohlcv`, `features`, `normalized` or `latents` from `start_date` to `end_date`,
        both inclusive, sorted by timestamp, then instrument. Times without a zone are UTC. Only
        files that may hold such rows are opened. Nothing found: a frame without rows that has the
        columns. Raises Corruption naming a file that is damaged or gone."""
        start, end = -(-to_nanoseconds(start_date) // 1000), after_inclusive(end_date)
        if data_type == "ohlcv":
            if "ohlcv" not in self.store.datasets:
                return empty_bars().to_pandas()
            table = self.store.bars.load(
                instrument,
                start * 1000,
                max(end, start) * 1000,
                timeframe=self.timeframe,
                by_time=True,
            ).to_arrow()
        elif data_type in _WIDE:
            if instrument not in (None, "ALL"):
                raise InvalidArgument(
                    f"{data_type} hold all instruments side by side; leave instrument out and "
                    "choose columns"
                )
            if data_type not in self.store.datasets:
                raise NotFound(f"no {data_type} were saved below {self.data_root}")
            table = self.store.features.load(
                data_type, start * 1000, max(end, start) * 1000
            ).to_arrow()
        else:
            raise InvalidArgument(f"{data_type!r} is no data_type: ohlcv, {', '.join(_WIDE)}")
        return shown(table, data_type).to_pandas()

    # ---- integrity -----------------------------------------------------------------------------

    def verify_data_integrity(self) -> dict[str, bool]:
        """Every registered file (relative path): whether its bytes have the registered SHA-256.
        False for a missing one. Notes last_verified of whole ones. See `integrity_report` for
        what is wrong, and for files that are not registered."""
        rows = self.store.registry.files().to_arrow().to_pylist()
        results = {row["file_path"]: self._is_whole(row) for row in rows}
        whole = [path for path, good in results.items() if good]
        self.store.registry.mark_verified(whole)
        self._copy_rows("data_files", {})
        return results

    def integrity_report(self) -> list[dict[str, str]]:
        """What is wrong with the tree: dicts of path, problem (missing, damaged, wrong_count,
        unregistered, left_over) and detail. Empty: all is well."""
        import pyarrow.parquet as pq

        problems = []
        known = set()
        for row in self.store.registry.files().to_arrow().to_pylist():
            path = row["file_path"]
            known.add(path)
            full = self.data_root / path
            if not full.exists():
                problems.append({"path": path, "problem": "missing", "detail": "not there"})
            elif not self._is_whole(row):
                problems.append({"path": path, "problem": "damaged", "detail": "SHA-256 differs"})
            elif pq.read_metadata(full).num_rows != row["record_count"]:
                problems.append(
                    {"path": path, "problem": "wrong_count", "detail": str(row["record_count"])}
                )
        for folder in ("raw/ohlcv", "processed", "splits"):
            for full in sorted((self.data_root / folder).rglob("*")):
                path = full.relative_to(self.data_root).as_posix()
                if full.is_dir() or path in known:
                    continue
                left = full.name.endswith(".tmp")
                problems.append(
                    {
                        "path": path,
                        "problem": "left_over" if left else "unregistered",
                        "detail": "no row of data_files names it",
                    }
                )
        return problems

    def refresh_tree(self) -> list[str]:
        """Write every registered month file anew from the store. Returns the paths."""
        written: list[str] = []
        months: dict[tuple[str, str], set[tuple[int, int]]] = {}
        for row in self.store.registry.files().to_arrow().to_pylist():
            if row["data_type"] != "splits":
                at = dt.datetime.fromisoformat(row["start_date"])
                place = months.setdefault((row["data_type"], row["instrument"]), set())
                place.add((at.year, at.month))
        for (data_type, instrument), some in months.items():
            written += self._refresh(data_type, instrument, some, "snappy")
        return written

    def health(
        self,
        *,
        max_age: str | dt.timedelta | None = None,
        calendar: str | Calendar = "24/7",
        now: Any = None,
    ) -> Health:
        """What a monitor of a recorder that runs around the clock asks, every minute if it likes:
        each instrument's last bar and last fetch (`lamina.health.check_series`), the files of the
        tree, what is pending, free disk space. Cheap: reads stamps, no prices, no whole files."""
        series = check_series(
            self.store, timeframe=self.timeframe, max_age=max_age, calendar=calendar, now=now
        )
        pending = len(list(self.db_path.parent.glob("pending_*.json")))
        return check_files(self.store, self.data_root, series, pending)

    # ---- temporary files -----------------------------------------------------------------------

    @contextlib.contextmanager
    def temporary(self, frame: Any = None) -> Iterator[Path]:
        """The path of a file `cache/temp_*.parquet` for work in between, which nobody else has;
        with `frame`, its rows are in it. It goes when the block ends. What a process that died left
        there goes when the root is opened, an hour after it was last written to."""
        path = self.data_root / "cache" / f"temp_{os.getpid()}_{uuid.uuid4().hex}.parquet"
        try:
            if frame is not None:
                table = Table(rows_of(frame, "frame")).to_arrow()
                path.write_bytes(encode(table, "snappy"))
            yield path
        finally:
            path.unlink(missing_ok=True)

    # ---- runs and models -----------------------------------------------------------------------

    def log_fetch_run(
        self,
        instrument: str,
        records_fetched: int,
        api_calls_used: int,
        status: str,
        granularity: str | None = None,
        start_date: Any = None,
        end_date: Any = None,
        duration_seconds: float | None = None,
        error_message: str | None = None,
        **further: Any,
    ) -> int:
        """Note one download; counts are of this run alone, not cumulative. `status`: success,
        partial, failed. What is left out is derived: granularity from `timeframe`, start and end
        from the last save of the instrument by this object, the duration from the time since the
        last note. `further`: other columns of fetch_runs. Returns the id. Raises InvalidArgument:
        another status, or nothing to derive from."""
        now = time.monotonic()
        if granularity is None:
            granularity = _GRANULARITIES.get(self.timeframe, self.timeframe)
        span = self._saved.get(instrument)
        if (start_date is None or end_date is None) and span is None:
            raise InvalidArgument(
                f"start_date and end_date must be given: nothing of {instrument!r} was saved that "
                "they could be derived from"
            )
        start = iso(span[0]) if start_date is None and span else iso_of(start_date)
        end = iso(span[1]) if end_date is None and span else iso_of(end_date)
        made = self.store.registry.log_fetch_run(
            instrument,
            granularity,
            start,
            end,
            records_fetched,
            api_calls_used,
            now - self._since if duration_seconds is None else duration_seconds,
            status,
            error_message,
            **further,
        )
        self._since = now
        self._copy_rows("fetch_runs", {"id": made})
        return made

    def log_processing_run(
        self,
        run_type: str,
        config_hash: str,
        input_files: Iterable[int | str],
        output_files: Iterable[int | str],
        status: str = "success",
        duration_seconds: float | None = None,
        log_file: str | None = None,
    ) -> int:
        """Note a step (preprocessing, training, evaluation) over registered files, given as ids or
        as paths. Returns the id. Raises InvalidArgument for files that are not registered."""
        made = self.store.registry.log_processing_run(
            run_type,
            config_hash,
            self._file_ids(input_files),
            self._file_ids(output_files),
            status,
            duration_seconds,
            log_file,
        )
        self._copy_rows("processing_runs", {"id": made})
        return made

    def register_model_artifact(
        self,
        model_type: str,
        version: str,
        file_path: str | os.PathLike[str],
        config_hash: str,
        training_run_id: int | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> int:
        """Note a version of a model (tcnae, gbdt, context_manager). Returns the id. Raises
        InvalidArgument: another type, or no such training run."""
        made = self.store.registry.register_model_artifact(
            model_type, version, os.fspath(file_path), config_hash, training_run_id, metrics
        )
        self._copy_rows("model_artifacts", {"id": made})
        return made

    # ---- the tree ------------------------------------------------------------------------------

    def _path(self, data_type: str, instrument: str, year: int, month: int) -> str:
        folder, name = (
            (f"raw/ohlcv/{folder_name(instrument)}", folder_name(instrument).lower())
            if data_type == "ohlcv"
            else (f"processed/{data_type}", data_type)
        )
        return f"{folder}/year={year:04}/month={month:02}/{name}_{year:04}{month:02}.parquet"

    def _refresh(
        self,
        data_type: str,
        instrument: str,
        months: set[tuple[int, int]],
        compression: str,
    ) -> list[str]:
        """Make the files of these months show what is stored; one that has no rows goes."""
        if not months:
            return []
        snapshot = self.store.snapshot_at(None)
        first, last = min(months), max(months)
        start, end = month_start(*first), month_start(*next_month(*last))
        if data_type == "ohlcv":
            table = self.store.bars.load(
                instrument, start * 1000, end * 1000, timeframe=self.timeframe, snapshot=snapshot
            ).to_arrow()
        else:
            table = self.store.features.load(
                data_type, start * 1000, end * 1000, snapshot=snapshot
            ).to_arrow()
        rows = shown(table, data_type)
        stamps = micros_of(table)
        written, gone = [], []
        for year, month in sorted(months):
            begin = int(stamps.searchsorted(month_start(year, month)))
            stop = int(stamps.searchsorted(month_start(*next_month(year, month))))
            path = self._path(data_type, instrument, year, month)
            if begin == stop:
                gone.append(path)
            else:
                written.append((path, instrument, data_type, rows.slice(begin, stop - begin)))
        for path in gone:
            (self.data_root / path).unlink(missing_ok=True)
        if gone:
            self.store.registry.remove_files(gone)
        return self._write(written, snapshot, compression)

    def _write(
        self,
        files: Sequence[tuple[str, str, str, pyarrow.Table]],
        snapshot: int,
        compression: str,
    ) -> list[str]:
        def write(file: tuple[str, str, str, pyarrow.Table]) -> dict[str, Any]:
            path, instrument, data_type, rows = file
            encoded = encode(rows, compression)
            replace_file(self.data_root / path, encoded)
            stamps = rows["timestamp"]
            return {
                "file_path": path,
                "instrument": instrument,
                "data_type": data_type,
                "start_date": iso(stamps[0].value // 1000),
                "end_date": iso(stamps[-1].value // 1000),
                "record_count": rows.num_rows,
                "file_size": len(encoded),
                "checksum": hashlib.sha256(encoded).hexdigest(),
                "snapshot_id": snapshot,
            }

        with ThreadPoolExecutor(min(8, max(1, len(files)))) as pool:
            rows = list(pool.map(write, files))
        self.store.registry.put_files(rows)
        for instrument, data_type in {(row["instrument"], row["data_type"]) for row in rows}:
            self._copy_rows("data_files", {"instrument": instrument, "data_type": data_type})
        return [str(self.data_root / row["file_path"]) for row in rows]

    def _is_whole(self, row: Mapping[str, Any]) -> bool:
        try:
            return file_sha256(self.data_root / row["file_path"]) == row["checksum"]
        except OSError:
            return False

    def _file_ids(self, files: Iterable[int | str]) -> list[int]:
        ids: dict[str, int] = {}
        found = []
        for one in files:
            if isinstance(one, int):
                found.append(one)
                continue
            if not ids:
                for row in self.store.registry.files().to_arrow().to_pylist():
                    ids[row["file_path"]] = row["id"]
            path = Path(one)
            if path.is_absolute() or path.is_relative_to(self.data_root):
                path = Path(os.path.relpath(path, self.data_root))
            if path.as_posix() not in ids:
                raise InvalidArgument(f"{one} is no registered file")
            found.append(ids[path.as_posix()])
        return found

    def _remove_left_overs(self) -> None:
        # Of processes that died: younger ones may be in the making by another.
        before = time.time() - 3600
        for folder, pattern in (
            ("raw/ohlcv", "*.tmp"),
            ("processed", "*.tmp"),
            ("splits", "*.tmp"),
            ("cache", "temp_*"),
        ):
            for path in (self.data_root / folder).rglob(pattern):
                if path.is_file() and path.stat().st_mtime < before:
                    path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _pending(
        self, data_type: str, instrument: str, months: set[tuple[int, int]]
    ) -> Iterator[None]:
        """While months are saved and written a note of them lies on the disk, for `_catch_up`."""
        if not months:
            yield
            return
        note = {"data_type": data_type, "instrument": instrument, "months": sorted(months)}
        path = self.db_path.with_name(f"pending_{uuid.uuid4().hex}.json")
        replace_file(path, json.dumps(note).encode())
        yield
        # After an error it stays: the commit may have been made.
        path.unlink(missing_ok=True)

    def _catch_up(self) -> None:
        """Write what a process that died between its commit and its last file left behind, and
        files that have gone."""
        for path in sorted(self.db_path.parent.glob("pending_*.json")):
            try:
                note = json.loads(path.read_bytes())
            except FileNotFoundError:
                continue  # its process has just ended well
            months = {(year, month) for year, month in note["months"]}
            with contextlib.suppress(NotFound):  # died before it made the dataset
                self._refresh(note["data_type"], note["instrument"], months, "snappy")
            path.unlink(missing_ok=True)
        gone: dict[tuple[str, str], set[tuple[int, int]]] = {}
        for row in self.store.registry.files().to_arrow().to_pylist():
            if row["data_type"] != "splits" and not (self.data_root / row["file_path"]).exists():
                at = dt.datetime.fromisoformat(row["start_date"])
                place = gone.setdefault((row["data_type"], row["instrument"]), set())
                place.add((at.year, at.month))
        for (data_type, instrument), months in gone.items():
            self._refresh(data_type, instrument, months, "snappy")

    # ---- the copy of the registry --------------------------------------------------------------

    def _copy_registry(self) -> None:
        self._copy_rows("data_files", {})
        for table in ("fetch_runs", "processing_runs", "model_artifacts"):
            self._copy_rows(table, {})

    def _copy_rows(self, table: str, where: dict[str, Any]) -> None:
        """Rows of the registry into the copy; with no condition, all of the table."""
        rows = self.store._engine.registry_rows(table, where)
        copy_rows(self.db_path, table, where, rows)


def migrate_csv_to_parquet(
    csv_dir: str | os.PathLike[str], storage: StorageManager
) -> list[dict[str, Any]]:
    """Save every `*.csv` of a folder (not deeper) through `storage`. The instrument is what the
    file's name begins with, upper-cased (`EUR_USD_3years_H1.csv` -> EUR_USD); columns timestamp or
    time, open, high, low, close, volume if known. Prints instrument and count of each file and
    returns one dict a file: path, instrument, records, rejected (line, message; the first 1,000),
    rejected_count, error (None when it went well). Rows that cannot be read are rejected; doing it
    again changes nothing.
    Raises NotFound for no folder."""
    folder = Path(csv_dir)
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder")
    reports = []
    for path in sorted(folder.glob("*.csv")):
        report: dict[str, Any] = {
            "path": str(path),
            "records": 0,
            "rejected": [],
            "rejected_count": 0,
            "error": None,
        }
        try:
            read = _lamina.read_bar_csv(path)
            report["instrument"] = read["instrument"]
            report["rejected"] = read["rejected"]
            report["rejected_count"] = read["rejected_count"]
            rows = Table(read["rows"])
            storage.save_ohlcv_data(rows, read["instrument"])
            report["records"] = rows.num_rows
            print(f"Migrated {read['instrument']}: {rows.num_rows} records")
        except (InvalidArgument, Conflict) as error:
            report["error"] = str(error)
            print(f"Failed {path}: {error}")
        reports.append(report)
    return reports
