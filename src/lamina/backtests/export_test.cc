#include <gmock/gmock.h>

#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

using test::SmallBundle;
using test::SmallDocument;
using test::TestStore;

std::string FileAt(const std::string& path) {
  auto file = io::PosixEnv().ReadFile(path, 1 << 20);
  EXPECT_THAT(file, IsOk());
  return *std::move(file);
}

TEST(Export, GivesTheFileBackAtTheLevelItHad) {
  TestStore store;
  for (const int level : {3, 7, 19}) {
    const std::string handle = "l" + std::to_string(level);
    const std::string file = SmallBundle(handle, {{"w", 40, 1000}}, level);
    ASSERT_THAT(PutBundle(*store, handle, file), IsOk());
    const auto report = store->Export(handle, store.File("x.iafbt"));
    ASSERT_THAT(report, IsOk());
    EXPECT_TRUE(report->identical_to_original) << level;
    EXPECT_EQ(report->sha256, Sha256(file));
    EXPECT_EQ(report->bytes, static_cast<std::int64_t>(file.size()));
    EXPECT_EQ(FileAt(store.File("x.iafbt")), file);
  }
}

TEST(Export, AtAnotherLevelTheDocumentIsTheSame) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "x", SmallBundle("x", {{"w", 40, 1000}}, 3)), IsOk());
  ExportOptions options;
  options.level = 12;
  const auto report = store->Export("x", store.File("x.iafbt"), options);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->level, 12);
  const auto bundle = bundle::ReadBundle(FileAt(store.File("x.iafbt")));
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->document, SmallDocument("x", {{"w", 40, 1000}}));
  EXPECT_EQ(report->document_sha256, Sha256(bundle->document));
}

TEST(Export, BadRequestsWriteNothing) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "x", SmallBundle("x", {{}})), IsOk());
  const std::string path = store.File("x.iafbt");
  for (const int level : {0, 23, -1}) {
    ExportOptions options;
    options.level = level;
    EXPECT_THAT(store->Export("x", path, options), IsError(ErrorCode::kInvalidArgument));
  }
  for (const std::uint32_t version : {0U, 3U, 4U, 6U}) {
    ExportOptions options;
    options.format_version = version;
    EXPECT_THAT(store->Export("x", path, options), IsError(ErrorCode::kInvalidArgument));
  }
  EXPECT_THAT(store->Export("nobody", path), IsError(ErrorCode::kNotFound));
  EXPECT_FALSE(io::PosixEnv().Exists(path));
}

}  // namespace
}  // namespace lamina::backtests
