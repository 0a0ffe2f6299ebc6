#include "lamina/backtests/json_pack.h"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "lamina/base/json.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {
namespace {

using bundle::Writer;

void AppendUtf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](int shift) {
    out.push_back(static_cast<char>(0x80U | ((code >> shift) & 0x3fU)));
  };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0U | (code >> 6)));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0U | (code >> 12)));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0U | (code >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

class Packer {
 public:
  Packer(ByteView text, std::string& out) : text_(text), writer_(out) {}

  Status Run() {
    LAMINA_TRY(Value(0));
    SkipSpace();
    if (at_ != text_.size()) return Bad("something after the value");
    return Ok();
  }

 private:
  Error Bad(const std::string& what) const {
    return Corruption("JSON: " + what + " at byte " + std::to_string(at_));
  }

  char Next() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void SkipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool Word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Status Value(int depth) {
    if (depth > kJsonDepthMax) return Bad("too deep nesting");
    SkipSpace();
    switch (Next()) {
      case '"':
        return Text();
      case '[':
        return Container(depth, ']');
      case '{':
        return Container(depth, '}');
      default:
        break;
    }
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (Word("null")) {
      writer_.Nil();
    } else if (Word("true")) {
      writer_.Bool(true);
    } else if (Word("false")) {
      writer_.Bool(false);
    } else if (Word("NaN")) {
      writer_.Double(std::numeric_limits<double>::quiet_NaN());
    } else if (Word("Infinity")) {
      writer_.Double(kInfinity);
    } else if (Word("-Infinity")) {
      writer_.Double(-kInfinity);
    } else {
      return Number();
    }
    return Ok();
  }

  std::size_t SkipDigits() {
    const std::size_t begin = at_;
    while (Next() >= '0' && Next() <= '9') ++at_;
    return at_ - begin;
  }

  Status Number() {
    const std::size_t begin = at_;
    if (Next() == '-') ++at_;
    const bool zero = Next() == '0';
    const std::size_t digits = SkipDigits();
    if (digits == 0 || (zero && digits > 1)) {
      at_ = begin;
      return Bad(begin == text_.size() ? "the end" : "no value");
    }
    bool whole = true;
    if (Next() == '.') {
      ++at_;
      whole = false;
      if (SkipDigits() == 0) return Bad("a number without digits after its point");
    }
    if (Next() == 'e' || Next() == 'E') {
      ++at_;
      whole = false;
      if (Next() == '+' || Next() == '-') ++at_;
      if (SkipDigits() == 0) return Bad("a number without exponent");
    }
    return Digits(text_.substr(begin, at_ - begin), whole);
  }

  Status Digits(ByteView token, bool whole) {
    const char* const begin = token.data();
    const char* const end = begin + token.size();
    if (!whole) {
      double number = 0;
      const auto read = std::from_chars(begin, end, number);
      if (read.ec == std::errc::result_out_of_range) number = Beyond(token);
      writer_.Double(number);
      return Ok();
    }
    std::int64_t number = 0;
    if (std::from_chars(begin, end, number).ec == std::errc()) {
      writer_.Int(number);
      return Ok();
    }
    std::uint64_t large = 0;
    const auto read = std::from_chars(begin, end, large);
    if (read.ec != std::errc() || read.ptr != end) return Bad("an integer beyond 64 bits before");
    writer_.Uint(large);
    return Ok();
  }

  /// What strtod makes of a number that is too large or too small for a double.
  static double Beyond(ByteView token) { return std::strtod(std::string(token).c_str(), nullptr); }

  Status Text() {
    ++at_;
    scratch_.clear();
    for (;;) {
      const std::size_t plain = text_.find_first_of("\"\\", at_);
      if (plain == ByteView::npos) return Bad("a text without end");
      for (std::size_t i = at_; i < plain; ++i) {
        if (static_cast<unsigned char>(text_[i]) < 0x20) {
          at_ = i;
          return Bad("a control character in a text");
        }
      }
      scratch_ += text_.substr(at_, plain - at_);
      at_ = plain + 1;
      if (text_[plain] == '"') break;
      LAMINA_TRY(Escape());
    }
    if (!ValidUtf8(scratch_)) return Bad("a text that is not UTF-8 before");
    writer_.String(scratch_);
    return Ok();
  }

  Status Escape() {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char name = Next();
    if (const auto place = kNames.find(name); name != '\0' && place != std::string_view::npos) {
      scratch_.push_back(kMeanings[place]);
      ++at_;
      return Ok();
    }
    if (name != 'u') return Bad("an unknown escape");
    ++at_;
    LAMINA_ASSIGN(std::uint32_t code, Hex());
    if (code >= 0xd800 && code < 0xdc00 && Word("\\u")) {
      LAMINA_ASSIGN(const std::uint32_t low, Hex());
      if (low < 0xdc00 || low > 0xdfff) return Bad("half a surrogate pair before");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code >= 0xd800 && code <= 0xdfff) return Bad("half a surrogate pair before");
    AppendUtf8(scratch_, code);
    return Ok();
  }

  Result<std::uint32_t> Hex() {
    std::uint32_t code = 0;
    const ByteView digits = text_.substr(at_, 4);
    const char* const end = digits.data() + digits.size();
    if (digits.size() != 4 || std::from_chars(digits.data(), end, code, 16).ptr != end) {
      return Bad("an escape without four digits");
    }
    at_ += 4;
    return code;
  }

  Status Container(int depth, char close) {
    constexpr std::size_t kLongestHeader = 5;
    const bool is_map = close == '}';
    ++at_;
    std::string& out = writer_.out();
    const std::size_t start = out.size();
    out.append(kLongestHeader, '\0');  // shortened when the count is known
    std::uint32_t count = 0;
    SkipSpace();
    if (Next() == close) {
      ++at_;
    } else {
      for (;; ++count) {
        if (is_map) LAMINA_TRY(Name());
        LAMINA_TRY(Value(depth + 1));
        SkipSpace();
        const char next = Next();
        if (next != ',' && next != close) return Bad("neither a comma nor a closing bracket");
        ++at_;
        if (next == close) break;
      }
      ++count;
    }
    std::string header;
    Writer writer(header);
    if (is_map) {
      writer.MapHeader(count);
    } else {
      writer.ArrayHeader(count);
    }
    out.replace(start, kLongestHeader, header);
    return Ok();
  }

  Status Name() {
    SkipSpace();
    if (Next() != '"') return Bad("no member name");
    LAMINA_TRY(Text());
    SkipSpace();
    if (Next() != ':') return Bad("no colon");
    ++at_;
    return Ok();
  }

  ByteView text_;
  std::size_t at_ = 0;
  Writer writer_;
  std::string scratch_;
};

}  // namespace

Status PackJson(ByteView json, std::string& out) { return Packer(json, out).Run(); }

}  // namespace lamina::backtests
