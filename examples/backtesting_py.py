"""The statistics of a backtesting.py run as a backtest in a store.

Usage: python backtesting_py.py [STORE]
"""

import sys
import tempfile

import pandas as pd
from backtesting import Backtest, Strategy
from pandas_backtest import prices

import lamina


class Averages(Strategy):
    """Long above, short below."""

    fast, slow = 10, 40

    def init(self):
        def average(values, window):
            return pd.Series(values).rolling(window).mean()

        self.fast_line = self.I(average, self.data.Close, self.fast)
        self.slow_line = self.I(average, self.data.Close, self.slow)

    def next(self):
        above = self.fast_line[-1] > self.slow_line[-1]
        if above and not self.position.is_long:
            self.position.close()
            self.buy(size=0.5)
        elif not above and not self.position.is_short:
            self.position.close()
            self.sell(size=0.5)


def run(capital: float = 10_000.0) -> pd.Series:
    close = prices()
    bars = pd.DataFrame({"Open": close, "High": close, "Low": close, "Close": close, "Volume": 1})
    engine = Backtest(
        bars.tz_localize(None), Averages, cash=capital, commission=0.001, finalize_trades=True
    )
    return engine.run()


def backtest(stats: pd.Series, capital: float = 10_000.0) -> lamina.Backtest:
    # A short trade has a negative size there; here sizes are positive and `side` says which way.
    trades = stats["_trades"].assign(
        side=["short" if size < 0 else "long" for size in stats["_trades"]["Size"]],
        Size=stats["_trades"]["Size"].abs(),
    )
    return lamina.Backtest.from_frames(
        algorithm_id="backtesting_averages",
        snapshots=stats["_equity_curve"][["Equity"]],
        trades=trades,
        parameters={"fast": Averages.fast, "slow": Averages.slow},
        tag="backtesting.py",
        initial_capital=capital,
        engine_type="event",
    )


def main(root: str) -> None:
    stats = run()
    with lamina.open(root, create=True) as store:
        handle = store.backtests.put(backtest(stats), handle="backtesting/10-40", replace=True)
        summary = store.backtests[handle].summary
        print(summary.sharpe_ratio, summary.validated["sharpe_ratio"], stats["Sharpe Ratio"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(sys.argv[1] if len(sys.argv) > 1 else f"{scratch}/store")
