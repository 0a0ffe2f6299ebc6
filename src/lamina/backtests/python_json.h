#pragma once

/// \file lamina/backtests/python_json.h
/// MessagePack values as the JSON text that Python's json.dumps gives of them: what the index
/// columns `parameters_json`, `strategy_ids_json` and `extras_json` hold. Pure functions;
/// thread-safe.

#include <string>

#include "lamina/base/json.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {

/// Write `value` as `json.dumps(value, default=str)` writes what msgpack decodes it to, in the
/// style of `json`. Of duplicate keys the last value stands, at the first one's place; binary
/// becomes Python's
/// `"b'...'"`, an extension `[code, "b'...'"]`.
void WriteValue(JsonWriter& json, bundle::Value value);

/// The text by itself, in Python's style.
std::string PythonJson(bundle::Value value);

/// A key of a map as a member name: a string as it is, anything else as json.dumps does.
std::string MemberName(bundle::Value key);

}  // namespace lamina::backtests
