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


@pytest.mark.shared
def test_catalog_of_version_3(tmp_path, shared):
    """Orders and trades with every cell in lake tables of their own; no recipes for prices."""
    with tarfile.open(GOLDEN / "store_catalog_3.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    golden = shared / "data" / "bundles" / "golden" / "v2_8.10.0"
    names = ["ohlcv_a", "windows3_full"]
    with lamina.open(tmp_path / "old") as store:
        assert sorted(store.backtests) == names
        assert store.verify(deep=True)
        for name in names:
            report = store.backtests.export(name, tmp_path / "out" / f"{name}.iafbt")
            assert report.identical_to_original
            exported = (tmp_path / "out" / f"{name}.iafbt").read_bytes()
            assert exported == (golden / f"{name}.iafbt").read_bytes()
        # It goes on with the tables that it has.
        assert store.backtests.import_(golden / "cash_flow.iafbt").imported == 1
        assert store.verify(deep=True)
        old = {name: store.backtests.get(name).trades().to_pandas() for name in store.backtests}
        (count,) = store.sql("SELECT count(*) FROM backtests.trades WHERE amount > 0").fetchone()
    assert count == sum((trades["amount"] > 0).sum() for trades in old.values())
    with lamina.open(tmp_path / "new", create=True) as store:
        for name in names:
            store.backtests.import_(golden / f"{name}.iafbt")
        for name in names:
            new = store.backtests.get(name).trades().to_pandas()
            columns = [column for column in new.columns if column != "run_id"]
            assert new[columns].astype(str).equals(old[name][columns].astype(str)), name


def test_history_of_version_3(tmp_path):
    """One backtest, deleted and brought back; no pins, and no policies in lamina.toml yet."""
    with tarfile.open(GOLDEN / "store_catalog_3_history.tar.xz") as archive:
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


def test_catalog_of_version_5(tmp_path):
    """One backtest and a pin; nothing of ticks yet."""
    with tarfile.open(GOLDEN / "store_catalog_5.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    with lamina.open(tmp_path / "old") as store:
        assert store.backtests.handles() == ["one_run"]
        assert store.backtests.handles(snapshot="before-ticks") == ["one_run"]
        assert store.verify(deep=True)
    with lamina.open(tmp_path / "old", read_only=True) as store:
        assert store.verify(deep=True)
