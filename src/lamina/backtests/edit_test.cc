#include <gmock/gmock.h>

#include "lamina/backtests/store_test_support.h"
#include "lamina/backtests/verify.h"

namespace lamina::backtests {
namespace {

using test::SmallBundle;
using test::SmallDocument;
using test::TestStore;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void ExpectClean(TestStore& store) {
  const auto result = VerifyBacktests(*store, true);
  ASSERT_THAT(result, IsOk());
  for (const auto& problem : result->problems) ADD_FAILURE() << problem.path << problem.detail;
}

TEST(EditBacktests, DeleteTakesRowsThatNothingElseNames) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("a", {{"w1", 3, 1000}, {"w2", 4, 2000}})), IsOk());
  ASSERT_THAT(PutBundle(*store, "b", SmallBundle("b", {{"w1", 3, 1000}})), IsOk());
  const std::int64_t rows = store.LakeRowCount();
  // Missing handles: nothing is deleted.
  EXPECT_THAT(store->Delete({"a", "nobody"}), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(*store->Handles(), ElementsAre("a", "b"));
  ASSERT_THAT(store->Delete({"a", "a"}), IsOk());
  EXPECT_THAT(*store->Handles(), ElementsAre("b"));
  EXPECT_EQ(store.LakeRowCount(), rows - 5);  // a run's row and its four snapshots
  EXPECT_EQ(store.DocumentOf("b"), SmallDocument("b", {{"w1", 3, 1000}}));
  ASSERT_THAT(store->Delete({"b"}), IsOk());
  EXPECT_EQ(store.LakeRowCount(), 0);
  ASSERT_THAT(store->Delete({}), IsOk());
  ExpectClean(store);
}

TEST(EditBacktests, UndeleteBringsDocumentAndLabelsBack) {
  TestStore store;
  const std::string document = SmallDocument("a", {{"w1", 3, 1000}});
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("a", {{"w1", 3, 1000}})), IsOk());
  ASSERT_THAT(store->Tag("a", {"good", "new"}, {}), IsOk());
  ASSERT_THAT(store->Note("a", "a note"), IsOk());
  EXPECT_THAT(store->Undelete("a"), IsError(ErrorCode::kAlreadyExists));
  EXPECT_THAT(store->Undelete("b"), IsError(ErrorCode::kNotFound));
  ASSERT_THAT(store->Delete({"a"}), IsOk());
  ASSERT_THAT(store->Undelete("a"), IsOk());
  EXPECT_EQ(store.DocumentOf("a"), document);
  EXPECT_THAT(*store->Tag("a", {}, {}), ElementsAre("good", "new"));
  EXPECT_EQ(store.Ask("SELECT count(*) FROM backtest_index WHERE note = 'a note' AND end_snapshot "
                      "IS NULL"),
            1);
  ExpectClean(store);
}

TEST(EditBacktests, UndeleteRefusesWhatWasRenamed) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("a", {{}})), IsOk());
  ASSERT_THAT(store->Rename("a", "b"), IsOk());
  EXPECT_THAT(*store->Handles(), ElementsAre("b"));
  const auto refused = store->Undelete("a");
  ASSERT_THAT(refused, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(std::string(refused.error().message()), HasSubstr("renamed to 'b'"));
  EXPECT_THAT(*store->Handles(), ElementsAre("b"));
  // Also when the new one is gone; that one can be brought back.
  ASSERT_THAT(store->Delete({"b"}), IsOk());
  EXPECT_THAT(store->Undelete("a"), IsError(ErrorCode::kNotFound));
  ASSERT_THAT(store->Undelete("b"), IsOk());
  // A handle that was used again and deleted since is not a renamed one.
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("other", {{}})), IsOk());
  ASSERT_THAT(store->Delete({"a"}), IsOk());
  ASSERT_THAT(store->Undelete("a"), IsOk());
  EXPECT_EQ(store.DocumentOf("a"), SmallDocument("other", {{}}));
  ExpectClean(store);
}

