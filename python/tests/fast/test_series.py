"""Series kernels from Python: against DuckDB, Polars and pandas, on real data and random ticks."""

import datetime as dt
import math
import random

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lamina

SECOND = 1_000_000_000


def trades(rows=20_000, seed=1, start=1_700_000_000 * SECOND):
    rng = np.random.default_rng(seed)
    ts = start + np.cumsum(rng.integers(0, 3, rows) * rng.integers(0, 2 * SECOND, rows))
    price = np.round(100 + np.cumsum(rng.normal(0, 0.02, rows)), 2)
    return pa.table({"ts_ns": ts, "price": price, "size": rng.integers(0, 500, rows)})


def quotes(rows=30_000, seed=2):
    table = trades(rows, seed)
    bid = table["price"].to_numpy()
    spread = np.random.default_rng(seed).integers(1, 9, rows) * 0.01
    return pa.table({"ts_ns": table["ts_ns"], "bid_price": bid, "ask_price": bid + spread})


def duckdb_bars(table, width_ns, time="ts_ns", size="size"):
    con = duckdb.connect(config={"threads": 1})
    con.register("t", table)
    return con.execute(
        f"SELECT {time} // {width_ns} * {width_ns} AS label, first(price), max(price), min(price), "
        f"last(price), sum({size}::DOUBLE), sum(price * {size}) / nullif(sum({size}::DOUBLE), 0), "
        "count(*) FROM t GROUP BY 1 ORDER BY 1"
    ).fetchall()


BAR_COLUMNS = ("open", "high", "low", "close", "volume", "vwap", "n_ticks")


def same_bars(bars, expected, columns=BAR_COLUMNS):
    rows = bars.to_dicts()
    assert len(rows) == len(expected)
    for row, want in zip(rows, expected, strict=True):
        got = [row["timestamp"].value, *(row[name] for name in columns)]
        for name, a, b in zip(["timestamp", *columns], got, want, strict=True):
            if name in ("volume", "vwap") and a is not None:
                assert math.isclose(a, b, rel_tol=1e-12), (name, row, want)
            else:
                assert a == b, (name, row, want)


@pytest.mark.parametrize("rule,seconds", [("1s", 1), ("1m", 60), ("7m", 420), ("4h", 14400)])
def test_bars_are_those_of_duckdb(rule, seconds):
    table = trades()
    same_bars(lamina.resample(table, rule), duckdb_bars(table, seconds * SECOND))


@pytest.mark.shared
def test_bars_of_real_trades_are_those_of_duckdb_and_polars(shared):
    table = pq.read_table(shared / "data/ticks/binance_usdm_btcusdt_20240808_trades.parquet")
    size = "size" if "size" in table.column_names else "qty"
    table = table.select(["ts_event", "price", size])
    bars = lamina.resample(table, "1m")
    same_bars(bars, duckdb_bars(table, 60 * SECOND, "ts_event", size))
    frame = pl.DataFrame(table).with_columns(pl.col("ts_event").cast(pl.Datetime("ns", "UTC")))
    expected = frame.group_by_dynamic("ts_event", every="1m").agg(
        open=pl.col("price").first(), high=pl.col("price").max(), close=pl.col("price").last()
    )
    assert bars.to_polars()["timestamp"].to_list() == expected["ts_event"].to_list()
    for name in ("open", "high", "close"):
        assert bars.to_polars()[name].to_list() == expected[name].to_list()


@pytest.mark.shared
def test_hours_of_real_minutes_are_those_of_pandas(shared):
    table = pq.read_table(shared / "data/bars/btc_perp_1m.parquet")
    time = next(name for name in ("timestamp", "ts_event", "time") if name in table.column_names)
    table = table.rename_columns(["timestamp" if n == time else n for n in table.column_names])
    table = table.select(["timestamp", "open", "high", "low", "close", "volume"])
    got = lamina.resample(table, "1h").to_pandas().set_index("timestamp")
    frame = table.to_pandas()
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], utc=True)
    want = (
        frame.set_index("timestamp")
        .resample("1h")
        .agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
        .dropna(subset="open")
    )
    assert list(got.index.as_unit("ns")) == list(want.index.as_unit("ns"))
    for name in ("open", "high", "low", "close"):
        assert (got[name].to_numpy() == want[name].to_numpy()).all()
    assert np.allclose(got["volume"], want["volume"], rtol=1e-12)


