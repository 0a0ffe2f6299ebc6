#include "lamina/upkeep/verify_store.h"

#include "lamina/backtests/store_test_support.h"
#include "lamina/upkeep/upkeep_test_support.h"

namespace lamina::upkeep {
namespace {

using ::testing::HasSubstr;

/// A store with one backtest.
class VerifyStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    store::StoreOptions options;
    options.create = true;
    auto opened = store::Store::Open(io::PosixEnv(), root(), options);
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
    const std::string bundle = folder_.File("b.iafbt");
    backtests::test::WriteTo(bundle, backtests::test::SmallBundle("t", {{.window = "w"}}));
    const auto sources = backtests::FindBundles(io::PosixEnv(), {bundle});
    ASSERT_THAT(sources, IsOk());
    ASSERT_THAT(backtests::ImportBundles(store_->backtests(), *sources), IsOk());
  }
  std::string root() const { return folder_.File("store"); }
  std::vector<std::string> FilesBelow(const std::string& name) const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root() + "/" + name)) {
      if (!entry.is_directory()) files.push_back(entry.path());
    }
    return files;
  }
  /// The problem of that kind; its absence fails.
  StoreProblem Find(const std::string& kind, bool deep) {
    const auto report = VerifyStore(*store_, deep);
    EXPECT_THAT(report, IsOk());
    for (const StoreProblem& problem : report->problems) {
      EXPECT_FALSE(problem.remedy.empty()) << problem.kind;
      if (problem.kind == kind) return problem;
    }
    ADD_FAILURE() << "no problem of kind " << kind;
    return {};
  }

  io::TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_;
};

TEST_F(VerifyStoreTest, AWholeStoreIsCounted) {
  const auto shallow = VerifyStore(*store_, false), deep = VerifyStore(*store_, true);
  ASSERT_THAT(shallow, IsOk());
  ASSERT_THAT(deep, IsOk());
  EXPECT_TRUE(shallow->ok());
  EXPECT_TRUE(deep->ok());
  EXPECT_EQ(deep->checked_files, static_cast<std::int64_t>(FilesBelow("lake").size()));
  EXPECT_GT(deep->checked_chunks, 0);
  EXPECT_GT(deep->checked_bytes, 0);
  EXPECT_EQ(deep->checked_backtests, 1);
  EXPECT_EQ(deep->checked_runs, 1);
  EXPECT_EQ(deep->checked_documents, 1);
  EXPECT_EQ(shallow->checked_documents, 0);
}

TEST_F(VerifyStoreTest, EachProblemSaysWhatCanBeDone) {
  const std::string file = FilesBelow("lake").front();
  std::string bytes = *io::PosixEnv().ReadFile(file, 1 << 30);
  bytes[bytes.size() / 3] ^= 1;
  ASSERT_THAT(io::PosixEnv().WriteFileAtomically(file, bytes), IsOk());
  EXPECT_TRUE(VerifyStore(*store_, false)->ok());  // its outside is as it was
  const StoreProblem damaged = Find("lake-file", true);
  EXPECT_TRUE(damaged.repairable);
  EXPECT_TRUE(file.ends_with(damaged.path)) << damaged.path;
  EXPECT_THAT(damaged.remedy, HasSubstr("backup"));
  ASSERT_THAT(io::PosixEnv().Unlink(file), IsOk());
  EXPECT_EQ(Find("lake-file", false).path, damaged.path);

  ASSERT_THAT(io::PosixEnv().WriteFileAtomically(root() + "/head", std::string("nonsense")),
              IsOk());
  const StoreProblem head = Find("head", false);
  EXPECT_TRUE(head.repairable);
  EXPECT_THAT(head.remedy, HasSubstr("lamina repair"));
}

TEST_F(VerifyStoreTest, TheRankTableIsHeldAgainstTheBacktests) {
  ASSERT_THAT(store_->catalog().Transact([](catalog::Database& database) {
    return database.Execute("DELETE FROM backtest_index");
  }),
              IsOk());
  EXPECT_TRUE(Find("index", false).repairable);
}

TEST_F(VerifyStoreTest, CanBeCancelled) {
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_THAT(VerifyStore(*store_, true, &cancel), IsError(ErrorCode::kCancelled));
}

}  // namespace
}  // namespace lamina::upkeep
