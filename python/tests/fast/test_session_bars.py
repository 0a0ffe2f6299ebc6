"""Bars of random ticks around clock changes, holidays, early closes and year ends, against a plain
grouping by pandas. The session times are those of `calendar.sessions`, which test_calendar_judge
holds against another library day by day."""

import datetime as dt

import numpy
import pandas
import pytest

import lamina

CALENDARS = {info["name"] for info in lamina.calendars()}
# Days whose weeks have something in them: both clock changes of America, Europe and none of Asia;
# holidays; early closes; years' ends; a leap day.
WEEKS = [
    dt.date(2024, 3, 10),
    dt.date(2024, 11, 3),
    dt.date(2024, 3, 31),
    dt.date(2024, 10, 27),
    dt.date(2023, 11, 23),
    dt.date(2023, 12, 25),
    dt.date(2022, 12, 31),
    dt.date(2024, 2, 29),
    dt.date(2025, 1, 9),
]
RULES = {"7m": 7 * 60, "90m": 5400, "11h": 39600}
TICKS = 1000


def ticks_around(day, random):
    """Stamps of a week around `day` in ns, some on whole hours (the edges of sessions) and some
    twice, with prices on a grid and sizes that are whole, so that sums are exact."""
    first = int(pandas.Timestamp(day - dt.timedelta(days=3), tz="UTC").value)
    span = 7 * 86400
    seconds = random.integers(0, span, TICKS)
    seconds[: TICKS // 4] = seconds[: TICKS // 4] // 1800 * 1800
    nanos = numpy.sort(first + seconds * 1_000_000_000)
    nanos[1::50] -= 1  # just before
    nanos = numpy.sort(nanos)
    price = 100 + random.integers(-400, 400, TICKS) / 4
    return pandas.DataFrame(
        {"ts_ns": nanos, "price": price, "size": random.integers(0, 9, TICKS).astype(float)}
    )


def sessions_of(name, day):
    """(trading day, open, close) in ns of the two weeks around `day`."""
    wide = dt.timedelta(days=7)
    rows = lamina.calendar(name).sessions(day - wide, day + wide).to_pandas()
    return [
        (row.trading_day, pandas.Timestamp(row.open).value, pandas.Timestamp(row.close).value)
        for row in rows.itertuples()
    ]


def expected(ticks, groups):
    """Bars of the rows whose group is not None, labelled with it."""
    kept = ticks.assign(begin=groups, money=ticks["price"] * ticks["size"]).dropna(subset="begin")
    bars = kept.groupby("begin", sort=True).agg(
        open=("price", "first"),
        high=("price", "max"),
        low=("price", "min"),
        close=("price", "last"),
        volume=("size", "sum"),
        money=("money", "sum"),
        n_ticks=("price", "size"),
    )
    return [
        bar | {"vwap": money / bar["volume"] if bar["volume"] else None}
        for bar in bars.reset_index().to_dict("records")
        for money in [bar.pop("money")]
    ]


def ours(ticks, rule, **options):
    rows = lamina.resample(ticks, rule, **options).to_arrow().to_pylist()
    for row in rows:
        row["begin"] = row.pop("timestamp").value
    return rows


def in_session(stamp, sessions):
    for session in sessions:
        if session[1] <= stamp < session[2]:
            return session
    return None


@pytest.mark.parametrize("name", sorted(CALENDARS))
def test_bars_of_time_begin_with_their_session(name):
    random = numpy.random.default_rng(20240310)
    for day in WEEKS:
        ticks = ticks_around(day, random)
        sessions = sessions_of(name, day)
        found = [in_session(stamp, sessions) for stamp in ticks["ts_ns"]]
        for rule, seconds in RULES.items():
            width = seconds * 1_000_000_000
            begins = []
            for stamp, session in zip(ticks["ts_ns"], found, strict=True):
                begins.append(session and session[1] + (stamp - session[1]) // width * width)
            want = expected(ticks, pandas.array(begins, dtype="Int64"))
            assert ours(ticks, rule, calendar=name) == want, (name, day, rule)


@pytest.mark.parametrize("name", sorted(CALENDARS))
def test_bars_of_days_hold_trading_days(name):
    random = numpy.random.default_rng(20241103)
    for day in WEEKS:
        ticks = ticks_around(day, random)
        sessions = sessions_of(name, day)
        opens = {}
        for trading_day, begin, _ in sessions:
            opens.setdefault(trading_day, begin)
        found = [in_session(stamp, sessions) for stamp in ticks["ts_ns"]]
        begins = [None if one is None else opens[one[0]] for one in found]
        want = expected(ticks, pandas.array(begins, dtype="Int64"))
        assert ours(ticks, "1d", calendar=name) == want, (name, day)


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Australia/Lord_Howe"])
def test_days_of_a_zone_have_23_24_or_25_hours(zone):
    random = numpy.random.default_rng(20241027)
    for day in [*WEEKS, dt.date(2024, 4, 7), dt.date(2024, 10, 6)]:
        ticks = ticks_around(day, random)
        local = pandas.to_datetime(ticks["ts_ns"], utc=True).dt.tz_convert(zone)
        midnights = local.dt.normalize().dt.tz_convert("UTC")
        begins = [pandas.Timestamp(one).value for one in midnights]
        want = expected(ticks, pandas.array(begins, dtype="Int64"))
        assert ours(ticks, "1d", zone=zone) == want, (zone, day)
