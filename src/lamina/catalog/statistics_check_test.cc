#include "lamina/catalog/statistics_check.h"

#include <cmath>
#include <limits>

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/base/matchers.h"
#include "lamina/table/lake_type.h"

namespace lamina::catalog {
namespace {

using table::LakeType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::shared_ptr<arrow::Table> Rows() {
  arrow::Int64Builder ints;
  arrow::DoubleBuilder doubles;
  arrow::StringBuilder texts;
  EXPECT_TRUE(ints.AppendValues({5, -3, 12}).ok() && ints.AppendNull().ok());
  EXPECT_TRUE(doubles.AppendValues({1.5, std::nan(""), -2.0, 4000.0}).ok());
  EXPECT_TRUE(texts.AppendValues(std::vector<std::string>{"b", "a", "zz", "c"}).ok());
  return arrow::Table::Make(arrow::schema({table::MakeField("i", LakeType::kInt64, 1),
                                           table::MakeField("d", LakeType::kDouble, 2),
                                           table::MakeField("t", LakeType::kVarchar, 3)}),
                            {*ints.Finish(), *doubles.Finish(), *texts.Finish()});
}

StoredStatistics Of(std::int64_t id, LakeType type, const char* min, const char* max) {
  StoredStatistics stored;
  stored.column_id = id;
  stored.column = "c" + std::to_string(id);
  stored.type = type;
  if (min != nullptr) stored.min_value = min;
  if (max != nullptr) stored.max_value = max;
  return stored;
}

TEST(StatisticsCheck, TrueOnesPass) {
  auto ints = Of(1, LakeType::kInt64, "-3", "12");
  ints.null_count = 1;
  ints.value_count = 3;
  const std::vector<StoredStatistics> stored = {ints, Of(2, LakeType::kDouble, nullptr, nullptr),
                                                Of(3, LakeType::kVarchar, "a", "zzz"),
                                                Of(1, LakeType::kInt64, "-100", "100")};
  const auto problems = StatisticsProblems(stored, *Rows());
  ASSERT_THAT(problems, IsOk());
  EXPECT_THAT(*problems, IsEmpty());
}

TEST(StatisticsCheck, EveryUntruthIsNamed) {
  auto count = Of(1, LakeType::kInt64, nullptr, nullptr);
  count.null_count = 0;
  auto values = Of(1, LakeType::kInt64, nullptr, nullptr);
  values.value_count = 4;
  auto nan = Of(2, LakeType::kDouble, nullptr, nullptr);
  nan.contains_nan = 0;
  const struct {
    StoredStatistics stored;
    const char* what;
  } cases[] = {{Of(1, LakeType::kInt64, "-2", "12"), "c1 give the least value as -2"},
               {Of(1, LakeType::kInt64, "-3", "11"), "c1 give the greatest value as 11"},
               {Of(2, LakeType::kDouble, "-1.5", "4000.0"), "least value as -1.5"},
               {Of(3, LakeType::kVarchar, "a", "z"), "greatest value as z"},
               {count, "count 0 NULLs, there are 1"},
               {values, "count 4 values, there are 3"},
               {nan, "deny a NaN"},
               {Of(9, LakeType::kInt64, "1", "2"), "a column that the file lacks"}};
  for (const auto& one : cases) {
    const auto problems = StatisticsProblems({one.stored}, *Rows());
    ASSERT_THAT(problems, IsOk());
    EXPECT_THAT(*problems, ElementsAre(HasSubstr(one.what)));
  }
}

}  // namespace
}  // namespace lamina::catalog
