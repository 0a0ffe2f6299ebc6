#include "lamina/backtests/text_array.h"

#include <simdjson.h>

#include "lamina/base/json.h"

namespace lamina::backtests {

std::vector<std::string> ParseTextArray(std::string_view json) {
  std::vector<std::string> texts;
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  if (parser.parse(json.data(), json.size()).get(array) != simdjson::SUCCESS) return texts;
  for (simdjson::dom::element element : array) {
    std::string_view text;
    if (element.get(text) == simdjson::SUCCESS) texts.emplace_back(text);
  }
  return texts;
}

std::string FormatTextArray(const std::vector<std::string>& texts) {
  std::string out;
  JsonWriter json(out);
  json.BeginArray();
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
  return out;
}

bool ValidNote(std::string_view text) { return text.size() <= 65536 && ValidUtf8(text); }

}  // namespace lamina::backtests
