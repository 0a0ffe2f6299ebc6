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
  session_id TEXT PRIMARY KEY, writer INTEGER NOT NULL UNIQUE, pid INTEGER NOT NULL,
  host TEXT NOT NULL,
  started_at INTEGER NOT NULL, ended_at INTEGER) STRICT;
-- Footer checksums of data and delete files (DuckLake has no column for them).
CREATE TABLE lake_file(
  file_id INTEGER PRIMARY KEY, footer_crc32c INTEGER NOT NULL,
  file_crc32c INTEGER) STRICT;         -- of all bytes of the file

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
CREATE INDEX backtest_index_by_sharpe ON backtest_index(summary_sharpe_ratio)
  WHERE end_snapshot IS NULL;
-- What most ranks sort and filter by: a scan reads a quarter of the bytes (backtests/columns.h).
CREATE INDEX backtest_index_narrow ON backtest_index(
  backtest_id, bundle_path, summary_sharpe_ratio, summary_sortino_ratio, summary_calmar_ratio,
  summary_total_net_gain, summary_total_net_gain_percentage, summary_cagr,
  summary_max_drawdown, summary_annual_volatility, summary_profit_factor, summary_win_rate,
  summary_number_of_trades, summary_trades_per_year, summary_number_of_windows,
  summary_consistency_score, summary_stability_score, engine_type, study_name)
  WHERE end_snapshot IS NULL AND universe_key = '';
)sql";

// What is traded, over spans of time (market/instrument.h); valid_to is exclusive.
constexpr const char* kInstruments = R"sql(
CREATE TABLE instrument(
  row_id INTEGER PRIMARY KEY, instrument_id INTEGER NOT NULL, symbol TEXT NOT NULL,
  venue TEXT, currency TEXT, tick_size REAL, multiplier REAL,
  calendar TEXT, trading_hours TEXT, time_zone TEXT, valid_from INTEGER, valid_to INTEGER,
  begin_snapshot INTEGER NOT NULL, end_snapshot INTEGER) STRICT;
CREATE INDEX instrument_by_id ON instrument(instrument_id) WHERE end_snapshot IS NULL;
CREATE INDEX instrument_by_symbol ON instrument(symbol) WHERE end_snapshot IS NULL;
)sql";

// Metrics that we compute ourselves (backtests/validated_metrics.h). NULL in validated_definitions:
// not computed yet.
constexpr const char* kValidatedMetrics = R"sql(
ALTER TABLE backtest_index ADD COLUMN validated_total_net_gain REAL;
ALTER TABLE backtest_index ADD COLUMN validated_total_net_gain_percentage REAL;
ALTER TABLE backtest_index ADD COLUMN validated_cagr REAL;
ALTER TABLE backtest_index ADD COLUMN validated_annual_volatility REAL;
ALTER TABLE backtest_index ADD COLUMN validated_sharpe_ratio REAL;
ALTER TABLE backtest_index ADD COLUMN validated_sortino_ratio REAL;
ALTER TABLE backtest_index ADD COLUMN validated_calmar_ratio REAL;
ALTER TABLE backtest_index ADD COLUMN validated_max_drawdown REAL;
ALTER TABLE backtest_index ADD COLUMN validated_var_95 REAL;
ALTER TABLE backtest_index ADD COLUMN validated_cvar_95 REAL;
ALTER TABLE backtest_index ADD COLUMN validated_skewness REAL;
ALTER TABLE backtest_index ADD COLUMN validated_kurtosis REAL;
ALTER TABLE backtest_index ADD COLUMN validated_number_of_daily_returns INTEGER;
ALTER TABLE backtest_index ADD COLUMN validated_number_of_trades_closed INTEGER;
ALTER TABLE backtest_index ADD COLUMN validated_win_rate REAL;
ALTER TABLE backtest_index ADD COLUMN validated_profit_factor REAL;
ALTER TABLE backtest_index ADD COLUMN validated_average_trade_duration REAL;
ALTER TABLE backtest_index ADD COLUMN validated_average_win_duration REAL;
ALTER TABLE backtest_index ADD COLUMN validated_average_loss_duration REAL;
ALTER TABLE backtest_index ADD COLUMN validated_max_consecutive_wins INTEGER;
ALTER TABLE backtest_index ADD COLUMN validated_max_consecutive_losses INTEGER;
ALTER TABLE backtest_index ADD COLUMN validated_number_of_windows INTEGER;
ALTER TABLE backtest_index ADD COLUMN validated_disagreements INTEGER;
ALTER TABLE backtest_index ADD COLUMN validated_definitions INTEGER;
ALTER TABLE backtest_index ADD COLUMN validated_details_json TEXT;
DROP INDEX backtest_index_narrow;
CREATE INDEX backtest_index_narrow ON backtest_index(
  backtest_id, bundle_path, summary_sharpe_ratio, summary_sortino_ratio, summary_calmar_ratio,
  summary_total_net_gain, summary_total_net_gain_percentage, summary_cagr,
  summary_max_drawdown, summary_annual_volatility, summary_profit_factor, summary_win_rate,
  summary_number_of_trades, summary_trades_per_year, summary_number_of_windows,
  summary_consistency_score, summary_stability_score, engine_type, study_name,
  validated_cagr, validated_sharpe_ratio, validated_sortino_ratio, validated_calmar_ratio,
  validated_max_drawdown, validated_profit_factor)
  WHERE end_snapshot IS NULL AND universe_key = '';
)sql";

