"""The market-data design as it is written: its tables, schemas, class and examples run here."""

import re
import sqlite3
import sys
import types
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pyarrow.parquet as pq
import pytest
from lamina.marketdata import StorageManager, migrate_csv_to_parquet
from market_frames import hourly_bars

pytestmark = pytest.mark.shared

BLOCK = re.compile(r"```(sql|python)\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def blocks(shared: Path) -> dict[str, str]:
    """The blocks of the design by their first line."""
    [path] = (shared / "seeds").glob("003_*")
    found = BLOCK.findall(path.read_text(encoding="utf-8"))
    return {text.strip().splitlines()[0]: text for _, text in found}


def described(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return [tuple(row)[1:] for row in connection.execute(f"PRAGMA table_info({table})")]


def test_the_tables_are_those_of_the_design(blocks: dict[str, str], tmp_path: Path) -> None:
    theirs = sqlite3.connect(":memory:")
    theirs.executescript(blocks["-- Data registry for tracking files and integrity"])
    with StorageManager(tmp_path / "data") as storage:
        ours = sqlite3.connect(storage.db_path)
        for table in ("data_files", "fetch_runs", "processing_runs", "model_artifacts"):
            wanted = described(theirs, table)
            assert described(ours, table)[: len(wanted)] == wanted, table
        names = "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
        assert set(theirs.execute(names)) <= set(ours.execute(names))
        ours.close()
    theirs.close()


def test_the_files_have_its_schemas(blocks: dict[str, str], tmp_path: Path) -> None:
    names: dict[str, Any] = {"pa": pyarrow}
    for first in (
        "import pyarrow as pa",
        "# 100 features per timestamp (4×20 local + 20 context)",
        "latent_columns = [(f'latent_{i}', pa.float64()) for i in range(100)]",
    ):
        exec(blocks[first], names)
    stamps = hourly_bars("2022-01-01", 3)["timestamp"]
    with StorageManager(tmp_path / "data") as storage:
        [path] = storage.save_ohlcv_data(hourly_bars("2022-01-01", 3), "EUR_USD")
        assert pq.read_schema(path).remove_metadata() == names["ohlcv_schema"]
        for kind in ("features", "latents"):
            schema = names[f"{kind}_schema"]
            columns = [one for one in schema.names if one not in ("timestamp", "year", "month")]
            frame = pandas.DataFrame({"timestamp": stamps} | dict.fromkeys(columns, 0.5))
            [path] = storage.save_features(frame, kind)
            assert pq.read_schema(path).remove_metadata() == schema


@pytest.fixture
def in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, where `storage` and `oanda_downloader` can be imported."""
    monkeypatch.chdir(tmp_path)
    storage = types.ModuleType("storage")
    storage.StorageManager = StorageManager  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "storage", storage)

    class OANDADownloader:
        def __init__(self, api_key: str, account_id: str) -> None:
            self.api_calls_made = 0

        def fetch_historical(self, instrument: str, start: Any, end: Any) -> pandas.DataFrame:
            self.api_calls_made = 2
            return hourly_bars("2022-03-01", 48)

    downloader = types.ModuleType("oanda_downloader")
    downloader.OANDADownloader = OANDADownloader  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "oanda_downloader", downloader)
    return tmp_path


def test_the_basic_example(blocks: dict[str, str], in_its_folder: Path) -> None:
    text = blocks["from pathlib import Path"]
    assert text.count("pd.DataFrame({...})") == 2
    text = text.replace("pd.DataFrame({...})", "made_bars", 1)
    text = text.replace("pd.DataFrame({...})", "made_features", 1)
    bars = hourly_bars("2022-12-30 20:00", 40)
    features = bars[["timestamp"]].assign(slope_high_0=1.0)
    names: dict[str, Any] = {
        "made_bars": bars,
        "made_features": features,
        "pd": pandas,
        "datetime": datetime,
    }
    exec(text, names)
    assert [Path(one).name for one in names["file_path"]] == [
        "eur_usd_202212.parquet",
        "eur_usd_202301.parquet",
    ]
    # Both ends are inclusive, and one without a time of day covers its day.
    assert len(names["train_data"]) == 28
    assert names["train_data"]["timestamp"].max() == pandas.Timestamp("2022-12-31 23:00", tz="UTC")
    assert len(names["integrity_results"]) == 4
    assert all(names["integrity_results"].values())
    names["storage"].close()


def test_the_downloader_example(blocks: dict[str, str], in_its_folder: Path) -> None:
    names: dict[str, Any] = {
        "Path": Path,
        "instruments": ["EUR_USD", "GBP_USD"],
        "start": datetime(2022, 3, 1, tzinfo=UTC),
        "end": datetime(2022, 3, 3, tzinfo=UTC),
    }
    exec(blocks["from oanda_downloader import OANDADownloader"], names)
    storage = names["storage"]
    rows = storage.store.registry.fetches().to_dicts()
    assert [row["instrument"] for row in rows] == ["EUR_USD", "GBP_USD"]
    assert {(row["records_fetched"], row["api_calls_used"], row["status"]) for row in rows} == {
        (48, 2, "success")
    }
    assert {row["granularity"] for row in rows} == {"H1"}
    assert {row["end_date"] for row in rows} == {"2022-03-02T23:00:00+00:00"}
    storage.close()


def test_its_migration(blocks: dict[str, str], in_its_folder: Path) -> None:
    folder = in_its_folder / "csv"
    folder.mkdir()
    hourly_bars("2022-01-01", 30).to_csv(folder / "eur_usd.csv", index=False)
    names: dict[str, Any] = {"Path": Path, "pd": pandas, "StorageManager": StorageManager}
    exec(blocks["def migrate_csv_to_parquet(csv_dir: Path, storage: StorageManager):"], names)
    loaded = []
    for place, migrate in enumerate((names["migrate_csv_to_parquet"], migrate_csv_to_parquet)):
        with StorageManager(in_its_folder / f"data{place}") as storage:
            migrate(folder, storage)
            loaded.append(
                storage.load_data_by_date_range("ohlcv", "2022-01-01", "2022-01-02", "EUR_USD")
            )
    assert len(loaded[0]) == 30
    pandas.testing.assert_frame_equal(*loaded)


def test_the_manager_answers_as_its_own_class(blocks: dict[str, str], in_its_folder: Path) -> None:
    """The design's class, run beside ours on input on which it has no defects: one month a save,
    every month saved once."""
    text = blocks["import sqlite3"].replace("partition_cols=None", "")
    names: dict[str, Any] = {}
    exec(text, names)
    theirs = names["StorageManager"](in_its_folder / "theirs")
    with StorageManager(in_its_folder / "ours") as ours:
        for storage in (theirs, ours):
            for start in ("2022-01-03", "2022-02-03"):
                for name in ("EUR_USD", "GBP_USD"):
                    storage.save_ohlcv_data(hourly_bars(start, 24), name)
                frame = hourly_bars(start, 24)[["timestamp"]].assign(latent_0=0.25)
                storage.save_features(frame, "latents")
        first, last = (pandas.Timestamp(f"2022-0{one}-03 05:00", tz="UTC") for one in (1, 2))
        for kind, instrument in (("ohlcv", "EUR_USD"), ("latents", None)):
            frames = [
                storage.load_data_by_date_range(kind, first, last, instrument)
                for storage in (theirs, ours)
            ]
            assert len(frames[0]) == 19 + 6
            pandas.testing.assert_frame_equal(
                *(one.reset_index(drop=True) for one in frames), check_dtype=False
            )
        results = [storage.verify_data_integrity() for storage in (theirs, ours)]
        assert set(results[0]) == set(results[1])
        assert all(results[1].values())
        query = "SELECT file_path, instrument, data_type, start_date, end_date, record_count FROM "
        rows = []
        for storage in (theirs, ours):
            connection = sqlite3.connect(storage.db_path)
            rows.append(sorted(connection.execute(query + "data_files")))
            connection.close()
        assert rows[0] == rows[1]
