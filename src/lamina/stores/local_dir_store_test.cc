#include "lamina/stores/local_dir_store.h"

#include <filesystem>

#include "lamina/backtests/store_test_support.h"
#include "lamina/io/faulty_env.h"

namespace lamina::stores {
namespace {

using backtests::test::SmallBundle;
using backtests::test::SmallDocument;
using backtests::test::WriteTo;

std::unique_ptr<LocalDirStore> OpenIn(io::Env& env, const std::string& root) {
  LocalDirStore::Options options;
  options.create = true;
  options.level = 3;
  auto store = LocalDirStore::Open(env, root, options);
  EXPECT_THAT(store, IsOk());
  return *std::move(store);
}

class LocalDirStoreTest : public testing::Test {
 protected:
  io::TemporaryFolder folder_;
  std::unique_ptr<LocalDirStore> store_ = OpenIn(io::PosixEnv(), folder_.File("root"));
};

TEST_F(LocalDirStoreTest, FilesAreNamedByVersion) {
  ASSERT_THAT(store_->Put("two", 2, SmallDocument("a", {}), false), IsOk());
  EXPECT_EQ(*store_->PathOf("two"), store_->root() + "/two.iafbt");
  WriteTo(store_->root() + "/deep/er.obtf", SmallBundle("b", {{"w"}}));
  EXPECT_EQ(*store_->PathOf("deep/er"), store_->root() + "/deep/er.obtf");
  ASSERT_THAT(store_->Put("deep/er", 2, SmallDocument("c", {}), true), IsOk());
  EXPECT_EQ(*store_->PathOf("deep/er"), store_->root() + "/deep/er.obtf");
  EXPECT_EQ(store_->Sources()->size(), 2U);
}

TEST_F(LocalDirStoreTest, LinksDoNotLeadOut) {
  namespace fs = std::filesystem;
  WriteTo(folder_.File("outside/x.iafbt"), SmallBundle("x", {}));
  WriteTo(store_->root() + "/in.iafbt", SmallBundle("in", {}));
  fs::create_symlink(folder_.File("outside"), store_->root() + "/folder");
  fs::create_symlink(folder_.File("outside/x.iafbt"), store_->root() + "/file.iafbt");
  fs::create_symlink("in.iafbt", store_->root() + "/own.iafbt");
  EXPECT_EQ(*store_->Handles(), (std::vector<std::string>{"in", "own"}));
  EXPECT_EQ(store_->Unreachable()->size(), 1U);
  for (const std::string handle : {"file", "folder/x"}) {
    EXPECT_THAT(store_->Read(handle), IsError(ErrorCode::kInvalidArgument)) << handle;
    EXPECT_THAT(store_->Put(handle, 2, SmallDocument("n", {}), true),
                IsError(ErrorCode::kInvalidArgument))
        << handle;
    EXPECT_THAT(store_->Delete(handle), IsOk());
  }
  EXPECT_THAT(store_->Put("folder/new", 2, SmallDocument("n", {}), false),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(io::PosixEnv().Exists(folder_.File("outside/x.iafbt")));
  EXPECT_EQ(io::PosixEnv().ListDirectory(folder_.File("outside"))->size(), 1U);
}

TEST_F(LocalDirStoreTest, TwoFilesOfOneName) {
  WriteTo(store_->root() + "/x.iafbt", SmallBundle("i", {}));
  WriteTo(store_->root() + "/x.obtf", SmallBundle("o", {}));
  EXPECT_EQ(*store_->Handles(), (std::vector<std::string>{"x.iafbt", "x.obtf"}));
  EXPECT_THAT(store_->Read("x"), IsError(ErrorCode::kConflict));
  EXPECT_THAT(store_->Delete("x"), IsError(ErrorCode::kConflict));
  EXPECT_EQ(store_->Read("x.obtf")->document, SmallDocument("o", {}));
  EXPECT_THAT(store_->Delete("x.obtf"), IsOk());
  EXPECT_EQ(*store_->Handles(), (std::vector<std::string>{"x"}));
}

TEST_F(LocalDirStoreTest, NamesThatAreTooLong) {
  EXPECT_THAT(store_->Put(std::string(211, 'x'), 2, SmallDocument("a", {}), false),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(store_->Put("a/" + std::string(210, 'x') + "/b", 2, SmallDocument("a", {}), false),
              IsOk());
  EXPECT_THAT(store_->Put(std::string(210, 'x'), 2, SmallDocument("a", {}), false), IsOk());
}

TEST_F(LocalDirStoreTest, Refuses) {
  LocalDirStore::Options options;
  WriteTo(folder_.File("file"), "x");
  WriteTo(folder_.File("store/lamina.toml"), "x");
  EXPECT_THAT(LocalDirStore::Open(io::PosixEnv(), folder_.File("absent"), options),
              IsError(ErrorCode::kNotFound));
  EXPECT_THAT(LocalDirStore::Open(io::PosixEnv(), folder_.File("file"), options),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(LocalDirStore::Open(io::PosixEnv(), folder_.File("store"), options),
              IsError(ErrorCode::kInvalidArgument));
  options.level = 23;
  EXPECT_THAT(LocalDirStore::Open(io::PosixEnv(), folder_.path(), options),
              IsError(ErrorCode::kInvalidArgument));
}

/// The old document or the new one, whatever fails and whenever the power goes.
TEST(LocalDirStoreCrash, OldOrNew) {
  const std::string old_document = SmallDocument("old", {{"w"}});
  const std::string new_document = SmallDocument("new", {{"w"}});
  for (std::int64_t at = 1;; ++at) {
    io::TemporaryFolder folder;
    io::FaultyEnv env(io::PosixEnv());
    auto store = OpenIn(env, folder.File("root"));
    ASSERT_THAT(store->Put("a/b", 2, old_document, false), IsOk());
    env.SetFault({.at = at, .and_all_after = true});
    const bool stored = store->Put("a/b", 2, new_document, true).ok();
    const bool fired = env.fired();
    env.ClearFault();
    ASSERT_THAT(env.LoseUnsynced(), IsOk());
    const auto after = OpenIn(io::PosixEnv(), folder.File("root"))->Read("a/b");
    ASSERT_THAT(after, IsOk()) << at;
    EXPECT_EQ(after->document, stored ? new_document : old_document) << at;
    if (!fired) break;
    ASSERT_LT(at, 50);
  }
}

TEST(LocalDirStoreCrash, NewOrAbsent) {
  const std::string document = SmallDocument("new", {{"w"}});
  for (std::int64_t at = 1;; ++at) {
    io::TemporaryFolder folder;
    io::FaultyEnv env(io::PosixEnv());
    auto store = OpenIn(env, folder.File("root"));
    env.SetFault({.at = at, .and_all_after = true});
    const bool stored = store->Put("a/b", 2, document, false).ok();
    const bool fired = env.fired();
    env.ClearFault();
    ASSERT_THAT(env.LoseUnsynced(), IsOk());
    auto again = OpenIn(io::PosixEnv(), folder.File("root"));
    EXPECT_EQ(*again->Exists("a/b"), stored) << at;
    if (stored) {
      EXPECT_EQ(again->Read("a/b")->document, document);
    }
    if (!fired) break;
    ASSERT_LT(at, 50);
  }
}

}  // namespace
}  // namespace lamina::stores
