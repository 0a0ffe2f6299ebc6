"""The validated metrics once more, with numpy and pandas, from a bundle's own records.

Written from docs/guide/metrics.md, not from the engine: it shares no code with it. NaN stands for
"no value".
"""

import math

import numpy as np
import pandas as pd

NAN = math.nan
BY_DAYS = (
    "cagr",
    "annual_volatility",
    "sharpe_ratio",
    "sortino_ratio",
    "calmar_ratio",
    "var_95",
    "cvar_95",
    "skewness",
    "kurtosis",
)
BY_TRADES = (
    "win_rate",
    "average_trade_duration",
    "average_win_duration",
    "average_loss_duration",
)
LARGEST = ("max_drawdown", "max_consecutive_wins", "max_consecutive_losses")
ROUNDING = 1e-14


def equity_frame(run: dict) -> pd.DataFrame:
    """Snapshots by time (equal times in file order): value, flow."""
    rows = run.get("portfolio_snapshots") or []
    return pd.DataFrame(
        {
            "ts": pd.to_datetime([row["created_at"] for row in rows], utc=True, format="ISO8601"),
            "value": [as_number(row.get("total_value")) for row in rows],
            "flow": [as_number(row.get("cash_flow"), 0.0) for row in rows],
        }
    ).sort_values("ts", kind="stable", ignore_index=True)


def as_number(value, missing=NAN) -> float:
    return missing if value is None else float(value)


def daily_values(frame: pd.DataFrame) -> pd.Series:
    """The last value of each UTC day, deposits taken out."""
    value = frame["value"].to_numpy(float)
    flow = frame["flow"].to_numpy(float)
    index = value.copy()
    if np.any(flow[1:] != 0):
        growth = (value[1:] - flow[1:]) / value[:-1]
        index = value[0] * np.concatenate([[1.0], np.cumprod(growth)])
    series = pd.Series(index, index=frame["ts"])
    return series.groupby(series.index.floor("D")).last()


def periods(days: pd.DatetimeIndex) -> int:
    spanned = pd.date_range(days[0], days[-1], freq="D")
    weekends_missing = (spanned.day_of_week >= 5).any() and not (days.day_of_week >= 5).any()
    return 252 if weekends_missing else 365


def equity_metrics(run: dict, rate: float | None) -> dict[str, float]:
    names = ("total_net_gain", "total_net_gain_percentage", "max_drawdown", *BY_DAYS)
    out = dict.fromkeys(names, NAN) | {"number_of_daily_returns": 0.0}
    frame = equity_frame(run)
    value, flow = frame["value"].to_numpy(float), frame["flow"].to_numpy(float)
    if len(value) < 2 or not np.isfinite(value).all() or not np.isfinite(flow).all():
        return out
    if (value < 0).any():
        return out
    gain = value[-1] - value[0] - flow[1:].sum()
    out["total_net_gain"] = gain
    out["total_net_gain_percentage"] = gain / value[0] if value[0] else NAN
    if np.any(flow[1:] != 0) and ((value[:-1] == 0).any() or (value[1:] < flow[1:]).any()):
        return out
    day = daily_values(frame)
    index = value
    if np.any(flow[1:] != 0):
        index = np.concatenate([[1.0], np.cumprod((value[1:] - flow[1:]) / value[:-1])])
    peak = np.maximum.accumulate(index)
    if (peak > 0).all():
        out["max_drawdown"] = float(((peak - index) / peak).max())
    if len(day) < 2:
        return out
    span = (day.index[-1] - day.index[0]).days
    if day.iloc[0] > 0:
        out["cagr"] = (day.iloc[-1] / day.iloc[0]) ** (365.25 / span) - 1
    if out["max_drawdown"] > ROUNDING:
        out["calmar_ratio"] = out["cagr"] / out["max_drawdown"]
    if (day.iloc[:-1] == 0).any():
        return out
    out.update(return_metrics(day, rate))
    return out


