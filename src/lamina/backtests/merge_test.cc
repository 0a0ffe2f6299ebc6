#include "lamina/backtests/merge.h"

#include <gmock/gmock.h>

#include "lamina/backtests/import.h"
#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

using test::SmallDocument;
using test::TestStore;
using test::WriteTo;
using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(MergeBacktest, IsOneCommitThatKeepsTagsAndNote) {
  TestStore store;
  ASSERT_THAT(PutDocument(*store, "a", 2, SmallDocument("x", {{}})), IsOk());
  ASSERT_THAT(store->Tag("a", {"mine"}, {}), IsOk());
  ASSERT_THAT(store->Note("a", "kept"), IsOk());
  const std::string before = store.DocumentOf("a");
  // The same again: nothing is written.
  auto report = MergeBacktest(*store, "a", {{2, before, {}}}, false);
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->unchanged);
  EXPECT_EQ(report->runs_unchanged, 1);

  report = MergeBacktest(*store, "a", {{2, SmallDocument("y", {{}}), {}}}, false);
  ASSERT_THAT(report, IsOk());
  EXPECT_FALSE(report->unchanged);
  const auto tags = store->Tag("a", {}, {});
  ASSERT_THAT(tags, IsOk());
  EXPECT_THAT(*tags, ElementsAre("mine"));
  EXPECT_THAT(store->Handles(), IsOk());
  EXPECT_THAT(*store->Handles(), SizeIs(1));
}

TEST(MergeBacktest, FailsAsAWhole) {
  TestStore store;
  ASSERT_THAT(PutDocument(*store, "a", 2, SmallDocument("x", {{}})), IsOk());
  const std::string before = store.DocumentOf("a");
  EXPECT_THAT(MergeBacktest(*store, "b", {{2, before, {}}}, false), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(
      MergeBacktest(*store, "a",
                    {{2, SmallDocument("y", {{}}), {}}, {2, "\xc1", std::string("bad")}}, false),
      IsError(ErrorCode::kCorruption));
  EXPECT_EQ(store.DocumentOf("a"), before);
}

TEST(MergeSource, IsABundleOrALegacyFolder) {
  TestStore store;
  WriteTo(store.File("in/x.iafbt"), test::SmallBundle("x", {{}}));
  auto source = ReadMergeSource(io::PosixEnv(), store.File("in/x.iafbt"));
  ASSERT_THAT(source, IsOk());
  EXPECT_EQ(source->document, SmallDocument("x", {{}}));
  WriteTo(store.File("in/old/runs/r/run.json"), R"({"trading_symbol": "EUR"})");
  source = ReadMergeSource(io::PosixEnv(), store.File("in/old"));
  ASSERT_THAT(source, IsOk());
  EXPECT_EQ(source->version, 2U);
  EXPECT_THAT(ReadMergeSource(io::PosixEnv(), store.File("in/none")),
              IsError(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace lamina::backtests
