"""A vectorbt portfolio as a backtest in a store.

Usage: python vectorbt_backtest.py [STORE]
"""

import sys
import tempfile

import vectorbt as vbt
from pandas_backtest import prices

import lamina


def backtest(fast: int, slow: int) -> lamina.Backtest:
    close = prices()
    averages = [vbt.MA.run(close, window) for window in (fast, slow)]
    portfolio = vbt.Portfolio.from_signals(
        close,
        averages[0].ma_crossed_above(averages[1]),
        averages[0].ma_crossed_below(averages[1]),
        init_cash=10_000,
        fees=0.001,
        freq="1D",
    )
    # The readable records have the columns that are looked for: Size, Entry Timestamp, PnL, …
    orders = portfolio.orders.records_readable
    return lamina.Backtest.from_frames(
        algorithm_id="vectorbt_averages",
        snapshots=portfolio.value().to_frame("equity").assign(cash=portfolio.cash()),
        trades=portfolio.trades.records_readable,
        orders=orders,
        parameters={"fast": fast, "slow": slow},
        tag="vectorbt",
        initial_capital=10_000,
    )


def main(root: str) -> None:
    with lamina.open(root, create=True) as store:
        handle = store.backtests.put(backtest(10, 40), handle="vectorbt/10-40", replace=True)
        stored = store.backtests[handle]
        print(stored.summary.to_dict())
        print(stored.trades().to_pandas()[["opened_at", "closed_at", "net_gain"]])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(sys.argv[1] if len(sys.argv) > 1 else f"{scratch}/store")
