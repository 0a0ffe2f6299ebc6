#include "lamina/backtests/render.h"

#include <cmath>

#include <gtest/gtest.h>

namespace lamina::backtests {
namespace {

RowSet Sample() {
  RowSet set;
  set.columns = {"handle", "sharpe", "trades", "on"};
  set.types = {ColumnType::kText, ColumnType::kReal, ColumnType::kInteger, ColumnType::kText};
  set.rows = {
      {Cell("a"), Cell(1.23456), Cell(std::int64_t{7}), Cell(true)},
      {Cell("\u7b56\u7565,\"x\"\n"), Cell(std::nan("")), Cell(), Cell()},
      {Cell("long_handle"), Cell(-HUGE_VAL), Cell(std::int64_t{-1}), Cell(false)},
      {Cell(), Cell(5.0), Cell(std::int64_t{0}), Cell("t")},
  };
  return set;
}

TEST(RenderTest, Table) {
  EXPECT_EQ(RenderTable(Sample()),
            "handle       sharpe  trades  on\n"
            "-----------  ------  ------  -----\n"
            "a            1.2346  7       true\n"
            "\u7b56\u7565,\"x\"       nan\n"
            "long_handle  -inf    -1      false\n"
            "             5.0000  0       t\n");
  EXPECT_EQ(RenderTable(RowSet{{"handle"}, {ColumnType::kText}, {}}), "(no rows)\n");
  EXPECT_EQ(CellText(Cell(1e300)).size(), 306u);
}

TEST(RenderTest, Json) {
  EXPECT_EQ(RenderJson(Sample()), R"([
  {
    "handle": "a",
    "sharpe": 1.23456,
    "trades": 7,
    "on": true
  },
  {
    "handle": "策略,\"x\"\n",
    "sharpe": null,
    "trades": null,
    "on": null
  },
  {
    "handle": "long_handle",
    "sharpe": null,
    "trades": -1,
    "on": false
  },
  {
    "handle": null,
    "sharpe": 5.0,
    "trades": 0,
    "on": "t"
  }
]
)");
  EXPECT_EQ(RenderJson({}), "[]\n");
}

TEST(RenderTest, JsonLines) {
  EXPECT_EQ(
      RenderJsonLines(Sample()),
      "{\"handle\":\"a\",\"sharpe\":1.23456,\"trades\":7,\"on\":true}\n"
      "{\"handle\":\"\u7b56\u7565,\\\"x\\\"\\n\",\"sharpe\":null,\"trades\":null,\"on\":null}\n"
      "{\"handle\":\"long_handle\",\"sharpe\":null,\"trades\":-1,\"on\":false}\n"
      "{\"handle\":null,\"sharpe\":5.0,\"trades\":0,\"on\":\"t\"}\n");
  EXPECT_EQ(RenderJsonLines({}), "");
}

TEST(RenderTest, Csv) {
  EXPECT_EQ(RenderCsv(Sample()),
            "handle,sharpe,trades,on\n"
            "a,1.23456,7,true\n"
            "\"\u7b56\u7565,\"\"x\"\"\n\",nan,,\n"
            "long_handle,-inf,-1,false\n"
            ",5.0,0,t\n");
  EXPECT_EQ(RenderCsv(RowSet{{"a", "b,c"}, {}, {}}), "a,\"b,c\"\n");
}

}  // namespace
}  // namespace lamina::backtests
