"""Attach a store to DuckDB by its official extension; other processes may write meanwhile."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb


def connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    for name in ("ducklake", "sqlite_scanner"):
        spec = importlib.util.find_spec("duckdb_extension_" + name)
        folder = spec.submodule_search_locations[0]
        file = f"{folder}/extensions/v{duckdb.__version__}/{name}.duckdb_extension"
        connection.execute(f"LOAD '{file}'")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def attach(store: Path) -> duckdb.DuckDBPyConnection:
    """The lake of a store as database `lake`, read only, wherever the store was moved to."""
    connection = connect()
    connection.execute(
        f"ATTACH 'ducklake:sqlite:{store}/catalog.sqlite' AS lake "
        f"(READ_ONLY, META_BUSY_TIMEOUT 5000, DATA_PATH '{store}/lake/', OVERRIDE_DATA_PATH true)"
    )
    return connection


def conformance(shared: Path, store: Path, *options: str) -> subprocess.CompletedProcess:
    """The outside judge of a catalog; exit code 0 when every check passes."""
    command = [
        sys.executable,
        str(shared / "tools" / "ducklake_conformance.py"),
        str(store / "catalog.sqlite"),
    ]
    return subprocess.run(
        [*command, "--data-path", f"{store}/lake/", *options],
        capture_output=True,
        text=True,
        timeout=600,
    )


def copy_store(store: Path, to: Path) -> Path:
    shutil.copytree(store, to)
    return to