TEST(EditBacktests, UndeleteLooksPastRenames) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("deleted", {{}})), IsOk());
  ASSERT_THAT(PutBundle(*store, "b", SmallBundle("renamed", {{}})), IsOk());
  ASSERT_THAT(store->Delete({"a"}), IsOk());
  ASSERT_THAT(store->Rename("b", "a"), IsOk());
  ASSERT_THAT(store->Rename("a", "b"), IsOk());
  ASSERT_THAT(store->Undelete("a"), IsOk());
  EXPECT_EQ(store.DocumentOf("a"), SmallDocument("deleted", {{}}));
  EXPECT_THAT(*store->Handles(), ElementsAre("a", "b"));
  ExpectClean(store);
}

TEST(EditBacktests, UnknownSnapshotsAreRefused) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("a", {{}})), IsOk());
  for (const std::int64_t snapshot : {-5, 99999}) {
    EXPECT_THAT(store->Find("a", snapshot), IsError(ErrorCode::kNotFound, HasSubstr("snapshot")));
    EXPECT_THAT(store->Handles(snapshot), IsError(ErrorCode::kNotFound));
  }
}

TEST(EditBacktests, UndeleteOfATwinIsNotARename) {
  TestStore store;
  // The same document under two handles, one deleted in the commit before the other is made.
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("t", {{}})), IsOk());
  ASSERT_THAT(PutBundle(*store, "b", SmallBundle("t", {{}})), IsOk());
  ASSERT_THAT(store->Delete({"a"}), IsOk());
  ASSERT_THAT(PutBundle(*store, "c", SmallBundle("t", {{}})), IsOk());
  ASSERT_THAT(store->Undelete("a"), IsOk());
  EXPECT_THAT(*store->Handles(), ElementsAre("a", "b", "c"));
}

TEST(EditBacktests, RenameKeepsEverythingElse) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("a", {{"w1", 3, 1000}})), IsOk());
  ASSERT_THAT(PutBundle(*store, "taken", SmallBundle("b", {{"w1", 3, 1000}})), IsOk());
  ASSERT_THAT(store->Tag("a", {"x"}, {}), IsOk());
  EXPECT_THAT(store->Rename("a", "taken"), IsError(ErrorCode::kAlreadyExists));
  EXPECT_THAT(store->Rename("nobody", "c"), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(store->Rename("a", "../c"), IsError(ErrorCode::kInvalidArgument));
  ASSERT_THAT(store->Rename("a", "a"), IsOk());
  const auto before = store->Find("a");
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(store->Rename("a", "folder/c"), IsOk());
  EXPECT_THAT(store->Find("a"), IsError(ErrorCode::kNotFound));
  const auto after = store->Find("folder/c");
  ASSERT_THAT(after, IsOk());
  EXPECT_EQ(after->document_sha256, before->document_sha256);
  EXPECT_EQ(after->imported_at.value, before->imported_at.value);
  EXPECT_EQ(store.DocumentOf("folder/c"), SmallDocument("a", {{"w1", 3, 1000}}));
  EXPECT_THAT(*store->Tag("folder/c", {}, {}), ElementsAre("x"));
  // The old snapshot still has the old handle.
  EXPECT_THAT(store->Find("a", before->begin_snapshot), IsOk());
  ExpectClean(store);
}

TEST(EditBacktests, TagsAreASortedSet) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("a", {{}})), IsOk());
  EXPECT_THAT(*store->Tag("a", {"b", "a", "b"}, {}), ElementsAre("a", "b"));
  EXPECT_THAT(*store->Tag("a", {"c"}, {"b", "never"}), ElementsAre("a", "c"));
  EXPECT_THAT(store->Tag("a", {""}, {}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(store->Tag("a", {std::string(257, 'x')}, {}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(store->Tag("nobody", {"x"}, {}), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(*store->Tag("a", {}, {"a", "c"}), IsEmpty());
}

TEST(EditBacktests, NotesAreReplacedAndTakenAway) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("a", {{}})), IsOk());
  const auto notes = [&] {
    return store.Ask("SELECT count(*) FROM backtest_index WHERE note IS NOT NULL");
  };
  ASSERT_THAT(store->Note("a", "first"), IsOk());
  ASSERT_THAT(store->Note("a", "second"), IsOk());
  EXPECT_EQ(store.Ask("SELECT count(*) FROM backtest_index WHERE note = 'second'"), 1);
  ASSERT_THAT(store->Note("a", ""), IsOk());
  EXPECT_EQ(notes(), 0);
  EXPECT_THAT(store->Note("a", std::string("\xff")), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(store->Note("nobody", "x"), IsError(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace lamina::backtests
