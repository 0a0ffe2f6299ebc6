"""Frames of any library as checked Arrow columns; errors name column and row."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ._time import to_nanoseconds
from .errors import InvalidArgument

if TYPE_CHECKING:
    import pyarrow

    Column = pyarrow.ChunkedArray

_FIRST_YEAR, _LAST_YEAR = 1678, 2261  # what nanoseconds since 1970 can say
_MICROS_PER_YEAR = 365.2425 * 86_400e6


def bare(name: str) -> str:
    """A column name as names are compared: `Entry Timestamp` and `entry_timestamp` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def to_arrow(source: Any, what: str) -> pyarrow.Table:
    """`source` (pandas, polars, pyarrow, a dict of arrays, a list of dicts, anything with
    `__arrow_c_stream__`) as an Arrow table; a pandas index that has a name or times is a column.
    """
    import pyarrow

    try:
        if type(source).__module__.partition(".")[0] == "pandas":
            return _from_pandas(source)
        if hasattr(source, "__arrow_c_stream__"):
            return pyarrow.table(source)
        if isinstance(source, Mapping):
            return pyarrow.table({str(name): _array(value) for name, value in source.items()})
        if isinstance(source, Sequence) and all(isinstance(row, Mapping) for row in source):
            return pyarrow.Table.from_pylist([dict(row) for row in source])
    except (pyarrow.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise InvalidArgument(f"{what} cannot be read as a table: {error}") from error
    raise InvalidArgument(
        f"{what} is a {type(source).__name__}; give a frame (pandas, polars, pyarrow), a dict of "
        "arrays, or an object with __arrow_c_stream__"
    )


def _from_pandas(source: Any) -> pyarrow.Table:
    import pyarrow

    index = source.index
    if not hasattr(source, "columns"):  # a Series: values by time
        source = source.to_frame("total_value")
    has_times = type(index).__name__ in ("DatetimeIndex", "PeriodIndex")
    if has_times or index.name is not None:
        if type(index).__name__ == "PeriodIndex":
            source = source.set_axis(index.to_timestamp(), axis=0)
        name = index.name if index.name is not None else "ts"
        source = source.reset_index(names=name if name not in source.columns else "ts")
    source = source.set_axis([str(name) for name in source.columns], axis=1)
    return pyarrow.Table.from_pandas(source, preserve_index=False)


def _array(value: Any) -> Any:
    import pyarrow

    if hasattr(value, "__arrow_c_stream__"):
        return pyarrow.chunked_array(value)
    return pyarrow.array(value)


class Frame:
    """The columns of one table, each taken once by its meaning."""

    def __init__(self, source: Any, what: str) -> None:
        self.what = what
        self.table = to_arrow(source, what)
        self.rows = self.table.num_rows
        self._left: dict[str, int] = {}
        for place, name in enumerate(self.table.column_names):
            if name in self._left:
                raise InvalidArgument(f"{what} has two columns {name!r}")
            self._left[name] = place

    def take(self, names: Sequence[str]) -> tuple[str, Column] | None:
        """The one column that has one of `names`, and how it is called there."""
        wanted = {bare(name) for name in names}
        found = [name for name in self._left if bare(name) in wanted]
        if len(found) > 1:
            raise InvalidArgument(
                f"{self.what} has columns {' and '.join(map(repr, found))}, which mean the same; "
                "leave one of them"
            )
        if not found:
            return None
        return found[0], self.table.column(self._left.pop(found[0]))

    def require(self, names: Sequence[str]) -> tuple[str, Column]:
        found = self.take(names)
        if found is None:
            raise InvalidArgument(
                f"{self.what} has no column {names[0]!r} (also known as {', '.join(names[1:])}); "
                f"its columns are {', '.join(self.table.column_names) or 'none'}"
            )
        return found

    def rest(self) -> dict[str, Column]:
        """The columns that nothing took."""
        return {name: self.table.column(place) for name, place in self._left.items()}

    def fail(self, column: str, row: int, why: str) -> InvalidArgument:
        return InvalidArgument(f"{self.what}, column {column!r}, row {row}: {why}")

    def times(self, name: str, column: Column) -> list[int | None]:
        """Microseconds since 1970 UTC. Without a zone a time is UTC; ints are nanoseconds."""
        import pyarrow
        import pyarrow.compute as pc
        import pyarrow.types as types

        kind = column.type
        if types.is_dictionary(kind):
            return self.times(name, column.cast(kind.value_type))
        if types.is_timestamp(kind) and kind.unit == "ns":
            nanos: list[int | None] = column.cast(pyarrow.int64()).to_pylist()
        elif types.is_timestamp(kind) or types.is_date(kind):
            micros = pc.cast(column, pyarrow.timestamp("us", getattr(kind, "tz", None)))
            return self._in_range(name, micros.cast(pyarrow.int64()).to_pylist())
        elif types.is_integer(kind):
            nanos = column.to_pylist()
        else:
            nanos = [self._time_at(name, row, at) for row, at in enumerate(column.to_pylist())]
        for row, value in enumerate(nanos):
            if value is not None and value % 1000:
                raise self.fail(
                    name, row, "has nanoseconds; times are whole microseconds here, round them"
                )
        return self._in_range(name, [None if value is None else value // 1000 for value in nanos])

    def _time_at(self, name: str, row: int, at: Any) -> int | None:
        if at is None:
            return None
        try:
            return to_nanoseconds(at)
        except InvalidArgument as error:
            raise self.fail(name, row, str(error)) from error

    def _in_range(self, name: str, micros: list[int | None]) -> list[int | None]:
        for row, value in enumerate(micros):
            if value is None:
                continue
            year = 1970 + value / _MICROS_PER_YEAR
            if not _FIRST_YEAR <= year <= _LAST_YEAR:
                raise self.fail(
                    name, row, f"is in the year {year:.0f}; ints are nanoseconds since 1970"
                )
        return micros

    def numbers(self, name: str, column: Column) -> list[float | None]:
        """Doubles; NaN stays NaN."""
        import pyarrow
        import pyarrow.types as types

        kind = column.type
        if types.is_null(kind):
            return [None] * len(column)
        if not (types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind)):
            raise InvalidArgument(f"{self.what}, column {name!r} holds {kind}, not numbers")
        return column.cast(pyarrow.float64(), safe=False).to_pylist()

    def texts(self, name: str, column: Column) -> list[str | None]:
        """Texts; other values as they print."""
        values = column.to_pylist()
        return [None if value is None else str(value) for value in values]


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def iso(micros: int) -> str:
    """`2024-01-01T00:00:00+00:00`"""
    at = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)
    return at.isoformat()


def plain(value: Any, where: str) -> Any:
    """`value` as a document can hold it. Raises InvalidArgument naming the place."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InvalidArgument(f"{where}: key {key!r} is not text")
        return {key: plain(one, f"{where}.{key}") for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, f"{where}[{place}]") for place, one in enumerate(value)]
    if isinstance(value, set | frozenset):
        return sorted((plain(one, where) for one in value), key=repr)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta | Decimal | UUID):
        return str(value)
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return plain(value.tolist(), where)
    raise InvalidArgument(f"{where} is a {type(value).__name__}, which a backtest cannot hold")
