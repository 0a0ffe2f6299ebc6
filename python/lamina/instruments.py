"""Instruments: what is traded, over time."""

from __future__ import annotations

import dataclasses
import datetime as dt
import numbers
import operator
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._time import AsOf, from_nanoseconds, to_nanoseconds
from .calendar import Calendar
from .errors import InvalidArgument, NotFound
from .table import Table

if TYPE_CHECKING:
    from .store import Store


@dataclass(frozen=True)
class Instrument:
    """One row: an id and its symbol over a span of time. Times are UTC; `valid_to` is exclusive;
    None means always and for ever."""

    instrument_id: int
    symbol: str
    venue: str | None = None
    currency: str | None = None
    tick_size: float | None = None
    multiplier: float | None = None
    calendar: str | None = None
    trading_hours: str | None = None
    time_zone: str | None = None
    valid_from: dt.datetime | None = None
    valid_to: dt.datetime | None = None

    @classmethod
    def _of(cls, row: dict[str, Any]) -> Instrument:
        for name in ("valid_from", "valid_to"):
            if row[name] is not None:
                row[name] = from_nanoseconds(row[name] * 1000)
        return cls(**row)


@dataclass(frozen=True)
class AddedInstruments:
    """How many rows were added, were there already, took the place of another."""

    added: int
    unchanged: int
    replaced: int


_FIELDS = [field.name for field in dataclasses.fields(Instrument)]


def _row(instrument: Instrument | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(instrument, Instrument):
        row = dataclasses.asdict(instrument)
    else:
        row = dataclasses.asdict(Instrument(**instrument))
    row = {name: None if _is_missing(value) else value for name, value in row.items()}
    for name in ("valid_from", "valid_to"):
        if row[name] is not None:
            row[name] = to_nanoseconds(row[name]) // 1000
    row["instrument_id"] = _id(row["instrument_id"])
    for name, value in row.items():
        number = name in ("tick_size", "multiplier")
        if number and value is not None:
            if isinstance(value, bool) or not isinstance(value, numbers.Real):
                raise InvalidArgument(f"{name} of an instrument is {value!r}, not a number")
            row[name] = float(value)
        text = not number and name not in ("instrument_id", "valid_from", "valid_to")
        if text and not isinstance(value, str) and (value is not None or name == "symbol"):
            raise InvalidArgument(f"{name} of an instrument is {value!r}, not text")
    return row


def _is_missing(value: Any) -> bool:
    """NaN and NaT, which frames have in the place of None."""
    return (isinstance(value, float) and value != value) or type(value).__name__ == "NaTType"


def _id(value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InvalidArgument(f"the id of an instrument is {value!r}, not an int")
    number = operator.index(value)
    if not 0 <= number < 2**63:
        raise InvalidArgument(f"the id of an instrument is {number}, not from 0 to 2**63 - 1")
    return number


class Instruments:
    """`store.instruments`: ids and symbols. Thread-safe.

    A name is a symbol (`"AAPL"`, `"AAPL@XNAS"`), an id (`265598`, `"265598"`), or `"#265598"` when
    an id must not be taken for a symbol.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self,
        instruments: Instrument | Mapping[str, Any] | Iterable[Instrument | Mapping[str, Any]] = (),
        *,
        replace: bool = False,
        **fields: Any,
    ) -> AddedInstruments:
        """Add one instrument by its fields (`add(instrument_id=265598, symbol="AAPL")`), or several
        `Instrument`s or dicts; all or none, in one commit.

        A row that is there already is unchanged; with `replace` a row takes the place of the one
        with the same id and valid_from. Raises InvalidArgument (a field), AlreadyExists (overlaps
        in time with a row of the same id, or the same symbol and venue).
        """
        if fields:
            instruments = Instrument(**fields)
        if isinstance(instruments, (Instrument, Mapping)):
            instruments = [instruments]
        rows = [_row(one) for one in instruments]
        return AddedInstruments(*self._store._engine.add_instruments(rows, replace))

    def import_csv(
        self, path: str | os.PathLike[str], *, replace: bool = False
    ) -> AddedInstruments:
        """Add the rows of a CSV file whose header names fields of `Instrument`; all or none.

        Doing it again changes nothing. Raises InvalidArgument and AlreadyExists, naming file and
        line.
        """
        return AddedInstruments(*self._store._engine.import_instruments(path, replace))

    def get(self, name: str | int, at: Any = None) -> Instrument:
        """The instrument as valid at `at` (now unless given).

        Raises NotFound (unknown, or not valid then), InvalidArgument (it means several).
        """
        return Instrument._of(self._store._engine.get_instrument(*self._asked(name, at)))

    def calendar(self, name: str | int, at: Any = None) -> Calendar:
        """The instrument's calendar, its own trading hours put in. Raises NotFound without one."""
        found = self.get(name, at)
        if found.calendar is None:
            raise NotFound(f"instrument {found.instrument_id} {found.symbol} has no calendar")
        calendar = Calendar(found.calendar)
        if found.trading_hours is None:
            return calendar
        return calendar.with_trading_hours(found.trading_hours, found.time_zone)

    def list(self, *, snapshot: AsOf = None) -> Table:
        """Every row, by symbol, venue, id and time; columns are the fields of `Instrument`."""
        import pyarrow

        stamp = pyarrow.timestamp("us", "UTC")
        types = {
            "instrument_id": pyarrow.int64(),
            "tick_size": pyarrow.float64(),
            "multiplier": pyarrow.float64(),
            "valid_from": stamp,
            "valid_to": stamp,
        }
        rows = self._store._engine.list_instruments(self._store._snapshot_id(snapshot))
        schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in _FIELDS])
        return Table(pyarrow.Table.from_pylist(rows, schema=schema))

    @staticmethod
    def _asked(name: str | int, at: Any) -> tuple[str, int | None]:
        text = name if isinstance(name, str) else f"#{_id(name)}"
        return text, None if at is None else to_nanoseconds(at) // 1000
