#include "lamina/upkeep/purge.h"

#include "lamina/backtests/store_test_support.h"
#include "lamina/catalog/pins.h"
#include "lamina/upkeep/upkeep_lock.h"
#include "lamina/upkeep/upkeep_test_support.h"
#include "lamina/upkeep/verify_store.h"

namespace lamina::upkeep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PurgeTest : public testing::Test {
 protected:
  void SetUp() override {
    store::StoreOptions options;
    options.create = true;
    auto opened = store::Store::Open(io::PosixEnv(), root(), options);
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
    Import("first", 1000);
    before_ = Latest();
    Import("secret", 77'777'777.25);
    Import("other", 3000);
  }
  void Import(const std::string& handle, double value) {
    const std::string path = folder_.File(handle + ".iafbt");
    backtests::test::WriteTo(
        path, backtests::test::SmallBundle(handle,
                                           {{.window = handle, .snapshots = 40, .value = value}}));
    const auto sources = backtests::FindBundles(io::PosixEnv(), {path});
    ASSERT_THAT(sources, IsOk());
    ASSERT_THAT(backtests::ImportBundles(store_->backtests(), *sources), IsOk());
  }
  std::string root() const { return folder_.File("store"); }
  std::int64_t Latest() { return *store_->catalog().LatestSnapshot(); }
  std::vector<std::string> Handles() { return *store_->backtests().Handles(); }
  /// Whether a value of the backtest `secret` is in any file of the lake.
  bool IsInTheLake() {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root() + "/lake")) {
      if (entry.is_directory()) continue;
      const auto rows = table::ReadParquet(io::PosixEnv(), entry.path());
      EXPECT_THAT(rows, IsOk()) << entry.path();
      const auto values = (*rows)->GetColumnByName("total_value");
      for (std::int64_t row = 0; values != nullptr && row < values->length(); ++row) {
        const auto cell = *values->GetScalar(row);
        if (cell->ToString().starts_with("77777777")) return true;
      }
    }
    return false;
  }
  void ExpectWhole(std::int64_t count) {
    const auto report = VerifyStore(*store_, true);
    ASSERT_THAT(report, IsOk());
    for (const StoreProblem& problem : report->problems) ADD_FAILURE() << problem.detail;
    EXPECT_EQ(report->checked_backtests, count);
  }

  io::TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_;
  std::int64_t before_ = 0;
};

TEST_F(PurgeTest, NothingOfItIsLeftInAnyFile) {
  ASSERT_TRUE(IsInTheLake());
  const auto report = PurgeBacktests(*store_, {"secret"});
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->purged, ElementsAre("secret"));
  EXPECT_GT(report->expired_snapshots, 0);
  EXPECT_GT(report->removed_files, 0);
  EXPECT_GT(report->freed_bytes, 0);
  EXPECT_FALSE(IsInTheLake());
  EXPECT_THAT(Handles(), ElementsAre("first", "other"));
  // Older snapshots than its first one stay.
  EXPECT_THAT(*store_->backtests().Handles(before_), ElementsAre("first"));
  EXPECT_THAT(store_->backtests().Undelete("secret"), IsError(ErrorCode::kNotFound));
  ExpectWhole(2);
  EXPECT_THAT(PurgeBacktests(*store_, {"secret"}), IsError(ErrorCode::kNotFound));
}

TEST_F(PurgeTest, OneThatWasDeletedOrRenamedGoesToo) {
  ASSERT_THAT(store_->backtests().Rename("secret", "hidden"), IsOk());
  ASSERT_THAT(store_->backtests().Delete({"hidden"}), IsOk());
  ASSERT_TRUE(IsInTheLake());
  EXPECT_THAT(PurgeBacktests(*store_, {"hidden"}), IsOk());
  EXPECT_FALSE(IsInTheLake());
  EXPECT_THAT(store_->backtests().Undelete("secret"), IsError(ErrorCode::kNotFound));
  ExpectWhole(2);
}

TEST_F(PurgeTest, RefusedPurgesChangeNothing) {
  const std::int64_t latest = Latest();
  const auto expect_refused = [&](const std::vector<std::string>& handles, ErrorCode code,
                                  const char* what) {
    EXPECT_THAT(PurgeBacktests(*store_, handles), IsError(code, HasSubstr(what)));
    EXPECT_EQ(Latest(), latest);
    EXPECT_THAT(Handles(), ElementsAre("first", "other", "secret"));
  };
  expect_refused({}, ErrorCode::kInvalidArgument, "no backtest is named");
  expect_refused({"secret", "nobody"}, ErrorCode::kNotFound, "'nobody'");
  // A pin from before its time does not hold it.
  ASSERT_THAT(catalog::PinSnapshot(store_->catalog(), "old", before_), IsOk());
  ASSERT_THAT(catalog::PinSnapshot(store_->catalog(), "paper", latest), IsOk());
  expect_refused({"secret"}, ErrorCode::kConflict, "lamina unpin");
  ASSERT_THAT(catalog::Unpin(store_->catalog(), "paper"), IsOk());
  {
    const auto lease = catalog::Lease::Take(store_->catalog(), latest);
    ASSERT_THAT(lease, IsOk());
    expect_refused({"secret"}, ErrorCode::kConflict, "try again later");
  }
  {
    const auto lock = LockUpkeep(store_->catalog());
    expect_refused({"secret"}, ErrorCode::kConflict, "another gc");
  }
  EXPECT_THAT(PurgeBacktests(*store_, {"secret"}), IsOk());
  EXPECT_THAT(*store_->backtests().Handles(before_), ElementsAre("first"));
}

}  // namespace
}  // namespace lamina::upkeep
