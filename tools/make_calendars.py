#!/usr/bin/env python3
"""Write src/lamina/market/calendars/*.txt from well-kept calendar libraries and our corrections.

Sources: exchange_calendars (XNYS, XLON, XEUR, XTKS, XHKG, IEPA) and pandas_market_calendars
(CMES); the tests judge each calendar by the library that it was not made from. What both get
wrong, or do not know, stands in CORRECTIONS with where it is written. After raising a version in
tools/requirements-dev.txt, or to add a calendar:

    .venv/bin/python tools/make_calendars.py        # and read the diff, raise VERSION

--check writes nothing and fails when a file is not what would be written.
"""

import argparse
import sys
import warnings
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import exchange_calendars
import pandas
import pandas_market_calendars

TARGET = Path(__file__).resolve().parent.parent / "src/lamina/market/calendars"
VERSION = "2026.2"
FIRST, LAST = date(2000, 1, 1), date(2030, 12, 31)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ERA_DAYS = 60  # hours kept for so many trading days are usual; fewer are exceptions

# Minutes from midnight of the trading day in the zone of the market; negative: the day before.
Segment = tuple[int, int]
Segments = tuple[Segment, ...]
CLOSED: Segments = ()


def minutes(text: str) -> int:
    clock, sign, days = text.partition("-" if "-" in text else "+")
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute) + (int(sign + days) * 1440 if sign else 0)


def parse(text: str) -> Segments:
    if text == "closed":
        return CLOSED
    pairs = (pair.split("/") for pair in text.split(","))
    return tuple((minutes(begin), minutes(end)) for begin, end in pairs)


def clock(value: int) -> str:
    days, value = divmod(value, 1440)
    if days == 1 and value == 0:
        days, value = 0, 1440
    return f"{value // 60:02d}:{value % 60:02d}" + (f"{days:+d}" if days else "")


def spell(segments: Segments) -> str:
    return ",".join(f"{clock(a)}/{clock(b)}" for a, b in segments) or "closed"


# ---- the calendars -------------------------------------------------------------------------------


class Correction(NamedTuple):
    first: str
    last: str
    hours: str  # "closed", or hours; with a source, only days that the source has open
    reason: str
    only: str | None = None  # correct only days with these hours
    open_days: bool = False  # also days that the source has closed


def one(day: str, hours: str, reason: str) -> Correction:
    return Correction(day, day, hours, reason, open_days=True)


class Market(NamedTuple):
    name: str
    title: str
    zone: str
    source: str  # "exchange_calendars X", "pandas_market_calendars X" or "rule"
    aliases: tuple[str, ...]
    sessions: tuple[str, ...]
    corrections: tuple[Correction, ...] = ()
    weekdays: str = "Mon Tue Wed Thu Fri"


HKEX_NOTICE = "HKEX notice: tropical cyclone or black rainstorm, no trading all day"
MOURNING = "CME Group notice: equity products close at 8:30 on the national day of mourning"
SANDY = "CME Group notice of 2012-10-29: equity index closes at 8:15 (hurricane Sandy)"
ATTACKS = "CME notices of September 2001: U.S. equity index products suspended"
WITHOUT_REPORT = "Good Friday without employment report: equity closed"
# The report comes on the first Friday of April: a Good Friday in March or after the 7th has none.
GOOD_FRIDAYS_WITHOUT_REPORT = (
    "2024-03-29",
    "2025-04-18",
    "2027-03-26",
    "2028-04-14",
    "2029-03-30",
    "2030-04-19",
)

