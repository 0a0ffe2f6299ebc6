"""Every day 2000-2030 of every calendar, against the library that it was not made from; every
time zone against Python's zoneinfo. What the libraries see differently, and why, is in
calendar_disagreements.csv; a disagreement that is not there fails, and so does a row that
disagrees no more."""

import csv
import datetime as dt
import importlib.resources
import random
import warnings
import zoneinfo
from collections import Counter
from pathlib import Path

import exchange_calendars
import pandas
import pandas_market_calendars
import pytest

import lamina
from lamina import _lamina

FIRST, LAST = dt.date(2000, 1, 1), dt.date(2030, 12, 31)
JUDGES = {
    "XNYS": ("pandas_market_calendars", "NYSE"),
    "CMES": ("exchange_calendars", "CMES"),
    "FOREX": ("pandas_market_calendars", "FOREX"),
    "24/7": ("exchange_calendars", "24/7"),
    "XLON": ("pandas_market_calendars", "LSE"),
    "XEUR": ("pandas_market_calendars", "EUREX"),
    "XTKS": ("pandas_market_calendars", "JPX"),
    "XHKG": ("pandas_market_calendars", "HKEX"),
    "IEPA": ("pandas_market_calendars", "ICE"),
}


def judge_days(library, name):
    """(open, close) pairs in UTC by day, a break giving two."""
    if library == "exchange_calendars":
        calendar = exchange_calendars.get_calendar(name, start=str(FIRST), end=str(LAST))
        schedule, columns = calendar.schedule, ("open", "break_start", "break_end", "close")
    else:
        calendar = pandas_market_calendars.get_calendar(name)
        schedule = calendar.schedule(str(FIRST), str(LAST))
        columns = ("market_open", "break_start", "break_end", "market_close")
    days = {}
    for day, row in schedule.iterrows():
        at = [row[c].to_pydatetime() for c in columns if c in row and not pandas.isna(row[c])]
        pairs = zip(at[::2], at[1::2], strict=True)
        days[day.date()] = [(begin, end) for begin, end in pairs if begin < end]
    return days


def our_days(calendar):
    days = {}
    for row in calendar.sessions(FIRST, LAST).to_dicts():
        days.setdefault(row["trading_day"], []).append((row["open"], row["close"]))
    return days


def spell(day, pairs, zone):
    def clock(at):
        local = at.astimezone(zone).replace(tzinfo=None)
        shift = (local.date() - day).days
        if shift == 1 and local.time() == dt.time(0):
            return "24:00"
        return f"{local:%H:%M}" + (f"{shift:+d}" if shift else "")

    return ",".join(f"{clock(begin)}/{clock(end)}" for begin, end in pairs) or "closed"


def test_every_calendar_has_a_judge():
    names = {info["name"]: info["source"].partition(" ")[0] for info in lamina.calendars()}
    assert set(names) == set(JUDGES)
    for name, source in names.items():
        assert source != JUDGES[name][0], f"{name} would be judged by its own source"


@pytest.mark.parametrize("name", JUDGES)
def test_every_day_agrees_or_is_listed(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = judge_days(*JUDGES[name])
    calendar = lamina.calendar(name)
    ours = our_days(calendar)
    assert len(ours) > 7000
    zone = zoneinfo.ZoneInfo(calendar.zone)
    with open(Path(__file__).parent / "calendar_disagreements.csv", newline="") as file:
        listed = [row for row in csv.DictReader(file) if row["calendar"] == name]
    used = Counter()
    unlisted = []
    for day in sorted(set(ours) | set(theirs)):
        if ours.get(day, []) == theirs.get(day, []):
            continue
        pair = spell(day, ours.get(day, []), zone), spell(day, theirs.get(day, []), zone)
        for index, row in enumerate(listed):
            if row["first"] <= str(day) <= row["last"] and pair == (row["ours"], row["theirs"]):
                used[index] += 1
                assert row["reason"]
                break
        else:
            unlisted.append((str(day), *pair))
    assert not unlisted, unlisted[:20]
    assert len(used) == len(listed), [row for i, row in enumerate(listed) if i not in used]


@pytest.fixture
def packaged_zones():
    """zoneinfo over the pinned package tzdata, not over the machine's files."""
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath(to=before)
    zoneinfo.ZoneInfo.clear_cache()


def test_every_time_zone_agrees_with_zoneinfo(packaged_zones):
    """Midnight and noon of days 2000-2030 in every zone, which InZone converts both ways."""
    version = importlib.resources.files("tzdata").joinpath("zones").read_text()
    assert _lamina.time_zones() == sorted(version.split())
    always = lamina.calendar("24/7")
    picked = random.Random(7)
    span = (LAST - FIRST).days
    for name in _lamina.time_zones():
        zone = zoneinfo.ZoneInfo(name)
        ours = always.in_zone(name)
        for _ in range(60):
            day = FIRST + dt.timedelta(days=picked.randrange(1, span - 1))
            start, end = ours.session_boundaries(day)
            for found, date in ((start, day), (end, day + dt.timedelta(days=1))):
                midnight = dt.datetime.combine(date, dt.time(0), zone)
                assert found == midnight.astimezone(dt.UTC), (name, date)
            noon = dt.datetime.combine(day, dt.time(12), zone)
            assert ours.trading_day(noon) == day, (name, day)


@pytest.mark.shared
def test_real_forex_quotes_lie_in_sessions(shared):
    """Hourly bars of 24 pairs over three years: none starts while the calendar is closed, but for
    a few on the holidays that some pairs trade."""
    bars = pandas.read_parquet(shared / "data/bars/fx_h1_bars_24.parquet")
    forex = lamina.calendar("FOREX")
    stamps, counts = zip(*Counter(bars["timestamp"]).items(), strict=True)
    unit = 10 ** (19 - len(str(stamps[0])))
    outside = sum(
        count
        for stamp, count in zip(stamps, counts, strict=True)
        if not forex.is_open(int(stamp) * unit)
    )
    assert outside <= 16, outside
    assert len(bars) == 447_747
