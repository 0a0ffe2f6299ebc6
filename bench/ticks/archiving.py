#!/usr/bin/env python3
"""Time archiving and compaction of ticks, their memory, and what a tick takes, answers checked.

Usage: bench/ticks/archiving.py --build build/release [--ticks 8000000] [--tools ../shared/tools]
Beside it Polars, DuckDB and pyarrow sort the same ticks by contract and time and write them as
zstd Parquet: once, without a catalog, statistics of days, or a second pass.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import machine
import tick_sets

CONTRACTS = 20
CHUNK = 500_000
REAL = {  # set: (kind, bound in bytes a tick)
    "binance_usdm_btcusdt_20240808_quotes": ("bid_ask", "<= 9.3"),
    "binance_usdm_btcusdt_20240808_trades": ("last", "<= 5.5"),
    "binance_spot_btcusdt_20240809_quotes": ("bid_ask", ""),
    "binance_spot_btcusdt_20240809_trades": ("last", ""),
    "databento_es_20240702_mbp1": ("bid_ask", ""),
    "databento_esh4_20231225_trades": ("last", ""),
}


def role_record(root: str, ticks: str) -> dict:
    """A log of `ticks` quotes, and the same ticks as one Arrow file for the others."""
    import lamina

    rows, sums = int(ticks), np.zeros(2)
    with lamina.open(root, create=True) as store:  # noqa: SIM117
        with store.ticks.writer(durability="os", archive=False) as writer:
            with pa.OSFile(root + ".arrow", "wb") as file:
                stream = None
                for first in range(0, rows, CHUNK):
                    table = tick_sets.quotes(min(CHUNK, rows - first), CONTRACTS, first)
                    stream = stream or pa.ipc.new_file(file, table.schema)
                    stream.write_table(table)
                    sums += [pa.compute.sum(table[n]).as_py() for n in ("bid_price", "ask_size")]
                    for batch in table.to_batches(max_chunksize=10_000):
                        writer.append(batch)
                stream.close()
    return {"bid_price": sums[0], "ask_size": sums[1]}


def role_polars(path: str, out: str) -> dict:
    import polars

    frame = polars.read_ipc(path)
    frame.sort("contract_id", "ts_ns").write_parquet(out, compression="zstd", compression_level=3)
    return {}


def role_duckdb(path: str, out: str) -> dict:
    import duckdb

    rows = pa.ipc.open_file(path).read_all()
    duckdb.sql(
        f"COPY (SELECT * FROM rows ORDER BY contract_id, ts_ns) TO '{out}' "
        "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
    )
    return {"rows": rows.num_rows}


def role_pyarrow(path: str, out: str) -> dict:
    table = pa.ipc.open_file(path).read_all()
    table = table.sort_by([("contract_id", "ascending"), ("ts_ns", "ascending")])
    pa.parquet.write_table(table, out, compression="zstd", compression_level=3)
    return {}


ROLES = {
    "record": role_record,
    "polars": role_polars,
    "duckdb": role_duckdb,
    "pyarrow": role_pyarrow,
}


def live_files(root: Path) -> list[str]:
    """The files of the newest snapshot, as the catalog has them."""
    import sqlite3

    with sqlite3.connect(f"file:{root}/catalog.sqlite?mode=ro", uri=True) as catalog:
        rows = catalog.execute(
            "SELECT s.path || t.path || f.path FROM ducklake_data_file f JOIN ducklake_table t "
            "USING (table_id) JOIN ducklake_schema s USING (schema_id) "
            "WHERE f.end_snapshot IS NULL AND t.end_snapshot IS NULL AND s.schema_name = 'ticks'"
        ).fetchall()
    return [str(root / "lake" / row[0]) for row in rows]


def check(root: Path, ticks: int, sums: dict) -> int:
    """DuckDB counts what Lamina wrote. RETURNS bytes of the live files."""
    import duckdb

    files = live_files(root)
    found = duckdb.execute(
        "SELECT count(*), sum(bid_price), sum(ask_size) FROM read_parquet(?)", [files]
    ).fetchone()
    assert found == (ticks, sums["bid_price"], sums["ask_size"]), found
    return sum(Path(path).stat().st_size for path in files)


def archive(figures, binary: Path, folder: Path, ticks: int) -> None:
    root = folder / "store"
    sums = tick_sets.in_child(__file__, "record", root, ticks)
    arrow = Path(str(root) + ".arrow")
    size_of_log = sum(path.stat().st_size for path in (root / "log").rglob("*.seg"))
    first = tick_sets.run_command([binary, "--store", root, "ticks", "archive"])
    bytes_first = check(root, ticks, sums)
    second = tick_sets.run_command([binary, "--store", root, "compact"])
    bytes_second = check(root, ticks, sums)
    millions = ticks / 1e6
    both = first.seconds + second.seconds
    figures.tell("archiving and compaction", millions / both, "M ticks/s", ">= 1.5")
    for name, run in (("archiving", first), ("compaction", second)):
        note = f"processor time {run.cpu / millions:.2f} µs a tick"
        figures.tell(f"  {name} alone", millions / run.seconds, "M ticks/s", note=note)
    figures.tell("  peak memory", max(first.peak_mb, second.peak_mb), "MB", "<= 256", 0)
    figures.tell("  a tick in the log", size_of_log / ticks, "B")
    figures.tell("  a tick as first archived", bytes_first / ticks, "B")
    figures.tell("  a tick once compacted", bytes_second / ticks, "B")
    for rival in ("polars", "duckdb", "pyarrow"):
        out = folder / f"{rival}.parquet"
        began = time.perf_counter()
        done = tick_sets.in_child(__file__, rival, arrow, out)
        seconds = time.perf_counter() - began
        assert pa.parquet.read_metadata(out).num_rows == ticks
        figures.tell(
            f"{rival}: read, sort, write once",
            millions / seconds,
            "M ticks/s",
            note=f"{done['peak_mb']:.0f} MB, {out.stat().st_size / ticks:.2f} B a tick",
        )


def real_ticks(path: Path, kind: str) -> pa.Table:
    rows = pa.parquet.read_table(path)
    names = rows.column_names
    event = "ts_event" if "ts_event" in names else "ts_recv"
    columns = {
        "ts_ns": rows[event].cast(pa.int64()),
        "recv_ns": rows["ts_recv" if "ts_recv" in names else event].cast(pa.int64()),
        "contract_id": pa.array(np.full(rows.num_rows, 270_639)),
        "tick_type": pa.array([kind] * rows.num_rows),
    }
    if kind == "bid_ask":
        pairs = {"bid_price": "bid", "bid_size": "bid_size", "ask_price": "ask"}
        pairs["ask_size"] = "ask_size"
    else:
        pairs = {"price": "price", "size": "size"}
    return pa.table(
        columns | {ours: rows[theirs].cast("float64") for ours, theirs in pairs.items()}
    )


def sizes(figures, lamina, folder: Path, data: Path) -> None:
    """What a tick of real sets takes, and in the files of others."""
    import duckdb
    import polars

    for name, (kind, bound) in REAL.items():
        table = real_ticks(data / f"{name}.parquet", kind)
        root = folder / name
        with lamina.open(root, create=True) as store:
            with store.ticks.writer(durability="os", archive=False) as writer:
                writer.append(table)
            store.ticks.archive()
            store.compact()
            first, last = pa.compute.min_max(table["ts_ns"]).as_py().values()
            answer = store.ticks.query(270_639, kind, first, last + 1)
            assert answer.num_rows == table.num_rows
        ours = sum(Path(path).stat().st_size for path in live_files(root)) / table.num_rows
        theirs = {}
        columns = table.drop_columns(["contract_id", "tick_type"])
        columns = columns.append_column("seq", pa.array(np.arange(table.num_rows)))
        polars.from_arrow(columns).write_parquet(folder / "polars")
        pa.parquet.write_table(columns, folder / "pyarrow", compression="zstd")
        duckdb.sql(
            f"COPY columns TO '{folder / 'duckdb'}' "
            "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
        )
        for rival in ("polars", "duckdb", "pyarrow"):
            theirs[rival] = (folder / rival).stat().st_size / table.num_rows
        note = "zstd Parquet of " + ", ".join(f"{k} {v:.2f}" for k, v in theirs.items())
        figures.tell(f"{name}, {table.num_rows:,} ticks", ours, "B", bound, note=note)


def main() -> None:
    given, lamina = tick_sets.begin(__doc__, ROLES, ticks=8_000_000)
    figures = tick_sets.Figures()
    with tempfile.TemporaryDirectory(prefix="bench-ticks-") as name:
        folder = Path(name)
        archive(figures, given.build / "bin" / "lamina", folder, given.ticks)
        sizes(figures, lamina, folder, given.tools / ".." / "data" / "ticks")
    if given.out:
        figures.write(
            given.out / "ticks_archiving.md",
            "Ticks: archiving, compaction, size",
            f"{machine.describe()}. Made by `bench/ticks/archiving.py --ticks {given.ticks}`: a "
            f"log of quotes of {CONTRACTS} contracts, then `lamina ticks archive` and "
            "`lamina compact`, their start and end included; DuckDB counts and sums what they "
            "wrote.",
        )


if __name__ == "__main__":
    main()
