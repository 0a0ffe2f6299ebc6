"""Backtests from frames: every kind of input, the metrics against numpy, pandas and empyrical, the
way into a store and out again, and what is refused."""

import datetime as dt
import math
import pickle

import bundles
import empyrical
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import reference_metrics

import lamina

DAYS = 500


def equity_frame(days=DAYS, seed=3, start="2022-01-01") -> pd.DataFrame:
    steps = np.random.default_rng(seed).normal(0.0005, 0.01, days)
    index = pd.date_range(start, periods=days, freq="D", tz="UTC")
    return pd.DataFrame({"ts": index, "total_value": 10_000 * np.exp(np.cumsum(steps))})


def trade_frame(rows=12, start="2022-01-03") -> pd.DataFrame:
    random = np.random.default_rng(5)
    entry = pd.date_range(start, periods=rows, freq="20D", tz="UTC")
    price = 100 + random.normal(0, 5, rows)
    exit_price = price * (1 + random.normal(0.01, 0.05, rows))
    size = random.uniform(1, 10, rows)
    return pd.DataFrame(
        {
            "symbol": ["A", "B"] * (rows // 2),
            "entry_time": entry,
            "exit_time": entry + pd.to_timedelta(random.integers(24, 300, rows), unit="h"),
            "entry_price": price,
            "exit_price": exit_price,
            "size": size,
            "fees": 0.5,
            "pnl": size * (exit_price - price) - 0.5,
        }
    )


def make(**options) -> lamina.Backtest:
    given = {"algorithm_id": "alg", "snapshots": equity_frame(), "trades": trade_frame()}
    return lamina.Backtest.from_frames(**(given | options))


def without_index(frame: pd.DataFrame) -> dict[str, list]:
    return {name: frame[name].tolist() for name in frame.columns}


class OnlyStream:
    """What speaks the protocol and nothing else."""

    def __init__(self, frame):
        self._table = pa.table(frame)

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


KINDS = {
    "pandas": lambda frame: frame,
    "pandas with a time index": lambda frame: frame.set_index(frame.columns[0]),
    "polars": pl.from_pandas,
    "pyarrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "lamina": lambda frame: lamina.Table(pa.Table.from_pandas(frame, preserve_index=False)),
    "dict of lists": without_index,
    "dict of arrays": lambda frame: {name: frame[name].to_numpy() for name in frame.columns},
    "list of dicts": lambda frame: frame.to_dict("records"),
    "stream": lambda frame: OnlyStream(pa.Table.from_pandas(frame, preserve_index=False)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_gives_the_same_document(kind):
    snapshots, trades = KINDS[kind](equity_frame()), KINDS[kind](trade_frame())
    assert make(snapshots=snapshots, trades=trades).document() == make().document()


def test_a_series_of_values_by_time():
    frame = equity_frame()
    series = pd.Series(frame["total_value"].to_numpy(), index=pd.DatetimeIndex(frame["ts"]))
    assert make(snapshots=series).document() == make().document()


def test_names_of_other_engines():
    trades = trade_frame().rename(
        columns={
            "entry_time": "Entry Timestamp",
            "exit_time": "Exit Timestamp",
            "entry_price": "Avg Entry Price",
            "exit_price": "Avg Exit Price",
            "size": "Size",
            "pnl": "PnL",
            "symbol": "Column",
        }
    )
    snapshots = equity_frame().rename(columns={"ts": "Date", "total_value": "Equity"})
    assert make(snapshots=snapshots, trades=trades).document() == make().document()


@pytest.mark.parametrize(
    "times",
    [
        ["2022-01-01", "2022-01-02T00:00:00", "2022-01-03 01:00:00+01:00"],
        [dt.datetime(2022, 1, 1), dt.datetime(2022, 1, 2), dt.datetime(2022, 1, 3)],
        [dt.date(2022, 1, 1), dt.date(2022, 1, 2), dt.date(2022, 1, 3)],
        [1640995200_000000000, 1641081600_000000000, 1641168000_000000000],
        np.array(["2022-01-01", "2022-01-02", "2022-01-03"], "datetime64[D]"),
        pd.date_range("2022-01-01", periods=3, tz="UTC").tz_convert("Asia/Tokyo"),
        pd.date_range("2022-01-01", periods=3).astype("datetime64[s]"),
    ],
    ids=["text", "naive", "dates", "nanoseconds", "numpy", "zone", "seconds"],
)
def test_spellings_of_times(times):
    backtest = make(snapshots={"ts": times, "total_value": [1.0, 2, 3]}, trades=None)
    wanted = pd.date_range("2022-01-01", periods=3, tz="UTC")
    found = backtest.runs[0].equity_curve().to_pandas()
    assert list(found["ts"]) == list(wanted)
    assert list(found["value"]) == [1, 2, 3]


@pytest.mark.shared
def test_the_document_is_one_of_version_2(shared):
    (ours,) = bundles_runs(make())
    golden = shared / "data" / "bundles" / "golden" / "v2_8.10.0" / "windows3_full.iafbt"
    theirs = bundles.document(golden)
    assert [key for key in make().document() if key != "ohlcv"] == [
        key for key in theirs if key != "ohlcv"
    ]
    their_run = bundles.runs(golden)[0]
    assert list(ours) == list(their_run)
    assert list(ours["backtest_metrics"]) == list(their_run["backtest_metrics"])
    for table in ("portfolio_snapshots", "trades"):
        assert list(ours[table][0]) == list(their_run[table][0]), table
    assert list(make().document()["vector_metrics"]) == list(theirs["vector_metrics"])


def bundles_runs(backtest):
    return backtest.document()["vector_runs"]


def test_metrics_against_numpy_and_pandas():
    frame, trades = equity_frame(), trade_frame()
    value = frame["total_value"].to_numpy()
    returns = value[1:] / value[:-1] - 1
    metrics = make(risk_free_rate=0.02).runs[0].metrics
    growth = value[-1] / value[0]
    days = DAYS - 1
    peak = np.maximum.accumulate(value)
    expected = {
        "final_value": value[-1],
        "total_net_gain": value[-1] - value[0],
        "total_net_gain_percentage": growth - 1,
        "cumulative_return": growth - 1,
        "cagr": growth ** (365 / days) - 1,
        "sharpe_ratio": (returns.mean() * 365 - 0.02) / (returns.std(ddof=1) * math.sqrt(365)),
        "annual_volatility": np.log1p(returns).std(ddof=1) * math.sqrt(365),
        "max_drawdown": ((peak - value) / peak).max(),
        "win_rate": (trades["pnl"] > 0).mean(),
        "profit_factor": trades["pnl"].clip(lower=0).sum() / -trades["pnl"].clip(upper=0).sum(),
        "average_trade_return": trades["pnl"].mean(),
        "average_trade_size": (trades["size"] * trades["entry_price"]).mean(),
        "trades_per_year": len(trades) / (days / 365.25),
        "average_trade_duration": (
            (trades["exit_time"] - trades["entry_time"]).dt.total_seconds() / 3600
        ).mean(),
    }
    monthly = frame.set_index("ts")["total_value"].resample("ME").last().pct_change().dropna()
    expected["var_95"] = monthly.quantile(0.05)
    expected["cvar_95"] = monthly[monthly <= monthly.quantile(0.05)].mean()
    for name, wanted in expected.items():
        assert metrics[name] == pytest.approx(wanted, rel=1e-9), name


def test_metrics_against_empyrical():
    frame = equity_frame()
    returns = frame.set_index("ts")["total_value"].pct_change().dropna()
    metrics = make().runs[0].metrics
    assert metrics["max_drawdown"] == pytest.approx(-empyrical.max_drawdown(returns), rel=1e-9)
    sharpe = empyrical.sharpe_ratio(returns, annualization=365)
    assert metrics["sharpe_ratio"] == pytest.approx(sharpe, rel=1e-9)
    assert metrics["cumulative_return"] == pytest.approx(empyrical.cum_returns_final(returns))


def test_series_of_the_run():
    frame = equity_frame()
    run = make().runs[0]
    value = frame["total_value"]
    assert list(run.series("equity_curve").to_pandas()["value"]) == list(value)
    drawdown = run.series("drawdown_series").to_pandas()["value"]
    np.testing.assert_allclose(drawdown, value / value.cummax() - 1, rtol=1e-9, atol=1e-15)
    cumulative = run.series("cumulative_return_series").to_pandas()["value"]
    np.testing.assert_allclose(cumulative, value / value[0] - 1, rtol=1e-9, atol=1e-15)
    monthly = frame.set_index("ts")["total_value"].resample("ME").last().pct_change().dropna()
    np.testing.assert_allclose(run.series("monthly_returns").to_pandas()["value"], monthly)


def test_round_trip_through_a_store(tmp_path):
    backtest = make(
        parameters={"fast": 3, "nested": {"x": [1, None]}}, tag="a tag", metadata={"who": "me"}
    )
    with lamina.open(tmp_path / "store", create=True) as store:
        assert store.backtests.put(backtest) == "alg"
        assert store.backtests.put(backtest) == "alg"  # the same document again is fine
        stored = store.backtests["alg"]
        assert stored.document() == backtest.document()
        assert stored.parameters == {"fast": 3, "nested": {"x": [1, None]}}
        assert stored.summary == backtest.summary
        assert not [one for one in stored.summary.disagreements if one.counted]
        run = backtest.document()["vector_runs"][0]
        ours = reference_metrics.pooled([run], 0.0)
        for name, value in stored.summary.validated.items():
            if name in ours and value is not None:
                assert value == pytest.approx(ours[name], rel=1e-9), name
        for version in (1, 2, 5):
            path = tmp_path / f"{version}.iafbt"
            stored.export(path, format_version=version, level=3)
            assert bundles.version(path) == version
            assert len(bundles.runs(path)) == 1
        assert lamina.read_bundle(tmp_path / "2.iafbt") == backtest.document()
        assert bundles.document(tmp_path / "2.iafbt") == backtest.document()
        assert store.verify(deep=True)


def test_without_a_store(tmp_path):
    backtest = make()
    assert (backtest.handle, backtest.algorithm_id, backtest.engine_type) == (
        "alg",
        "alg",
        "vector",
    )
    assert backtest.trades().num_rows == 12
    assert backtest.snapshots().num_rows == DAYS
    report = backtest.export(tmp_path / "x.iafbt", level=1)
    assert (report.format_version, report.level) == (2, 1)
    assert lamina.read_bundle(tmp_path / "x.iafbt") == backtest.document()
    again = pickle.loads(pickle.dumps(backtest))
    assert again.document() == backtest.document()
    lamina.write_bundle(backtest.document(), tmp_path / "y.obtf", format_version=5, level=1)
    assert bundles.version(tmp_path / "y.obtf") == 5
    with pytest.raises(lamina.InvalidArgument):
        lamina.write_bundle(backtest.document(), tmp_path / "z", format_version=4)
    assert not (tmp_path / "z").exists()
    folder = lamina.LocalDirStore(tmp_path / "folder", level=1)
    assert folder.put(backtest) == "alg"
    assert folder.get("alg").document() == backtest.document()


def test_what_was_not_given_is_none():
    of_trades = ("profit_factor", "win_rate", "exposure_ratio", "number_of_trades", "best_trade")
    (bare,) = bundles_runs(make(trades=None))
    for name in (*of_trades, "trades_per_year", "average_trade_size", "total_loss"):
        assert bare["backtest_metrics"][name] is None, name
    assert bare["backtest_metrics"]["sharpe_ratio"] is not None
    assert (bare["number_of_trades"], bare["trades"]) == (0, [])
    summary = make(trades=None).summary
    assert summary.win_rate is None and summary.number_of_trades is None
    assert summary.cagr is not None and summary.number_of_windows == 1

    (none,) = bundles_runs(make(trades=trade_frame().iloc[:0]))
    assert none["backtest_metrics"]["number_of_trades"] == 0
    assert none["backtest_metrics"]["win_rate"] == 0.0

    (without_size,) = bundles_runs(make(trades=trade_frame()[["entry_time", "exit_time", "pnl"]]))
    assert without_size["backtest_metrics"]["average_trade_return_percentage"] is None
    assert without_size["backtest_metrics"]["average_trade_size"] is None
    assert without_size["backtest_metrics"]["win_rate"] is not None

    (only_times,) = bundles_runs(make(trades=trade_frame()[["entry_time", "exit_time"]]))
    assert only_times["backtest_metrics"]["win_rate"] is None
    assert only_times["backtest_metrics"]["number_of_trades"] == 12

    no_rate = make(risk_free_rate=None)
    assert no_rate.summary.sharpe_ratio is None and no_rate.summary.sortino_ratio is None
    assert no_rate.document()["risk_free_rate"] is None


def test_gains_from_prices_sides_and_fees():
    trades = {
        "entry_time": ["2022-01-02", "2022-01-03"],
        "exit_time": ["2022-01-04", "2022-01-05"],
        "entry_price": [100, 100],
        "exit_price": [110, 110],
        "size": [2, 3],
        "side": ["long", "SHORT"],
        "entry_fees": [1.0, 0.5],
        "exit_fees": [1.0, 0.5],
    }
    records = bundles_runs(make(trades=trades))[0]["trades"]
    assert [one["net_gain"] for one in records] == [18.0, -31.0]
    assert records[1]["metadata"] == {"side": "short", "fees": 1.0}
    assert [one["cost"] for one in records] == [200, 300]


def test_open_trades_count_by_their_mark():
    trades = {
        "entry_time": ["2022-01-02", "2022-01-03"],
        "exit_time": ["2022-01-04", None],
        "entry_price": [100.0, 100.0],
        "last_price": [None, 120.0],
        "size": [1.0, 2.0],
        "pnl": [-5.0, 40.0],
    }
    (run,) = bundles_runs(make(trades=trades))
    assert (run["number_of_trades_closed"], run["number_of_trades_open"]) == (1, 1)
    metrics = run["backtest_metrics"]
    assert (metrics["win_rate"], metrics["current_win_rate"]) == (0.0, 0.5)
    assert metrics["best_trade"] == run["trades"][1]
    assert run["trades"][1]["status"] == "OPEN"
    assert run["trades"][1]["net_gain"] == 0.0  # nothing is realised yet
    # vectorbt stamps open trades with the last bar, and says so in a status
    closed_by_name = trades | {
        "exit_time": ["2022-01-04", "2022-02-01"],
        "status": ["Closed", "Open"],
    }
    assert bundles_runs(make(trades=closed_by_name))[0]["trades"][1]["closed_at"] is None


def test_orders_positions_and_what_is_unknown():
    trades = trade_frame().assign(id=[f"t{i}" for i in range(12)], note="x")
    orders = {
        "ts": ["2022-01-03", "2022-01-20"],
        "symbol": ["A", "A"],
        "side": ["Buy", "Sell"],
        "price": [100.0, 101.0],
        "size": [1.0, 1.0],
        "fees": [0.1, 0.1],
        "trade_id": ["t0", "t0"],
    }
    snapshots = equity_frame().assign(cash=5.0, leverage=1.5)
    backtest = make(
        snapshots=snapshots,
        trades=trades,
        orders=orders,
        positions={"symbol": ["A"], "amount": [-1.0], "cost": [10.0]},
    )
    (run,) = bundles_runs(backtest)
    assert [one["order_side"] for one in run["orders"]] == ["BUY", "SELL"]
    assert run["trades"][0]["orders"] == run["orders"]
    assert run["trades"][0]["metadata"]["note"] == "x"
    assert run["symbols"] == ["A", "B"]
    assert run["portfolio_snapshots"][0]["unallocated"] == 5.0
    assert run["recorded_values"]["leverage"][0] == {
        "datetime": "2022-01-01T00:00:00+00:00",
        "value": 1.5,
    }
    assert backtest.positions().to_dicts()[0]["amount"] == -1.0
    with pytest.raises(lamina.InvalidArgument, match="no id of trades"):
        make(trades=trades, orders=orders | {"trade_id": ["t0", "nobody"]})


def test_deposits():
    frame = equity_frame(40).assign(cash_flow=0.0)
    frame.loc[20:, "total_value"] += 5_000
    frame.loc[20, "cash_flow"] = 5_000
    run = make(snapshots=frame, trades=None).runs[0]
    twr = run.series("twr_equity_curve").to_pandas()["value"]
    assert twr.iloc[20] / twr.iloc[19] - 1 < 0.1
    assert run.metrics["total_net_gain"] > 4_000  # the format counts deposits as gain


def test_several_windows(tmp_path):
    parts = [
        equity_frame(90, seed, start).assign(window=name)
        for seed, start, name in [
            (1, "2022-01-01", "a"),
            (2, "2022-04-01", "b"),
            (3, "2023-01-01", "c"),
        ]
    ]
    trades = trade_frame().assign(window=["a"] * 6 + ["b"] * 6)
    backtest = make(snapshots=pd.concat(parts), trades=trades)
    assert [run["backtest_date_range_name"] for run in bundles_runs(backtest)] == ["a", "b", "c"]
    summary = backtest.summary
    drawdowns = [run.metrics["max_drawdown"] for run in backtest.runs]
    assert summary.max_drawdown == max(drawdowns)  # not of the mildest window
    assert (summary.number_of_windows, summary.number_of_windows_with_trades) == (3, 2)
    assert summary.return_consistency is not None
    with lamina.open(tmp_path / "store", create=True) as store:
        store.backtests.put(backtest)
        assert store.backtests["alg"].summary.validated["max_drawdown"] == pytest.approx(
            max(drawdowns)
        )
        windows = store.backtests.series("alg").to_pandas()["window"]
        assert list(windows.unique()) == ["a", "b", "c"]
    with pytest.raises(lamina.InvalidArgument, match="several windows"):
        make(snapshots=pd.concat(parts))
    with pytest.raises(lamina.InvalidArgument, match="no window 'z'"):
        make(snapshots=pd.concat(parts), trades=trade_frame().assign(window="z"))


def test_the_window():
    run = make(window=("w", "2021-12-31", dt.date(2023, 12, 31))).runs[0]
    assert run.window == "w"
    assert run.start == dt.datetime(2021, 12, 31, tzinfo=dt.UTC)
    assert run.end == dt.datetime(2023, 12, 31, tzinfo=dt.UTC)
    assert make(window="only a name").runs[0].window == "only a name"
    assert make(engine_type=None).document()["backtest_runs"]
    assert make(engine_type="event").engine_type == "event"


FLAT = {"ts": ["2022-01-01", "2022-01-02", "2022-01-03"], "total_value": [100.0, 100.0, 100.0]}


def test_a_flat_curve_and_a_ruin():
    (flat,) = bundles_runs(make(snapshots=FLAT, trades=None))
    assert math.isnan(flat["backtest_metrics"]["sharpe_ratio"])  # as the format records it
    assert flat["backtest_metrics"]["max_drawdown"] == 0
    (ruin,) = bundles_runs(make(snapshots=FLAT | {"total_value": [100, 50, 0]}, trades=None))
    assert ruin["backtest_metrics"]["max_drawdown_absolute"] == 100


TRADE = {"entry_time": ["2022-01-02"], "exit_time": ["2022-01-03"], "pnl": [1.0]}
REFUSED = {
    "NaN": (FLAT | {"total_value": [1.0, math.nan, 2]}, None, r"'total_value', row 1: is NaN"),
    "infinite": (FLAT | {"total_value": [1.0, 2, math.inf]}, None, r"row 2: is inf"),
    "missing value": (FLAT | {"total_value": [1.0, None, 2]}, None, r"row 1: is missing"),
    "missing time": (FLAT | {"ts": ["2022-01-01", None, "2022-01-03"]}, None, r"'ts', row 1"),
    "unsorted": (
        FLAT | {"ts": ["2022-01-02", "2022-01-01", "2022-01-03"]},
        None,
        r"row 1: .*before",
    ),
    "duplicate": (
        FLAT | {"ts": ["2022-01-01", "2022-01-02", "2022-01-02"]},
        None,
        r"row 2: .*same time",
    ),
    "no equity": (
        {"ts": ["2022-01-01"], "x": [1]},
        None,
        r"no column 'total_value'.*its columns are ts, x",
    ),
    "no time": ({"total_value": [1.0, 2]}, None, r"no column 'ts'"),
    "text": (FLAT | {"total_value": ["a", "b", "c"]}, None, r"'total_value' holds string"),
    "not a time": (
        FLAT | {"ts": ["yesterday", "2022-01-02", "2022-01-03"]},
        None,
        r"row 0: 'yesterday'",
    ),
    "nanoseconds": (FLAT | {"ts": [1, 2000, 3000]}, None, r"row 0: has nanoseconds"),
    "year": (FLAT | {"ts": [dt.datetime(1, 1, 1)] * 3}, None, r"year"),
    "one row": ({"ts": ["2022-01-01"], "total_value": [1.0]}, None, r"have one row"),
    "no rows": ({"ts": [], "total_value": []}, None, r"no rows"),
    "lengths": ({"ts": ["2022-01-01"], "total_value": [1.0, 2]}, None, r"snapshots cannot be read"),
    "two names": (FLAT | {"equity": [1.0, 2, 3]}, None, r"'total_value' and 'equity'"),
    "no frame": (7, None, r"snapshots is a int"),
    "size": (FLAT, TRADE | {"size": [-1.0]}, r"trades, column 'size', row 0: is -1.0"),
    "price": (FLAT, TRADE | {"entry_price": [math.inf]}, r"'entry_price', row 0: is inf"),
    "backwards": (FLAT, TRADE | {"exit_time": ["2022-01-01"]}, r"row 0: opened .* after it closed"),
    "no entry": (FLAT, {"pnl": [1.0]}, r"trades has no column 'entry_time'"),
    "entry": (FLAT, TRADE | {"entry_time": [None]}, r"'entry_time', row 0: is missing"),
    "no pnl": (
        FLAT,
        {"entry_time": ["2022-01-02"] * 2, "exit_time": ["2022-01-03"] * 2, "pnl": [1.0, None]},
        r"'pnl', row 1: is missing",
    ),
    "side": (FLAT, TRADE | {"side": ["up"]}, r"'side', row 0: is 'up'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_frames_are_refused_by_column_and_row(case):
    snapshots, trades, message = REFUSED[case]
    with pytest.raises(lamina.InvalidArgument, match=message):
        make(snapshots=snapshots, trades=trades)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"algorithm_id": ""}, "algorithm_id"),
        ({"engine_type": "other"}, "engine_type"),
        ({"risk_free_rate": math.nan}, "risk_free_rate"),
        ({"parameters": {1: 2}}, "key 1 is not text"),
        ({"parameters": {"x": object()}}, r"parameters\.x is a object"),
        ({"window": 5}, "window"),
        ({"window": ("2023-01-01", "2022-01-01")}, "before it starts"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(lamina.InvalidArgument, match=message):
        make(**options)


def test_numpy_values_in_parameters():
    given = {
        "n": np.int64(3),
        "x": np.float64(0.5),
        "grid": np.arange(3),
        "at": dt.date(2022, 1, 1),
    }
    assert make(parameters=given).parameters == {
        "n": 3,
        "x": 0.5,
        "grid": [0, 1, 2],
        "at": "2022-01-01",
    }


def test_by_engine_and_the_index_row():
    backtest = make(tag="t", parameters={"fast": 3})
    assert len(backtest.vector_runs) == 1 and backtest.event_runs == []
    assert backtest.vector_metrics == backtest.summary == backtest.scalar_summary()
    assert backtest.event_metrics is None
    row = backtest.index_row()
    assert (row.algorithm_id, row.tag, row.bundle_path) == ("alg", "t", "alg")
    assert (row.engine_type, row.parameters) == ("vector", {"fast": 3})
    assert row.summary_metrics == backtest.summary
    assert lamina.BacktestIndexRow.from_flat_dict(row.to_flat_dict()) == row
    assert backtest.index_row("a/b.iafbt").bundle_path == "a/b.iafbt"
    assert dict(backtest.ohlcv) == {}


@pytest.mark.shared
def test_price_frames_of_a_bundle(shared, tmp_path):
    folder = shared / "data" / "bundles" / "golden"
    for path in sorted(folder.rglob("*.iafbt")):
        manifest = (lamina.read_bundle(path).get("ohlcv") or {}).get("manifest")
        if manifest:
            break
    loose = lamina.LocalDirStore(path.parent, create=False).get(path.stem)
    with lamina.open(tmp_path / "store", create=True) as store:
        store.backtests.import_(path)
        stored = store.backtests[path.stem]
        assert list(stored.ohlcv) == list(loose.ohlcv) == list(manifest)
        for key, frame in stored.ohlcv.items():
            assert frame.num_rows > 0
            assert frame.to_arrow().equals(loose.ohlcv[key].to_arrow())
        with pytest.raises(KeyError):
            stored.ohlcv["nothing"]
