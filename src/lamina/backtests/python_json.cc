#include "lamina/backtests/python_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lamina::backtests {
namespace {

using bundle::Kind;
using bundle::Value;

constexpr std::string_view kHexDigits = "0123456789abcdef";

void AppendUnit(std::string& out, std::uint32_t unit) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHexDigits[(unit >> shift) & 0xf];
}

void AppendCodePoint(std::string& out, std::uint32_t code) {
  if (code < 0x10000) return AppendUnit(out, code);
  code -= 0x10000;
  AppendUnit(out, 0xd800 + (code >> 10));
  AppendUnit(out, 0xdc00 + (code & 0x3ff));
}

/// Decode one code point of `text` at `*position` and advance; U+FFFD for a byte that starts none.
std::uint32_t NextCodePoint(std::string_view text, std::size_t* position) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t start = (*position)++;
  const unsigned char lead = byte(start);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  if (lead < 0xc2 || lead > 0xf4 || start + static_cast<std::size_t>(more) >= text.size()) return 0xfffd;
  std::uint32_t code = lead & (0x3fu >> more);
  for (int i = 1; i <= more; ++i) {
    const unsigned char next = byte(start + static_cast<std::size_t>(i));
    if ((next & 0xc0) != 0x80) return 0xfffd;
    code = (code << 6) | (next & 0x3fu);
  }
  constexpr std::array<std::uint32_t, 4> kLowest = {0, 0x80, 0x800, 0x10000};
  const bool valid = code >= kLowest[static_cast<std::size_t>(more)] && code <= 0x10ffff &&
                     (code < 0xd800 || code > 0xdfff);
  if (!valid) return 0xfffd;
  *position = start + 1 + static_cast<std::size_t>(more);
  return code;
}

/// Python's repr of a bytes object.
std::string BytesText(ByteView bytes) {
  const bool has_single = bytes.find('\'') != ByteView::npos;
  const char quote = has_single && bytes.find('"') == ByteView::npos ? '"' : '\'';
  std::string out = "b";
  out += quote;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte >= 0x7f) {
      out += "\\x";
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 0xf];
    } else {
      out += c;
    }
  }
  out += quote;
  return out;
}

template <class Integer>
void AppendInteger(std::string& out, Integer value) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  out.append(buffer.data(), end);
}

void AppendScalar(std::string& out, Value value) {
  switch (value.kind()) {
    case Kind::kBool:
      out += value.AsBool() ? "true" : "false";
      return;
    case Kind::kInt:
      return AppendInteger(out, value.AsInt());
    case Kind::kUint:
      return AppendInteger(out, value.AsUint());
    case Kind::kFloat32:
    case Kind::kFloat64:
      return AppendPythonFloat(out, value.AsDouble());
    default:
      out += "null";
  }
}

void AppendKey(std::string& out, Value key) {
  if (key.is_string()) return AppendPythonString(out, key.AsString());
  std::string text;
  if (key.kind() == Kind::kBinary) {
    text = BytesText(key.AsBinary());
  } else {
    AppendPythonJson(text, key);
  }
  AppendPythonString(out, text);
}

/// Pairs of a map as a Python dict keeps them.
std::vector<std::pair<Value, Value>> UniquePairs(Value map) {
  std::vector<std::pair<Value, Value>> pairs;
  pairs.reserve(map.size());
  std::unordered_map<ByteView, std::size_t> places;
  if (map.size() > 1) places.reserve(map.size());
  for (const auto entry : map.entries()) {
    if (map.size() > 1) {
      const auto [place, added] = places.try_emplace(entry.key.raw(), pairs.size());
      if (!added) {
        pairs[place->second].second = entry.value;
        continue;
      }
    }
    pairs.emplace_back(entry.key, entry.value);
  }
  return pairs;
}

}  // namespace

void AppendPythonFloat(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
    return;
  }
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific).ptr;
  std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const std::size_t mark = text.find('e');
  int exponent = 0;
  const char* digits_end = text.data() + text.size();
  std::from_chars(text.data() + mark + (text[mark + 1] == '+' ? 2 : 1), digits_end, exponent);
  if (exponent < -4 || exponent >= 16) {  // Python pads the exponent to two digits, as to_chars does
    out += text;
    return;
  }
  std::string digits(1, text.front());
  if (mark > 1) digits += text.substr(2, mark - 2);
  const int count = static_cast<int>(digits.size());
  if (exponent < 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-exponent - 1), '0');
    out += digits;
  } else if (count <= exponent + 1) {
    out += digits;
    out.append(static_cast<std::size_t>(exponent + 1 - count), '0');
    out += ".0";
  } else {
    out.append(digits, 0, static_cast<std::size_t>(exponent + 1));
    out += '.';
    out.append(digits, static_cast<std::size_t>(exponent + 1));
  }
}

void AppendPythonString(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
      out += c;
      ++i;
      continue;
    }
    const std::uint32_t code = NextCodePoint(text, &i);
    switch (code) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case 0x7f: out += '\x7f'; break;
      default: AppendCodePoint(out, code);
    }
  }
  out += '"';
}

