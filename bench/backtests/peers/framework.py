"""The published framework's side; runs in an environment of its own."""

import logging
from importlib.metadata import version
from pathlib import Path

from investing_algorithm_framework import Backtest
from investing_algorithm_framework.cli import index_command
from investing_algorithm_framework.services.backtest_store import LocalTieredStore
from worker import serve

logging.disable(logging.CRITICAL)
tiered: list[LocalTieredStore] = []


def index(folder: str, output: str) -> int:
    index_command.build_index(folder, output)
    return 0


def top(output: str, metric: str, count: int) -> list:
    rows = index_command.list_index(
        output, sort_by=metric, limit=count, columns=["bundle_path", f"summary_{metric}"]
    )
    return [[row["bundle_path"], row[f"summary_{metric}"]] for row in rows]


def make_store(root: str) -> None:
    tiered[:] = [LocalTieredStore(root)]


def put(path: str) -> None:
    """What a sweep does with a result; the bundle is opened before, outside the clock."""
    tiered[0].write(loaded.pop(path), handle=Path(path).stem)


loaded: dict[str, Backtest] = {}


def load(path: str) -> None:
    loaded[path] = Backtest.open(path)


def facts(backtest: Backtest) -> list:
    runs = backtest.get_all_backtest_runs()
    return [backtest.algorithm_id, len(runs), sum(len(run.portfolio_snapshots) for run in runs)]


serve(
    {
        "version": lambda: version("investing-algorithm-framework"),
        "index": index,
        "top": top,
        "open": (Backtest.open, facts),
        "open_summary": (
            lambda path: Backtest.open(path, summary_only=True),
            lambda backtest: backtest.algorithm_id,
        ),
        "make_store": make_store,
        "load": load,
        "put": put,
        "open_stored": (lambda handle: tiered[0].open(handle), facts),
        "count": lambda: len(list(tiered[0].iter_handles())),
    }
)