@pytest.mark.parametrize("rule,every", [("1d", "1d"), ("1w", "1w"), ("1month", "1mo")])
def test_days_weeks_and_months_are_those_of_polars(rule, every):
    rng = random.Random(5)
    ts = sorted(rng.randrange(-3 * 10**17, 17 * 10**17) for _ in range(3000))
    table = pa.table({"ts_ns": ts, "price": [float(i) for i in range(3000)]})
    frame = pl.DataFrame(table).with_columns(pl.col("ts_ns").cast(pl.Datetime("ns")))
    expected = frame.group_by_dynamic("ts_ns", every=every).agg(pl.col("price").last())
    bars = lamina.resample(table, rule).to_polars()
    assert bars["timestamp"].dt.replace_time_zone(None).to_list() == expected["ts_ns"].to_list()
    assert bars["close"].to_list() == expected["price"].to_list()


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Asia/Tokyo"])
def test_days_of_a_zone_on_both_dst_days(zone):
    start = int(dt.datetime(2024, 3, 1, tzinfo=dt.UTC).timestamp())
    rng = random.Random(6)
    ts = sorted((start + rng.randrange(270 * 86400)) * SECOND for _ in range(20_000))
    table = pa.table({"ts_ns": ts, "price": [float(i) for i in range(20_000)]})
    frame = pl.DataFrame(table).with_columns(
        pl.col("ts_ns").cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone(zone)
    )
    expected = frame.group_by_dynamic("ts_ns", every="1d").agg(pl.col("price").last(), pl.len())
    bars = lamina.resample(table, "1d", zone=zone).to_polars()
    want = expected["ts_ns"].dt.convert_time_zone("UTC").to_list()
    assert bars["timestamp"].to_list() == want
    assert bars["close"].to_list() == expected["price"].to_list()
    assert bars["n_ticks"].to_list() == expected["len"].to_list()


def test_sessions():
    day = int(dt.datetime(2024, 3, 8, tzinfo=dt.UTC).timestamp())  # Friday before DST
    ts = [(day + minute * 60) * SECOND for minute in range(5 * 1440)]
    table = pa.table({"ts_ns": ts, "price": [1.0] * len(ts)})
    hours = lamina.resample(table, "1h", calendar="XNYS").to_polars()
    times = hours["timestamp"].dt.strftime("%d %H:%M").to_list()
    assert times[:7] == [f"08 {h}:30" for h in range(14, 21)]
    assert times[7:14] == [f"11 {h}:30" for h in range(13, 20)]
    assert hours["n_ticks"].to_list()[:7] == [60] * 6 + [30]  # an hour does not divide the session
    days = lamina.resample(table, "1d", calendar="NYSE", session="regular").to_polars()
    assert days["n_ticks"].to_list() == [390, 390, 390]
    with pytest.raises(lamina.InvalidArgument, match="XNYS"):
        lamina.resample(table, "1h", calendar="XNYX")
    with pytest.raises(lamina.InvalidArgument, match="regular"):
        lamina.resample(table, "1h", calendar="XNYS", session="lunch")


def test_asof_is_that_of_polars_and_pandas():
    left, right = trades(), quotes()
    for strategy in ("backward", "forward", "nearest"):
        got = lamina.asof(left, right, direction=strategy, tolerance="2s").to_polars()
        if strategy == "nearest":
            want = pd.merge_asof(
                left.to_pandas(),
                right.to_pandas().drop_duplicates("ts_ns", keep="last"),
                on="ts_ns",
                direction=strategy,
                tolerance=2 * SECOND,
            )
            want = pl.from_pandas(want)
            exact = want["ts_ns"].is_in(right["ts_ns"].to_pylist())
            got, want = got.filter(exact), want.filter(exact)  # ties aside
        else:
            want = pl.DataFrame(left).join_asof(
                pl.DataFrame(right), on="ts_ns", strategy=strategy, tolerance=2 * SECOND
            )
        assert got["bid_price"].to_list() == want["bid_price"].to_list(), strategy


