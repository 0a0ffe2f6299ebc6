#include "lamina/backtests/json_member.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>
#include <utility>

namespace lamina::backtests {
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

/// Call `visit(name, value text)` for each member; false when the text is no object.
template <class Visit>
bool VisitMembers(std::string_view json, const Visit& visit) {
  JsonCursor cursor(json);
  if (!cursor.Take('{')) return false;
  if (cursor.Take('}')) return true;
  std::string key;
  do {
    key.clear();
    if (!cursor.TakeString(&key) || !cursor.Take(':')) return false;
    const auto value = cursor.TakeValue();
    if (!value) return false;
    visit(key, *value);
  } while (cursor.Take(','));
  return cursor.Take('}');
}

}  // namespace

std::optional<JsonScalar> ParseJsonScalar(std::string_view text) {
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

std::optional<std::string_view> FindJsonText(std::string_view json,
                                             std::span<const std::string_view> path) {
  for (const std::string_view name : path) {
    std::optional<std::string_view> found;
    const bool whole = VisitMembers(json, [&](const std::string& key, std::string_view value) {
      if (key == name) found = value;
    });
    if (!whole || !found) return std::nullopt;
    json = *found;
  }
  return json;
}

std::optional<JsonScalar> FindJsonMember(std::string_view json,
                                         std::span<const std::string_view> path) {
  const auto text = FindJsonText(json, path);
  return text ? ParseJsonScalar(*text) : std::nullopt;
}

std::vector<JsonMember> JsonMembers(std::string_view json) {
  std::vector<JsonMember> members;
  std::unordered_map<std::string, std::size_t> places;
  const bool whole = VisitMembers(json, [&](const std::string& key, std::string_view value) {
    const auto [place, added] = places.try_emplace(key, members.size());
    if (added) {
      members.push_back({key, value});
    } else {
      members[place->second].value = value;
    }
  });
  if (!whole) members.clear();
  return members;
}

std::vector<std::string_view> JsonElements(std::string_view json) {
  std::vector<std::string_view> elements;
  JsonCursor cursor(json);
  if (!cursor.Take('[') || cursor.Take(']')) return elements;
  do {
    const auto element = cursor.TakeValue();
    if (!element) return {};
    elements.push_back(*element);
  } while (cursor.Take(','));
  if (!cursor.Take(']')) elements.clear();
  return elements;
}

std::vector<std::string> JsonTexts(std::string_view json) {
  std::vector<std::string> texts;
  for (const std::string_view element : JsonElements(json)) {
    std::string text;
    if (JsonCursor(element).TakeString(&text)) texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace lamina::backtests
