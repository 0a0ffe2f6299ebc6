#include "lamina/backtests/filter.h"

#include <charconv>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "lamina/backtests/columns.h"
#include "lamina/backtests/filter_lexer.h"
#include "lamina/base/time.h"

namespace lamina::backtests {
namespace {

struct Code {
  std::string sql;
  std::vector<SqlValue> parameters;

  Code& Add(std::string_view text) {
    sql += text;
    return *this;
  }
  Code& Add(const Code& other) {
    sql += other.sql;
    parameters.insert(parameters.end(), other.parameters.begin(), other.parameters.end());
    return *this;
  }
  Code& AddParameter(SqlValue value) {
    sql += '?';
    parameters.push_back(std::move(value));
    return *this;
  }
};

Code ParameterCode(SqlValue value) { return std::move(Code().AddParameter(std::move(value))); }

/// What an operand is before its neighbour is known.
enum class TermType : std::uint8_t {
  kNumber,
  kText,
  kTime,
  kMember,
  kTag,
  kTruth,

  kCondition
};
/// As what two operands are compared.
enum class Kind : std::uint8_t { kNumber, kText, kTime, kAny };

struct Term {
  TermType type = TermType::kNumber;
  std::size_t offset = 0;
  std::size_t length = 0;
  bool literal = false;
  std::string text;                     ///< of a literal: as written, or the text
  Code code;                            ///< of numbers, texts, times and conditions
  const IndexColumn* column = nullptr;  ///< when the operand is nothing but a column or member
  std::vector<std::string> path;        ///< of a member
};

std::optional<SqlValue> ParseNumber(std::string_view text) {
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto parsed = std::from_chars(text.data(), end, integer);
      parsed.ec == std::errc() && parsed.ptr == end) {
    return integer;
  }
  double real = 0;
  const auto parsed = std::from_chars(text.data(), end, real);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(real)) return std::nullopt;
  return real;
}

class Compiler {
 public:
  Compiler(std::string_view filter, const FilterLimits& limits)
      : filter_(filter), limits_(limits) {}

  Result<Filter> Run() {
    if (filter_.size() > limits_.max_bytes) {
      return ResourceExhausted("the filter is longer than " + std::to_string(limits_.max_bytes) +
                               " bytes");
    }
    LAMINA_ASSIGN(tokens_, LexFilter(filter_));
    LAMINA_ASSIGN(Term whole, Disjunction());
    LAMINA_TRY(RequireCondition(whole));
    if (Peek().kind != TokenKind::kEnd) return Expected("AND, OR or the end");
    Filter out;
    out.sql = "(" + std::move(whole.code.sql) + ")";
    out.parameters = std::move(whole.code.parameters);
    out.uses_functions = uses_functions_;
    out.columns = std::move(columns_);
    return out;
  }

 private:
  // ---- tokens and errors ----
  const Token& Peek() const { return tokens_[next_]; }
  const Token& Take() { return tokens_[Peek().kind == TokenKind::kEnd ? next_ : next_++]; }
  bool At(TokenKind kind, std::string_view text) const {
    return Peek().kind == kind && Peek().text == text;
  }
  bool TakeKeyword(std::string_view text) {
    if (!At(TokenKind::kKeyword, text)) return false;
    ++next_;
    return true;
  }
  bool TakeSymbol(std::string_view text) {
    if (!At(TokenKind::kSymbol, text)) return false;
    ++next_;
    return true;
  }
  Error Wrong(std::size_t offset, std::string_view message) const {
    return InvalidArgument("filter, " + ColumnText(filter_, offset) + ": " + std::string(message));
  }
  Error Expected(std::string_view what) const {
    const Token& token = Peek();
    std::string found = "the end";
    if (token.kind != TokenKind::kEnd) {
      found = "'" + std::string(filter_.substr(token.offset, token.length)) + "'";
    }
    return Wrong(token.offset, "expected " + std::string(what) + ", found " + found);
  }
  std::string Shown(const Term& term) const {
    return "'" + std::string(filter_.substr(term.offset, term.length)) + "'";
  }
  Status CountOperator(std::size_t offset) {
    if (++operators_ <= limits_.max_operators) return Ok();
    return ResourceExhausted("filter, " + ColumnText(filter_, offset) + ": more than " +
                             std::to_string(limits_.max_operators) + " operators");
  }

