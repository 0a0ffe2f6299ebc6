#include "lamina/backtests/json_text.h"

#include <charconv>
#include <cmath>

namespace lamina::backtests {

namespace {

using bundle::Kind;
using bundle::Value;

/// Length of the valid UTF-8 sequence at the start of `text`; 0 when there is none.
std::size_t SequenceLength(ByteView text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  unsigned low = 0x80, high = 0xbf;  // allowed second byte
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  }
  if (length == 0 || text.size() < length || at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

void AppendText(std::string& out, ByteView text) {
  out.push_back('"');
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text[0]);
    if (byte == '"' || byte == '\\') {
      out.push_back('\\');
      out.push_back(text[0]);
    } else if (byte < 0x20) {
      constexpr char kDigits[] = "0123456789abcdef";
      out += "\\u00";
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    } else {
      const std::size_t length = SequenceLength(text);
      out += length == 0 ? ByteView("\xef\xbf\xbd") : text.substr(0, length);
      text.remove_prefix(length == 0 ? 1 : length);
      continue;
    }
    text.remove_prefix(1);
  }
  out.push_back('"');
}

void AppendDouble(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    char text[40];
    const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
    const ByteView digits(text, static_cast<std::size_t>(end - text));
    out += digits;
    if (digits.find_first_of(".e") == ByteView::npos) out += ".0";
  }
}

}  // namespace

bool IsUtf8(ByteView text) {
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void AppendJson(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Kind::kNil:
      out += "null";
      return;
    case Kind::kBool:
      out += value.AsBool() ? "true" : "false";
      return;
    case Kind::kInt:
      out += std::to_string(value.AsInt());
      return;
    case Kind::kUint:
      out += std::to_string(value.AsUint());
      return;
    case Kind::kFloat32:
    case Kind::kFloat64:
      AppendDouble(out, value.AsDouble());
      return;
    case Kind::kString:
      AppendText(out, value.AsString());
      return;
    case Kind::kBinary:
    case Kind::kExtension:
      out.push_back('"');
      out += ToHex(value.AsBinary());
      out.push_back('"');
      return;
    case Kind::kArray: {
      out.push_back('[');
      bool first = true;
      for (const Value item : value.items()) {
        if (!first) out += ", ";
        first = false;
        AppendJson(out, item);
      }
      out.push_back(']');
      return;
    }
    case Kind::kMap: {
      out.push_back('{');
      bool first = true;
      for (const auto entry : value.entries()) {
        if (!first) out += ", ";
        first = false;
        if (entry.key.is_string()) {
          AppendText(out, entry.key.AsString());
        } else {
          AppendText(out, ToJson(entry.key));
        }
        out += ": ";
        AppendJson(out, entry.value);
      }
      out.push_back('}');
      return;
    }
  }
}

std::string ToJson(const Value& value) {
  std::string out;
  AppendJson(out, value);
  return out;
}

}  // namespace lamina::backtests
