#include <algorithm>
#include <charconv>
#include <utility>

#include <arrow/api.h>

#include "lamina/catalog/lake_value.h"
#include "lamina/dataset/ranges_internal.h"
#include "lamina/table/columns.h"
#include "lamina/table/row_ranges.h"

namespace lamina::dataset::internal {
namespace {

using table::LakeType;
using ScalarPtr = std::shared_ptr<arrow::Scalar>;

Result<ScalarPtr> ParseKey(const Column& column, const std::string& text) {
  if (column.type == LakeType::kVarchar) return arrow::MakeScalar(text);
  if (column.type == LakeType::kInt64 || column.type == LakeType::kInt32) {
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = code == std::errc() && end == text.data() + text.size();
    if (whole && column.type == LakeType::kInt64) return arrow::MakeScalar(value);
    if (whole && std::in_range<std::int32_t>(value)) {
      return arrow::MakeScalar(static_cast<std::int32_t>(value));
    }
    return InvalidArgument("'" + text + "' is no value of key '" + column.name + "'");
  }
  return Unsupported("rows cannot be chosen by key '" + column.name + "'");
}

Status AddKey(const Definition& definition, const KeyFilter& key, Ranges& ranges) {
  const Column* column = definition.Find(key.column);
  const bool is_key = column != nullptr && key.column != definition.time_column &&
                      std::find(definition.keys.begin(), definition.keys.end(), key.column) !=
                          definition.keys.end();
  if (!is_key) {
    return InvalidArgument("dataset '" + definition.name + "' has no key '" + key.column + "'");
  }
  if (key.values.empty()) {
    ranges.nothing = true;
    return Ok();
  }
  // Of numbers the span by value, of text by bytes.
  std::vector<std::pair<std::int64_t, ScalarPtr>> numbers;
  ScalarPtr low, high;
  if (column->type == LakeType::kVarchar) {
    const auto [least, most] = std::minmax_element(key.values.begin(), key.values.end());
    low = arrow::MakeScalar(*least);
    high = arrow::MakeScalar(*most);
  } else {
    for (const std::string& value : key.values) {
      LAMINA_ASSIGN(ScalarPtr scalar, ParseKey(*column, value));
      const std::int64_t number = column->type == LakeType::kInt64
                                      ? static_cast<const arrow::Int64Scalar&>(*scalar).value
                                      : static_cast<const arrow::Int32Scalar&>(*scalar).value;
      numbers.emplace_back(number, std::move(scalar));
    }
    const auto less = [](const auto& a, const auto& b) { return a.first < b.first; };
    low = std::min_element(numbers.begin(), numbers.end(), less)->second;
    high = std::max_element(numbers.begin(), numbers.end(), less)->second;
  }
  catalog::LakeRange plan{.column = key.column};
  LAMINA_ASSIGN(plan.low, catalog::LakeText(column->type, *low));
  LAMINA_ASSIGN(plan.high, catalog::LakeText(column->type, *high));
  ranges.plan.push_back(std::move(plan));
  ranges.read.push_back({key.column, std::move(low), std::move(high)});
  return Ok();
}

}  // namespace

Result<Ranges> MakeRanges(const Definition& definition, const TimeRange& time,
                          const std::vector<KeyFilter>& keys) {
  Ranges ranges;
  for (const KeyFilter& key : keys) LAMINA_TRY(AddKey(definition, key, ranges));
  if (!time.start && !time.end) return ranges;
  const auto scalar = [](std::int64_t micros) {
    return std::make_shared<arrow::TimestampScalar>(micros,
                                                    table::ArrowType(LakeType::kTimestampTz));
  };
  catalog::LakeRange plan{.column = definition.time_column};
  table::ColumnRange read{definition.time_column};
  if (time.start) {
    plan.low = FormatLakeTime(*time.start);
    read.low = scalar(time.start->value);
  }
  if (time.end) {
    if (time.start && time.end->value <= time.start->value) ranges.nothing = true;
    plan.high = FormatLakeTime(Micros{time.end->value - 1});
    read.high = scalar(time.end->value - 1);
  }
  ranges.plan.push_back(std::move(plan));
  ranges.read.push_back(std::move(read));
  return ranges;
}

Result<std::shared_ptr<arrow::Table>> KeepKeys(const std::shared_ptr<arrow::Table>& rows,
                                               const std::vector<KeyFilter>& keys) {
  std::shared_ptr<arrow::Table> kept = rows;
  for (const KeyFilter& key : keys) {
    if (key.values.size() < 2 || kept->num_rows() == 0) continue;
    LAMINA_ASSIGN(const auto column, table::ColumnNamed(*kept, key.column));
    LAMINA_ASSIGN(const auto array, table::CombineColumn(*column));
    table::RowRanges inside;
    std::int64_t begin = -1;
    bool in = false;
    for (std::int64_t row = 0; row < array->length(); ++row) {
      if (row == 0 || !array->RangeEquals(*array, row, row + 1, row - 1)) {
        const std::string text = array->type_id() == arrow::Type::STRING
                                     ? std::string(table::BytesAt(*array, row))
                                     : (*array->GetScalar(row))->ToString();
        const bool now = std::find(key.values.begin(), key.values.end(), text) != key.values.end();
        if (in && !now) inside.Append(begin, row);
        if (now && !in) begin = row;
        in = now;
      }
    }
    if (in) inside.Append(begin, array->length());
    LAMINA_ASSIGN(kept, table::KeepRows(kept, inside));
  }
  return kept;
}

}  // namespace lamina::dataset::internal
