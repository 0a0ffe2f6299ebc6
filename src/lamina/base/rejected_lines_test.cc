#include "lamina/base/rejected_lines.h"

#include <gtest/gtest.h>

namespace lamina {
namespace {

TEST(RejectedLines, AllAreCountedAndToldAndTheFirstAreKept) {
  RejectedLines rejected;
  std::int64_t told = 0;
  for (std::int64_t line = 1; line <= 1500; ++line) {
    rejected.Add({line, "bad"}, [&](const RejectedLine& one) { told += one.line; });
  }
  EXPECT_EQ(rejected.count, 1500);
  EXPECT_EQ(told, 1500 * 1501 / 2);
  ASSERT_EQ(rejected.first.size(), 1000U);
  EXPECT_EQ(rejected.first.back().line, 1000);
}

TEST(RejectedLines, AreMembersOfAnObject) {
  RejectedLines rejected;
  rejected.Add({3, "no \"number\""});
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  WriteRejected(json, rejected);
  json.EndObject();
  EXPECT_EQ(out, R"({"rejected_count":1,"rejected":[{"line":3,"message":"no \"number\""}]})");
}

}  // namespace
}  // namespace lamina
