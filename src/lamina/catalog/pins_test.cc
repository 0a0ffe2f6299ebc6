#include "lamina/catalog/pins.h"

#include <gmock/gmock.h>

#include "lamina/catalog/catalog_test_model.h"

namespace lamina::catalog {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Pins : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(test::MakeStore(io::PosixEnv(), folder_.path()), IsOk());
    catalog_ = test::OpenStore(folder_.path());
    const auto table = test::FindRows(*catalog_);
    for (std::int64_t unit = 1; unit <= 3; ++unit)
      ASSERT_THAT(test::PutUnit(*catalog_, *table, unit), IsOk());
  }

  test::TempFolder folder_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(Pins, NameASnapshot) {
  const std::int64_t latest = *catalog_->LatestSnapshot();
  const auto pin = PinSnapshot(*catalog_, "paper é 1");
  ASSERT_THAT(pin, IsOk());
  EXPECT_EQ(pin->snapshot, latest);
  EXPECT_EQ(*catalog_->LatestSnapshot(), latest) << "a pin is no snapshot";
  ASSERT_THAT(PinSnapshot(*catalog_, "first", 1), IsOk());
  EXPECT_THAT(PinSnapshot(*catalog_, "first"), IsError(ErrorCode::kAlreadyExists));
  EXPECT_THAT(PinSnapshot(*catalog_, "later", latest + 1), IsError(ErrorCode::kNotFound));
  const auto pins = ListPins(*catalog_);
  ASSERT_THAT(pins, IsOk());
  ASSERT_EQ(pins->size(), 2U);
  EXPECT_EQ((*pins)[0].name, "first");
  EXPECT_EQ((*pins)[0].snapshot, 1);
  EXPECT_FALSE((*pins)[0].expires_at);
  EXPECT_THAT((*pins)[0].holder, HasSubstr(":" + std::to_string(getpid())));
  ASSERT_THAT(Unpin(*catalog_, "first"), IsOk());
  EXPECT_THAT(Unpin(*catalog_, "first"), IsError(ErrorCode::kNotFound));
}

TEST_F(Pins, NamesThatMeanSomethingElseAreRefused) {
  for (const std::string& name :
       {std::string(), std::string("17"), std::string("2025-01-31"), std::string("lease/x"),
        std::string("a\nb"), std::string("\xff"), std::string(201, 'x')}) {
    EXPECT_THAT(PinSnapshot(*catalog_, name), IsError(ErrorCode::kInvalidArgument)) << name;
  }
}

TEST_F(Pins, ASnapshotIsANumberAPinOrATime) {
  ASSERT_THAT(PinSnapshot(*catalog_, "mine", 2), IsOk());
  EXPECT_EQ(*ResolveSnapshot(*catalog_, "2"), 2);
  EXPECT_EQ(*ResolveSnapshot(*catalog_, "mine"), 2);
  EXPECT_EQ(*ResolveSnapshot(*catalog_, "2999-01-01T00:00:00"), *catalog_->LatestSnapshot());
  EXPECT_THAT(ResolveSnapshot(*catalog_, "1999-01-01"), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(ResolveSnapshot(*catalog_, "99"), IsError(ErrorCode::kNotFound, HasSubstr("latest")));
  EXPECT_THAT(ResolveSnapshot(*catalog_, "-1"), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(ResolveSnapshot(*catalog_, "nobody"), IsError(ErrorCode::kInvalidArgument));
}

TEST_F(Pins, ALeaseEndsWithItsHolderOrItsTime) {
  {
    auto lease = Lease::Take(*catalog_);
    ASSERT_THAT(lease, IsOk());
    EXPECT_EQ(lease->snapshot(), *catalog_->LatestSnapshot());
    EXPECT_EQ(ListPins(*catalog_)->size(), 1U);
    EXPECT_THAT(lease->Renew(), IsOk());
    const Lease moved = *std::move(lease);
    EXPECT_EQ(ListPins(*catalog_)->size(), 1U);
  }
  EXPECT_THAT(*ListPins(*catalog_), IsEmpty());
  auto over = Lease::Take(*catalog_, 1, Micros{0});
  ASSERT_THAT(over, IsOk());
  EXPECT_THAT(*ListPins(*catalog_), IsEmpty());
  const auto next = Lease::Take(*catalog_, 2);  // sweeps those that are over
  ASSERT_THAT(next, IsOk());
  EXPECT_THAT(over->Renew(), IsError(ErrorCode::kNotFound, HasSubstr("lease")));
}

TEST_F(Pins, AReadOnlyStoreTakesNone) {
  const auto reader = test::OpenStore(folder_.path(), true);
  EXPECT_THAT(PinSnapshot(*reader, "mine"), IsError(ErrorCode::kUnsupported));
  EXPECT_THAT(ListPins(*reader), IsOk());
}

}  // namespace
}  // namespace lamina::catalog