  /// One level of recursion, given back when it dies.
  class Level {
   public:
    explicit Level(Compiler* compiler) : compiler_(compiler) { ++compiler_->depth_; }
    ~Level() { --compiler_->depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    Status Check() const {
      if (compiler_->depth_ <= compiler_->limits_.max_depth) return Ok();
      return ResourceExhausted(
          "filter, " + ColumnText(compiler_->filter_, compiler_->Peek().offset) +
          ": nested deeper than " + std::to_string(compiler_->limits_.max_depth));
    }

   private:
    Compiler* compiler_;
  };

  void Close(Term& term) const {
    const Token& last = tokens_[next_ - 1];
    term.length = last.offset + last.length - term.offset;
  }

  // ---- conditions ----
  Status RequireCondition(const Term& term) const {
    if (term.type == TermType::kCondition || term.type == TermType::kTruth) return Ok();
    return Wrong(term.offset, Shown(term) + " is not a condition; compare it, as in `sharpe > 1`");
  }

  Result<Term> Chain(std::string_view keyword, Result<Term> (Compiler::*operand)()) {
    LAMINA_ASSIGN(Term left, (this->*operand)());
    if (!At(TokenKind::kKeyword, keyword)) return left;
    LAMINA_TRY(RequireCondition(left));
    Term out = Condition(left.offset);
    out.code.Add("(").Add(left.code);
    while (At(TokenKind::kKeyword, keyword)) {
      LAMINA_TRY(CountOperator(Take().offset));
      LAMINA_ASSIGN(const Term right, (this->*operand)());
      LAMINA_TRY(RequireCondition(right));
      out.code.Add(" ").Add(keyword).Add(" ").Add(right.code);
    }
    out.code.Add(")");
    Close(out);
    return out;
  }
  Result<Term> Disjunction() { return Chain("OR", &Compiler::Conjunction); }
  Result<Term> Conjunction() { return Chain("AND", &Compiler::Negation); }

  Result<Term> Negation() {
    if (!At(TokenKind::kKeyword, "NOT")) return Comparison();
    const Level level(this);
    LAMINA_TRY(level.Check());
    const std::size_t offset = Take().offset;
    LAMINA_TRY(CountOperator(offset));
    LAMINA_ASSIGN(const Term inner, Negation());
    LAMINA_TRY(RequireCondition(inner));
    Term out = Condition(offset);
    out.code.Add("(NOT ").Add(inner.code).Add(")");
    Close(out);
    return out;
  }

  static Term Condition(std::size_t offset) {
    Term term;
    term.type = TermType::kCondition;
    term.offset = offset;
    return term;
  }

  Result<Term> Comparison() {
    LAMINA_ASSIGN(Term left, Sum());
    LAMINA_ASSIGN(auto code, ComparisonAfter(left));
    if (!code) return left;
    Term out = Condition(left.offset);
    out.code = *std::move(code);
    Close(out);
    if (AtComparison()) {
      return Wrong(Peek().offset, "comparisons cannot be chained; join them with AND");
    }
    return out;
  }

  bool AtComparison() const {
    const Token& token = Peek();
    if (token.kind == TokenKind::kSymbol) {
      return token.text == "=" || token.text == "!=" || token.text == "<" || token.text == "<=" ||
             token.text == ">" || token.text == ">=";
    }
    if (token.kind != TokenKind::kKeyword) return false;
    return token.text == "IS" || token.text == "LIKE" || token.text == "IN" ||
           token.text == "BETWEEN" || token.text == "NOT";
  }

