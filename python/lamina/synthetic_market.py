"""A made market of the size that the market-data design counts with: bars, features, latents.

Three years of 20 instruments are 374,400 bars: 156 weeks of 120 hours. The same seed gives the same
numbers. Nothing of it says anything about a real market.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy
    import pyarrow

HOURS_OF_A_WEEK = 120
HOURS = 156 * HOURS_OF_A_WEEK
_MONDAY = dt.datetime(2022, 1, 3, tzinfo=dt.UTC)
_CURRENCIES = ("EUR", "GBP", "AUD", "NZD", "USD", "CAD", "CHF", "JPY")


def instruments(count: int = 20) -> list[str]:
    """Names of currency pairs: EUR_GBP, EUR_AUD, …"""
    pairs = [
        f"{base}_{quote}" for at, base in enumerate(_CURRENCIES) for quote in _CURRENCIES[at + 1 :]
    ]
    return pairs[:count]


def stamps(hours: int = HOURS) -> numpy.ndarray:
    """Starts of hours from Monday to Friday (UTC), datetime64[us]."""
    import numpy

    place = numpy.arange(hours)
    week, hour = place // HOURS_OF_A_WEEK, place % HOURS_OF_A_WEEK
    start = numpy.datetime64(_MONDAY.replace(tzinfo=None), "us")
    return start + (week * 168 + hour).astype("timedelta64[h]")


def bars(count: int = 20, hours: int = HOURS, seed: int = 0) -> Iterator[tuple[str, pyarrow.Table]]:
    """(instrument, table) of each instrument: timestamp (UTC), open, high, low, close (prices of
    five decimals that hang together), volume (int64)."""
    import numpy
    import pyarrow

    at = pyarrow.array(stamps(hours), pyarrow.timestamp("us", "UTC"))
    for place, name in enumerate(instruments(count)):
        random = numpy.random.Generator(numpy.random.PCG64([seed, place]))
        points = numpy.cumsum(random.integers(-60, 61, hours + 1))
        ticks = 100_000 + points - min(int(points.min()), 0)
        first, last = ticks[:-1], ticks[1:]
        above, below = random.integers(0, 40, hours), random.integers(0, 40, hours)
        prices = {
            "open": first,
            "high": numpy.maximum(first, last) + above,
            "low": numpy.minimum(first, last) - below,
            "close": last,
        }
        columns: dict[str, Any] = {"timestamp": at}
        columns |= {one: pyarrow.array(value / 100_000) for one, value in prices.items()}
        columns["volume"] = pyarrow.array(random.integers(1, 20_000, hours))
        yield name, pyarrow.table(columns)


def wide(names: list[str], hours: int = HOURS, seed: int = 0) -> pyarrow.Table:
    """timestamp and a column of doubles for each name: features, or latents."""
    import numpy
    import pyarrow

    random = numpy.random.Generator(numpy.random.PCG64([seed, len(names)]))
    columns: dict[str, Any] = {
        "timestamp": pyarrow.array(stamps(hours), pyarrow.timestamp("us", "UTC"))
    }
    columns |= {name: pyarrow.array(random.standard_normal(hours)) for name in names}
    return pyarrow.table(columns)
