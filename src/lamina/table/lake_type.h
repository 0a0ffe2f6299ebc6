#pragma once

/// \file lamina/table/lake_type.h
/// The column types of lake tables, and how Arrow, Parquet and DuckLake spell each.
/// Pure functions; thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lamina/base/result.h"

namespace arrow {
class DataType;
class Field;
}  // namespace arrow

namespace lamina::table {

/// DuckLake name: boolean int32 int64 float64 varchar blob date timestamp timestamptz uuid, and
/// list (of int32: a DuckLake "list" column with one child column "element" of int32).
enum class LakeType : std::uint8_t {
  kBoolean,
  kInt32,
  kInt64,
  kDouble,
  kVarchar,
  kBlob,
  kDate,
  kTimestamp,    ///< microseconds, no zone
  kTimestampTz,  ///< microseconds, UTC
  kUuid,         ///< Arrow: arrow.uuid extension (16 bytes)
  kInt32List,    ///< takes two field ids: the list's, and its element's (list's + 1)
};

std::string_view LakeTypeName(LakeType type);
Result<LakeType> LakeTypeFromName(std::string_view name);
std::shared_ptr<arrow::DataType> ArrowType(LakeType type);
/// RETURNS kUnsupported for a type that no LakeType has.
Result<LakeType> LakeTypeOf(const arrow::DataType& type);

/// A field that carries its Parquet field id (= DuckLake column id).
std::shared_ptr<arrow::Field> MakeField(std::string name, LakeType type, std::int32_t field_id,
                                        bool nullable = true);
/// RETURNS kInvalidArgument when the field has no id.
Result<std::int32_t> FieldId(const arrow::Field& field);

}  // namespace lamina::table
