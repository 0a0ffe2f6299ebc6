#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/ticks/tick_input.h"

namespace lamina::ticks {
namespace {

using ::testing::ElementsAre;

TEST(TickLinesTest, JsonLinesKeepWhatHasNoColumn) {
  TickLines lines({});
  ASSERT_THAT(lines.AddJson(R"({"ts_ns": 1719878400000000001, "contract_id": 4294967297, )"
                            R"("tick_type": "last", "price": 0.1, "size": 3, )"
                            R"("mood": {"a": [1, "x"]}, "n": 5})"),
              IsOk());
  ASSERT_THAT(lines.AddJson(R"({"timestamp": "2024-07-02T00:00:00.123456789Z", "contract_id": 1, )"
                            R"("tick_type": "mid_point", "price": 2, "recv_ns": null})"),
              IsOk());
  EXPECT_EQ(lines.rows(), 2);
  const TickRows rows = lines.Take(Nanos{1});
  EXPECT_THAT(rows.ticks[0].contract_id, ElementsAre(4294967297));
  EXPECT_THAT(rows.ticks[0].ts_ns, ElementsAre(1719878400000000001));
  EXPECT_EQ(rows.ticks[0].extra.at(0), R"({"mood":{"a": [1, "x"]},"n":5})");
  EXPECT_THAT(rows.ticks[2].ts_ns, ElementsAre(1'719'878'400'123'456'789));
  EXPECT_TRUE(rows.ticks[2].recv_ns.empty());
  EXPECT_EQ(lines.rows(), 0);
}

TEST(TickLinesTest, MessagesOfRecordersAreTicks) {
  TickLines lines({});
  for (const char* line :
       {R"({"ts":1755000000000000,"st":1755000000250000,"cid":711280073,"tt":"last","rid":60001,)"
        R"("p":23451.25,"s":2.0,"upt":true,"mood":"good"})",
        R"({"type":"tick","stream_id":"265598_last_1_ab","timestamp":"2025-08-12T12:00:00.5Z",)"
        R"("data":{"contract_id":265598,"tick_type":"AllLast","unix_time":1754999999,"price":1,)"
        R"("size":2,"conditions":["T","I"],"exchange":"ARCA"},"metadata":{"request_id":"17"}})",
        // A key of ours beside theirs is ours.
        R"({"ts_ns":1755000000000000000,"contract_id":1,"tick_type":"last","price":1,"size":2,)"
        R"("data":{"a":1},"st":5})"}) {
    EXPECT_THAT(lines.AddJson(line), IsOk()) << line;
  }
  const TickRows rows = lines.Take(Nanos{1});
  const tick_log::TickBatch& trades = rows.ticks[0];
  EXPECT_THAT(trades.contract_id, ElementsAre(711280073, 265598, 1));
  EXPECT_THAT(trades.ts_ns,
              ElementsAre(1755000000000000000, 1754999999000000000, 1755000000000000000));
  EXPECT_THAT(trades.recv_ns, ElementsAre(1755000000250000000, 1755000000500000000, 1));
  EXPECT_THAT(trades.flags, ElementsAre(2, 0, 0));
  EXPECT_THAT(trades.request_id, ElementsAre(60001, 17, tick_log::TickBatch::kNoRequest));
  EXPECT_EQ(trades.extra.at(0), R"({"mood":"good"})");
  EXPECT_EQ(trades.conditions.at(1), R"(["T","I"])");
  EXPECT_EQ(trades.extra.at(2), R"({"data":{"a":1},"st":5})");
  // Milliseconds where microseconds belong; another message; a tick without its price.
  for (const char* line :
       {R"({"ts":1755000000000,"st":1755000000250,"cid":1,"tt":"last","p":1,"s":1})",
        R"({"type":"error","timestamp":"2025-08-12T12:00:00Z","data":{"code":"X"}})",
        R"({"ts":1755000000000000,"st":1755000000250000,"cid":1,"tt":"last","s":1})",
        R"({"ts":1755000000000000,"st":1755000000250000,"cid":1,"tt":"last","data":{"ts":1}})"}) {
    EXPECT_THAT(lines.AddJson(line), IsError(ErrorCode::kInvalidArgument)) << line;
  }
  EXPECT_EQ(lines.rows(), 0);
}

TEST(TickLinesTest, TextIsLinesAndABadOneIsNamed) {
  const std::string good =
      R"({"ts_ns":1755000000000000000,"contract_id":1,"tick_type":"last","price":1,"size":2})";
  const auto rows = TicksOfJsonLines(good + "\n\n \r\n" + good, {});
  ASSERT_THAT(rows, IsOk());
  EXPECT_EQ(rows->rows, 2);
  EXPECT_EQ(TicksOfJsonLines("", {})->rows, 0);
  EXPECT_THAT(TicksOfJsonLines(good + "\n\n{}\n", {}),
              IsError(ErrorCode::kInvalidArgument, ::testing::HasSubstr("line 3: no ts_ns")));
}

TEST(TickLinesTest, MissingReceiveTimesAreNowAmongThoseThatAreThere) {
  TickLines lines({});
  for (const char* line :
       {R"({"ts_ns": 1719878400000000001, "contract_id": 1, "tick_type": "mid_point", "price": 2,
            "recv_ns": 5000})",
        R"({"ts_ns": 1719878400000000001, "contract_id": 1, "tick_type": "mid_point", "price": 2,
            "recv_ns": null})"}) {
    ASSERT_THAT(lines.AddJson(line), IsOk());
  }
  EXPECT_THAT(lines.Take(Nanos{77}).ticks[2].recv_ns, ElementsAre(5000, 77));
}

