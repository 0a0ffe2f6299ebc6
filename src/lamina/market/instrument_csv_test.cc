#include "lamina/market/instrument_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::market {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(InstrumentCsvTest, ReadsRows) {
  const auto lines = ParseInstrumentCsv(
      "\xEF\xBB\xBFsymbol,contract_id,exchange,currency,tick_size,multiplier,calendar,"
      "valid_from,valid_to,trading_hours\r\n"
      "AAPL,265598,NASDAQ,USD,0.01,,NYSE,,,\r\n"
      "\r\n"
      "\"BRK \"\"B\"\"\",72063691,,,,,,2000-01-01,2030-01-01T00:00:00+01:00,\n"
      "MNQ,563947726,CME,USD,0.25,2,CME_Equity,,,\"20250110:1700-1515,1530-1600\"",
      "a.csv");
  ASSERT_THAT(lines, IsOk());
  ASSERT_EQ(lines->size(), 3u);
  const auto& apple = (*lines)[0].instrument;
  EXPECT_EQ(apple.instrument_id, 265598);
  EXPECT_EQ(apple.venue, "NASDAQ");
  EXPECT_EQ(apple.tick_size, 0.01);
  EXPECT_EQ(apple.calendar, "XNYS");
  EXPECT_FALSE(apple.multiplier || apple.valid_from || apple.trading_hours);
  EXPECT_EQ((*lines)[1].line, 4);
  EXPECT_EQ((*lines)[1].instrument.symbol, "BRK \"B\"");
  EXPECT_EQ((*lines)[1].instrument.valid_to, *ParseTime("2029-12-31T23:00:00Z"));
  EXPECT_EQ((*lines)[2].instrument.trading_hours, "20250110:1700-1515,1530-1600");
}

TEST(InstrumentCsvTest, NamesEveryBadLine) {
  EXPECT_THAT(ParseInstrumentCsv(
                  "id,symbol,tick_size\n1,A,x\n2,B,0.1\nx,C,\n4,\"D\"d,1\n,E,1\n5,F\n", "a.csv"),
              IsError(ErrorCode::kInvalidArgument,
                      AllOf(HasSubstr("a.csv:2: tick_size: 'x' is not a number"),
                            HasSubstr("a.csv:4: instrument_id: 'x' is not an id"),
                            HasSubstr("a.csv:5: text behind a closed quote"),
                            HasSubstr("a.csv:6: instrument_id: absent"),
                            HasSubstr("a.csv:7: 2 cells, the header has 3"))));
  struct Case {
    const char* text;
    const char* message;
  };
  for (const auto& c : {
           Case{"", "a.csv: the file is empty"},
           Case{"symbol\nA\n", "a.csv:1: column instrument_id is missing"},
           Case{"id,symbol,id\n", "a.csv:1: column instrument_id is there twice"},
           Case{"id,symbol,exchnage\n", "a.csv:1: unknown column 'exchnage'"},
           Case{"id,symbol\n1,\"A\n", "a.csv:2: a quote is not closed"},
           Case{"id,symbol\n1,\xff\n", "not UTF-8"},
           Case{"id,symbol\n-1,A\n", "a.csv:2: instrument_id: '-1' is not an id"},
           Case{"id,symbol\n9223372036854775808,A\n", "not an id"},
           Case{"id,symbol,valid_from\n1,A,yesterday\n", "a.csv:2: valid_from"},
       }) {
    EXPECT_THAT(ParseInstrumentCsv(c.text, "a.csv"),
                IsError(ErrorCode::kInvalidArgument, HasSubstr(c.message)))
        << c.text;
  }
  std::string many = "id,symbol\n";
  for (int i = 0; i < 30; ++i) many += "x,A\n";
  EXPECT_THAT(ParseInstrumentCsv(many, "a.csv"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("and 10 more")));
}

}  // namespace
}  // namespace lamina::market
