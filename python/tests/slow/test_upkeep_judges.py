"""Upkeep judged from outside: DuckDB's own extension, killed processes, many small puts."""

import os
import signal
import subprocess
import sys
import time

import pytest
from lake import attach

import lamina

pytestmark = pytest.mark.shared

SNAPSHOT_ROWS = "SELECT count(*), sum(total_value) FROM {} "


def test_duckdb_sees_the_same_rows_at_kept_snapshots(own_store):
    handles = own_store.backtests.handles()
    own_store.pin("whole")
    own_store.backtests.delete(handles[: len(handles) // 2])
    own_store.pin("half")
    own_store.compact()
    own_store.expire("0s")
    own_store.gc(grace="0s")
    expected = {
        name: own_store.sql(
            SNAPSHOT_ROWS.format("backtests.portfolio_snapshots"), snapshot=name
        ).fetchone()
        for name in ("whole", "half")
    }
    assert expected["whole"] != expected["half"]
    numbers = {name: own_store.snapshot_at(name) for name in expected}
    root = own_store.root
    own_store.close()
    connection = attach(root)
    for name, number in numbers.items():
        table = f"lake.backtests.portfolio_snapshots AT (VERSION => {number})"
        assert connection.execute(SNAPSHOT_ROWS.format(table)).fetchone() == expected[name]


def test_many_small_puts_keep_few_files(tmp_path, golden_files):
    """12,500 single puts are to keep 500 live files: the same policy with fewer puts."""
    document = lamina.read_bundle(golden_files[0])
    puts = 150
    with lamina.open(tmp_path / "store", create=True) as store:
        for i in range(puts):
            store.backtests.put(document | {"algorithm_id": f"a{i}"}, handle=f"h{i}")
        tables = store.stats()["tables"]
        assert sum(table["files"] for table in tables) <= 6 * 64
        assert all(table["files"] < 64 for table in tables)
        assert len(store.backtests) == puts
        assert store.verify()


WORK = """
import sys, lamina
with lamina.open(sys.argv[1]) as store:
    print("ready", flush=True)
    {work}
"""


@pytest.mark.parametrize(
    "work",
    [
        "store.expire('0s'); store.gc(grace='0s')",
        "store.compact(); store.expire('0s'); store.gc(grace='0s')",
        "store.purge(store.backtests.handles()[:3])",
        "store.backup(sys.argv[1] + '-copy')",
    ],
)
def test_killed_upkeep_goes_on(own_store, work):
    handles = own_store.backtests.handles()
    own_store.backtests.delete(handles[:2])
    kept = own_store.backtests.handles()
    root = own_store.root
    own_store.close()
    for delay in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4):
        script = WORK.format(work=work)
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(root)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ,
        )
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        with lamina.open(root) as store:
            left = store.backtests.handles()
            assert set(left) <= set(kept) and len(left) >= len(kept) - 3 * 6
            assert store.verify(deep=True)
    with lamina.open(root) as store:
        store.expire("0s")
        store.gc(grace="0s")
        assert store.verify(deep=True)
