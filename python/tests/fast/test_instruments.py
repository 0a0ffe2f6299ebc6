"""store.instruments."""

import datetime as dt

import pytest

import lamina
from lamina import Instrument

ROLL = dt.datetime(2025, 3, 21, 13, 30, tzinfo=dt.UTC)


@pytest.fixture
def store(tmp_path):
    with lamina.open(tmp_path / "s", create=True) as opened:
        yield opened


def test_added_found_listed(store):
    front = Instrument(
        2**62, "MNQ", venue="CME", tick_size=0.25, multiplier=2.0, calendar="CMES", valid_to=ROLL
    )
    counts = store.instruments.add(
        [front, {"instrument_id": 102, "symbol": "MNQ", "venue": "CME", "valid_from": ROLL}]
    )
    assert (counts.added, counts.unchanged, counts.replaced) == (2, 0, 0)
    assert store.instruments.add(front).unchanged == 1
    assert store.instruments.get("MNQ", at="2025-01-10") == front
    assert store.instruments.get("MNQ", at=ROLL).instrument_id == 102
    assert store.instruments.get(2**62, at="2025-01-10").symbol == "MNQ"
    assert store.instruments.get("MNQ@CME").instrument_id == 102
    table = store.instruments.list().to_arrow()
    assert table.column("instrument_id").to_pylist() == [102, 2**62]
    assert table.column("valid_to").to_pylist() == [None, ROLL]
    with pytest.raises(lamina.NotFound, match="did you mean"):
        store.instruments.get("MNK")
    with pytest.raises(lamina.NotFound, match="not valid"):
        store.instruments.get(102, at="2020-01-01")


def test_refusals_change_nothing(store):
    store.instruments.add(instrument_id=1, symbol="A")
    with pytest.raises(lamina.AlreadyExists, match="same id"):
        store.instruments.add([Instrument(2, "B"), Instrument(1, "A", currency="USD")])
    with pytest.raises(lamina.InvalidArgument, match="symbol is empty"):
        store.instruments.add(instrument_id=3, symbol="")
    with pytest.raises(TypeError):
        store.instruments.add(instrument_id=3, symbol="C", tick=1)
    assert store.instruments.list().num_rows == 1
    snapshot = store.snapshots()[-1]["snapshot_id"]
    assert (
        store.instruments.add(instrument_id=1, symbol="A", currency="USD", replace=True).replaced
        == 1
    )
    assert store.instruments.get(1).currency == "USD"
    assert store.instruments.list(snapshot=snapshot).to_dicts()[0]["currency"] is None


def test_csv(store, tmp_path):
    path = tmp_path / "i.csv"
    path.write_text("contract_id,symbol,exchange,calendar\n265598,AAPL,NASDAQ,nyse\n")
    assert store.instruments.import_csv(path).added == 1
    assert store.instruments.import_csv(path).unchanged == 1
    assert store.instruments.get("AAPL").calendar == "XNYS"
    path.write_text("contract_id,symbol\n1,B\nx,C\n")
    with pytest.raises(lamina.InvalidArgument, match=r"i\.csv:3: instrument_id"):
        store.instruments.import_csv(path)
    assert store.instruments.list().num_rows == 1


def test_calendar_of_an_instrument(store):
    hours = "20250110:1000-20250110:1100"
    store.instruments.add(
        instrument_id=1,
        symbol="A",
        calendar="NYSE",
        trading_hours=hours,
        time_zone="EST (Eastern Standard Time)",
    )
    store.instruments.add(instrument_id=2, symbol="B")
    start, end = store.instruments.calendar("A").session_boundaries("2025-01-10")
    assert end - start == dt.timedelta(hours=1)
    with pytest.raises(lamina.NotFound, match="no calendar"):
        store.instruments.calendar("B")
    assert store.calendar("NYSE").name == "XNYS"


def test_wrong_types_are_named(store):
    for wrong in (2**63, -1, "12", 1.5, None, True):
        with pytest.raises(lamina.InvalidArgument, match="id of an instrument"):
            store.instruments.add(instrument_id=wrong, symbol="X")
    with pytest.raises(lamina.InvalidArgument, match="symbol"):
        store.instruments.add(instrument_id=1, symbol=5)
    with pytest.raises(lamina.InvalidArgument, match="tick_size"):
        store.instruments.add(instrument_id=1, symbol="X", tick_size="0.25")
    with pytest.raises(lamina.InvalidArgument, match="id of an instrument"):
        store.instruments.get(1.5)
    nothing = float("nan")
    added = store.instruments.add(
        {
            "instrument_id": 77,
            "symbol": "X",
            "tick_size": nothing,
            "valid_from": dt.date(2024, 1, 2),
        }
    )
    assert added.added == 1
    assert store.instruments.get("X").valid_from == dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