/// Price files that hold the same as another. Which series of a run are derived, so that reading
/// one need not look into the lake for it (NULL in rows of before). New stores also keep orders and
/// trades in lake tables that programs of version 3 do not know (docs/format/lake_backtests.md);
/// older stores go on with theirs.
constexpr const char* kVersion4 = R"sql(
CREATE TABLE price_content(
  sha256 BLOB PRIMARY KEY, logical_sha256 BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX price_content_by_id ON price_content(logical_sha256);
CREATE TABLE price_recipe(
  sha256 BLOB PRIMARY KEY, source_sha256 BLOB NOT NULL, content_bytes INTEGER NOT NULL,
  recipe BLOB NOT NULL) STRICT, WITHOUT ROWID;
ALTER TABLE run ADD COLUMN derived_series_mask INTEGER;
)sql";

// Names for snapshots that expiry spares (catalog/pins.h); with expires_at they are leases. When a
// chunk was found to be named by nobody; its bytes go a grace later.
constexpr const char* kPins = R"sql(
CREATE TABLE pin(
  name TEXT PRIMARY KEY, snapshot_id INTEGER NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER, holder TEXT NOT NULL) STRICT;
ALTER TABLE chunk ADD COLUMN condemned_at INTEGER;
)sql";

/// Step i takes version i to i + 1.
constexpr std::array<const char*, 5> kSteps = {kVersion1, kInstruments, kValidatedMetrics,
                                               kVersion4, kPins};

