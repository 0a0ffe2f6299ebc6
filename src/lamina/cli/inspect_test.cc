#include "lamina/cli/inspect.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "lamina/backtests/import.h"
#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/store/store.h"

namespace lamina::cli {
namespace {

using ::testing::HasSubstr;

const std::string kBundle =
    std::string(LAMINA_SHARED_DIR) + "/data/bundles/golden/v5_9.0.0a6/windows3_full.obtf";

io::Env& Disk() { return io::PosixEnv(); }

TEST(Inspect, BundleAsJson) {
  const auto text = InspectFile(Disk(), kBundle, true);
  ASSERT_THAT(text, IsOk());
  EXPECT_TRUE(text->ends_with("}\n"));
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  ASSERT_EQ(parser.parse(*text).get(json), simdjson::SUCCESS);
  EXPECT_EQ(std::string_view(json["kind"]), "bundle");
  EXPECT_EQ(std::string_view(json["path"]), kBundle);
  EXPECT_EQ(std::uint64_t(json["version"]), 5U);
  EXPECT_EQ(std::uint64_t(json["file_bytes"]), std::filesystem::file_size(kBundle));
  EXPECT_EQ(std::string_view(json["algorithm_id"]), "windows3_full");
  const auto file = Disk().ReadFile(kBundle, 1 << 30);
  EXPECT_EQ(std::string_view(json["sha256"]), Sha256(*file).Hex());
  simdjson::dom::array runs;
  ASSERT_EQ(json["runs"].get(runs), simdjson::SUCCESS);
  ASSERT_EQ(runs.size(), 3U);
  for (simdjson::dom::element run : runs) {
    EXPECT_EQ(std::string_view(run["engine"]), "vector");
    EXPECT_FALSE(std::string_view(run["window"]).empty());
    EXPECT_GT(std::uint64_t(run["snapshots"]), 0U);
  }
  EXPECT_TRUE(json["warnings"].is_array());
  EXPECT_TRUE(json["keys"].is_array());
}

TEST(Inspect, BundleAsText) {
  const auto text = InspectFile(Disk(), kBundle, false);
  ASSERT_THAT(text, IsOk());
  EXPECT_THAT(*text, HasSubstr("bundle, version 5\n"));
  EXPECT_THAT(*text, HasSubstr("  algorithm     windows3_full\n"));
  EXPECT_THAT(*text, HasSubstr("runs\n"));
}

TEST(Inspect, ParquetFileOfAStore) {
  io::TemporaryFolder folder;
  store::StoreOptions options;
  options.create = true;
  const auto opened = store::Store::Open(Disk(), folder.File("s"), options);
  ASSERT_THAT(opened, IsOk());
  const auto bundle = Disk().ReadFile(kBundle, 1 << 30);
  ASSERT_THAT(backtests::PutBundle((*opened)->backtests(), "h", *bundle), IsOk());
  std::size_t files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder.File("s") + "/lake")) {
    if (entry.path().extension() != ".parquet") continue;
    ++files;
    const auto text = InspectFile(Disk(), entry.path(), true);
    ASSERT_THAT(text, IsOk());
    simdjson::dom::parser parser;
    simdjson::dom::element json;
    ASSERT_EQ(parser.parse(*text).get(json), simdjson::SUCCESS) << *text;
    EXPECT_EQ(std::string_view(json["kind"]), "parquet");
    EXPECT_EQ(std::uint64_t(json["size_bytes"]), entry.file_size());
    std::int64_t rows = 0;
    for (simdjson::dom::element group : json["row_groups"]) {
      rows += std::int64_t(group["rows"]);
      simdjson::dom::element column = group["columns"].at(0);
      EXPECT_EQ(std::string_view(column["column"]), "run_id");
    }
    EXPECT_EQ(rows, std::int64_t(json["rows"]));
    EXPECT_THAT(InspectFile(Disk(), entry.path(), false), IsOk());
  }
  EXPECT_GE(files, 5U);
}

TEST(Inspect, WhatItCannotLookInto) {
  io::TemporaryFolder folder;
  struct Case {
    const char* name;
    std::string content;
    ErrorCode code;
  };
  const Case cases[] = {
      {"empty", "", ErrorCode::kUnsupported},
      {"short", "IAF", ErrorCode::kUnsupported},
      {"text", "hello, world", ErrorCode::kUnsupported},
      {"header only", "IAFB", ErrorCode::kInvalidArgument},
      {"cut bundle", std::string("IAFB\5\0\0\0\x28\xb5\x2f\xfd", 12), ErrorCode::kCorruption},
      {"cut Parquet", "PAR1PAR1", ErrorCode::kCorruption},
  };
  for (const Case& c : cases) {
    ASSERT_THAT(Disk().WriteFileAtomically(folder.File("f"), c.content), IsOk());
    for (const bool json : {false, true}) {
      EXPECT_THAT(InspectFile(Disk(), folder.File("f"), json),
                  IsError(c.code, HasSubstr(folder.File("f"))))
          << c.name;
    }
  }
  EXPECT_THAT(InspectFile(Disk(), folder.File("gone"), true), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(InspectFile(Disk(), folder.path(), true), IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::cli
