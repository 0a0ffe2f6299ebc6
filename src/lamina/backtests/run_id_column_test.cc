#include "lamina/backtests/run_id_column.h"

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::backtests {
namespace {

Uuid IdOf(int n) {
  Uuid id;
  id.bytes[15] = static_cast<std::uint8_t>(n);
  return id;
}

std::shared_ptr<arrow::Array> Fixed(const std::vector<int>& ids, int width = 16,
                                    bool with_null = false) {
  arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(width));
  for (int n : ids) {
    const Uuid id = IdOf(n);
    EXPECT_TRUE(builder.Append(id.bytes.data() + (16 - width)).ok());
  }
  if (with_null) {
    EXPECT_TRUE(builder.AppendNull().ok());
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Table> TableOf(std::shared_ptr<arrow::ChunkedArray> column,
                                      const std::string& name = "run_id") {
  return arrow::Table::Make(arrow::schema({arrow::field(name, column->type())}), {column});
}

TEST(RunIdColumn, AcrossChunksInAnyOrder) {
  const auto table = TableOf(std::make_shared<arrow::ChunkedArray>(
      arrow::ArrayVector{Fixed({1, 2}), Fixed({}), Fixed({3}), Fixed({4, 5, 6})}));
  const auto column = RunIdColumn::Of(*table);
  ASSERT_THAT(column, IsOk());
  for (std::int64_t row : {0, 5, 2, 1, 3, 0, 4}) EXPECT_EQ(column->At(row), IdOf(row + 1)) << row;
}

TEST(RunIdColumn, UuidExtension) {
  const auto storage = Fixed({7, 8});
  const auto array = arrow::ExtensionType::WrapArray(arrow::extension::uuid(), storage);
  const auto column = RunIdColumn::Of(*TableOf(std::make_shared<arrow::ChunkedArray>(array)));
  ASSERT_THAT(column, IsOk());
  EXPECT_EQ(column->At(1), IdOf(8));
}

TEST(RunIdColumn, SlicedArrays) {
  const auto table = TableOf(std::make_shared<arrow::ChunkedArray>(Fixed({1, 2, 3, 4})));
  const auto sliced = table->Slice(2, 2);
  const auto column = RunIdColumn::Of(*sliced);
  ASSERT_THAT(column, IsOk());
  EXPECT_EQ(column->At(0), IdOf(3));
  EXPECT_EQ(column->At(1), IdOf(4));
}

TEST(RunIdColumn, WhatIsNoRunIdIsCorruption) {
  arrow::StringBuilder text;
  ASSERT_TRUE(text.Append("x").ok());
  const std::vector<std::shared_ptr<arrow::Table>> tables = {
      TableOf(std::make_shared<arrow::ChunkedArray>(Fixed({1})), "id"),
      TableOf(std::make_shared<arrow::ChunkedArray>(Fixed({1}, 8))),
      TableOf(std::make_shared<arrow::ChunkedArray>(Fixed({1}, 16, true))),
      TableOf(std::make_shared<arrow::ChunkedArray>(text.Finish().ValueOrDie())),
  };
  for (const auto& table : tables) {
    EXPECT_THAT(RunIdColumn::Of(*table), IsError(ErrorCode::kCorruption))
        << table->schema()->ToString();
  }
}

TEST(RunIdColumn, Range) {
  const auto range = RunIdRange(IdOf(1), IdOf(9));
  EXPECT_EQ(range.column, "run_id");
  ASSERT_NE(range.low, nullptr);
  ASSERT_NE(range.high, nullptr);
  EXPECT_FALSE(range.low->Equals(*range.high));
  EXPECT_EQ(range.low->type->id(), arrow::Type::EXTENSION);
}

}  // namespace
}  // namespace lamina::backtests
