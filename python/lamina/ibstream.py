"""Names of the IB-Stream storage design over the engine."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

from .calendar import Calendar, Session

_EASTERN = "US/Eastern"


@functools.lru_cache(maxsize=64)
def _calendar(name: str, timezone: str | None) -> Calendar:
    calendar = Calendar(name)
    return calendar if timezone is None else calendar.in_zone(timezone)


class MarketSessions:
    """Helper for common market session queries. Answers are pairs of UTC datetimes, the end
    exclusive. Days off, early closes and both clock changes are those of `calendar`.

    Where the design was silent or wrong: an unknown session raises InvalidArgument and never means
    regular; `overnight` is the whole day to the next midnight; a day without the session raises
    NotFound; the current session is the one that began last, so on Monday 08:00 it is Friday's, and
    after the close today's until the next open.
    """

    @staticmethod
    def get_session_boundaries(
        date: dt.date | str,
        session_type: str = "regular",
        timezone: str = _EASTERN,
        *,
        calendar: str = "XNYS",
    ) -> tuple[dt.datetime, dt.datetime]:
        """Start and end of a session (`regular`, `extended`, `overnight`, `pre_market`,
        `after_hours`, or another of the calendar) on `date`.

        A datetime with a zone means its date in `timezone`; a date, a text or a datetime without a
        zone means that date. `timezone` is where the wall clock of the session hangs.
        """
        return _calendar(calendar, timezone).session_boundaries(date, session_type)

    @staticmethod
    def get_current_session(
        session_type: str = "regular",
        timezone: str | None = None,
        *,
        calendar: str = "XNYS",
        now: Any = None,
    ) -> tuple[dt.datetime, dt.datetime]:
        """The session that began last: before 09:30 in New York the previous trading day's."""
        found: Session = _calendar(calendar, timezone).current_session(now, session_type)
        return found.start, found.end

    @staticmethod
    def get_previous_session(
        session_type: str = "regular",
        timezone: str | None = None,
        *,
        calendar: str = "XNYS",
        now: Any = None,
    ) -> tuple[dt.datetime, dt.datetime]:
        """The session before the current one."""
        found: Session = _calendar(calendar, timezone).previous_session(now, session_type)
        return found.start, found.end