def return_metrics(day: pd.Series, rate: float | None) -> dict[str, float]:
    returns = day.pct_change().dropna().to_numpy()
    out = {"number_of_daily_returns": float(len(returns))}
    if len(returns) < 2:
        return out
    root = math.sqrt(periods(day.index))
    deviation = np.std(returns, ddof=1)
    downside = math.sqrt(np.mean(np.minimum(returns, 0) ** 2))
    out["annual_volatility"] = deviation * root
    out["var_95"] = np.quantile(returns, 0.05)
    out["cvar_95"] = returns[returns <= out["var_95"]].mean()
    if rate is not None:
        excess = returns.mean() - rate / periods(day.index)
        if deviation > ROUNDING:
            out["sharpe_ratio"] = excess / deviation * root
        if downside > ROUNDING:
            out["sortino_ratio"] = excess / downside * root
    if deviation > ROUNDING:
        centred = returns - returns.mean()
        second = np.mean(centred**2)
        out["skewness"] = np.mean(centred**3) / second**1.5
        out["kurtosis"] = np.mean(centred**4) / second**2
    return out


def trade_metrics(run: dict) -> dict[str, float]:
    closed = [trade for trade in run.get("trades") or [] if trade["status"] == "CLOSED"]
    out = dict.fromkeys(("profit_factor", *BY_TRADES), NAN)
    out |= {"number_of_trades_closed": float(len(closed))}
    out |= {"max_consecutive_wins": 0.0, "max_consecutive_losses": 0.0}
    out |= {"gross_profit": 0.0, "gross_loss": 0.0}
    if not closed:
        return out
    frame = pd.DataFrame(
        {
            "opened": pd.to_datetime([t["opened_at"] for t in closed], utc=True, format="ISO8601"),
            "closed": pd.to_datetime([t["closed_at"] for t in closed], utc=True, format="ISO8601"),
            "gain": [as_number(t["net_gain"]) for t in closed],
        }
    )
    gain, won = frame["gain"], frame["gain"] > 0
    hours = (frame["closed"] - frame["opened"]).dt.total_seconds() / 3600
    out["gross_profit"] = gain[gain > 0].sum()
    out["gross_loss"] = -gain[gain < 0].sum()
    out["win_rate"] = won.mean()
    out["average_trade_duration"] = hours.mean()
    out["average_win_duration"] = hours[won].mean()
    out["average_loss_duration"] = hours[~won].mean()
    if out["gross_loss"] > 0:
        out["profit_factor"] = out["gross_profit"] / out["gross_loss"]
    in_order = won[frame.sort_values("closed", kind="stable").index]
    streak = in_order.groupby((in_order != in_order.shift()).cumsum()).agg(["first", "size"])
    for name, kind in (("max_consecutive_wins", True), ("max_consecutive_losses", False)):
        out[name] = float(streak.loc[streak["first"] == kind, "size"].max() or 0)
        out[name] = 0.0 if math.isnan(out[name]) else out[name]
    return out


def window_days(run: dict) -> int:
    start, end = (
        pd.to_datetime(run[key], utc=True) for key in ("backtest_start_date", "backtest_end_date")
    )
    return (end - start) // pd.Timedelta(days=1)


def run_metrics(run: dict, rate: float | None) -> dict[str, float]:
    return equity_metrics(run, rate) | trade_metrics(run)


def pooled(runs: list[dict], rate: float | None) -> dict[str, float]:
    """Over the runs of one row of the rank table."""
    frame = pd.DataFrame([run_metrics(run, rate) for run in runs])
    days = pd.Series([max(window_days(run), 0) for run in runs], dtype=float)
    if not (days > 0).any():
        days = pd.Series(1.0, index=days.index)
    out = {}
    for name in BY_DAYS:
        out[name] = weighted_mean(frame[name], days)
    for name in BY_TRADES:
        out[name] = weighted_mean(frame[name], frame["number_of_trades_closed"])
    for name in LARGEST:
        out[name] = frame[name].max()
    for name in ("number_of_daily_returns", "number_of_trades_closed"):
        out[name] = frame[name].sum()
    out["total_net_gain"] = frame["total_net_gain"].sum(skipna=False)
    first = sum(equity_frame(run)["value"].iloc[0] for run in runs if run["portfolio_snapshots"])
    out["total_net_gain_percentage"] = out["total_net_gain"] / first if first else NAN
    loss = frame["gross_loss"].sum()
    out["profit_factor"] = frame["gross_profit"].sum() / loss if loss > 0 else NAN
    return out


def weighted_mean(values: pd.Series, weights: pd.Series) -> float:
    there = values.notna() & (weights > 0)
    if not there.any():
        return NAN
    return float((values[there] * weights[there]).sum() / weights[there].sum())
