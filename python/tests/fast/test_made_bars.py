"""Bars made from stored bars and from ticks, with lineage; what goes stale."""

from pathlib import Path

import numpy
import pandas
import pytest
from market_frames import hourly_bars

import lamina


@pytest.fixture
def store(tmp_path: Path):
    with lamina.open(tmp_path / "store", create=True) as opened:
        yield opened


def minutely(count: int, start: str = "2024-01-02T14:30:00Z") -> dict[str, object]:
    first = pandas.Timestamp(start).value
    return {
        "ts_ns": numpy.arange(count, dtype="int64") * 60_000_000_000 + first,
        "contract_id": [265598] * count,
        "tick_type": ["last"] * count,
        "price": numpy.linspace(100, 101, count),
        "size": [2.0] * count,
    }


def test_days_of_hours_are_what_pandas_makes(store: lamina.Store) -> None:
    frame = hourly_bars("2024-01-01 22:00", 100)
    store.bars.save(frame, "EUR_USD")
    store.bars.save(frame.iloc[:5].drop(columns="volume"), "GBP_USD")
    made = store.bars.resample("EUR_USD", "1d")
    assert made.report.added == 6
    assert made.report == ["bars/ohlcv/year=2024"]
    expected = (
        frame.set_index("timestamp")
        .resample("1D")
        .agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
    )
    stored = store.bars.load("EUR_USD", timeframe="1d").to_pandas().set_index("timestamp")
    for name in expected:
        assert stored[name].tolist() == expected[name].tolist()
    assert stored["complete"].tolist() == [True] * 5 + [False]
    assert [tuple(edge)[:4] for edge in made.edges] == [
        ("dataset", "ohlcv/EUR_USD/1d", "dataset", "ohlcv/EUR_USD/1h")
    ]
    # All instruments at once; unknown volumes stay unknown.
    assert store.bars.resample(None, "1d").report.unchanged == 6
    assert store.bars.load("GBP_USD", timeframe="1d").to_arrow()["volume"].null_count == 2
    assert store.bars.load("GBP_USD").num_rows == 7


def test_a_frame_is_resampled_and_not_saved(store: lamina.Store) -> None:
    frame = hourly_bars("2024-01-01", 48)
    bars = store.bars.resample(frame, "1d", label="right")
    assert bars.num_rows == 2
    assert bars.to_pandas()["timestamp"][0] == pandas.Timestamp("2024-01-02", tz="UTC")
    assert store.datasets.list() == []


def test_sessions_of_the_calendar(store: lamina.Store) -> None:
    store.instruments.add(instrument_id=265598, symbol="AAPL", calendar="XNYS")
    store.bars.save(hourly_bars("2024-01-02 00:00", 48).assign(volume=1), "AAPL", timeframe="30m")
    minutes = hourly_bars("2024-01-02 00:00", 96)
    minutes["timestamp"] = pandas.date_range("2024-01-02", periods=96, freq="30min", tz="UTC")
    store.bars.save(minutes, "AAPL", timeframe="30m", mode="replace")
    made = store.bars.resample("AAPL", "1d", session="regular", timeframe="30m").to_pandas()
    assert made["n_ticks"].tolist() == [13, 13]
    with pytest.raises(lamina.NotFound):
        store.bars.resample("MSFT", "1d", session="regular")
    with pytest.raises(lamina.InvalidArgument, match="calendar"):
        store.bars.resample(None, "1d", session="regular")


def test_ticks_become_bars_of_their_symbol(store: lamina.Store) -> None:
    store.instruments.add(instrument_id=265598, symbol="AAPL", calendar="XNYS")
    store.ticks.append(minutely(120))
    made = store.bars.from_ticks("AAPL", "1h", "2024-01-02T14:00", "2024-01-02T17:00")
    queried = store.ticks.query(
        "AAPL", "last", "2024-01-02T14:00", "2024-01-02T17:00", resolution="1h"
    ).to_pandas()
    stored = store.bars.load("AAPL", timeframe="1h").to_pandas()
    for name in ("timestamp", "open", "high", "low", "close", "volume"):
        assert stored[name].tolist() == queried[name].astype(stored[name].dtype).tolist()
    assert stored["complete"].tolist() == [True, True, True]
    assert made.to_pandas()["vwap"].tolist() == queried["vwap"].tolist()
    assert made.edges[0].input_id.startswith("265598/last[2024-01-02T14:00:00")
    with pytest.raises(lamina.NotFound, match="no ticks"):
        store.bars.from_ticks("AAPL", "1h", "2023-01-02", "2023-01-03")
    with pytest.raises(lamina.InvalidArgument, match="of time"):
        store.bars.from_ticks("AAPL", "10tick", "2024-01-02", "2024-01-03")
    with pytest.raises(lamina.NotFound):
        store.bars.from_ticks("MSFT", "1h", "2024-01-02", "2024-01-03")


