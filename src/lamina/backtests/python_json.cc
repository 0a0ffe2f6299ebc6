#include "lamina/backtests/python_json.h"

#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lamina::backtests {
namespace {

using bundle::Kind;
using bundle::Value;

/// Python's repr of a bytes object.
std::string BytesText(ByteView bytes) {
  const bool has_single = bytes.find('\'') != ByteView::npos;
  const char quote = has_single && bytes.find('"') == ByteView::npos ? '"' : '\'';
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string out = "b";
  out += quote;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte >= 0x7f) {
      out += "\\x";
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 0xf];
    } else {
      out += c;
    }
  }
  out += quote;
  return out;
}

/// Pairs of a map as a Python dict keeps them.
std::vector<std::pair<Value, Value>> UniquePairs(Value map) {
  std::vector<std::pair<Value, Value>> pairs;
  pairs.reserve(map.size());
  std::unordered_map<ByteView, std::size_t> places;
  if (map.size() > 1) places.reserve(map.size());
  for (const auto entry : map.entries()) {
    if (map.size() > 1) {
      const auto [place, added] = places.try_emplace(entry.key.raw(), pairs.size());
      if (!added) {
        pairs[place->second].second = entry.value;
        continue;
      }
    }
    pairs.emplace_back(entry.key, entry.value);
  }
  return pairs;
}

}  // namespace

void WriteValue(JsonWriter& json, Value value) {
  switch (value.kind()) {
    case Kind::kNil:
      return json.Null();
    case Kind::kBool:
      return json.Bool(value.AsBool());
    case Kind::kInt:
      return json.Int(value.AsInt());
    case Kind::kUint:
      return json.Uint(value.AsUint());
    case Kind::kFloat32:
    case Kind::kFloat64:
      return json.Double(value.AsDouble());
    case Kind::kString:
      return json.String(value.AsString());
    case Kind::kBinary:
      return json.String(BytesText(value.AsBinary()));
    case Kind::kExtension:  // msgpack's ExtType is a named tuple (code, data)
      json.BeginArray();
      json.Int(value.extension_type());
      json.String(BytesText(value.AsBinary()));
      return json.EndArray();
    case Kind::kArray:
      json.BeginArray();
      for (const Value item : value.items()) WriteValue(json, item);
      return json.EndArray();
    case Kind::kMap:
      json.BeginObject();
      for (const auto& [key, item] : UniquePairs(value)) {
        json.Key(MemberName(key));
        WriteValue(json, item);
      }
      return json.EndObject();
  }
}

std::string PythonJson(Value value) {
  std::string out;
  JsonWriter json(out, JsonStyle::Python());
  WriteValue(json, value);
  return out;
}

std::string MemberName(Value key) {
  if (key.is_string()) return std::string(key.AsString());
  if (key.kind() == Kind::kBinary) return BytesText(key.AsBinary());
  return PythonJson(key);
}

}  // namespace lamina::backtests
