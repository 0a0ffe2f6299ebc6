"""`data_registry.db`: a copy of the registry's tables for programs that read SQLite themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# docs/format/registry.md
_COPY = """
CREATE TABLE IF NOT EXISTS data_files(
  id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT UNIQUE NOT NULL, instrument TEXT NOT NULL,
  data_type TEXT NOT NULL, start_date TEXT NOT NULL, end_date TEXT NOT NULL,
  record_count INTEGER NOT NULL, file_size INTEGER NOT NULL, checksum TEXT NOT NULL,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, last_verified TIMESTAMP, snapshot_id INTEGER);
CREATE TABLE IF NOT EXISTS fetch_runs(
  id INTEGER PRIMARY KEY AUTOINCREMENT, instrument TEXT NOT NULL, granularity TEXT NOT NULL,
  start_date TEXT NOT NULL, end_date TEXT NOT NULL, records_fetched INTEGER NOT NULL,
  api_calls_used INTEGER NOT NULL, duration_seconds REAL NOT NULL, status TEXT NOT NULL,
  error_message TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, price_component TEXT,
  alignment_hour INTEGER, alignment_timezone TEXT, host TEXT, environment TEXT, first_candle TEXT,
  last_candle TEXT, incomplete_count INTEGER, retries INTEGER, rate_limited_count INTEGER,
  http_status_last INTEGER, files_written INTEGER, started_at TEXT, finished_at TEXT,
  missing_ranges TEXT);
CREATE TABLE IF NOT EXISTS processing_runs(
  id INTEGER PRIMARY KEY AUTOINCREMENT, run_type TEXT NOT NULL, config_hash TEXT NOT NULL,
  input_files TEXT NOT NULL, output_files TEXT NOT NULL, status TEXT NOT NULL,
  duration_seconds REAL, log_file TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE IF NOT EXISTS model_artifacts(
  id INTEGER PRIMARY KEY AUTOINCREMENT, model_type TEXT NOT NULL, version TEXT NOT NULL,
  file_path TEXT NOT NULL, config_hash TEXT NOT NULL, training_run_id INTEGER, metrics TEXT,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  FOREIGN KEY (training_run_id) REFERENCES processing_runs(id));
CREATE INDEX IF NOT EXISTS idx_data_files_instrument ON data_files(instrument);
CREATE INDEX IF NOT EXISTS idx_data_files_type ON data_files(data_type);
CREATE INDEX IF NOT EXISTS idx_data_files_date ON data_files(start_date, end_date);
CREATE INDEX IF NOT EXISTS idx_fetch_runs_instrument ON fetch_runs(instrument);
CREATE INDEX IF NOT EXISTS idx_processing_runs_type ON processing_runs(run_type);
"""


def copy_rows(
    path: Path, table: str, where: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Make the rows of `table` that fit `where` (none: all of them) be `rows`."""
    copy = sqlite3.connect(path, timeout=30)
    try:
        with copy:
            copy.executescript(_COPY)
            if where.keys() - {"id"} or not where:
                condition = " AND ".join(f"{name} = ?" for name in where) or "1"
                copy.execute(f"DELETE FROM {table} WHERE {condition}", list(where.values()))
            if rows:
                names = list(rows[0])
                copy.executemany(
                    f"INSERT OR REPLACE INTO {table}({', '.join(names)}) "
                    f"VALUES({', '.join('?' * len(names))})",
                    [[row[name] for name in names] for row in rows],
                )
    finally:
        copy.close()
