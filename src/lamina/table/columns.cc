#include "lamina/table/columns.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include <arrow/api.h>
#include <arrow/array/concatenate.h>
#include <arrow/util/bit_util.h>

#include "lamina/table/arrow_status.h"
#include "lamina/table/lake_type.h"

namespace lamina::table {
namespace {

using arrow::ArrayData;
using Rows = std::span<const std::int64_t>;

std::shared_ptr<arrow::Array> StorageOf(const std::shared_ptr<arrow::Array>& array) {
  if (array->type_id() != arrow::Type::EXTENSION) return array;
  return static_cast<const arrow::ExtensionArray&>(*array).storage();
}

// ---- gather -------------------------------------------------------------------------------------

struct Validity {
  std::shared_ptr<arrow::Buffer> bitmap;  ///< null: all valid
  std::int64_t null_count = 0;
};

Result<Validity> GatherValidity(const arrow::Array& from, Rows rows) {
  Validity out;
  if (from.null_count() == 0) return out;
  LAMINA_ARROW_ASSIGN(out.bitmap,
                      arrow::AllocateEmptyBitmap(static_cast<std::int64_t>(rows.size())),
                      "taking rows");
  std::uint8_t* bits = out.bitmap->mutable_data();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (from.IsValid(rows[i])) {
      arrow::bit_util::SetBit(bits, static_cast<std::int64_t>(i));
    } else {
      ++out.null_count;
    }
  }
  if (out.null_count == 0) out.bitmap = nullptr;
  return out;
}

template <class T>
Result<std::shared_ptr<arrow::Buffer>> GatherFixed(const ArrayData& from, Rows rows) {
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> out,
                      arrow::AllocateBuffer(static_cast<std::int64_t>(rows.size() * sizeof(T))),
                      "taking rows");
  if (rows.empty()) return out;
  const T* source = from.GetValues<T>(1);
  T* target = reinterpret_cast<T*>(out->mutable_data());
  for (const std::int64_t row : rows) *target++ = source[row];
  return out;
}

Result<std::shared_ptr<arrow::Buffer>> GatherBits(const ArrayData& from, Rows rows) {
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> out,
                      arrow::AllocateEmptyBitmap(static_cast<std::int64_t>(rows.size())),
                      "taking rows");
  if (rows.empty()) return out;
  const std::uint8_t* source = from.buffers[1]->data();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (arrow::bit_util::GetBit(source, from.offset + rows[i])) {
      arrow::bit_util::SetBit(out->mutable_data(), static_cast<std::int64_t>(i));
    }
  }
  return out;
}

/// Offsets and values of text, blobs (element_size 1) or lists of int32 (element_size 4).
Result<std::pair<std::shared_ptr<arrow::Buffer>, std::shared_ptr<arrow::Buffer>>> GatherVariable(
    const std::int32_t* offsets, const std::uint8_t* values, std::int64_t element_size, Rows rows) {
  std::int64_t total = 0;
  for (const std::int64_t row : rows) total += offsets[row + 1] - offsets[row];
  if (total > std::numeric_limits<std::int32_t>::max()) {
    return ResourceExhausted("taking rows: a column would hold over 2 GiB of values");
  }
  LAMINA_ARROW_ASSIGN(
      std::shared_ptr<arrow::Buffer> out_offsets,
      arrow::AllocateBuffer(static_cast<std::int64_t>((rows.size() + 1) * sizeof(std::int32_t))),
      "taking rows");
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> out_values,
                      arrow::AllocateBuffer(total * element_size), "taking rows");
  auto* next_offset = reinterpret_cast<std::int32_t*>(out_offsets->mutable_data());
  std::uint8_t* next_value = out_values->mutable_data();
  std::int32_t at = 0;
  *next_offset++ = 0;
  for (const std::int64_t row : rows) {
    const std::int32_t count = offsets[row + 1] - offsets[row];
    if (count > 0) {
      const auto bytes = static_cast<std::size_t>(count * element_size);
      std::memcpy(next_value, values + offsets[row] * element_size, bytes);
      next_value += bytes;
    }
    at += count;
    *next_offset++ = at;
  }
  return std::pair(std::move(out_offsets), std::move(out_values));
}