@pytest.mark.shared
def test_asof_of_real_trades_is_that_of_duckdb(shared):
    folder = shared / "data/ticks"
    left = pq.read_table(folder / "binance_usdm_btcusdt_20240808_trades.parquet")
    right = pq.read_table(folder / "binance_usdm_btcusdt_20240808_quotes.parquet")
    bid = next(name for name in ("bid_price", "bid", "bid_px") if name in right.column_names)
    left = left.select(["ts_event", "price"]).sort_by("ts_event")
    right = right.select(["ts_event", bid]).sort_by("ts_event")
    got = lamina.asof(left, right).to_arrow()
    con = duckdb.connect(config={"threads": 1})
    con.register("l", left.append_column("row", pa.array(range(left.num_rows))))
    con.register("r", right)
    last = con.execute(
        "SELECT l.row, (SELECT count(*) FROM r WHERE r.ts_event <= l.ts_event) AS upto FROM l "
        "ORDER BY row LIMIT 500"
    ).fetchall()
    for row, upto in last:
        want = right[bid][upto - 1].as_py() if upto else None
        assert got[bid][row].as_py() == want


def test_asof_by_instrument():
    left = trades().append_column("sym", pa.array(["A", "B"] * 10_000))
    right = quotes().append_column("sym", pa.array(["B", "C", "A"] * 10_000))
    got = lamina.asof(left, right, by="sym").to_polars()
    want = pl.DataFrame(left).join_asof(pl.DataFrame(right), on="ts_ns", by="sym")
    assert got["ask_price"].to_list() == want["ask_price"].to_list()


def test_window_join_is_that_of_duckdb():
    left, right = trades(500), quotes(3000)
    got = lamina.window_join(
        left,
        right,
        ("-5s", "0s"),
        {
            "spread": ("spread", "mean"),
            "n": ("bid_price", "count"),
            "low": ("bid_price", "min"),
            "std": ("bid_price", "std"),
        },
    ).to_dicts()
    con = duckdb.connect(config={"threads": 1})
    con.register("l", left.append_column("row", pa.array(range(500))))
    con.register("r", right)
    want = con.execute(
        "SELECT avg(ask_price - bid_price), count(bid_price), min(bid_price), "
        "stddev_samp(bid_price) FROM l LEFT JOIN r "
        f"ON r.ts_ns BETWEEN l.ts_ns - {5 * SECOND} AND l.ts_ns "
        "GROUP BY row ORDER BY row"
    ).fetchall()
    for row, (spread, n, low, std) in zip(got, want, strict=True):
        assert (row["n"], row["low"]) == (n, low)
        assert row["spread"] == (spread and pytest.approx(spread, rel=1e-12))
        assert row["std"] == (std if std is None else pytest.approx(std, rel=1e-7, abs=1e-9))


def test_rolling_is_that_of_pandas():
    table = trades(5000)
    frame = table.to_pandas()
    names = ["mean", "std", "min", "max", "sum"]
    got = lamina.rolling(table, "50tick", "price", names, min_values=50).to_pandas()
    for name in names:
        want = getattr(frame["price"].rolling(50), name)()
        assert np.allclose(got[f"price_{name}"], want, rtol=1e-9, equal_nan=True), name
    indexed = frame.set_index(pd.to_datetime(frame["ts_ns"], utc=True))["price"]
    got = lamina.rolling(table, "30s", "price", names).to_pandas()
    for name in names:
        want = getattr(indexed.rolling("30s"), name)()
        assert np.allclose(got[f"price_{name}"], want, rtol=1e-7, atol=1e-9, equal_nan=True), name


def test_merge_is_a_stable_sort():
    parts = [trades(2000, seed, start=0) for seed in range(7)]
    got = lamina.merge(parts).to_arrow()
    assert got.num_rows == 14_000
    frame = pd.concat([part.to_pandas() for part in parts]).sort_values("ts_ns", kind="stable")
    for name in got.column_names:
        assert got[name].to_pylist() == frame[name].tolist()


def test_running_vwap_and_volume_profile():
    table = trades(3000)
    frame = table.to_pandas()
    want = (frame["price"] * frame["size"]).cumsum() / frame["size"].cumsum()
    got = lamina.running_vwap(table).to_pandas()["vwap"]
    assert np.allclose(got, want, rtol=1e-12, equal_nan=True)
    profile = lamina.volume_profile(table, 0.01).to_pandas()
    want = frame.groupby((frame["price"] * 100).round().astype(int))["size"].agg(["sum", "count"])
    assert profile["volume"].tolist() == want["sum"].tolist()
    assert profile["n_ticks"].tolist() == want["count"].tolist()


