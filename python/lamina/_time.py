"""Times and dates as Python spells them, and as the engine counts them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from . import _lamina
from .errors import InvalidArgument

#: A lake snapshot: its number, the name of a pin, a time; None: the latest.
AsOf = int | str | dt.datetime | None

_FINE = re.compile(r"(.*[.,]\d{6})(\d+)(\D?.*)")  # a fraction of a second of more than six digits
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()


def to_nanoseconds(at: Any) -> int:
    """Nanoseconds since 1970 UTC of a datetime, a date (its begin in UTC), an ISO 8601 text, a
    pandas or numpy stamp, or int nanoseconds. A time without a zone is UTC.
    Raises InvalidArgument."""
    nanos = _nanoseconds(at)
    if not -(2**63) <= nanos < 2**63:
        raise InvalidArgument(f"{at!r} is outside the years 1677 to 2262 that nanoseconds hold")
    return nanos


def _nanoseconds(at: Any) -> int:
    if isinstance(at, bool):
        raise InvalidArgument(f"{at!r} is not a time")
    if isinstance(at, int):
        return at
    if isinstance(at, str):
        return _nanoseconds_of_text(at)
    if type(at).__name__ == "NaTType":
        raise InvalidArgument("NaT is not a time")
    if isinstance(at, dt.datetime):
        if at.tzinfo is None:
            at = at.replace(tzinfo=dt.UTC)
        since = dt.datetime.__sub__(at, _EPOCH) if type(at) is dt.datetime else at - _EPOCH
        micros = since // dt.timedelta(microseconds=1)
        return micros * 1000 + getattr(at, "nanosecond", 0)
    if isinstance(at, dt.date):
        return to_day_number(at) * 86_400_000_000_000
    if type(at).__module__ == "numpy":
        if hasattr(at, "__index__"):
            return int(at)
        if hasattr(at, "astype"):
            return int(at.astype("datetime64[ns]").astype("int64"))
    raise InvalidArgument(f"{at!r} is not a time: a datetime, ISO 8601 text or int nanoseconds")


def _nanoseconds_of_text(text: str) -> int:
    # The standard library drops what is below a microsecond.
    fine = _FINE.fullmatch(text)
    whole, below = (fine[1] + fine[3], fine[2]) if fine else (text, "")
    try:
        at = dt.datetime.fromisoformat(whole)
    except ValueError as error:
        raise InvalidArgument(f"{text!r} is not an ISO 8601 time") from error
    if below[3:].strip("0"):
        raise InvalidArgument(f"{text!r} is finer than nanoseconds")
    return _nanoseconds(at) + int(below[:3].ljust(3, "0"))


def from_nanoseconds(at: int) -> dt.datetime:
    """As a datetime in UTC, whole microseconds."""
    return _EPOCH + dt.timedelta(microseconds=at // 1000)


def to_day_number(day: Any) -> int:
    """Days since 1970 of a date, a datetime (its date as written) or `YYYY-MM-DD`.
    Raises InvalidArgument."""
    if isinstance(day, str):
        try:
            day = dt.date.fromisoformat(day)
        except ValueError as error:
            raise InvalidArgument(f"{day!r} is not a date (YYYY-MM-DD)") from error
    if isinstance(day, dt.date):  # a datetime is one, too
        return day.toordinal() - _EPOCH_DAY
    if type(day).__module__ == "numpy" and hasattr(day, "astype"):
        return int(day.astype("datetime64[D]").astype("int64"))
    raise InvalidArgument(f"{day!r} is not a date: a date, or YYYY-MM-DD")


def from_day_number(day: int) -> dt.date:
    return dt.date.fromordinal(day + _EPOCH_DAY)


def as_of_text(at: int | str | dt.datetime) -> str:
    """A snapshot as the engine resolves it."""
    if isinstance(at, dt.datetime):
        if at.tzinfo is None:
            at = at.replace(tzinfo=dt.UTC)
        return at.astimezone(dt.UTC).isoformat()
    if isinstance(at, bool) or not isinstance(at, (int, str)):
        raise InvalidArgument(f"{at!r} is not a snapshot: a number, the name of a pin, or a time")
    return str(at)


def to_microseconds(span: str | dt.timedelta) -> int:
    """Microseconds of a timedelta, or of a text such as "7d" or "1h30m"."""
    if isinstance(span, dt.timedelta):
        return span // dt.timedelta(microseconds=1)
    return _lamina.duration_us(span)
