#include "lamina/dataset/convert_column.h"

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <arrow/api.h>

#include "lamina/base/time.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"

namespace lamina::dataset {
namespace {

using arrow::Type;
using table::LakeType;
using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr double kExactMax = 9007199254740992.0;  // 2^53: above it doubles skip whole numbers
constexpr std::int64_t kExactMaxInt = std::int64_t{1} << 53;
// Nanoseconds reach from 1677-09-21 to 2262-04-11; whole years of that.
const std::int64_t kMicrosMin = DaysFromCivil({1678, 1, 1}) * 86'400'000'000;
const std::int64_t kMicrosMax = DaysFromCivil({2262, 1, 1}) * 86'400'000'000;

struct Place {
  const std::string& name;

  Error Bad(std::int64_t row, const std::string& why) const {
    return InvalidArgument("column '" + name + "', row " + std::to_string(row) + ": " + why);
  }
  Error BadType(const arrow::DataType& type, std::string_view wanted) const {
    return InvalidArgument("column '" + name + "' has type " + type.ToString() + "; it must be " +
                           std::string(wanted));
  }
};

Result<ArrayPtr> Decoded(const ArrayPtr& array) {
  if (array->type_id() != Type::DICTIONARY) return array;
  const auto& words = static_cast<const arrow::DictionaryArray&>(*array);
  LAMINA_ARROW_ASSIGN(auto builder, arrow::MakeBuilder(words.dictionary()->type()), "decoding");
  for (std::int64_t row = 0; row < words.length(); ++row) {
    if (words.IsNull(row)) {
      LAMINA_ARROW(builder->AppendNull(), "decoding");
      continue;
    }
    LAMINA_ARROW(
        builder->AppendArraySlice(*words.dictionary()->data(), words.GetValueIndex(row), 1),
        "decoding");
  }
  LAMINA_ARROW_ASSIGN(ArrayPtr plain, builder->Finish(), "decoding");
  return plain;
}

template <class ArrayType, class Builder, class Convert>
Result<ArrayPtr> Each(const arrow::Array& array, std::shared_ptr<arrow::DataType> type,
                      const Convert& convert) {
  const auto& values = static_cast<const ArrayType&>(array);
  Builder builder(std::move(type), arrow::default_memory_pool());
  LAMINA_ARROW(builder.Reserve(array.length()), "converting");
  for (std::int64_t row = 0; row < array.length(); ++row) {
    if (values.IsNull(row)) {
      builder.UnsafeAppendNull();
      continue;
    }
    LAMINA_ASSIGN(const auto value, convert(row, values.GetView(row)));
    builder.UnsafeAppend(value);
  }
  LAMINA_ARROW_ASSIGN(ArrayPtr made, builder.Finish(), "converting");
  return made;
}

/// Calls `visit` with a null pointer of the Arrow array class of an integer type.
template <class Visit>
std::optional<Result<ArrayPtr>> ForIntegers(Type::type id, const Visit& visit) {
  switch (id) {
    case Type::INT8:
      return visit(static_cast<arrow::Int8Array*>(nullptr));
    case Type::INT16:
      return visit(static_cast<arrow::Int16Array*>(nullptr));
    case Type::INT32:
      return visit(static_cast<arrow::Int32Array*>(nullptr));
    case Type::INT64:
      return visit(static_cast<arrow::Int64Array*>(nullptr));
    case Type::UINT8:
      return visit(static_cast<arrow::UInt8Array*>(nullptr));
    case Type::UINT16:
      return visit(static_cast<arrow::UInt16Array*>(nullptr));
    case Type::UINT32:
      return visit(static_cast<arrow::UInt32Array*>(nullptr));
    case Type::UINT64:
      return visit(static_cast<arrow::UInt64Array*>(nullptr));
    default:
      return std::nullopt;
  }
}

Result<ArrayPtr> ToDouble(const ArrayPtr& array, const Place& place) {
  if (array->type_id() == Type::DOUBLE) return array;
  if (array->type_id() == Type::FLOAT) {
    return Each<arrow::FloatArray, arrow::DoubleBuilder>(
        *array, arrow::float64(),
        [](std::int64_t, float value) -> Result<double> { return double{value}; });
  }
  if (array->type_id() == Type::DECIMAL128) {
    const auto scale = static_cast<const arrow::Decimal128Type&>(*array->type()).scale();
    return Each<arrow::Decimal128Array, arrow::DoubleBuilder>(
        *array, arrow::float64(), [&](std::int64_t, std::string_view bytes) -> Result<double> {
          const arrow::Decimal128 value(reinterpret_cast<const std::uint8_t*>(bytes.data()));
          // By the digits: only reading text rounds once.
          return std::stod(value.ToString(scale));
        });
  }
  auto whole = ForIntegers(array->type_id(), [&]<class T>(T*) {
    return Each<T, arrow::DoubleBuilder>(
        *array, arrow::float64(), [&](std::int64_t row, auto value) -> Result<double> {
          const bool exact = std::cmp_less_equal(value, kExactMaxInt) &&
                             std::cmp_greater_equal(value, -kExactMaxInt);
          if (!exact) return place.Bad(row, "a double cannot hold " + std::to_string(value));
          return static_cast<double>(value);
        });
  });
  if (whole) return *std::move(whole);
  return place.BadType(*array->type(), "numbers");
}

template <class Builder, class Whole>
Result<ArrayPtr> ToWhole(const ArrayPtr& array, const Place& place,
                         const std::shared_ptr<arrow::DataType>& type) {
  if (array->type()->Equals(*type)) return array;
  const auto narrow = [&](std::int64_t row, double value) -> Result<Whole> {
    if (!(std::fabs(value) <= kExactMax) || value != std::floor(value) ||
        value < static_cast<double>(std::numeric_limits<Whole>::min()) ||
        value > static_cast<double>(std::numeric_limits<Whole>::max())) {
      return place.Bad(row, "floating-point " + std::to_string(value) +
                                " is no whole number that is known exactly");
    }
    return static_cast<Whole>(value);
  };
  // pandas spells a missing whole number as NaN.
  if (array->type_id() == Type::DOUBLE) {
    Builder builder(type, arrow::default_memory_pool());
    const auto& values = static_cast<const arrow::DoubleArray&>(*array);
    for (std::int64_t row = 0; row < values.length(); ++row) {
      if (values.IsNull(row) || std::isnan(values.Value(row))) {
        LAMINA_ARROW(builder.AppendNull(), "converting");
        continue;
      }
      LAMINA_ASSIGN(const Whole value, narrow(row, values.Value(row)));
      LAMINA_ARROW(builder.Append(value), "converting");
    }
    LAMINA_ARROW_ASSIGN(ArrayPtr made, builder.Finish(), "converting");
    return made;
  }
  auto whole = ForIntegers(array->type_id(), [&]<class T>(T*) {
    return Each<T, Builder>(*array, type, [&](std::int64_t row, auto value) -> Result<Whole> {
      if (!std::in_range<Whole>(value)) {
        return place.Bad(row, std::to_string(value) + " does not fit " + type->ToString());
      }
      return static_cast<Whole>(value);
    });
  });
  if (whole) return *std::move(whole);
  return place.BadType(*array->type(), "whole numbers");
}

Result<ArrayPtr> ToText(const ArrayPtr& array, const Place& place) {
  const auto same = [](std::int64_t, std::string_view text) -> Result<std::string_view> {
    return text;
  };
  const auto convert = [&]<class T>(T*) -> Result<ArrayPtr> {
    arrow::StringBuilder builder;
    const auto& values = static_cast<const T&>(*array);
    for (std::int64_t row = 0; row < values.length(); ++row) {
      if (values.IsNull(row)) {
        LAMINA_ARROW(builder.AppendNull(), "converting");
        continue;
      }
      LAMINA_ASSIGN(const std::string_view text, same(row, values.GetView(row)));
      LAMINA_ARROW(builder.Append(text), "converting");
    }
    LAMINA_ARROW_ASSIGN(ArrayPtr made, builder.Finish(), "converting");
    return made;
  };
  switch (array->type_id()) {
    case Type::STRING:
      return array;
    case Type::LARGE_STRING:
      return convert(static_cast<arrow::LargeStringArray*>(nullptr));
    case Type::STRING_VIEW:
      return convert(static_cast<arrow::StringViewArray*>(nullptr));
    default:
      return place.BadType(*array->type(), "text");
  }
}

Result<ArrayPtr> ToTime(const ArrayPtr& array, const Place& place, bool zoned, bool assume_utc) {
  if (array->type_id() != Type::TIMESTAMP) {
    return place.BadType(*array->type(), "times (timestamps with a zone)");
  }
  const auto& type = static_cast<const arrow::TimestampType&>(*array->type());
  if (zoned && type.timezone().empty() && !assume_utc) {
    return InvalidArgument("column '" + place.name +
                           "' has times without a zone; say which zone they are in, or that they "
                           "are UTC");
  }
  std::int64_t up = 1, down = 1;
  switch (type.unit()) {
    case arrow::TimeUnit::SECOND:
      up = 1'000'000;
      break;
    case arrow::TimeUnit::MILLI:
      up = 1000;
      break;
    case arrow::TimeUnit::MICRO:
      break;
    case arrow::TimeUnit::NANO:
      down = 1000;
      break;
  }
  const auto target = table::ArrowType(zoned ? LakeType::kTimestampTz : LakeType::kTimestamp);
  return Each<arrow::TimestampArray, arrow::TimestampBuilder>(
      *array, target, [&](std::int64_t row, std::int64_t value) -> Result<std::int64_t> {
        if (value % down != 0) {
          return place.Bad(row, "the time has " + std::to_string(value % down) +
                                    " ns below a microsecond, which would be lost");
        }
        std::int64_t micros = value / down;
        if (__builtin_mul_overflow(micros, up, &micros) || micros < kMicrosMin ||
            micros >= kMicrosMax) {
          return place.Bad(row, "the time is outside the years 1678 to 2261");
        }
        return micros;
      });
}

}  // namespace

Result<ArrayPtr> ConvertColumn(const arrow::ChunkedArray& column, const std::string& name,
                               LakeType type, bool assume_utc) {
  LAMINA_ASSIGN(ArrayPtr array, table::CombineColumn(column));
  LAMINA_ASSIGN(array, Decoded(array));
  const Place place{name};
  if (array->type_id() == Type::NA) {
    LAMINA_ARROW_ASSIGN(ArrayPtr nulls,
                        arrow::MakeArrayOfNull(table::ArrowType(type), array->length()),
                        "converting");
    return nulls;
  }
  switch (type) {
    case LakeType::kDouble:
      return ToDouble(array, place);
    case LakeType::kInt64:
      return ToWhole<arrow::Int64Builder, std::int64_t>(array, place, arrow::int64());
    case LakeType::kInt32:
      return ToWhole<arrow::Int32Builder, std::int32_t>(array, place, arrow::int32());
    case LakeType::kVarchar:
      return ToText(array, place);
    case LakeType::kTimestampTz:
      return ToTime(array, place, true, assume_utc);
    case LakeType::kTimestamp:
      return ToTime(array, place, false, assume_utc);
    default:
      if (array->type()->Equals(*table::ArrowType(type))) return array;
      return place.BadType(*array->type(), table::ArrowType(type)->ToString());
  }
}

Result<LakeType> InferType(const arrow::DataType& type, const std::string& name) {
  if (arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
      type.id() == Type::DECIMAL128) {
    return LakeType::kDouble;
  }
  switch (type.id()) {
    case Type::BOOL:
      return LakeType::kBoolean;
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
    case Type::DICTIONARY:
      return LakeType::kVarchar;
    case Type::TIMESTAMP:
      return LakeType::kTimestampTz;
    default:
      return Unsupported("column '" + name + "' has type " + type.ToString() +
                         ", which a dataset cannot hold");
  }
}

std::int64_t CountNans(const arrow::Array& column) {
  if (column.type_id() != Type::DOUBLE) return 0;
  const auto& values = static_cast<const arrow::DoubleArray&>(column);
  std::int64_t count = 0;
  for (std::int64_t row = 0; row < values.length(); ++row) {
    count += values.IsValid(row) && std::isnan(values.Value(row)) ? 1 : 0;
  }
  return count;
}

}  // namespace lamina::dataset