@pytest.mark.parametrize("library", ["pyarrow", "polars", "pandas", "duckdb", "lamina", "dict"])
def test_every_library_gives_the_same_bars(library):
    table = trades(1000)
    makers = {
        "pyarrow": lambda: table,
        "polars": lambda: pl.DataFrame(table),
        "pandas": lambda: table.to_pandas(),
        "duckdb": lambda: duckdb.from_arrow(table),
        "lamina": lambda: lamina.Table(table),
        "dict": lambda: {name: table[name].to_numpy() for name in table.column_names},
    }
    bars = lamina.resample(makers[library](), "1m").to_arrow()
    assert bars.equals(lamina.resample(table, "1m").to_arrow())


@pytest.mark.parametrize(
    "unit,zone", [("s", None), ("ms", "UTC"), ("us", "Asia/Tokyo"), ("ns", None)]
)
def test_timestamps_of_every_unit(unit, zone):
    seconds = [0, 61, 62, 200]
    stamps = pa.array([s * SECOND for s in seconds], pa.timestamp("ns")).cast(
        pa.timestamp(unit, zone)
    )
    bars = lamina.resample({"timestamp": stamps, "price": [1.0, 2.0, 3.0, 4.0]}, "1m").to_arrow()
    assert bars["timestamp"].cast("int64").to_pylist() == [0, 60 * SECOND, 180 * SECOND]
    assert bars["timestamp"].type == pa.timestamp("ns", "UTC")


def test_a_stream_is_read_batch_by_batch():
    table = trades(5000)
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=7))
    bars = lamina.resample(reader, "100tick").to_arrow()
    assert bars.equals(lamina.resample(table, "100tick").to_arrow())
    assert bars["n_ticks"].to_pylist() == [100] * 50


def test_clear_errors():
    table = trades(10)
    with pytest.raises(lamina.InvalidArgument, match="<n>month"):
        lamina.resample(table, "1minute")
    with pytest.raises(lamina.InvalidArgument, match="row 1 is out of order"):
        lamina.resample({"ts_ns": [2, 1], "price": [1.0, 1.0]}, "1m")
    with pytest.raises(lamina.InvalidArgument, match="right row 1 is out of order"):
        lamina.asof(table, {"ts_ns": [2, 1], "x": [1.0, 1.0]})
    with pytest.raises(lamina.InvalidArgument, match="there are: ts_ns, price, size"):
        lamina.resample(table, "1m", price="last_price")
    with pytest.raises(lamina.InvalidArgument, match="negative size"):
        lamina.resample({"ts_ns": [1], "price": [1.0], "size": [-1]}, "1m")
    with pytest.raises(lamina.InvalidArgument, match="known: both"):
        lamina.window_join(table, table, ("-1s", "0s"), {}, closed="no")
    with pytest.raises(lamina.InvalidArgument, match="<n>ns"):
        lamina.asof(table, table, tolerance="1 second")
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        lamina.resample([1, 2, 3], "1m")


def test_spans_may_be_timedeltas():
    table = trades(100)
    a = lamina.asof(table, quotes(), tolerance=dt.timedelta(milliseconds=1500)).to_arrow()
    b = lamina.asof(table, quotes(), tolerance=1_500_000_000).to_arrow()
    c = lamina.asof(table, quotes(), tolerance="1500ms").to_arrow()
    assert a.equals(b) and b.equals(c)


def test_keys_are_equal_when_their_values_are():
    quote = pa.table({"ts_ns": [1], "cid": [7], "bid": [1.0]})
    for kind in ("int8", "int16", "int32", "uint8", "uint64"):
        left = pd.DataFrame({"ts_ns": [5], "cid": np.array([7], kind)})
        assert lamina.asof(left, quote, by="cid").to_dicts()[0]["bid"] == 1.0, kind
    with pytest.raises(lamina.InvalidArgument, match="key column 0"):
        lamina.asof({"ts_ns": [5], "cid": ["7"]}, quote, by="cid")
    big = pa.table({"ts_ns": [5], "cid": pa.array([2**63], pa.uint64())})
    low = pa.table({"ts_ns": [1], "cid": [-(2**63)], "bid": [1.0]})
    assert lamina.asof(big, low, by="cid").to_dicts()[0]["bid"] is None


