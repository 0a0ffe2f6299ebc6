#include "lamina/backtests/filter_lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::backtests {
namespace {

using ::testing::HasSubstr;

/// Tokens as `kind:text`, without the end.
std::string Shown(std::string_view filter) {
  const auto tokens = LexFilter(filter);
  if (!tokens.ok()) return std::string(tokens.error().message());
  std::string out;
  for (const Token& token : *tokens) {
    if (token.kind == TokenKind::kEnd) continue;
    out += out.empty() ? "" : " ";
    out += "e#t.ks"[static_cast<int>(token.kind)];
    out += ':' + token.text;
    for (const std::string& part : token.path) out += "[" + part + "]";
  }
  return out;
}

TEST(FilterLexerTest, Tokens) {
  const struct {
    const char* filter;
    const char* expected;
  } cases[] = {
      {"", ""},
      {" \t\r\n", ""},
      {"sharpe>1", ".:[sharpe] s:> #:1"},
      {"a == b <> c != d", ".:[a] s:= .:[b] s:!= .:[c] s:!= .:[d]"},
      {"a<=1>=2", ".:[a] s:<= #:1 s:>= #:2"},
      {"1.5e-3 .5 2. 1E9", "#:1.5e-3 #:.5 #:2. #:1E9"},
      {"'it''s' \"say \"\"x\"\"\"", "t:it's t:say \"x\""},
      {"'back\\slash'", "t:back\\slash"},
      {"and Or nOt likes", "k:AND k:OR k:NOT .:[likes]"},
      {"parameters.fast", ".:[parameters][fast]"},
      {"parameters.`odd key.x`.y", ".:[parameters][odd key.x][y]"},
      {"`and` `a``b`", ".:[and] .:[a`b]"},
      {"parameters.and", ".:[parameters][and]"},
      {"схема", ".:[схема]"},
      {"-(a+b)*c/2", "s:- s:( .:[a] s:+ .:[b] s:) s:* .:[c] s:/ #:2"},
  };
  for (const auto& one : cases) EXPECT_EQ(Shown(one.filter), one.expected) << one.filter;
}

TEST(FilterLexerTest, ErrorsNameTheColumn) {
  const struct {
    std::string filter;
    const char* message;
  } cases[] = {
      {"a > 'open", "column 5: the quote ' is not closed"},
      {"a = \"open''", "column 5: the quote \" is not closed"},
      {"`open", "column 1: the quote ` is not closed"},
      {"``", "column 1: an empty name"},
      {"a; b", "column 2: unexpected character ';'"},
      {"\u00e4\u00e4 ; b", "column 4: unexpected character ';'"},
      {"a -- b", "column 3: comments are not part of a filter"},
      {"a /* b */", "column 3: comments are not part of a filter"},
      {"12ab", "column 1: malformed number"},
      {"1.2.3", "column 1: malformed number"},
      {"0x10", "column 1: malformed number"},
      {"a.", "column 3: expected a name after '.'"},
      {"a.1", "column 3: expected a name after '.'"},
      {"a ! b", "column 3: unexpected character '!'"},
      {"a || b", "column 3: unexpected character '|'"},
      {"a = ?", "column 5: unexpected character '?'"},
      {"a = :x", "column 5: unexpected character ':'"},
      {"a = @x", "column 5: unexpected character '@'"},
      {"a = $x", "column 5: unexpected character '$'"},
      {"a[1]", "column 2: unexpected character '['"},
      {"a % 2", "column 3: unexpected character '%'"},
      {std::string("a\0b", 3), "column 2: unexpected character"},
  };
  for (const auto& one : cases) {
    EXPECT_THAT(LexFilter(one.filter), IsError(ErrorCode::kInvalidArgument, HasSubstr(one.message)))
        << one.filter;
  }
}

}  // namespace
}  // namespace lamina::backtests
