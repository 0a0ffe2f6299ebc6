#pragma once

/// \file lamina/base/json.h
/// Write JSON text. Reading is simdjson's. JsonWriter is thread-compatible; functions are pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace lamina {

struct JsonStyle {
  enum class NonFinite : std::uint8_t {
    kNull,  ///< `null`: valid JSON, for display
    kBare,  ///< `NaN`, `Infinity`, `-Infinity`, as Python reads and writes them
  };
  NonFinite non_finite = NonFinite::kNull;
  /// The bytes of Python's `json.dumps`: ", " and ": ", `\uXXXX` for everything outside printable
  /// ASCII, floats by their repr. Otherwise no blanks, UTF-8 as it is, shortest floats (`5`).
  bool python_style = false;

  static constexpr JsonStyle Python() { return {NonFinite::kBare, true}; }
};

/// Appends one JSON value to `out`, which must outlive the writer. Commas and colons are its work;
/// that Begin and End match, and that a Key stands before each value of an object, is the caller's.
/// A string that is not UTF-8 gets U+FFFD for each bad byte: what is to be kept exactly is checked
/// with ValidUtf8 first.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out, JsonStyle style = {}) : out_(out), style_(style) {}

  void BeginObject() { Begin('{'); }
  void EndObject() { End('}'); }
  void BeginArray() { Begin('['); }
  void EndArray() { End(']'); }
  void Key(std::string_view key);

  void String(std::string_view text);
  void Int(std::int64_t value);
  void Uint(std::uint64_t value);
  void Double(double value);
  void Bool(bool value) { Raw(value ? "true" : "false"); }
  void Null() { Raw("null"); }
  /// A value that is JSON text already.
  void Raw(std::string_view json);

 private:
  void Separate();
  void Begin(char bracket);
  void End(char bracket);

  std::string& out_;
  JsonStyle style_;
  bool first_ = true;  ///< no value yet at this level, or a key was just written
};

/// `text` with its quotes, as JsonWriter::String writes it.
std::string JsonQuoted(std::string_view text);

/// `repr(value)` of Python: shortest digits, `5.0`, `1e-05`, `1e+16`, `nan`, `inf`.
std::string PythonFloatRepr(double value);
void AppendPythonFloatRepr(std::string& out, double value);

bool ValidUtf8(std::string_view text);

}  // namespace lamina
