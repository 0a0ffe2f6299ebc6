#pragma once

/// \file lamina/folder_index/folder_test_support.h
/// Folders of small bundles for tests.

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/msgpack.h"
#include "lamina/folder_index/build.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::folder_index::test {

/// A bundle of version 2 that has nothing but an identity and a Sharpe ratio.
inline std::string SmallBundle(const std::string& id, std::optional<double> sharpe,
                               const std::string& tag = "t") {
  std::string document;
  bundle::Writer writer(document);
  writer.MapHeader(7);
  writer.String("format_version");
  writer.Int(2);
  writer.String("engine_type");
  writer.String("vector");
  writer.String("algorithm_id");
  writer.String(id);
  writer.String("parameters");
  writer.MapHeader(1);
  writer.String("fast");
  writer.Int(static_cast<std::int64_t>(id.size()));
  writer.String("tag");
  writer.String(tag);
  writer.String("vector_runs");
  writer.ArrayHeader(1);
  writer.MapHeader(2);
  writer.String("backtest_start_date");
  writer.String("2024-01-01T00:00:00+00:00");
  writer.String("backtest_end_date");
  writer.String("2024-03-01T00:00:00+00:00");
  writer.String("vector_metrics");
  writer.MapHeader(sharpe ? 1 : 0);
  if (sharpe) {
    writer.String("sharpe_ratio");
    writer.Double(*sharpe);
  }
  auto file = bundle::WriteBundle(2, document, 3);
  EXPECT_THAT(file, IsOk());
  return *std::move(file);
}

class TestFolder {
 public:
  TestFolder() { EXPECT_THAT(env().CreateDirectories(root()), IsOk()); }

  static io::Env& env() { return io::PosixEnv(); }
  std::string root() const {
    return std::filesystem::canonical(folder_.path()).string() + "/bundles";
  }
  std::string Path(const std::string& name) const { return io::JoinPath(root(), name); }
  std::string Outside(const std::string& name) const {
    return std::filesystem::canonical(folder_.path()).string() + "/" + name;
  }
  void Write(const std::string& name, ByteView bytes) const { WriteTo(Path(name), bytes); }
  void Add(const std::string& name, std::optional<double> sharpe) const {
    Write(name, SmallBundle(name, sharpe));
  }
  static void WriteTo(const std::string& path, ByteView bytes) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream file(path, std::ios::binary);
    file << bytes;
    ASSERT_TRUE(file.good()) << path;
  }

  BuildReport Index(const BuildOptions& options = {}) const {
    auto report = BuildIndex(env(), root(), options);
    EXPECT_THAT(report, IsOk());
    return report.ok() ? *std::move(report) : BuildReport();
  }

  /// Handles by falling Sharpe ratio.
  std::vector<std::string> Ranked(const std::string& index = "") const {
    const auto file = IndexFile::Open(index.empty() ? Path("index.sqlite") : index);
    EXPECT_THAT(file, IsOk());
    std::vector<std::string> handles;
    if (!file.ok()) return handles;
    EXPECT_THAT((*file)->Read([&](const backtests::RankTable& table) -> Status {
      backtests::ListQuery query;
      query.sort = "sharpe";
      query.columns = {"handle"};
      LAMINA_ASSIGN(const auto rows, backtests::List(table, query));
      for (const auto& row : rows.rows) handles.push_back(std::get<std::string>(row.front()));
      return Ok();
    }),
                IsOk());
    return handles;
  }

 private:
  io::TemporaryFolder folder_;
};

/// Run SQL on a file as another program would.
inline void Falsify(const std::string& path, const std::string& sql) {
  const auto database = catalog::Database::OpenPlain(path, catalog::OpenMode::kCreate);
  ASSERT_THAT(database, IsOk());
  ASSERT_THAT((*database)->Execute(sql), IsOk()) << sql;
}

}  // namespace lamina::folder_index::test
