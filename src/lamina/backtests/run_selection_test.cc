#include "lamina/backtests/run_selection.h"

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/run_id_column.h"
#include "lamina/base/matchers.h"

namespace lamina::backtests {
namespace {

using Row = std::pair<int, int>;  ///< run, value

Uuid IdOf(int n) {
  Uuid id;
  id.bytes[15] = static_cast<std::uint8_t>(n);
  return id;
}

std::shared_ptr<arrow::Table> TableOf(const std::vector<Row>& rows) {
  arrow::FixedSizeBinaryBuilder ids(arrow::fixed_size_binary(16));
  arrow::Int64Builder values;
  for (const auto& [run, value] : rows) {
    EXPECT_TRUE(ids.Append(IdOf(run).bytes.data()).ok());
    EXPECT_TRUE(values.Append(value).ok());
  }
  const auto uuid = arrow::extension::uuid();
  const auto id_array = arrow::ExtensionType::WrapArray(uuid, ids.Finish().ValueOrDie());
  return arrow::Table::Make(
      arrow::schema({arrow::field("run_id", uuid), arrow::field("value", arrow::int64())}),
      {id_array, values.Finish().ValueOrDie()});
}

std::vector<Row> RowsOf(const arrow::Table& table) {
  std::vector<Row> rows;
  const auto ids = RunIdColumn::Of(table);
  EXPECT_THAT(ids, IsOk());
  for (std::int64_t i = 0; i < table.num_rows(); ++i) {
    const auto value = table.GetColumnByName("value")->GetScalar(i).ValueOrDie();
    rows.emplace_back(ids->At(i).bytes[15],
                      static_cast<int>(std::static_pointer_cast<arrow::Int64Scalar>(value)->value));
  }
  return rows;
}

TEST(RunSelection, OnlyTheAskedRunsInTheOrderOfTheirIds) {
  struct Case {
    const char* name;
    std::vector<std::vector<Row>> tables;
    std::vector<int> ids;
    std::vector<Row> expected;
  };
  const Case cases[] = {
      {"all", {{{1, 10}, {1, 11}, {2, 20}}}, {1, 2}, {{1, 10}, {1, 11}, {2, 20}}},
      {"one of three", {{{1, 10}, {2, 20}, {2, 21}, {3, 30}}}, {2}, {{2, 20}, {2, 21}}},
      {"later table first", {{{3, 30}}, {{1, 10}}}, {1, 3}, {{1, 10}, {3, 30}}},
      {"runs in any order in a table",
       {{{5, 50}, {5, 49}, {2, 20}}},
       {2, 5},
       {{2, 20}, {5, 50}, {5, 49}}},
      {"an id that is not there", {{{1, 10}}}, {1, 9}, {{1, 10}}},
      {"none there", {{{1, 10}}}, {9}, {}},
      {"none asked", {{{1, 10}}}, {}, {}},
      {"empty tables", {{}, {}}, {1}, {}},
      {"empty beside full", {{}, {{1, 10}}}, {1}, {{1, 10}}},
  };
  for (const Case& c : cases) {
    std::vector<std::shared_ptr<arrow::Table>> tables;
    for (const auto& rows : c.tables) tables.push_back(TableOf(rows));
    std::vector<Uuid> ids;
    for (int id : c.ids) ids.push_back(IdOf(id));
    const auto selected = SelectRuns(tables, ids);
    ASSERT_THAT(selected, IsOk()) << c.name;
    EXPECT_EQ(RowsOf(**selected), c.expected) << c.name;
    EXPECT_EQ((*selected)->num_columns(), 2) << c.name;
  }
}

TEST(RunSelection, NoTables) {
  EXPECT_THAT(SelectRuns({}, {IdOf(1)}), IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::backtests
