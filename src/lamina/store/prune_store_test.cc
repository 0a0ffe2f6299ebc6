#include "lamina/store/prune_store.h"

#include "lamina/backtests/import.h"
#include "lamina/folder_index/folder_test_support.h"

namespace lamina::store {
namespace {

using folder_index::PruneOptions;
using folder_index::test::TestFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Three backtests a, b, c; c has the best Sharpe ratio.
class PruneStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [name, sharpe] : {std::pair("a", 1.0), {"b", 2.0}, {"c", 3.0}}) {
      folder_.Add(std::string(name) + ".iafbt", sharpe);
    }
    StoreOptions options;
    options.create = true;
    auto opened = Store::Open(env_, folder_.Outside("store"), options);
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
    const auto sources = backtests::FindBundles(env_, {folder_.root()});
    ASSERT_THAT(backtests::ImportBundles(store_->backtests(), *sources), IsOk());
  }
  Result<folder_index::PruneReport> Prune(std::int64_t keep, const PruneOptions& options) {
    backtests::RankQuery query;
    query.by = "sharpe";
    query.limit = keep;
    return PruneStore(env_, *store_, query, options);
  }
  std::vector<std::string> Handles() { return *store_->backtests().Handles(); }

  io::Env& env_ = io::PosixEnv();
  const TestFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(PruneStoreTest, TheWorseGoAndComeBack) {
  const auto trial = Prune(1, {.archive = "", .dry_run = true});
  ASSERT_THAT(trial, IsOk());
  EXPECT_TRUE(trial->dry_run);
  EXPECT_THAT(Handles(), ElementsAre("a", "b", "c"));
  const auto report = Prune(1, {});
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->kept, ElementsAre("c"));
  EXPECT_THAT(report->pruned, testing::UnorderedElementsAre("a", "b"));
  EXPECT_EQ(report->pruned, trial->pruned);
  EXPECT_THAT(Handles(), ElementsAre("c"));
  EXPECT_THAT(store_->backtests().Undelete("a"), IsOk());
  EXPECT_THAT(Handles(), ElementsAre("a", "c"));
  EXPECT_THAT(Prune(5, {})->pruned, IsEmpty());
}

TEST_F(PruneStoreTest, TheArchiveHasTheSameBytes) {
  const std::string archive = folder_.Outside("archive");
  // One is there from a prune that was cut short.
  TestFolder::WriteTo(archive + "/a.iafbt", *env_.ReadFile(folder_.Path("a.iafbt"), 1 << 20));
  ASSERT_THAT(Prune(1, {.archive = archive}), IsOk());
  for (const char* name : {"a.iafbt", "b.iafbt"}) {
    EXPECT_EQ(bundle::ReadBundle(*env_.ReadFile(archive + "/" + name, 1 << 20))->document,
              bundle::ReadBundle(*env_.ReadFile(folder_.Path(name), 1 << 20))->document);
  }
  EXPECT_FALSE(env_.Exists(archive + "/c.iafbt"));
  EXPECT_THAT(Handles(), ElementsAre("c"));
}

TEST_F(PruneStoreTest, RefusedPrunesDeleteNothing) {
  const std::string archive = folder_.Outside("archive");
  TestFolder::WriteTo(archive + "/b.iafbt", "another file");
  CancelToken cancel;
  cancel.Cancel();
  const std::string inside = store_->root() + "/old";
  EXPECT_THAT(Prune(1, {.archive = archive}),
              IsError(ErrorCode::kAlreadyExists, HasSubstr("b.iafbt exists")));
  EXPECT_FALSE(env_.Exists(archive + "/a.iafbt"));
  EXPECT_THAT(Prune(1, {.archive = inside}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("lies in the store")));
  EXPECT_THAT(Prune(1, {.archive = "", .cancel = &cancel}), IsError(ErrorCode::kCancelled));
  EXPECT_THAT(Prune(0, {}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Handles(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(*env_.ReadFile(archive + "/b.iafbt", 100), "another file");
}

TEST_F(PruneStoreTest, ByTheHandlesToKeep) {
  EXPECT_THAT(PruneStoreExcept(env_, *store_, {}, {}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("keeps nothing")));
  EXPECT_THAT(PruneStoreExcept(env_, *store_, {"b", "nobody"}, {}), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(Handles(), ElementsAre("a", "b", "c"));
  const auto report = PruneStoreExcept(env_, *store_, {"b", "b"}, {});
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->kept, ElementsAre("b"));
  EXPECT_THAT(report->pruned, ElementsAre("a", "c"));
  EXPECT_THAT(Handles(), ElementsAre("b"));
}

}  // namespace
}  // namespace lamina::store
