"""A parameter sweep in worker processes that all write to one store.

Usage: python sweep_processes.py [STORE]
"""

import itertools
import multiprocessing
import sys
import tempfile

from pandas_backtest import backtest, prices

import lamina


def work(task: tuple[lamina.Store, list[tuple[int, int]]]) -> int:
    """Runs in a worker: a store travels as its root, and is opened again there."""
    store, grid = task
    close = prices()
    with store, store.backtests.batch() as batch:  # one commit a task, not one a backtest
        for fast, slow in grid:
            batch.put(backtest(close, fast, slow), handle=f"sweep/{fast}-{slow}", replace=True)
    return len(grid)


def main(root: str) -> None:
    grid = list(itertools.product((4, 6, 8, 10), (20, 40, 60)))
    with lamina.open(root, create=True) as store:
        tasks = [(store, list(part)) for part in (grid[:4], grid[4:8], grid[8:])]
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            done = sum(pool.imap_unordered(work, tasks))
        best = store.backtests.rank("validated_sharpe_ratio", limit=3)
        print(f"{done} backtests")
        print(best.to_pandas())
        curves = store.backtests.series(best)  # of several runs, in one table
        print(curves.to_pandas().groupby("handle", observed=True)["value"].last())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(sys.argv[1] if len(sys.argv) > 1 else f"{scratch}/store")
