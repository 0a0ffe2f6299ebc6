#pragma once

/// \file lamina/backtests/json_member.h
/// One member of a JSON text as Python writes it (bare NaN and Infinity allowed), found without
/// building a tree: the JSON columns of the index are read with it. Pure functions; thread-safe.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lamina::backtests {

struct JsonNull {};
struct JsonNested {
  std::string_view text;  ///< an object or array, as written
};
using JsonScalar = std::variant<JsonNull, bool, std::int64_t, double, std::string, JsonNested>;

/// The value at `path` (member names from the top object down). Of duplicate names the last counts.
/// Absent: no such member, or the text is not such JSON. Never recurses, reads the text once.
std::optional<JsonScalar> FindJsonMember(std::string_view json,
                                         std::span<const std::string_view> path);

/// The text of that value as written.
std::optional<std::string_view> FindJsonText(std::string_view json,
                                             std::span<const std::string_view> path);

/// The members of the top object in order, each once: name and value as written. Empty when `json`
/// is no object.
struct JsonMember {
  std::string name;
  std::string_view value;
};
std::vector<JsonMember> JsonMembers(std::string_view json);

/// The elements of an array as written; empty when `json` is none.
std::vector<std::string_view> JsonElements(std::string_view json);

/// The texts among the elements of an array; empty when `json` is none.
std::vector<std::string> JsonTexts(std::string_view json);

/// The value of a text that is one JSON value. Absent when it is none.
std::optional<JsonScalar> ParseJsonScalar(std::string_view text);

}  // namespace lamina::backtests
