#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/record_codec.h"

namespace lamina::backtests {
namespace {

using testing::ElementsAre;

/// `[[key, value], …]` of every record, encoded as an array of maps.
bundle::Document Records(
    const std::vector<std::vector<std::pair<std::string, std::string>>>& records) {
  std::string out;
  bundle::Writer writer(out);
  writer.ArrayHeader(static_cast<std::uint32_t>(records.size()));
  for (const auto& record : records) {
    writer.MapHeader(static_cast<std::uint32_t>(record.size()));
    for (const auto& [key, value] : record) {
      writer.String(key);
      writer.Raw(value);
    }
  }
  auto document = bundle::Document::Parse(std::move(out));
  EXPECT_TRUE(document.ok());
  return *std::move(document);
}

std::vector<std::string> Cells(const arrow::Table& table, const std::string& column) {
  std::vector<std::string> cells;
  for (std::int64_t i = 0; i < table.num_rows(); ++i) {
    cells.push_back((*table.GetColumnByName(column)->GetScalar(i))->ToString());
  }
  return cells;
}

TEST(RecordTakeTest, OddRecordsAreKeptAndStillReadable) {
  const auto document = Records({{{"symbol", "\xa1z"}},
                                 {{"symbol", "\xa1x"}, {"amount", "\x01"}},
                                 {{"symbol", "\xa1y"}, {"amount", "\x02"}},
                                 {{"amount", "\x03"}, {"symbol", "\xa1w"}}});
  auto taken = TakeRecords(RecordTable::kPositions, document.root(), {});
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(taken->shape.count, 4U);
  ASSERT_EQ(taken->shape.whole.size(), 2U);
  EXPECT_EQ(taken->shape.whole[0].first, 0U);
  EXPECT_EQ(taken->shape.whole[1].first, 3U);
  EXPECT_THAT(Cells(*taken->rows, "symbol"), ElementsAre("z", "x", "y", "w"));
  EXPECT_THAT(Cells(*taken->rows, "amount"), ElementsAre("null", "1", "2", "3"));
  EXPECT_THAT(Cells(*taken->rows, "seq"), ElementsAre("0", "1", "2", "3"));
}

TEST(RecordTakeTest, UnknownAndRepeatedKeysKeepTheirBytesOnce) {
  const auto document = Records({{{"symbol", "\xa1x"}, {"new", "\x91\x01"}, {"symbol", "\xa1q"}},
                                 {{"symbol", "\xa1y"}, {"new", "\x91\x01"}, {"symbol", "\xa1q"}}});
  auto taken = TakeRecords(RecordTable::kPositions, document.root(), {});
  ASSERT_TRUE(taken.ok());
  const auto& fields = taken->shape.fields;
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields[0].codec, CellCodec::kText);
  EXPECT_EQ(fields[1].codec, CellCodec::kRaw);
  EXPECT_THAT(fields[1].raws, ElementsAre("\x91\x01"));
  EXPECT_EQ(fields[2].codec, CellCodec::kRaw);
  EXPECT_TRUE(taken->shape.whole.empty());
}

TEST(RecordTakeTest, TradesNameOrders) {
  const auto orders = Records({{{"id", "\x01"}}, {{"id", "\x02"}}});
  std::string both = "\x92\x81\xa2id\x02\x81\xa2id\x01", one = "\x91\x81\xa2id\x07";
  const auto trades = Records({{{"orders", both}}, {{"orders", one}}, {{"orders", "\x90"}}});
  auto taken = TakeRecords(RecordTable::kTrades, trades.root(), PositionsOf(orders.root()));
  ASSERT_TRUE(taken.ok());
  auto view = TableView::Of(*taken->rows, WantedColumns(RecordTable::kTrades));
  const ColumnView& column = view->columns()[3];
  EXPECT_THAT(column.List(0), ElementsAre(1, 0));
  EXPECT_TRUE(column.IsNull(1));
  EXPECT_THAT(column.List(2), ElementsAre());
  EXPECT_THAT(taken->shape.fields[0].raws, ElementsAre(one));
}

TEST(RecordTakeTest, NotRecordsAtAll) {
  auto none = bundle::Document::Parse("\xc0");
  EXPECT_EQ(TakeRecords(RecordTable::kOrders, none->root(), {})->rows->num_rows(), 0);
  auto numbers = bundle::Document::Parse("\x92\x01\x80");
  auto taken = TakeRecords(RecordTable::kOrders, numbers->root(), {});
  EXPECT_EQ(taken->shape.whole.size(), 2U);
  EXPECT_TRUE(taken->shape.fields.empty());
}

TEST(RecordTakeTest, Points) {
  std::string out;
  bundle::Writer writer(out);
  writer.ArrayHeader(4);
  writer.ArrayHeader(2);
  writer.Double(1.5);
  writer.String("2024-01-01T00:00:00");
  writer.ArrayHeader(2);
  writer.Nil();
  writer.String("soon");
  writer.ArrayHeader(2);
  writer.Int(7);
  writer.Nil();
  writer.ArrayHeader(1);
  writer.Int(7);
  auto document = bundle::Document::Parse(out);
  const TakenPoints points = TakePoints(document->root());
  EXPECT_THAT(points.values, ElementsAre(1.5, 0, 7, 0));
  EXPECT_THAT(points.value_valid, ElementsAre(1, 0, 1, 0));
  EXPECT_THAT(points.time_valid, ElementsAre(1, 0, 0, 0));
  EXPECT_EQ(points.shape.whole.size(), 1U);
  EXPECT_THAT(points.shape.fields[1].raws, ElementsAre("\xa4soon"));
}

}  // namespace
}  // namespace lamina::backtests
