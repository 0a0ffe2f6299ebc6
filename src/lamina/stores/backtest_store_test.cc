#include "lamina/stores/backtest_store.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "lamina/backtests/store_test_support.h"
#include "lamina/stores/local_dir_store.h"
#include "lamina/stores/local_tiered_store.h"

namespace lamina::stores {
namespace {

using backtests::test::SmallDocument;
using backtests::test::TestStore;

/// An empty store of one kind, and what it stands on.
class Made {
 public:
  explicit Made(std::string_view kind) {
    if (kind == "local-tiered") {
      store_ = std::make_unique<LocalTieredStore>(*engine_);
      return;
    }
    LocalDirStore::Options options;
    options.create = true;
    options.level = 3;
    auto opened = LocalDirStore::Open(io::PosixEnv(), folder_.File("bundles"), options);
    EXPECT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }
  BacktestStore& operator*() { return *store_; }
  BacktestStore* operator->() { return store_.get(); }

 private:
  TestStore engine_;
  io::TemporaryFolder folder_;
  std::unique_ptr<BacktestStore> store_;
};

class EveryStore : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EveryStore, testing::Values("local-dir", "local-tiered"),
                         [](const auto& kind) {
                           return kind.param == "local-dir" ? "LocalDir" : "LocalTiered";
                         });

TEST_P(EveryStore, DocumentsComeBack) {
  Made store(GetParam());
  EXPECT_EQ(store->kind(), GetParam());
  const std::string document = SmallDocument("a", {{"w1"}, {"w2", 2, 5}});
  ASSERT_THAT(store->Put("sweep/one", 2, document, false), IsOk());
  auto read = store->Read("sweep/one");
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->version, 2U);
  EXPECT_EQ(read->document, document);
  EXPECT_TRUE(*store->Exists("sweep/one"));
  EXPECT_TRUE(*store->Exists("sweep/one.iafbt"));
  EXPECT_FALSE(*store->Exists("sweep"));
  EXPECT_EQ(*store->Handles(), std::vector<std::string>{"sweep/one"});
  EXPECT_TRUE(store->Unreachable()->empty());
}

TEST_P(EveryStore, IndexRows) {
  Made store(GetParam());
  ASSERT_THAT(store->Put("one", 2, SmallDocument("a", {{"w1"}}), false), IsOk());
  auto rows = store->IndexRows("one");
  ASSERT_THAT(rows, IsOk());
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ((*rows)[0].bundle_path, "one");
  EXPECT_EQ((*rows)[0].tag, "a");
  EXPECT_EQ((*rows)[0].number_of_runs, 1);
  EXPECT_EQ(std::get<double>((*rows)[0].summary[*backtests::FindSummaryField("sharpe_ratio")]),
            1.5);
}

TEST_P(EveryStore, ReplaceReplaces) {
  Made store(GetParam());
  const std::string first = SmallDocument("a", {{"w1"}});
  const std::string second = SmallDocument("b", {{"w2"}});
  ASSERT_THAT(store->Put("h", 2, first, false), IsOk());
  auto again = store->Put("h", 2, first, true);
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->unchanged);
  EXPECT_THAT(store->Put("h", 2, second, false), IsError(ErrorCode::kAlreadyExists));
  EXPECT_EQ(store->Read("h")->document, first);
  auto replaced = store->Put("h", 2, second, true);
  ASSERT_THAT(replaced, IsOk());
  EXPECT_TRUE(replaced->replaced);
  EXPECT_EQ(store->Read("h")->document, second);
}

TEST_P(EveryStore, HandlesThatAreNone) {
  Made store(GetParam());
  for (const std::string handle : {"", "..", "../x", "/x", "a/../b", "a//b", "a/"}) {
    EXPECT_FALSE(*store->Exists(handle)) << handle;
    EXPECT_THAT(store->Delete(handle), IsOk()) << handle;
    EXPECT_THAT(store->Read(handle), IsError(ErrorCode::kInvalidArgument)) << handle;
    EXPECT_THAT(store->Put(handle, 2, SmallDocument("a", {}), false),
                IsError(ErrorCode::kInvalidArgument))
        << handle;
  }
}

