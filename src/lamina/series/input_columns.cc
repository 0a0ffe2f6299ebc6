#include "lamina/series/input_columns.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <string>
#include <utility>

#include <arrow/api.h>
#include <arrow/util/decimal.h>

#include "lamina/base/near_names.h"
#include "lamina/table/arrow_status.h"

namespace lamina::series {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Error WrongType(std::string_view name, const arrow::DataType& type, std::string_view wanted) {
  return Unsupported("column `" + std::string(name) + "` is " + type.ToString() + "; it must be " +
                     std::string(wanted));
}

std::string RowOf(std::string_view name, std::int64_t row) {
  return "column `" + std::string(name) + "` row " + std::to_string(row);
}

Error OutsideNanos(std::string_view name, std::int64_t row) {
  return InvalidArgument(RowOf(name, row) +
                         " is outside the years 1677 to 2262 that nanoseconds hold");
}

Status CheckNoNull(const arrow::Array& column, std::string_view name, std::int64_t first_row) {
  if (column.null_count() == 0) return Ok();
  for (std::int64_t row = 0; row < column.length(); ++row) {
    if (column.IsNull(row)) {
      return InvalidArgument(RowOf(name, first_row + row) + " is NULL; every row needs a value");
    }
  }
  return Ok();
}

template <class ArrowType>
Result<Stamps> WidenIntegers(const arrow::Array& column) {
  const auto& typed = static_cast<const arrow::NumericArray<ArrowType>&>(column);
  Stamps stamps;
  stamps.own.reserve(static_cast<std::size_t>(column.length()));
  for (std::int64_t row = 0; row < column.length(); ++row) {
    stamps.own.push_back(static_cast<std::int64_t>(typed.Value(row)));
  }
  stamps.view = stamps.own;
  return stamps;
}

/// int64 or timestamps as they lie in memory.
Stamps SharedIntegers(const std::shared_ptr<arrow::Array>& column) {
  const auto& data = *column->data();
  Stamps stamps;
  stamps.shared = column;
  stamps.view = {data.GetValues<std::int64_t>(1), static_cast<std::size_t>(column->length())};
  return stamps;
}

template <class ArrowType>
Result<Numbers> Widen(const arrow::Array& column, std::string_view name, std::int64_t first_row) {
  using Value = typename ArrowType::c_type;
  const auto& typed = static_cast<const arrow::NumericArray<ArrowType>&>(column);
  Numbers numbers;
  numbers.own.resize(static_cast<std::size_t>(column.length()), kNone);
  for (std::int64_t row = 0; row < column.length(); ++row) {
    if (column.IsNull(row)) continue;
    const Value value = typed.Value(row);
    if constexpr (sizeof(Value) == 8 && std::is_integral_v<Value>) {
      constexpr Value kExact = Value{1} << 53;
      bool exact = value <= kExact;
      if constexpr (std::is_signed_v<Value>) exact = exact && value >= -kExact;
      if (!exact) {
        return InvalidArgument(RowOf(name, first_row + row) + " holds " + std::to_string(value) +
                               ", which a double cannot hold exactly");
      }
    }
    numbers.own[static_cast<std::size_t>(row)] = static_cast<double>(value);
  }
  numbers.view = numbers.own;
  return numbers;
}

Result<Numbers> DoublesOf(const std::shared_ptr<arrow::Array>& column) {
  const auto& typed = static_cast<const arrow::DoubleArray&>(*column);
  Numbers numbers;
  if (column->null_count() == 0) {
    numbers.shared = column;
    numbers.view = {typed.raw_values(), static_cast<std::size_t>(column->length())};
    return numbers;
  }
  numbers.own.assign(typed.raw_values(), typed.raw_values() + column->length());
  for (std::int64_t row = 0; row < column->length(); ++row) {
    if (column->IsNull(row)) numbers.own[static_cast<std::size_t>(row)] = kNone;
  }
  numbers.view = numbers.own;
  return numbers;
}

/// Correctly rounded: what reading the decimal as text gives. (Arrow's own cast is one unit off for
/// many values.) A quotient of two doubles that are exact is rounded once.
double NearestDouble(const arrow::Decimal128& value, std::int32_t scale) {
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  const auto low = static_cast<std::int64_t>(value.low_bits());
  const bool small = value.high_bits() == (low < 0 ? -1 : 0) && low >= -kExact && low <= kExact;
  if (small && scale >= 0 && scale < static_cast<std::int32_t>(std::size(kPowers))) {
    return static_cast<double>(low) / kPowers[scale];
  }
  const std::string text = value.ToString(scale);
  double nearest = kNone;
  std::from_chars(text.data(), text.data() + text.size(), nearest);
  return nearest;
}

Result<Numbers> DecimalsOf(const arrow::Array& column) {
  const auto& typed = static_cast<const arrow::Decimal128Array&>(column);
  const std::int32_t scale = static_cast<const arrow::Decimal128Type&>(*column.type()).scale();
  Numbers numbers;
  numbers.own.resize(static_cast<std::size_t>(column.length()), kNone);
  for (std::int64_t row = 0; row < column.length(); ++row) {
    if (column.IsNull(row)) continue;
    numbers.own[static_cast<std::size_t>(row)] =
        NearestDouble(arrow::Decimal128(typed.GetValue(row)), scale);
  }
  numbers.view = numbers.own;
  return numbers;
}

}  // namespace

