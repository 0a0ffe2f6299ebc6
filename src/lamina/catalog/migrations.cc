#include "lamina/catalog/migrations.h"

#include <array>
#include <string>

namespace lamina::catalog {
namespace {

// Versioned rows carry begin_snapshot and end_snapshot (NULL = live), as DuckLake's do.
// Instants are INTEGER microseconds UTC; digests and ids are BLOBs.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE schema_version(
  version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL, program TEXT NOT NULL) STRICT;
CREATE TABLE store_info(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE writer_session(
  session_id TEXT PRIMARY KEY, writer INTEGER NOT NULL UNIQUE, pid INTEGER NOT NULL, host TEXT NOT NULL,
  started_at INTEGER NOT NULL, ended_at INTEGER) STRICT;
-- Footer checksums of data and delete files (DuckLake has no column for them).
CREATE TABLE lake_file(
  file_id INTEGER PRIMARY KEY, footer_crc32c INTEGER NOT NULL) STRICT;

CREATE TABLE chunk(
  kind INTEGER NOT NULL, sha256 BLOB NOT NULL, content_bytes INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL, compressed INTEGER NOT NULL,
  in_file INTEGER NOT NULL,            -- 0: objects.sqlite, 1: a file under chunks/
  begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER,
  PRIMARY KEY(kind, sha256)) STRICT, WITHOUT ROWID;
CREATE TABLE chunk_ref(
  backtest_id INTEGER NOT NULL, kind INTEGER NOT NULL, sha256 BLOB NOT NULL,
  begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER,
  PRIMARY KEY(backtest_id, kind, sha256)) STRICT, WITHOUT ROWID;
CREATE INDEX chunk_ref_by_chunk ON chunk_ref(kind, sha256);

CREATE TABLE backtest(
  backtest_id INTEGER PRIMARY KEY, handle TEXT NOT NULL,
  begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER,
  document_sha256 BLOB NOT NULL, document_bytes INTEGER NOT NULL,
  skeleton_sha256 BLOB NOT NULL, whole_document INTEGER NOT NULL,
  bundle_version INTEGER NOT NULL,     -- of the container it came in
  file_sha256 BLOB NOT NULL, file_bytes INTEGER NOT NULL,
  algorithm_id TEXT, tag TEXT, source_path TEXT, imported_at INTEGER NOT NULL,
  warnings TEXT) STRICT;               -- JSON array, NULL when none
CREATE UNIQUE INDEX backtest_by_handle ON backtest(handle) WHERE end_snapshot IS NULL;
CREATE INDEX backtest_by_document ON backtest(document_sha256);

CREATE TABLE run(
  run_id BLOB NOT NULL, content_hash BLOB NOT NULL,
  begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER,
  snapshots INTEGER NOT NULL, trades INTEGER NOT NULL, orders INTEGER NOT NULL,
  positions INTEGER NOT NULL, series_points INTEGER NOT NULL,
  PRIMARY KEY(run_id)) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX run_by_hash ON run(content_hash) WHERE end_snapshot IS NULL;
CREATE TABLE backtest_run(
  backtest_id INTEGER NOT NULL, slot INTEGER NOT NULL, run_id BLOB NOT NULL,
  engine TEXT NOT NULL, study TEXT NOT NULL,
  begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER,
  PRIMARY KEY(backtest_id, slot)) STRICT, WITHOUT ROWID;
CREATE INDEX backtest_run_by_run ON backtest_run(run_id);

-- The rank table: names and types of the field's existing index, then ours. One row per backtest,
-- engine, universe and study; `bundle_path` is the handle.
CREATE TABLE backtest_index(
  bundle_path TEXT NOT NULL, algorithm_id TEXT, anchor_algorithm_id TEXT, tag TEXT,
  framework_version TEXT, engine_type TEXT NOT NULL DEFAULT 'vector',
  universe_key TEXT NOT NULL DEFAULT '', study_name TEXT NOT NULL DEFAULT 'default',
  study_description TEXT, risk_free_rate REAL, number_of_runs INTEGER, parameters_json TEXT,
  strategy_ids_json TEXT, extras_json TEXT, summary_extras_json TEXT, bundle_mtime_ns INTEGER,
  bundle_size INTEGER,
  summary_total_net_gain REAL, summary_total_net_gain_percentage REAL, summary_total_growth REAL,
  summary_total_growth_percentage REAL, summary_total_loss REAL,
  summary_total_loss_percentage REAL, summary_average_net_gain REAL,
  summary_average_net_gain_percentage REAL, summary_average_growth REAL,
  summary_average_growth_percentage REAL, summary_average_loss REAL,
  summary_average_loss_percentage REAL, summary_average_trade_return REAL,
  summary_average_trade_return_percentage REAL, summary_average_trade_loss REAL,
  summary_average_trade_loss_percentage REAL, summary_average_trade_gain REAL,
  summary_average_trade_gain_percentage REAL, summary_cagr REAL, summary_sharpe_ratio REAL,
  summary_sortino_ratio REAL, summary_calmar_ratio REAL, summary_profit_factor REAL,
  summary_annual_volatility REAL, summary_max_drawdown REAL, summary_max_drawdown_duration INTEGER,
  summary_trades_per_year REAL, summary_trades_per_month REAL, summary_trades_per_week REAL,
  summary_win_rate REAL, summary_current_win_rate REAL, summary_win_loss_ratio REAL,
  summary_current_win_loss_ratio REAL, summary_number_of_trades INTEGER,
  summary_number_of_trades_closed INTEGER, summary_cumulative_exposure REAL,
  summary_exposure_ratio REAL, summary_number_of_windows INTEGER,
  summary_number_of_profitable_windows INTEGER, summary_number_of_windows_with_trades INTEGER,
  summary_var_95 REAL, summary_cvar_95 REAL, summary_average_trade_duration REAL,
  summary_average_win_duration REAL, summary_average_loss_duration REAL,
  summary_max_consecutive_wins INTEGER, summary_max_consecutive_losses INTEGER,
  summary_return_consistency REAL, summary_win_rate_consistency REAL,
  summary_sharpe_consistency REAL, summary_consistency_score REAL, summary_return_stability REAL,
  summary_win_rate_stability REAL, summary_sharpe_stability REAL, summary_stability_score REAL,
  summary_nan_mask INTEGER NOT NULL DEFAULT 0,  -- bit i: summary column i was NaN, not NULL
  backtest_id INTEGER NOT NULL, begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER,
  document_sha256 BLOB, start_date INTEGER, end_date INTEGER, imported_at INTEGER,
  tags TEXT NOT NULL DEFAULT '[]', note TEXT,
  PRIMARY KEY(backtest_id, engine_type, universe_key, study_name)) STRICT;
CREATE INDEX backtest_index_by_path ON backtest_index(bundle_path) WHERE end_snapshot IS NULL;
CREATE INDEX backtest_index_by_sharpe ON backtest_index(summary_sharpe_ratio) WHERE end_snapshot IS NULL;
)sql";

}  // namespace
}  // namespace lamina::catalog
