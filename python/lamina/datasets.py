"""Datasets: named time-series tables of a store; features among them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import _frames, _lamina, matrices
from ._time import AsOf, to_nanoseconds
from .errors import InvalidArgument, NotFound
from .matrices import Matrix
from .table import Table

if TYPE_CHECKING:
    from .store import Store

Names = str | int | Sequence[str | int] | None


def micros(at: Any) -> int | None:
    """Microseconds since 1970 UTC, rounded up: the first one that is not before `at`."""
    return None if at is None else -(-to_nanoseconds(at) // 1000)


def check_range(start: Any, end: Any) -> tuple[int | None, int | None]:
    """Microseconds of both ends. Raises InvalidArgument for an end before the start."""
    first, after = micros(start), micros(end)
    if first is not None and after is not None and after < first:
        raise InvalidArgument(f"the range starts after it ends: {start!r} to {end!r}")
    return first, after


def rows_of(frame: Any, what: str) -> _lamina.ArrowTable:
    """The columns of `frame`. A DatetimeIndex of a pandas frame is column `timestamp`; NaN in a
    float column stays NaN, what pandas calls NA becomes NULL."""
    if type(frame).__module__.partition(".")[0] != "pandas":
        return _lamina.ArrowTable(_frames.to_arrow(frame, what))
    import pyarrow

    if type(frame.index).__name__ == "DatetimeIndex" and "timestamp" not in frame.columns:
        frame = frame.reset_index(names="timestamp")
    columns = {}
    for place, name in enumerate(frame.columns):
        series = frame.iloc[:, place]
        if str(name) in columns:
            raise InvalidArgument(f"{what} has two columns {name!r}")
        plain = getattr(series.dtype, "kind", "") == "f" and type(series.dtype).__module__ in (
            "numpy",
            "numpy.dtypes",
        )
        try:
            columns[str(name)] = (
                pyarrow.array(series.to_numpy(), from_pandas=False)
                if plain
                else pyarrow.array(series, from_pandas=True)
            )
        except (pyarrow.ArrowException, TypeError, ValueError) as error:
            raise InvalidArgument(f"{what}, column {name!r}: {error}") from error
    return _lamina.ArrowTable(pyarrow.table(columns))


class SaveReport(list[str]):
    """What a save did: the list of partition folders (below `lake/`) that got a file, and counts.

    `rows` given; `added` with a new key; `replaced` a stored row; `unchanged` were stored like
    this; `kept`: an incomplete row lost against a stored complete one; `duplicates` of another
    given row; `removed` stored rows without a successor; `nulls`, `nans` in the given columns;
    `sorted`: the rows came in order; `snapshot`: None when nothing changed.
    """

    def __init__(self, report: Mapping[str, Any]) -> None:
        folder = report["folder"]
        super().__init__(f"{folder}/{part}".rstrip("/") for part in report["partitions"])
        self.rows: int = report["rows"]
        self.added: int = report["added"]
        self.replaced: int = report["replaced"]
        self.unchanged: int = report["unchanged"]
        self.kept: int = report["kept"]
        self.duplicates: int = report["duplicates"]
        self.removed: int = report["removed"]
        self.nulls: int = report["nulls"]
        self.nans: int = report["nans"]
        self.files: int = report["files"]
        self.sorted: bool = report["sorted"]
        self.snapshot: int | None = report["snapshot"]

    def to_dict(self) -> dict[str, Any]:
        """The counts and the folders."""
        return {"partitions": list(self), **self.__dict__}

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={value}" for name, value in self.__dict__.items() if value)
        return f"SaveReport({counts})"


class Datasets:
    """The datasets of one store. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self, *, snapshot: AsOf = None) -> list[dict[str, Any]]:
        """One dict a dataset: name, kind, table, columns (name, type, required), keys, partition,
        parameters, rows, files, bytes."""
        found = self._store._engine.dataset_list(self._store._snapshot_id(snapshot))
        for one in found:
            one["parameters"] = json.loads(one["parameters"])
        return found

    def get(self, name: str, *, snapshot: AsOf = None) -> dict[str, Any]:
        """The same of one. Raises NotFound."""
        for one in self.list(snapshot=snapshot):
            if one["name"] == name:
                return one
        raise NotFound(f"there is no dataset {name!r}")

    def __contains__(self, name: str) -> bool:
        return any(one["name"] == name for one in self._store._engine.dataset_list(None))

    def create(
        self,
        name: str,
        columns: Mapping[str, str],
        *,
        keys: Sequence[str] = ("timestamp",),
        required: Iterable[str] = (),
        partition: str = "year",
        complete: str | None = None,
        schema: str = "datasets",
        if_absent: bool = False,
    ) -> None:
        """Make a dataset. `columns`: name to type (float64, int64, int32, varchar, boolean,
        timestamptz, date); the last of `keys` is the time column (timestamptz) and is added when
        it is not named; keys are required. `partition`: year, date, none. `complete`: a boolean
        column that says whether a row is final. Raises AlreadyExists, InvalidArgument."""
        time = list(keys)[-1] if keys else "timestamp"
        types = dict(columns) if time in columns else {time: "timestamptz", **columns}
        must = {*required, *keys}
        self._store._engine.dataset_create(
            {
                "name": name,
                "kind": "table",
                "schema": schema,
                "columns": [(column, kind, column in must) for column, kind in types.items()],
                "time_column": time,
                "keys": list(keys),
                "partition": partition,
                "complete_column": complete,
                "parameters": "{}",
            },
            if_absent,
        )

    def create_features(
        self,
        name: str = "features",
        *,
        kind: str = "features",
        instruments: int = 20,
        indicators: Sequence[str] = ("slope_high", "slope_low", "volatility", "direction"),
        context: Sequence[str] = (),
        if_absent: bool = False,
    ) -> None:
        """A wide table of DOUBLE: timestamp, `<indicator>_<i>` for every instrument
        (instrument-major), then the context columns by their names. `kind`: features or
        normalized."""
        self._store._engine.dataset_create_predefined(
            kind, name, instruments, list(indicators), list(context), if_absent
        )

    def create_latents(
        self, name: str = "latents", *, size: int = 100, if_absent: bool = False
    ) -> None:
        """timestamp, `latent_0` … `latent_<size - 1>` as DOUBLE."""
        self._store._engine.dataset_create_predefined("latents", name, size, None, [], if_absent)

    def add_columns(self, name: str, columns: Mapping[str, str]) -> None:
        """Add columns (name to type); stored rows have NULL in them. Raises AlreadyExists."""
        self._store._engine.dataset_add_columns(
            name, [(column, kind, False) for column, kind in columns.items()]
        )

    def save(
        self,
        name: str,
        frame: Any,
        *,
        mode: str = "merge",
        constants: Mapping[str, Any] | None = None,
        replace: tuple[Any, Any] | None = None,
        assume_utc: bool = False,
    ) -> SaveReport:
        """Save rows (pandas, polars, pyarrow, dict of arrays), in any order, in one commit.

        `mode`: `merge` (of equal keys a complete row beats an incomplete one, else the later
        one; whole rows: a column that the later one lacks is null then), `append` (every key must
        be new), `replace` (what is stored in the span of the rows, or in `replace` = (start, end),
        goes). `constants`: columns with one value for all rows.
        Times need a zone unless `assume_utc`. Raises InvalidArgument naming column and row,
        AlreadyExists (append), Conflict (another writer changed the same range)."""
        rows = rows_of(frame, f"rows for dataset {name!r}")
        span = None if replace is None else check_range(*replace)
        report = self._store._engine.dataset_save(
            name, rows, mode, dict(constants or {}), assume_utc, span
        )
        return SaveReport(report)

    def load(
        self,
        name: str,
        start: Any = None,
        end: Any = None,
        *,
        where: Mapping[str, Any] | None = None,
        columns: Sequence[str] | None = None,
        snapshot: AsOf = None,
        by_time: bool = False,
    ) -> Table:
        """Rows with `start <= time < end`, sorted by the keys (`by_time`: by time first).

        `where`: key columns to a value or values. Only files and parts of files that may hold
        such rows are read. Nothing found: a table without rows that has the columns. Raises
        NotFound, Corruption naming a file that is damaged or gone."""
        keys = [(key, _texts(value)) for key, value in (where or {}).items()]
        return Table(
            self._store._engine.dataset_load(
                name,
                *check_range(start, end),
                keys,
                None if columns is None else list(columns),
                self._store._snapshot_id(snapshot),
                by_time,
            )
        )

    def delete(
        self,
        name: str,
        start: Any = None,
        end: Any = None,
        *,
        where: Mapping[str, Any] | None = None,
    ) -> SaveReport:
        """Delete the rows with `start <= time < end` (and these keys). Older snapshots keep
        them."""
        keys = [(key, _texts(value)) for key, value in (where or {}).items()]
        report = self._store._engine.dataset_delete(name, *check_range(start, end), keys)
        return SaveReport(report)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str | int):
        return [str(value)]
    return [str(one) for one in value]