def test_spans_keep_their_nanoseconds():
    left, right = {"ts_ns": [150]}, {"ts_ns": [100], "v": [1.0]}
    for span in (pd.Timedelta(60, "ns"), np.timedelta64(60, "ns"), 60, "60ns"):
        assert lamina.asof(left, right, tolerance=span).to_dicts()[0]["v"] == 1.0, span
    for span in (1.9, True, 2**64, None):
        with pytest.raises(lamina.InvalidArgument):
            lamina.window_join(left, right, (0, span), {"n": ("v", "count")})


def test_chunks_without_rows_anywhere():
    values = pa.array([1, 2, 3])
    left = pa.table({"ts_ns": pa.chunked_array([values.slice(2, 0), values.slice(2, 1)])})
    assert lamina.asof(left, {"ts_ns": [1], "y": [1]}).to_dicts() == [{"ts_ns": 3, "y": 1}]
    empty = {"ts_ns": [], "price": [], "size": []}
    assert len(lamina.resample(empty, "1m")) == 0
    assert len(lamina.running_vwap(empty)) == 0
    assert len(lamina.volume_profile(empty, 1.0)) == 0
    assert len(lamina.rolling(empty, "5m", "price")) == 0
    assert len(lamina.asof(empty, {"ts_ns": [1], "y": [1]})) == 0


def test_merge_refuses_two_columns_of_one_name():
    twice = pa.table([[1], [1], [2]], ["ts_ns", "a", "a"])
    with pytest.raises(lamina.InvalidArgument, match="`a` is there 2 times"):
        lamina.merge([twice])


def test_rows_that_no_calendar_knows_are_refused():
    for stamp in ("1999-12-31T14:59", "2031-01-02T15:00"):
        ticks = {"ts_ns": [pd.Timestamp(stamp, tz="UTC").value], "price": [1.0]}
        for calendar in ("24/7", "XNYS", "FOREX", "CMES", "XTKS"):
            with pytest.raises(lamina.InvalidArgument, match="outside the calendar"):
                lamina.resample(ticks, "1d", calendar=calendar)
        assert len(lamina.resample(ticks, "1d", zone="America/New_York")) == 1
    ticks = {"ts_ns": [pd.Timestamp("1999-12-31T16:00", tz="UTC").value], "price": [1.0]}
    (bar,) = lamina.resample(ticks, "2d", zone="Asia/Tokyo").to_dicts()
    assert bar["timestamp"] == pd.Timestamp("1999-12-30T15:00", tz="UTC")


def test_bars_of_own_hours():
    own = lamina.calendar("XNYS").with_trading_hours("20240708:1000-20240708:1100")
    minutes = pd.date_range("2024-07-08T13:30", periods=390, freq="1min", tz="UTC")
    ticks = {"timestamp": minutes, "price": np.ones(390), "size": np.ones(390)}
    (bar,) = lamina.resample(ticks, "1h", calendar=own).to_dicts()
    assert (bar["timestamp"], bar["n_ticks"]) == (minutes[30], 60)
    assert lamina.running_vwap(ticks, calendar=own).to_pandas()["vwap"].notna().sum() == 60
    with pytest.raises(lamina.InvalidArgument):
        lamina.resample(ticks, "1h", calendar="")


def test_decimals_are_the_nearest_doubles():
    from decimal import Decimal

    rng = random.Random(5)
    for scale in range(1, 12):
        prices = [Decimal(rng.randrange(-(10**15), 10**15)).scaleb(-scale) for _ in range(200)]
        table = pa.table({"ts_ns": range(200), "price": pa.array(prices, pa.decimal128(38, scale))})
        bars = lamina.resample(table, "1tick").to_dicts()
        assert [bar["open"] for bar in bars] == [float(price) for price in prices]


def test_rolling_ends_need_as_many_values():
    rows = {"ts_ns": [1, 2, 3], "x": [1.0, 2.0, 3.0]}
    got = lamina.rolling(rows, "3tick", "x", ["first", "last", "sum"], min_values=3).to_dicts()
    assert [row["x_first"] for row in got] == [None, None, 1.0]
    assert [row["x_last"] for row in got] == [None, None, 3.0]
    with pytest.raises(lamina.InvalidArgument):
        lamina.rolling(rows, "3tick", "x", min_values=-1)
