#pragma once

/// \file lamina/catalog/catalog_test_model.h
/// A small store for tests of Commit: one lake table, and units of work that touch every kind of
/// thing a commit can hold. A unit is whole or absent; Contents and Strays tell.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog.h"
#include "lamina/catalog/catalog_test_support.h"
#include "lamina/table/lake_type.h"
#include "lamina/table/parquet_file.h"

namespace lamina::catalog::test {

inline const Uuid kStoreId = *Uuid::Parse("018f0000-0000-7000-8000-000000000001");

/// Bytes that zstd does not shrink.
inline std::string Noise(std::size_t length, std::uint64_t seed) {
  std::string bytes;
  for (; bytes.size() < length; seed += 0x9E3779B97F4A7C15ULL) {
    std::uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
    AppendLittleEndian(bytes, mixed ^ (mixed >> 31));
  }
  bytes.resize(length);
  return bytes;
}

inline std::unique_ptr<Catalog> OpenStore(const std::string& root, bool read_only = false) {
  CatalogOptions options;
  options.read_only = read_only;
  auto catalog = Catalog::Open(io::PosixEnv(), root, options);
  EXPECT_THAT(catalog, IsOk());
  return catalog.ok() ? *std::move(catalog) : nullptr;
}

inline Result<LakeTable> FindRows(Catalog& catalog) {
  Result<LakeTable> table = NotFound("not looked for");
  LAMINA_TRY(catalog.Read([&](Database& database) -> Status {
    LakeReader reader(database);
    LAMINA_ASSIGN(const std::int64_t snapshot, reader.LatestSnapshot());
    table = reader.FindTable("model", "rows", snapshot);
    return Ok();
  }));
  return table;
}

/// A store at `root` with the lake table model.rows(unit, position).
inline Status MakeStore(io::Env& env, const std::string& root) {
  LAMINA_TRY(Catalog::Create(env, root, kStoreId));
  LAMINA_ASSIGN(const auto catalog, Catalog::Open(env, root));
  LAMINA_ASSIGN(const auto commit, catalog->BeginCommit("make tables"));
  const Result<std::int64_t> made = commit->Finish([](Database&, LakeWriter& lake) -> Status {
    LAMINA_ASSIGN(const std::int64_t schema, lake.CreateSchema("model"));
    static_cast<void>(schema);
    LakeColumn unit, position;
    unit.name = "unit";
    position.name = "position";
    unit.type = position.type = table::LakeType::kInt64;
    LAMINA_ASSIGN(const LakeTable table, lake.CreateTable("model", "rows", {unit, position}));
    static_cast<void>(table);
    return Ok();
  });
  if (!made.ok()) return made.error().Clone();
  return Ok();
}

constexpr std::int64_t kUnitRows = 5;

inline std::string SmallContent(std::int64_t unit) { return "small " + std::to_string(unit); }
inline std::string LargeContent(std::int64_t unit) {
  return Noise(70'000, static_cast<std::uint64_t>(unit));
}

/// One commit: a lake file of kUnitRows rows, a small and a large chunk of its own, one of each
/// that all units share, and rows of our own tables.
inline Result<std::int64_t> PutUnit(Catalog& catalog, const LakeTable& table, std::int64_t unit) {
  LAMINA_ASSIGN(const auto commit, catalog.BeginCommit("unit " + std::to_string(unit)));
  arrow::Int64Builder units, positions;
  for (std::int64_t row = 0; row < kUnitRows; ++row) {
    if (!units.Append(unit).ok() || !positions.Append(row).ok()) return Internal("builder");
  }
  const auto rows =
      arrow::Table::Make(arrow::schema({table::MakeField("unit", table::LakeType::kInt64, 1),
                                        table::MakeField("position", table::LakeType::kInt64, 2)}),
                         {*units.Finish(), *positions.Finish()});
  LAMINA_ASSIGN(const std::string staged, commit->StageLakeFile());
  LAMINA_ASSIGN(auto written, table::WriteParquet(catalog.env(), staged, *rows));
  LAMINA_TRY(commit->AddLakeFile(table, staged, std::move(written)));
  std::vector<ChunkId> ids;
  for (const auto& [kind, content] : {std::pair{ChunkKind::kParams, SmallContent(unit)},
                                      {ChunkKind::kSeries, LargeContent(unit)},
                                      {ChunkKind::kCode, SmallContent(0)},
                                      {ChunkKind::kOhlcv, LargeContent(0)}}) {
    LAMINA_ASSIGN(const ChunkId id, commit->PutChunk(kind, content));
    ids.push_back(id);
  }
  return commit->Finish([&](Database& database, LakeWriter& lake) -> Status {
    LAMINA_ASSIGN(Statement insert,
                  database.Prepare("INSERT INTO chunk_ref(backtest_id, kind, sha256, "
                                   "begin_snapshot) VALUES(?1, ?2, ?3, ?4)"));
    for (const ChunkId& id : ids) {
      LAMINA_TRY(insert.Bind(1, unit)
                     .Bind(2, static_cast<std::int64_t>(id.kind))
                     .BindBlob(3, id.sha256.View())
                     .Bind(4, lake.snapshot_id())
                     .Run());
    }
    return Ok();
  });
}

/// Units that are there; a unit that is there in part is a test failure.
inline std::set<std::int64_t> Contents(Catalog& catalog) {
  std::map<std::int64_t, std::int64_t> rows, references;
  std::vector<std::pair<std::int64_t, ChunkId>> chunks;
  const Result<LakeTable> table = FindRows(catalog);
  EXPECT_THAT(table, IsOk());
  const Result<std::int64_t> snapshot = catalog.LatestSnapshot();
  EXPECT_THAT(snapshot, IsOk());
  if (!table.ok() || !snapshot.ok()) return {};
  const auto read = catalog.ReadTable(*table, *snapshot);
  EXPECT_THAT(read, IsOk());
  if (read.ok()) {
    const auto combined = (*read)->CombineChunks();
    const auto column = (*read)->GetColumnByName("unit");
    for (const auto& part : column->chunks()) {
      const auto& values = static_cast<const arrow::Int64Array&>(*part);
      for (std::int64_t i = 0; i < values.length(); ++i) ++rows[values.Value(i)];
    }
  }
  EXPECT_THAT(catalog.Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(Statement find,
                  database.Prepare("SELECT backtest_id, kind, sha256 FROM chunk_ref"));
    for (;;) {
      LAMINA_ASSIGN(const bool row, find.Step());
      if (!row) return Ok();
      ++references[find.Int(0)];
      chunks.emplace_back(find.Int(0), ChunkId{static_cast<ChunkKind>(find.Int(1)),
                                               *Sha256Digest::FromBytes(find.Blob(2))});
    }
  }),
              IsOk());
  for (const auto& [unit, id] : chunks) {
    const Result<std::string> content = catalog.ReadChunk(id);
    EXPECT_THAT(content, IsOk()) << "unit " << unit;
    if (!content.ok()) continue;
    const std::int64_t seed =
        id.kind == ChunkKind::kCode || id.kind == ChunkKind::kOhlcv ? 0 : unit;
    const bool small = id.kind == ChunkKind::kParams || id.kind == ChunkKind::kCode;
    EXPECT_EQ(*content, small ? SmallContent(seed) : LargeContent(seed));
  }
  std::set<std::int64_t> units;
  for (const auto& [unit, count] : rows) {
    EXPECT_EQ(count, kUnitRows) << "unit " << unit;
    EXPECT_EQ(references[unit], 4) << "unit " << unit;
    units.insert(unit);
  }
  EXPECT_EQ(rows.size(), references.size());
  return units;
}

