#include "lamina/base/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <simdjson.h>

namespace lamina {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr std::uint32_t kReplacement = 0xFFFD;

enum CharClass : std::uint8_t { kPlain, kEscape, kHigh };

constexpr std::array<CharClass, 256> MakeClasses() {
  std::array<CharClass, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    classes[c] = c >= 0x80 ? kHigh : c < 0x20 || c == '"' || c == '\\' ? kEscape : kPlain;
  }
  return classes;
}
constexpr std::array<CharClass, 256> kClasses = MakeClasses();

void AppendUnit(std::string& out, std::uint32_t unit) {
  const char text[6] = {'\\',
                        'u',
                        kHexDigits[(unit >> 12) & 15],
                        kHexDigits[(unit >> 8) & 15],
                        kHexDigits[(unit >> 4) & 15],
                        kHexDigits[unit & 15]};
  out.append(text, sizeof(text));
}

void AppendEscape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      AppendUnit(out, static_cast<unsigned char>(c));
  }
}

struct CodePoint {
  std::uint32_t value = kReplacement;
  std::size_t length = 1;
  bool valid = false;
};

/// The code point at the start of `text`, whose first byte is not ASCII (Unicode table 3-7).
CodePoint DecodeHigh(std::string_view text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const std::uint32_t lead = byte(0);
  if (lead >= 0xC2 && lead <= 0xDF && tail(1)) {
    return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2, true};
  }
  if ((lead & 0xF0) == 0xE0 && tail(1) && tail(2)) {
    const std::uint32_t value = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    if (value >= 0x800 && (value < 0xD800 || value > 0xDFFF)) return {value, 3, true};
  }
  if ((lead & 0xF8) == 0xF0 && tail(1) && tail(2) && tail(3)) {
    const std::uint32_t value =
        (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    if (value >= 0x10000 && value <= 0x10FFFF) return {value, 4, true};
  }
  return {};
}

/// Append the character at the start of `text`, which is not ASCII, and return its length.
std::size_t AppendHigh(std::string& out, std::string_view text, bool ascii) {
  const CodePoint point = DecodeHigh(text);
  if (!ascii) {
    out += point.valid ? text.substr(0, point.length) : std::string_view("\xEF\xBF\xBD");
  } else if (point.value >= 0x10000) {
    const std::uint32_t rest = point.value - 0x10000;
    AppendUnit(out, 0xD800 + (rest >> 10));
    AppendUnit(out, 0xDC00 + (rest & 0x3FF));
  } else {
    AppendUnit(out, point.value);
  }
  return point.length;
}

void AppendQuoted(std::string& out, std::string_view text, bool ascii) {
  out += '"';
  std::size_t plain = 0;  // start of what is not yet copied
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (kClasses[c] == kPlain && !(ascii && c == 0x7F)) {
      ++i;
      continue;
    }
    out.append(text, plain, i - plain);
    if (kClasses[c] == kHigh) {
      i += AppendHigh(out, text.substr(i), ascii);
    } else {
      AppendEscape(out, text[i++]);
    }
    plain = i;
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

template <class T>
void AppendNumber(std::string& out, T value) {
  char buffer[32];
  const char* const end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  out.append(buffer, static_cast<std::size_t>(end - buffer));
}

}  // namespace

void JsonWriter::Separate() {
  if (!first_) out_ += style_.python_style ? std::string_view(", ") : std::string_view(",");
  first_ = false;
}

void JsonWriter::Begin(char bracket) {
  Separate();
  out_ += bracket;
  first_ = true;
}

void JsonWriter::End(char bracket) {
  out_ += bracket;
  first_ = false;
}

void JsonWriter::Key(std::string_view key) {
  String(key);
  out_ += style_.python_style ? std::string_view(": ") : std::string_view(":");
  first_ = true;
}

void JsonWriter::String(std::string_view text) {
  Separate();
  AppendQuoted(out_, text, style_.python_style);
}

void JsonWriter::Int(std::int64_t value) {
  Separate();
  AppendNumber(out_, value);
}

void JsonWriter::Uint(std::uint64_t value) {
  Separate();
  AppendNumber(out_, value);
}

void JsonWriter::Double(double value) {
  Separate();
  if (std::isfinite(value)) {
    if (style_.python_style) {
      AppendPythonFloatRepr(out_, value);
    } else {
      AppendNumber(out_, value);
    }
  } else if (style_.non_finite == JsonStyle::NonFinite::kNull) {
    out_ += "null";
  } else {
    out_ += std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  }
}

void JsonWriter::Raw(std::string_view json) {
  Separate();
  out_ += json;
}

std::string JsonQuoted(std::string_view text) {
  std::string out;
  AppendQuoted(out, text, false);
  return out;
}

void AppendPythonFloatRepr(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    return;
  }
  char text[32];
  char* const end =
      std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
  const char* at = text;
  if (*at == '-') out += *at++;
  const char* const mark = std::find(at, static_cast<const char*>(end), 'e');
  int exponent = 0;
  std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, exponent);
  if (exponent < -4 || exponent >= 16) {
    out.append(at, static_cast<std::size_t>(end - at));
    return;
  }
  // d.ddd without its point, then the point where the exponent says.
  char digits[20];
  std::size_t count = 0;
  for (; at != mark; ++at) {
    if (*at != '.') digits[count++] = *at;
  }
  const std::string_view all(digits, count);
  if (exponent < 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-exponent - 1), '0');
    out += all;
    return;
  }
  const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
  out += all.substr(0, whole);
  if (count < whole) out.append(whole - count, '0');
  out += '.';
  out += count > whole ? all.substr(whole) : std::string_view("0");
}

std::string PythonFloatRepr(double value) {
  std::string out;
  AppendPythonFloatRepr(out, value);
  return out;
}

bool ValidUtf8(std::string_view text) { return simdjson::validate_utf8(text); }

}  // namespace lamina