Result<Stamps> ReadStamps(const std::shared_ptr<arrow::Array>& column, std::string_view name,
                          std::int64_t first_row) {
  LAMINA_TRY(CheckNoNull(*column, name, first_row));
  if (column->type_id() == arrow::Type::INT64) return SharedIntegers(column);
  if (column->type_id() == arrow::Type::NA) return Stamps{};
  if (column->type_id() == arrow::Type::DATE32) {
    Stamps stamps;
    const auto* days = column->data()->GetValues<std::int32_t>(1);
    for (std::int64_t row = 0; row < column->length(); ++row) {
      if (__builtin_mul_overflow(std::int64_t{days[row]}, 86'400'000'000'000LL,
                                 &stamps.own.emplace_back())) {
        return OutsideNanos(name, first_row + row);
      }
    }
    stamps.view = stamps.own;
    return stamps;
  }
  if (column->type_id() != arrow::Type::TIMESTAMP) {
    return WrongType(name, *column->type(), "int64 (UTC nanoseconds), a timestamp or a date");
  }
  Stamps stamps = SharedIntegers(column);
  std::int64_t factor = 1;
  switch (static_cast<const arrow::TimestampType&>(*column->type()).unit()) {
    case arrow::TimeUnit::NANO:
      return stamps;
    case arrow::TimeUnit::MICRO:
      factor = 1000;
      break;
    case arrow::TimeUnit::MILLI:
      factor = 1'000'000;
      break;
    case arrow::TimeUnit::SECOND:
      factor = 1'000'000'000;
      break;
  }
  stamps.own.resize(stamps.view.size());
  for (std::size_t row = 0; row < stamps.view.size(); ++row) {
    if (__builtin_mul_overflow(stamps.view[row], factor, &stamps.own[row])) {
      return OutsideNanos(name, first_row + static_cast<std::int64_t>(row));
    }
  }
  stamps.view = stamps.own;
  stamps.shared.reset();
  return stamps;
}

Result<Stamps> ReadIntegers(const std::shared_ptr<arrow::Array>& column, std::string_view name,
                            std::int64_t first_row) {
  LAMINA_TRY(CheckNoNull(*column, name, first_row));
  switch (column->type_id()) {
    case arrow::Type::INT64:
      return SharedIntegers(column);
    case arrow::Type::INT32:
      return WidenIntegers<arrow::Int32Type>(*column);
    case arrow::Type::INT16:
      return WidenIntegers<arrow::Int16Type>(*column);
    case arrow::Type::INT8:
      return WidenIntegers<arrow::Int8Type>(*column);
    case arrow::Type::UINT32:
      return WidenIntegers<arrow::UInt32Type>(*column);
    case arrow::Type::UINT16:
      return WidenIntegers<arrow::UInt16Type>(*column);
    case arrow::Type::UINT8:
      return WidenIntegers<arrow::UInt8Type>(*column);
    case arrow::Type::TIMESTAMP:
      return ReadStamps(column, name, first_row);
    default:
      return WrongType(name, *column->type(),
                       "a column of integers of at most 64 bits with a sign");
  }
}

