#pragma once

/// \file lamina/backtests/json_pack.h
/// JSON text as MessagePack, read as Python's json.loads reads it. Pure function; thread-safe.

#include <string>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"

namespace lamina::backtests {

/// Deeper JSON is refused.
inline constexpr int kJsonDepthMax = 200;

/// Append the one JSON value of `json` to `out` in shortest forms. `NaN`, `Infinity` and
/// `-Infinity` are numbers; a number without fraction and exponent is an integer, also `-0`;
/// duplicate members stay as they are. RETURNS kCorruption naming the byte for what is no JSON,
/// text that is not UTF-8, half a surrogate pair, an integer beyond 64 bits or too deep nesting;
/// `out` is of no use then.
Status PackJson(ByteView json, std::string& out);

}  // namespace lamina::backtests
