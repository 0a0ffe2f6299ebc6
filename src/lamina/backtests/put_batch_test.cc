#include "lamina/backtests/put_batch.h"

#include <gmock/gmock.h>

#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

using test::SmallDocument;
using test::TestStore;

std::string Document(const std::string& tag) { return SmallDocument(tag, {{.window = tag}}); }

TEST(PutBatch, StoresAllInOneCommit) {
  TestStore store;
  const std::int64_t before = store.Ask("SELECT max(snapshot_id) FROM ducklake_snapshot");
  PutBatch batch(*store);
  for (const char* tag : {"a", "b", "c"}) {
    ASSERT_THAT(batch.AddDocument(tag, 2, Document(tag), false), IsOk());
  }
  test::WriteTo(store.File("d.iafbt"), test::SmallBundle("d", {{}}));
  ASSERT_THAT(batch.AddFile("d", store.File("d.iafbt"), false), IsOk());
  EXPECT_EQ(batch.size(), 4U);
  EXPECT_TRUE(store->Handles()->empty());
  const auto report = batch.Commit();
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->committed);
  EXPECT_EQ(batch.size(), 0U);
  EXPECT_EQ(store.Ask("SELECT max(snapshot_id) FROM ducklake_snapshot"), before + 1);
  EXPECT_EQ(store->Handles()->size(), 4U);
  EXPECT_EQ(store.DocumentOf("b"), Document("b"));
}

TEST(PutBatch, WithoutCommitNothingIsStored) {
  TestStore store;
  {
    ASSERT_THAT(PutBatch(*store).AddDocument("a", 2, Document("a"), false), IsOk());
  }
  EXPECT_TRUE(store->Handles()->empty());
  PutBatch none(*store);
  const auto report = none.Commit();
  ASSERT_THAT(report, IsOk());
  EXPECT_FALSE(report->committed);
}

TEST(PutBatch, RefusesWhereThePutStands) {
  TestStore store;
  ASSERT_THAT(PutDocument(*store, "taken", 2, Document("x")), IsOk());
  PutBatch batch(*store);
  EXPECT_THAT(batch.AddDocument("taken", 2, Document("y"), false),
              IsError(ErrorCode::kAlreadyExists));
  EXPECT_THAT(batch.AddDocument("taken", 2, Document("x"), false), IsOk());  // the same one
  EXPECT_THAT(batch.AddDocument("../a", 2, Document("a"), false),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_FALSE(batch.AddDocument("a", 2, "no document", false).ok());
  EXPECT_THAT(batch.AddFile("a", store.File("absent"), false), IsError(ErrorCode::kNotFound));
  ASSERT_THAT(batch.AddDocument("a", 2, Document("a"), false), IsOk());
  EXPECT_THAT(batch.AddDocument("a", 2, Document("b"), false), IsError(ErrorCode::kAlreadyExists));
  ASSERT_THAT(batch.AddDocument("a", 2, Document("b"), true), IsOk());
  ASSERT_THAT(batch.Commit(), IsOk());
  EXPECT_EQ(store.DocumentOf("a"), Document("b"));
  EXPECT_EQ(store.DocumentOf("taken"), Document("x"));
}

TEST(PutBatch, OneTakenMeanwhileRefusesAll) {
  TestStore store;
  PutBatch batch(*store);
  ASSERT_THAT(batch.AddDocument("free", 2, Document("a"), false), IsOk());
  ASSERT_THAT(batch.AddDocument("taken", 2, Document("b"), false), IsOk());
  ASSERT_THAT(PutDocument(*store, "taken", 2, Document("x")), IsOk());
  EXPECT_THAT(batch.Commit(), IsError(ErrorCode::kAlreadyExists));
  EXPECT_EQ(*store->Handles(), (std::vector<std::string>{"taken"}));
  EXPECT_EQ(store.DocumentOf("taken"), Document("x"));
}

}  // namespace
}  // namespace lamina::backtests
