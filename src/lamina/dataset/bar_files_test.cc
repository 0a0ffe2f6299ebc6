#include "lamina/dataset/bar_files.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Cell(const BarFile& file, const char* column, std::int64_t row) {
  return (*file.rows->GetColumnByName(column)->GetScalar(row))->ToString();
}

TEST(BarCsv, ReadsExactDigitsAndZones) {
  const auto file = ParseBarCsv(
      "Time,bar_index,open,high,low,close,volume\n"
      "2022-10-31 14:00:00+00:00,17,1.10089,1.10318,1.10086,1.10283,\n"
      "2022-10-31T11:00:00-04:00,18,0.1,0.3,0.1,0.2,12.0\n",
      "a.csv");
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->rejected.count, 0);
  EXPECT_THAT(file->ignored_columns, ElementsAre("bar_index"));
  const auto close =
      std::static_pointer_cast<arrow::DoubleArray>(file->rows->GetColumnByName("close")->chunk(0));
  EXPECT_EQ(close->Value(0), 1.10283);
  EXPECT_EQ(Cell(*file, "volume", 0), "null");
  EXPECT_EQ(Cell(*file, "volume", 1), "12");
  EXPECT_EQ(Cell(*file, "timestamp", 1), "2022-10-31 15:00:00.000000Z");
}

TEST(BarCsv, RejectsRowsAndNamesThem) {
  const auto file = ParseBarCsv(
      "timestamp,time,open,high,low,close\n"
      "2022-01-01,x,1,1,1,1\n"
      "2022-01-02,x,1,1,1\n"
      "2022-01-03,x,1,,1,1\n"
      "2022-01-04T00:00:00.0000001Z,x,1,1,1,1\n"
      "2022-01-05,x,1,nan,1,1\n"
      "\"2022-01-06,x,1,1,1,1\n",
      "a.csv");
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->rows->num_rows(), 1);
  EXPECT_EQ(file->rejected.count, 5);
  EXPECT_EQ(file->rejected.first[1].line, 4);
  EXPECT_THAT(file->rejected.first[1].message, HasSubstr("high"));
  EXPECT_THAT(ParseBarCsv("open,high,low,close\n1,1,1,1\n", "a.csv"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("timestamp (or time)")));
  EXPECT_THAT(ParseBarCsv("time,open,high,low,close\nx,1,1,1,1\n", "a.csv"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("a.csv:2")));
  EXPECT_THAT(ParseBarCsv("", "a.csv"), IsError(ErrorCode::kInvalidArgument));
}

TEST(Candles, AreReadAsOandaWritesThem) {
  const auto file = ParseCandles(
      R"({"instrument": "EUR_USD", "granularity": "H1", "candles": [
        {"complete": true, "volume": 5, "time": "2022-10-31T11:00:00.000000000Z",
         "mid": {"o": "0.99326", "h": "0.99393", "l": "0.99244", "c": "0.99364"}},
        {"complete": false, "volume": 2, "time": "1667217600.000000000",
         "mid": {"o": "0.99366", "h": "0.99368", "l": "0.99074", "c": "0.9909"}},
        {"time": "2022-10-31T13:00:00Z"}]})",
      "a.json");
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->instrument, "EUR_USD");
  EXPECT_EQ(file->timeframe, "1h");
  EXPECT_EQ(file->rows->num_rows(), 2);
  EXPECT_EQ(file->rejected.count, 1);
  EXPECT_EQ(Cell(*file, "timestamp", 1), "2022-10-31 12:00:00.000000Z");
  EXPECT_EQ(Cell(*file, "complete", 1), "false");
  EXPECT_THAT(ParseCandles("{}", "a.json"), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseCandles("{", "a.json"), IsError(ErrorCode::kInvalidArgument));
}

TEST(BarFileName, SaysInstrumentAndTimeframe) {
  struct Case {
    const char* path;
    const char* instrument;
    const char* timeframe;
  };
  const Case kCases[] = {
      {"a/EUR_USD_3years_H1.csv", "EUR_USD", "1h"},
      {"EUR_USD_H1_precomputed_features_backup.csv", "EUR_USD", "1h"},
      {"gbp_usd.csv", "GBP_USD", nullptr},
      {"SPY_2022_1d.csv", "SPY", "1d"},
      {"M15.csv", "M15", nullptr},
  };
  for (const Case& each : kCases) {
    SCOPED_TRACE(each.path);
    const BarFileName name = ReadBarFileName(each.path);
    EXPECT_EQ(name.instrument, each.instrument);
    EXPECT_EQ(name.timeframe.value_or("none"), each.timeframe ? each.timeframe : "none");
  }
  EXPECT_EQ(TimeframeFromWord("M"), "1month");
  EXPECT_EQ(TimeframeFromWord("W"), "1w");
  EXPECT_FALSE(TimeframeFromWord("years").has_value());
}

}  // namespace
}  // namespace lamina::dataset