void AppendPythonJson(std::string& out, Value value) {
  switch (value.kind()) {
    case Kind::kString:
      return AppendPythonString(out, value.AsString());
    case Kind::kBinary:
      return AppendPythonString(out, BytesText(value.AsBinary()));
    case Kind::kExtension:  // msgpack's ExtType is a named tuple (code, data)
      out += '[';
      AppendInteger(out, static_cast<int>(value.extension_type()));
      out += ", ";
      AppendPythonString(out, BytesText(value.AsBinary()));
      out += ']';
      return;
    case Kind::kArray: {
      out += '[';
      bool first = true;
      for (const Value item : value.items()) {
        if (!std::exchange(first, false)) out += ", ";
        AppendPythonJson(out, item);
      }
      out += ']';
      return;
    }
    case Kind::kMap: {
      out += '{';
      bool first = true;
      for (const auto& [key, item] : UniquePairs(value)) {
        if (!std::exchange(first, false)) out += ", ";
        AppendKey(out, key);
        out += ": ";
        AppendPythonJson(out, item);
      }
      out += '}';
      return;
    }
    default:
      return AppendScalar(out, value);
  }
}

namespace {

/// Reads the JSON that this file writes, and ordinary JSON. Not a validator.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) {}

  bool Take(char expected) {
    SkipSpace();
    if (position_ >= text_.size() || text_[position_] != expected) return false;
    ++position_;
    return true;
  }

  /// A string; `out` may be null to skip it.
  bool TakeString(std::string* out) {
    if (!Take('"')) return false;
    while (position_ < text_.size()) {
      const char c = text_[position_++];
      if (c == '"') return true;
      if (c != '\\') {
        if (out != nullptr) *out += c;
        continue;
      }
      if (!TakeEscape(out)) return false;
    }
    return false;
  }

  /// Skip one value of any kind and give its text.
  std::optional<std::string_view> TakeValue() {
    SkipSpace();
    const std::size_t start = position_;
    if (position_ >= text_.size()) return std::nullopt;
    if (text_[position_] == '"') {
      if (!TakeString(nullptr)) return std::nullopt;
    } else if (text_[position_] == '{' || text_[position_] == '[') {
      if (!SkipNested()) return std::nullopt;
    } else {
      position_ = std::min(text_.find_first_of(",]} \t\r\n", position_), text_.size());
      if (position_ == start) return std::nullopt;
    }
    return text_.substr(start, position_ - start);
  }

 private:
  void SkipSpace() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n' ||
                                        text_[position_] == '\t' || text_[position_] == '\r')) {
      ++position_;
    }
  }

  bool SkipNested() {
    std::size_t depth = 0;
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (c == '"') {
        if (!TakeString(nullptr)) return false;
        continue;
      }
      ++position_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return true;
    }
    return false;
  }

  std::optional<std::uint32_t> TakeUnit() {
    std::uint32_t unit = 0;
    if (position_ + 4 > text_.size()) return std::nullopt;
    const char* begin = text_.data() + position_;
    const auto parsed = std::from_chars(begin, begin + 4, unit, 16);
    if (parsed.ptr != begin + 4) return std::nullopt;
    position_ += 4;
    return unit;
  }

  bool TakeEscape(std::string* out) {
    if (position_ >= text_.size()) return false;
    const char c = text_[position_++];
    if (c != 'u') {
      constexpr std::string_view kNames = "\"\\/bfnrt";
      constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
      const std::size_t which = kNames.find(c);
      if (which == std::string_view::npos) return false;
      if (out != nullptr) *out += kMeanings[which];
      return true;
    }
    const auto unit = TakeUnit();
    if (!unit) return false;
    std::uint32_t code = *unit;
    if (code >= 0xd800 && code < 0xdc00 && text_.substr(position_, 2) == "\\u") {
      const std::size_t rewind = position_;
      position_ += 2;
      const auto low = TakeUnit();
      if (low && *low >= 0xdc00 && *low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (*low - 0xdc00);
      } else {
        position_ = rewind;
      }
    }
    if (out != nullptr) AppendUtf8(*out, code);
    return true;
  }

  static void AppendUtf8(std::string& out, std::uint32_t code) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xc0 | (code >> 6));
      tail(0);
    } else if (code < 0x10000) {
      out += static_cast<char>(0xe0 | (code >> 12));
      tail(6);
      tail(0);
    } else {
      out += static_cast<char>(0xf0 | (code >> 18));
      tail(12);
      tail(6);
      tail(0);
    }
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

std::optional<std::string_view> FindOne(std::string_view json, std::string_view name) {
  JsonCursor cursor(json);
  if (!cursor.Take('{')) return std::nullopt;
  std::optional<std::string_view> found;
  std::string key;
  while (true) {
    key.clear();
    if (!cursor.TakeString(&key) || !cursor.Take(':')) return found;  // also the empty object
    const auto value = cursor.TakeValue();
    if (!value) return std::nullopt;
    if (key == name) found = value;
    if (!cursor.Take(',')) return found;
  }
}

std::optional<JsonScalar> ParseScalar(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text == "null") return JsonNull{};
  if (text == "true") return true;
  if (text == "false") return false;
  if (text == "NaN") return std::nan("");
  if (text == "Infinity") return HUGE_VAL;
  if (text == "-Infinity") return -HUGE_VAL;
  if (text.front() == '{' || text.front() == '[') return JsonNested{text};
  if (text.front() == '"') {
    std::string decoded;
    if (!JsonCursor(text).TakeString(&decoded)) return std::nullopt;
    return decoded;
  }
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto parsed = std::from_chars(text.data(), end, integer);
      parsed.ec == std::errc() && parsed.ptr == end) {
    return integer;
  }
  double number = 0;
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ptr != end) return std::nullopt;
  if (parsed.ec != std::errc()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<JsonScalar> FindJsonMember(std::string_view json,
                                         std::span<const std::string_view> path) {
  for (const std::string_view name : path) {
    const auto found = FindOne(json, name);
    if (!found) return std::nullopt;
    json = *found;
  }
  return ParseScalar(json);
}

}  // namespace lamina::backtests
