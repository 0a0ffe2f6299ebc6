"""Quality of stored bars: what cannot be true, what is absent and why, how series line up."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .calendar import Calendar
from .errors import InvalidArgument

if TYPE_CHECKING:
    from .store import Store

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
#: Days on which spot markets rest (month, day); the calendar FOREX is a rule and has no holidays.
_REST_DAYS = {(12, 25), (1, 1)}


@dataclass(frozen=True)
class Gap:
    """Bars that are absent between two stored ones: `[start, end)`, UTC.

    `kind`: `weekend` and `dst` (a weekend in which clocks changed): the market was closed all the
    time; `holiday`: closed on a weekday by the calendar; of FOREX on 25 December or 1 January;
    `late_open`, `early_close`: at most two bars at the edge of a closed time; `quiet`: one bar
    alone, in which no price came (sources leave such bars out); `missing`: the market was open.
    `missing` counts the bars that an open market would have had.
    """

    start: dt.datetime
    end: dt.datetime
    kind: str
    missing: int


@dataclass(frozen=True)
class BarQuality:
    """Of one series. `state`: MISSING (no rows), ERROR (a bar cannot be true), INCOMPLETE (more
    than the allowed ratio is missing, or the series ends in the middle of a bar), COMPLETE."""

    instrument: str
    timeframe: str
    state: str
    rows: int
    first: dt.datetime | None = None
    last: dt.datetime | None = None
    problems: list[tuple[dt.datetime, str]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    missing: int = 0  # bars of gaps of kind `missing`
    incomplete: int = 0
    coverage: dict[str, float] = field(default_factory=dict)  # share of rows with a value

    @property
    def gap_kinds(self) -> dict[str, int]:
        """How many gaps there are of each kind."""
        return dict(Counter(gap.kind for gap in self.gaps))


def check_bars(
    store: Store,
    instruments: Any = None,
    *,
    timeframe: str = "1h",
    calendar: str | Calendar = "24/7",
    start: Any = None,
    end: Any = None,
    dataset: str = "ohlcv",
    max_missing_ratio: float = 0.05,
    max_move: float = 0.5,
) -> list[BarQuality]:
    """Check stored bars, series by series. A bar cannot be true when low <= open, close <= high
    does not hold, a price is not a positive number, volume is negative, or the close moved by more
    than `max_move` since the bar before. Gaps are held against the calendar's sessions (`FOREX`
    for spot currencies): what a closed market did not trade is not missing. An instrument that
    has no bars is MISSING."""
    match = re.fullmatch(r"(\d+)([smhd])", timeframe)
    if match is None:
        raise InvalidArgument(f"{timeframe!r} is no timeframe that bars can be counted by")
    step = int(match[1]) * _UNITS[match[2]] * 1_000_000
    hours = calendar if isinstance(calendar, Calendar) else Calendar(calendar)
    table = store.bars.load(instruments, start, end, timeframe=timeframe, dataset=dataset)
    frame = table.to_pandas()
    groups = {str(name): group for name, group in frame.groupby("instrument", sort=True)}
    if instruments is not None:
        named = [instruments] if isinstance(instruments, str | int) else list(instruments)
        for name in named:
            groups.setdefault(str(name), frame.iloc[:0])
    return [
        _check(name, timeframe, groups[name], step, hours, max_missing_ratio, max_move)
        for name in sorted(groups)
    ]


def _check(
    name: str,
    timeframe: str,
    bars: Any,
    step: int,
    calendar: Calendar,
    max_missing_ratio: float,
    max_move: float,
) -> BarQuality:
    import numpy

    if len(bars) == 0:
        return BarQuality(name, timeframe, "MISSING", 0)
    stamps = bars["timestamp"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    problems = []
    low, high, close = (bars[one].to_numpy() for one in ("low", "high", "close"))
    prices = bars[["open", "high", "low", "close"]].to_numpy()
    with numpy.errstate(invalid="ignore", divide="ignore"):
        moved = numpy.abs(close[1:] / close[:-1] - 1) > max_move
        wrong = {
            "a price is not a positive number": ~(numpy.isfinite(prices) & (prices > 0)).all(1),
            "low is above open or close": low > prices[:, [0, 3]].min(1),
            "high is below open or close": high < prices[:, [0, 3]].max(1),
            "volume is negative": bars["volume"].fillna(0).to_numpy() < 0,
            f"the close moved by more than {max_move:.0%}": numpy.append([False], moved),
        }
    for what, rows in wrong.items():
        problems += [(_at(stamps[row]), what) for row in numpy.flatnonzero(rows)]
    gaps = _gaps(stamps, step, calendar)
    missing = sum(gap.missing for gap in gaps if gap.kind == "missing")
    incomplete = int((bars["complete"] == False).sum())  # noqa: E712  (NULL is complete)
    state = "COMPLETE"
    if problems:
        state = "ERROR"
    elif missing > max_missing_ratio * (len(bars) + missing) or incomplete > 1:
        state = "INCOMPLETE"
    columns = [one for one in bars.columns if one not in ("year", "month")]
    return BarQuality(
        name,
        timeframe,
        state,
        len(bars),
        _at(stamps[0]),
        _at(stamps[-1]),
        sorted(problems),
        gaps,
        missing,
        incomplete,
        {one: float(bars[one].notna().mean()) for one in columns},
    )


def _gaps(stamps: Any, step: int, calendar: Calendar) -> list[Gap]:
    import numpy

    places = numpy.flatnonzero(numpy.diff(stamps) > step)
    if len(places) == 0:
        return []
    first, last = (_at(stamps[place]).date() for place in (0, -1))
    day = dt.timedelta(days=1)
    sessions = calendar.sessions(first - 4 * day, last + 4 * day).to_pandas()
    opens, closes = (
        sessions[one].astype("datetime64[us, UTC]").astype("int64").to_numpy()
        for one in ("open", "close")
    )
    gaps = []
    for place in places:
        begin, end = int(stamps[place]) + step, int(stamps[place + 1])
        absent = numpy.arange(begin, end, step)
        session = numpy.searchsorted(opens, absent, side="right") - 1
        is_open = (session >= 0) & (absent < closes[numpy.maximum(session, 0)])
        kind = _kind(begin, end, absent, is_open, calendar)
        gaps.append(Gap(_at(begin), _at(end), kind, int(is_open.sum())))
    return gaps


def _kind(begin: int, end: int, absent: Any, is_open: Any, calendar: Calendar) -> str:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(calendar.zone)
    here = [_at(at).astimezone(zone) for at in (begin, end)]
    offsets = {one.utcoffset() for one in here}
    if not is_open.any():
        days = {_at(at).astimezone(zone).weekday() for at in absent}
        if 5 not in days:
            return "holiday"
        return "dst" if len(offsets) > 1 else "weekend"
    # The trading day of an evening is the next one.
    local = [_at(at).astimezone(zone) for at in absent[is_open]]
    days = {(one.month, one.day) for one in local}
    days |= {(one.month, one.day) for one in (at + dt.timedelta(hours=7) for at in local)}
    if calendar.info["name"] == "FOREX" and days & _REST_DAYS:
        return "holiday"
    count = int(is_open.sum())
    if count <= 2 and not is_open[0]:
        return "late_open"
    if count <= 2 and not is_open[-1]:
        return "early_close"
    return "quiet" if count == 1 else "missing"


def align_bars(
    store: Store,
    instruments: Any = None,
    *,
    timeframe: str = "1h",
    start: Any = None,
    end: Any = None,
    dataset: str = "ohlcv",
) -> dict[str, Any]:
    """How series line up in time: `instruments`, `union` and `common` stamps, the spread of first
    and of last stamps (timedelta), and `absent`: stamps of the union that each lacks."""
    table = store.bars.load(
        instruments,
        start,
        end,
        timeframe=timeframe,
        dataset=dataset,
        columns=["timestamp", "instrument"],
    )
    frame = table.to_pandas()
    counts = frame.groupby("instrument")["timestamp"].agg(["min", "max", "count"])
    seen = frame.groupby("timestamp").size()
    union = len(seen)
    return {
        "instruments": len(counts),
        "union": union,
        "common": int((seen == len(counts)).sum()),
        "first_spread": counts["min"].max() - counts["min"].min() if union else dt.timedelta(),
        "last_spread": counts["max"].max() - counts["max"].min() if union else dt.timedelta(),
        "absent": {str(name): union - int(count) for name, count in counts["count"].items()},
    }


def _at(micros: Any) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=int(micros))
