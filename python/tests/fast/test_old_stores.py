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


def test_catalog_of_version_7(tmp_path):
    """A backtest; bars (merged, deleted in part, a pin before that), features with NaN and NULL, a
    dataset by date, splits; rows of the registry and lineage; ticks in the archive and in a log."""
    with tarfile.open(GOLDEN / "store_catalog_7.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    root = tmp_path / "old"
    with lamina.open(root, read_only=True) as store:
        assert store.backtests.handles() == ["one_run"]
        bars = store.bars.load("EUR_USD").to_pandas()
        assert bars["close"].tolist() == [1, 1.125, 9, 9.125, 1.5, 1.625, 1.75, 1.875, 2]
        assert store.bars.load("EUR_USD", snapshot="first-bars").num_rows == 10
        assert set(store.bars.load("GBP_USD").to_arrow()["complete"].to_pylist()) == {False}
        values = store.features.load().to_arrow()["a"].to_pylist()
        assert values[0] == 1.0
        assert values[1] != values[1]
        assert values[2] is None
        assert store.datasets.load("funding").to_dicts()[0]["rate"] == 0.1
        assert store.features.load("splits").num_rows == 4
        assert store.registry.fetches().to_dicts()[0]["records_fetched"] == 10
        assert [edge.input_kind for edge in store.registry.lineage("artifact", 1)] == [
            "processing_run",
            "file",
            "dataset",
            "dataset",
        ]
        assert store.registry.stale() == []
        assert store.ticks.query("AAPL", "last", 0).num_rows == 8
        assert store.verify(deep=True)
    with lamina.open(root) as store:
        bars = bars.drop(columns=["year", "month", "fetch_run_id"])
        assert store.bars.save(bars).unchanged == 9
        store.bars.resample("EUR_USD", "1d")
        store.bars.from_ticks("AAPL", "1h", "2024-01-02", "2024-01-03")
        assert [edge.output_id for edge in store.registry.stale()] == ["splits"]
        assert store.verify(deep=True)
