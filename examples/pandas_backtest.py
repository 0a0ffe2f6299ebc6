"""A moving-average backtest in plain pandas, stored and ranked.

Usage: python pandas_backtest.py [STORE]
"""

import sys
import tempfile

import numpy as np
import pandas as pd

import lamina

FEE = 0.001


def prices(days: int = 600, seed: int = 7) -> pd.Series:
    """Made-up daily closes."""
    steps = np.random.default_rng(seed).normal(0.0004, 0.02, days)
    index = pd.date_range("2022-01-01", periods=days, freq="D", tz="UTC")
    return pd.Series(100 * np.exp(np.cumsum(steps)), index=index)


def backtest(close: pd.Series, fast: int, slow: int, capital: float = 10_000.0) -> lamina.Backtest:
    """Long while the fast average is above the slow one; decided at a close, held from the next."""
    signal = close.rolling(fast).mean() > close.rolling(slow).mean()
    held = signal.shift(1, fill_value=False)
    changes = held.astype(int).diff().fillna(0)
    growth = close.pct_change().fillna(0).where(held, 0) - FEE * changes.abs()
    equity = capital * (1 + growth).cumprod()

    entries = close.index[changes == 1]
    exits = close.index[changes == -1]
    trades = pd.DataFrame({"entry_time": entries})
    trades["exit_time"] = pd.Series(exits)  # the last one may be open: missing
    before = equity.shift(1, fill_value=capital)
    trades["entry_price"] = close.shift(1)[entries].to_numpy()
    trades["size"] = before[entries].to_numpy() / trades["entry_price"]
    trades["exit_price"] = trades["exit_time"].map(close.shift(1))
    trades["last_price"] = close.iloc[-1]
    trades["fees"] = FEE * trades["size"] * (trades["entry_price"] + trades["exit_price"].fillna(0))
    trades["symbol"] = "DEMO"
    return lamina.Backtest.from_frames(
        algorithm_id="moving_averages",
        snapshots=pd.DataFrame({"total_value": equity}),  # the index holds the times
        trades=trades,
        parameters={"fast": fast, "slow": slow, "fee": FEE},
        tag="pandas",
        initial_capital=capital,
    )


def main(root: str) -> None:
    close = prices()
    with lamina.open(root, create=True) as store:
        with store.backtests.batch() as batch:  # one commit for the sweep
            for fast in (5, 10, 20):
                for slow in (40, 80, 120):
                    one = backtest(close, fast, slow)
                    batch.put(one, handle=f"averages/{fast}-{slow}", replace=True)
        columns = "handle,sharpe_ratio,max_drawdown,number_of_trades,validated_sharpe_ratio"
        print(store.backtests.rank("sharpe_ratio", limit=5, columns=columns).to_pandas())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(sys.argv[1] if len(sys.argv) > 1 else f"{scratch}/store")