  Result<std::optional<Code>> ComparisonAfter(const Term& left) {
    if (!AtComparison()) return std::optional<Code>();
    const Token& token = Take();
    LAMINA_TRY(CountOperator(token.offset));
    if (left.type == TermType::kCondition) {
      return Wrong(token.offset, Shown(left) + " cannot be compared");
    }
    if (token.kind == TokenKind::kSymbol) return Some(Relation(left, token.text));
    if (token.text == "IS") return Some(IsNull(left));
    const bool negated = token.text == "NOT";
    const Token& word = negated ? Take() : token;
    Result<Code> code = Code();
    if (word.kind == TokenKind::kKeyword && word.text == "LIKE") {
      code = Like(left);
    } else if (word.kind == TokenKind::kKeyword && word.text == "IN") {
      code = InList(left);
    } else if (word.kind == TokenKind::kKeyword && word.text == "BETWEEN") {
      code = Between(left);
    } else {
      if (word.kind != TokenKind::kEnd) --next_;
      return Expected("LIKE, IN or BETWEEN after NOT");
    }
    if (!code.ok()) return std::move(code).error();
    if (negated) code = std::move(Code().Add("(NOT ").Add(*code).Add(")"));
    return Some(std::move(code));
  }

  static Result<std::optional<Code>> Some(Result<Code> code) {
    if (!code.ok()) return std::move(code).error();
    return std::optional<Code>(*std::move(code));
  }

  /// True when the bundle's tag or one of the user's is in `relation` to the operands; NULL without
  /// any tag.
  Code AnyTag(std::string_view relation, const std::vector<Code>& operands) {
    uses_functions_ = true;
    Code out;
    out.Add(kAnyTag).Add("(i.\"tag\", i.\"tags\", '").Add(relation).Add("'");
    for (const Code& operand : operands) out.Add(", ").Add(operand);
    return std::move(out.Add(")"));
  }

  Result<Code> Relation(const Term& left, std::string_view symbol) {
    LAMINA_ASSIGN(const Term right, Sum());
    if (left.type == TermType::kTag || right.type == TermType::kTag) {
      return TagRelation(left, symbol, right);
    }
    LAMINA_ASSIGN(const Kind kind, CommonKind(left, right));
    LAMINA_ASSIGN(const Code left_code, As(left, kind));
    LAMINA_ASSIGN(const Code right_code, As(right, kind));
    return std::move(
        Code().Add("(").Add(left_code).Add(" ").Add(symbol).Add(" ").Add(right_code).Add(")"));
  }

  Result<Code> TagRelation(const Term& left, std::string_view symbol, const Term& right) {
    const bool tag_left = left.type == TermType::kTag;
    if (tag_left && right.type == TermType::kTag) {
      return Wrong(right.offset, "a tag is compared with a text");
    }
    LAMINA_ASSIGN(const Code other, As(tag_left ? right : left, Kind::kText));
    if (symbol == "!=") {
      return std::move(Code().Add("(NOT ").Add(AnyTag("=", {other})).Add(")"));
    }
    if (tag_left) return AnyTag(symbol, {other});
    std::string mirrored(symbol);
    if (mirrored[0] == '<' || mirrored[0] == '>') mirrored[0] = mirrored[0] == '<' ? '>' : '<';
    return AnyTag(mirrored, {other});
  }

  Result<Code> IsNull(const Term& left) {
    const bool negated = TakeKeyword("NOT");
    if (!TakeKeyword("NULL")) return Expected(negated ? "NULL" : "NULL or NOT NULL");
    Code code;
    if (left.type == TermType::kTag) {
      code.Add("(i.\"tag\" IS NULL AND i.\"tags\" = '[]')");
    } else if (left.column != nullptr && left.path.empty() &&
               (left.column->name == "engine_type" || left.column->name == "universe_key")) {
      code.Add("(").Add(left.code).Add(" = '')");  // how the table spells "none" there
    } else {
      LAMINA_ASSIGN(const Code operand, As(left, KindAlone(left)));
      code.Add("(").Add(operand).Add(" IS NULL)");
    }
    if (negated) code = std::move(Code().Add("(NOT ").Add(code).Add(")"));
    return code;
  }

