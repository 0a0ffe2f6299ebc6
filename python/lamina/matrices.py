"""Matrices for learning: numbers by time, instrument and feature, joined by time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ._time import AsOf, from_nanoseconds, to_microseconds, to_nanoseconds
from .errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    import datetime as dt

    import numpy
    import pyarrow

    from .store import Store

Number = Literal["float64", "float32"]
_PRICES = ("open", "high", "low", "close", "volume")
_BY_INSTRUMENT = re.compile(r"(.+)_(\d+)")


@dataclass(frozen=True)
class Matrix:
    """`values[t, i, f]`: feature `features[f]` of `instruments[i]` at `times[t]`.

    times: (T,) datetime64[us], UTC, ascending, each once. values: (T, I, F), C order, float64 or
    float32 (each value rounded to the nearest); NaN where there is no row, or NULL in it.
    context: (T, C), columns that belong to no instrument, named by `context_names`.
    """

    times: numpy.ndarray
    instruments: list[str]
    features: list[str]
    values: numpy.ndarray
    context: numpy.ndarray
    context_names: list[str]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, I, F)."""
        return (len(self.times), len(self.instruments), len(self.features))

    def to_arrow(self) -> pyarrow.Table:
        """Columns `timestamp` (microseconds, UTC), `values` (Arrow's fixed-shape tensor of (I, F),
        dimensions named instrument and feature) and those of the context."""
        import pyarrow

        kind = pyarrow.fixed_shape_tensor(
            pyarrow.from_numpy_dtype(self.values.dtype),
            self.values.shape[1:],
            dim_names=["instrument", "feature"],
        )
        size = len(self.instruments) * len(self.features)
        flat = pyarrow.FixedSizeListArray.from_arrays(
            pyarrow.array(self.values.reshape(-1), from_pandas=False), size
        )
        stamps = pyarrow.array(self.times, pyarrow.timestamp("us", "UTC"))
        columns = {"timestamp": stamps, "values": pyarrow.ExtensionArray.from_storage(kind, flat)}
        for place, name in enumerate(self.context_names):
            columns[name] = pyarrow.array(self.context[:, place], from_pandas=False)
        return pyarrow.table(columns)


def of_bars(
    store: Store,
    instruments: Any = None,
    start: Any = None,
    end: Any = None,
    *,
    features: Sequence[str] = _PRICES,
    timeframe: str = "1h",
    join: Literal["outer", "inner"] = "outer",
    dtype: Number = "float64",
    dataset: str = "ohlcv",
    snapshot: AsOf = None,
) -> Matrix:
    """Bars with `start <= timestamp < end`, aligned by time.

    instruments: in this order; None: all that have bars in the range, by name. features: columns of
    the bars, in this order. join: `outer`: every time at which some instrument has a bar, `inner`:
    only those at which all have one. dtype: float64, or float32 for half the memory (a volume above
    2^53, or 2^24 as float32, is rounded).

    RETURNS a Matrix of shape (T, I, F). RAISES NotFound (dataset, column, an instrument without
    bars in the range), InvalidArgument.
    """
    _check(dtype, join)
    given = {"timeframe": timeframe, "dataset": dataset, "snapshot": snapshot}
    table = store.bars.load(
        instruments, start, end, columns=["timestamp", "instrument", *features], **given
    ).to_arrow()
    names = _names(store, instruments, table["instrument"])
    return _align(table, names, list(features), join, dtype)


def chunks_of_bars(
    store: Store,
    instruments: Any = None,
    start: Any = None,
    end: Any = None,
    *,
    span: str | dt.timedelta = "30d",
    features: Sequence[str] = _PRICES,
    timeframe: str = "1h",
    join: Literal["outer", "inner"] = "outer",
    dtype: Number = "float64",
    dataset: str = "ohlcv",
    snapshot: AsOf = None,
) -> Iterator[Matrix]:
    """The matrix of `of_bars` cut into spans of time, from `start` on; one is in memory at a time.
    All have the same instruments; a span without rows is left out. Put together they are the whole
    matrix. The rows are those of one snapshot, whatever is saved meanwhile. A first pass reads
    stamps and names (about 16 bytes a row)."""
    _check(dtype, join)
    at = store.snapshot_at(snapshot)
    given = {"timeframe": timeframe, "dataset": dataset, "snapshot": at}
    seen = store.bars.load(
        instruments, start, end, columns=["timestamp", "instrument"], **given
    ).to_arrow()
    names = _names(store, instruments, seen["instrument"])
    columns = ["timestamp", "instrument", *features]
    for first, after in _spans(seen["timestamp"], start, end, span):
        table = store.bars.load(names, first, after, columns=columns, **given).to_arrow()
        matrix = _align(table, names, list(features), join, dtype)
        if len(matrix.times):
            yield matrix


def of_features(
    store: Store,
    name: str = "features",
    start: Any = None,
    end: Any = None,
    *,
    columns: Sequence[str] | None = None,
    dtype: Number = "float64",
    snapshot: AsOf = None,
) -> Matrix:
    """A wide table by time. Columns `<feature>_<i>` that are there for every i below some count are
    features of instrument i (`instruments` are "0", "1", …), in the order of the columns; all other
    columns are context. RETURNS a Matrix of shape (T, I, F) with context (T, C). RAISES NotFound,
    InvalidArgument (a column that is no number)."""
    _check(dtype)
    columns = _wide_columns(store, name, columns)
    table = store.datasets.load(
        name, start, end, columns=["timestamp", *columns], snapshot=snapshot
    ).to_arrow()
    return _widen(table, columns, dtype)


