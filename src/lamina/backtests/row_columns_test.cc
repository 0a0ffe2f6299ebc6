#include "lamina/backtests/row_columns.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lamina::backtests {
namespace {

using table::LakeType;
using testing::ElementsAre;

constexpr TableView::Wanted kAll[] = {
    {"number", LakeType::kDouble}, {"time", LakeType::kTimestampTz}, {"seq", LakeType::kInt32},
    {"flag", LakeType::kBoolean},  {"id", LakeType::kUuid},          {"text", LakeType::kVarchar},
    {"list", LakeType::kInt32List}};

Uuid SomeId(std::uint8_t last) {
  Uuid id;
  id.bytes[15] = last;
  return id;
}

/// Row 1 is NULL everywhere.
std::shared_ptr<arrow::Table> Sample(std::size_t rows = 20) {
  std::vector<ColumnBuilder> builders;
  for (const auto& column : kAll) builders.emplace_back(column.type, rows);
  for (std::size_t i = 0; i < rows; ++i) {
    if (i == 1) continue;
    builders[0].SetDouble(i, static_cast<double>(i) / 2);
    builders[1].SetInt(i, static_cast<std::int64_t>(i) * 1000);
    builders[2].SetInt(i, static_cast<std::int64_t>(i));
    builders[3].SetBool(i, i % 3 == 0);
    builders[4].SetUuid(i, SomeId(static_cast<std::uint8_t>(i)));
    builders[5].SetOwnedText(i, std::string(i, 'x'));
    const std::vector<std::int32_t> list(i % 4, static_cast<std::int32_t>(i));
    builders[6].SetList(i, list);
  }
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const ColumnBuilder& builder : builders) {
    auto array = builder.Finish();
    EXPECT_TRUE(array.ok());
    EXPECT_TRUE((*array)->ValidateFull().ok());
    arrays.push_back(*array);
  }
  return *MakeTable(kAll, arrays, rows);
}

void ExpectSample(const arrow::Table& table, std::int64_t first) {
  auto view = TableView::Of(table, kAll);
  ASSERT_TRUE(view.ok()) << view.error().message();
  const auto& columns = view->columns();
  for (std::int64_t row = 0; row < view->rows(); ++row) {
    const std::int64_t i = first + row;
    for (const ColumnView& column : columns) EXPECT_EQ(column.IsNull(row), i == 1);
    if (i == 1) continue;
    EXPECT_EQ(columns[0].doubles[row], static_cast<double>(i) / 2);
    EXPECT_EQ(columns[1].integers[row], i * 1000);
    EXPECT_EQ(columns[2].small_integers[row], i);
    EXPECT_EQ(columns[3].Bool(row), i % 3 == 0);
    EXPECT_EQ(columns[4].UuidAt(row), SomeId(static_cast<std::uint8_t>(i)));
    EXPECT_EQ(columns[5].Text(row), std::string(static_cast<std::size_t>(i), 'x'));
    EXPECT_EQ(columns[6].List(row).size(), static_cast<std::size_t>(i % 4));
    for (const std::int32_t value : columns[6].List(row)) EXPECT_EQ(value, i);
  }
}

TEST(RowColumnsTest, ReadsWhatWasSet) { ExpectSample(*Sample(), 0); }

TEST(RowColumnsTest, SlicesAndChunks) {
  const auto table = Sample();
  for (std::int64_t begin = 0; begin < 12; ++begin) ExpectSample(*table->Slice(begin, 8), begin);
  ExpectSample(*table->Slice(5, 0), 5);
  auto joined =
      arrow::ConcatenateTables({table->Slice(0, 7), table->Slice(7, 4), table->Slice(11)});
  ASSERT_TRUE(joined.ok());
  ExpectSample(**joined, 0);
}

TEST(RowColumnsTest, RefusesOtherTables) {
  const auto table = Sample(3);
  const TableView::Wanted missing[] = {{"absent", LakeType::kDouble}};
  EXPECT_EQ(TableView::Of(*table, missing).error().code(), ErrorCode::kCorruption);
  for (const auto& column : kAll) {
    for (const auto& other : kAll) {
      if (column.type == other.type) continue;
      const TableView::Wanted wanted[] = {{column.name, other.type}};
      EXPECT_EQ(TableView::Of(*table, wanted).error().code(), ErrorCode::kCorruption)
          << column.name << " as " << other.name;
    }
  }
}

}  // namespace
}  // namespace lamina::backtests
