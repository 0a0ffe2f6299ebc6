"""Quality of bars: what cannot be true, gaps by kind, alignment."""

from pathlib import Path

import pandas
import pytest

import lamina


@pytest.fixture
def store(tmp_path: Path):
    with lamina.open(tmp_path / "store", create=True) as opened:
        yield opened


def bars(stamps: pandas.DatetimeIndex, close: float = 1.0) -> pandas.DataFrame:
    return pandas.DataFrame(
        {"timestamp": stamps, "open": close, "high": close + 1, "low": close / 2, "close": close}
    )


def week(start: str, hours: int) -> pandas.DatetimeIndex:
    return pandas.date_range(start, periods=hours, freq="h", tz="America/New_York")


def test_gaps_are_classified_by_the_calendar(store: lamina.Store) -> None:
    # Two weeks of spot trading around the change of clocks on 12 March 2023, Sunday to Friday.
    first, second = week("2023-03-05 17:00", 120), week("2023-03-12 17:00", 120)
    third = week("2023-03-19 18:00", 100)
    stamps = first.append(second).append(third)
    absent = [130, 150, 151, 152]
    store.bars.save(bars(stamps.delete(absent)), "EUR_USD")
    [found] = store.bars.quality("EUR_USD", calendar="FOREX")
    assert [gap.kind for gap in found.gaps] == ["dst", "quiet", "missing", "late_open"]
    assert [gap.missing for gap in found.gaps] == [0, 1, 3, 1]
    assert (found.state, found.missing, found.rows) == ("COMPLETE", 3, len(stamps) - 4)
    assert found.coverage["volume"] == 0.0


def test_states(store: lamina.Store) -> None:
    hours = pandas.date_range("2022-01-01", periods=40, freq="h", tz="UTC")
    store.bars.save(bars(hours), "WHOLE")
    store.bars.save(bars(hours.delete(range(10, 20))), "HOLES")
    wrong = bars(hours)
    wrong.loc[3, "low"] = 1.5
    wrong.loc[5, ["open", "high", "low", "close"]] = [9, 10, 1, 9]
    store.bars.save(wrong, "WRONG")
    found = {one.instrument: one for one in store.bars.quality(["WHOLE", "HOLES", "WRONG", "NONE"])}
    assert {name: one.state for name, one in found.items()} == {
        "WHOLE": "COMPLETE",
        "HOLES": "INCOMPLETE",
        "WRONG": "ERROR",
        "NONE": "MISSING",
    }
    assert [(at.hour, what) for at, what in found["WRONG"].problems] == [
        (3, "low is above open or close"),
        (5, "the close moved by more than 50%"),
        (6, "the close moved by more than 50%"),
    ]
    lined_up = store.bars.alignment()
    assert (lined_up["union"], lined_up["common"]) == (40, 30)
    assert lined_up["absent"] == {"HOLES": 10, "WHOLE": 0, "WRONG": 0}
    with pytest.raises(lamina.InvalidArgument, match="timeframe"):
        store.bars.quality(timeframe="1month")
