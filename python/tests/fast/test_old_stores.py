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
