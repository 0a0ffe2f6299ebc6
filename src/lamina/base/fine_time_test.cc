#include "lamina/base/fine_time.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina {
namespace {

constexpr std::int64_t kNoon = 1'719'921'600'000'000;  // 2024-07-02T12:00:00Z

TEST(FineTime, EveryDigitCounts) {
  const struct {
    const char* behind;  ///< of 2024-07-02T12:00:00
    std::int64_t micros;
    int nanos;
    bool is_finer;
  } cases[] = {{"", 0, 0, false},
               {"Z", 0, 0, false},
               {".5", 500'000, 0, false},
               {".5+00:39", 500'000 - 39 * 60'000'000LL, 0, false},  // digits of a zone are none
               {",000001-00:00", 1, 0, false},
               {".0000015", 1, 500, false},
               {".000001500Z", 1, 500, false},
               {",000000001Z", 0, 1, false},
               {".123456789+00:00", 123'456, 789, false},
               {".123456789000", 123'456, 789, false},
               {".1234567890001", 123'456, 789, true},
               {".0000000000000000000000000000000000000000001Z", 0, 0, true}};
  for (const auto& one : cases) {
    const std::string text = std::string("2024-07-02T12:00:00") + one.behind;
    const auto time = ParseFineTime(text);
    ASSERT_THAT(time, IsOk()) << text;
    EXPECT_EQ(time->micros.value, kNoon + one.micros) << text;
    EXPECT_EQ(time->nanos, one.nanos) << text;
    EXPECT_EQ(time->is_finer, one.is_finer) << text;

    const bool has_parts = one.nanos != 0 || one.is_finer;
    EXPECT_EQ(ParseFirstMicros(text)->value, kNoon + one.micros + (has_parts ? 1 : 0)) << text;
    EXPECT_EQ(ParseWholeMicros(text).ok(), !has_parts) << text;
    const auto nanos = ParseNanos(text);
    EXPECT_EQ(nanos.ok(), !one.is_finer) << text;
    if (nanos.ok()) {
      EXPECT_EQ(nanos->value, (kNoon + one.micros) * 1000 + one.nanos) << text;
    }
  }
}

TEST(FineTime, NanosecondsReachFrom1677To2262) {
  EXPECT_EQ(ParseNanos("2262-04-11T23:47:16.854775807Z")->value,
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(ParseNanos("1677-09-21T00:12:43.145224192Z")->value,
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(ParseNanos("1969-12-31T23:59:59.999999999Z")->value, -1);
  for (const char* text : {"2262-04-11T23:47:16.854775808Z", "1677-09-21T00:12:43.145224191Z",
                           "0001-01-01", "9999-12-31"}) {
    EXPECT_THAT(ParseNanos(text), IsError(ErrorCode::kInvalidArgument,
                                          testing::HasSubstr("outside the years 1677 to 2262")));
    EXPECT_THAT(ParseFirstMicros(text), IsOk()) << text;
  }
}

TEST(FineTime, RefusalsSayWhy) {
  EXPECT_THAT(ParseNanos("2024-07-02T12:00:00.0000000001"),
              IsError(ErrorCode::kInvalidArgument, testing::HasSubstr("finer than nanoseconds")));
  EXPECT_THAT(ParseWholeMicros("2024-07-02T12:00:00.0000001"),
              IsError(ErrorCode::kInvalidArgument, testing::HasSubstr("parts of a microsecond")));
  for (const char* text : {"", "noon", "2024-07-02T12:00:00.", "2024-07-02T12:00:00.5.5"}) {
    EXPECT_THAT(ParseFineTime(text), IsError(ErrorCode::kInvalidArgument)) << text;
    EXPECT_THAT(ParseNanos(text), IsError(ErrorCode::kInvalidArgument)) << text;
    EXPECT_THAT(ParseWholeMicros(text), IsError(ErrorCode::kInvalidArgument)) << text;
    EXPECT_THAT(ParseFirstMicros(text), IsError(ErrorCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace lamina