class Features:
    """Wide tables by time: features, normalized features, latents. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def save(
        self,
        frame: Any,
        name: str = "features",
        *,
        kind: str | None = None,
        mode: str = "merge",
        add_columns: bool = False,
        assume_utc: bool = False,
    ) -> SaveReport:
        """Save rows by `timestamp`. The dataset is made with the columns of the frame when it is
        not there; later, columns it does not have are refused unless `add_columns`."""
        rows = rows_of(frame, "features")
        engine = self._store._engine
        if kind is None:
            kind = name if name in ("normalized", "latents") else "features"
        if add_columns and name in self._store.datasets:
            have = {column[0] for column in self._store.datasets.get(name)["columns"]}
            new = [one for one in rows.column_names if one not in have | {"year", "month"}]
            if new:
                self._store.datasets.add_columns(name, dict.fromkeys(new, "float64"))
        engine.dataset_create_wide(name, kind, rows)
        return self._store.datasets.save(name, rows, mode=mode, assume_utc=assume_utc)

    def load(
        self,
        name: str = "features",
        start: Any = None,
        end: Any = None,
        columns: Sequence[str] | None = None,
        *,
        snapshot: AsOf = None,
    ) -> Table:
        """Rows with `start <= timestamp < end`, by time."""
        return self._store.datasets.load(name, start, end, columns=columns, snapshot=snapshot)

    def matrix(
        self, name: str = "features", start: Any = None, end: Any = None, **choice: Any
    ) -> Matrix:
        """A wide table as numbers by time, instrument and feature; see
        `lamina.matrices.of_features`."""
        return matrices.of_features(self._store, name, start, end, **choice)

    def matrices(
        self,
        name: str = "features",
        start: Any = None,
        end: Any = None,
        *,
        span: str | dt.timedelta = "30d",
        **choice: Any,
    ) -> Iterator[Matrix]:
        """The same piece by piece, each of a span of time, in the memory of one."""
        return matrices.chunks_of_features(self._store, name, start, end, span=span, **choice)

    def splits(
        self,
        spans: Mapping[str, tuple[Any, Any]],
        *,
        source: str = "ohlcv",
        name: str = "splits",
        instruments: Names = None,
        snapshot: AsOf = None,
    ) -> dict[str, int]:
        """Write splits of stored bars (`{"train": (start, end), "validation": (start, end)}`) as
        rows of dataset `name`; a split that was there is replaced. Returns its rows by split."""
        engine = self._store._engine
        engine.dataset_create_predefined("splits", name, 0, None, [], True)
        at = self._store.snapshot_at(snapshot)
        counts: dict[str, int] = {}
        for split, (start, end) in spans.items():
            rows = self._store.bars.load(instruments, start, end, dataset=source, snapshot=at)
            self._store.datasets.delete(name, where={"split": split})
            counts[split] = self._store.datasets.save(name, rows, constants={"split": split}).rows
        engine.lineage_add([("dataset", name, "dataset", source, at)])
        return counts


def utc(at: Any) -> dt.datetime:
    """A datetime in UTC; without a zone it is UTC."""
    nanos = to_nanoseconds(at)
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=nanos // 1000)
