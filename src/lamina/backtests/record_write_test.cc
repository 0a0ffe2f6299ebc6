// One record with one key, taken and written: which form its cell gets, and that it comes back.

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/record_codec.h"
#include "lamina/base/time.h"

namespace lamina::backtests {
namespace {

using namespace std::string_literals;

std::string RecordOf(std::string_view key, const std::string& value) {
  std::string out;
  bundle::Writer writer(out);
  writer.ArrayHeader(1);
  writer.MapHeader(1);
  writer.String(key);
  writer.Raw(value);
  return out;
}

std::string TextOf(std::string_view text) {
  std::string out;
  bundle::Writer(out).String(text);
  return out;
}

struct RoundTrip {
  std::uint32_t form = 99;
  std::string cell;  ///< as Arrow prints it
};

RoundTrip Try(RecordTable table, std::string_view key, std::string_view column,
              const std::string& value) {
  const std::string encoded = RecordOf(key, value);
  auto document = bundle::Document::Parse(encoded);
  EXPECT_TRUE(document.ok());
  auto taken = TakeRecords(table, document->root(), {});
  EXPECT_TRUE(taken.ok());
  auto view = TableView::Of(*taken->rows, WantedColumns(table));
  EXPECT_TRUE(view.ok());
  RecordBytes bytes;
  AppendArrayHeader(bytes.bytes, 1);
  const Status written = WriteRecords(taken->shape, view->columns(), nullptr, bytes);
  EXPECT_TRUE(written.ok());
  EXPECT_EQ(bytes.bytes, encoded) << column;
  RoundTrip result;
  result.form = taken->shape.fields[0].forms.runs()[0].form;
  result.cell = (*taken->rows->GetColumnByName(std::string(column))->GetScalar(0))->ToString();
  return result;
}

constexpr std::uint32_t kRaw = cell_form::kFirstRaw;

TEST(RecordWriteTest, Doubles) {
  const struct {
    std::string value;
    std::uint32_t form;
    std::string cell;
  } kCases[] = {
      {"\xcb\x3f\xf8\0\0\0\0\0\0"s, cell_form::kFloat, "1.5"},
      {"\xcb\0\0\0\0\0\0\0\0"s, cell_form::kFloat, "0"},
      {"\xcb\x80\0\0\0\0\0\0\0"s, cell_form::kMinusZero, "0"},
      {"\xcb\x7f\xf8\0\0\0\0\0\0"s, cell_form::kFloat, "nan"},
      {"\xcb\xff\xf8\0\0\0\0\0\0"s, kRaw, "nan"},
      {"\xcb\x7f\xf0\0\0\0\0\0\1"s, kRaw, "nan"},
      {"\xcb\xff\xf0\0\0\0\0\0\0"s, cell_form::kFloat, "-inf"},
      {"\xcd\x03\xe8"s, cell_form::kInteger, "1000"},
      {"\xd1\x03\xe8"s, kRaw, "1000"},  // a longer form of 1000
      {"\xcf\0\x20\0\0\0\0\0\0"s, cell_form::kInteger, "9.007199254740992e+15"},
      {"\xcf\0\x20\0\0\0\0\0\1"s, kRaw, "9.007199254740992e+15"},
      {"\xcf\xff\xff\xff\xff\xff\xff\xff\xff"s, kRaw, "1.8446744073709552e+19"},
      {"\xca\x3f\xc0\0\0"s, kRaw, "1.5"},
      {"\xc0"s, cell_form::kNil, "null"},
      {"\xc3"s, kRaw, "null"},
      {TextOf("1.5"), kRaw, "null"},
  };
  for (const auto& test : kCases) {
    const RoundTrip got = Try(RecordTable::kSnapshots, "net_size", "net_size", test.value);
    EXPECT_EQ(got.form, test.form) << test.cell;
    EXPECT_EQ(got.cell, test.cell);
  }
}

TEST(RecordWriteTest, Times) {
  const struct {
    std::string_view text;
    std::uint32_t form;
    std::string cell;
  } kCases[] = {
      {"2024-01-01T05:00:00", 1, "2024-01-01 05:00:00.000000Z"},
      {"2024-01-01T05:00:00Z", 2, "2024-01-01 05:00:00.000000Z"},
      {"2024-01-01T05:00:00+00:00", 3, "2024-01-01 05:00:00.000000Z"},
      {"2024-01-01 05:00:00", 4, "2024-01-01 05:00:00.000000Z"},
      {"2024-01-01 05:00:00+00:00", 6, "2024-01-01 05:00:00.000000Z"},
      {"2024-01-01", 7, "2024-01-01 00:00:00.000000Z"},
      {"2024-01-01T05:00:00.000123+00:00", 3, "2024-01-01 05:00:00.000123Z"},
      {"2024-01-01T05:00:00.5Z", kRaw, "2024-01-01 05:00:00.500000Z"},
      {"2024-01-01T05:00:00+02:00", kRaw, "2024-01-01 03:00:00.000000Z"},
      {"2024-01-01T05:00:00.0000001Z", kRaw, "null"},
      {"NaT", kRaw, "null"},
      {"", kRaw, "null"},
      {"2024-13-01", kRaw, "null"},
  };
  for (const auto& test : kCases) {
    const RoundTrip got = Try(RecordTable::kSnapshots, "created_at", "ts", TextOf(test.text));
    EXPECT_EQ(got.form, test.form) << test.text;
    EXPECT_EQ(got.cell, test.cell) << test.text;
  }
  EXPECT_EQ(Try(RecordTable::kSnapshots, "created_at", "ts", "\x05").form, kRaw);
}

TEST(RecordWriteTest, TextsAndFlags) {
  const auto text = [](const std::string& value) {
    return Try(RecordTable::kPositions, "symbol", "symbol", value);
  };
  EXPECT_EQ(text(TextOf("BTC")).form, cell_form::kString);
  EXPECT_EQ(text(TextOf("BTC")).cell, "BTC");
  EXPECT_EQ(text(TextOf(std::string(300, 'x'))).form, cell_form::kString);
  EXPECT_EQ(text("\x2a").form, cell_form::kInteger);
  EXPECT_EQ(text("\x2a").cell, "42");
  EXPECT_EQ(text("\xd9\1x"s).form, kRaw);
  EXPECT_EQ(text("\xa1\xff").cell, "null");
  EXPECT_EQ(text("\xc4\0"s).cell, "null");
  EXPECT_EQ(Try(RecordTable::kTrades, "is_short", "is_short", "\xc3").cell, "true");
  EXPECT_EQ(Try(RecordTable::kTrades, "is_short", "is_short", "\xc0").cell, "null");
  EXPECT_EQ(Try(RecordTable::kTrades, "is_short", "is_short", "\x01").form, kRaw);
  // Without the key: what release 9 would say.
  EXPECT_EQ(Try(RecordTable::kTrades, "status", "is_short", TextOf("OPEN")).cell, "false");
  EXPECT_EQ(Try(RecordTable::kTrades, "status", "total_fees", TextOf("OPEN")).cell, "0");
}

TEST(RecordWriteTest, Ids) {
  const std::string uuid = "e0de2adb-ac14-4ac8-a16d-c8c4a24fd4f6";
  EXPECT_EQ(Try(RecordTable::kOrders, "id", "id", TextOf(uuid)).form, cell_form::kUuid);
  EXPECT_EQ(Try(RecordTable::kOrders, "id", "id_text", TextOf(uuid)).cell, "null");
  EXPECT_EQ(Try(RecordTable::kOrders, "id", "id_text", TextOf("o-1")).form, cell_form::kIdString);
  EXPECT_EQ(Try(RecordTable::kOrders, "id", "id_text", TextOf("o-1")).cell, "o-1");
  EXPECT_EQ(Try(RecordTable::kOrders, "id", "id_text", "\xcd\x01\x00"s).form, cell_form::kInteger);
  EXPECT_EQ(Try(RecordTable::kOrders, "id", "id_text", "\xcd\x01\x00"s).cell, "256");
  EXPECT_EQ(Try(RecordTable::kOrders, "id", "id", "\xd9\x24"s + uuid).form, cell_form::kUuid);
  EXPECT_EQ(Try(RecordTable::kOrders, "id", "id", "\xda\0\x24"s + uuid).form, kRaw);
}

TEST(RecordWriteTest, Maps) {
  const auto order = [](std::string_view column, const std::string& value) {
    return Try(RecordTable::kOrders, "metadata", column, value);
  };
  EXPECT_EQ(order("metadata", "\x80").form, cell_form::kEmptyMap);
  EXPECT_EQ(order("metadata", "\x80").cell, "null");
  const std::string reason = "\x81\xacorder_reason\xa4sell";
  EXPECT_EQ(order("order_reason", reason).form, cell_form::kOrderReason);
  EXPECT_EQ(order("order_reason", reason).cell, "sell");
  EXPECT_EQ(order("metadata", reason).cell, "null");
  const std::string more = "\x82\xacorder_reason\xa4sell\xa1n\x01";
  EXPECT_EQ(order("order_reason", more).cell, "sell");
  EXPECT_EQ(order("metadata", more).cell, R"({"order_reason": "sell", "n": 1})");
  EXPECT_EQ(order("metadata", more).form, cell_form::kJsonText);
  EXPECT_EQ(order("metadata", "\x81\xa1n\xca\0\0\0\0"s).form, kRaw);
  EXPECT_EQ(order("metadata", TextOf("MetaData()")).cell, "\"MetaData()\"");
  EXPECT_EQ(Try(RecordTable::kTrades, "stop_losses", "stop_losses", "\x91\x81\xa1p\x05").form,
            cell_form::kJsonText);
}

TEST(RecordWriteTest, RowsThatDoNotFit) {
  const std::string encoded = RecordOf("symbol", TextOf("BTC"));
  auto document = bundle::Document::Parse(encoded);
  auto taken = TakeRecords(RecordTable::kPositions, document->root(), {});
  auto view = TableView::Of(*taken->rows, WantedColumns(RecordTable::kPositions));
  const auto code = [&](const RecordsShape& shape) {
    RecordBytes out;
    return WriteRecords(shape, view->columns(), nullptr, out).error().code();
  };
  RecordsShape shape = taken->shape;
  shape.count = 2;
  EXPECT_EQ(code(shape), ErrorCode::kCorruption);
  const struct {
    CellCodec codec;
    std::uint32_t column, form;
  } kCases[] = {
      {CellCodec::kText, 99, 1},   // no such column
      {CellCodec::kDouble, 1, 1},  // of another type
      {CellCodec::kDouble, 2, 1},  // NULL
      {CellCodec::kText, 1, 2},    // not an integer
      {CellCodec::kText, 1, 9},    // no such form
      {CellCodec::kRaw, 0, 5},
      {CellCodec::kJson, 1, 3},  // not JSON
      {CellCodec::kOrderReferences, 1, 1},
      {CellCodec::kId, 1, 1},
      {CellCodec::kTime, 1, 1},
  };
  for (const auto& test : kCases) {
    shape = taken->shape;
    shape.fields[0].codec = test.codec;
    shape.fields[0].column = test.column;
    shape.fields[0].forms = {};
    shape.fields[0].forms.Append(test.form);
    EXPECT_EQ(code(shape), ErrorCode::kCorruption) << test.form;
  }
}

}  // namespace
}  // namespace lamina::backtests