TEST(TickLinesTest, BadLinesAddNothing) {
  TickLines lines({});
  for (const char* line :
       {"", "nonsense", "[1]", "{", R"({"ts_ns": 1})", R"({"ts_ns": "1", "contract_id": 1})",
        R"({"ts_ns": 1.5, "contract_id": 1, "tick_type": "last", "price": 1, "size": 1})",
        R"({"ts_ns": 1, "contract_id": 1, "tick_type": "last", "price": "1", "size": 1})",
        R"({"ts_ns": 1, "contract_id": 1, "tick_type": "last", "price": 1})",
        R"({"ts_ns": 1, "contract_id": 1, "tick_type": "mid_point", "price": 1, "bid_price": 1})",
        R"({"ts_ns": 1, "contract_id": 1, "tick_type": "trade", "price": 1, "size": 1})",
        R"({"ts_ns": 1, "contract_id": 1, "tick_type": "last", "price": 1, "size": 1} {})",
        R"({"ts_ns": 99999999999999999999, "contract_id": 1})",
        R"({"ts_ns": 1719878400000000000, "contract_id": 1, "tick_type": "last", "price": 1,
            "price": 2, "size": 1})",
        R"({"ts_ns": 1719878400000000000, "timestamp": "2024-07-02T00:00:01Z", "contract_id": 1,
            "tick_type": "mid_point", "price": 1})",
        R"({"timestamp": "2300-01-01", "contract_id": 1, "tick_type": "mid_point", "price": 1})",
        R"({"timestamp": "1970-01-01", "contract_id": 1, "tick_type": "mid_point", "price": 1})",
        R"({"ts_ns": 1719878400000000000, "contract_id": 1, "tick_type": "mid_point",
            "price": 9007199254740993})",
        R"({"timestamp": "soon", "contract_id": 1})"}) {
    EXPECT_THAT(lines.AddJson(line), IsError(ErrorCode::kInvalidArgument)) << line;
  }
  EXPECT_THAT(lines.AddJson(std::string(17 << 20, 'x')), IsError(ErrorCode::kInvalidArgument));
  EXPECT_EQ(lines.rows(), 0);
  // Said twice, the same.
  EXPECT_THAT(lines.AddJson(R"({"ts_ns": 1719878400000000000, "timestamp": "2024-07-02",
                                "contract_id": 1, "tick_type": "mid_point", "price": 1})"),
              IsOk());
}

TEST(TickLinesTest, CsvFollowsItsHeader) {
  TickLines lines({.contract_id = 42, .type = tick_log::TickType::kLast});
  ASSERT_THAT(lines.SetCsvHeader("ts_ns,price,size,exchange\r"), IsOk());
  ASSERT_THAT(lines.AddCsv("1719878400000000000,1.5,2,\"A,\"\"B\"\"\"\r"), IsOk());
  ASSERT_THAT(lines.AddCsv("1719878400000000000,1.5,2,"), IsOk());
  EXPECT_THAT(lines.AddCsv("1719878400000000000,1.5"), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(lines.AddCsv("1719878400000000000,,2,x"), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(lines.AddCsv("1719878400000000000,1.5,2,\"x"), IsError(ErrorCode::kInvalidArgument));
  const TickRows rows = lines.Take(Nanos{1});
  EXPECT_EQ(rows.rows, 2);
  EXPECT_THAT(rows.ticks[0].contract_id, ElementsAre(42, 42));
  EXPECT_EQ(rows.ticks[0].exchange.at(0), "A,\"B\"");
}

}  // namespace
}  // namespace lamina::ticks
