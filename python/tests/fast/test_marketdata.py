"""StorageManager: the seed's class over a store."""

import hashlib
import json
import shutil
import sqlite3
from datetime import date, datetime
from pathlib import Path

import duckdb
import pandas
import pyarrow.parquet as pq
import pytest
from lamina.marketdata import StorageManager, migrate_csv_to_parquet
from market_frames import hourly_bars

import lamina


@pytest.fixture
def storage(tmp_path: Path):
    with StorageManager(tmp_path / "data") as manager:
        yield manager


def registry_rows(storage: StorageManager, table: str) -> list[dict[str, object]]:
    connection = sqlite3.connect(storage.db_path)
    connection.row_factory = sqlite3.Row
    with connection:
        rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY id")]
    connection.close()
    return rows


def test_the_tree_is_as_drawn(storage: StorageManager) -> None:
    root = storage.data_root
    for folder in (
        "raw/ohlcv",
        "raw/metadata",
        "processed/features",
        "processed/normalized",
        "processed/latents",
        "splits/train",
        "splits/validation",
        "cache",
    ):
        assert (root / folder).is_dir()
    data = hourly_bars("2022-01-31 20:00", 10)
    before = data.copy()
    paths = storage.save_ohlcv_data(data, "EUR_USD")
    pandas.testing.assert_frame_equal(data, before)
    assert [Path(path).relative_to(root).as_posix() for path in paths] == [
        "raw/ohlcv/EUR_USD/year=2022/month=01/eur_usd_202201.parquet",
        "raw/ohlcv/EUR_USD/year=2022/month=02/eur_usd_202202.parquet",
    ]
    file = pq.read_table(paths[0], partitioning=None)
    assert [(field.name, str(field.type)) for field in file.schema] == [
        ("timestamp", "timestamp[ns, tz=UTC]"),
        ("open", "double"),
        ("high", "double"),
        ("low", "double"),
        ("close", "double"),
        ("volume", "int64"),
        ("instrument", "string"),
        ("year", "int32"),
        ("month", "int32"),
    ]
    assert file["month"].to_pylist() == [1] * 4
    rows = registry_rows(storage, "data_files")
    assert [row["record_count"] for row in rows] == [4, 6]
    assert rows[0]["start_date"] == "2022-01-31T20:00:00+00:00"
    assert rows[0]["checksum"] == hashlib.sha256(Path(paths[0]).read_bytes()).hexdigest()
    found = duckdb.sql(
        f"SELECT year, month, count(*) FROM read_parquet('{root}/raw/ohlcv/EUR_USD/*/*/*.parquet', "
        "hive_partitioning=true, hive_types={'year': INTEGER, 'month': INTEGER}) "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert found == [(2022, 1, 4), (2022, 2, 6)]
    assert not list(root.rglob("*.tmp"))


def test_halves_of_a_month_are_merged_and_ids_stay(storage: StorageManager) -> None:
    storage.save_ohlcv_data(hourly_bars("2022-03-01", 24 * 15), "EUR_USD")
    first = registry_rows(storage, "data_files")[0]
    storage.verify_data_integrity()
    storage.save_ohlcv_data(hourly_bars("2022-03-15 12:00", 24 * 15, close=50), "EUR_USD")
    row = registry_rows(storage, "data_files")[0]
    assert row["id"] == first["id"]
    assert row["created_at"] == first["created_at"]
    assert row["last_verified"] is None
    loaded = storage.load_data_by_date_range("ohlcv", "2022-03-01", "2022-03-31", "EUR_USD")
    assert len(loaded) == row["record_count"] == 24 * 15 - 12 + 24 * 15
    assert loaded["close"].max() > 90
    assert storage.save_ohlcv_data(hourly_bars("2022-03-01", 0), "EUR_USD") == []


def test_ranges_are_inclusive(storage: StorageManager) -> None:
    storage.save_ohlcv_data(hourly_bars("2022-12-30", 72), "GBP_USD")
    storage.save_ohlcv_data(hourly_bars("2022-12-30", 72), "EUR_USD")
    for end in (datetime(2022, 12, 31), date(2022, 12, 31), "2022-12-31"):
        loaded = storage.load_data_by_date_range("ohlcv", datetime(2022, 12, 31), end)
        assert len(loaded) == 48
    assert loaded["instrument"].tolist()[:2] == ["EUR_USD", "GBP_USD"]
    assert loaded["timestamp"].is_monotonic_increasing
    zoned = pandas.Timestamp("2022-12-31T01:00", tz="Europe/Berlin")
    loaded = storage.load_data_by_date_range("ohlcv", zoned, zoned, "EUR_USD")
    assert loaded["timestamp"].tolist() == [pandas.Timestamp("2022-12-31", tz="UTC")]
    empty = storage.load_data_by_date_range("ohlcv", "2020-01-01", "2020-01-02")
    assert len(empty) == 0
    assert empty.columns.tolist()[:2] == ["timestamp", "open"]
    with pytest.raises(lamina.InvalidArgument, match="data_type"):
        storage.load_data_by_date_range("bars", "2020-01-01", "2020-01-02")


def test_features(storage: StorageManager) -> None:
    stamps = pandas.date_range("2022-01-31 22:00", periods=4, freq="h", tz="UTC")
    frame = pandas.DataFrame({"timestamp": stamps} | {f"latent_{i}": 0.5 + i for i in range(100)})
    for kind in ("features", "normalized", "latents"):
        paths = storage.save_features(frame, kind)
        assert [Path(path).name for path in paths] == [
            f"{kind}_202201.parquet",
            f"{kind}_202202.parquet",
        ]
        loaded = storage.load_data_by_date_range(kind, datetime(2022, 1, 1), datetime(2022, 12, 31))
        assert loaded.columns.tolist() == [*frame.columns, "year", "month"]
        assert loaded["latent_99"].tolist() == [99.5] * 4
    assert {row["instrument"] for row in registry_rows(storage, "data_files")} == {"ALL"}
    with pytest.raises(lamina.InvalidArgument, match="features, normalized, latents"):
        storage.save_features(frame, "labels")
    with pytest.raises(lamina.InvalidArgument, match="side by side"):
        storage.load_data_by_date_range("features", "2022-01-01", "2022-01-02", "EUR_USD")


def test_integrity(storage: StorageManager) -> None:
    paths = [
        Path(one) for one in storage.save_ohlcv_data(hourly_bars("2022-01-01", 24 * 80), "EUR_USD")
    ]
    names = [path.relative_to(storage.data_root).as_posix() for path in paths]
    assert storage.verify_data_integrity() == dict.fromkeys(names, True)
    assert all(row["last_verified"] for row in registry_rows(storage, "data_files"))
    damaged = bytearray(paths[0].read_bytes())
    damaged[100] ^= 1
    paths[0].write_bytes(damaged)
    paths[1].unlink()
    stray = paths[2].with_name("eur_usd_202203.parquet.1.tmp")
    stray.write_bytes(b"")
    assert storage.verify_data_integrity() == {names[0]: False, names[1]: False, names[2]: True}
    problems = {one["path"]: one["problem"] for one in storage.integrity_report()}
    assert problems == {
        names[0]: "damaged",
        names[1]: "missing",
        stray.relative_to(storage.data_root).as_posix(): "left_over",
    }
    # The data is in the store: the tree can be made again.
    assert len(storage.load_data_by_date_range("ohlcv", "2022-01-01", "2022-12-31")) == 24 * 80
    storage.refresh_tree()
    assert all(storage.verify_data_integrity().values())


def test_what_a_dead_process_left_is_caught_up(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with StorageManager(root) as storage:
        storage.save_ohlcv_data(hourly_bars("2022-01-01", 24), "EUR_USD")
        path = Path(storage.save_ohlcv_data(hourly_bars("2022-02-01", 24), "EUR_USD")[0])
        # Died between the commit and the files.
        storage.store.bars.save(hourly_bars("2022-02-01", 2, close=70), "EUR_USD")
        note = {"data_type": "ohlcv", "instrument": "EUR_USD", "months": [[2022, 2]]}
        (storage.db_path.parent / "pending_x.json").write_text(json.dumps(note))
        shutil.rmtree(root / "raw/ohlcv/EUR_USD/year=2022/month=01")
    with StorageManager(root) as storage:
        assert pq.read_table(path, partitioning=None)["close"][0].as_py() == 70
        assert all(storage.verify_data_integrity().values())
        assert storage.integrity_report() == []
        assert not list(storage.db_path.parent.glob("pending_*"))


def test_runs_and_models(storage: StorageManager) -> None:
    with pytest.raises(lamina.InvalidArgument, match="start_date"):
        storage.log_fetch_run("EUR_USD", records_fetched=1, api_calls_used=1, status="success")
    paths = storage.save_ohlcv_data(hourly_bars("2022-01-01", 30), "EUR_USD")
    fetch = storage.log_fetch_run(
        instrument="EUR_USD", records_fetched=30, api_calls_used=1, status="success"
    )
    row = registry_rows(storage, "fetch_runs")[0]
    assert row["id"] == fetch
    assert (row["granularity"], row["start_date"]) == ("H1", "2022-01-01T00:00:00+00:00")
    assert row["duration_seconds"] > 0
    with pytest.raises(lamina.InvalidArgument, match="success partial failed"):
        storage.log_fetch_run("EUR_USD", 1, 1, "done")
    run = storage.log_processing_run("preprocessing", "abc", paths, [])
    model = storage.register_model_artifact("gbdt", "1.0", "m.bin", "abc", run, {"auc": 0.6})
    assert registry_rows(storage, "model_artifacts")[0]["training_run_id"] == run
    assert len(storage.store.registry.lineage("artifact", model)) == 2
    with pytest.raises(lamina.InvalidArgument):
        storage.register_model_artifact("gbdt", "1.0", "m.bin", "abc", 99)
    with pytest.raises(lamina.InvalidArgument, match="no registered file"):
        storage.log_processing_run("training", "abc", ["nothing.parquet"], [])
    connection = sqlite3.connect(storage.db_path)
    indexes = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    connection.close()
    assert {
        "idx_data_files_instrument",
        "idx_data_files_type",
        "idx_data_files_date",
        "idx_fetch_runs_instrument",
        "idx_processing_runs_type",
    } <= indexes


def test_splits(storage: StorageManager) -> None:
    for name in ("EUR_USD", "GBP_USD"):
        storage.save_ohlcv_data(hourly_bars("2022-01-01", 72), name)
    paths = storage.save_splits(("2022-01-01", "2022-01-02"), ("2022-01-03", "2022-01-03"))
    assert [Path(path).relative_to(storage.data_root).as_posix() for path in paths] == [
        "splits/train/EUR_USD.parquet",
        "splits/train/GBP_USD.parquet",
        "splits/validation/EUR_USD.parquet",
        "splits/validation/GBP_USD.parquet",
    ]
    assert pq.read_metadata(paths[0]).num_rows == 48
    assert pq.read_metadata(paths[2]).num_rows == 24


def test_csv_files_are_migrated(
    storage: StorageManager, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "csv"
    folder.mkdir()
    head = "open,high,low,close\n"
    (folder / "EUR_USD_3years_H1.csv").write_text(
        f"time,{head}2022-01-01 00:00:00,1.1,1.2,1.0,1.10089\n2022-01-01 01:00:00,1,2,x,1\n"
    )
    (folder / "gbp_usd.csv").write_text(f"timestamp,time,{head}2022-01-01T00:00:00Z,x,1,1,1,1\n")
    (folder / "notes.csv").write_text("a,b\n1,2\n")
    for _ in range(2):
        reports = migrate_csv_to_parquet(folder, storage)
        assert [(one.get("instrument"), one["records"]) for one in reports] == [
            ("EUR_USD", 1),
            ("GBP_USD", 1),
            (None, 0),
        ]
        assert [line for line, _ in reports[0]["rejected"]] == [3]
        assert "lacks timestamp" in reports[2]["error"]
        assert "Migrated EUR_USD: 1 records" in capsys.readouterr().out
    loaded = storage.load_data_by_date_range("ohlcv", "2022-01-01", "2022-01-01")
    assert loaded["close"].tolist() == [1.10089, 1.0]
