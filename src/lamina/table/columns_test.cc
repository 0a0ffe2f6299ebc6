#include "lamina/table/columns.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/table/random_table.h"

namespace lamina::table {
namespace {

using Rows = std::vector<std::int64_t>;

bool Same(const arrow::Table& a, const arrow::Table& b) {
  return a.Equals(b, /*check_metadata=*/true) && a.Validate().ok();
}

/// By Arrow's own scalars, one by one.
bool RowsAre(const arrow::Table& taken, const arrow::Table& from, const Rows& rows) {
  if (!taken.ValidateFull().ok() || taken.num_rows() != static_cast<std::int64_t>(rows.size())) {
    return false;
  }
  for (int c = 0; c < from.num_columns(); ++c) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto a = *taken.column(c)->GetScalar(static_cast<std::int64_t>(i));
      const auto b = *from.column(c)->GetScalar(rows[i]);
      if (!a->Equals(*b)) return false;
    }
  }
  return true;
}

TEST(Columns, TakesRowsOfEveryType) {
  RandomTable random(11);
  for (const Shape shape : kAllShapes) {
    for (const double nulls : {0.0, 0.2}) {
      const auto table = random.All(shape, 300, nulls, /*split=*/true)->Slice(7, 250);
      Rows rows;
      for (int i = 0; i < 400; ++i) rows.push_back(static_cast<std::int64_t>(random.Below(250)));
      auto taken = TakeRows(*table, rows);
      ASSERT_THAT(taken, IsOk());
      EXPECT_TRUE(RowsAre(**taken, *table, rows));
      auto none = TakeRows(*table, Rows());
      ASSERT_THAT(none, IsOk());
      EXPECT_TRUE(RowsAre(**none, *table, {}));
    }
  }
  const auto table = random.All(Shape::kNoise, 5, 0);
  EXPECT_THAT(TakeRows(*table, Rows{5}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(TakeRows(*table, Rows{-1}), IsError(ErrorCode::kInvalidArgument));
}

TEST(Columns, KeepsAndDropsRows) {
  RandomTable random(12);
  const auto table = random.All(Shape::kNoise, 1000, 0.1, /*split=*/true);
  for (const std::uint64_t one_in : {1, 2, 7, 500}) {
    Rows dropped, kept;
    for (std::int64_t row = 0; row < 1000; ++row) {
      (random.Below(one_in) == 0 ? dropped : kept).push_back(row);
    }
    auto rest = DropRows(table, dropped);
    ASSERT_THAT(rest, IsOk());
    EXPECT_TRUE(RowsAre(**rest, *table, kept)) << one_in;
  }
  auto slice = KeepRows(table, RowRanges(100, 200));
  ASSERT_THAT(slice, IsOk());
  EXPECT_TRUE(Same(**slice, *table->Slice(100, 100)));
  EXPECT_EQ(*KeepRows(table, RowRanges(0, 1000)), table);
  EXPECT_EQ((*KeepRows(table, RowRanges()))->num_rows(), 0);
  EXPECT_THAT(KeepRows(table, RowRanges(0, 1001)), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(KeepRows(table, RowRanges(-1, 999)), IsError(ErrorCode::kInvalidArgument));
}

TEST(Columns, StacksTables) {
  RandomTable random(13);
  const auto a = random.All(Shape::kNoise, 10, 0.2);
  const auto b = random.All(Shape::kFew, 20, 0.2);
  auto both = StackTables({a, b->Slice(0, 0), b});
  ASSERT_THAT(both, IsOk());
  EXPECT_TRUE(Same(*(*both)->Slice(0, 10), *a));
  EXPECT_TRUE(Same(*(*both)->Slice(10), *b));
  auto one_chunk = Combine(**both);
  ASSERT_THAT(one_chunk, IsOk());
  EXPECT_TRUE(Same(**one_chunk, **both));
  EXPECT_EQ((*one_chunk)->column(0)->num_chunks(), 1);
  EXPECT_THAT(StackTables({}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(StackTables({a, *b->RemoveColumn(0)}), IsError(ErrorCode::kInvalidArgument));
}

TEST(Columns, SortsLikeScalars) {
  arrow::DoubleBuilder doubles;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(doubles.AppendValues({3, nan, -1}).ok());
  EXPECT_TRUE(doubles.AppendNull().ok());
  EXPECT_TRUE(doubles.AppendValues({-std::numeric_limits<double>::infinity(), 0.0, -0.0}).ok());
  const auto table = arrow::Table::Make(arrow::schema({MakeField("x", LakeType::kDouble, 1)}),
                                        {*doubles.Finish()});
  EXPECT_EQ(*SortOrder(*table, {"x"}), (Rows{4, 2, 5, 6, 0, 1, 3}));
  EXPECT_EQ(*SortOrder(*table, {}), (Rows{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_THAT(SortOrder(*table, {"y"}), IsError(ErrorCode::kNotFound));
}

TEST(Columns, SortsEveryTypeStably) {
  RandomTable random(14);
  for (const Shape shape : kAllShapes) {
    const auto table = random.All(shape, 300, 0.1, /*split=*/true);
    for (const auto& field : table->schema()->fields()) {
      const std::vector<std::string> keys = {field->name(), "c_int64"};
      auto order = SortOrder(*table, keys);
      if (*LakeTypeOf(*field->type()) == LakeType::kInt32List) {
        EXPECT_THAT(order, IsError(ErrorCode::kUnsupported));
        continue;
      }
      ASSERT_THAT(order, IsOk());
      Rows seen = *order;
      std::sort(seen.begin(), seen.end());
      Rows all(300);
      std::iota(all.begin(), all.end(), std::int64_t{0});
      EXPECT_EQ(seen, all);
      auto sorted = SortRows(table, keys);
      ASSERT_THAT(sorted, IsOk());
      EXPECT_TRUE(RowsAre(**sorted, *table, *order)) << field->name();
      EXPECT_EQ(*SortRows(*sorted, keys), *sorted);  // nothing to do
      auto runs = EqualRuns(**sorted, field->name());
      ASSERT_THAT(runs, IsOk());
      std::int64_t row = 0;
      for (const RowRange& run : *runs) {
        EXPECT_EQ(run.begin, row);
        const auto first = *(*sorted)->GetColumnByName(field->name())->GetScalar(run.begin);
        for (row = run.begin; row < run.end; ++row) {
          const auto value = *(*sorted)->GetColumnByName(field->name())->GetScalar(row);
          EXPECT_EQ(value->is_valid, first->is_valid);
          EXPECT_TRUE(!value->is_valid || value->Equals(*first));
        }
        if (row < 300 && first->is_valid) {
          EXPECT_FALSE(
              (*(*sorted)->GetColumnByName(field->name())->GetScalar(row))->Equals(*first));
        }
      }
      EXPECT_EQ(row, 300);
    }
  }
}

TEST(Columns, FindsColumnsByName) {
  RandomTable random(15);
  const auto table = random.All(Shape::kFew, 3, 0);
  EXPECT_THAT(ColumnNamed(*table, "c_uuid"), IsOk());
  EXPECT_THAT(ColumnNamed(*table, "C_UUID"), IsError(ErrorCode::kNotFound));
  const auto twice = *table->AddColumn(0, MakeField("c_uuid", LakeType::kInt32, 99),
                                       table->GetColumnByName("c_int32"));
  EXPECT_THAT(ColumnNamed(*twice, "c_uuid"), IsError(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace lamina::table
