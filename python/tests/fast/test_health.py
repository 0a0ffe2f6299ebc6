"""Monitoring of a data root that is fed around the clock; temporary files."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy
import pandas
import pyarrow.parquet as pq
import pytest
from lamina.health import check_series
from lamina.marketdata import StorageManager

import lamina

FEEDER = """
import sys, pandas
from lamina.marketdata import StorageManager

with StorageManager(sys.argv[1]) as storage:
    for hour in range(30):
        at = pandas.Timestamp("2024-01-31 12:00", tz="UTC") + pandas.Timedelta(hour, "h")
        bar = pandas.DataFrame({"timestamp": [at], "open": 1.0, "high": 2.0, "low": 0.5,
                                "close": 1.5})
        storage.save_ohlcv_data(bar, "EUR_USD")
        storage.log_fetch_run("EUR_USD", 1, 1, "success")
"""


def hours(start: str, count: int) -> pandas.DataFrame:
    return pandas.DataFrame(
        {
            "timestamp": pandas.date_range(start, periods=count, freq="h", tz="UTC"),
            "open": 1.0,
            "high": 2.0,
            "low": 0.5,
            "close": 1.0 + numpy.arange(count) / 1000,
        }
    )


@pytest.fixture
def storage(tmp_path: Path):
    with StorageManager(tmp_path / "data") as manager:
        yield manager


def test_what_is_late_and_what_fails(storage: StorageManager) -> None:
    storage.save_ohlcv_data(hours("2024-01-05 00:00", 22), "EUR_USD")  # to Friday 22:00
    storage.save_ohlcv_data(hours("2024-01-05 00:00", 10), "GBP_USD")
    storage.store.bars.save(hours("2024-01-05 10:00", 1), "GBP_USD", complete=False)
    at = "2024-01-05T23:00"
    eur, gbp = storage.health(now=at).series
    assert (eur.state, eur.rows, eur.age) == ("OK", 22, dt.timedelta(hours=1))
    assert (gbp.state, gbp.rows, gbp.incomplete) == ("LATE", 11, 1)
    assert gbp.last == dt.datetime(2024, 1, 5, 10, tzinfo=dt.UTC)
    assert storage.health(now=at, max_age="13h").ok
    # On a Sunday nothing is late but what was late when the market closed.
    sunday = storage.health(now="2024-01-07T12:00", calendar="FOREX").series
    assert [one.state for one in sunday] == ["OK", "LATE"]
    assert storage.health(now="2024-01-07T12:00").series[0].state == "LATE"
    storage.log_fetch_run("EUR_USD", 22, 1, "success")
    for status, error in (("partial", "429"), ("failed", "timed out")):
        storage.log_fetch_run("EUR_USD", 0, 5, status, error_message=error)
    storage.log_fetch_run("USD_JPY", 0, 1, "failed", start_date="2024-01-01", end_date="2024-01-02")
    eur, _, jpy = storage.health(now=at).series
    assert (eur.state, eur.failures, eur.last_error) == ("FAILING", 2, "timed out")
    assert eur.last_fetch is not None
    assert (jpy.state, jpy.rows, jpy.failures) == ("FAILING", 0, 1)
    storage.log_fetch_run("EUR_USD", 1, 1, "success")
    assert storage.health(now=at).series[0].state == "OK"
    named = check_series(storage.store, ["GBP_USD", "AUD_USD"], now=at)
    assert [one.state for one in named] == ["LATE", "EMPTY"]
    with pytest.raises(lamina.InvalidArgument, match="timeframe"):
        check_series(storage.store, timeframe="hourly")


def test_files_of_the_tree(storage: StorageManager) -> None:
    paths = storage.save_ohlcv_data(hours("2024-01-05", 24 * 60), "EUR_USD")
    health = storage.health(now="2024-03-05", max_age="10d")
    assert (health.ok, health.files, health.unverified_files) == (True, 3, 3)
    storage.verify_data_integrity()
    Path(paths[1]).unlink()
    health = storage.health(now="2024-03-05", max_age="10d")
    assert health.absent_files == [Path(paths[1]).relative_to(storage.data_root).as_posix()]
    assert (health.ok, health.unverified_files, health.pending) == (False, 0, 0)
    assert health.oldest_verified is not None
    assert health.free_bytes > 0
    told = json.loads(json.dumps(health.to_dict()))
    assert told["series"][0]["instrument"] == "EUR_USD"
    assert told["ok"] is False


def test_a_feeder_of_another_process_is_watched(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with StorageManager(root) as storage:
        feeder = subprocess.Popen([sys.executable, "-c", FEEDER, str(root)])
        seen = [0]
        while feeder.poll() is None:
            found = storage.health(now="2024-02-01T18:00").series
            seen.append(found[0].rows if found else 0)
            loaded = storage.load_data_by_date_range("ohlcv", "2024-01-31", "2024-02-01")
            assert len(loaded) >= seen[-1]
        assert feeder.returncode == 0
        assert seen == sorted(seen)
        [series] = storage.health(now="2024-02-01T18:30").series
        assert (series.rows, series.state, series.last_status) == (30, "OK", "success")
        assert storage.health(now="2024-02-01T22:00").series[0].state == "LATE"
        assert all(storage.verify_data_integrity().values())


def test_temporary_files_go(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with StorageManager(root) as storage:
        with storage.temporary(hours("2024-01-01", 5)) as path:
            assert path.parent == root / "cache"
            assert path.match("temp_*.parquet")
            assert pq.read_metadata(path).num_rows == 5
            with storage.temporary() as other:
                assert other != path
                assert not other.exists()
        assert list((root / "cache").iterdir()) == []
        with pytest.raises(ZeroDivisionError), storage.temporary(hours("2024-01-01", 1)):
            1 / 0  # noqa: B018
        assert list((root / "cache").iterdir()) == []
        # Of a process that died, and of one that works.
        old, young = (root / "cache" / f"temp_{one}.parquet" for one in ("old", "young"))
        for path in (old, young):
            path.write_bytes(b"")
        os.utime(old, (1, 1))
    with StorageManager(root):
        assert not old.exists()
        assert young.exists()