constexpr std::int64_t kObjectsVersion = 1;
// A rowid table: large values pack badly into the pages of an index.
constexpr const char* kObjectsVersion1 = R"sql(
CREATE TABLE store_info(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE object(
  object_id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, sha256 BLOB NOT NULL,
  stored BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX object_by_id ON object(kind, sha256);
)sql";

Error NewerThanProgram(const std::string& path, std::int64_t found, std::int64_t known) {
  return Unsupported(path + " has format version " + std::to_string(found) +
                     ", this program knows versions up to " + std::to_string(known) +
                     "; use a newer lamina (nothing was changed)");
}

Result<bool> HasTable(Database& database, std::string_view name) {
  LAMINA_ASSIGN(Statement find,
                database.Prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?1"));
  return find.Bind(1, name).Step();
}

/// 0 for a database without any of our tables.
Result<std::int64_t> VersionOrZero(Database& database) {
  LAMINA_ASSIGN(const bool present, HasTable(database, "schema_version"));
  if (!present) return 0;
  LAMINA_ASSIGN(Statement read, database.Prepare("SELECT count(*), coalesce(min(version), 0), "
                                                 "coalesce(max(version), 0) FROM schema_version"));
  LAMINA_ASSIGN(const bool row, read.Step());
  const std::int64_t count = row ? read.Int(0) : 0;
  if (count == 0 || read.Int(1) != 1 || read.Int(2) != count) {
    return Corruption(database.path() + ": table schema_version does not hold versions 1, 2, ...");
  }
  return read.Int(2);
}

Result<std::int64_t> ObjectsVersion(Database& database) {
  LAMINA_ASSIGN(Statement read, database.Prepare("PRAGMA user_version"));
  LAMINA_ASSIGN(const bool row, read.Step());
  if (!row) return Corruption(database.path() + ": no user_version");
  const std::int64_t version = read.Int(0);
  if (version > kObjectsVersion) return NewerThanProgram(database.path(), version, kObjectsVersion);
  return version;
}

}  // namespace

std::int64_t CatalogVersion() { return static_cast<std::int64_t>(kSteps.size()); }

Result<std::int64_t> ReadCatalogVersion(Database& database) {
  LAMINA_ASSIGN(const std::int64_t version, VersionOrZero(database));
  if (version == 0) return Corruption(database.path() + " is not a Lamina catalog");
  return version;
}

Status CheckCatalogVersion(Database& database) {
  LAMINA_ASSIGN(const std::int64_t version, ReadCatalogVersion(database));
  if (version > CatalogVersion()) {
    return NewerThanProgram(database.path(), version, CatalogVersion());
  }
  return Ok();
}

Status MigrateCatalog(Database& database, std::string_view program, Micros now) {
  for (;;) {
    LAMINA_ASSIGN(const std::int64_t seen, VersionOrZero(database));
    if (seen > CatalogVersion()) return NewerThanProgram(database.path(), seen, CatalogVersion());
    if (seen == CatalogVersion()) return Ok();
    LAMINA_TRY(database.Transact([&]() -> Status {
      // Another process may have done the step meanwhile.
      LAMINA_ASSIGN(const std::int64_t version, VersionOrZero(database));
      if (version != seen) return Ok();
      LAMINA_TRY(database.Execute(kSteps[static_cast<std::size_t>(version)]));
      LAMINA_ASSIGN(Statement insert,
                    database.Prepare("INSERT INTO schema_version(version, applied_at, program) "
                                     "VALUES(?1, ?2, ?3)"));
      return insert.Bind(1, version + 1).Bind(2, now.value).Bind(3, program).Run();
    }));
  }
}

Status MigrateObjects(Database& database, std::string_view store_id) {
  LAMINA_ASSIGN(const std::int64_t seen, ObjectsVersion(database));
  if (seen == 0) {
    LAMINA_TRY(database.Transact([&]() -> Status {
      LAMINA_ASSIGN(const std::int64_t version, ObjectsVersion(database));
      if (version != 0) return Ok();
      LAMINA_TRY(database.Execute(kObjectsVersion1));
      LAMINA_ASSIGN(Statement insert,
                    database.Prepare("INSERT INTO store_info(key, value) VALUES('store_id', ?1)"));
      LAMINA_TRY(insert.Bind(1, store_id).Run());
      return database.Execute("PRAGMA user_version=" + std::to_string(kObjectsVersion));
    }));
  }
  return CheckObjects(database, store_id);
}

Status CheckObjects(Database& database, std::string_view store_id) {
  LAMINA_ASSIGN(const std::int64_t version, ObjectsVersion(database));
  LAMINA_ASSIGN(const bool present, HasTable(database, "store_info"));
  if (version == 0 || !present) {
    return Corruption(database.path() + " is not a Lamina objects file");
  }
  LAMINA_ASSIGN(Statement read,
                database.Prepare("SELECT value FROM store_info WHERE key='store_id'"));
  LAMINA_ASSIGN(const bool row, read.Step());
  if (!row || read.Text(0) != store_id) {
    return Corruption(database.path() + " belongs to store " +
                      std::string(row ? read.Text(0) : "?") + ", the catalog beside it to store " +
                      std::string(store_id));
  }
  return Ok();
}

}  // namespace lamina::catalog
