#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/market/calendar_data_internal.h"
#include "lamina/market/embedded_internal.h"

namespace lamina::market {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kHead =
    "calendar T\nzone UTC\nrange 2020-01-01 2020-12-31\nweekdays Mon Fri\n"
    "hours 2020-01-01 09:00/17:00\n";

TEST(CalendarDataTest, ReadsEveryLine) {
  const auto data = ParseCalendar(
      std::string(kHead) +
          "# note\nalias Two Words\nday 2020-01-03 closed  # why\nday 2020-01-04 20:00-1/02:00+1\n"
          "session night open 22:00 within early close\n",
      "t.txt");
  ASSERT_THAT(data, IsOk());
  EXPECT_EQ(data->info.aliases, std::vector<std::string>{"Two Words"});
  ASSERT_EQ(data->days.size(), 2u);
  EXPECT_TRUE(data->days[0].hours.empty());
  EXPECT_EQ(data->days[1].hours, (Hours{{-240, 1560}}));
  EXPECT_EQ(data->info.sessions,
            (std::vector<std::string>{"regular", "night", "extended", "overnight"}));
  EXPECT_TRUE(data->sessions[0].within);
  EXPECT_TRUE(data->sessions[0].early_close.has_value());
  EXPECT_EQ(data->weekdays, (std::array<bool, 7>{true, false, false, false, true, false, false}));
}

TEST(CalendarDataTest, RefusesWithLine) {
  struct Case {
    const char* line;
    const char* message;
  };
  for (const auto& c : {
           Case{"nonsense 1", "t.txt:6: 'nonsense' is not a line"},
           Case{"zone Mars/Base", "t.txt:6: no time zone"},
           Case{"range 2020-02-01 2020-01-01", "the range is empty"},
           Case{"weekdays Mon Foo", "'Foo' is not Mon"},
           Case{"hours 2020-02-01 closed", "cannot be closed"},
           Case{"hours 2019-02-01 09:00/10:00", "does not come after"},
           Case{"day 2020-01-32 closed", "not a date"},
           Case{"day 2020-01-03", "not hours"},
           Case{"day 2020-01-03 10:00/09:00", "not hours"},
           Case{"day 2020-01-03 09:00/10:00,09:30/11:00", "not hours"},
           Case{"day 2020-01-03 25:00/26:00", "not hours"},
           Case{"day 2020-01-03 09:60/10:00", "not hours"},
           Case{"day 2020-01-03 09:00/10:00+2", "not hours"},
           Case{"day 2020-01-03 09:00/10:00,", "not hours"},
           Case{"session regular open close", "other than regular"},
           Case{"session x open", "not open, close or a clock"},
           Case{"session x open close sometimes", "neither within nor early"},
           Case{"alias", "a name is missing"},
       }) {
    EXPECT_THAT(ParseCalendar(std::string(kHead) + c.line, "t.txt"),
                IsError(ErrorCode::kInvalidArgument, HasSubstr(c.message)))
        << c.line;
  }
  for (const auto* line : {"calendar T\n", "zone UTC\n", "range 2020-01-01 2020-12-31\n",
                           "hours 2020-01-01 09:00/17:00\n"}) {
    std::string text(kHead);
    text.erase(text.find(line), std::string_view(line).size());
    EXPECT_THAT(ParseCalendar(text, "t.txt"), IsError(ErrorCode::kInvalidArgument)) << line;
  }
}

TEST(CalendarDataTest, EveryBuiltInFileIsSound) {
  EXPECT_EQ(CalendarFiles().size(), 9u);
  for (const auto& file : CalendarFiles()) {
    EXPECT_THAT(ParseCalendar(file.text, file.name), IsOk()) << file.name;
  }
  EXPECT_GT(ZoneFile().size(), 100'000u);
}

}  // namespace
}  // namespace lamina::market
