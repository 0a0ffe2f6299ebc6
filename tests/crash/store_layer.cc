#include <algorithm>
#include <filesystem>
#include <set>

#include "layer.h"
#include <arrow/table.h>

#include "lamina/backtests/ohlcv_references.h"
#include "lamina/backtests/verify.h"
#include "lamina/base/hash.h"
#include "lamina/catalog/verify.h"

namespace lamina::crash {
namespace {

namespace fs = std::filesystem;

Result<std::string> RowsOf(backtests::BacktestStore& store,
                           const backtests::BacktestRecord& backtest) {
  using backtests::RunTable;
  std::string text;
  for (const RunTable table : {RunTable::kSnapshots, RunTable::kTrades, RunTable::kSeries}) {
    LAMINA_ASSIGN(const auto rows, store.ReadRows(backtest, table));
    text += " " + std::to_string(rows->num_rows());
  }
  return text;
}

/// The texts of one query, one row a line, columns apart.
Status Ask(catalog::Catalog& catalog, std::string_view what, std::string_view sql,
           std::vector<std::string>& lines) {
  return catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(catalog::Statement select, database.Prepare(sql));
    for (;;) {
      LAMINA_ASSIGN(const bool row, select.Step());
      if (!row) return Ok();
      std::string line(what);
      for (int i = 0; i < select.column_count(); ++i) {
        line.append(" ").append(select.IsNull(i) ? "NULL" : select.Text(i));
      }
      lines.push_back(std::move(line));
    }
  });
}

/// Paths below `folders` of the root that no row of the catalog names, and those that are missing.
Result<std::vector<std::string>> Strays(catalog::Catalog& catalog) {
  std::vector<std::string> rows;
  LAMINA_TRY(Ask(catalog, "lake",
                 "SELECT s.path || t.path || f.path FROM (SELECT table_id, path FROM "
                 "ducklake_data_file UNION ALL SELECT table_id, path FROM ducklake_delete_file) f "
                 "JOIN ducklake_table t USING(table_id) JOIN ducklake_schema s USING(schema_id)",
                 rows));
  std::set<std::string> named = {"staging/sessions.lock"};
  for (const std::string& row : rows) named.insert("lake/" + row.substr(5));
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(catalog::Statement select,
                  database.Prepare("SELECT kind, sha256 FROM chunk WHERE in_file"));
    for (;;) {
      LAMINA_ASSIGN(const bool row, select.Step());
      if (!row) return Ok();
      LAMINA_ASSIGN(const Sha256Digest sha256, Sha256Digest::FromBytes(select.Blob(1)));
      named.insert(catalog::ChunkPath({static_cast<catalog::ChunkKind>(select.Int(0)), sha256}));
    }
  }));
  std::vector<std::string> strays;
  for (const char* folder : {"lake", "chunks", "staging"}) {
    for (const auto& entry : fs::recursive_directory_iterator(catalog.root() + "/" + folder)) {
      if (entry.is_directory()) continue;
      const std::string path = fs::relative(entry.path(), catalog.root()).string();
      if (!named.contains(path)) strays.push_back(path);
    }
  }
  return strays;
}

}  // namespace

Result<std::vector<std::string>> DescribeBacktests(backtests::BacktestStore& store) {
  std::vector<std::string> lines;
  LAMINA_ASSIGN(const std::vector<std::string> handles, store.Handles());
  for (const std::string& handle : handles) {
    LAMINA_ASSIGN(const auto backtest, store.Find(handle));
    LAMINA_ASSIGN(const std::string document, store.ReadDocument(backtest));
    LAMINA_ASSIGN(const std::string rows, RowsOf(store, backtest));
    lines.push_back(handle + " " + Sha256(document).Hex().substr(0, 16) + rows);
  }
  return lines;
}

Status CheckCatalogLeftovers(catalog::Catalog& catalog) {
  const auto commit = catalog.BeginCommit("recover what others left");
  if (!commit.ok()) return commit.error().Clone();
  LAMINA_ASSIGN(std::vector<std::string> strays, Strays(catalog));
  std::erase_if(strays, [](const std::string& path) {
    return path.ends_with("/lock") || path.ends_with("/ready");
  });
  if (strays.empty()) return Ok();
  return Corruption("left over: " + strays.front());
}

Status CheckCatalogVerifies(catalog::Catalog& catalog) {
  LAMINA_ASSIGN(const auto report, catalog::VerifyCatalog(catalog, true));
  if (report.problems.empty()) return Ok();
  const auto& problem = report.problems.front();
  return Corruption("verify: " + problem.kind + " " + problem.path + ": " + problem.detail);
}

Status StoreLayer::Prepare() {
  store::StoreOptions options;
  options.create = true;
  LAMINA_ASSIGN(store_, store::Store::Open(io::PosixEnv(), root_, options));
  for (const Work& work : before_) LAMINA_TRY(work(*store_));
  store_.reset();
  return Ok();
}

Status StoreLayer::Open(bool read_only) {
  store::StoreOptions options;
  options.read_only = read_only;
  LAMINA_ASSIGN(store_, store::Store::Open(io::PosixEnv(), root_, options));
  return Ok();
}

Result<std::vector<std::string>> StoreLayer::Describe() {
  LAMINA_ASSIGN(std::vector<std::string> lines, DescribeBacktests(store_->backtests()));
  catalog::Catalog& catalog = store_->catalog();
  LAMINA_TRY(Ask(
      catalog, "index",
      "SELECT bundle_path, tags, note FROM backtest_index WHERE end_snapshot IS NULL ORDER BY 1",
      lines));
  LAMINA_TRY(
      Ask(catalog, "snapshot", "SELECT count(*) FROM backtest WHERE end_snapshot IS NULL", lines));
  LAMINA_ASSIGN(const auto prices, backtests::OhlcvBlobs(store_->backtests()));
  for (const auto& blob : prices) lines.push_back("price " + blob.sha256.Hex());
  LAMINA_ASSIGN(const auto instruments, store_->instruments().List());
  for (const auto& instrument : instruments) {
    lines.push_back("instrument " + std::to_string(instrument.instrument_id) + " " +
                    instrument.symbol + " " + instrument.venue.value_or(""));
  }
  LAMINA_TRY(DescribeDatasets(*store_, lines));
  return lines;
}

Status StoreLayer::Verify() {
  LAMINA_TRY(CheckCatalogVerifies(store_->catalog()));
  LAMINA_ASSIGN(const auto backtests, backtests::VerifyBacktests(store_->backtests(), true));
  if (!backtests.problems.empty()) {
    const auto& problem = backtests.problems.front();
    return Corruption("verify: " + problem.kind + " " + problem.path + ": " + problem.detail);
  }
  return Ok();
}

Status StoreLayer::CheckLeftovers() { return CheckCatalogLeftovers(store_->catalog()); }

}  // namespace lamina::crash