MARKETS = (
    Market(
        "XNYS",
        "New York Stock Exchange, Nasdaq and the other United States equity markets",
        "America/New_York",
        "exchange_calendars XNYS",
        ("NYSE", "NASDAQ", "XNAS", "ARCX", "XASE", "BATS", "IEX", "US_Equity"),
        (
            "pre_market 04:00 open",
            "after_hours close 20:00 early 17:00",
            "extended 04:00 20:00 early 17:00",
        ),
        (
            one(
                "2002-09-11",
                "12:00/16:00",
                "NYSE: opening delayed to noon, memorial of the attacks",
            ),
        ),
    ),
    Market(
        "CMES",
        "CME Globex equity index futures (ES, NQ, RTY, MES, MNQ)",
        "America/Chicago",
        "pandas_market_calendars CME Globex Equity",
        ("CME_Equity", "CMEGlobex_Equity", "CME Globex Equity"),
        (
            "rth 08:30 15:00 within",
            "overnight_trading open 08:30 within",
            "overnight 17:00-1 17:00",
        ),
        (
            Correction(
                "2000-01-01",
                "2012-11-16",
                "17:00-1/15:15,15:30/16:30",
                "daily halt 15:15 to 15:30; maintenance from 16:30 before 19 November 2012",
                only="17:00-1/16:00",
            ),
            Correction(
                "2012-11-19",
                "2021-06-25",
                "17:00-1/15:15,15:30/16:00",
                "daily halt 15:15 to 15:30 until 25 June 2021 (pandas_market_calendars CME_Equity)",
                only="17:00-1/16:00",
            ),
            one("2001-09-11", "17:00-1/09:15", ATTACKS + " at 9:15"),
            Correction("2001-09-12", "2001-09-14", "closed", ATTACKS),
            one("2001-09-17", "08:34/15:15,15:30/16:30", ATTACKS + " until 8:34"),
            one("2004-06-11", "closed", "funeral of President Reagan (exchange_calendars CMES)"),
            one(
                "2006-07-03",
                "17:00-1/15:15,15:30/16:30",
                "CME holiday schedule 2006: equity indexes close at their regular time",
            ),
            one("2007-01-02", "closed", "funeral of President Ford: CME equity markets closed"),
            one("2012-10-29", "17:00-1/08:15", SANDY),
            one("2012-10-30", "17:00-1/08:15", SANDY),
            one("2018-12-05", "17:00-1/08:30", MOURNING + " (George H. W. Bush)"),
            *(one(day, "closed", WITHOUT_REPORT) for day in GOOD_FRIDAYS_WITHOUT_REPORT),
            one("2025-01-09", "17:00-1/08:30", MOURNING + " (Jimmy Carter)"),
        ),
    ),
    Market(
        "FOREX",
        "Spot foreign exchange: the week from Sunday to Friday, 17:00 New York",
        "America/New_York",
        "rule",
        ("FX", "Forex", "OANDA"),
        ("overnight 17:00-1 17:00",),
    ),
    Market(
        "24/7",
        "Always open: crypto assets; the trading day is the day of UTC",
        "UTC",
        "rule",
        ("ALWAYS", "CRYPTO", "24x7"),
        (),
        weekdays="Mon Tue Wed Thu Fri Sat Sun",
    ),
    Market(
        "XLON",
        "London Stock Exchange",
        "Europe/London",
        "exchange_calendars XLON",
        ("LSE",),
        (),
    ),
    Market(
        "XEUR",
        "Eurex",
        "Europe/Berlin",
        "exchange_calendars XEUR",
        ("EUREX", "Eurex"),
        (),
    ),
    Market(
        "XTKS",
        "Tokyo Stock Exchange",
        "Asia/Tokyo",
        "exchange_calendars XTKS",
        ("TSE", "JPX", "XJPX"),
        (),
        (
            Correction(
                "2000-01-01",
                "2011-11-18",
                "09:00/11:00,12:30/15:00",
                "JPX history of trading hours: the morning ended at 11:00 until 18 November 2011",
                only="09:00/11:30,12:30/15:00",
            ),
        ),
    ),
    Market(
        "XHKG",
        "Stock Exchange of Hong Kong",
        "Asia/Hong_Kong",
        "exchange_calendars XHKG",
        ("HKEX", "SEHK"),
        (),
        (
            Correction(
                "2000-01-01",
                "2011-03-04",
                "10:00/12:30,14:30/16:00",
                "HKEX: 10:00 to 12:30 and 14:30 to 16:00 until 4 March 2011",
                only="10:00/12:00,13:00/16:00",
            ),
            Correction(
                "2011-03-07",
                "2012-03-02",
                "09:30/12:00,13:30/16:00",
                "HKEX: the afternoon began at 13:30 until 2 March 2012",
                only="09:30/12:00,13:00/16:00",
            ),
            one("2023-09-01", "closed", HKEX_NOTICE + " (Saola)"),
            one("2023-09-08", "closed", HKEX_NOTICE),
            one("2029-09-24", "closed", "Monday after the Mid-Autumn Festival of a Saturday"),
        ),
    ),
    Market(
        "IEPA",
        "ICE Futures U.S.",
        "America/New_York",
        "exchange_calendars IEPA",
        ("ICE", "ICEUS", "IFUS"),
        ("overnight 18:00-1 18:00",),
    ),
)


# ---- the sources ---------------------------------------------------------------------------------

Days = dict[date, Segments]


def every_day() -> Iterator[date]:
    return (FIRST + timedelta(days=i) for i in range((LAST - FIRST).days + 1))


