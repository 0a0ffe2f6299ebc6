#include <fstream>
#include <limits>

#include <gmock/gmock.h>

#include "lamina/catalog/catalog_test_model.h"
#include "lamina/catalog/intent_internal.h"

namespace lamina::catalog {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Nanos kAnyTime{std::numeric_limits<std::int64_t>::max()};

class Orphans : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(test::MakeStore(io::PosixEnv(), folder_.path()), IsOk());
    catalog_ = test::OpenStore(folder_.path());
    ASSERT_THAT(test::PutUnit(*catalog_, *test::FindRows(*catalog_), 1), IsOk());
    const std::string name = RandomUuid4().ToString();
    lake_ = "model/rows/" + name + ".parquet";
    chunk_ = ChunkPath({ChunkKind::kSeries, Sha256("nobody")});
    for (const std::string& path :
         {"lake/" + lake_, "lake/model/rows/" + name + "-delete.parquet", chunk_}) {
      ASSERT_THAT(io::PosixEnv().CreateDirectories(io::ParentPath(folder_.File(path))), IsOk());
      std::ofstream(folder_.File(path)) << "lost";
    }
  }

  test::TempFolder folder_;
  std::unique_ptr<Catalog> catalog_;
  std::string lake_, chunk_;
};

TEST_F(Orphans, GoWhenNothingNamesThem) {
  const auto dry = catalog_->RemoveOrphans(kAnyTime, true);
  ASSERT_THAT(dry, IsOk());
  EXPECT_THAT(*dry, SizeIs(3));
  EXPECT_THAT(test::Strays(*catalog_), SizeIs(3 + 2));  // and the live session's folder and lock
  const auto gone = catalog_->RemoveOrphans(kAnyTime, false);
  ASSERT_THAT(gone, IsOk());
  EXPECT_THAT(*gone, SizeIs(3));
  EXPECT_THAT(*catalog_->RemoveOrphans(kAnyTime, false), IsEmpty());
  EXPECT_THAT(test::Contents(*catalog_), SizeIs(1));
}

TEST_F(Orphans, YoungOnesAndThoseOfAnUnfinishedCommitStay) {
  EXPECT_THAT(*catalog_->RemoveOrphans(Nanos{0}, false), IsEmpty());
  internal::Intent intent;
  intent.lake_paths = {lake_};
  intent.chunk_paths = {chunk_};
  const std::string session = folder_.File("staging/" + RandomUuid4().ToString());
  ASSERT_THAT(io::PosixEnv().CreateDirectories(session), IsOk());
  std::ofstream(session + "/one.intent") << *internal::EncodeIntent(intent);
  EXPECT_THAT(*catalog_->RemoveOrphans(kAnyTime, false), SizeIs(1));
  std::filesystem::remove_all(session);
  EXPECT_THAT(*catalog_->RemoveOrphans(kAnyTime, false), SizeIs(2));
}

TEST_F(Orphans, DeadSessionsAreRecovered) {
  const std::string session = folder_.File("staging/" + RandomUuid4().ToString());
  ASSERT_THAT(io::PosixEnv().CreateDirectories(session), IsOk());
  std::ofstream(session + "/left.parquet") << "lost";
  ASSERT_THAT(catalog_->RecoverDeadSessions(), IsOk());
  EXPECT_FALSE(io::PosixEnv().Exists(session));
}

}  // namespace
}  // namespace lamina::catalog
