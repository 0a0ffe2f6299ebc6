"""Calendars: when a market is open."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from . import _lamina
from ._time import from_day_number, from_nanoseconds, to_day_number, to_nanoseconds
from .table import Table


class Session(NamedTuple):
    """One session: its trading day, and first open and last close in UTC."""

    trading_day: dt.date
    start: dt.datetime
    end: dt.datetime


def _session(found: tuple[int, int, int]) -> Session:
    return Session(
        from_day_number(found[0]), from_nanoseconds(found[1]), from_nanoseconds(found[2])
    )


class Calendar:
    """When a market is open, 2000-01-01 to 2030-12-31. Immutable, thread-safe.

    `name` is an ISO MIC code where there is one (`XNYS`, `XLON`), or a usual name (`NYSE`,
    `CME_Equity`, `FOREX`, `24/7`). Times given are datetimes, ISO 8601 texts or int nanoseconds,
    UTC unless they say otherwise; times returned are datetimes in UTC. Everywhere `session` is
    `regular` unless given; `info["sessions"]` lists those of a calendar. Rules:
    docs/guide/calendars.md.

    Raises InvalidArgument for a name, session, day or time that the calendar does not know, saying
    which ones it does.
    """

    __slots__ = ("_changes", "_native")

    def __init__(self, name: str) -> None:
        self._native = _lamina.NativeCalendar(name)
        self._changes: tuple[tuple[str, ...], ...] = ()

    def _changed(self, *change: str) -> Calendar:
        """With one more change: a method of the engine and its arguments."""
        calendar = object.__new__(Calendar)
        calendar._native = getattr(self._native, change[0])(*change[1:])
        calendar._changes = (*self._changes, change)
        return calendar

    @property
    def info(self) -> dict[str, Any]:
        """Name, title, zone, version, source, aliases, sessions, first and last day."""
        return self._native.info()

    @property
    def name(self) -> str:
        return str(self.info["name"])

    @property
    def zone(self) -> str:
        """The IANA time zone of its wall clock."""
        return str(self.info["zone"])

    def session_boundaries(
        self, date: dt.date | str, session: str = "regular"
    ) -> tuple[dt.datetime, dt.datetime]:
        """First open and last close of trading day `date`, in UTC; the close is exclusive.

        `date` is a date or `YYYY-MM-DD`. A datetime with a zone means its date in the zone of the
        calendar, one without its date as written. Raises NotFound on a closed day.
        """
        return _session(self._native.session_boundaries(self._day(date), session))[1:]

    def is_trading_day(self, date: dt.date | str, session: str = "regular") -> bool:
        return self._native.is_trading_day(self._day(date), session)

    def sessions(
        self, first: dt.date | str, last: dt.date | str, session: str = "regular"
    ) -> Table:
        """Every open interval of the trading days `first` to `last`, both included.

        Columns trading_day (date), open, close (UTC, `[open, close)`); a day with a break has two
        rows, a closed day none.
        """
        return Table(self._native.sessions(self._day(first), self._day(last), session))

    def is_open(self, at: Any, session: str = "regular") -> bool:
        """Whether `at` lies in `[open, close)`; false in a break."""
        return self._native.is_open(to_nanoseconds(at), session)

    def next_open(self, at: Any, session: str = "regular") -> dt.datetime:
        """The first opening after `at`, be it after a night or a break. Raises NotFound."""
        return from_nanoseconds(self._native.next_open(to_nanoseconds(at), session))

    def current_session(self, at: Any = None, session: str = "regular") -> Session:
        """The session that began last at or before `at` (now unless given): the running one, or,
        when the market is closed, the one that ended last; `is_open` tells which."""
        return _session(self._native.current_session(self._time(at), session))

    def previous_session(self, at: Any = None, session: str = "regular") -> Session:
        """The session before `current_session`."""
        return _session(self._native.previous_session(self._time(at), session))

    def trading_day(self, at: Any) -> dt.date:
        """The trading day that `at` belongs to; on a closed day the next one."""
        return from_day_number(self._native.trading_day(to_nanoseconds(at)))

    def in_zone(self, zone: str) -> Calendar:
        """The same trading days and wall clock times in another time zone."""
        return self._changed("in_zone", zone)

    def with_trading_hours(self, hours: str, zone: str | None = None) -> Calendar:
        """The calendar with some days replaced, by trading hours as Interactive Brokers spells
        them (`20250110:0930-20250110:1600;20250111:CLOSED`, or the older
        `20250110:0930-1600`), in `zone` (the calendar's unless given)."""
        return self._changed("with_trading_hours", hours, zone or "")

    def _day(self, date: Any) -> int:
        if isinstance(date, dt.datetime) and date.tzinfo is not None:
            return self._native.local_day(to_nanoseconds(date))
        return to_day_number(date)

    @staticmethod
    def _time(at: Any) -> int:
        return to_nanoseconds(dt.datetime.now(dt.UTC) if at is None else at)

    def __repr__(self) -> str:
        return f"lamina.calendar({self.name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (self.name, self._changes)


def _made_again(name: str, changes: tuple[tuple[str, ...], ...]) -> Calendar:
    calendar = Calendar(name)
    for change in changes:
        calendar = calendar._changed(*change)
    return calendar


def calendar(name: str) -> Calendar:
    """The calendar of that name; see `Calendar`. Raises InvalidArgument, listing the known ones."""
    return Calendar(name)


def calendars() -> list[dict[str, Any]]:
    """Every calendar: name, title, zone, version, source, aliases, sessions, first, last."""
    return _lamina.calendars()
