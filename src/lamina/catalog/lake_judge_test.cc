#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/catalog/lake_test_support.h"

namespace lamina::catalog::test {
namespace {

using table::LakeType;
using ::testing::HasSubstr;

// The independent check of DuckLake catalogs, by DuckDB's own extension.
constexpr const char* kConformance = LAMINA_SHARED_DIR "/tools/ducklake_conformance.py";

#define ASSERT_OK(expr)                                           \
  do {                                                            \
    const auto& assert_ok_ = (expr);                              \
    ASSERT_TRUE(assert_ok_.ok()) << assert_ok_.error().message(); \
  } while (false)

// A store with all that the rows can say: partitions, deleted rows, retired files, an added column,
// views.
void FillLake(TestLake& lake, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const LakeTable trades = lake.MakeTable("trades", AllColumns(), {}, {"run_id", "seq"});
  const LakeTable ticks = lake.MakeTable("ticks", AllColumns(), {"d"});
  lake.MakeTable("empty", AllColumns());
  for (int i = 0; i < 4; ++i)
    ASSERT_OK(lake.Append(trades, *RandomRows(trades.columns, 150, random)));
  for (int day = 19'700; day < 19'703; ++day) {
    const std::string text = day == 19'700   ? "2023-12-09"
                             : day == 19'701 ? "2023-12-10"
                                             : "2023-12-11";
    ASSERT_OK(lake.Append(ticks, *RandomRows(ticks.columns, 40, random, day), {text}));
    ASSERT_OK(lake.Append(ticks, *RandomRows(ticks.columns, 3, random, day), {text}));
  }
  auto files = lake.Plan(trades, lake.Latest());
  ASSERT_OK(files);
  ASSERT_OK(lake.Delete(trades, (*files)[0], {0, 5, 149}));
  files = lake.Plan(trades, lake.Latest());
  ASSERT_OK(lake.Delete(trades, (*files)[0], {7, 64}));
  ASSERT_OK(lake.Write([&](LakeWriter& writer) {
    return writer.Retire(trades.table_id, {(*files)[1].data_file_id});
  }));
  ASSERT_OK(lake.AddColumn(trades, {.name = "note", .type = LakeType::kVarchar}));
  ASSERT_OK(lake.AddColumn(trades, {.name = "parts", .type = LakeType::kInt32List}));
  const auto wider = lake.Find("trades", lake.Latest());
  ASSERT_OK(wider);
  ASSERT_OK(lake.Append(*wider, *RandomRows(wider->columns, 80, random)));
  ASSERT_OK(lake.Write([&](LakeWriter& writer) -> Status {
    LAMINA_TRY(writer.CreateView(
        "bt", "big_trades", "SELECT run_id, px FROM {DUCKLAKE_CATALOG}.bt.trades WHERE qty > 0"));
    return writer.CreateView("bt", "named",
                             "SELECT run_id, seq + 1 FROM {DUCKLAKE_CATALOG}.bt.trades",
                             {"run", "next \"one\""});
  }));
  ASSERT_OK(lake.Write([](LakeWriter&) { return Ok(); }));
}

TEST(LakeJudge, ConformanceOfAllKindsOfRows) {
  TestLake lake;
  FillLake(lake, 1);
  const JudgeAnswer answer = RunJudge(kConformance, {lake.catalog_path()});
  EXPECT_EQ(answer.status, 0) << answer.output;
  EXPECT_THAT(answer.output, HasSubstr("OK: 22 passed, 0 failed, 0 warnings")) << answer.output;
}

}  // namespace
}  // namespace lamina::catalog::test
