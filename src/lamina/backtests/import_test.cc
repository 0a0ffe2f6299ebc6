#include "lamina/backtests/import.h"

#include <gmock/gmock.h>

#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

using test::SmallBundle;
using test::SmallDocument;
using test::TestStore;
using test::WriteTo;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<ImportReport> ImportFolder(TestStore& store, const std::string& folder,
                                  const ImportOptions& options = {}) {
  LAMINA_ASSIGN(const auto sources, FindBundles(io::PosixEnv(), {folder}));
  return ImportBundles(*store, sources, options);
}

TEST(Import, IsIdempotentAndReplacesOnlyWhenAsked) {
  TestStore store;
  const std::string in = store.File("in");
  WriteTo(in + "/x.iafbt", SmallBundle("x", {{}}));
  WriteTo(in + "/deep/y.obtf", SmallBundle("y", {{}}));
  WriteTo(in + "/bad.iafbt", "not a bundle");
  auto report = ImportFolder(store, in);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->imported, 2);
  ASSERT_EQ(report->failed.size(), 1U);
  EXPECT_EQ(report->failed[0].path, in + "/bad.iafbt");
  EXPECT_EQ(report->runs_new, 1);
  EXPECT_EQ(report->runs_shared, 1);
  EXPECT_THAT(*store->Handles(), ElementsAre("deep/y", "x"));

  report = ImportFolder(store, in);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->imported, 0);
  EXPECT_EQ(report->unchanged, 2);
  EXPECT_EQ(report->commits, 0);

  WriteTo(in + "/x.iafbt", SmallBundle("other", {{}}));
  report = ImportFolder(store, in);
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->failed.size(), 2U);
  EXPECT_EQ(report->failed[1].code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(store.DocumentOf("x"), SmallDocument("x", {{}}));
  ImportOptions replace;
  replace.replace = true;
  report = ImportFolder(store, in, replace);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->replaced, 1);
  EXPECT_EQ(store.DocumentOf("x"), SmallDocument("other", {{}}));

  ImportOptions strict;
  strict.keep_going = false;
  EXPECT_FALSE(ImportFolder(store, in, strict).ok());
}

TEST(Import, ABundleThatGainedAWindowStoresThatWindowOnly) {
  constexpr int kRows = 500;
  TestStore store;
  const std::string in = store.File("in");
  const std::vector<test::SmallRun> before = {{"w1", kRows, 1000.1}, {"w2", kRows, 2000.2}};
  WriteTo(in + "/x.iafbt", SmallBundle("x", before));
  const auto first = ImportFolder(store, in);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->runs_new, 2);
  const std::int64_t rows = store.LakeRowCount();

  std::vector<test::SmallRun> after = before;
  after.push_back({"w3", kRows, 3000.3});
  WriteTo(in + "/x.iafbt", SmallBundle("x", after));
  ImportOptions replace;
  replace.replace = true;
  const auto gained = ImportFolder(store, in, replace);
  ASSERT_THAT(gained, IsOk());
  EXPECT_EQ(gained->replaced, 1);
  EXPECT_EQ(gained->runs_new, 1);
  EXPECT_EQ(gained->runs_shared, 2);
  EXPECT_EQ(store.LakeRowCount(), rows + 1 + kRows) << "one row of runs, and its snapshots";
  EXPECT_LT(gained->bytes_stored, first->bytes_stored);
  EXPECT_EQ(store.Ask("SELECT count(*) FROM run WHERE end_snapshot IS NULL"), 3);
  EXPECT_EQ(store.DocumentOf("x"), SmallDocument("x", after));

  // Replacing replaces: nothing of what the bundle lost stays.
  WriteTo(in + "/x.iafbt", SmallBundle("x", {after[2]}));
  const auto lost = ImportFolder(store, in, replace);
  ASSERT_THAT(lost, IsOk());
  EXPECT_EQ(lost->runs_new, 0);
  EXPECT_EQ(store.LakeRowCount(), 1 + kRows);
  EXPECT_EQ(store.DocumentOf("x"), SmallDocument("x", {after[2]}));
}