const std::int32_t kNoOffsets[1] = {0};

const std::int32_t* OffsetsOf(const ArrayData& data) {
  return data.buffers[1] == nullptr || data.length == 0 ? kNoOffsets
                                                        : data.GetValues<std::int32_t>(1);
}

Result<std::shared_ptr<ArrayData>> GatherList(const arrow::ListArray& list, Rows rows,
                                              const Validity& validity) {
  const arrow::Array& child = *list.values();
  const auto length = static_cast<std::int64_t>(rows.size());
  if (child.null_count() == 0) {
    const auto* values = reinterpret_cast<const std::uint8_t*>(
        child.length() == 0 ? nullptr : child.data()->GetValues<std::int32_t>(1));
    LAMINA_ASSIGN(auto gathered,
                  GatherVariable(OffsetsOf(*list.data()), values, sizeof(std::int32_t), rows));
    const auto count = reinterpret_cast<const std::int32_t*>(gathered.first->data())[length];
    return ArrayData::Make(list.type(), length, {validity.bitmap, gathered.first},
                           {ArrayData::Make(child.type(), count, {nullptr, gathered.second}, 0)},
                           validity.null_count);
  }
  std::vector<std::int64_t> elements;
  LAMINA_ARROW_ASSIGN(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer((length + 1) * static_cast<std::int64_t>(sizeof(std::int32_t))),
      "taking rows");
  auto* next_offset = reinterpret_cast<std::int32_t*>(offsets->mutable_data());
  *next_offset++ = 0;
  for (const std::int64_t row : rows) {
    for (std::int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
      elements.push_back(i);
    }
    *next_offset++ = static_cast<std::int32_t>(elements.size());
  }
  if (elements.size() > std::numeric_limits<std::int32_t>::max()) {
    return ResourceExhausted("taking rows: a list column would hold over 2^31 elements");
  }
  LAMINA_ASSIGN(Validity child_validity, GatherValidity(child, elements));
  LAMINA_ASSIGN(auto child_values, GatherFixed<std::int32_t>(*child.data(), elements));
  return ArrayData::Make(
      list.type(), length, {validity.bitmap, offsets},
      {ArrayData::Make(child.type(), static_cast<std::int64_t>(elements.size()),
                       {child_validity.bitmap, child_values}, child_validity.null_count)},
      validity.null_count);
}

using Wide = std::array<std::uint8_t, 16>;

Result<std::shared_ptr<arrow::Array>> TakeArray(const std::shared_ptr<arrow::Array>& array,
                                                Rows rows) {
  LAMINA_ASSIGN(const LakeType type, LakeTypeOf(*array->type()));
  const std::shared_ptr<arrow::Array> storage = StorageOf(array);
  const ArrayData& data = *storage->data();
  LAMINA_ASSIGN(const Validity validity, GatherValidity(*storage, rows));
  const auto length = static_cast<std::int64_t>(rows.size());
  const auto fixed = [&](std::shared_ptr<arrow::Buffer> values) {
    return arrow::MakeArray(ArrayData::Make(
        array->type(), length, {validity.bitmap, std::move(values)}, validity.null_count));
  };
  switch (type) {
    case LakeType::kBoolean: {
      LAMINA_ASSIGN(auto values, GatherBits(data, rows));
      return fixed(std::move(values));
    }
    case LakeType::kInt32:
    case LakeType::kDate: {
      LAMINA_ASSIGN(auto values, GatherFixed<std::int32_t>(data, rows));
      return fixed(std::move(values));
    }
    case LakeType::kInt64:
    case LakeType::kTimestamp:
    case LakeType::kTimestampTz:
    case LakeType::kDouble: {
      LAMINA_ASSIGN(auto values, GatherFixed<std::int64_t>(data, rows));
      return fixed(std::move(values));
    }
    case LakeType::kUuid: {
      LAMINA_ASSIGN(auto values, GatherFixed<Wide>(data, rows));
      return fixed(std::move(values));
    }
    case LakeType::kVarchar:
    case LakeType::kBlob: {
      const std::uint8_t* values = data.buffers[2] == nullptr ? nullptr : data.buffers[2]->data();
      LAMINA_ASSIGN(auto gathered, GatherVariable(OffsetsOf(data), values, 1, rows));
      return arrow::MakeArray(ArrayData::Make(array->type(), length,
                                              {validity.bitmap, gathered.first, gathered.second},
                                              validity.null_count));
    }
    case LakeType::kInt32List: {
      LAMINA_ASSIGN(auto list,
                    GatherList(static_cast<const arrow::ListArray&>(*storage), rows, validity));
      return arrow::MakeArray(std::move(list));
    }
  }
  return Unsupported("taking rows of type " + array->type()->ToString());
}

