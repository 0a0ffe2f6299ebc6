#include "lamina/tick_log/recorder_message.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::tick_log {
namespace {

using testing::HasSubstr;

TEST(RecorderMessage, BothVersionsGetOurKeys) {
  struct Case {
    const char *message, *line;
  };
  const Case cases[] = {
      {R"({"ts":1755000000000000,"st":1755000000250000,"cid":711280073,"tt":"last","rid":60001,)"
       R"("p":23451.25,"s":2.0,"upt":true})",
       R"({"ts_ns":1755000000000000000,"recv_ns":1755000000250000000,"contract_id":711280073,)"
       R"("tick_type":"last","request_id":60001,"price":23451.25,"size":2.0,"flags":2})"},
      {R"({"ts":1755000000000000,"st":1754999999000000,"cid":1099511627776,"tt":"mid_point",)"
       R"("rid":1,"mp":5.5,"new":[1]})",
       R"({"ts_ns":1755000000000000000,"recv_ns":1754999999000000000,)"
       R"("contract_id":1099511627776,"tick_type":"mid_point","request_id":1,"price":5.5,)"
       R"("new":[1]})"},
      {R"({"type":"tick","stream_id":"x","timestamp":"2025-08-12T12:00:00.5Z","data":)"
       R"({"contract_id":265598,"tick_type":"BidAsk","unix_time":1754999999,"bid_price":1,)"
       R"("bid_size":2,"ask_price":3,"ask_size":4,"bid_past_low":false,"ask_past_high":true},)"
       R"("metadata":{"source":"live","request_id":"17","contract_id":"265598","sequence":5}})",
       R"({"ts_ns":1754999999000000000,"recv_ns":1755000000500000000,"contract_id":265598,)"
       R"("tick_type":"bid_ask","bid_price":1,"bid_size":2,"ask_price":3,"ask_size":4,)"
       R"("source":"live","request_id":17,"metadata":{"sequence":5},"stream_id":"x","flags":8})"},
  };
  for (const Case& c : cases) {
    const auto line = FromRecorderMessage(c.message);
    ASSERT_THAT(line, IsOk());
    EXPECT_EQ(*line, c.line);
  }
}

TEST(RecorderMessage, WhatIsUnclearIsRefused) {
  struct Case {
    const char *message, *what;
  };
  const Case cases[] = {
      {R"({"ts":1755000000000,"st":1755000000250000,"cid":1,"tt":"last"})",
       "ts is 1755000000000: not a time in microseconds"},
      {R"({"ts":1755000000000000,"st":"now","cid":1,"tt":"last"})", "st is \"now\""},
      {R"({"ts":1755000000000000,"st":1755000000000000,"tt":"trade"})", "unknown tick type"},
      {R"({"st":1755000000000000})", "ts is missing"},
      {R"({"type":"error","data":{},"timestamp":"2025-08-12"})", "not a tick"},
      {R"({"type":"tick","data":{},"timestamp":"2300-01-01"})",
       "timestamp: '2300-01-01' is not a time from 1971 to 2199"},
      {R"({"ts":17)", "no JSON"},
      {"[]", "no JSON object"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(FromRecorderMessage(c.message),
                IsError(ErrorCode::kInvalidArgument, HasSubstr(c.what)));
  }
  EXPECT_THAT(FromRecorderMessage(std::string(11 << 20, ' ')),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("the limit is 10 MiB")));
}

}  // namespace
}  // namespace lamina::tick_log
