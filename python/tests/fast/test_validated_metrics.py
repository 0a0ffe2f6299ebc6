"""Validated metrics against numpy and pandas, and against a well-known performance library."""

import json
import math
import shutil
import struct
import tarfile
from pathlib import Path

import bundles
import empyrical
import msgpack
import numpy as np
import pandas as pd
import pytest
import reference_metrics as reference
import scipy.stats
import zstandard

import lamina

RATE = 0.03


# --- bundles of our own


def snapshot(ts: pd.Timestamp, value: float, flow: float = 0.0) -> dict:
    zeros = ("pending_value", "unallocated", "total_net_gain", "total_revenue", "total_cost")
    return {
        "metadata": {},
        "portfolio_id": "p",
        "trading_symbol": "EUR",
        **dict.fromkeys(zeros, 0.0),
        "cash_flow": flow,
        "net_size": 0.0,
        "created_at": ts.isoformat(),
        "total_value": value,
    }


def trade(opened: pd.Timestamp, hours: float, gain: float, status: str = "CLOSED") -> dict:
    closed = (opened + pd.Timedelta(hours=hours)).isoformat() if status == "CLOSED" else None
    return {
        "id": None,
        "orders": [],
        "target_symbol": "BTC",
        "trading_symbol": "EUR",
        "status": status,
        "amount": 1.0,
        "opened_at": opened.isoformat(),
        "closed_at": closed,
        "net_gain": gain,
    }


def run(times, values, flows=None, trades=(), metrics=None) -> dict:
    flows = np.zeros(len(values)) if flows is None else flows
    rows = [snapshot(*row) for row in zip(times, values, flows, strict=True)]
    start, end = (min(times), max(times)) if len(times) else (pd.Timestamp("2024-01-01"),) * 2
    return {
        "backtest_metrics": metrics,
        "backtest_start_date": start.isoformat(),
        "backtest_end_date": end.isoformat(),
        "trading_symbol": "EUR",
        "initial_unallocated": 1000,
        "portfolio_snapshots": rows,
        "trades": list(trades),
        "orders": [],
        "positions": [],
    }


def write(path: Path, runs: list[dict], *, rate=RATE, summary=None) -> None:
    document = {
        "format_version": 2,
        "engine_type": "vector",
        "algorithm_id": path.stem,
        "risk_free_rate": rate,
        "vector_runs": runs,
        "vector_metrics": summary,
    }
    packed = zstandard.ZstdCompressor(level=1).compress(msgpack.packb(document))
    path.write_bytes(b"IAFB" + struct.pack("<I", 2) + packed)


def walk(random, count: int, spread: float = 0.01) -> np.ndarray:
    return 1000 * np.exp(np.cumsum(random.normal(0.0003, spread, count)))


def hours(start: str, count: int, step: str = "1h") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=count, freq=step, tz="UTC")


def some_trades(random, times, count: int) -> list[dict]:
    out = []
    for _ in range(count):
        status = "OPEN" if random.random() < 0.2 else "CLOSED"
        gain = 0.0 if random.random() < 0.1 else float(random.normal(1, 20))
        opened = times[random.integers(len(times))]
        out.append(trade(opened, float(random.integers(0, 400)), gain, status))
    return out