// ---- compare ------------------------------------------------------------------------------------

/// Order of two rows of one array: NULL last, NaN after numbers, -0.0 equal to 0.0.
class RowOrder {
 public:
  static Result<RowOrder> Make(const std::shared_ptr<arrow::Array>& array) {
    RowOrder order;
    LAMINA_ASSIGN(order.type_, LakeTypeOf(*array->type()));
    if (order.type_ == LakeType::kInt32List) return Unsupported("lists have no order");
    order.array_ = StorageOf(array);
    order.has_nulls_ = order.array_->null_count() != 0;
    return order;
  }

  int Compare(std::int64_t a, std::int64_t b) const {
    if (has_nulls_) {
      const bool a_null = array_->IsNull(a);
      const bool b_null = array_->IsNull(b);
      if (a_null || b_null) return int{a_null} - int{b_null};
    }
    const ArrayData& data = *array_->data();
    switch (type_) {
      case LakeType::kBoolean: {
        const auto& bits = static_cast<const arrow::BooleanArray&>(*array_);
        return int{bits.Value(a)} - int{bits.Value(b)};
      }
      case LakeType::kInt32:
      case LakeType::kDate:
        return ThreeWay(data.GetValues<std::int32_t>(1)[a], data.GetValues<std::int32_t>(1)[b]);
      case LakeType::kInt64:
      case LakeType::kTimestamp:
      case LakeType::kTimestampTz:
        return ThreeWay(data.GetValues<std::int64_t>(1)[a], data.GetValues<std::int64_t>(1)[b]);
      case LakeType::kDouble: {
        const double left = data.GetValues<double>(1)[a];
        const double right = data.GetValues<double>(1)[b];
        if (std::isnan(left) || std::isnan(right))
          return int{std::isnan(left)} - int{std::isnan(right)};
        return ThreeWay(left, right);
      }
      default:
        return BytesAt(*array_, a).compare(BytesAt(*array_, b));
    }
  }

 private:
  template <class T>
  static int ThreeWay(T a, T b) {
    return int{b < a} - int{a < b};
  }

  LakeType type_ = LakeType::kInt64;
  std::shared_ptr<arrow::Array> array_;
  bool has_nulls_ = false;
};

Result<std::vector<RowOrder>> OrdersOf(const arrow::Table& table,
                                       const std::vector<std::string>& keys) {
  std::vector<RowOrder> orders;
  for (const std::string& key : keys) {
    LAMINA_ASSIGN(auto column, ColumnNamed(table, key));
    LAMINA_ASSIGN(auto array, CombineColumn(*column));
    LAMINA_ASSIGN(auto order, RowOrder::Make(array));
    orders.push_back(std::move(order));
  }
  return orders;
}

int CompareRows(const std::vector<RowOrder>& orders, std::int64_t a, std::int64_t b) {
  for (const RowOrder& order : orders) {
    if (const int compared = order.Compare(a, b); compared != 0) return compared;
  }
  return 0;
}

bool IsSorted(const std::vector<RowOrder>& orders, std::int64_t rows) {
  for (std::int64_t row = 1; row < rows; ++row) {
    if (CompareRows(orders, row - 1, row) > 0) return false;
  }
  return true;
}

}  // namespace

