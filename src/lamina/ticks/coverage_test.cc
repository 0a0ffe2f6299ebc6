#include "lamina/ticks/coverage.h"

#include <gmock/gmock.h>

#include "lamina/base/matchers.h"

namespace lamina::ticks {
namespace {

using testing::ElementsAre;

CoverageSpan Span(std::int64_t begin, std::int64_t end, CoverageState state,
                  std::string reason = "") {
  return {begin, end, state, std::move(reason)};
}

TickEvent Event(std::string kind, std::int64_t at, std::string reason = "") {
  TickEvent event;
  event.kind = std::move(kind);
  event.start_ns = at;
  event.reason = std::move(reason);
  return event;
}

TEST(Coverage, NothingIsKnownWithoutEvidence) {
  EXPECT_THAT(*Cover({}, 0, 10), ElementsAre(Span(0, 10, CoverageState::kUnknown)));
  EXPECT_THAT(Cover({}, 10, 10), IsError(ErrorCode::kInvalidArgument));
}

TEST(Coverage, ARecorderThatListensKnowsOfSilence) {
  CoverageEvidence evidence;
  evidence.recordings = {{.writer = 1, .opened_ns = 10, .closed_ns = 90}};
  evidence.events = {Event("subscribed", 20), Event("disconnected", 50, "cable"),
                     Event("connected", 60), Event("unsubscribed", 80)};
  evidence.present = {{30, 39}};
  EXPECT_THAT(
      *Cover(evidence, 0, 100),
      ElementsAre(Span(0, 20, CoverageState::kUnknown), Span(20, 30, CoverageState::kEmpty),
                  Span(30, 40, CoverageState::kPresent), Span(40, 50, CoverageState::kEmpty),
                  Span(50, 60, CoverageState::kGap, "cable"), Span(60, 80, CoverageState::kEmpty),
                  Span(80, 100, CoverageState::kUnknown)));
}

TEST(Coverage, ADeadRecorderLeavesAGapUntilTheNext) {
  CoverageEvidence evidence;
  evidence.recordings = {{.writer = 1, .opened_ns = 0, .last_seen_ns = 40},
                         {.writer = 2, .opened_ns = 70, .alive = true}};
  evidence.events = {Event("subscribed", 0)};
  evidence.events[0].writer = 1;
  evidence.now_ns = 100;
  EXPECT_THAT(*Cover(evidence, 0, 100),
              ElementsAre(Span(0, 40, CoverageState::kEmpty),
                          Span(40, 70, CoverageState::kGap, "the recorder died"),
                          Span(70, 100, CoverageState::kUnknown)));
}

TEST(Coverage, ClosedMarketsAndReportedGaps) {
  auto calendar = market::Calendar::Get("XNYS");
  ASSERT_THAT(calendar, IsOk());
  CoverageEvidence evidence;
  evidence.calendar = calendar->get();
  constexpr std::int64_t kHour = 3'600'000'000'000;
  // Tuesday 2024-07-02, 13:30 to 20:00 UTC; the next day closes early, at 17:00.
  constexpr std::int64_t kStart = 1'719'878'400'000'000'000;
  TickEvent gap = Event("gap", kStart + 15 * kHour, "halted feed");
  gap.end_ns = kStart + 16 * kHour;
  evidence.events = {gap};
  const std::int64_t open = kStart + 27 * kHour / 2, close = kStart + 20 * kHour;
  EXPECT_THAT(*Cover(evidence, kStart, kStart + 48 * kHour),
              ElementsAre(Span(kStart, open, CoverageState::kClosed),
                          Span(open, kStart + 15 * kHour, CoverageState::kUnknown),
                          Span(kStart + 15 * kHour, kStart + 16 * kHour, CoverageState::kGap,
                               "halted feed"),
                          Span(kStart + 16 * kHour, close, CoverageState::kUnknown),
                          Span(close, open + 24 * kHour, CoverageState::kClosed),
                          Span(open + 24 * kHour, kStart + 41 * kHour, CoverageState::kUnknown),
                          Span(kStart + 41 * kHour, kStart + 48 * kHour, CoverageState::kClosed)));
}

}  // namespace
}  // namespace lamina::ticks
