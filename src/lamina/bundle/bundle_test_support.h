#pragma once

/// \file lamina/bundle/bundle_test_support.h
/// The shared bundles as test input, and a document as the JSON text of its `.json` truth.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "lamina/base/hash.h"
#include "lamina/base/json.h"
#include "lamina/bundle/msgpack.h"

#ifndef LAMINA_SHARED_DIR
#  define LAMINA_SHARED_DIR "../shared"
#endif

namespace lamina::bundle::test {

inline std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::filesystem::path BundleFolder(const std::string& name) {
  return std::filesystem::path(LAMINA_SHARED_DIR) / "data" / "bundles" / name;
}

/// Every .iafbt and .obtf below, sorted.
inline std::vector<std::filesystem::path> BundlesIn(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code missing;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(BundleFolder(folder), missing)) {
    const auto suffix = entry.path().extension();
    if (suffix == ".iafbt" || suffix == ".obtf") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

inline std::string Golden(const std::string& name) {
  return ReadAll(BundleFolder("golden") / name);
}

/// Path below the bundles folder, for messages.
inline std::string NameOf(const std::filesystem::path& path) {
  return std::filesystem::relative(path, BundleFolder(""));
}

/// Kilobytes of the process at its largest.
inline long PeakKilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

inline void WriteTruthDouble(JsonWriter& json, std::uint64_t bits) {
  const double value = std::bit_cast<double>(bits);
  const std::string repr = PythonFloatRepr(value);
  if (repr != "nan" && repr != "inf" && repr != "-inf") return json.Raw(repr);
  json.BeginObject();
  json.Key("__float__");
  json.String(repr);
  if (repr == "nan") {
    std::string bytes;
    AppendBigEndian(bytes, bits);
    json.Key("bits");
    json.String(ToHex(bytes));
  }
  json.EndObject();
}

inline void WriteTruth(JsonWriter& json, const Value& value);

inline void WriteTruthMap(JsonWriter& json, const Value& map) {
  bool all_strings = true;
  for (const Value::Entry entry : map.entries()) all_strings &= entry.key.is_string();
  json.BeginObject();
  if (!all_strings) {
    json.Key("__map__");
    json.BeginArray();
  }
  for (const Value::Entry entry : map.entries()) {
    if (all_strings) {
      json.Key(entry.key.AsString());
      WriteTruth(json, entry.value);
      continue;
    }
    json.BeginArray();
    WriteTruth(json, entry.key);
    WriteTruth(json, entry.value);
    json.EndArray();
  }
  if (!all_strings) json.EndArray();
  json.EndObject();
}

/// As `bundles/golden/*.json` was written: key order kept, floats by repr, NaN and infinities
/// marked, maps with other keys as pairs, binaries as hash and length.
inline void WriteTruth(JsonWriter& json, const Value& value) {
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
      return WriteTruthDouble(json, std::bit_cast<std::uint64_t>(value.AsDouble()));
    case Kind::kString:
      return json.String(value.AsString());
    case Kind::kBinary:
    case Kind::kExtension:
      json.BeginObject();
      json.Key("__bytes_sha256__");
      json.String(Sha256(value.AsBinary()).Hex());
      json.Key("len");
      json.Uint(value.size());
      return json.EndObject();
    case Kind::kArray:
      json.BeginArray();
      for (const Value item : value.items()) WriteTruth(json, item);
      return json.EndArray();
    case Kind::kMap:
      return WriteTruthMap(json, value);
  }
}

/// Write `value` again, value by value.
inline void Rewrite(Writer& writer, const Value& value) {
  switch (value.kind()) {
    case Kind::kNil:
      return writer.Nil();
    case Kind::kBool:
      return writer.Bool(value.AsBool());
    case Kind::kInt:
      return writer.Int(value.AsInt());
    case Kind::kUint:
      return writer.Uint(value.AsUint());
    case Kind::kFloat32:
      return writer.Float32Bits(value.Float32Bits());
    case Kind::kFloat64:
      return writer.Double(value.AsDouble());
    case Kind::kString:
      return writer.String(value.AsString());
    case Kind::kBinary:
      return writer.Binary(value.AsBinary());
    case Kind::kExtension:
      return writer.Extension(value.extension_type(), value.AsBinary());
    case Kind::kArray:
      writer.ArrayHeader(value.size());
      for (const Value item : value.items()) Rewrite(writer, item);
      return;
    case Kind::kMap:
      writer.MapHeader(value.size());
      for (const Value::Entry entry : value.entries()) {
        Rewrite(writer, entry.key);
        Rewrite(writer, entry.value);
      }
      return;
  }
}

}  // namespace lamina::bundle::test
