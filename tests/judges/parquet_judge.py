"""Judge Parquet files written by lamina with pyarrow, DuckDB, polars and DuckLake.

Usage: parquet_judge.py FOLDER SHARED. FOLDER holds, per case, NAME.parquet (the file), NAME.arrow
(the same rows as Arrow IPC, the truth) and NAME.json (what WriteParquet returned, column types
added). SHARED/tools holds the DuckLake reference writer and conformance check. Prints one line per
problem; exit status 1 when there is any.
"""

import contextlib
import io
import json
import math
import sqlite3
import sys
import uuid
from pathlib import Path

import duckdb
import polars
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

DUCKDB_TYPES = {
    "boolean": "BOOLEAN",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "varchar": "VARCHAR",
    "blob": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "uuid": "UUID",
    "list": "INTEGER[]",
}

problems: list[str] = []


def check(condition: bool, message: str) -> None:
    if not condition:
        problems.append(message)


def plain(value):
    """A value in a form that is the same whoever read it; NaN equal to itself, -0.0 not to 0.0."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else (value, math.copysign(1, value))
    if isinstance(value, uuid.UUID):
        return value.bytes
    return value


def same(name: str, reader: str, got: list, truth: list) -> None:
    got, truth = [plain(v) for v in got], [plain(v) for v in truth]
    if got != truth:
        bad = [i for i, (a, b) in enumerate(zip(got, truth, strict=False)) if a != b][:3]
        shown = [(i, got[i], truth[i]) for i in bad]
        problems.append(f"{name}: {reader} differs: {len(got)} of {len(truth)} rows, {shown}")


def judge_pyarrow(path: Path, truth: pa.Table, case: dict) -> None:
    got = pq.read_table(path, page_checksum_verification=True, arrow_extensions_enabled=True)
    check(got.schema.equals(truth.schema), f"{path.name}: pyarrow schema {got.schema}")
    for column in truth.column_names:
        same(f"{path.name} {column}", "pyarrow", got[column].to_pylist(), truth[column].to_pylist())
    meta = pq.read_metadata(path)
    check(b"ARROW:schema" not in (meta.metadata or {}), f"{path.name}: ARROW:schema is stored")
    for g in range(meta.num_row_groups):
        for c in range(meta.num_columns):
            chunk, where = meta.row_group(g).column(c), f"{path.name} group {g} column {c}"
            check(chunk.compression == "ZSTD", f"{where}: {chunk.compression}")
            check(chunk.has_offset_index, f"{where}: no offset index")
            nan = case["statistics"][c]["contains_nan"]
            check(chunk.is_stats_set != bool(nan), f"{where}: statistics")
    check(meta.num_rows == case["rows"], f"{path.name}: {meta.num_rows} rows")


def judge_page_checksums(path: Path) -> None:
    """One flipped bit in the last byte of a column chunk must be noticed by pyarrow."""
    meta = pq.read_metadata(path)
    chunk = meta.row_group(0).column(0)
    start = chunk.data_page_offset
    if chunk.dictionary_page_offset:
        start = min(start, chunk.dictionary_page_offset)
    damaged = bytearray(path.read_bytes())
    damaged[start + chunk.total_compressed_size - 1] ^= 1
    try:
        pq.read_table(pa.BufferReader(bytes(damaged)), page_checksum_verification=True)
        problems.append(f"{path.name}: pyarrow did not notice a flipped bit")
    except OSError as error:
        check("CRC" in str(error), f"{path.name}: no page checksum: {error}")


def judge_duckdb(con, path: Path, truth: pa.Table, case: dict) -> None:
    src = f"read_parquet('{path}')"
    con.execute(f"CREATE OR REPLACE TEMP TABLE rows AS SELECT * FROM {src}")
    rows = con.execute(f"DESCRIBE SELECT * FROM {src}").fetchall()
    want = [(c["name"], DUCKDB_TYPES[c["type"]]) for c in case["columns"]]
    check([r[:2] for r in rows] == want, f"{path.name}: DuckDB types {rows}")
    for column in case["columns"]:
        name = column["name"]
        got = [r[0] for r in con.execute(f'SELECT "{name}" FROM {src}').fetchall()]
        same(f"{path.name} {name}", "DuckDB", got, truth[name].to_pylist())
        if column["type"] in ("list", "blob"):
            continue
        # Its own pruning by our row group statistics must not lose rows.
        for bound in ("min", "max"):
            value = f'SELECT {bound}("{name}") FROM rows WHERE "{name}" IS NOT NULL'
            if column["type"] == "float64":
                value += f' AND NOT isnan("{name}")'
            for op in ("=", "<=", ">="):
                count = f'SELECT count(*) FROM {{}} WHERE "{name}" {op} ({value})'
                pruned = con.execute(count.format(src)).fetchone()
                straight = con.execute(count.format("rows")).fetchone()
                check(pruned == straight, f"{path.name} {name} {op} {bound}: {pruned}, {straight}")
    ids = con.execute(f"SELECT field_id FROM parquet_schema('{path}') WHERE field_id IS NOT NULL")
    ids = [r[0] for r in ids.fetchall()]
    want_ids = []
    for column in case["columns"]:
        extra = [column["id"] + 1] if column["type"] == "list" else []
        want_ids += [column["id"], *extra]
    check(ids == want_ids, f"{path.name}: field ids {ids}")


def judge_polars(path: Path, truth: pa.Table, case: dict) -> None:
    got = polars.read_parquet(path)
    for column in case["columns"]:
        name = column["name"]
        values = got[name].to_list()
        expected = truth[name].to_pylist()
        same(f"{path.name} {name}", "polars", values, expected)
        if column["type"] == "timestamptz":
            check(got[name].dtype == polars.Datetime("us", "UTC"), f"{name}: {got[name].dtype}")


def judge_ducklake(folder: Path, shared: Path, cases: dict[str, dict]) -> None:
    """Register all files in one DuckLake table with our statistics, then run the conformance."""
    sys.path.insert(0, str(shared / "tools"))
    import ducklake_conformance
    import ducklake_reference_writer as reference

    data = folder / "lake"
    (data / "main" / "t").mkdir(parents=True)
    con = sqlite3.connect(folder / "lake.sqlite", isolation_level=None)
    con.execute("PRAGMA journal_mode=WAL")
    lake = reference.Lake(con, "sqlite")
    lake.create(f"{data}/")
    last, version, next_id, next_file = lake.begin()
    snapshot, table = last + 1, next_id
    lake.x(
        "INSERT INTO ducklake_table VALUES(?,?,?,NULL,0,'t','t/',1)",
        (table, str(uuid.uuid4()), snapshot),
    )
    leaves = []
    for column in next(iter(cases.values()))["columns"]:
        leaves.append((column["id"], column["name"], column["type"], None))
        if column["type"] == "list":
            leaves.append((column["id"] + 1, "element", "int32", column["id"]))
    for number, (column_id, name, kind, parent) in enumerate(leaves, 1):
        lake.x(
            "INSERT INTO ducklake_column VALUES"
            "(?,?,NULL,?,?,?,?,NULL,'NULL',1,?,'literal','duckdb')",
            (column_id, snapshot, table, number, name, kind, parent),
        )
    lake.x("INSERT INTO ducklake_schema_versions VALUES(?,?,?)", (snapshot, version + 1, table))
    lake.snap(snapshot, version + 1, next_id + 1, next_file, 'created_table:"main"."t"')
    lake.commit()
    # The reference writer finds the type of column i at position i - 1.
    by_id = dict((leaf[0], (leaf[1], leaf[2])) for leaf in leaves)
    columns = [by_id[i] for i in range(1, max(by_id) + 1)]
    for name, case in cases.items():
        (data / "main" / "t" / f"{name}.parquet").hardlink_to(folder / f"{name}.parquet")
        written = dict(
            rows=case["rows"],
            size=case["size_bytes"],
            footer=case["footer_size"],
            stats=[
                (
                    s["field_id"],
                    s["size_bytes"],
                    s["value_count"],
                    s["null_count"],
                    s["min_value"],
                    s["max_value"],
                    s["contains_nan"],
                )
                for s in case["statistics"]
            ],
        )
        lake.append(table, None, columns, [(f"{name}.parquet", written, None, [])])
    con.close()
    output = io.StringIO()
    limits = ["--max-snapshots", "4", "--max-predicates", "80"]
    sys.argv = ["ducklake_conformance.py", str(folder / "lake.sqlite"), *limits]
    with contextlib.redirect_stdout(output):
        status = ducklake_conformance.main()
    check(status == 0, f"DuckLake conformance:\n{output.getvalue()}")


def main() -> int:
    folder, shared = Path(sys.argv[1]), Path(sys.argv[2])
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    cases = {p.stem: json.loads(p.read_text()) for p in sorted(folder.glob("*.json"))}
    check(len(cases) > 0, f"no cases in {folder}")
    for name, case in cases.items():
        path = folder / f"{name}.parquet"
        with pa.ipc.open_file(folder / f"{name}.arrow") as reader:
            truth = reader.read_all()
        judge_pyarrow(path, truth, case)
        judge_page_checksums(path)
        judge_duckdb(con, path, truth, case)
        judge_polars(path, truth, case)
    judge_ducklake(folder, shared, cases)
    for problem in problems[:50]:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
