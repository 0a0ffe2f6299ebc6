#pragma once

/// \file lamina/backtests/python_json.h
/// JSON text as Python's json.dumps writes it (", " and ": ", ASCII escapes, bare NaN and Infinity), as
/// the index columns `parameters_json`, `strategy_ids_json`, `extras_json` hold it. Pure; thread-safe.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {

/// Append `value` as `json.dumps(value, default=str)` would write what msgpack decodes it to. Of
/// duplicate keys the last value stands, at the first one's place. Binary becomes Python's
/// `"b'...'"`; invalid UTF-8 becomes U+FFFD.
void AppendPythonJson(std::string& out, bundle::Value value);

/// Append the shortest text that reads back as `value`, spelt as Python's repr (`1e-05`, `2.0`), with
/// `NaN`, `Infinity`, `-Infinity`.
void AppendPythonFloat(std::string& out, double value);

/// Append `text` as a JSON string of ASCII characters.
void AppendPythonString(std::string& out, std::string_view text);

/// What stands at a place of a JSON text.
struct JsonNull {};
struct JsonNested {
  std::string_view text;  ///< an object or array, as written
};
using JsonScalar = std::variant<JsonNull, bool, std::int64_t, double, std::string, JsonNested>;

/// The value at `path` (member names from the top object down) of a JSON text as written above. Of
/// duplicate names the last counts. Absent: no such member, or the text is not such JSON. Never
/// recurses, reads the text once.
std::optional<JsonScalar> FindJsonMember(std::string_view json,
                                         std::span<const std::string_view> path);

}  // namespace lamina::backtests
