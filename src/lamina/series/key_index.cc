#include "lamina/series/key_index.h"

#include <utility>

#include <arrow/api.h>

#include "lamina/table/arrow_status.h"

namespace lamina::series {
namespace {

constexpr std::string_view kWhat = "taking rows";

/// Bytes that tell the value of row `row` from all others of the column.
Status AppendKey(const arrow::Array& column, std::int64_t row, std::string& key) {
  if (column.IsNull(row)) {
    key += '\0';
    return Ok();
  }
  if (column.type_id() == arrow::Type::DICTIONARY) {
    const auto& typed = static_cast<const arrow::DictionaryArray&>(column);
    return AppendKey(*typed.dictionary(), typed.GetValueIndex(row), key);
  }
  key += '\1';
  const auto text = [&](std::string_view value) {
    const auto size = static_cast<std::uint64_t>(value.size());
    key.append(reinterpret_cast<const char*>(&size), sizeof size);
    key += value;
    return Ok();
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
      return Ok();
    default:
      break;
  }
  const auto& type = *column.type();
  const bool plain = arrow::is_integer(type.id()) || type.id() == arrow::Type::DATE32 ||
                     type.id() == arrow::Type::TIMESTAMP;
  if (!plain) {
    return Unsupported("a key column is " + type.ToString() +
                       "; keys are integers, text, booleans or dates");
  }
  const int width = type.bit_width() / 8;
  const auto& data = *column.data();
  key.append(reinterpret_cast<const char*>(data.buffers[1]->data()) + (data.offset + row) * width,
             static_cast<std::size_t>(width));
  return Ok();
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

Result<std::vector<std::uint32_t>> KeyIndex::Number(
    const std::vector<std::shared_ptr<arrow::Array>>& keys) {
  const std::int64_t rows = keys.empty() ? 0 : keys[0]->length();
  std::vector<std::uint32_t> numbers;
  numbers.reserve(static_cast<std::size_t>(rows));
  std::string key, previous;
  for (std::int64_t row = 0; row < rows; ++row) {
    key.clear();
    for (const auto& column : keys) LAMINA_TRY(AppendKey(*column, row, key));
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
