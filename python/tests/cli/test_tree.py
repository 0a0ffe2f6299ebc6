"""`lamina tree --layout hive`: others read the folders as one dataset of Hive."""

from pathlib import Path

import duckdb
import polars
import pyarrow.dataset
from command import run_json

import lamina

ROWS = [(7, "2025-01-10", 1.5), (2**40, "2025-01-11", 2.5)]


def test_duckdb_polars_and_pyarrow_read_it(tmp_path: Path) -> None:
    root, tree = tmp_path / "store", tmp_path / "tree"
    with lamina.open(root, create=True) as store:
        with store.ticks.writer(archive=False) as writer:
            writer.append(
                {
                    "ts_ns": [1736519400000000000, 1736605865000000000],
                    "contract_id": [contract for contract, _, _ in ROWS],
                    "tick_type": ["last", "all_last"],
                    "price": [price for _, _, price in ROWS],
                    "size": [1.0, 2.0],
                }
            )
        store.ticks.archive()
    assert run_json("tree", tree, "--layout", "hive", store=root)["files"] == 2
    folder = tree / "trades"
    by_duckdb = duckdb.sql(
        f"SELECT contract_id, date::VARCHAR, price FROM read_parquet('{folder}/**/*.parquet', "
        "hive_partitioning=true) ORDER BY ts_ns"
    )
    assert by_duckdb.fetchall() == ROWS
    frame = polars.scan_parquet(folder, hive_partitioning=True).sort("ts_ns")
    by_polars = frame.select("contract_id", polars.col("date").cast(str), "price").collect()
    assert by_polars.rows() == ROWS
    table = pyarrow.dataset.dataset(folder, partitioning="hive").to_table()
    rows = table.select(["contract_id", "date", "price"]).sort_by("price").to_pylist()
    assert [(int(row["contract_id"]), row["date"], row["price"]) for row in rows] == ROWS
