#include "lamina/catalog/lake_names.h"

#include <algorithm>

#include "lamina/base/json.h"

namespace lamina::catalog {
namespace {

constexpr std::size_t kNameBytesMax = 200;  // a folder name of 255 bytes stays possible

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What the extension writes without quotes.
bool IsPlainWord(std::string_view name) {
  return !name.empty() && !IsDigit(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return IsLower(c) || IsDigit(c) || c == '_'; });
}

}  // namespace

std::string QuoteIdentifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  quoted += '"';
  return quoted;
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

Status CheckObjectName(std::string_view name) {
  if (name.empty()) return InvalidArgument("a name in the lake must not be empty");
  if (name.size() > kNameBytesMax)
    return InvalidArgument("a name in the lake must not exceed " + std::to_string(kNameBytesMax) +
                           " bytes: " + std::string(name.substr(0, 40)) + "...");
  const bool control = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (control) return InvalidArgument("a name in the lake must not hold control characters");
  if (!ValidUtf8(name)) return InvalidArgument("a name in the lake must be UTF-8");
  return Ok();
}

Status CheckColumnName(std::string_view name) {
  LAMINA_TRY(CheckObjectName(name));
  if (LowerAscii(name).starts_with("_ducklake_internal"))
    return InvalidArgument("column name '" + std::string(name) + "' belongs to DuckLake");
  return Ok();
}

std::string FolderOf(std::string_view name, std::string_view uuid) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return IsLower(c) || IsDigit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
  return std::string(plain ? name : uuid) + "/";
}

std::string SortExpression(std::string_view column) { return QuoteIdentifier(column); }

std::optional<std::string> ColumnOfSortExpression(std::string_view expression) {
  if (IsPlainWord(expression)) return std::string(expression);
  if (expression.size() < 3 || expression.front() != '"' || expression.back() != '"')
    return std::nullopt;
  std::string name;
  const std::string_view inside = expression.substr(1, expression.size() - 2);
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '"' && (++i == inside.size() || inside[i] != '"')) return std::nullopt;
    name += inside[i];
  }
  return name;
}

}  // namespace lamina::catalog
