"""Real hourly bars of 24 FX instruments through the StorageManager and the command."""

from pathlib import Path

import numpy
import pandas
import pyarrow.parquet as pq
import pytest
from lamina.marketdata import StorageManager, migrate_csv_to_parquet

import lamina

pytestmark = pytest.mark.shared

PRICES = ["open", "high", "low", "close"]


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "data" / "bars"


def test_every_bar_comes_back_from_888_month_files(tmp_path: Path, folder: Path) -> None:
    frame = pq.read_table(folder / "fx_h1_bars_24.parquet").to_pandas()
    frame["timestamp"] = pandas.to_datetime(frame["timestamp"], unit="ns", utc=True)
    with StorageManager(tmp_path / "data") as storage:
        for name, group in frame.groupby("instrument"):
            given = group.drop(columns="instrument").reset_index(drop=True)
            storage.save_ohlcv_data(given, str(name))
        files = storage.store.registry.files().to_arrow()
        assert files.num_rows == 888
        assert sum(files["record_count"].to_pylist()) == len(frame) == 447_747
        loaded = storage.load_data_by_date_range("ohlcv", "2022-01-01", "2025-12-31")
        assert loaded["timestamp"].nunique() == 18_666
        loaded = loaded.sort_values(["instrument", "timestamp"], ignore_index=True)
        frame = frame.sort_values(["instrument", "timestamp"], ignore_index=True)
        assert loaded["instrument"].tolist() == frame["instrument"].tolist()
        assert (loaded["timestamp"].to_numpy() == frame["timestamp"].to_numpy()).all()
        for name in PRICES:
            assert numpy.array_equal(loaded[name].to_numpy(), frame[name].to_numpy())
        for found in storage.store.bars.quality(calendar="FOREX"):
            assert (found.state, found.problems, found.missing) == ("COMPLETE", [], 0)
            assert 158 <= len(found.gaps) <= 162
            assert "missing" not in found.gap_kinds
        lined_up = storage.store.bars.alignment()
        assert (lined_up["union"], lined_up["common"]) == (18_666, 18_647)
        results = storage.verify_data_integrity()
        assert len(results) == 888
        assert all(results.values())
        victim = storage.data_root / next(iter(results))
        damaged = bytearray(victim.read_bytes())
        damaged[len(damaged) // 2] ^= 4
        victim.write_bytes(damaged)
        assert list(storage.verify_data_integrity().values()).count(False) == 1


def test_csv_files_hold_the_same_bars(tmp_path: Path, folder: Path) -> None:
    with StorageManager(tmp_path / "data") as storage:
        reports = migrate_csv_to_parquet(folder / "fx_h1_csv", storage)
        assert len(reports) == 4
        assert all(one["error"] is None and not one["rejected"] for one in reports)
        for report in reports:
            name = report["instrument"]
            table = pq.read_table(
                folder / "fx_h1_bars_24.parquet", filters=[("instrument", "=", name)]
            )
            bars = storage.store.bars.load(name).to_arrow()
            assert bars.num_rows == table.num_rows == report["records"]
            for price in PRICES:
                assert numpy.array_equal(bars[price].to_numpy(), table[price].to_numpy())
        assert storage.store.verify(deep=True)
        assert lamina.open(storage.store.root, read_only=True).bars.load().num_rows > 70_000