TEST_P(EveryStore, DeleteAndNotFound) {
  Made store(GetParam());
  ASSERT_THAT(store->Put("sweep/one", 2, SmallDocument("a", {{"w"}}), false), IsOk());
  EXPECT_THAT(store->Delete("sweep/one"), IsOk());
  EXPECT_THAT(store->Delete("sweep/one"), IsOk());
  EXPECT_THAT(store->Read("sweep/one"), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(store->IndexRows("sweep/one"), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(store->Export("sweep/one", "/nowhere", {}), IsError(ErrorCode::kNotFound));
}

TEST_P(EveryStore, RefusesWhatIsNoDocument) {
  Made store(GetParam());
  EXPECT_FALSE(store->Put("h", 2, "junk", false).ok());
  EXPECT_FALSE(store->Put("h", 2, std::string("\x92\x01\x02", 3), false).ok());
  EXPECT_TRUE(store->Handles()->empty());
}

TEST_P(EveryStore, CopiesFromEveryOther) {
  for (const std::string from : {"local-dir", "local-tiered"}) {
    Made source(from);
    Made target(GetParam());
    for (int i = 0; i < 70; ++i) {  // more than one slice
      ASSERT_THAT(source->Put("s/" + std::to_string(i), 2,
                              SmallDocument(std::to_string(i), {{"w", 2, 10.0 + i}}), false),
                  IsOk());
    }
    std::int64_t last = 0;
    backtests::ImportOptions options;
    options.progress = [&](const backtests::ImportProgress& p) { last = p.files_done; };
    auto some = target->CopyFrom(*source, {"s/3", "s/4", "s/4", "s/x"}, options);
    ASSERT_THAT(some, IsOk());
    EXPECT_EQ(some->imported, 2);
    ASSERT_EQ(some->failed.size(), 1U);
    EXPECT_EQ(some->failed[0].path, "s/x");
    EXPECT_EQ(some->failed[0].code, ErrorCode::kNotFound);
    auto all = target->CopyFrom(*source, {}, options);
    ASSERT_THAT(all, IsOk());
    EXPECT_EQ(all->imported, 68);
    EXPECT_EQ(all->unchanged, 2);
    EXPECT_EQ(last, 70);
    EXPECT_EQ(*target->Handles(), *source->Handles());
    EXPECT_EQ(target->Read("s/69")->document, source->Read("s/69")->document);
  }
}

TEST_P(EveryStore, ACancelledCopyGoesOnLater) {
  Made source("local-dir");
  Made target(GetParam());
  for (int i = 0; i < 130; ++i) {
    ASSERT_THAT(source->Put(std::to_string(i), 2, SmallDocument(std::to_string(i), {}), false),
                IsOk());
  }
  CancelToken cancel;
  backtests::ImportOptions options;
  options.cancel = &cancel;
  options.progress = [&](const backtests::ImportProgress& p) {
    if (p.files_done >= 64) cancel.Cancel();
  };
  EXPECT_THAT(target->CopyFrom(*source, {}, options), IsError(ErrorCode::kCancelled));
  const auto there = target->Handles()->size();
  EXPECT_GE(there, 64U);
  EXPECT_LT(there, 130U);
  auto rest = target->CopyFrom(*source, {}, {});
  ASSERT_THAT(rest, IsOk());
  EXPECT_EQ(rest->unchanged, static_cast<std::int64_t>(there));
  EXPECT_EQ(*target->Handles(), *source->Handles());
}

TEST(BacktestStore, Suffixes) {
  EXPECT_EQ(WithoutBundleSuffix("a/b.iafbt"), "a/b");
  EXPECT_EQ(WithoutBundleSuffix("a/b.obtf"), "a/b");
  EXPECT_EQ(WithoutBundleSuffix(".obtf"), ".obtf");
  EXPECT_EQ(WithoutBundleSuffix("a/.obtf"), "a/.obtf");
  EXPECT_FALSE(HasBundleSuffix("a.b"));
}

}  // namespace
}  // namespace lamina::stores