  Result<Code> Like(const Term& left) {
    if (Peek().kind != TokenKind::kText) return Expected("a quoted pattern after LIKE");
    const Code pattern = ParameterCode(Take().text);
    if (left.type == TermType::kTag) return AnyTag("LIKE", {pattern});
    LAMINA_ASSIGN(const Code text, As(left, Kind::kText));
    return std::move(Code().Add("(").Add(text).Add(" LIKE ").Add(pattern).Add(")"));
  }

  Result<Code> Between(const Term& left) {
    LAMINA_ASSIGN(const Term low, Sum());
    if (!TakeKeyword("AND")) return Expected("AND between the two bounds");
    LAMINA_ASSIGN(const Term high, Sum());
    Kind kind = Kind::kText;
    if (left.type != TermType::kTag) {
      LAMINA_ASSIGN(kind, CommonKind(left, low));
      if (kind == Kind::kAny) {
        LAMINA_ASSIGN(kind, CommonKind(left, high));
      }
    }
    LAMINA_ASSIGN(const Code low_code, As(low, kind));
    LAMINA_ASSIGN(const Code high_code, As(high, kind));
    if (left.type == TermType::kTag) return AnyTag("BETWEEN", {low_code, high_code});
    LAMINA_ASSIGN(const Code value, As(left, kind));
    Code out;
    out.Add("(").Add(value).Add(" BETWEEN ").Add(low_code).Add(" AND ").Add(high_code);
    return std::move(out.Add(")"));
  }

  Result<Code> InList(const Term& left) {
    if (!TakeSymbol("(")) return Expected("'(' after IN");
    std::vector<Term> elements;
    do {
      const std::size_t offset = Peek().offset;
      LAMINA_ASSIGN(Term element, Signed());
      if (!element.literal) return Wrong(offset, "a list holds numbers and quoted texts only");
      if (elements.size() == limits_.max_list) {
        return ResourceExhausted("filter, " + ColumnText(filter_, offset) + ": more than " +
                                 std::to_string(limits_.max_list) + " elements in a list");
      }
      elements.push_back(std::move(element));
    } while (TakeSymbol(","));
    if (!TakeSymbol(")")) return Expected("',' or ')'");
    Kind kind = Kind::kText;
    if (left.type != TermType::kTag) {
      LAMINA_ASSIGN(kind, CommonKind(left, elements.front()));
    }
    std::vector<Code> list;
    for (const Term& element : elements) {
      LAMINA_ASSIGN(list.emplace_back(), As(element, kind));
    }
    if (left.type == TermType::kTag) return AnyTag("IN", list);
    LAMINA_ASSIGN(const Code value, As(left, kind));
    Code out;
    out.Add("(").Add(value).Add(" IN (").Add(list.front());
    for (std::size_t i = 1; i < list.size(); ++i) out.Add(", ").Add(list[i]);
    return std::move(out.Add("))"));
  }

  // ---- operands ----
  Result<Term> Sum() {
    LAMINA_ASSIGN(Term left, Product());
    while (At(TokenKind::kSymbol, "+") || At(TokenKind::kSymbol, "-")) {
      LAMINA_ASSIGN(left, Arithmetic(std::move(left), &Compiler::Product));
    }
    return left;
  }
  Result<Term> Product() {
    LAMINA_ASSIGN(Term left, Signed());
    while (At(TokenKind::kSymbol, "*") || At(TokenKind::kSymbol, "/")) {
      LAMINA_ASSIGN(left, Arithmetic(std::move(left), &Compiler::Signed));
    }
    return left;
  }

