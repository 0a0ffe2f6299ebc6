#pragma once

/// \file lamina/backtests/store_test_support.h
/// A store in a folder of its own and small documents to fill it, for this module's tests.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "lamina/backtests/backtest_store.h"
#include "lamina/backtests/import.h"
#include "lamina/base/matchers.h"
#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/bundle_test_support.h"
#include "lamina/bundle/msgpack.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::backtests::test {

class TestStore {
 public:
  TestStore() {
    io::Env& env = io::PosixEnv();
    EXPECT_THAT(env.CreateDirectories(root()), IsOk());
    EXPECT_THAT(catalog::Catalog::Create(env, root(), RandomUuid4()), IsOk());
    auto opened = catalog::Catalog::Open(env, root());
    EXPECT_THAT(opened, IsOk());
    catalog_ = *std::move(opened);
    EXPECT_THAT(BacktestStore::CreateTables(*catalog_), IsOk());
    store_ = std::make_unique<BacktestStore>(*catalog_);
  }

  BacktestStore& operator*() { return *store_; }
  BacktestStore* operator->() { return store_.get(); }
  catalog::Catalog& catalog() { return *catalog_; }
  std::string root() const { return folder_.File("store"); }
  /// A path outside the store that is removed with it.
  std::string File(std::string_view name) const { return folder_.File(name); }

  /// Change catalog.sqlite behind the program's back.
  void Falsify(const std::string& sql) {
    auto database = catalog::Database::Open(io::JoinPath(root(), "catalog.sqlite"),
                                            catalog::OpenMode::kReadWrite);
    ASSERT_THAT(database, IsOk());
    ASSERT_THAT((*database)->Execute(sql), IsOk()) << sql;
  }
  /// The integer that `sql` gives, -1 for none.
  std::int64_t Ask(const std::string& sql) {
    std::int64_t answer = -1;
    EXPECT_THAT(catalog_->Read([&](catalog::Database& database) -> Status {
      LAMINA_ASSIGN(auto statement, database.Prepare(sql));
      LAMINA_ASSIGN(const bool row, statement.Step());
      if (row) answer = statement.Int(0);
      return Ok();
    }),
                IsOk())
        << sql;
    return answer;
  }
  /// Live rows of all lake tables.
  std::int64_t LakeRowCount() {
    std::int64_t rows = 0;
    EXPECT_THAT(catalog_->Read([&](catalog::Database& database) -> Status {
      catalog::LakeReader reader(database);
      LAMINA_ASSIGN(const auto snapshot, reader.LatestSnapshot());
      LAMINA_ASSIGN(const auto tables, reader.Tables(snapshot));
      for (const auto& table : tables) {
        LAMINA_ASSIGN(const auto files, reader.Plan(table, snapshot));
        for (const auto& file : files) rows += file.rows - (file.deletes ? file.deletes->rows : 0);
      }
      return Ok();
    }),
                IsOk());
    return rows;
  }
  std::string DocumentOf(std::string_view handle) {
    auto record = store_->Find(handle);
    EXPECT_THAT(record, IsOk());
    auto document = store_->ReadDocument(*record);
    EXPECT_THAT(document, IsOk());
    return *std::move(document);
  }

 private:
  io::TemporaryFolder folder_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<BacktestStore> store_;
};

/// One run of a small document: `snapshots` rows whose values start at `value`.
struct SmallRun {
  std::string window = "w";
  int snapshots = 3;
  double value = 1000;
};

inline void WriteSmallRun(bundle::Writer& writer, const SmallRun& run) {
  writer.MapHeader(9);
  const auto text = [&](std::string_view key, std::string_view value) {
    writer.String(key);
    writer.String(value);
  };
  text("backtest_start_date", "2024-01-01 00:00:00");
  text("backtest_date_range_name", run.window);
  text("backtest_end_date", "2024-03-01 00:00:00");
  text("trading_symbol", "EUR");
  writer.String("initial_unallocated");
  writer.Double(run.value);
  writer.String("portfolio_snapshots");
  writer.ArrayHeader(static_cast<std::uint32_t>(run.snapshots));
  for (int i = 0; i < run.snapshots; ++i) {
    writer.MapHeader(12);
    writer.String("metadata");
    writer.MapHeader(0);
    text("portfolio_id", "p");
    text("trading_symbol", "EUR");
    for (const char* key : {"pending_value", "unallocated", "total_net_gain", "total_revenue",
                            "total_cost", "cash_flow", "net_size"}) {
      writer.String(key);
      writer.Double(0);
    }
    text("created_at",
         "2024-01-" + std::string(i < 9 ? "0" : "") + std::to_string(i + 1) + "T00:00:00+00:00");
    writer.String("total_value");
    writer.Double(run.value + i);
  }
  for (const char* key : {"trades", "orders", "positions"}) {
    writer.String(key);
    writer.ArrayHeader(0);
  }
}

/// The price files that a document names.
struct Prices {
  std::string store_dir;
  std::vector<std::pair<std::string, std::string>> files;  ///< key, file name
};

inline void WritePrices(bundle::Writer& writer, const Prices& prices) {
  writer.String("ohlcv");
  writer.MapHeader(2);
  writer.String("store_dir");
  writer.String(prices.store_dir);
  writer.String("manifest");
  writer.MapHeader(static_cast<std::uint32_t>(prices.files.size()));
  for (const auto& [key, name] : prices.files) {
    writer.String(key);
    writer.String(name);
  }
}

/// A document of version 2.
inline std::string SmallDocument(const std::string& tag, const std::vector<SmallRun>& runs,
                                 const std::optional<Prices>& prices = {}) {
  std::string out;
  bundle::Writer writer(out);
  writer.MapHeader(prices ? 10 : 9);
  if (prices) WritePrices(writer, *prices);
  writer.String("format_version");
  writer.Int(2);
  writer.String("engine_type");
  writer.String("vector");
  writer.String("algorithm_id");
  writer.String("small");
  writer.String("parameters");
  writer.MapHeader(1);
  writer.String("tag");
  writer.String(tag);
  writer.String("tag");
  writer.String(tag);
  writer.String("strategy_ids");
  writer.ArrayHeader(0);
  writer.String("vector_runs");
  writer.ArrayHeader(static_cast<std::uint32_t>(runs.size()));
  for (const SmallRun& run : runs) WriteSmallRun(writer, run);
  writer.String("vector_metrics");
  writer.MapHeader(1);
  writer.String("sharpe_ratio");
  writer.Double(1.5);
  writer.String("blobs");
  writer.MapHeader(0);
  return out;
}

inline std::string SmallBundle(const std::string& tag, const std::vector<SmallRun>& runs,
                               int level = 3, const std::optional<Prices>& prices = {}) {
  auto file = bundle::WriteBundle(2, SmallDocument(tag, runs, prices), level);
  EXPECT_THAT(file, IsOk());
  return *std::move(file);
}

inline void WriteTo(const std::string& path, ByteView bytes) {
  io::Env& env = io::PosixEnv();
  ASSERT_THAT(env.CreateDirectories(io::ParentPath(path)), IsOk());
  ASSERT_THAT(env.WriteFileAtomically(path, bytes), IsOk());
}

}  // namespace lamina::backtests::test
