#include "lamina/table/lake_type.h"

#include <array>
#include <charconv>
#include <utility>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>

namespace lamina::table {
namespace {

constexpr const char* kFieldIdKey = "PARQUET:field_id";

constexpr std::array<std::pair<LakeType, std::string_view>, 11> kNames = {{
    {LakeType::kBoolean, "boolean"},
    {LakeType::kInt32, "int32"},
    {LakeType::kInt64, "int64"},
    {LakeType::kDouble, "float64"},
    {LakeType::kVarchar, "varchar"},
    {LakeType::kBlob, "blob"},
    {LakeType::kDate, "date"},
    {LakeType::kTimestamp, "timestamp"},
    {LakeType::kTimestampTz, "timestamptz"},
    {LakeType::kUuid, "uuid"},
    {LakeType::kInt32List, "list"},
}};

std::shared_ptr<const arrow::KeyValueMetadata> FieldIdMetadata(std::int32_t field_id) {
  return arrow::key_value_metadata({kFieldIdKey}, {std::to_string(field_id)});
}

}  // namespace

std::string_view LakeTypeName(LakeType type) {
  return kNames[static_cast<std::size_t>(type)].second;
}

Result<LakeType> LakeTypeFromName(std::string_view name) {
  for (const auto& [type, spelling] : kNames) {
    if (spelling == name) return type;
  }
  return Unsupported("column type '" + std::string(name) + "' is not one that lake tables have");
}

std::shared_ptr<arrow::DataType> ArrowType(LakeType type) {
  switch (type) {
    case LakeType::kBoolean:
      return arrow::boolean();
    case LakeType::kInt32:
      return arrow::int32();
    case LakeType::kInt64:
      return arrow::int64();
    case LakeType::kDouble:
      return arrow::float64();
    case LakeType::kVarchar:
      return arrow::utf8();
    case LakeType::kBlob:
      return arrow::binary();
    case LakeType::kDate:
      return arrow::date32();
    case LakeType::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    case LakeType::kTimestampTz:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case LakeType::kUuid:
      return arrow::extension::uuid();
    case LakeType::kInt32List:
      return arrow::list(arrow::field("element", arrow::int32()));
  }
  return arrow::null();
}

Result<LakeType> LakeTypeOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return LakeType::kBoolean;
    case arrow::Type::INT32:
      return LakeType::kInt32;
    case arrow::Type::INT64:
      return LakeType::kInt64;
    case arrow::Type::DOUBLE:
      return LakeType::kDouble;
    case arrow::Type::STRING:
      return LakeType::kVarchar;
    case arrow::Type::BINARY:
      return LakeType::kBlob;
    case arrow::Type::DATE32:
      return LakeType::kDate;
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      if (timestamp.unit() != arrow::TimeUnit::MICRO) break;
      if (timestamp.timezone().empty()) return LakeType::kTimestamp;
      if (timestamp.timezone() == "UTC") return LakeType::kTimestampTz;
      break;
    }
    case arrow::Type::EXTENSION:
      if (static_cast<const arrow::ExtensionType&>(type).extension_name() == "arrow.uuid") {
        return LakeType::kUuid;
      }
      break;
    case arrow::Type::LIST:
      if (static_cast<const arrow::ListType&>(type).value_type()->id() == arrow::Type::INT32) {
        return LakeType::kInt32List;
      }
      break;
    default:
      break;
  }
  return Unsupported("Arrow type " + type.ToString() + " is not one that lake tables have");
}

std::shared_ptr<arrow::Field> MakeField(std::string name, LakeType type, std::int32_t field_id,
                                        bool nullable) {
  auto data_type = type == LakeType::kInt32List
                       ? arrow::list(arrow::field("element", arrow::int32(), true,
                                                  FieldIdMetadata(field_id + 1)))
                       : ArrowType(type);
  return arrow::field(std::move(name), std::move(data_type), nullable, FieldIdMetadata(field_id));
}

Result<std::int32_t> FieldId(const arrow::Field& field) {
  const int at = field.metadata() == nullptr ? -1 : field.metadata()->FindKey(kFieldIdKey);
  if (at < 0) return InvalidArgument("column '" + field.name() + "' has no Parquet field id");
  const std::string& text = field.metadata()->value(at);
  std::int32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id < 0) {
    return InvalidArgument("column '" + field.name() + "' has the bad field id '" + text + "'");
  }
  return id;
}

}  // namespace lamina::table
