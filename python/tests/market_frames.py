"""Frames of bars that several tests save."""

import numpy
import pandas


def hourly_bars(start: str, count: int, close: float = 1.0) -> pandas.DataFrame:
    """`count` bars from `start` (UTC) on, each an eighth above the one before."""
    closes = close + numpy.arange(count) / 8
    return pandas.DataFrame(
        {
            "timestamp": pandas.date_range(start, periods=count, freq="h", tz="UTC"),
            "open": closes,
            "high": closes + 0.5,
            "low": closes - 0.5,
            "close": closes,
            "volume": numpy.arange(count),
        }
    )
