"""SQL over one snapshot of a store: DuckDB on a private catalog file, never on the live one."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .errors import Unsupported

if TYPE_CHECKING:
    import duckdb
    import pyarrow

_EXTENSIONS = ("sqlite_scanner", "ducklake")
_KEEP_SECONDS = 24 * 3600
_CONNECTIONS_KEPT = 4


def forget_old_files(folder: Path) -> None:
    """Remove catalogs that nobody used for a day. Relations of this moment keep theirs."""
    for path in folder.glob("*.sqlite"):
        try:
            if path.stat().st_mtime < time.time() - _KEEP_SECONDS:
                path.unlink()
        except FileNotFoundError:
            pass  # another process was faster


class Connections:
    """One DuckDB for each snapshot asked of a store. Thread-safe."""

    def __init__(self) -> None:
        self._by_snapshot: dict[int, duckdb.DuckDBPyConnection] = {}
        self._lock = threading.Lock()

    def run(
        self,
        query: str,
        snapshot: int,
        lake: Path,
        catalog_of: Callable[[int], Path],
        check_tables: Callable[[list[str]], None],
    ) -> duckdb.DuckDBPyRelation:
        with self._lock:
            connection = self._by_snapshot.pop(snapshot, None)
            if connection is None:
                connection = _connect(catalog_of(snapshot), lake, check_tables)
            self._by_snapshot[snapshot] = connection  # the last used one is last
            while len(self._by_snapshot) > _CONNECTIONS_KEPT:
                del self._by_snapshot[next(iter(self._by_snapshot))]
        cursor = connection.cursor()  # a connection of its own, so that threads do not meet
        _enter(cursor)
        statement = _reading_statement(cursor, query)
        check_tables(_lake_tables(cursor, query))
        return cursor.sql(statement)

    def close(self) -> None:
        with self._lock:
            self._by_snapshot.clear()


def _reading_statement(cursor: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """The tables of handles are ours to fill: a statement that changed them would change what the
    next one sees."""
    import duckdb

    reading = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
    statements = cursor.extract_statements(query)
    if len(statements) != 1:
        raise Unsupported(f"store.sql takes one statement; there are {len(statements)}")
    if statements[0].type not in reading:
        raise Unsupported(f"store.sql reads; this is {statements[0].type.name}")
    return statements[0]


def _lake_tables(cursor: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """`schema.table` of each table or view of the lake that the query names, as parsed."""
    row = cursor.execute("SELECT json_serialize_sql(?)", [query]).fetchone()
    found = set()

    def look(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "BASE_TABLE" and node.get("catalog_name") in ("", "lake"):
                found.add(f"{node['schema_name']}.{node['table_name']}")
            node = list(node.values())
        if isinstance(node, list):
            for part in node:
                look(part)

    look(json.loads(row[0]) if row else None)  # of EXPLAIN it tells an error: that reads no rows
    return sorted(found)


def _text(text: str | Path) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _connect(
    catalog: Path, lake: Path, check_tables: Callable[[list[str]], None]
) -> duckdb.DuckDBPyConnection:
    try:
        import duckdb
    except ImportError as error:
        raise Unsupported("store.sql needs DuckDB: pip install 'lamina[sql]'") from error
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    files = [_extension_file(name, duckdb.__version__) for name in _EXTENSIONS]
    with closing(sqlite3.connect(f"file:{quote(str(catalog))}?mode=ro", uri=True)) as rows:
        if all(files):
            for file in files:
                connection.execute(f"LOAD {_text(file)}")
            connection.execute(
                f"ATTACH {_text(f'ducklake:sqlite:{catalog}')} AS lake "
                f"(READ_ONLY, DATA_PATH {_text(f'{lake}/')}, OVERRIDE_DATA_PATH true)"
            )
        else:
            connection.execute("ATTACH ':memory:' AS lake")
            _make_file_views(connection, rows, lake, check_tables)
        _load_handles(connection, rows)
    return connection


def _enter(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute("SET TimeZone = 'UTC'")
    cursor.execute("SET search_path = 'lake.main,memory.main'")


def _extension_file(name: str, version: str) -> Path | None:
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)))
    file = folder / "extensions" / f"v{version}" / f"{name}.duckdb_extension"
    return file if file.exists() else None


# --- tables of handles ---------------------------------------------------------------------------

_ARROW_TYPES = {"INTEGER": "int64", "REAL": "float64", "TEXT": "string", "BLOB": "binary"}
_INSTANTS = ("start_date", "end_date", "imported_at")
_INTERNAL = ("backtest_id", "begin_snapshot", "end_snapshot", "summary_nan_mask")


def _load_handles(connection: duckdb.DuckDBPyConnection, rows: sqlite3.Connection) -> None:
    """Tables `backtest_index` and `backtest_run` of the private catalog, with proper types."""
    connection.execute("USE memory")
    index = _arrow_table(rows, "backtest_index")
    chosen = ["bundle_path AS handle"]
    bit = 0
    for field in index.schema:
        name = _name(field.name)
        if field.name in _INTERNAL:
            continue
        if field.name.startswith("summary_") and field.name != "summary_extras_json":
            # SQLite has no NaN: the mask tells NaN from missing.
            is_nan = f"(summary_nan_mask >> {bit}) & 1 = 1"
            bit += 1
            if field.type == "double":
                name = f"CASE WHEN {is_nan} THEN 'nan'::DOUBLE ELSE {name} END AS {name}"
        elif field.name in _INSTANTS:
            name = f"make_timestamp({name}) AT TIME ZONE 'UTC' AS {name}"
        elif field.name == "document_sha256":
            name = f"lower(hex({name})) AS {name}"
        chosen.append(name)
    connection.register("index_rows", index)
    connection.execute(
        f"CREATE TABLE backtest_index AS SELECT {', '.join(chosen)} FROM index_rows ORDER BY handle"
    )
    connection.unregister("index_rows")
    connection.register("run_rows", _arrow_table(rows, "backtest_run"))
    connection.execute(
        "CREATE TABLE backtest_run AS SELECT handle, slot, run_id::UUID AS run_id, engine, study "
        "FROM run_rows ORDER BY handle, slot"
    )
    connection.unregister("run_rows")


def _arrow_table(rows: sqlite3.Connection, table: str) -> pyarrow.Table:
    import pyarrow

    columns = rows.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall()
    values = rows.execute(f"SELECT * FROM {table}").fetchall()
    by_column = list(zip(*values, strict=True)) if values else [()] * len(columns)
    return pyarrow.table(
        {
            name: pyarrow.array(column, type=pyarrow.type_for_alias(_ARROW_TYPES[kind]))
            for (name, kind), column in zip(columns, by_column, strict=True)
        }
    )


# --- without the extensions: the same names over lists of files ----------------------------------

_DUCKDB_TYPES = {
    "float64": "DOUBLE",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "list": "INTEGER[]",
    "timestamptz": "TIMESTAMPTZ",
}


def _make_file_views(
    connection: duckdb.DuckDBPyConnection,
    rows: sqlite3.Connection,
    lake: Path,
    check_tables: Callable[[list[str]], None],
) -> None:
    import duckdb

    connection.execute("USE lake")
    tables = rows.execute(
        "SELECT t.table_id, s.schema_name, t.table_name, s.path || t.path FROM ducklake_table t "
        "JOIN ducklake_schema s USING (schema_id)"
    ).fetchall()
    for table_id, schema, name, folder in tables:
        columns = rows.execute(
            "SELECT column_name, column_type FROM ducklake_column "
            "WHERE table_id = ? AND parent_column IS NULL ORDER BY column_order",
            (table_id,),
        ).fetchall()
        files = rows.execute(
            "SELECT f.path, d.path FROM ducklake_data_file f LEFT JOIN ducklake_delete_file d "
            "USING (data_file_id) WHERE f.table_id = ? ORDER BY f.row_id_start",
            (table_id,),
        ).fetchall()
        selected = _select_files(columns, files, lake / folder)
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_name(schema)}")
        try:
            connection.execute(f"CREATE VIEW {_name(schema)}.{_name(name)} AS {selected}")
        except duckdb.Error:  # it has read a file's footer
            check_tables([f"{schema}.{name}"])
            raise
    for schema, name, sql, aliases in rows.execute(
        "SELECT s.schema_name, v.view_name, v.sql, v.column_aliases FROM ducklake_view v "
        "JOIN ducklake_schema s USING (schema_id)"
    ):
        columns = f"({aliases})" if aliases else ""
        selected = sql.replace("{DUCKLAKE_CATALOG}", "lake")
        connection.execute(f"CREATE VIEW {_name(schema)}.{_name(name)}{columns} AS {selected}")


def _select_files(
    columns: list[tuple[str, str]], files: list[tuple[str, str | None]], folder: Path
) -> str:
    typed = [f"NULL::{_DUCKDB_TYPES.get(kind, kind)} AS {_name(name)}" for name, kind in columns]
    # The empty first part gives names and types also to files that are older than a column.
    parts = [f"SELECT {', '.join(typed)} WHERE false"]
    whole = [_text(folder / path) for path, deleted in files if deleted is None]
    if whole:
        parts.append(f"SELECT * FROM read_parquet([{', '.join(whole)}], union_by_name = true)")
    for path, deleted in files:
        if deleted is not None:
            parts.append(
                "SELECT * EXCLUDE (file_row_number) FROM "
                f"read_parquet({_text(folder / path)}, file_row_number = true) WHERE "
                f"file_row_number NOT IN (SELECT pos FROM read_parquet({_text(folder / deleted)}))"
            )
    return " UNION ALL BY NAME ".join(parts)