def offsets(row: pandas.Series, zone: str, day: pandas.Timestamp, names: list[str]) -> list[int]:
    found = []
    for name in names:
        if name not in row or pandas.isna(row[name]):
            continue
        local = row[name].tz_convert(zone).tz_localize(None) - day
        found.append(int(local.total_seconds()) // 60)
    return found


def read_days(schedule: pandas.DataFrame, zone: str, names: list[str]) -> Days:
    days = {}
    for day, row in schedule.iterrows():
        at = offsets(row, zone, day, names)
        pairs = zip(at[::2], at[1::2], strict=True)
        days[day.date()] = tuple((a, b) for a, b in pairs if a < b)
    return days


def exchange_calendars_days(name: str) -> Days:
    calendar = exchange_calendars.get_calendar(name, start=str(FIRST), end=str(LAST))
    names = ["open", "break_start", "break_end", "close"]
    return read_days(calendar.schedule, str(calendar.tz), names)


def pandas_market_calendars_days(name: str) -> Days:
    calendar = pandas_market_calendars.get_calendar(name)
    schedule = calendar.schedule(str(FIRST), str(LAST))
    names = ["market_open", "break_start", "break_end", "market_close"]
    return read_days(schedule, str(calendar.tz), names)


def forex_closed(day: date) -> bool:
    """Christmas and New Year; the Monday after a Christmas that is a Sunday. As in real quotes."""
    return (day.month, day.day) in ((12, 25), (1, 1)) or (
        (day.month, day.day) == (12, 26) and day.weekday() == 0
    )


def rule_days(name: str) -> Days:
    if name == "24/7":
        return {day: parse("00:00/24:00") for day in every_day()}
    hours = parse("17:00-1/17:00")
    return {day: hours for day in every_day() if day.weekday() < 5 and not forex_closed(day)}


def days_of(market: Market) -> Days:
    library, _, name = market.source.partition(" ")
    if library == "exchange_calendars":
        return exchange_calendars_days(name)
    if library == "pandas_market_calendars":
        return pandas_market_calendars_days(name)
    return rule_days(market.name)


def tokyo_half_days(days: Days) -> Iterator[Correction]:
    """Until 2009 the year's first and last trading day had a morning only."""
    for year in range(2000, 2010):
        of_year = [day for day in sorted(days) if day.year == year]
        ends = of_year[:1] if year == 2009 else [of_year[0], of_year[-1]]
        for day in ends:
            yield one(str(day), "09:00/11:00", "morning only on the year's first and last day")


def correct(market: Market, days: Days) -> dict[date, str]:
    """Apply the corrections to `days`; the reasons of those that name single days."""
    corrections = list(market.corrections)
    if market.name == "XTKS":
        corrections += tokyo_half_days(days)
    reasons = {}
    for correction in corrections:
        for day in every_day():
            if (
                not date.fromisoformat(correction.first)
                <= day
                <= date.fromisoformat(correction.last)
            ):
                continue
            if day not in days and not correction.open_days:
                continue
            if correction.only and days[day] != parse(correction.only):
                continue
            days[day] = parse(correction.hours)
            if not correction.only:
                reasons[day] = correction.reason
    for day in [day for day, hours in days.items() if hours == CLOSED]:
        del days[day]
    return reasons


# ---- the file ------------------------------------------------------------------------------------


def eras(days: Days) -> list[tuple[date, Segments]]:
    """When the usual hours changed: runs of at least ERA_DAYS days, exceptions left out."""
    found: list[tuple[date, Segments]] = []
    ordered = sorted(days)
    for index, day in enumerate(ordered):
        if found and days[day] == found[-1][1]:
            continue
        ahead = ordered[index : index + ERA_DAYS]
        same = sum(days[other] == days[day] for other in ahead)
        if 2 * same > len(ahead) and (not found or len(ahead) == ERA_DAYS):
            found.append((day, days[day]))
    return [(FIRST, found[0][1]), *found[1:]]


def write(market: Market) -> str:
    days = days_of(market)
    reasons = correct(market, days)
    usual = eras(days)
    library = market.source.partition(" ")[0]
    source = market.source if library == "rule" else f"{market.source} ({version(library)})"
    lines = [
        "# Generated by tools/make_calendars.py; do not edit. Syntax: src/lamina/market/README.md",
        f"calendar {market.name}",
        f"title {market.title}",
        f"version {VERSION}",
        f"source {source}",
        f"zone {market.zone}",
        f"range {FIRST} {LAST}",
        *(f"alias {alias}" for alias in market.aliases),
        f"weekdays {market.weekdays}",
        *(f"hours {day} {spell(hours)}" for day, hours in usual),
        *(f"session {session}" for session in market.sessions),
    ]
    open_weekdays = {WEEKDAYS.index(name) for name in market.weekdays.split()}
    expected = None
    pending = list(usual)
    for day in every_day():
        while pending and pending[0][0] <= day:
            expected = pending.pop(0)[1]
        normal = expected if day.weekday() in open_weekdays else CLOSED
        hours = days.get(day, CLOSED)
        if hours != normal:
            reason = f"  # {reasons[day]}" if day in reasons else ""
            lines.append(f"day {day} {spell(hours)}{reason}")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when a file is out of date")
    check = parser.parse_args().check
    warnings.filterwarnings("ignore")
    wrong = []
    for market in MARKETS:
        path = TARGET / (market.name.replace("/", "_") + ".txt")
        text = write(market)
        if check and (not path.exists() or path.read_text() != text):
            wrong.append(path.name)
        elif not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for name in wrong:
        print(f"{name} is not what tools/make_calendars.py writes", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