def test_fractions_of_volume_need_a_dataset_that_keeps_them(store: lamina.Store) -> None:
    store.ticks.append(minutely(3) | {"size": [0.25, 0.5, 1.0]})
    day = ("2024-01-02", "2024-01-03")
    with pytest.raises(lamina.InvalidArgument, match="volume"):
        store.bars.from_ticks(265598, "1h", *day)
    assert store.bars.load(265598).num_rows == 0
    columns = dict.fromkeys(["open", "high", "low", "close", "volume", "vwap"], "float64")
    names = {"instrument": "varchar", "timeframe": "varchar", "complete": "boolean"}
    store.datasets.create(
        "crypto",
        names | columns | {"n_ticks": "int64"},
        keys=["instrument", "timeframe", "timestamp"],
        complete="complete",
    )
    store.bars.from_ticks(265598, "1h", *day, dataset="crypto")
    [row] = store.bars.load("265598", dataset="crypto").to_dicts()
    assert (row["volume"], row["n_ticks"]) == (1.75, 3)


def test_quotes_have_a_dataset_of_their_own(store: lamina.Store) -> None:
    ticks = minutely(4) | {"tick_type": ["bid_ask"] * 4}
    del ticks["price"], ticks["size"]
    ticks |= {"bid_price": [1.0] * 4, "ask_price": [2.0] * 4, "bid_size": [1.0] * 4}
    store.ticks.append(ticks | {"ask_size": [1.0] * 4})
    made = store.bars.from_ticks(265598, "1h", "2024-01-02", "2024-01-03", tick_type="bid_ask")
    assert "spread_mean" in made.column_names
    assert "ohlcv" not in store.datasets
    [row] = store.bars.load(265598, dataset="ohlcv_bid_ask").to_dicts()
    assert (row["open"], row["volume"]) == (1.5, None)


def test_lineage_from_a_model_back_to_ticks_and_what_goes_stale(store: lamina.Store) -> None:
    store.ticks.append(minutely(120))
    store.bars.from_ticks(265598, "1m", "2024-01-02", "2024-01-03")
    store.bars.resample("265598", "1h")
    store.features.splits({"train": ("2024-01-01", "2024-02-01")})
    run = store.registry.log_processing_run(
        "training", "h", [], [], "success",
        inputs=[("dataset", "splits", store.snapshot_at(None))],
    )  # fmt: skip
    model = store.registry.register_model_artifact("gbdt", "1", "m", "h", run)
    kinds = [edge.input_kind for edge in store.registry.lineage("artifact", model)]
    assert kinds[0] == "processing_run"
    assert "ticks" in kinds
    assert store.registry.stale() == []
    # Upkeep changes no rows.
    store.compact()
    assert store.registry.stale() == []
    store.ticks.append(minutely(1, "2024-01-02T15:00:30Z"))
    assert [edge.output_id for edge in store.registry.stale()] == ["ohlcv/265598/1m"]
    store.ticks.void(265598, "last", "2024-01-02T15:00:30Z", "2024-01-02T15:00:31Z", reason="test")
    assert store.registry.stale() == []  # the ticks are those that were read
    store.ticks.append(minutely(1, "2024-01-02T15:00:30Z") | {"price": [200.0]})
    store.bars.from_ticks(265598, "1m", "2024-01-02", "2024-01-03")
    assert {edge.output_id for edge in store.registry.stale()} == {"splits", "ohlcv/265598/1h"}
    store.bars.resample("265598", "1h", timeframe="1m")
    store.features.splits({"train": ("2024-01-01", "2024-02-01")})
    assert [edge.output_kind for edge in store.registry.stale()] == ["processing_run"]


def test_a_backtest_leads_to_its_bars(store: lamina.Store) -> None:
    store.bars.save(hourly_bars("2024-01-01", 24), "EUR_USD")
    made = lamina.Backtest.from_frames(
        algorithm_id="one",
        snapshots=pandas.DataFrame(
            {
                "ts": pandas.date_range("2024-01-01", periods=3, freq="D", tz="UTC"),
                "total_value": [100.0, 101.0, 102.0],
            }
        ),
    )
    source = ("dataset", "ohlcv/EUR_USD/1h", store.snapshot_at(None))
    handle = store.backtests.put(made, inputs=[source])
    assert [tuple(edge) for edge in store.registry.lineage("backtest", handle)] == [
        ("backtest", handle, *source)
    ]
    assert store.registry.stale() == []
    store.bars.save(hourly_bars("2024-01-01", 1, close=5), "EUR_USD")
    assert [edge.output_id for edge in store.registry.stale()] == [handle]
    with pytest.raises(lamina.InvalidArgument, match="no kind"):
        store.backtests.put(made, handle="two", inputs=[("thing", "1")])
    assert "two" not in store.backtests
