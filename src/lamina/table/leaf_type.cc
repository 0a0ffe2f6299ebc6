#include "lamina/table/leaf_type.h"

#include <parquet/schema.h>
#include <parquet/types.h>

namespace lamina::table {
namespace {

using parquet::LogicalType;
using parquet::Type;

/// INT32 without a logical type or as a signed 32-bit integer.
bool IsPlainInteger(const LogicalType& logical, int bits) {
  if (logical.is_none()) return true;
  if (!logical.is_int()) return false;
  const auto& integer = static_cast<const parquet::IntLogicalType&>(logical);
  return integer.is_signed() && integer.bit_width() == bits;
}

std::optional<LakeType> FlatType(const parquet::ColumnDescriptor& leaf) {
  const LogicalType& logical = *leaf.logical_type();
  switch (leaf.physical_type()) {
    case Type::BOOLEAN:
      return LakeType::kBoolean;
    case Type::INT32:
      if (logical.is_date()) return LakeType::kDate;
      if (IsPlainInteger(logical, 32)) return LakeType::kInt32;
      break;
    case Type::INT64:
      if (logical.is_timestamp()) {
        const auto& timestamp = static_cast<const parquet::TimestampLogicalType&>(logical);
        if (timestamp.time_unit() != LogicalType::TimeUnit::MICROS) break;
        return timestamp.is_adjusted_to_utc() ? LakeType::kTimestampTz : LakeType::kTimestamp;
      }
      if (IsPlainInteger(logical, 64)) return LakeType::kInt64;
      break;
    case Type::DOUBLE:
      return LakeType::kDouble;
    case Type::BYTE_ARRAY:
      if (logical.is_string()) return LakeType::kVarchar;
      if (logical.is_none()) return LakeType::kBlob;
      break;
    case Type::FIXED_LEN_BYTE_ARRAY:
      if (logical.is_UUID() && leaf.type_length() == 16) return LakeType::kUuid;
      break;
    default:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<LakeType> LeafLakeType(const parquet::ColumnDescriptor& leaf) {
  const auto flat = FlatType(leaf);
  if (leaf.max_repetition_level() == 0) {
    const bool top_level = leaf.schema_node()->parent() != nullptr &&
                           leaf.schema_node()->parent()->parent() == nullptr;
    return top_level ? flat : std::nullopt;
  }
  const parquet::schema::Node* repeated = leaf.schema_node()->parent();
  const parquet::schema::Node* list = repeated == nullptr ? nullptr : repeated->parent();
  const bool shape = leaf.max_repetition_level() == 1 && list != nullptr &&
                     repeated->is_repeated() && !leaf.schema_node()->is_repeated() &&
                     list->logical_type() != nullptr && list->logical_type()->is_list() &&
                     list->parent() != nullptr && list->parent()->parent() == nullptr;
  if (!shape || flat != LakeType::kInt32) return std::nullopt;
  return LakeType::kInt32List;
}

}  // namespace lamina::table
