#include "lamina/backtests/filter_lexer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lamina::backtests {
namespace {

constexpr std::array<std::string_view, 10> kKeywords = {"AND",     "OR", "NOT",  "LIKE", "IN",
                                                        "BETWEEN", "IS", "NULL", "TRUE", "FALSE"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c); }
char Capital(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

class Lexer {
 public:
  explicit Lexer(std::string_view filter) : filter_(filter) {}

  Result<std::vector<Token>> Run() {
    while (true) {
      while (position_ < filter_.size() && IsSpace(filter_[position_])) ++position_;
      Token token;
      token.offset = position_;
      if (position_ == filter_.size()) {
        tokens_.push_back(std::move(token));
        return std::move(tokens_);
      }
      LAMINA_TRY(Next(token));
      token.length = position_ - token.offset;
      tokens_.push_back(std::move(token));
    }
  }

 private:
  static bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  char Peek(std::size_t ahead = 0) const {
    return position_ + ahead < filter_.size() ? filter_[position_ + ahead] : '\0';
  }
  Error Wrong(std::size_t offset, std::string_view message) const {
    return InvalidArgument("filter, " + ColumnText(filter_, offset) + ": " + std::string(message));
  }

  Status Next(Token& token) {
    const char c = Peek();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number(token);
    if (c == '\'' || c == '"') {
      token.kind = TokenKind::kText;
      return Quoted(c, token.text);
    }
    if (c == '`' || IsNameStart(c)) return Name(token);
    return Symbol(token);
  }

  Status Number(Token& token) {
    token.kind = TokenKind::kNumber;
    const std::size_t start = position_;
    while (IsDigit(Peek())) ++position_;
    if (Peek() == '.') {
      ++position_;
      while (IsDigit(Peek())) ++position_;
    }
    if (Peek() == 'e' || Peek() == 'E') {
      const std::size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 1 : 0;
      if (IsDigit(Peek(1 + sign))) {
        position_ += 1 + sign;
        while (IsDigit(Peek())) ++position_;
      }
    }
    if (IsNamePart(Peek()) || Peek() == '.') {
      return Wrong(start, "malformed number; quote a text with '…', a name with back-ticks");
    }
    token.text = filter_.substr(start, position_ - start);
    return Ok();
  }

  /// From an opening quote to its end; a doubled quote stands for one.
  Status Quoted(char quote, std::string& out) {
    const std::size_t start = position_++;
    while (position_ < filter_.size()) {
      const char c = filter_[position_++];
      if (c != quote) {
        out += c;
      } else if (Peek() == quote) {
        out += c;
        ++position_;
      } else {
        return Ok();
      }
    }
    std::string message = "the quote ";
    message += quote;
    return Wrong(start, message + " is not closed");
  }

  Status Name(Token& token) {
    token.kind = TokenKind::kName;
    bool quoted = false;
    while (true) {
      std::string part;
      if (Peek() == '`') {
        quoted = true;
        const std::size_t start = position_;
        LAMINA_TRY(Quoted('`', part));
        if (part.empty()) return Wrong(start, "an empty name");
      } else if (IsNameStart(Peek())) {
        while (IsNamePart(Peek())) part += filter_[position_++];
      } else {
        return Wrong(position_, "expected a name after '.'; quote odd names with back-ticks");
      }
      token.path.push_back(std::move(part));
      if (Peek() != '.') break;
      ++position_;
    }
    if (quoted || token.path.size() != 1) return Ok();
    std::string word = token.path.front();
    if (word.size() > 7) return Ok();  // longer than any keyword
    std::transform(word.begin(), word.end(), word.begin(), Capital);
    if (std::find(kKeywords.begin(), kKeywords.end(), word) != kKeywords.end()) {
      token.kind = TokenKind::kKeyword;
      token.text = std::move(word);
      token.path.clear();
    }
    return Ok();
  }

  Status Symbol(Token& token) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kSymbols = {{
        {"==", "="},
        {"!=", "!="},
        {"<>", "!="},
        {"<=", "<="},
        {">=", ">="},
        {"=", "="},
        {"<", "<"},
        {">", ">"},
        {"(", "("},
        {")", ")"},
        {",", ","},
        {"+", "+"},
        {"-", "-"},
        {"*", "*"},
        {"/", "/"},
    }};
    const std::string_view rest = filter_.substr(position_);
    if (rest.starts_with("--") || rest.starts_with("/*")) {
      return Wrong(position_, "comments are not part of a filter");
    }
    for (const auto& [spelling, meaning] : kSymbols) {
      if (!rest.starts_with(spelling)) continue;
      token.kind = TokenKind::kSymbol;
      token.text = meaning;
      position_ += spelling.size();
      return Ok();
    }
    std::string message = "unexpected character";
    if (rest.front() > ' ' && rest.front() < 0x7f) {
      message += " '";
      message += rest.front();
      message += '\'';
    }
    return Wrong(position_, message);
  }

  std::string_view filter_;
  std::size_t position_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::string ColumnText(std::string_view filter, std::size_t offset) {
  const std::string_view before = filter.substr(0, std::min(offset, filter.size()));
  const auto column = 1 + std::count_if(before.begin(), before.end(), [](char c) {
                        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
                      });
  return "column " + std::to_string(column);
}

Result<std::vector<Token>> LexFilter(std::string_view filter) { return Lexer(filter).Run(); }

}  // namespace lamina::backtests