/// Files below lake/, chunks/ and staging/ that no row names.
inline std::vector<std::string> Strays(Catalog& catalog) {
  std::set<std::string> named = {"staging/sessions.lock"};
  EXPECT_THAT(catalog.Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(Statement files, database.Prepare("SELECT path FROM ducklake_data_file UNION ALL "
                                                    "SELECT path FROM ducklake_delete_file"));
    for (;;) {
      LAMINA_ASSIGN(const bool row, files.Step());
      if (!row) break;
      named.insert("lake/model/rows/" + std::string(files.Text(0)));
    }
    LAMINA_ASSIGN(Statement chunks,
                  database.Prepare("SELECT kind, sha256 FROM chunk WHERE in_file"));
    for (;;) {
      LAMINA_ASSIGN(const bool row, chunks.Step());
      if (!row) return Ok();
      named.insert(ChunkPath(
          {static_cast<ChunkKind>(chunks.Int(0)), *Sha256Digest::FromBytes(chunks.Blob(1))}));
    }
  }),
              IsOk());
  std::vector<std::string> strays;
  for (const char* folder : {"lake", "chunks", "staging"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(catalog.root() + "/" + folder)) {
      const std::string path = std::filesystem::relative(entry.path(), catalog.root());
      if (entry.is_directory() ? path.starts_with("staging/") : !named.erase(path)) {
        strays.push_back(path);
      }
    }
  }
  named.erase("staging/sessions.lock");
  for (const std::string& missing : named) strays.push_back("missing: " + missing);
  return strays;
}

/// Open for writing as the next writer would, recover, close. REQUIRES no other writer.
inline void Recover(const std::string& root) {
  const auto catalog = Catalog::Open(io::PosixEnv(), root);
  ASSERT_THAT(catalog, IsOk());
  EXPECT_THAT((*catalog)->BeginCommit("recover"), IsOk());
}

}  // namespace lamina::catalog::test
