"""Long reads beside expire and gc of another process: leases hold what they read."""

import os
import subprocess
import sys
import time

import bundles
import pytest

import lamina

ROWS = "SELECT * FROM backtests.portfolio_snapshots ORDER BY ALL"


def document(number: int) -> dict:
    return bundles.small_document(f"a{number}", [1000.0 + number] * 3)


@pytest.fixture
def root(tmp_path):
    with lamina.open(tmp_path / "store", create=True) as store:
        for number in range(4):
            store.backtests.put(document(number), handle=f"b{number}")
    return tmp_path / "store"


def leases(store) -> list[dict]:
    return [pin for pin in store.pins() if pin["name"].startswith("lease/")]


def eventually(true_now) -> None:
    for _ in range(3000):
        if true_now():
            return
        time.sleep(0.01)
    raise AssertionError("never came true")


def clean(root) -> int:
    """Everything but the last backtest goes, and all that only it needed, in another process."""
    work = (
        "import sys, lamina\n"
        "with lamina.open(sys.argv[1]) as store:\n"
        "    store.backtests.delete(['b0', 'b1', 'b2'])\n"
        "    store.compact()\n"
        "    store.expire('0s')\n"
        "    print(store.gc(grace='0s')['removed_files'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", work, str(root)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_a_long_read_keeps_its_files_until_it_ends(root):
    with lamina.open(root) as store:
        expected = store.sql(ROWS).fetchall()
        assert len(expected) == 12
        reading = store.sql(ROWS)
        eventually(lambda: leases(store))
        (lease,) = leases(store)
        assert lease["snapshot"] == store.snapshot_at(None)
        clean(root)
        left = store.sql(ROWS).fetchall()  # not in an assert, which keeps what it looks at
        assert len(left) == 3
        assert reading.fetchall() == expected
    with lamina.open(root) as store:
        assert leases(store) == []
        before = len(list((root / "lake").rglob("*.parquet")))
        store.expire("0s")
        assert store.gc(grace="0s")["removed_files"] > 0
        assert len(list((root / "lake").rglob("*.parquet"))) < before
        assert store.verify(deep=True)


def test_readers_of_one_snapshot_share_a_lease_and_close_gives_it_back(root):
    with lamina.open(root) as store, lamina.open(root, read_only=True) as other:
        first, second = store.sql(ROWS), store.sql(ROWS)
        eventually(lambda: leases(other))
        del first
        assert len(leases(other)) == 1
        store.close()
        assert leases(other) == []
        del second


def test_a_killed_reader_leaves_a_lease_that_ends(root):
    work = (
        "import os, signal, sys, time, lamina\n"
        "store = lamina.open(sys.argv[1])\n"
        "reading = store.sql('SELECT 1 FROM backtests.runs')\n"
        "while not store.pins():\n"
        "    time.sleep(0.01)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", work, str(root)])
    assert done.returncode == -9
    with lamina.open(root) as store:
        (lease,) = leases(store)
        assert lease["expires_us"] is not None
        assert lease["holder"].split(":")[-1] != str(os.getpid())


def test_a_read_only_store_reads_without_a_lease(root):
    with lamina.open(root, read_only=True) as store:
        assert len(store.sql(ROWS).fetchall()) == 12
        assert leases(store) == []