def generated() -> dict[str, list[dict]]:
    """Names and runs: plain ones of several shapes, and every odd one."""
    random = np.random.default_rng(11)
    cases: dict[str, list[dict]] = {}
    for number in range(12):
        runs = []
        for window in range(int(random.integers(1, 5))):
            count = int(random.integers(2, 900))
            start = f"202{window}-0{number % 9 + 1}-03T{number:02}:30"
            times = hours(start, count, ["1h", "7h", "1D"][number % 3])
            runs.append(run(times, walk(random, count), trades=some_trades(random, times, number)))
        cases[f"plain{number}"] = runs
    weekdays = pd.bdate_range("2023-02-01", periods=300, tz="UTC")
    cases["weekdays"] = [run(weekdays, walk(random, 300), trades=some_trades(random, weekdays, 9))]
    times = hours("2024-01-01", 500, "3h")
    flows = np.zeros(500)
    flows[[0, 100, 333]] = [1000, 250, -90]
    cases["deposits"] = [run(times, walk(random, 500) + np.cumsum(flows) - 1000, flows)]
    order = random.permutation(500)
    cases["out_of_order"] = [run(times[order], walk(random, 500)[order])]
    doubled = times[:200].append(times[:200:2])
    cases["equal_times"] = [run(doubled, walk(random, 300))]
    cases["gaps"] = [run(times[::37], walk(random, len(times[::37])))]
    cases["before_1970"] = [run(hours("1969-11-20T05:00", 90, "9h"), walk(random, 90))]
    cases["constant"] = [run(times, np.full(500, 1000.0))]
    cases["constant_growth"] = [run(hours("2024-01-01", 60, "1D"), 1000 * 1.01 ** np.arange(60))]
    cases["rises"] = [run(hours("2024-01-01", 9, "1D"), 1000 + np.arange(9.0) ** 2)]
    cases["one_row"] = [run(times[:1], [1000.0])]
    cases["one_day"] = [run(hours("2024-01-01", 20), walk(random, 20))]
    cases["two_days"] = [run(hours("2024-01-01", 40), walk(random, 40))]
    cases["no_rows"] = [run([], [])]
    cases["no_runs"] = []
    for name, value in (("nan", math.nan), ("inf", math.inf), ("negative", -5.0), ("zero", 0.0)):
        values = walk(random, 500)
        values[250] = value
        cases[name] = [run(times, values), run(times, walk(random, 500))]
        ends = walk(random, 500)
        ends[-1] = value
        cases[f"{name}_at_end"] = [run(times, ends)]
    all_day = hours("2024-01-01", 500, "12h")
    held = walk(random, 500)
    held[300:] = 0
    cases["all_lost"] = [run(all_day, held)]
    cases["only_wins"] = [run(times, walk(random, 500), trades=[trade(times[0], 5, 3.0)])]
    cases["only_losses"] = [run(times, walk(random, 500), trades=[trade(times[0], 5, -3.0)])]
    cases["flat_and_not"] = [run(times, np.full(500, 9.0)), run(times, walk(random, 500))]
    cases["short_windows"] = [run(times[:3], walk(random, 3)), run(times[:5], walk(random, 5))]
    return cases


@pytest.fixture(scope="module")
def own_bundles(tmp_path_factory) -> tuple[lamina.Store, dict[str, list[dict]]]:
    folder = tmp_path_factory.mktemp("validated")
    cases = generated()
    (folder / "in").mkdir()
    for name, runs in cases.items():
        write(folder / "in" / f"{name}.iafbt", runs)
    with lamina.open(folder / "store", create=True) as store:
        report = store.backtests.import_(folder / "in")
        assert not report.failed, report.failed
        assert report.imported == len(cases)
        yield store, cases


# --- comparisons


def check(ours: dict, expected: dict[str, float], what: str) -> int:
    """Every metric, within what the order of sums may change. How many have a value."""
    assert set(expected) == set(ours), what
    values = 0
    for name, value in ours.items():
        wanted = expected[name]
        if value is None:
            assert not math.isfinite(wanted), f"{what} {name}: nothing instead of {wanted}"
        else:
            values += 1
            assert math.isclose(value, wanted, rel_tol=1e-8, abs_tol=1e-11), (
                f"{what} {name}: {value} instead of {wanted}"
            )
    return values


def test_generated_bundles_against_numpy_and_pandas(own_bundles):
    store, cases = own_bundles
    values = 0
    for name, runs in cases.items():
        summary = store.backtests[name].summary
        if not runs:
            assert all(value in (None, 0) for value in summary.validated.values())
            continue
        values += check(summary.validated, reference.pooled(runs, RATE), name)
        without = {key for key, value in summary.validated.items() if value is None}
        assert set(summary.reasons) == without, name
    assert values > 400


@pytest.mark.shared
def test_golden_and_real_bundles_against_numpy_and_pandas(tmp_path, shared):
    root = shared / "data" / "bundles"
    folders = [root / "golden", root / "real" / "v1_8.8.0", root / "real" / "v5_9.0.0a6"]
    files = [path for folder in folders for path in sorted(folder.rglob("*"))]
    files = [path for path in files if path.suffix in (".iafbt", ".obtf")]
    copies = tmp_path / "in"
    copies.mkdir()
    for number, path in enumerate(files):
        shutil.copy(path, copies / f"{number}{path.suffix}")
    values = 0
    with lamina.open(tmp_path / "store", create=True) as store:
        assert not store.backtests.import_(copies).failed
        for number, path in enumerate(files):
            runs = bundles.runs(path)
            for row in store.backtests[str(number)].index_rows:
                chosen = [one for one in runs if belongs(one, row, runs, path)]
                ours = json.loads(row["validated_json"])["metrics"]
                if chosen:
                    rate = row["risk_free_rate"]
                    values += check(ours, reference.pooled(chosen, rate), f"{path} {number}")
    assert values > 1500


