#include "lamina/upkeep/upkeep_lock.h"

#include "lamina/upkeep/upkeep_test_support.h"

namespace lamina::upkeep {
namespace {

TEST(UpkeepLock, OneAtATimeInEachStore) {
  test::UnitStore store, other;
  auto lock = LockUpkeep(store.catalog());
  ASSERT_THAT(lock, IsOk());
  EXPECT_THAT(LockUpkeep(store.catalog()),
              IsError(ErrorCode::kConflict, testing::HasSubstr(store.root())));
  EXPECT_THAT(LockUpkeep(other.catalog()), IsOk());
  lock->reset();
  EXPECT_THAT(LockUpkeep(store.catalog()), IsOk());
}

TEST(UpkeepLock, MakesItsFolder) {
  test::UnitStore store;
  store.Put(1);
  const auto lock = LockUpkeep(store.catalog());
  ASSERT_THAT(lock, IsOk());
  EXPECT_TRUE(std::filesystem::exists(store.root() + "/staging/upkeep.lock"));
  store.Put(2);  // writers are not kept out
  EXPECT_THAT(store.Units(), testing::ElementsAre(1, 2));
}

}  // namespace
}  // namespace lamina::upkeep
