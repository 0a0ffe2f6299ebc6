#pragma once

/// \file lamina/backtests/shape_list.h
/// The key lists of a skeleton: of maps in its body and of records in columns. Like documents have
/// the same ones, so they are a chunk of their own. ShapeList is thread-compatible.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "lamina/backtests/skeleton.h"
#include "lamina/base/result.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {

/// Extension type in front of the values of a map whose keys are in the list; payload as of parts.
inline constexpr std::int8_t kShapeExtension = 0x4d;

class ShapeList {
 public:
  /// The number of a map's keys, added when they are new.
  std::uint32_t AddMap(const bundle::Value& map);
  /// The number of the keys, codecs and columns of `fields`.
  std::uint32_t AddFields(const std::vector<FieldPart>& fields);

  std::string Encode() const;
  static Result<ShapeList> Decode(ByteView bytes);

  std::size_t size() const { return entries_.size(); }
  /// Encoded keys. RETURNS kCorruption unless entry `number` is a map's.
  Result<const std::vector<std::string>*> Keys(std::uint32_t number) const;
  /// Fields without forms. RETURNS kCorruption unless entry `number` is of records.
  Result<std::vector<FieldPart>> Fields(std::uint32_t number) const;

 private:
  struct Entry {
    bool records = false;
    std::vector<std::string> keys;
    std::vector<FieldPart> fields;
  };
  std::uint32_t Add(std::string encoded);

  std::vector<std::string> encoded_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<Entry> entries_;
};

/// `value` with its maps of eight or more plain keys written as `[shape, value, …]`.
void PackMaps(const bundle::Value& value, ShapeList& shapes, std::string& out);
/// The inverse. RETURNS kCorruption.
Status UnpackMaps(const bundle::Value& value, const ShapeList& shapes, std::string& out);

}  // namespace lamina::backtests