def belongs(one: dict, row: dict, runs: list[dict], path: Path) -> bool:
    """Whether a run is about a row of the rank table."""
    top = bundles.document(path)
    for study_name, study in (top.get("studies") or {}).items():
        for engine in ("vector", "event"):
            for other in study.get(f"{engine}_runs") or []:
                if other == one and (study_name, engine) != (row["study_name"], row["engine_type"]):
                    return False
    for engine in ("vector", "event"):
        in_engine = isinstance(top.get(engine), dict) and one in (top[engine].get("runs") or [])
        if in_engine and engine != row["engine_type"]:
            return False
    key = (one.get("metadata") or {}).get("universe_key") or ""
    return not row["universe_key"] or key == row["universe_key"]


def test_a_well_known_library_agrees_where_it_defines_alike(own_bundles):
    """empyrical: same volatility, Sharpe ratio, VaR, drawdown of daily values; others differ.

    It defines otherwise: cagr and calmar_ratio (years = returns / periods, ours by the calendar),
    conditional VaR (the lowest int(0.05 (n - 1)) + 1 returns; ours all up to the interpolated
    VaR), the Sortino ratio's downside (deviation below the rate; ours below 0, so they agree at
    rate 0), max_drawdown (of daily values; ours of every snapshot, and positive).
    """
    store, cases = own_bundles
    compared = 0
    for name, runs in cases.items():
        if len(runs) != 1 or name in ("one_row", "no_rows", "constant", "constant_growth"):
            continue
        ours = store.backtests[name].summary.validated
        if ours["sharpe_ratio"] is None or ours["sortino_ratio"] is None:
            continue
        day = reference.daily_values(reference.equity_frame(runs[0]))
        returns = day.pct_change().dropna()
        year = {"annualization": reference.periods(day.index)}
        excess = returns - RATE / year["annualization"]
        expected = {
            "annual_volatility": empyrical.annual_volatility(returns, **year),
            "sharpe_ratio": empyrical.sharpe_ratio(excess, **year),
            "var_95": empyrical.value_at_risk(returns, cutoff=0.05),
            "skewness": scipy.stats.skew(returns),
            "kurtosis": scipy.stats.kurtosis(returns, fisher=False),
        }
        mean_ratio = excess.mean() / returns.mean()  # its Sortino ratio has no rate
        expected["sortino_ratio"] = empyrical.sortino_ratio(returns, **year) * mean_ratio
        for metric, value in expected.items():
            assert ours[metric] == pytest.approx(value, rel=1e-9), f"{name} {metric}"
            compared += 1
        whole_days = reference.equity_frame(runs[0])["ts"].dt.floor("D").is_unique
        if whole_days and name.startswith("plain"):
            # From the first value on, as every snapshot is a day's last.
            assert ours["max_drawdown"] == pytest.approx(-empyrical.max_drawdown(returns))
        years = (day.index[-1] - day.index[0]).days / 365.25
        assert ours["cagr"] == pytest.approx(
            empyrical.cum_returns_final(returns, 1) ** (1 / years) - 1, rel=1e-9
        )
    assert compared > 60


def test_without_a_risk_free_rate(tmp_path):
    times = hours("2024-01-01", 50, "1D")
    values = walk(np.random.default_rng(1), 50)
    write(tmp_path / "x.iafbt", [run(times, values)], rate=None)
    with lamina.open(tmp_path / "store", create=True) as store:
        store.backtests.import_(tmp_path / "x.iafbt")
        summary = store.backtests["x"].summary
    assert summary.validated["sharpe_ratio"] is None
    assert summary.reasons["sharpe_ratio"] == "no risk-free rate is recorded"
    assert summary.validated["annual_volatility"] > 0


# --- disagreements


