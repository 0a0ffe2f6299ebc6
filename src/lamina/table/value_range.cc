#include "lamina/table/value_range.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <arrow/api.h>

#include "lamina/table/columns.h"

namespace lamina::table {
namespace {

Result<BoundValue> BoundFromScalar(const ColumnRange& range, const arrow::Scalar& scalar,
                                   LakeType type) {
  const auto wrong = [&] {
    return InvalidArgument("a bound of column '" + range.column + "' has type " +
                           scalar.type->ToString() + ", the column has " +
                           std::string(LakeTypeName(type)));
  };
  if (!scalar.is_valid) return InvalidArgument("a bound of column '" + range.column + "' is NULL");
  if (type == LakeType::kUuid) {
    const arrow::Scalar* storage = &scalar;
    if (scalar.type->id() == arrow::Type::EXTENSION) {
      storage = static_cast<const arrow::ExtensionScalar&>(scalar).value.get();
    }
    if (storage == nullptr || !storage->is_valid ||
        storage->type->id() != arrow::Type::FIXED_SIZE_BINARY) {
      return wrong();
    }
    const auto& bytes = static_cast<const arrow::FixedSizeBinaryScalar&>(*storage);
    if (bytes.value == nullptr || bytes.value->size() != 16) return wrong();
    return BoundValue(bytes.value->ToString());
  }
  if (!scalar.type->Equals(*ArrowType(type))) return wrong();
  switch (type) {
    case LakeType::kBoolean:
      return BoundValue(std::int64_t{static_cast<const arrow::BooleanScalar&>(scalar).value});
    case LakeType::kInt32:
      return BoundValue(std::int64_t{static_cast<const arrow::Int32Scalar&>(scalar).value});
    case LakeType::kDate:
      return BoundValue(std::int64_t{static_cast<const arrow::Date32Scalar&>(scalar).value});
    case LakeType::kInt64:
      return BoundValue(static_cast<const arrow::Int64Scalar&>(scalar).value);
    case LakeType::kTimestamp:
    case LakeType::kTimestampTz:
      return BoundValue(static_cast<const arrow::TimestampScalar&>(scalar).value);
    case LakeType::kDouble: {
      const double value = static_cast<const arrow::DoubleScalar&>(scalar).value;
      if (std::isnan(value))
        return InvalidArgument("a bound of column '" + range.column + "' is NaN");
      return BoundValue(value);
    }
    case LakeType::kVarchar:
    case LakeType::kBlob: {
      const auto& value = static_cast<const arrow::BaseBinaryScalar&>(scalar).value;
      return BoundValue(value == nullptr ? std::string() : value->ToString());
    }
    default:
      return wrong();
  }
}

template <class Inside>
void AppendRuns(const arrow::Array& array, std::int64_t first_row, RowRanges& out, Inside inside) {
  const std::int64_t length = array.length();
  const bool has_nulls = array.null_count() != 0;
  std::int64_t begin = -1;
  for (std::int64_t row = 0; row < length; ++row) {
    const bool in = inside(row) && (!has_nulls || array.IsValid(row));
    if (in && begin < 0) begin = row;
    if (!in && begin >= 0) {
      out.Append(first_row + begin, first_row + row);
      begin = -1;
    }
  }
  if (begin >= 0) out.Append(first_row + begin, first_row + length);
}

}  // namespace

Result<ValueRange> ValueRange::Make(const ColumnRange& range, LakeType type) {
  if (type == LakeType::kInt32List) {
    return Unsupported("column '" + range.column + "' holds lists; lists have no order");
  }
  ValueRange made;
  made.type_ = type;
  if (range.low != nullptr) {
    LAMINA_ASSIGN(made.low_, BoundFromScalar(range, *range.low, type));
  }
  if (range.high != nullptr) {
    LAMINA_ASSIGN(made.high_, BoundFromScalar(range, *range.high, type));
  }
  return made;
}

bool ValueRange::MayOverlap(const ColumnBounds& bounds) const {
  return !(low_.has_value() && bounds.high < *low_) && !(high_.has_value() && *high_ < bounds.low);
}

bool ValueRange::Holds(const ColumnBounds& bounds) const {
  if (type_ == LakeType::kDouble) return false;
  return !(low_.has_value() && bounds.low < *low_) && !(high_.has_value() && *high_ < bounds.high);
}

const BoundValue* ValueRange::Single() const {
  const bool single = type_ != LakeType::kDouble && low_.has_value() && low_ == high_;
  return single ? &*low_ : nullptr;
}

void ValueRange::MatchIndices(const arrow::Array& array, std::int64_t first_row,
                              RowRanges& out) const {
  const auto& indices = static_cast<const arrow::DictionaryArray&>(array);
  RowRanges entries;
  Match(*indices.dictionary(), 0, entries);
  std::vector<std::uint8_t> inside(static_cast<std::size_t>(indices.dictionary()->length()));
  for (const RowRange& range : entries.ranges()) {
    std::fill(inside.begin() + range.begin, inside.begin() + range.end, std::uint8_t{1});
  }
  if (indices.indices()->type_id() == arrow::Type::INT32) {  // what Parquet's reader gives
    const std::int32_t* values = indices.indices()->data()->GetValues<std::int32_t>(1);
    return AppendRuns(array, first_row, out, [&](std::int64_t row) {
      const auto index = static_cast<std::size_t>(values[row]);
      return index < inside.size() && inside[index] != 0;
    });
  }
  AppendRuns(array, first_row, out, [&](std::int64_t row) {
    const auto index = static_cast<std::size_t>(indices.GetValueIndex(row));
    return index < inside.size() && inside[index] != 0;
  });
}

void ValueRange::Match(const arrow::Array& array, std::int64_t first_row, RowRanges& out) const {
  if (array.length() == 0) return;
  if (array.type_id() == arrow::Type::DICTIONARY) return MatchIndices(array, first_row, out);
  const auto match_integers = [&]<class T>(const T* values) {
    const std::int64_t low =
        low_ ? std::get<std::int64_t>(*low_) : std::numeric_limits<std::int64_t>::min();
    const std::int64_t high =
        high_ ? std::get<std::int64_t>(*high_) : std::numeric_limits<std::int64_t>::max();
    AppendRuns(array, first_row, out, [&](std::int64_t row) {
      return std::int64_t{values[row]} >= low && std::int64_t{values[row]} <= high;
    });
  };
  switch (type_) {
    case LakeType::kBoolean: {
      const auto& bits = static_cast<const arrow::BooleanArray&>(array);
      const std::int64_t low = low_ ? std::get<std::int64_t>(*low_) : 0;
      const std::int64_t high = high_ ? std::get<std::int64_t>(*high_) : 1;
      return AppendRuns(array, first_row, out, [&](std::int64_t row) {
        return std::int64_t{bits.Value(row)} >= low && std::int64_t{bits.Value(row)} <= high;
      });
    }
    case LakeType::kInt32:
    case LakeType::kDate:
      return match_integers(array.data()->GetValues<std::int32_t>(1));
    case LakeType::kInt64:
    case LakeType::kTimestamp:
    case LakeType::kTimestampTz:
      return match_integers(array.data()->GetValues<std::int64_t>(1));
    case LakeType::kDouble: {
      const double* values = array.data()->GetValues<double>(1);
      const double low = low_ ? std::get<double>(*low_) : 0;
      const double high = high_ ? std::get<double>(*high_) : 0;
      return AppendRuns(array, first_row, out, [&](std::int64_t row) {
        return (!low_ || values[row] >= low) && (!high_ || values[row] <= high);
      });
    }
    default:
      return AppendRuns(array, first_row, out, [&](std::int64_t row) {
        const ByteView value = BytesAt(array, row);
        return (!low_ || value >= std::get<std::string>(*low_)) &&
               (!high_ || value <= std::get<std::string>(*high_));
      });
  }
}

}  // namespace lamina::table
