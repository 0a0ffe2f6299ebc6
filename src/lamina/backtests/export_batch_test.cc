#include "lamina/backtests/export_batch.h"

#include <gmock/gmock.h>

#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

using test::SmallBundle;
using test::TestStore;
using testing::HasSubstr;

TEST(ExportBatch, WritesEachUnderItsHandle) {
  TestStore store;
  std::vector<std::string> handles, files;
  for (int i = 0; i < 12; ++i) {
    handles.push_back("sweep/" + std::to_string(i % 3) + "/run" + std::to_string(i));
    files.push_back(SmallBundle(handles.back(), {{"w", 40, 1000}}, 3));
    ASSERT_THAT(PutBundle(*store, handles.back(), files.back()), IsOk());
  }
  for (const std::size_t workers : {1U, 4U}) {
    ExportBatchOptions options;
    options.workers = workers;
    ImportProgress last;
    options.progress = [&](const ImportProgress& progress) { last = progress; };
    const std::string folder = store.File("out" + std::to_string(workers));
    const auto report = ExportBatch(*store, handles, folder, options);
    ASSERT_THAT(report, IsOk());
    EXPECT_EQ(last.files_done, 12);
    EXPECT_EQ(last.files_total, 12);
    ASSERT_EQ(report->exported.size(), handles.size());
    EXPECT_TRUE(report->failed.empty());
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < handles.size(); ++i) {
      EXPECT_EQ(report->exported[i].path, folder + "/" + handles[i] + ".iafbt");
      const auto written = io::PosixEnv().ReadFile(report->exported[i].path, 1 << 20);
      ASSERT_THAT(written, IsOk());
      EXPECT_EQ(*written, files[i]);
      bytes += static_cast<std::int64_t>(written->size());
    }
    EXPECT_EQ(report->bytes, bytes);
  }
}

TEST(ExportBatch, AllAsOfOneSnapshot) {
  TestStore store;
  const std::string before = SmallBundle("b", {{"w", 40, 1000}}, 3);
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("a", {{}})), IsOk());
  ASSERT_THAT(PutBundle(*store, "b", before), IsOk());
  ExportBatchOptions options;
  options.workers = 1;
  options.progress = [&](const ImportProgress& progress) {
    if (progress.files_done == 1) {
      EXPECT_THAT(store->Delete({"b"}), IsOk());
    }
  };
  const auto report = ExportBatch(*store, {"a", "b"}, store.File("out"), options);
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->failed.empty());
  EXPECT_EQ(*io::PosixEnv().ReadFile(store.File("out/b.iafbt"), 1 << 20), before);
}

TEST(ExportBatch, OneThatFailsDoesNotStopTheOthers) {
  TestStore store;
  for (const char* handle : {"a", "b"}) {
    ASSERT_THAT(PutBundle(*store, handle, SmallBundle(handle, {{}})), IsOk());
  }
  ASSERT_THAT(io::PosixEnv().CreateDirectories(store.File("out/a.iafbt")), IsOk());
  const auto report = ExportBatch(*store, {"a", "b"}, store.File("out"));
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->failed.size(), 1U);
  EXPECT_EQ(report->failed[0].path, "a");
  ASSERT_EQ(report->exported.size(), 1U);
  EXPECT_TRUE(io::PosixEnv().Exists(store.File("out/b.iafbt")));
}

TEST(ExportBatch, BadRequestsWriteNothing) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("a", {{}})), IsOk());
  EXPECT_THAT(ExportBatch(*store, {"a", "nobody"}, store.File("out")),
              IsError(ErrorCode::kNotFound));
  const auto twice = ExportBatch(*store, {"a", "a"}, store.File("out"));
  ASSERT_THAT(twice, IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(twice.error().message(), HasSubstr("a.iafbt"));
  CancelToken cancel;
  cancel.Cancel();
  ExportBatchOptions options;
  options.cancel = &cancel;
  EXPECT_THAT(ExportBatch(*store, {"a"}, store.File("out"), options),
              IsError(ErrorCode::kCancelled));
  EXPECT_FALSE(io::PosixEnv().Exists(store.File("out")));
}

}  // namespace
}  // namespace lamina::backtests
