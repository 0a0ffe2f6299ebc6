#include "lamina/base/time.h"

#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina {
namespace {

using Zone = TimeSpelling::Zone;

constexpr std::int64_t kDay = 86'400'000'000;
constexpr std::int64_t kFirst = -62'135'596'800'000'000;  ///< 0001-01-01T00:00:00
constexpr std::int64_t kLast = 253'402'300'799'999'999;   ///< 9999-12-31T23:59:59.999999

std::vector<TimeSpelling> AllSpellings() {
  std::vector<TimeSpelling> all;
  for (const char separator : {'T', ' '}) {
    for (const Zone zone : {Zone::kNone, Zone::kZ, Zone::kPlusZero}) {
      all.push_back({separator, zone, false});
    }
  }
  return all;
}

struct Named {
  std::int64_t micros;
  std::string_view text;  ///< separator T, no zone
};

// From Python's datetime.
constexpr Named kNamed[] = {
    {0, "1970-01-01T00:00:00"},
    {1, "1970-01-01T00:00:00.000001"},
    {-1, "1969-12-31T23:59:59.999999"},
    {-kDay, "1969-12-31T00:00:00"},
    {1'582'934'400'000'000, "2020-02-29T00:00:00"},
    {951'782'400'000'000, "2000-02-29T00:00:00"},
    {-2'203'977'600'000'000, "1900-02-28T00:00:00"},
    {-2'203'891'200'000'000, "1900-03-01T00:00:00"},
    {1'704'067'199'120'000, "2023-12-31T23:59:59.120000"},
    {1'735'689'600'000'000, "2025-01-01T00:00:00"},
    {4'107'542'400'000'000, "2100-03-01T00:00:00"},
    {kFirst, "0001-01-01T00:00:00"},
    {kLast, "9999-12-31T23:59:59.999999"},
};

TEST(Time, NamedInstants) {
  for (const Named& c : kNamed) {
    EXPECT_EQ(FormatTime(Micros{c.micros}, {'T', Zone::kNone, false}), c.text);
    EXPECT_EQ(*ParseTime(c.text), Micros{c.micros}) << c.text;
    const std::optional<SpelledTime> parsed = ParseSpelledTime(c.text);
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(parsed->instant, Micros{c.micros}) << c.text;
  }
}

TEST(Time, EverySpellingGivesItsTextBack) {
  std::mt19937_64 random(1);
  std::uniform_int_distribution<std::int64_t> any(kFirst, kLast);
  for (int round = 0; round < 20'000; ++round) {
    std::int64_t micros = any(random);
    if (round % 2 == 0) micros -= ((micros % 1'000'000) + 1'000'000) % 1'000'000;
    for (const TimeSpelling& spelling : AllSpellings()) {
      const std::string text = FormatTime(Micros{micros}, spelling);
      const std::optional<SpelledTime> parsed = ParseSpelledTime(text);
      ASSERT_TRUE(parsed) << text;
      ASSERT_EQ(parsed->instant.value, micros) << text;
      ASSERT_EQ(parsed->spelling, spelling) << text;
      ASSERT_EQ(ParseTime(text)->value, micros) << text;
      std::string appended = "x";
      AppendTime(appended, Micros{micros}, spelling);
      ASSERT_EQ(appended, "x" + text);
    }
  }
}

TEST(Time, DateOnly) {
  const std::optional<SpelledTime> parsed = ParseSpelledTime("2024-02-29");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->instant.value, 1'709'164'800'000'000);
  EXPECT_EQ(parsed->spelling, (TimeSpelling{'T', Zone::kNone, true}));
  EXPECT_EQ(FormatTime(parsed->instant, parsed->spelling), "2024-02-29");
}

TEST(Time, EveryDayOfTheCalendar) {
  std::string text;
  std::int64_t days = kFirst / kDay;
  int seen = 0;
  for (int year = 1; year <= 9999; ++year) {
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    for (unsigned month = 1; month <= 12; ++month) {
      const unsigned length = month == 2 ? (leap ? 29 : 28)
                              : month == 4 || month == 6 || month == 9 || month == 11 ? 30
                                                                                      : 31;
      for (unsigned day = 1; day <= length; ++day, ++days, ++seen) {
        const CivilDate date = CivilFromDays(days);
        ASSERT_TRUE(date.year == year && date.month == month && date.day == day) << days;
        ASSERT_EQ(DaysFromCivil(date), days);
        if (day == 1 || day >= 28) {
          text.clear();
          AppendTime(text, Micros{days * kDay}, {'T', Zone::kNone, true});
          const std::optional<SpelledTime> parsed = ParseSpelledTime(text);
          ASSERT_TRUE(parsed) << text;
          ASSERT_EQ(parsed->instant.value, days * kDay) << text;
        }
      }
    }
  }
  EXPECT_EQ(days, kLast / kDay + 1);
  EXPECT_EQ(seen, 3'652'059);
}

TEST(Time, CivilDatesFarAway) {
  for (const std::int64_t days : {-2'147'483'648LL, -526'668'669LL, -526'668'668LL, -526'668'667LL,
                                  -106'751'992LL, -800'000LL, 3'000'000LL, 106'751'991LL,
                                  526'668'667LL, 526'668'668LL, 526'668'669LL, 2'147'483'647LL}) {
    EXPECT_EQ(DaysFromCivil(CivilFromDays(days)), days);
  }
  EXPECT_EQ(DaysFromCivil({0, 3, 1}), -719'468);
  EXPECT_EQ(DaysFromCivil({-4, 2, 29}), DaysFromCivil({-4, 3, 1}) - 1);
}

TEST(Time, SpelledRefusesOtherSpellings) {
  constexpr std::string_view kOthers[] = {
      "",
      "2024",
      "2024-01-0",
      "2024-01-011",
      "2024-1-01T00:00:00",
      "0000-01-01",
      "0000-01-01T00:00:00",
      "2023-02-29",
      "1900-02-29T00:00:00",
      "2024-00-10",
      "2024-13-01",
      "2024-01-00",
      "2024-01-32",
      "2024-04-31T00:00:00",
      "2024-01-01T24:00:00",
      "2024-01-01T00:60:00",
      "2024-01-01T00:00:60",
      "2024-01-01T00:00",
      "2024-01-01T00:00:0",
      "2024-01-01t00:00:00",
      "2024-01-01_00:00:00",
      "2024/01/01T00:00:00",
      "2024-01-01T00-00-00",
      // Fractions that are not six digits, or are zero and would not be written.
      "2024-01-01T00:00:00.",
      "2024-01-01T00:00:00.1",
      "2024-01-01T00:00:00.123",
      "2024-01-01T00:00:00.12345",
      "2024-01-01T00:00:00.1234567",
      "2024-01-01T00:00:00.000000",
      "2024-01-01T00:00:00.000000Z",
      "2024-01-01T00:00:00.123456789+00:00",
      "2024-01-01T00:00:00,123456",
      "2024-01-01T00:00:00.12345x",
      // Zones.
      "2024-01-01T00:00:00z",
      "2024-01-01T00:00:00+00",
      "2024-01-01T00:00:00+0000",
      "2024-01-01T00:00:00-00:00",
      "2024-01-01T00:00:00+01:00",
      "2024-01-01T00:00:00+00:00 ",
      "2024-01-01T00:00:00 ",
      " 2024-01-01T00:00:00",
      "2024-01-01Z",
      "2024-01-01+00:00",
      "+024-01-01T00:00:00",
      "-024-01-01T00:00:00",
      "2024-01-01T+1:00:00",
  };
  for (const std::string_view text : kOthers) EXPECT_FALSE(ParseSpelledTime(text)) << text;
}

/// The plainest check of the two fast functions: any byte put anywhere into a good text.
TEST(Time, AnyByteAnywhere) {
  for (const std::string_view good : {"2024-02-28T13:14:15+00:00", "2024-02-28 13:14:15.120506Z",
                                      "2024-02-28", "1969-11-30T23:59:59.999999"}) {
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(good);
        text[at] = static_cast<char>(byte);
        const std::optional<SpelledTime> parsed = ParseSpelledTime(text);
        const Result<Micros> liberal = ParseTime(text);
        if (parsed) {
          ASSERT_EQ(FormatTime(parsed->instant, parsed->spelling), text);
          ASSERT_THAT(liberal, IsOk()) << text;
          ASSERT_EQ(*liberal, parsed->instant) << text;
        }
      }
    }
  }
}

TEST(Time, RandomTextIsRefusedOrGivenBack) {
  constexpr std::string_view kAlphabet = "0123456789-:T .Z+";
  std::mt19937 random(3);
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text = "2024-02-28T13:14:15.120506+00:00";
    text.resize(random() % 2 == 0 ? text.size() : random() % 33);
    for (unsigned i = 0; i < random() % 4 && !text.empty(); ++i) {
      text[random() % text.size()] = kAlphabet[random() % kAlphabet.size()];
    }
    const std::optional<SpelledTime> parsed = ParseSpelledTime(text);
    if (!parsed) continue;
    ++accepted;
    ASSERT_EQ(FormatTime(parsed->instant, parsed->spelling), text);
  }
  EXPECT_GT(accepted, 10'000);
}

TEST(ParseTime, LiberalSpellings) {
  const struct {
    std::string_view text;
    std::string_view same;
  } cases[] = {
      {"2024-05-06", "2024-05-06T00:00:00"},
      {"2024-05-06T07:08", "2024-05-06T07:08:00"},
      {"2024-05-06 07:08:09", "2024-05-06T07:08:09"},
      {"2024-05-06t07:08:09z", "2024-05-06T07:08:09"},
      {"2024-05-06T07:08:09.1", "2024-05-06T07:08:09.100000"},
      {"2024-05-06T07:08:09,25Z", "2024-05-06T07:08:09.250000"},
      {"2024-05-06T07:08:09.000000", "2024-05-06T07:08:09"},
      {"2024-05-06T07:08:09.123456999", "2024-05-06T07:08:09.123456"},
      {"1969-12-31T23:59:59.9999999999999999999999", "1969-12-31T23:59:59.999999"},
      {"2024-05-06T07:08:09+00", "2024-05-06T07:08:09"},
      {"2024-05-06 07:08:09.5+00", "2024-05-06T07:08:09.500000"},
      {"2024-05-06T07:08:09+02:00", "2024-05-06T05:08:09"},
      {"2024-05-06T07:08:09+0530", "2024-05-06T01:38:09"},
      {"2024-05-06T23:08:09-05:00", "2024-05-07T04:08:09"},
      {"2024-05-06T07:08-05", "2024-05-06T12:08:00"},
      {"2024-05-06T07:08:09-00:00", "2024-05-06T07:08:09"},
  };
  for (const auto& c : cases) {
    const Result<Micros> parsed = ParseTime(c.text);
    ASSERT_THAT(parsed, IsOk()) << c.text;
    EXPECT_EQ(FormatTime(*parsed, {'T', Zone::kNone, false}), c.same) << c.text;
  }
}

TEST(ParseTime, Refuses) {
  for (const std::string_view text : {"",
                                      "now",
                                      "2024",
                                      "2024-05",
                                      "20240506",
                                      "2024-05-06T",
                                      "2024-05-06T7:08",
                                      "2024-05-06T07",
                                      "2024-05-06T07:",
                                      "2024-05-06T07:08:",
                                      "2024-05-06T07:08:09.",
                                      "2024-05-06T07:08:09.Z",
                                      "2024-05-06T07:08:09+",
                                      "2024-05-06T07:08:09+1",
                                      "2024-05-06T07:08:09+01:",
                                      "2024-05-06T07:08:09+01:6",
                                      "2024-05-06T07:08:09+01:60",
                                      "2024-05-06T07:08:09+24:00",
                                      "2024-05-06T07:08:09+01:00x",
                                      "2024-05-06T07:08:09 Z",
                                      "2024-05-06T07:08:09ZZ",
                                      "2024-05-06T24:00:00",
                                      "2024-05-06T23:59:60",
                                      "2023-02-29",
                                      "0000-01-01",
                                      "12024-01-01"}) {
    EXPECT_THAT(ParseTime(text), IsError(ErrorCode::kInvalidArgument)) << text;
  }
  const Result<Micros> longer = ParseTime(std::string(100'000, 'x'));
  ASSERT_FALSE(longer.ok());
  EXPECT_LT(longer.error().message().size(), 300U);
}

TEST(FormatLakeTime, TrimsZeros) {
  const struct {
    std::string_view time;
    std::string_view lake;
  } cases[] = {
      {"2024-05-06T07:08:09", "2024-05-06 07:08:09+00"},
      {"2024-05-06T07:08:09.1", "2024-05-06 07:08:09.1+00"},
      {"2024-05-06T07:08:09.102030", "2024-05-06 07:08:09.10203+00"},
      {"2024-05-06T07:08:09.000001", "2024-05-06 07:08:09.000001+00"},
      {"1969-12-31T23:59:59.9", "1969-12-31 23:59:59.9+00"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(FormatLakeTime(*ParseTime(c.time)), c.lake);
    EXPECT_EQ(*ParseTime(c.lake), *ParseTime(c.time));
  }
}

TEST(FormatTime, OutsideTheCalendarIsClearAndFits) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(FormatTime(Micros{kMost}), "+294247-01-10T04:00:54.775807+00:00");
  EXPECT_EQ(FormatTime(Micros{kLeast}), "-290308-12-21T19:59:05.224192+00:00");
  EXPECT_EQ(FormatTime(Micros{kLast + 1}), "+010000-01-01T00:00:00+00:00");
  EXPECT_EQ(FormatTime(Micros{kFirst - 1}), "0000-12-31T23:59:59.999999+00:00");
}

}  // namespace
}  // namespace lamina
