#!/usr/bin/env python3
"""Ask DuckDB's own DuckLake extension about a store.

  python duckdb_lake.py CATALOG.sqlite DATA_PATH/ ALIAS CHECK...
  CHECK: rows EXPECTED_JSON SQL | files COUNT SQL | error TEXT SQL

The catalog is attached READ_ONLY as ALIAS with DATA_PATH overridden, as a moved store must be.
`rows`: the answer as JSON (values that JSON lacks as text). `files`: "Total Files Read" of the
query. `error`: a part of its message. One line per check; exit status 1 when any fails. Runs in a
process of its own: two SQLite libraries on one file in one process drop each other's locks.
"""

import importlib.util
import json
import re
import sys

import duckdb


def connect():
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    for name in ("ducklake", "sqlite_scanner"):
        folder = importlib.util.find_spec("duckdb_extension_" + name).submodule_search_locations[0]
        connection.execute(
            f"LOAD '{folder}/extensions/v{duckdb.__version__}/{name}.duckdb_extension'"
        )
    connection.execute("SET TimeZone='UTC'")
    return connection


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def answer(connection, kind, sql):
    if kind == "rows":
        return json.dumps(connection.execute(sql).fetchall(), default=str)
    if kind == "files":
        plan = connection.execute("EXPLAIN ANALYZE " + sql).fetchall()[0][1]
        return str(sum(int(n) for n in re.findall(r"Total Files Read: (\d+)", plan)))
    try:
        connection.execute(sql).fetchall()
        return "no error"
    except duckdb.Error as error:
        return str(error)


def main():
    catalog, data_path, alias, *checks = sys.argv[1:]
    connection = connect()
    connection.execute(
        f"ATTACH {quoted('ducklake:sqlite:' + catalog)} AS {alias} (READ_ONLY, "
        f"DATA_PATH {quoted(data_path)}, OVERRIDE_DATA_PATH true, META_BUSY_TIMEOUT 5000)"
    )
    failed = 0
    for kind, expected, sql in zip(checks[0::3], checks[1::3], checks[2::3], strict=True):
        got = answer(connection, kind, sql)
        ok = expected in got if kind == "error" else got == expected
        failed += not ok
        print("PASS" if ok else f"FAIL expected {expected} got {got}", kind, sql, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
