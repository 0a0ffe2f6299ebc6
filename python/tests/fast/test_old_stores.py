"""Stores of older format versions, as their programs left them, still open."""

import tarfile
from pathlib import Path

import pytest

import lamina

GOLDEN = Path(__file__).parents[1] / "golden"


def test_catalog_of_version_1(tmp_path):
    """One backtest; no table of instruments yet."""
    with tarfile.open(GOLDEN / "store_catalog_1.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    root = tmp_path / "old"
    with pytest.raises(lamina.Unsupported, match="open it once for writing"):
        lamina.open(root, read_only=True)
    with lamina.open(root) as store:
        assert store.backtests.handles() == ["one_run"]
        assert store.instruments.list().num_rows == 0
        store.instruments.add(instrument_id=265598, symbol="AAPL")
        assert store.verify(deep=True)
    with lamina.open(root, read_only=True) as store:
        assert store.instruments.get("AAPL").instrument_id == 265598
        assert len(store.backtests) == 1


def test_catalog_of_version_3(tmp_path):
    """One backtest, deleted and brought back; no pins, and no policies in lamina.toml yet."""
    with tarfile.open(GOLDEN / "store_catalog_3.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    with lamina.open(tmp_path / "old") as store:
        snapshots = store.snapshots()
        assert store.backtests.handles() == ["one_run"]
        assert store.verify(deep=True)
        store.pin("old")
        assert store.expire("0s")["kept"] == 1 < len(snapshots)
        store.gc(grace="0s")
        assert store.backtests.handles(snapshot="old") == ["one_run"]
        assert store.verify(deep=True)