def chunks_of_features(
    store: Store,
    name: str = "features",
    start: Any = None,
    end: Any = None,
    *,
    span: str | dt.timedelta = "30d",
    columns: Sequence[str] | None = None,
    dtype: Number = "float64",
    snapshot: AsOf = None,
) -> Iterator[Matrix]:
    """The matrix of `of_features` cut into spans of time; as `chunks_of_bars`."""
    _check(dtype)
    at = store.snapshot_at(snapshot)
    columns = _wide_columns(store, name, columns)
    seen = store.datasets.load(name, start, end, columns=["timestamp"], snapshot=at).to_arrow()
    wanted = ["timestamp", *columns]
    for first, after in _spans(seen["timestamp"], start, end, span):
        table = store.datasets.load(name, first, after, columns=wanted, snapshot=at).to_arrow()
        if table.num_rows:
            yield _widen(table, columns, dtype)


def _check(dtype: str, join: str = "outer") -> None:
    if dtype not in ("float64", "float32"):
        raise InvalidArgument(f"{dtype!r} is no dtype of matrices: float64, float32")
    if join not in ("outer", "inner"):
        raise InvalidArgument(f"{join!r} is no way to join: outer, inner")


def _names(store: Store, given: Any, found: Any) -> list[str]:
    there = set(found.unique().to_pylist())
    if given is None:
        return sorted(there)
    wanted = [given] if isinstance(given, str | int) else list(given)
    names = [store.bars._symbol(one) for one in wanted]
    if len(set(names)) < len(names):
        raise InvalidArgument("an instrument is named twice")
    for name in names:
        if name not in there:
            raise NotFound(f"there are no bars of {name!r} in the range")
    return names


def _spans(
    stamps: Any, start: Any, end: Any, span: str | dt.timedelta
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Spans from `start` on that hold stamps, the last one cut at `end`."""
    import numpy

    length = to_microseconds(span)
    if length <= 0:
        raise InvalidArgument("span must be a positive span of time")
    micros = _micros(stamps)
    if len(micros) == 0:
        return
    first = int(micros.min()) if start is None else -(-to_nanoseconds(start) // 1000)
    stop = int(micros.max()) + 1 if end is None else -(-to_nanoseconds(end) // 1000)
    for place in numpy.unique((micros - first) // length):
        begin = first + int(place) * length
        after = min(begin + length, stop)
        yield from_nanoseconds(begin * 1000), from_nanoseconds(after * 1000)


def _micros(stamps: Any) -> numpy.ndarray:
    import pyarrow

    return stamps.cast(pyarrow.timestamp("us", "UTC")).cast(pyarrow.int64()).to_numpy()


def _numbers(column: Any, name: str, dtype: Number) -> numpy.ndarray:
    import pyarrow

    try:
        return column.cast(pyarrow.float64(), safe=False).to_numpy().astype(dtype, copy=False)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError, ValueError) as error:
        raise InvalidArgument(f"column {name!r} does not hold numbers ({column.type})") from error


def _align(
    table: pyarrow.Table, names: list[str], features: list[str], join: str, dtype: Number
) -> Matrix:
    import numpy
    import pyarrow
    import pyarrow.compute as pc

    micros = _micros(table["timestamp"])
    times, row = numpy.unique(micros, return_inverse=True)
    instrument = pc.index_in(table["instrument"], pyarrow.array(names, pyarrow.string()))
    place = instrument.to_numpy()
    if join == "inner":
        full = numpy.bincount(row, minlength=len(times)) == len(names)
        kept = full[row]
        times, row, place = times[full], (numpy.cumsum(full) - 1)[row[kept]], place[kept]
    values = numpy.full((len(times), len(names), len(features)), numpy.nan, dtype)
    for at, feature in enumerate(features):
        column = _numbers(table[feature], feature, dtype)
        values[row, place, at] = column[kept] if join == "inner" else column
    none = numpy.empty((len(times), 0), dtype)
    return Matrix(times.view("datetime64[us]"), list(names), list(features), values, none, [])


def _wide_columns(store: Store, name: str, columns: Sequence[str] | None) -> list[str]:
    if columns is not None:
        return [one for one in columns if one != "timestamp"]
    there = store.datasets.get(name)["columns"]
    return [one[0] for one in there if one[0] not in ("timestamp", "year", "month")]


def _widen(table: pyarrow.Table, columns: list[str], dtype: Number) -> Matrix:
    import numpy

    numbered: dict[str, set[int]] = {}
    for name in columns:
        if match := _BY_INSTRUMENT.fullmatch(name):
            numbered.setdefault(match[1], set()).add(int(match[2]))
    count = max((len(one) for one in numbered.values()), default=0)
    features = [one for one, places in numbered.items() if places == set(range(count))]
    places = {f"{one}_{i}": (i, at) for at, one in enumerate(features) for i in range(count)}
    count = count if features else 0
    context_names = [name for name in columns if name not in places]
    times = _micros(table["timestamp"])
    values = numpy.full((len(times), count, len(features)), numpy.nan, dtype)
    context = numpy.full((len(times), len(context_names)), numpy.nan, dtype)
    for name in columns:
        column = _numbers(table[name], name, dtype)
        if name in places:
            values[:, places[name][0], places[name][1]] = column
        else:
            context[:, context_names.index(name)] = column
    names = [str(i) for i in range(count)]
    return Matrix(times.view("datetime64[us]"), names, features, values, context, context_names)