def test_disagreements_are_named(tmp_path):
    times = hours("2024-01-01", 50, "1D")
    values = walk(np.random.default_rng(1), 50)
    trades = [trade(times[0], 24, 5.0), trade(times[3], 48, -4.0)]
    right = reference.pooled([run(times, values, trades=trades)], RATE)
    summary = {
        "max_drawdown": -right["max_drawdown"],
        "win_rate": 50.0,
        "average_trade_duration": 37.0,
        "number_of_trades_closed": 2,
        "sharpe_ratio": math.nan,
        "cagr": 0.5,
    }
    metrics = {"win_rate": 0.5, "max_consecutive_wins": 4}
    one = run(times, values, trades=trades, metrics=metrics)
    write(tmp_path / "x.iafbt", [one], summary=summary)
    with lamina.open(tmp_path / "store", create=True) as store:
        store.backtests.import_(tmp_path / "x.iafbt")
        shown = store.backtests["x"].summary
        found = {(one.metric, one.run): one for one in shown.disagreements}
        assert {key: one.kind for key, one in found.items()} == {
            ("max_drawdown", None): "sign",
            ("win_rate", None): "percent",
            ("average_trade_duration", None): "differs",
            ("max_consecutive_wins", 0): "differs",
            ("sharpe_ratio", None): "definition",
            ("cagr", None): "definition",
        }
        assert [one.counted for one in shown.disagreements] == [True] * 4 + [False] * 2
        assert found["average_trade_duration", None].relative_difference == pytest.approx(1 / 37)
        assert "percent" in found["win_rate", None].why
        assert shown.win_rate == 50.0, "the recorded value stays"
        assert math.isnan(shown.sharpe_ratio)
        assert shown.to_dict().keys() == lamina.BacktestSummary().to_dict().keys()
        rows = store.backtests.list(
            where="validated_disagreements > 3 AND validated_win_rate = 0.5",
            columns=["handle", "win_rate", "validated_win_rate", "validated_disagreements"],
        ).to_dicts()
        assert rows == [
            {
                "handle": "x",
                "win_rate": 50.0,
                "validated_win_rate": 0.5,
                "validated_disagreements": 4,
            }
        ]


def test_lists_ranks_filters_and_sql_take_both(own_bundles):
    store, cases = own_bundles
    ranked = store.backtests.rank(
        "validated_sharpe", limit=5, columns="handle,validated_sharpe,validated_max_drawdown"
    ).to_dicts()
    every = {name: store.backtests[name].summary.validated["sharpe_ratio"] for name in cases}
    best = sorted((value for value in every.values() if value is not None), reverse=True)
    assert [row["validated_sharpe"] for row in ranked] == best[:5]
    assert ranked[0]["validated_sharpe"] == every[ranked[0]["handle"]]
    drawn = store.backtests.list(where="validated_drawdown > 0.2", sort="validated_drawdown")
    drawdowns = {name: store.backtests[name].summary.validated["max_drawdown"] for name in cases}
    deep = {name for name, value in drawdowns.items() if value is not None and value > 0.2}
    assert {row["handle"] for row in drawn.to_dicts()} == deep != set()
    count = "SELECT count(*) FROM backtest_index WHERE validated_sharpe_ratio IS NULL"
    missing = sum(value is None for value in every.values())
    assert store.sql(count).fetchall() == [(missing,)]


def test_the_same_input_gives_the_same_bits(own_bundles, tmp_path):
    store, cases = own_bundles
    write(tmp_path / "again.iafbt", cases["plain7"])
    with lamina.open(tmp_path / "store", create=True) as other:
        other.backtests.import_(tmp_path / "again.iafbt")
        again = other.backtests["again"].index_rows[0]["validated_json"]
    assert again == store.backtests["plain7"].index_rows[0]["validated_json"]


# --- a store of an earlier version

OLD_STORE = Path(__file__).parents[1] / "golden" / "store_format_1.tar.xz"


def test_a_store_of_catalog_version_1(tmp_path):
    with tarfile.open(OLD_STORE) as archive:
        archive.extractall(tmp_path / "old", filter="data")
    with pytest.raises(lamina.Unsupported, match="open it once for writing"):
        lamina.open(tmp_path / "old", read_only=True)
    with lamina.open(tmp_path / "old") as store:
        summary = store.backtests["fast48_slow168_size25"].summary
        assert summary.sharpe_ratio == pytest.approx(1.5507, abs=1e-4)
        assert (summary.validated, summary.disagreements) == ({}, [])
        assert store.backtests.list(where="validated_definitions IS NULL").num_rows == 2
        seen = []
        report = store.backtests.validate(progress=lambda *state: seen.append(state))
        assert (report.validated, report.up_to_date) == (2, 0)
        assert seen[-1] == (2, 2)
        assert store.backtests.validate().up_to_date == 2
        for handle in store.backtests:
            backtest = store.backtests[handle]
            runs = backtest.document()["vector_runs"]
            expected = reference.pooled(runs, backtest.index_rows[0]["risk_free_rate"])
            check(backtest.summary.validated, expected, handle)
            assert report.disagreements == 0, backtest.summary.disagreements
        assert store.verify(deep=True).ok
    with lamina.open(tmp_path / "old", read_only=True) as store:
        assert store.backtests.rank("validated_cagr", limit=1).num_rows == 1
