#include "lamina/stores/local_tiered_store.h"

#include "lamina/backtests/store_test_support.h"
#include "lamina/stores/local_dir_store.h"

namespace lamina::stores {
namespace {

using backtests::test::Prices;
using backtests::test::SmallBundle;
using backtests::test::SmallDocument;
using backtests::test::TestStore;
using backtests::test::WriteTo;

TEST(LocalTieredStore, AHandleThatEndsLikeABundle) {
  TestStore engine;
  LocalTieredStore store(*engine);
  ASSERT_THAT(store.Put("a.iafbt", 2, SmallDocument("a", {}), false), IsOk());
  EXPECT_EQ(*store.Handles(), std::vector<std::string>{"a"});
  EXPECT_EQ(store.Find("a.obtf")->handle, "a");
  // Two files of one name keep their suffixes on the way in, and are told apart.
  WriteTo(engine.File("two/b.iafbt"), SmallBundle("i", {}));
  WriteTo(engine.File("two/b.obtf"), SmallBundle("o", {}));
  auto folder = LocalDirStore::Open(io::PosixEnv(), engine.File("two"), {});
  ASSERT_THAT(folder, IsOk());
  ASSERT_THAT(store.CopyFrom(**folder, {}, {}), IsOk());
  EXPECT_EQ(*store.Handles(), (std::vector<std::string>{"a", "b.iafbt", "b.obtf"}));
  EXPECT_EQ(store.Read("b.obtf")->document, SmallDocument("o", {}));
  EXPECT_THAT(store.Delete("b.obtf"), IsOk());
  EXPECT_EQ(*store.Handles(), (std::vector<std::string>{"a", "b.iafbt"}));
}

TEST(LocalTieredStore, PricesGoBothWays) {
  TestStore engine;
  LocalTieredStore store(*engine);
  const std::string content = "not really Parquet";
  const std::string name = Sha256(content).Hex() + ".parquet";
  WriteTo(engine.File("in/p/x.iafbt"), SmallBundle("x", {}, 3, Prices{"side", {{"K", name}}}));
  WriteTo(engine.File("in/p/side/" + name), content);
  auto folder = LocalDirStore::Open(io::PosixEnv(), engine.File("in"), {});
  ASSERT_THAT(folder, IsOk());
  auto report = store.CopyFrom(**folder, {}, {});
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->warnings.empty());
  LocalDirStore::Options options;
  options.create = true;
  auto out = LocalDirStore::Open(io::PosixEnv(), engine.File("out"), options);
  ASSERT_THAT(out, IsOk());
  ASSERT_THAT((*out)->CopyFrom(store, {}, {}), IsOk());
  EXPECT_EQ(*io::PosixEnv().ReadFile(engine.File("out/p/side/" + name), 100), content);
  EXPECT_EQ(*io::PosixEnv().ReadFile(engine.File("out/p/x.iafbt"), 1 << 20),
            *io::PosixEnv().ReadFile(engine.File("in/p/x.iafbt"), 1 << 20));
}

TEST(LocalTieredStore, FailuresAreNamedByHandle) {
  TestStore engine;
  LocalTieredStore store(*engine);
  WriteTo(engine.File("in/good.iafbt"), SmallBundle("x", {}));
  WriteTo(engine.File("in/bad.iafbt"), SmallBundle("x", {}).substr(0, 40));
  auto folder = LocalDirStore::Open(io::PosixEnv(), engine.File("in"), {});
  ASSERT_THAT(folder, IsOk());
  auto report = store.CopyFrom(**folder, {}, {});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->imported, 1);
  ASSERT_EQ(report->failed.size(), 1U);
  EXPECT_EQ(report->failed[0].path, "bad");
  EXPECT_EQ(report->failed[0].code, ErrorCode::kCorruption);
}

}  // namespace
}  // namespace lamina::stores