Result<Numbers> ReadNumbers(const std::shared_ptr<arrow::Array>& column, std::string_view name,
                            std::int64_t first_row) {
  switch (column->type_id()) {
    case arrow::Type::DOUBLE:
      return DoublesOf(column);
    case arrow::Type::FLOAT:
      return Widen<arrow::FloatType>(*column, name, first_row);
    case arrow::Type::INT8:
      return Widen<arrow::Int8Type>(*column, name, first_row);
    case arrow::Type::INT16:
      return Widen<arrow::Int16Type>(*column, name, first_row);
    case arrow::Type::INT32:
      return Widen<arrow::Int32Type>(*column, name, first_row);
    case arrow::Type::INT64:
      return Widen<arrow::Int64Type>(*column, name, first_row);
    case arrow::Type::UINT8:
      return Widen<arrow::UInt8Type>(*column, name, first_row);
    case arrow::Type::UINT16:
      return Widen<arrow::UInt16Type>(*column, name, first_row);
    case arrow::Type::UINT32:
      return Widen<arrow::UInt32Type>(*column, name, first_row);
    case arrow::Type::UINT64:
      return Widen<arrow::UInt64Type>(*column, name, first_row);
    case arrow::Type::DECIMAL128:
      return DecimalsOf(*column);
    case arrow::Type::NA: {
      Numbers numbers;
      numbers.own.assign(static_cast<std::size_t>(column->length()), kNone);
      numbers.view = numbers.own;
      return numbers;
    }
    default:
      return WrongType(name, *column->type(), "a column of numbers");
  }
}

// ---- names -------------------------------------------------------------------------------------

Result<int> ColumnIndex(const arrow::Schema& schema, std::string_view name, std::string_view role) {
  const std::vector<int> found = schema.GetAllFieldIndices(std::string(name));
  if (found.size() == 1) return found[0];
  if (found.size() > 1) {
    return InvalidArgument("column `" + std::string(name) + "` is there " +
                           std::to_string(found.size()) + " times");
  }
  std::string all;
  for (const auto& field : schema.fields()) all += (all.empty() ? "" : ", ") + field->name();
  return InvalidArgument("no column `" + std::string(name) + "` for the " + std::string(role) +
                         DidYouMean(name, schema.field_names()) + "; there are: " + all);
}

int FirstColumnOf(const arrow::Schema& schema, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::vector<int> found = schema.GetAllFieldIndices(name);
    if (found.size() == 1) return found[0];
  }
  return -1;
}

Result<int> ChooseColumn(const arrow::Schema& schema, const std::string& name,
                         const std::vector<std::string>& usual, std::string_view role,
                         bool required) {
  if (!name.empty()) return ColumnIndex(schema, name, role);
  const int found = FirstColumnOf(schema, usual);
  if (found >= 0 || !required) return found;
  LAMINA_TRY(ColumnIndex(schema, usual[0], role));
  return found;
}

const std::vector<std::string>& UsualTimeColumns() {
  static const std::vector<std::string> names{"ts_ns", "timestamp", "ts_event", "ts",
                                              "time",  "datetime",  "date"};
  return names;
}

// ---- output ------------------------------------------------------------------------------------

Result<std::shared_ptr<arrow::Array>> NumberColumn(std::vector<double> values) {
  arrow::DoubleBuilder builder;
  const std::string what = "building a column";
  const auto rows = static_cast<std::int64_t>(values.size());
  if (std::none_of(values.begin(), values.end(), [](double value) { return value != value; })) {
    return std::shared_ptr<arrow::Array>(
        std::make_shared<arrow::DoubleArray>(rows, arrow::Buffer::FromVector(std::move(values))));
  }
  LAMINA_ARROW(builder.Reserve(rows), what);
  for (const double value : values) {
    if (value != value) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(value);
    }
  }
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Array> column, builder.Finish(), what);
  return column;
}

std::shared_ptr<arrow::Array> IntegerColumn(std::vector<std::int64_t> values, bool stamps) {
  const auto rows = static_cast<std::int64_t>(values.size());
  const auto type = stamps ? arrow::timestamp(arrow::TimeUnit::NANO, "UTC") : arrow::int64();
  return arrow::MakeArray(arrow::ArrayData::Make(
      type, rows, {nullptr, arrow::Buffer::FromVector(std::move(values))}, 0));
}

}  // namespace lamina::series
