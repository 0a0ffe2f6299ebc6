#include "lamina/table/column_bounds.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

namespace lamina::table {
namespace {

TEST(ColumnBounds, SpellsAsDuckLake) {
  struct Case {
    BoundValue value;
    LakeType type;
    std::optional<std::string> text;
  };
  constexpr std::int64_t kDay = 86'400'000'000;
  const std::int64_t noon = 19'723 * kDay + 12 * 3'600'000'000;  // 2024-01-01
  const Case cases[] = {
      {std::int64_t{1}, LakeType::kBoolean, "1"},
      {std::int64_t{0}, LakeType::kBoolean, "0"},
      {std::int64_t{-5}, LakeType::kInt32, "-5"},
      {std::numeric_limits<std::int64_t>::min(), LakeType::kInt64, "-9223372036854775808"},
      {4000.0, LakeType::kDouble, "4000.0"},
      {-0.0, LakeType::kDouble, "-0.0"},
      {0.1, LakeType::kDouble, "0.1"},
      {1e300, LakeType::kDouble, "1e+300"},
      {5e-324, LakeType::kDouble, "5e-324"},
      {std::numeric_limits<double>::infinity(), LakeType::kDouble, std::nullopt},
      {std::int64_t{19'723}, LakeType::kDate, "2024-01-01"},
      {std::int64_t{-719'162}, LakeType::kDate, "0001-01-01"},
      {std::int64_t{-719'163}, LakeType::kDate, std::nullopt},
      {std::int64_t{2'932'896}, LakeType::kDate, "9999-12-31"},
      {std::int64_t{2'932'897}, LakeType::kDate, std::nullopt},
      {noon, LakeType::kTimestamp, "2024-01-01 12:00:00"},
      {noon, LakeType::kTimestampTz, "2024-01-01 12:00:00+00"},
      {noon + 500'000, LakeType::kTimestamp, "2024-01-01 12:00:00.5"},
      {noon + 1, LakeType::kTimestampTz, "2024-01-01 12:00:00.000001+00"},
      {std::int64_t{-1}, LakeType::kTimestamp, "1969-12-31 23:59:59.999999"},
      {std::numeric_limits<std::int64_t>::max(), LakeType::kTimestamp, std::nullopt},
      {std::numeric_limits<std::int64_t>::min(), LakeType::kTimestampTz, std::nullopt},
      {std::string("caf\xC3\xA9"), LakeType::kVarchar, "caf\xC3\xA9"},
      {std::string(), LakeType::kVarchar, ""},
      {std::string(256, 'x'), LakeType::kVarchar, std::string(256, 'x')},
      {std::string(257, 'x'), LakeType::kVarchar, std::nullopt},
      {std::string("\xFF"), LakeType::kVarchar, std::nullopt},
      {std::string("a\0b", 3), LakeType::kVarchar, std::nullopt},
      {std::string("ab"), LakeType::kBlob, std::nullopt},
      {std::string("\x01\x90\xaa\xaa\x00\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00\xff", 16),
       LakeType::kUuid, "0190aaaa-0000-7000-8000-0000000000ff"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(LakeSpelling(c.value, c.type), c.text)
        << LakeTypeName(c.type) << " " << c.text.value_or("absent");
  }
}

TEST(ColumnBounds, WidenKeepsBoth) {
  ColumnBounds bounds{std::int64_t{3}, std::int64_t{5}};
  bounds.Widen({std::int64_t{4}, std::int64_t{9}});
  bounds.Widen({std::int64_t{-1}, std::int64_t{0}});
  EXPECT_EQ(std::get<std::int64_t>(bounds.low), -1);
  EXPECT_EQ(std::get<std::int64_t>(bounds.high), 9);
}

TEST(ColumnBounds, ReadsStatistics) {
  const auto node = parquet::schema::PrimitiveNode::Make("x", parquet::Repetition::OPTIONAL,
                                                         parquet::Type::DOUBLE);
  const parquet::ColumnDescriptor leaf(node, 1, 0);
  const auto statistics = parquet::MakeStatistics<parquet::DoubleType>(&leaf);
  EXPECT_FALSE(BoundsOf(*statistics, LakeType::kDouble).has_value());
  const double values[] = {0.0, 3.0, -0.0};
  statistics->Update(values, 3, 0);
  const auto bounds = BoundsOf(*statistics, LakeType::kDouble);
  ASSERT_TRUE(bounds.has_value());
  EXPECT_TRUE(std::signbit(std::get<double>(bounds->low)));
  EXPECT_EQ(std::get<double>(bounds->high), 3.0);
  EXPECT_FALSE(BoundsOf(*statistics, LakeType::kInt64).has_value());  // another physical type
}

}  // namespace
}  // namespace lamina::table