ByteView BytesAt(const arrow::Array& array, std::int64_t row) {
  if (array.IsNull(row)) return {};
  const ArrayData& data = *array.data();
  const arrow::DataType* type = array.type().get();
  if (type->id() == arrow::Type::EXTENSION) {
    type = static_cast<const arrow::ExtensionType*>(type)->storage_type().get();
  }
  if (type->id() == arrow::Type::FIXED_SIZE_BINARY) {
    const auto width = static_cast<const arrow::FixedSizeBinaryType*>(type)->byte_width();
    return {reinterpret_cast<const char*>(data.buffers[1]->data()) + (data.offset + row) * width,
            static_cast<std::size_t>(width)};
  }
  const auto* offsets = data.GetValues<std::int32_t>(1);
  const auto length = static_cast<std::size_t>(offsets[row + 1] - offsets[row]);
  if (length == 0) return {};
  return {reinterpret_cast<const char*>(data.buffers[2]->data()) + offsets[row], length};
}

Result<std::shared_ptr<arrow::ChunkedArray>> ColumnNamed(const arrow::Table& table,
                                                         std::string_view name) {
  std::shared_ptr<arrow::ChunkedArray> found;
  for (int i = 0; i < table.num_columns(); ++i) {
    if (table.schema()->field(i)->name() != name) continue;
    if (found != nullptr) return Corruption("two columns are named '" + std::string(name) + "'");
    found = table.column(i);
  }
  if (found == nullptr) return NotFound("there is no column '" + std::string(name) + "'");
  return found;
}

Result<std::shared_ptr<arrow::Table>> StackTables(
    const std::vector<std::shared_ptr<arrow::Table>>& tables) {
  if (tables.empty()) return InvalidArgument("no tables to concatenate");
  if (tables.size() == 1) return tables[0];
  const arrow::Schema& schema = *tables[0]->schema();
  std::vector<arrow::ArrayVector> chunks(static_cast<std::size_t>(schema.num_fields()));
  std::int64_t rows = 0;
  for (const auto& table : tables) {
    if (!table->schema()->Equals(schema, /*check_metadata=*/false)) {
      return InvalidArgument("tables to concatenate differ: " + schema.ToString() + " and " +
                             table->schema()->ToString());
    }
    rows += table->num_rows();
    for (std::size_t c = 0; c < chunks.size(); ++c) {
      for (const auto& chunk : table->column(static_cast<int>(c))->chunks()) {
        if (chunk->length() > 0) chunks[c].push_back(chunk);
      }
    }
  }
  arrow::ChunkedArrayVector columns;
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    columns.push_back(std::make_shared<arrow::ChunkedArray>(
        std::move(chunks[c]), schema.field(static_cast<int>(c))->type()));
  }
  return arrow::Table::Make(tables[0]->schema(), std::move(columns), rows);
}

Result<std::shared_ptr<arrow::Array>> CombineColumn(const arrow::ChunkedArray& column) {
  if (column.num_chunks() == 1) return column.chunk(0);
  if (column.num_chunks() == 0) {
    LAMINA_ARROW_ASSIGN(auto empty, arrow::MakeEmptyArray(column.type()), "combining chunks");
    return empty;
  }
  LAMINA_ARROW_ASSIGN(auto combined, arrow::Concatenate(column.chunks()), "combining chunks");
  return combined;
}

Result<std::shared_ptr<arrow::Table>> Combine(const arrow::Table& table) {
  arrow::ArrayVector columns;
  for (const auto& column : table.columns()) {
    LAMINA_ASSIGN(auto combined, CombineColumn(*column));
    columns.push_back(std::move(combined));
  }
  return arrow::Table::Make(table.schema(), std::move(columns), table.num_rows());
}

Result<std::shared_ptr<arrow::Table>> TakeRows(const arrow::Table& table,
                                               std::span<const std::int64_t> rows) {
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= table.num_rows()) {
      return InvalidArgument("row " + std::to_string(row) + " is outside a table of " +
                             std::to_string(table.num_rows()));
    }
  }
  arrow::ArrayVector columns;
  for (const auto& column : table.columns()) {
    LAMINA_ASSIGN(auto combined, CombineColumn(*column));
    LAMINA_ASSIGN(auto taken, TakeArray(combined, rows));
    columns.push_back(std::move(taken));
  }
  return arrow::Table::Make(table.schema(), std::move(columns),
                            static_cast<std::int64_t>(rows.size()));
}

