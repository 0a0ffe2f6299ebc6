#include "lamina/base/csv.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina {
namespace {

TEST(CsvReader, ReadsRecords) {
  CsvReader reader(
      "\xEF\xBB\xBF"
      "a,b\r\n\"x, \"\"y\"\"\n2\",3\n\"open\n");
  EXPECT_THAT(reader.Next()->cells, testing::ElementsAre("a", "b"));
  const auto quoted = reader.Next();
  ASSERT_THAT(quoted, IsOk());
  EXPECT_EQ(quoted->line, 2);
  EXPECT_THAT(quoted->cells, testing::ElementsAre("x, \"y\"\n2", "3"));
  EXPECT_EQ(reader.line(), 4);
  EXPECT_THAT(reader.Next(), IsError(ErrorCode::kInvalidArgument));
  reader.SkipLine();
  EXPECT_TRUE(reader.done());
}

TEST(CsvReader, RefusesTextBehindAQuote) {
  CsvReader reader("\"a\"b,c\nd\n");
  EXPECT_THAT(reader.Next(), IsError(ErrorCode::kInvalidArgument));
  reader.SkipLine();
  EXPECT_THAT(reader.Next()->cells, testing::ElementsAre("d"));
}

TEST(CsvField, IsReadBackAsItWas) {
  for (const char* text : {"", "plain", "a,b", "\"", "two\nlines\r\n", "x\"y\",z"}) {
    std::string line = "first,";
    AppendCsvField(line, text);
    line += ",last\n";
    CsvReader reader(line);
    EXPECT_THAT(reader.Next()->cells, testing::ElementsAre("first", text, "last"));
  }
}

}  // namespace
}  // namespace lamina
