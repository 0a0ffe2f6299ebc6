#include "lamina/catalog/row_digest.h"

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/catalog/lake_test_support.h"
#include "lamina/table/columns.h"

namespace lamina::catalog::test {
namespace {

TEST(RowDigest, OrderAndChunksDoNotCount) {
  TestLake lake;
  const LakeTable table = lake.MakeTable("t", AllColumns());
  std::mt19937_64 random(9);
  const auto rows = RandomRows(table.columns, 300, random);
  const RowDigest digest = *DigestRows(*rows);
  EXPECT_EQ(digest.rows, 300);
  std::vector<std::int64_t> order(300);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i * 7 % 300);
  EXPECT_EQ(*DigestRows(**table::TakeRows(*rows, order)), digest);
  RowDigest sum = *DigestRows(*rows->Slice(0, 117));
  sum += *DigestRows(*rows->Slice(117));
  EXPECT_EQ(sum, digest);
  EXPECT_NE(*DigestRows(*rows->Slice(1)), digest);
}

TEST(RowDigest, EveryCellCounts) {
  TestLake lake;
  const LakeTable table = lake.MakeTable("t", AllColumns());
  std::mt19937_64 random(10);
  const auto rows = RandomRows(table.columns, 50, random);
  const auto others = RandomRows(table.columns, 50, random, 19'701);
  const RowDigest digest = *DigestRows(*rows);
  for (int c = 0; c < rows->num_columns(); ++c) {
    const auto changed = *rows->SetColumn(c, rows->field(c), others->column(c));
    EXPECT_NE(*DigestRows(*changed), digest) << rows->field(c)->name();
    if (c > 0) continue;
    const auto swapped = *rows->SetColumn(
        c, rows->field(c),
        std::make_shared<arrow::ChunkedArray>(arrow::ArrayVector{
            rows->column(c)->Slice(49)->chunk(0), rows->column(c)->Slice(0, 49)->chunk(0)}));
    EXPECT_NE(*DigestRows(*swapped), digest);  // cells of other rows
  }
}

TEST(RowDigest, BitsOfDoublesCount) {
  const auto digest = [](std::optional<double> value) {
    arrow::DoubleBuilder builder;
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
    return *DigestRows(
        *arrow::Table::Make(arrow::schema({arrow::field("x", arrow::float64())}),
                            std::vector<std::shared_ptr<arrow::Array>>{*builder.Finish()}));
  };
  EXPECT_NE(digest(0.0), digest(-0.0));
  EXPECT_NE(digest(0.0), digest({}));
  EXPECT_NE(digest(std::nan("")), digest({}));
  EXPECT_EQ(digest(std::nan("")), digest(std::nan("")));
}

}  // namespace
}  // namespace lamina::catalog::test