Result<std::vector<std::int64_t>> SortOrder(const arrow::Table& table,
                                            const std::vector<std::string>& keys) {
  LAMINA_ASSIGN(const auto orders, OrdersOf(table, keys));
  std::vector<std::int64_t> rows(static_cast<std::size_t>(table.num_rows()));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  if (!IsSorted(orders, table.num_rows())) {
    std::stable_sort(rows.begin(), rows.end(),
                     [&](std::int64_t a, std::int64_t b) { return CompareRows(orders, a, b) < 0; });
  }
  return rows;
}

Result<std::shared_ptr<arrow::Table>> SortRows(const std::shared_ptr<arrow::Table>& table,
                                               const std::vector<std::string>& keys) {
  LAMINA_ASSIGN(const auto rows, SortOrder(*table, keys));
  if (std::is_sorted(rows.begin(), rows.end())) return table;
  return TakeRows(*table, rows);
}

Result<std::shared_ptr<arrow::ChunkedArray>> KeepRows(
    const std::shared_ptr<arrow::ChunkedArray>& column, const RowRanges& rows) {
  const std::vector<RowRange>& ranges = rows.ranges();
  if (ranges.empty()) return column->Slice(0, 0);
  if (ranges.front().begin < 0 || ranges.back().end > column->length()) {
    return InvalidArgument("rows to keep lie outside the table");
  }
  const std::int64_t kept = rows.row_count();
  if (kept == column->length()) return column;
  if (ranges.size() == 1) return column->Slice(ranges[0].begin, kept);
  // A slice costs a few hundred bytes; below that many rows a copy is smaller and faster.
  constexpr std::int64_t kRowsWorthASlice = 64;
  if (kept / static_cast<std::int64_t>(ranges.size()) >= kRowsWorthASlice ||
      !LakeTypeOf(*column->type()).ok()) {
    arrow::ArrayVector slices;
    for (const RowRange& range : ranges) {
      const auto slice = column->Slice(range.begin, range.size());
      slices.insert(slices.end(), slice->chunks().begin(), slice->chunks().end());
    }
    return std::make_shared<arrow::ChunkedArray>(std::move(slices), column->type());
  }
  std::vector<std::int64_t> positions;
  positions.reserve(static_cast<std::size_t>(kept));
  for (const RowRange& range : ranges) {
    for (std::int64_t row = range.begin; row < range.end; ++row) positions.push_back(row);
  }
  LAMINA_ASSIGN(auto combined, CombineColumn(*column));
  LAMINA_ASSIGN(auto taken, TakeArray(combined, positions));
  return std::make_shared<arrow::ChunkedArray>(std::move(taken));
}

Result<std::shared_ptr<arrow::Table>> KeepRows(const std::shared_ptr<arrow::Table>& table,
                                               const RowRanges& rows) {
  const std::vector<RowRange>& ranges = rows.ranges();
  if (!ranges.empty() && (ranges.front().begin < 0 || ranges.back().end > table->num_rows())) {
    return InvalidArgument("rows to keep lie outside the table");
  }
  if (rows.row_count() == table->num_rows()) return table;
  arrow::ChunkedArrayVector columns;
  for (const auto& column : table->columns()) {
    LAMINA_ASSIGN(auto kept, KeepRows(column, rows));
    columns.push_back(std::move(kept));
  }
  return arrow::Table::Make(table->schema(), std::move(columns), rows.row_count());
}

Result<std::shared_ptr<arrow::Table>> DropRows(const std::shared_ptr<arrow::Table>& table,
                                               std::span<const std::int64_t> positions) {
  return KeepRows(table, Without(table->num_rows(), positions));
}

Result<std::vector<RowRange>> EqualRuns(const arrow::Table& table, std::string_view column) {
  LAMINA_ASSIGN(const auto orders, OrdersOf(table, {std::string(column)}));
  std::vector<RowRange> runs;
  for (std::int64_t row = 0; row < table.num_rows(); ++row) {
    if (runs.empty() || orders[0].Compare(row - 1, row) != 0) {
      runs.push_back({row, row + 1});
    } else {
      runs.back().end = row + 1;
    }
  }
  return runs;
}

}  // namespace lamina::table
