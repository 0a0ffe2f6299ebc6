#include "lamina/backtests/json_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace lamina::backtests {

namespace {

using bundle::Kind;
using bundle::Value;
using bundle::Writer;

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

/// Reads what AppendJson writes; REQUIRES nothing of other text than to refuse it.
class JsonReader {
 public:
  JsonReader(ByteView text, std::string& out) : text_(text), writer_(out) {}

  bool Value(int depth) {
    if (text_.empty() || depth > kDepthMax) return false;
    switch (text_[0]) {
      case 'n':
        return Word("null") && (writer_.Nil(), true);
      case 't':
        return Word("true") && (writer_.Bool(true), true);
      case 'f':
        return Word("false") && (writer_.Bool(false), true);
      case '"':
        return Text();
      case '[':
      case '{':
        return Container(depth);
      default:
        return Number();
    }
  }
  bool done() const { return text_.empty(); }

 private:
  static constexpr int kDepthMax = 200;

  bool Word(ByteView word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  bool Text() {
    std::string text;
    text_.remove_prefix(1);
    while (!text_.empty() && text_[0] != '"') {
      if (text_[0] != '\\') {
        const std::size_t plain = text_.find_first_of("\"\\");
        text += text_.substr(0, plain);
        text_.remove_prefix(std::min(plain, text_.size()));
        continue;
      }
      unsigned code = 0;
      if (text_.starts_with("\\u00") && text_.size() >= 6 &&
          std::from_chars(text_.data() + 4, text_.data() + 6, code, 16).ptr == text_.data() + 6) {
        text.push_back(static_cast<char>(code));
        text_.remove_prefix(6);
      } else if (text_.size() >= 2 && (text_[1] == '"' || text_[1] == '\\')) {
        text.push_back(text_[1]);
        text_.remove_prefix(2);
      } else {
        return false;
      }
    }
    writer_.String(text);
    return Word("\"");
  }

  bool Number() {
    const ByteView token = text_.substr(0, text_.find_first_of(",]} :"));
    const char *begin = token.data(), *end = begin + token.size();
    if (token.empty()) return false;
    text_.remove_prefix(token.size());
    if (token.find_first_of(".e") != ByteView::npos) {
      double number = 0;
      if (std::from_chars(begin, end, number).ptr != end) return false;
      writer_.Double(number);
      return true;
    }
    std::int64_t number = 0;
    const auto read = std::from_chars(begin, end, number);
    if (read.ec == std::errc() && read.ptr == end) {
      writer_.Int(number);
      return true;
    }
    std::uint64_t large = 0;
    const auto again = std::from_chars(begin, end, large);
    if (again.ec != std::errc() || again.ptr != end) return false;
    writer_.Uint(large);
    return true;
  }

  bool Container(int depth) {
    const bool is_map = text_[0] == '{';
    const char* const close = is_map ? "}" : "]";
    text_.remove_prefix(1);
    std::string items;
    std::uint32_t count = 0;
    if (!Word(close)) {
      JsonReader inner(text_, items);
      do {
        if (is_map &&
            (inner.done() || inner.text_[0] != '"' || !inner.Text() || !inner.Word(": "))) {
          return false;
        }
        if (!inner.Value(depth + 1)) return false;
        ++count;
      } while (inner.Word(", "));
      text_ = inner.text_;
      if (!Word(close)) return false;
    }
    if (is_map) {
      writer_.MapHeader(count);
    } else {
      writer_.ArrayHeader(count);
    }
    writer_.Raw(items);
    return true;
  }

  ByteView text_;
  Writer writer_;
};

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

Status AppendMessagePackOfJson(ByteView json, std::string& out) {
  JsonReader reader(json, out);
  if (!reader.Value(0) || !reader.done()) return Corruption("a JSON text is damaged");
  return Ok();
}

}  // namespace lamina::backtests
