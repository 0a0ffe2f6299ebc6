#include "lamina/base/duration.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina {
namespace {

TEST(Duration, ReadsAndWrites) {
  const struct {
    const char* text;
    std::int64_t micros;
    const char* written;
  } cases[] = {{"7d", 604'800'000'000, "7d"},
               {"1w", 604'800'000'000, "7d"},
               {"1h30m", 5'400'000'000, "1h30m"},
               {"90s", 90'000'000, "1m30s"},
               {"0s", 0, "0s"},
               {"250ms", 250'000, "250ms"},
               {"1d1ms", 86'400'001'000, "1d1ms"}};
  for (const auto& one : cases) {
    const Result<Micros> span = ParseDuration(one.text);
    ASSERT_THAT(span, IsOk()) << one.text;
    EXPECT_EQ(span->value, one.micros) << one.text;
    EXPECT_EQ(FormatDuration(*span), one.written);
  }
}

TEST(Duration, RefusesWhatIsNone) {
  for (const char* text : {"", "7", "d", "7 d", "-1d", "1h-30m", "7days", "1.5h", "99999999999d",
                           "9223372036854775807w", "1d ", "+1d"}) {
    EXPECT_THAT(ParseDuration(text), IsError(ErrorCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace lamina