/// Whatever the batches, the threads and the options: the first by path, and a loud refusal.
TEST(Import, OfTwoFilesWithOneHandleTheFirstCounts) {
  for (const bool replace : {false, true}) {
    for (const bool same_document : {false, true}) {
      SCOPED_TRACE(std::to_string(replace) + std::to_string(same_document));
      TestStore store;
      const std::string in = store.File("in");
      WriteTo(in + "/x.iafbt", SmallBundle("first", {{}}));
      WriteTo(in + "/x.obtf", SmallBundle(same_document ? "first" : "second", {{}}));
      WriteTo(in + "/y.obtf", SmallBundle("y", {{}}));
      ImportOptions options;
      options.replace = replace;
      options.batch_rows = 1;  // a commit for each
      for (int round = 0; round < 2; ++round) {
        const auto report = ImportFolder(store, in, options);
        ASSERT_THAT(report, IsOk());
        EXPECT_EQ(report->imported, round == 0 ? 2 : 0);
        EXPECT_EQ(report->unchanged, round == 0 ? 0 : 2);
        EXPECT_EQ(report->replaced, 0);
        ASSERT_EQ(report->failed.size(), 1U);
        EXPECT_EQ(report->failed[0].path, in + "/x.obtf");
        EXPECT_EQ(report->failed[0].code, ErrorCode::kAlreadyExists);
        EXPECT_THAT(report->failed[0].message, AllOf(HasSubstr("'x'"), HasSubstr("/x.iafbt")));
        EXPECT_EQ(store.DocumentOf("x"), SmallDocument("first", {{}}));
      }
    }
  }
}

TEST(Import, TheOrderOfSourcesDoesNotDecide) {
  TestStore store;
  WriteTo(store.File("a/x.iafbt"), SmallBundle("a", {{}}));
  WriteTo(store.File("b/x.iafbt"), SmallBundle("b", {{}}));
  const std::vector<ImportSource> sources = {{store.File("b/x.iafbt"), "x"},
                                             {store.File("a/x.iafbt"), "x"}};
  ImportOptions options;
  options.workers = 1;
  const auto report = ImportBundles(*store, sources, options);
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->failed.size(), 1U);
  EXPECT_EQ(report->failed[0].path, store.File("b/x.iafbt"));
  EXPECT_EQ(store.DocumentOf("x"), SmallDocument("a", {{}}));
  options.keep_going = false;
  EXPECT_THAT(ImportBundles(*store, sources, options), IsError(ErrorCode::kAlreadyExists));
}

TEST(Import, StopsWhenAskedAndReportsProgress) {
  TestStore store;
  WriteTo(store.File("in/x.iafbt"), SmallBundle("x", {{}}));
  CancelToken cancel;
  cancel.Cancel();
  ImportOptions options;
  options.cancel = &cancel;
  EXPECT_THAT(ImportFolder(store, store.File("in"), options), IsError(ErrorCode::kCancelled));
  EXPECT_EQ(*store->Count(), 0);
  ImportProgress last;
  options.cancel = nullptr;
  options.progress = [&](const ImportProgress& progress) { last = progress; };
  ASSERT_THAT(ImportFolder(store, store.File("in"), options), IsOk());
  EXPECT_EQ(last.files_done, 1);
  EXPECT_EQ(last.files_total, 1);
  EXPECT_EQ(last.bytes_done, last.bytes_total);
}

TEST(Import, PutSaysWhatItDid) {
  TestStore store;
  const std::string document = SmallDocument("x", {{}});
  auto put = PutDocument(*store, "x", 2, document);
  ASSERT_THAT(put, IsOk());
  EXPECT_FALSE(put->unchanged);
  const auto stored = store->Find("x", {});
  ASSERT_THAT(stored, IsOk());
  EXPECT_EQ(stored->file_bytes, static_cast<std::int64_t>(document.size()));
  EXPECT_EQ(stored->file_sha256, Sha256(document));
  EXPECT_EQ(stored->file_sha256, stored->document_sha256);
  put = PutBundle(*store, "x", SmallBundle("x", {{}}));
  ASSERT_THAT(put, IsOk());
  EXPECT_TRUE(put->unchanged);
  EXPECT_THAT(PutDocument(*store, "x", 2, SmallDocument("y", {{}})),
              IsError(ErrorCode::kAlreadyExists));
  put = PutDocument(*store, "x", 2, SmallDocument("y", {{}}), true);
  ASSERT_THAT(put, IsOk());
  EXPECT_TRUE(put->replaced);
  EXPECT_FALSE(PutBundle(*store, "z", "nonsense").ok());
  EXPECT_THAT(PutDocument(*store, "../z", 2, document), IsError(ErrorCode::kInvalidArgument));
}

TEST(Import, ManyDocumentsAtOnce) {
  TestStore store;
  std::vector<std::string> handles;
  for (int i = 0; i < 20; ++i) handles.push_back("d" + std::to_string(i));
  const auto report = ImportDocuments(*store, handles, 2, [](std::size_t index) {
    return Result<std::string>(SmallDocument(std::to_string(index), {{}}));
  });
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->imported, 20);
  EXPECT_EQ(report->runs_new, 1);
  EXPECT_EQ(store.DocumentOf("d7"), SmallDocument("7", {{}}));
}

}  // namespace
}  // namespace lamina::backtests