  Result<Term> Arithmetic(Term left, Result<Term> (Compiler::*operand)()) {
    const Token& symbol = Take();
    LAMINA_TRY(CountOperator(symbol.offset));
    LAMINA_ASSIGN(const Term right, (this->*operand)());
    LAMINA_ASSIGN(const Code left_code, Operand(left));
    LAMINA_ASSIGN(const Code right_code, Operand(right));
    Term out;
    out.offset = left.offset;
    const bool division = symbol.text == "/";
    out.code.Add(division ? "(CAST(" : "(").Add(left_code).Add(division ? " AS REAL) " : " ");
    out.code.Add(symbol.text).Add(" ").Add(right_code).Add(")");
    Close(out);
    return out;
  }

  /// A part of an arithmetic expression.
  Result<Code> Operand(const Term& term) {
    if (term.type == TermType::kNumber || term.type == TermType::kMember) {
      return As(term, Kind::kNumber);
    }
    return Wrong(term.offset, Shown(term) + " is not a number");
  }

  Result<Term> Signed() {
    const bool minus = At(TokenKind::kSymbol, "-");
    if (!minus && !At(TokenKind::kSymbol, "+")) return Primary();
    const Level level(this);
    LAMINA_TRY(level.Check());
    const std::size_t offset = Take().offset;
    LAMINA_ASSIGN(Term term, Signed());
    LAMINA_ASSIGN(Code code, Operand(term));
    Term out;
    out.offset = offset;
    out.literal = term.literal;
    if (!minus) {
      out.code = std::move(code);
      out.text = term.text;
    } else if (term.literal) {
      out.text = term.text.starts_with('-') ? term.text.substr(1) : "-" + term.text;
      LAMINA_ASSIGN(out.code, NumberCode(out.text, offset));
    } else {
      out.code.Add("(-").Add(code).Add(")");
    }
    Close(out);
    return out;
  }

  Result<Code> NumberCode(std::string_view text, std::size_t offset) const {
    auto number = ParseNumber(text);
    if (!number) return Wrong(offset, "'" + std::string(text) + "' is not a finite number");
    return ParameterCode(*std::move(number));
  }

  Result<Term> Primary() {
    const Token& token = Peek();
    Term term;
    term.offset = token.offset;
    term.literal = true;
    if (token.kind == TokenKind::kNumber) {
      term.text = token.text;
      LAMINA_ASSIGN(term.code, NumberCode(token.text, token.offset));
    } else if (token.kind == TokenKind::kText) {
      term.type = TermType::kText;
      term.text = token.text;
      term.code = ParameterCode(token.text);
    } else if (token.kind == TokenKind::kName) {
      LAMINA_ASSIGN(term, Name(token));
    } else if (At(TokenKind::kKeyword, "TRUE") || At(TokenKind::kKeyword, "FALSE")) {
      term.type = TermType::kTruth;
      term.text = token.text;
      term.code = ParameterCode(std::int64_t{token.text == "TRUE"});
    } else if (At(TokenKind::kKeyword, "NULL")) {
      return Wrong(token.offset, "NULL is tested with IS NULL or IS NOT NULL");
    } else if (At(TokenKind::kSymbol, "(")) {
      return Parenthesised();
    } else {
      return Expected("a name, a number or a quoted text");
    }
    Take();
    Close(term);
    return term;
  }

  Result<Term> Parenthesised() {
    const Level level(this);
    LAMINA_TRY(level.Check());
    const std::size_t offset = Take().offset;
    LAMINA_ASSIGN(Term term, Disjunction());
    if (!TakeSymbol(")")) return Expected("')'");
    term.offset = offset;
    Close(term);
    return term;
  }

