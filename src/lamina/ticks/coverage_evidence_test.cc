#include "lamina/ticks/coverage_evidence.h"

#include <gmock/gmock.h>

#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using testing::HasSubstr;

TEST(CoverageEvidence, EventsComeBackAsToldByTime) {
  test::TestCatalog store;
  TickEvent event;
  event.kind = "gap";
  event.start_ns = 100;
  event.end_ns = 200;
  event.reason = "feed lost";
  event.details = R"({"code":1100})";
  event.contract_id = 5;
  event.type = TickType::kBidAsk;
  ASSERT_THAT(StoreEvent(*store, event), IsOk());
  TickEvent other;
  other.kind = "connected";
  other.start_ns = 50;
  ASSERT_THAT(StoreEvent(*store, other), IsOk());
  EXPECT_THAT(store->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(const auto events, ReadEvents(database, 0, 1000));
    EXPECT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].kind, "connected");
    EXPECT_EQ(events[1].details, event.details);
    EXPECT_EQ(events[1].type, TickType::kBidAsk);
    EXPECT_EQ(events[1].end_ns, 200);
    LAMINA_ASSIGN(const auto late, ReadEvents(database, 150, 1000));
    EXPECT_EQ(late.size(), 1u);
    return Ok();
  }),
              IsOk());
}

TEST(CoverageEvidence, RefusesEventsThatSayNothing) {
  test::TestCatalog store;
  TickEvent event;
  EXPECT_THAT(StoreEvent(*store, event), IsError(ErrorCode::kInvalidArgument, HasSubstr("kind")));
  event.kind = "gap";
  event.start_ns = 10;
  event.end_ns = 9;
  EXPECT_THAT(StoreEvent(*store, event), IsError(ErrorCode::kInvalidArgument));
  event.end_ns = 11;
  event.reason = std::string(100'000, 'x');
  EXPECT_THAT(StoreEvent(*store, event), IsError(ErrorCode::kInvalidArgument, HasSubstr("64 KiB")));
}

}  // namespace
}  // namespace lamina::ticks
