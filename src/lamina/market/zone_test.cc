#include "lamina/market/zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/base/time.h"

namespace lamina::market {
namespace {

using ::testing::HasSubstr;

std::int64_t Seconds(std::string_view text) { return ParseTime(text)->value / 1'000'000; }
std::string Text(std::int64_t seconds) {
  return FormatTime(Micros{seconds * 1'000'000}, {'T', TimeSpelling::Zone::kNone, false});
}

TEST(ZoneTest, OffsetsOverTime) {
  struct Case {
    const char* zone;
    const char* utc;
    std::int64_t minutes;
  };
  for (const auto& c : {
           Case{"America/New_York", "2025-03-09T06:59:59Z", -300},
           Case{"America/New_York", "2025-03-09T07:00:00Z", -240},
           Case{"US/Eastern", "2025-11-02T05:59:59Z", -240},
           Case{"US/Eastern", "2025-11-02T06:00:00Z", -300},
           Case{"America/New_York", "2006-03-20T12:00:00Z", -300},  // the rule until 2006
           Case{"America/New_York", "1974-01-20T12:00:00Z", -240},  // the oil crisis
           Case{"America/New_York", "2100-07-01T00:00:00Z", -240},  // the rule goes on
           Case{"America/New_York", "2100-01-01T00:00:00Z", -300},
           Case{"Europe/London", "2025-03-30T01:00:00Z", 60},
           Case{"Europe/London", "1970-01-01T00:00:00Z", 60},  // British Standard Time
           Case{"Europe/Dublin", "2030-01-01T00:00:00Z", 0},   // negative summer time
           Case{"Europe/Dublin", "2030-07-01T00:00:00Z", 60},
           Case{"Australia/Sydney", "2040-01-01T00:00:00Z", 660},  // summer over the new year
           Case{"Australia/Sydney", "2040-07-01T00:00:00Z", 600},
           Case{"Asia/Kolkata", "2025-01-01T00:00:00Z", 330},
           Case{"Asia/Kathmandu", "2025-01-01T00:00:00Z", 345},
           Case{"UTC", "1900-01-01T00:00:00Z", 0},
           Case{"EST (Eastern Standard Time)", "2025-07-01T00:00:00Z", -240},
           Case{"CST (Central Standard Time)", "2025-07-01T00:00:00Z", -300},
       }) {
    const auto zone = Zone::Get(c.zone);
    ASSERT_THAT(zone, IsOk()) << c.zone;
    EXPECT_EQ((*zone)->OffsetAt(Seconds(c.utc)), c.minutes * 60) << c.zone << " " << c.utc;
    EXPECT_EQ((*zone)->name(), c.zone);
  }
}

TEST(ZoneTest, WallClocksThatComeTwiceOrNever) {
  struct Case {
    const char* zone;
    const char* local;
    const char* utc;
  };
  for (const auto& c : {
           Case{"America/New_York", "2025-03-09T01:59:59", "2025-03-09T06:59:59"},
           Case{"America/New_York", "2025-03-09T02:00:00", "2025-03-09T07:00:00"},  // never: 03:00
           Case{"America/New_York", "2025-03-09T02:30:00", "2025-03-09T07:30:00"},  // never: 03:30
           Case{"America/New_York", "2025-03-09T03:00:00", "2025-03-09T07:00:00"},
           Case{"America/New_York", "2025-11-02T00:59:59", "2025-11-02T04:59:59"},
           Case{"America/New_York", "2025-11-02T01:30:00", "2025-11-02T05:30:00"},  // the first
           Case{"America/New_York", "2025-11-02T02:00:00", "2025-11-02T07:00:00"},
           Case{"Europe/Berlin", "2025-10-26T02:30:00", "2025-10-26T00:30:00"},
           Case{"Australia/Lord_Howe", "2025-10-05T02:15:00", "2025-10-04T15:45:00"},  // half hour
           Case{"Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00"},  // a day left out
           Case{"Asia/Tokyo", "2025-01-10T09:00:00", "2025-01-10T00:00:00"},
       }) {
    const auto zone = Zone::Get(c.zone);
    ASSERT_THAT(zone, IsOk()) << c.zone;
    EXPECT_EQ(Text((*zone)->ToUtc(Seconds(c.local))), c.utc) << c.zone << " " << c.local;
  }
}

TEST(ZoneTest, EveryZoneComesBackFromItsOwnWallClock) {
  std::uint64_t state = 1;
  for (const auto& name : Zone::Names()) {
    const auto zone = Zone::Get(name);
    ASSERT_THAT(zone, IsOk()) << name;
    for (int i = 0; i < 200; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      const auto utc = static_cast<std::int64_t>(state >> 33) % 2'524'608'000;  // 1970..2050
      const std::int64_t local = utc + (*zone)->OffsetAt(utc);
      const std::int64_t back = (*zone)->ToUtc(local);
      // The same instant, or the first of two that show the same clock.
      EXPECT_LE(back, utc) << name << " " << utc;
      EXPECT_EQ(back + (*zone)->OffsetAt(back), local) << name << " " << utc;
    }
  }
}

TEST(ZoneTest, UnknownNamesAreErrors) {
  EXPECT_THAT(Zone::Get("America/New_Yorck"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("America/New_York")));
  EXPECT_THAT(Zone::Get(""), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Zone::Get("XYZ (Some Time)"), IsError(ErrorCode::kInvalidArgument));
  EXPECT_GT(Zone::Names().size(), 500u);
  EXPECT_EQ(Zone::DatabaseVersion().size(), 5u);
}

}  // namespace
}  // namespace lamina::market
