#include "lamina/series/key_index.h"

#include <algorithm>
#include <utility>

#include <arrow/api.h>

#include "lamina/table/arrow_status.h"

namespace lamina::series {
namespace {

__extension__ using Wide = __int128;  // every int64, uint64 and time in nanoseconds fits

constexpr std::string_view kWhat = "taking rows";

/// What kinds of values can equal each other, whatever the width or unit of their columns.
enum class KeyKind : std::uint8_t { kAny, kInteger, kText, kBoolean, kDate, kTime };

Result<KeyKind> KindOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA:
      return KeyKind::kAny;
    case arrow::Type::DICTIONARY:
      return KindOf(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return KeyKind::kText;
    case arrow::Type::BOOL:
      return KeyKind::kBoolean;
    case arrow::Type::DATE32:
      return KeyKind::kDate;
    case arrow::Type::TIMESTAMP:
      return KeyKind::kTime;
    default:
      break;
  }
  if (arrow::is_integer(type.id())) return KeyKind::kInteger;
  return Unsupported("a key column is " + type.ToString() +
                     "; keys are integers, text, booleans, dates or times");
}

template <class Value>
void AppendBytes(std::string& key, const Value& value) {
  key.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// An integer, a date (days) or a time as one number: equal values give equal numbers.
Wide NumberAt(const arrow::Array& column, std::int64_t row) {
  const auto at = [&]<class Value>(Value) -> Wide {
    return column.data()->GetValues<Value>(1)[row];
  };
  switch (column.type_id()) {
    case arrow::Type::INT8:
      return at(std::int8_t{});
    case arrow::Type::INT16:
      return at(std::int16_t{});
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return at(std::int32_t{});
    case arrow::Type::UINT8:
      return at(std::uint8_t{});
    case arrow::Type::UINT16:
      return at(std::uint16_t{});
    case arrow::Type::UINT32:
      return at(std::uint32_t{});
    case arrow::Type::UINT64:
      return at(std::uint64_t{});
    default:
      break;
  }
  Wide value = at(std::int64_t{});
  if (column.type_id() != arrow::Type::TIMESTAMP) return value;
  for (int unit = static_cast<const arrow::TimestampType&>(*column.type()).unit();
       unit < arrow::TimeUnit::NANO; ++unit) {
    value *= 1000;
  }
  return value;
}

/// Bytes that tell the value of row `row` from all others of its kind.
void AppendKey(const arrow::Array& column, std::int64_t row, std::string& key) {
  if (column.IsNull(row)) {
    key += '\0';
    return;
  }
  if (column.type_id() == arrow::Type::DICTIONARY) {
    const auto& typed = static_cast<const arrow::DictionaryArray&>(column);
    return AppendKey(*typed.dictionary(), typed.GetValueIndex(row), key);
  }
  key += '\1';
  const auto text = [&](std::string_view value) {
    AppendBytes(key, static_cast<std::uint64_t>(value.size()));
    key += value;
  };
  switch (column.type_id()) {
    case arrow::Type::STRING:
      return text(static_cast<const arrow::StringArray&>(column).GetView(row));
    case arrow::Type::LARGE_STRING:
      return text(static_cast<const arrow::LargeStringArray&>(column).GetView(row));
    case arrow::Type::STRING_VIEW:
      return text(static_cast<const arrow::StringViewArray&>(column).GetView(row));
    case arrow::Type::BOOL:
      key += static_cast<const arrow::BooleanArray&>(column).Value(row) ? 't' : 'f';
      return;
    default:
      return AppendBytes(key, NumberAt(column, row));
  }
}

/// Values of a fixed width, moved as bytes.
template <class Value>
Result<std::shared_ptr<arrow::Array>> GatherFixed(const arrow::Array& column,
                                                  std::span<const std::int64_t> rows) {
  const auto count = static_cast<std::int64_t>(rows.size());
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> values,
                      arrow::AllocateBuffer(count * static_cast<std::int64_t>(sizeof(Value))),
                      kWhat);
  auto* out = reinterpret_cast<Value*>(values->mutable_data());
  const auto* in = column.data()->GetValues<Value>(1);
  std::shared_ptr<arrow::Buffer> valid;
  std::int64_t nulls = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool null = rows[i] < 0 || column.IsNull(rows[i]);
    out[i] = null ? Value{} : in[rows[i]];
    nulls += null ? 1 : 0;
  }
  if (nulls > 0) {
    LAMINA_ARROW_ASSIGN(valid, arrow::AllocateEmptyBitmap(count), kWhat);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] < 0 || column.IsNull(rows[i])) continue;
      valid->mutable_data()[i / 8] |= static_cast<std::uint8_t>(1U << (i % 8));
    }
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(column.type(), count, {std::move(valid), std::move(values)}, nulls));
}