  Result<Term> Name(const Token& token) {
    auto resolved = ResolveName(token.path);
    if (!resolved.ok()) return Wrong(token.offset, resolved.error().message());
    Term term;
    term.offset = token.offset;
    term.column = resolved->column;
    columns_.push_back(resolved->column);
    term.path = std::move(resolved->path);
    if (!term.path.empty()) {
      term.type = TermType::kMember;
      return term;
    }
    if (term.column->name == "tag") {
      term.type = TermType::kTag;
      return term;
    }
    term.code.Add(ColumnSql(*term.column));
    const ColumnType type = term.column->type;
    if (type == ColumnType::kTime) {
      term.type = TermType::kTime;
    } else if (type == ColumnType::kText || type == ColumnType::kDigest) {
      term.type = TermType::kText;
    }
    return term;
  }

  // ---- kinds ----
  static Kind KindAlone(const Term& term) {
    switch (term.type) {
      case TermType::kText:
        return Kind::kText;
      case TermType::kTime:
        return Kind::kTime;
      case TermType::kMember:
        return Kind::kAny;
      default:
        return Kind::kNumber;
    }
  }

  /// A column's type decides before a literal's, a literal's before a member's.
  Result<Kind> CommonKind(const Term& left, const Term& right) const {
    for (const Term* term : {&left, &right}) {
      if (term->type == TermType::kCondition || term->type == TermType::kTag) {
        return Wrong(term->offset, Shown(*term) + " cannot be compared here");
      }
    }
    for (const Term* term : {&left, &right}) {
      if (term->type != TermType::kMember && !term->literal) return KindAlone(*term);
    }
    const bool text = left.type == TermType::kText || right.type == TermType::kText;
    if (text && left.literal && right.literal) {
      return Wrong(left.offset, "both sides are constants; back-ticks quote names");
    }
    for (const TermType type : {TermType::kText, TermType::kNumber, TermType::kTruth}) {
      if (left.type == type || right.type == type) {
        return type == TermType::kText ? Kind::kText : Kind::kNumber;
      }
    }
    return Kind::kAny;
  }

  Result<Code> As(const Term& term, Kind kind) {
    if (term.type == TermType::kMember && kind != Kind::kTime) return Member(term, kind);
    if (term.type == TermType::kCondition || term.type == TermType::kTag) {
      return Wrong(term.offset, Shown(term) + " cannot be compared here");
    }
    switch (kind) {
      case Kind::kNumber:
        if (term.type == TermType::kNumber || term.type == TermType::kTruth) return term.code;
        if (term.literal && ParseNumber(term.text)) return NumberCode(term.text, term.offset);
        return Wrong(term.offset, Shown(term) + " is compared with a number but is none" +
                                      (term.literal ? "; back-ticks quote a name" : ""));
      case Kind::kText:
        if (term.type == TermType::kText) return term.code;
        if (term.literal && term.type == TermType::kNumber) return ParameterCode(term.text);
        return Wrong(term.offset, Shown(term) + " is compared with a text but is none");
      case Kind::kTime: {
        if (term.type == TermType::kTime) return term.code;
        const auto time = term.literal && term.type == TermType::kText
                              ? ParseTime(term.text)
                              : Result<Micros>(InvalidArgument("no time"));
        if (time.ok()) return ParameterCode(time->value);
        return Wrong(term.offset, Shown(term) + " is not a time such as '2024-01-31'");
      }
      case Kind::kAny:
        return term.code;
    }
    return Internal("filter kind");
  }

  Code Member(const Term& term, Kind kind) {
    uses_functions_ = true;
    Code code;
    code.Add(kind == Kind::kNumber ? kMemberNumber
             : kind == Kind::kText ? kMemberText
                                   : kMemberAny);
    code.Add("(").Add(ColumnSql(*term.column));
    for (const std::string& key : term.path) code.Add(", ").AddParameter(key);
    return std::move(code.Add(")"));
  }

  std::string_view filter_;
  const FilterLimits& limits_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  std::size_t depth_ = 0;
  std::size_t operators_ = 0;
  bool uses_functions_ = false;
  std::vector<const IndexColumn*> columns_;
};

}  // namespace

Result<Filter> CompileFilter(std::string_view text, const FilterLimits& limits) {
  return Compiler(text, limits).Run();
}

}  // namespace lamina::backtests
