#pragma once

/// \file lamina/upkeep/upkeep_test_support.h
/// A store with the units of catalog_test_model.h in it, for this module's tests.

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog_test_model.h"
#include "lamina/catalog/verify.h"
#include "lamina/store/store.h"

namespace lamina::upkeep::test {

using catalog::Database;
using catalog::LakeTable;
using catalog::LakeWriter;
using catalog::Statement;

/// Units that a snapshot sees, whole; what is there in part is a failure.
inline std::set<std::int64_t> UnitsAt(catalog::Catalog& catalog, const LakeTable& table,
                                      std::int64_t snapshot) {
  std::map<std::int64_t, std::int64_t> rows;
  const auto read = catalog.ReadTable(table, snapshot);
  EXPECT_THAT(read, IsOk()) << "snapshot " << snapshot;
  if (!read.ok()) return {};
  for (const auto& part : (*read)->GetColumnByName("unit")->chunks()) {
    const auto& values = static_cast<const arrow::Int64Array&>(*part);
    for (std::int64_t i = 0; i < values.length(); ++i) ++rows[values.Value(i)];
  }
  std::vector<catalog::ChunkId> chunks;
  EXPECT_THAT(catalog.Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(Statement find,
                  database.Prepare("SELECT kind, sha256 FROM chunk_ref WHERE kind <> 1 AND "
                                   "begin_snapshot <= ?1 AND (end_snapshot IS NULL OR "
                                   "end_snapshot > ?1)"));
    find.Bind(1, snapshot);
    for (;;) {
      LAMINA_ASSIGN(const bool row, find.Step());
      if (!row) return Ok();
      chunks.push_back(
          {static_cast<catalog::ChunkKind>(find.Int(0)), *Sha256Digest::FromBytes(find.Blob(1))});
    }
  }),
              IsOk());
  EXPECT_EQ(chunks.size(), rows.size() * 3);
  for (const catalog::ChunkId& id : chunks) {
    EXPECT_THAT(catalog.ReadChunk(id), IsOk()) << id.ToString();
  }
  std::set<std::int64_t> units;
  for (const auto& [unit, count] : rows) {
    EXPECT_EQ(count, catalog::test::kUnitRows) << "unit " << unit;
    units.insert(unit);
  }
  return units;
}

class UnitStore {
 public:
  UnitStore() {
    store::StoreOptions options;
    options.create = true;
    store_ = *store::Store::Open(io::PosixEnv(), root(), options);
    auto commit = *catalog().BeginCommit("make tables");
    EXPECT_THAT(commit->Finish([&](Database&, LakeWriter& lake) -> Status {
      LAMINA_TRY(lake.CreateSchema("model"));
      catalog::LakeColumn unit, position;
      unit.name = "unit";
      position.name = "position";
      unit.type = position.type = table::LakeType::kInt64;
      LAMINA_ASSIGN(table_, lake.CreateTable("model", "rows", {unit, position}));
      return Ok();
    }),
                IsOk());
  }

  std::string root() const { return folder_.File("store"); }
  std::string File(const std::string& name) const { return folder_.File(name); }
  store::Store& operator*() { return *store_; }
  catalog::Catalog& catalog() { return store_->catalog(); }
  const LakeTable& table() const { return table_; }

  std::int64_t Put(std::int64_t unit) {
    const auto put = catalog::test::PutUnit(catalog(), table_, unit);
    EXPECT_THAT(put, IsOk());
    return put.ok() ? *put : -1;
  }

  /// Rows and references of the unit end. RETURNS kConflict as any commit.
  static Result<std::int64_t> Drop(catalog::Catalog& catalog, const LakeTable& table,
                                   std::int64_t unit) {
    LAMINA_ASSIGN(const auto commit, catalog.BeginCommit("drop " + std::to_string(unit)));
    std::vector<catalog::LakeFile> files;
    LAMINA_TRY(catalog.Read([&](Database& database) -> Status {
      catalog::LakeReader reader(database);
      LAMINA_ASSIGN(const std::int64_t latest, reader.LatestSnapshot());
      const std::string bound = std::to_string(unit);
      LAMINA_ASSIGN(files, reader.Plan(table, latest, {{"unit", bound, bound}}));
      return Ok();
    }));
    for (const catalog::LakeFile& file : files) {
      LAMINA_ASSIGN(const auto rows,
                    table::ReadParquet(catalog.env(), catalog.LakePath(file.path)));
      std::vector<std::int64_t> positions;
      std::int64_t row = 0;
      for (const auto& part : rows->GetColumnByName("unit")->chunks()) {
        const auto& values = static_cast<const arrow::Int64Array&>(*part);
        for (std::int64_t i = 0; i < values.length(); ++i, ++row) {
          if (values.Value(i) == unit) positions.push_back(row);
        }
      }
      LAMINA_TRY(commit->DeleteLakeRows(table, file, std::move(positions)));
    }
    return commit->Finish([&](Database& database, LakeWriter& lake) -> Status {
      LAMINA_ASSIGN(Statement end,
                    database.Prepare("UPDATE chunk_ref SET end_snapshot = ?2, backtest_id = "
                                     "backtest_id + 1000000 * ?2 WHERE backtest_id = ?1"));
      return end.Bind(1, unit).Bind(2, lake.snapshot_id()).Run();
    });
  }
  std::int64_t Drop(std::int64_t unit) {
    const auto dropped = Drop(catalog(), table_, unit);
    EXPECT_THAT(dropped, IsOk());
    return dropped.ok() ? *dropped : -1;
  }

  std::set<std::int64_t> Units(std::int64_t snapshot) {
    return UnitsAt(catalog(), table_, snapshot);
  }
  std::set<std::int64_t> Units() { return Units(*catalog().LatestSnapshot()); }

  std::vector<std::int64_t> Snapshots() {
    std::vector<std::int64_t> ids;
    const auto snapshots = store_->Snapshots();
    EXPECT_THAT(snapshots, IsOk());
    for (const auto& snapshot : *snapshots) ids.push_back(snapshot.snapshot_id);
    return ids;
  }

  void ExpectWhole() {
    const auto report = catalog::VerifyCatalog(catalog(), true);
    ASSERT_THAT(report, IsOk());
    for (const auto& problem : report->problems) ADD_FAILURE() << problem.path << problem.detail;
  }

  std::int64_t FilesBelow(const std::string& name) const {
    std::int64_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root() + "/" + name)) {
      count += entry.is_directory() ? 0 : 1;
    }
    return count;
  }

 private:
  catalog::test::TempFolder folder_;
  std::unique_ptr<store::Store> store_;
  LakeTable table_;
};

}  // namespace lamina::upkeep::test