Result<std::shared_ptr<arrow::Array>> GatherAny(const arrow::Array& column,
                                                std::span<const std::int64_t> rows) {
  LAMINA_ARROW_ASSIGN(auto builder, arrow::MakeBuilder(column.type()), kWhat);
  const arrow::ArraySpan span(*column.data());
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t end = i + 1;
    if (rows[i] < 0) {
      while (end < rows.size() && rows[end] < 0) ++end;
      LAMINA_ARROW(builder->AppendNulls(static_cast<std::int64_t>(end - i)), kWhat);
    } else {
      while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
      LAMINA_ARROW(builder->AppendArraySlice(span, rows[i], static_cast<std::int64_t>(end - i)),
                   kWhat);
    }
    i = end;
  }
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Array> gathered, builder->Finish(), kWhat);
  return gathered;
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> GatherRows(const std::shared_ptr<arrow::Array>& column,
                                                 std::span<const std::int64_t> rows) {
  if (rows.empty()) return column->Slice(0, 0);
  if (column->type_id() == arrow::Type::NA) {
    LAMINA_ARROW_ASSIGN(
        std::shared_ptr<arrow::Array> nulls,
        arrow::MakeArrayOfNull(column->type(), static_cast<std::int64_t>(rows.size())), kWhat);
    return nulls;
  }
  if (column->type_id() == arrow::Type::DICTIONARY) {
    const auto& typed = static_cast<const arrow::DictionaryArray&>(*column);
    LAMINA_ASSIGN(const auto indices, GatherRows(typed.indices(), rows));
    LAMINA_ARROW_ASSIGN(
        std::shared_ptr<arrow::Array> gathered,
        arrow::DictionaryArray::FromArrays(typed.type(), indices, typed.dictionary()), kWhat);
    return gathered;
  }
  if (arrow::is_primitive(column->type_id()) && column->type_id() != arrow::Type::BOOL) {
    switch (column->type()->byte_width()) {
      case 1:
        return GatherFixed<std::uint8_t>(*column, rows);
      case 2:
        return GatherFixed<std::uint16_t>(*column, rows);
      case 4:
        return GatherFixed<std::uint32_t>(*column, rows);
      case 8:
        return GatherFixed<std::uint64_t>(*column, rows);
      default:
        break;
    }
  }
  return GatherAny(*column, rows);
}

Status KeyIndex::CheckKinds(const std::vector<std::shared_ptr<arrow::Array>>& keys) {
  types_.resize(std::max(types_.size(), keys.size()));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    LAMINA_ASSIGN(const KeyKind kind, KindOf(*keys[i]->type()));
    if (kind == KeyKind::kAny) continue;
    if (!types_[i]) {
      types_[i] = keys[i]->type();
      continue;
    }
    LAMINA_ASSIGN(const KeyKind before, KindOf(*types_[i]));
    if (before != kind) {
      return InvalidArgument("key column " + std::to_string(i) + " is " + types_[i]->ToString() +
                             " on one side and " + keys[i]->type()->ToString() +
                             " on the other: no two values of them are equal");
    }
  }
  return Ok();
}

Result<std::vector<std::uint32_t>> KeyIndex::Number(
    const std::vector<std::shared_ptr<arrow::Array>>& keys) {
  const std::int64_t rows = keys.empty() ? 0 : keys[0]->length();
  LAMINA_TRY(CheckKinds(keys));
  std::vector<std::uint32_t> numbers;
  numbers.reserve(static_cast<std::size_t>(rows));
  std::string key, previous;
  for (std::int64_t row = 0; row < rows; ++row) {
    key.clear();
    for (const auto& column : keys) AppendKey(*column, row, key);
    if (row > 0 && key == previous) {
      numbers.push_back(numbers.back());
      continue;
    }
    const auto [found, fresh] = numbers_.try_emplace(key, size());
    if (fresh) {
      auto& values = first_rows_.emplace_back();
      for (const auto& column : keys) {
        const std::int64_t one[] = {row};
        LAMINA_ASSIGN(values.emplace_back(), GatherRows(column, one));
      }
    }
    numbers.push_back(found->second);
    std::swap(key, previous);
  }
  return numbers;
}

Result<std::vector<std::shared_ptr<arrow::Array>>> KeyIndex::Columns(
    std::span<const std::uint32_t> numbers) const {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  if (first_rows_.empty()) return columns;
  const std::vector<std::int64_t> rows(numbers.begin(), numbers.end());
  for (std::size_t i = 0; i < first_rows_[0].size(); ++i) {
    arrow::ArrayVector ones;
    for (const auto& values : first_rows_) ones.push_back(values[i]);
    LAMINA_ARROW_ASSIGN(const std::shared_ptr<arrow::Array> all, arrow::Concatenate(ones), kWhat);
    LAMINA_ASSIGN(columns.emplace_back(), GatherRows(all, rows));
  }
  return columns;
}

std::string KeyIndex::Text(std::uint32_t number) const {
  std::string text;
  for (const auto& value : first_rows_[number]) {
    const auto scalar = value->GetScalar(0);
    text += (text.empty() ? "" : ", ") + (scalar.ok() ? (*scalar)->ToString() : std::string("?"));
  }
  return text;
}

}  // namespace lamina::series
