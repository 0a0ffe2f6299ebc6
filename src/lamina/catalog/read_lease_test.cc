#include "lamina/catalog/read_lease.h"

#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <unistd.h>

#include "lamina/catalog/catalog_test_model.h"
#include "lamina/catalog/pins.h"

namespace lamina::catalog::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr ReadLease::Options kAtOnce{
    .after = Micros{0}, .duration = Micros{3'000'000}, .retry = Micros{1'000}};

/// Whether it comes true; only what never does is waited for to the end.
bool Eventually(const std::function<bool()>& true_now) {
  for (int i = 0; i < 3'000; ++i) {
    if (true_now()) return true;
    usleep(10'000);
  }
  return false;
}

class ReadLeases : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(MakeStore(io::PosixEnv(), folder_.path()), IsOk());
    catalog_ = OpenStore(folder_.path());
    const auto table = FindRows(*catalog_);
    ASSERT_THAT(PutUnit(*catalog_, *table, 1), IsOk());
  }

  TempFolder folder_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(ReadLeases, IsRenewedWhileTheReadLivesAndGoesWithIt) {
  {
    const auto lease = ReadLease::Start(*catalog_, 1, kAtOnce);
    ASSERT_TRUE(Eventually([&] { return lease->held(); }));
    const auto first = *ListPins(*catalog_);
    ASSERT_THAT(first, SizeIs(1));
    EXPECT_EQ(first[0].snapshot, 1);
    EXPECT_TRUE(Eventually([&] {
      const auto now = *ListPins(*catalog_);
      return now.size() == 1 && now[0].expires_at->value > first[0].expires_at->value;
    }));
    EXPECT_THAT(lease->Check(), IsOk());
  }
  EXPECT_THAT(*ListPins(*catalog_), IsEmpty());
}

TEST_F(ReadLeases, AShortReadWritesNothing) {
  const auto before = std::filesystem::file_size(folder_.path() + "/catalog.sqlite-wal");
  {
    const auto lease = ReadLease::Start(*catalog_, 1);
  }
  EXPECT_EQ(std::filesystem::file_size(folder_.path() + "/catalog.sqlite-wal"), before);
}

TEST_F(ReadLeases, SaysWhenTheSnapshotIsNotThere) {
  const auto lease = ReadLease::Start(*catalog_, 99, kAtOnce);
  ASSERT_TRUE(Eventually([&] { return !lease->Check().ok(); }));
  EXPECT_THAT(lease->Check(), IsError(ErrorCode::kNotFound, HasSubstr("start the read again")));
  EXPECT_FALSE(lease->held());
}

TEST_F(ReadLeases, AReadOnlyCatalogHasNone) {
  const auto reader = OpenStore(folder_.path(), true);
  const auto lease = ReadLease::Start(*reader, 1, kAtOnce);
  usleep(20'000);
  EXPECT_FALSE(lease->held());
  EXPECT_THAT(lease->Check(), IsOk());
}

TEST_F(ReadLeases, OfAKilledReaderEndsByItself) {
  const pid_t reader = Spawn([&] {
    const auto own = OpenStore(folder_.path());
    auto options = kAtOnce;
    options.duration = Micros{1'000'000};
    const auto lease = ReadLease::Start(*own, 1, options);
    if (!Eventually([&] { return lease->held(); })) return 2;
    _exit(0);  // nothing is given back
  });
  EXPECT_EQ(Wait(reader), 0);
  EXPECT_TRUE(Eventually([&] { return ListPins(*catalog_)->empty(); }));
}

}  // namespace
}  // namespace lamina::catalog::test
