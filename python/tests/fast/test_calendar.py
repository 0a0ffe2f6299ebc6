"""Calendars in Python; what they say is judged in slow/test_calendar_judge.py and in C++."""

import datetime as dt
import pickle
import zoneinfo

import pandas
import pyarrow
import pytest
from lamina.ibstream import MarketSessions

import lamina

UTC = dt.UTC


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_session_boundaries():
    nyse = lamina.calendar("NYSE")
    assert nyse.name == "XNYS" and nyse.zone == "America/New_York"
    expected = (utc("2025-01-10T14:30"), utc("2025-01-10T21:00"))
    for day in (
        dt.date(2025, 1, 10),
        "2025-01-10",
        dt.datetime(2025, 1, 10),
        dt.datetime(2025, 1, 10, 23, tzinfo=UTC),
        pandas.Timestamp("2025-01-10"),
        pandas.Timestamp("2025-01-10 12:00", tz="Asia/Tokyo") + pandas.Timedelta(hours=5),
    ):
        assert nyse.session_boundaries(day) == expected, day
    # A datetime with a zone: its date in New York, which is still the 10th.
    assert nyse.session_boundaries(dt.datetime(2025, 1, 11, 3, tzinfo=UTC)) == expected
    assert all(at.tzinfo is UTC for at in expected)
    with pytest.raises(lamina.NotFound, match="2025-01-10"):
        nyse.session_boundaries("2025-01-09")
    with pytest.raises(lamina.InvalidArgument, match="regular, pre_market"):
        nyse.session_boundaries("2025-01-10", "lunch")
    with pytest.raises(lamina.InvalidArgument, match="2000-01-01"):
        nyse.session_boundaries("1999-01-04")
    for bad in ("10.1.2025", 20250110, None, object()):
        with pytest.raises(lamina.InvalidArgument):
            nyse.session_boundaries(bad)
    with pytest.raises(lamina.InvalidArgument, match="did you mean"):
        lamina.calendar("NYSEE")


def test_instants():
    nyse = lamina.calendar("XNYS")
    noon = utc("2025-01-10T17:00")
    new_york = noon.astimezone(zoneinfo.ZoneInfo("America/New_York"))
    for at in (
        noon,
        new_york,
        noon.replace(tzinfo=None),
        "2025-01-10T17:00:00Z",
        pandas.Timestamp(noon),
        pandas.Timestamp(noon).to_datetime64(),
        int(noon.timestamp()) * 10**9,
    ):
        assert nyse.is_open(at) is True, at
    assert nyse.is_open(pandas.Timestamp("2025-01-10T20:59:59.999999999Z"))
    assert not nyse.is_open(pandas.Timestamp("2025-01-10T21:00:00Z"))
    for bad in ("noon", 1.5, None, True):
        with pytest.raises(lamina.InvalidArgument):
            nyse.is_open(bad)
    assert nyse.next_open("2025-01-10T21:00") == utc("2025-01-13T14:30")
    assert nyse.trading_day("2025-01-11T12:00") == dt.date(2025, 1, 13)
    friday = lamina.Session(dt.date(2025, 1, 10), utc("2025-01-10T14:30"), utc("2025-01-10T21:00"))
    assert nyse.current_session("2025-01-13T13:00") == friday
    assert nyse.previous_session("2025-01-13T15:00") == friday
    assert nyse.current_session().start <= dt.datetime.now(UTC)


def test_sessions_is_a_table():
    tokyo = lamina.calendar("TSE").sessions("2025-01-10", "2025-01-13")
    assert tokyo.column_names == ["trading_day", "open", "close"]
    assert tokyo.to_dicts() == [
        {
            "trading_day": dt.date(2025, 1, 10),
            "open": utc("2025-01-10T00:00"),
            "close": utc("2025-01-10T02:30"),
        },
        {
            "trading_day": dt.date(2025, 1, 10),
            "open": utc("2025-01-10T03:30"),
            "close": utc("2025-01-10T06:30"),
        },
    ]
    assert tokyo.to_arrow().schema.field("open").type == pyarrow.timestamp("us", "UTC")
    assert lamina.calendar("XNYS").sessions("2025-01-11", "2025-01-12").num_rows == 0


def test_changed_calendars_pickle():
    crypto = lamina.calendar("24/7").in_zone("America/New_York")
    own = lamina.calendar("XNYS").with_trading_hours("20250110:CLOSED", "US/Eastern")
    start, end = crypto.session_boundaries("2025-03-09")
    assert end - start == dt.timedelta(hours=23)
    for one in (crypto, own):
        again = pickle.loads(pickle.dumps(one))
        assert again.info == one.info
    with pytest.raises(lamina.NotFound):
        pickle.loads(pickle.dumps(own)).session_boundaries("2025-01-10")
    with pytest.raises(lamina.InvalidArgument, match="time zone"):
        crypto.in_zone("Mars")


def test_market_sessions():
    get = MarketSessions.get_session_boundaries
    friday = dt.date(2025, 1, 10)
    day = "2025-01-10T"
    for session, start, end in [
        ("regular", day + "14:30", day + "21:00"),
        ("extended", day + "09:00", "2025-01-11T01:00"),
        ("overnight", day + "05:00", "2025-01-11T05:00"),
        ("pre_market", day + "09:00", day + "14:30"),
        ("after_hours", day + "21:00", "2025-01-11T01:00"),
    ]:
        assert get(friday, session) == (utc(start), utc(end)), session
    assert get(friday, timezone="Europe/London") == (utc(day + "09:30"), utc(day + "16:00"))
    with pytest.raises(lamina.InvalidArgument):
        get(friday, "regulr")
    now = MarketSessions.get_current_session
    assert now(now="2025-01-13T13:00") == get(friday)  # Monday 08:00: Friday's
    assert now(now="2025-01-12T17:00") == get(friday)  # Sunday
    assert now(now="2025-01-13T22:00") == get(dt.date(2025, 1, 13))  # after the close: today's
    assert MarketSessions.get_previous_session(now="2025-01-13T22:00") == get(friday)
    assert now() == now(now=dt.datetime.now(UTC))
    assert get(friday, calendar="CME_Equity", timezone="America/Chicago") == (
        utc("2025-01-09T23:00"),
        utc(day + "22:00"),
    )


def test_ends_of_what_is_known():
    for info in lamina.calendars():
        calendar = lamina.calendar(info["name"])
        assert calendar.is_open("2000-01-01T18:00Z") in (True, False)
        for at in ("1999-12-30T12:00Z", "2031-01-03T12:00Z", "9999-12-31", 2**63):
            with pytest.raises(lamina.InvalidArgument):
                calendar.is_open(at)
    assert not lamina.calendar("CMES").is_open("2030-12-31T22:30Z")
    with pytest.raises(lamina.InvalidArgument, match="overlap"):
        lamina.calendar("NYSE").with_trading_hours("20250114:0000-20250115:1000")
