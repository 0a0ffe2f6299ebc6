"""Bars, as-of and window joins, merges and rolling statistics over sorted columns.

Input is anything with `__arrow_c_stream__` (tables and frames of pyarrow, polars, pandas, duckdb, a
`lamina.Table`) or a dict of arrays, sorted by time; unsorted rows raise `lamina.InvalidArgument`,
which names the first one. A time column is int64 (UTC nanoseconds) or an Arrow timestamp of any
unit, with a zone or without (then UTC). It is found under the names ts_ns, timestamp, ts_event, ts,
time, datetime or date, in this order, unless it is named. NULL and NaN are the same: no value.
The calls work without the GIL and give the same bits for the same rows, however they are batched.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from . import _lamina
from .calendar import Calendar
from .errors import InvalidArgument
from .table import Table

__all__ = [
    "asof",
    "merge",
    "resample",
    "rolling",
    "running_vwap",
    "volume_profile",
    "window_join",
]


def _source(data: Any) -> Any:
    if isinstance(data, Mapping):
        import pyarrow

        return pyarrow.table(dict(data))
    return data


def _names(names: str | Iterable[str] | None) -> list[str]:
    if names is None:
        return []
    return [names] if isinstance(names, str) else list(names)


def _nanos(span: str | int | timedelta) -> int:
    if isinstance(span, str):
        return -_lamina.parse_span(span[1:]) if span.startswith("-") else _lamina.parse_span(span)
    if isinstance(span, timedelta):
        micros = (span.days * 86400 + span.seconds) * 1_000_000 + span.microseconds
        return micros * 1000 + getattr(span, "nanoseconds", 0)
    if type(span).__name__ == "timedelta64":
        return int(span.astype("timedelta64[ns]").astype("int64"))
    if isinstance(span, bool) or not hasattr(span, "__index__"):
        raise InvalidArgument(
            f"{span!r} is not a span of time: text (`250ms`), a timedelta or int nanoseconds"
        )
    nanos = operator.index(span)
    if not -(2**63) <= nanos < 2**63:
        raise InvalidArgument(f"{span!r} is longer than the 292 years that nanoseconds hold")
    return nanos


def _calendar(calendar: str | Calendar | None) -> Any:
    if isinstance(calendar, Calendar):
        return calendar._native
    if calendar == "":
        raise InvalidArgument("an empty text is no calendar; None means none")
    return calendar or ""


def resample(
    data: Any,
    rule: str,
    *,
    kind: Literal["trades", "quotes", "bars"] | None = None,
    time: str | None = None,
    price: str | None = None,
    size: str | None = None,
    bid: str | None = None,
    ask: str | None = None,
    by: str | Sequence[str] | None = None,
    calendar: str | Calendar | None = None,
    session: str | None = None,
    zone: str | None = None,
    label: Literal["left", "right"] = "left",
    fill: Literal["none", "previous", "null"] | None = None,
    keep_partial: bool = True,
) -> Table:
    """Bars of trades, of quotes (of their mid) or of finer bars.

    rule: `<n>s`, `<n>m`, `<n>h`, `<n>d`, `<n>w`, `<n>month`: bars of time; `<n>tick`: of n rows;
      `<n>vol`: each ends with the row that brings its volume to n; `<n>usd` (eur, gbp, …,
      notional): the same with price * size.
    kind: by default what the columns are: open, high, low, close: bars; price: trades; bid_price
      (or bid) and ask_price (or ask): quotes.
    by: columns (`contract_id`) whose every value has bars of its own.
    calendar, session: only rows within the sessions count (default `regular`) of a calendar by name
      or of a `lamina.Calendar` (`store.instruments.calendar("AAPL")`); bars of time begin
      with the session and end with it at the latest; bars of days and longer hold whole trading
      days (`session="overnight"` is the whole trading day). zone: the calendar's clock in another
      zone; a zone alone means days from midnight to midnight there, on both DST days too.
      Without any of them bars begin at whole multiples since 1970-01-01 UTC; weeks on Mondays.
    label: `timestamp` is the begin of the bar or its end; for bars of rows the first or last row.
    fill: what stands for a bar without rows: nothing, the last close, or NULL.
    keep_partial: also a last bar of rows that is not full.

    RETURNS columns: those of `by`, `timestamp` (timestamp[ns, UTC]), open, high, low, close,
    volume, vwap (NULL when volume is 0; both are absent when the input has no sizes), n_ticks; of
    quotes: open … close of the mid, n_ticks, bid_close, ask_close, spread_mean (over rows) and
    spread_time_weighted (each spread until the next row, the last until the end of the bar).
    Rows whose price is NaN or NULL belong to no bar; a size of NaN counts as 0.
    RAISES lamina.InvalidArgument: unknown rule, column, calendar, session or zone (the message
    lists the known ones), unsorted rows, a negative size. Reads batch by batch in bounded memory.
    """
    native = _lamina.resample(
        _source(data),
        rule,
        kind or "",
        time or "",
        price or "",
        size or "",
        bid or "",
        ask or "",
        _names(by),
        _calendar(calendar),
        session or "",
        zone or "",
        label,
        fill or "",
        keep_partial,
    )
    return Table(native)


def asof(
    left: Any,
    right: Any,
    *,
    by: str | Sequence[str] | None = None,
    direction: Literal["backward", "forward", "nearest"] = "backward",
    tolerance: str | int | timedelta | None = None,
    allow_exact_matches: bool = True,
    columns: Sequence[str] | None = None,
    tick_order: bool = True,
    left_time: str | None = None,
    right_time: str | None = None,
) -> Table:
    """Each left row with the row of `right` that was in force: `asof(trades, quotes)`.

    direction: the last row at or before, the first at or after, or the nearer of the two (the
      backward one when both are as near).
    tolerance: a match is at most so far away: `250ms`, a timedelta, or nanoseconds.
    allow_exact_matches: False: rows with the same stamp do not match.
    by: columns that must be equal on both sides.
    columns: of `right`; by default all but time, order and `by` columns.
    tick_order: rows of one stamp are ordered by recv_ns, writer, seq where both sides have them, so
      that with stamps of whole seconds no trade meets a quote received after it.

    RETURNS the left rows and columns unchanged, with those of `right` behind them (`_right` is put
    behind names that the left side has); NULL where nothing matches.
    RAISES lamina.InvalidArgument: unsorted rows (naming side and row), unknown columns.
    """
    native = _lamina.asof(
        _source(left),
        _source(right),
        _names(by),
        direction,
        None if tolerance is None else _nanos(tolerance),
        allow_exact_matches,
        _names(columns),
        tick_order,
        left_time or "",
        right_time or "",
    )
    return Table(native)


def window_join(
    left: Any,
    right: Any,
    window: tuple[str | int | timedelta, str | int | timedelta],
    aggregates: Mapping[str, tuple[str, str]],
    *,
    by: str | Sequence[str] | None = None,
    closed: Literal["both", "left", "right", "neither"] = "both",
    left_time: str | None = None,
    right_time: str | None = None,
) -> Table:
    """Each left row with statistics over the rows of `right` in a window of time around it.

    window: from and to, relative to the left row: `("-1s", "0s")`.
    aggregates: new column -> (column of `right`, statistic): mean, std, var (n - 1), min, max, sum,
      count, first, last. The columns `spread` and `mid` are made from bid and ask when absent:
      `{"spread": ("spread", "mean")}`.
    closed: whether the ends of the window belong to it.

    RETURNS the left rows and columns with the new ones behind them: doubles, NULL where the window
    holds no value (the sum of none is 0); counts are int64.
    RAISES lamina.InvalidArgument: unsorted rows (naming side and row), unknown columns, statistics.
    """
    if closed not in ("both", "left", "right", "neither"):
        raise InvalidArgument(f"unknown closed `{closed}`; known: both, left, right, neither")
    begin, end = window
    native = _lamina.window_join(
        _source(left),
        _source(right),
        [(name, column, stat) for name, (column, stat) in aggregates.items()],
        _nanos(begin),
        _nanos(end),
        closed in ("both", "left"),
        closed in ("both", "right"),
        _names(by),
        left_time or "",
        right_time or "",
    )
    return Table(native)


def merge(tables: Iterable[Any], *, time: str | None = None) -> Table:
    """All rows of sorted tables in the tick order.

    The order is (time, recv_ns, writer, seq), of these what every table has; equal rows come in the
    order of the tables. Columns are those of all tables; where a table lacks one it is NULL.
    RAISES lamina.InvalidArgument: an unsorted table (naming table and row), types that differ.
    """
    return Table(_lamina.merge([_source(table) for table in tables], time or ""))


def rolling(
    data: Any,
    window: str,
    columns: str | Sequence[str],
    stats: str | Sequence[str] = "mean",
    *,
    by: str | Sequence[str] | None = None,
    time: str | None = None,
    min_values: int = 1,
) -> Table:
    """Statistics over the rows up to each row.

    window: `20tick`: the row and the 19 before it; `5m` (`ms`, `s`, `h`, `d`, `w`): the rows up to
      this one whose stamps lie in (t - 5m, t].
    stats: mean, std, var (n - 1), min, max, sum, count, first, last.
    by: windows hold rows of one value of these columns.
    min_values: fewer values in the window give NULL.

    RETURNS all rows and columns with `<column>_<stat>` behind them. No error adds up along the
    rows: every window is summed from aligned blocks, never by adding and taking away.
    RAISES lamina.InvalidArgument: unsorted rows, unknown columns, statistics or windows.
    """
    native = _lamina.rolling(
        _source(data), window, _names(columns), _names(stats), time or "", _names(by), min_values
    )
    return Table(native)


def running_vwap(
    data: Any,
    *,
    time: str | None = None,
    price: str | None = None,
    size: str | None = None,
    calendar: str | Calendar | None = None,
    session: str | None = None,
    zone: str | None = None,
) -> Table:
    """Trades with a column `vwap`: sum of price * size over sum of size up to each row.

    With a calendar (or a zone: days there) it begins anew with each trading day; rows outside the
    sessions have NULL and do not count.
    """
    native = _lamina.running_vwap(
        _source(data),
        time or "",
        price or "",
        size or "",
        _calendar(calendar),
        session or "",
        zone or "",
    )
    return Table(native)


def volume_profile(
    data: Any, width: float, *, price: str | None = None, size: str | None = None
) -> Table:
    """Volume by price: columns price (of the lower end), volume, n_ticks, in the order of prices.

    A level holds prices from k * width up to (k + 1) * width; a price within a billionth of a
    boundary is on it. Rows need not be sorted.
    """
    return Table(_lamina.volume_profile(_source(data), width, price or "", size or ""))
