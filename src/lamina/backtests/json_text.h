#pragma once

/// \file lamina/backtests/json_text.h
/// MessagePack values as JSON text for people and SQL, and back. Functions are pure and
/// thread-safe.

#include <string>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {

/// Valid JSON in UTF-8: NaN and infinities become the texts "NaN", "Infinity", "-Infinity"; bytes
/// become lower-case hexadecimal; keys that are no text become their own JSON as text; what is not
/// UTF-8 becomes U+FFFD. Doubles are the shortest that read back, with ".0" when whole.
void AppendJson(std::string& out, const bundle::Value& value);
std::string ToJson(const bundle::Value& value);

/// AppendJson's text as MessagePack in shortest forms. What JSON cannot say (bytes, NaN, keys that
/// are no text) comes back as text: the caller compares. RETURNS kCorruption for any other text.
Status AppendMessagePackOfJson(ByteView json, std::string& out);

/// Whether `text` is well-formed UTF-8 (no surrogates, no overlong forms).
bool IsUtf8(ByteView text);

}  // namespace lamina::backtests
