#include "lamina/backtests/row_columns.h"

#include <limits>
#include <utility>

#include <arrow/api.h>
#include <arrow/extension_type.h>
#include <arrow/util/bit_util.h>

#include "lamina/table/arrow_status.h"

namespace lamina::backtests {

namespace {

using table::LakeType;

/// The validity bitmap, or null when nothing is NULL.
Result<std::shared_ptr<arrow::Buffer>> PackBits(const std::vector<std::uint8_t>& bytes,
                                                std::int64_t* null_count) {
  std::int64_t nulls = 0;
  for (const std::uint8_t byte : bytes) nulls += byte == 0 ? 1 : 0;
  *null_count = nulls;
  if (nulls == 0) return std::shared_ptr<arrow::Buffer>();
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> buffer,
                      arrow::AllocateEmptyBitmap(static_cast<std::int64_t>(bytes.size())),
                      "allocating a bitmap");
  std::uint8_t* out = buffer->mutable_data();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != 0) arrow::bit_util::SetBit(out, static_cast<std::int64_t>(i));
  }
  return buffer;
}

Result<std::shared_ptr<arrow::Buffer>> CopyBytes(const void* data, std::size_t size) {
  LAMINA_ARROW_ASSIGN(std::unique_ptr<arrow::Buffer> buffer,
                      arrow::AllocateBuffer(static_cast<std::int64_t>(size)),
                      "allocating a column");
  if (size > 0) std::memcpy(buffer->mutable_data(), data, size);
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

std::shared_ptr<arrow::Array> Make(LakeType type, std::size_t rows,
                                   std::vector<std::shared_ptr<arrow::Buffer>> buffers,
                                   std::int64_t null_count) {
  return arrow::MakeArray(arrow::ArrayData::Make(
      table::ArrowType(type), static_cast<std::int64_t>(rows), std::move(buffers), null_count));
}

}  // namespace

ColumnBuilder::ColumnBuilder(LakeType type, std::size_t rows)
    : type_(type), rows_(rows), valid_(rows, 0) {
  switch (type) {
    case LakeType::kDouble:
      doubles_.resize(rows);
      break;
    case LakeType::kVarchar:
    case LakeType::kBlob:
      texts_.resize(rows);
      break;
    case LakeType::kUuid:
      uuids_.resize(rows);
      break;
    case LakeType::kInt32List:
      lists_.resize(rows);
      break;
    default:
      integers_.resize(rows);
      break;
  }
}

void ColumnBuilder::SetList(std::size_t row, std::span<const std::int32_t> values) {
  lists_[row] = {static_cast<std::uint32_t>(list_values_.size()),
                 static_cast<std::uint32_t>(values.size())};
  list_values_.insert(list_values_.end(), values.begin(), values.end());
  valid_[row] = 1;
}

Result<std::shared_ptr<arrow::Array>> ColumnBuilder::FinishText() const {
  std::size_t total = 0;
  for (const ByteView text : texts_) total += text.size();
  if (total > std::numeric_limits<std::int32_t>::max()) {
    return ResourceExhausted("a text column of one run exceeds 2 GiB");
  }
  std::vector<std::int32_t> offsets(rows_ + 1);
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> characters,
                      arrow::AllocateBuffer(static_cast<std::int64_t>(total)),
                      "allocating a text column");
  std::uint8_t* out = characters->mutable_data();
  std::size_t position = 0;
  for (std::size_t i = 0; i < rows_; ++i) {
    offsets[i] = static_cast<std::int32_t>(position);
    if (!texts_[i].empty()) std::memcpy(out + position, texts_[i].data(), texts_[i].size());
    position += texts_[i].size();
  }
  offsets[rows_] = static_cast<std::int32_t>(position);
  std::int64_t nulls = 0;
  LAMINA_ASSIGN(auto validity, PackBits(valid_, &nulls));
  LAMINA_ASSIGN(auto offset_bytes, CopyBytes(offsets.data(), offsets.size() * 4));
  return Make(type_, rows_, {validity, offset_bytes, characters}, nulls);
}

Result<std::shared_ptr<arrow::Array>> ColumnBuilder::FinishList() const {
  std::vector<std::int32_t> offsets(rows_ + 1), values;
  values.reserve(list_values_.size());
  for (std::size_t i = 0; i < rows_; ++i) {
    offsets[i] = static_cast<std::int32_t>(values.size());
    const auto begin = list_values_.begin() + lists_[i].begin;
    values.insert(values.end(), begin, begin + lists_[i].length);
  }
  offsets[rows_] = static_cast<std::int32_t>(values.size());
  std::int64_t nulls = 0;
  LAMINA_ASSIGN(auto validity, PackBits(valid_, &nulls));
  LAMINA_ASSIGN(auto offset_bytes, CopyBytes(offsets.data(), offsets.size() * 4));
  LAMINA_ASSIGN(auto value_bytes, CopyBytes(values.data(), values.size() * 4));
  auto data = arrow::ArrayData::Make(table::ArrowType(type_), static_cast<std::int64_t>(rows_),
                                     {validity, offset_bytes}, nulls);
  data->child_data.push_back(arrow::ArrayData::Make(
      arrow::int32(), static_cast<std::int64_t>(values.size()), {nullptr, value_bytes}, 0));
  return arrow::MakeArray(data);
}

Result<std::shared_ptr<arrow::Array>> ColumnBuilder::Finish() const {
  if (type_ == LakeType::kVarchar || type_ == LakeType::kBlob) return FinishText();
  if (type_ == LakeType::kInt32List) return FinishList();
  std::int64_t nulls = 0;
  LAMINA_ASSIGN(auto validity, PackBits(valid_, &nulls));
  std::shared_ptr<arrow::Buffer> values;
  switch (type_) {
    case LakeType::kDouble: {
      LAMINA_ASSIGN(values, CopyBytes(doubles_.data(), rows_ * 8));
      break;
    }
    case LakeType::kUuid: {
      LAMINA_ASSIGN(values, CopyBytes(uuids_.data(), rows_ * 16));
      break;
    }
    case LakeType::kBoolean: {
      std::vector<std::uint8_t> packed((rows_ + 7) / 8);
      for (std::size_t i = 0; i < rows_; ++i) {
        if (integers_[i] != 0) arrow::bit_util::SetBit(packed.data(), static_cast<std::int64_t>(i));
      }
      LAMINA_ASSIGN(values, CopyBytes(packed.data(), packed.size()));
      break;
    }
    case LakeType::kInt32:
    case LakeType::kDate: {
      const std::vector<std::int32_t> narrow(integers_.begin(), integers_.end());
      LAMINA_ASSIGN(values, CopyBytes(narrow.data(), rows_ * 4));
      break;
    }
    default: {
      LAMINA_ASSIGN(values, CopyBytes(integers_.data(), rows_ * 8));
      break;
    }
  }
  return Make(type_, rows_, {validity, values}, nulls);
}

namespace {

Result<std::shared_ptr<arrow::Array>> OneArray(const arrow::ChunkedArray& column) {
  if (column.num_chunks() == 1) return column.chunk(0);
  if (column.num_chunks() == 0) {
    LAMINA_ARROW_ASSIGN(auto empty, arrow::MakeEmptyArray(column.type()), "making an empty column");
    return empty;
  }
  LAMINA_ARROW_ASSIGN(auto whole, arrow::Concatenate(column.chunks()), "joining a column's chunks");
  return whole;
}

template <class T>
const T* Values(const arrow::ArrayData& data, int buffer) {
  static const std::int64_t kNothing[2] = {0, 0};
  const T* values = data.GetValues<T>(buffer);
  return values != nullptr ? values : reinterpret_cast<const T*>(kNothing);
}

Result<ColumnView> ViewOf(const arrow::Array& array, LakeType type, std::string_view name) {
  const arrow::Array* storage = &array;
  if (array.type_id() == arrow::Type::EXTENSION) {
    storage = static_cast<const arrow::ExtensionArray&>(array).storage().get();
  }
  const arrow::ArrayData& data = *storage->data();
  ColumnView view;
  view.type = type;
  view.rows = data.length;
  view.validity_offset = data.offset;
  if (data.GetNullCount() > 0 && data.buffers[0] != nullptr) {
    view.validity = data.buffers[0]->data();
  }
  const auto wrong = [&] {
    return Corruption("column " + std::string(name) + " has type " + array.type()->ToString() +
                      ", not " + std::string(LakeTypeName(type)));
  };
  const arrow::Type::type id = data.type->id();
  switch (type) {
    case LakeType::kDouble:
      if (id != arrow::Type::DOUBLE) return wrong();
      view.doubles = Values<double>(data, 1);
      break;
    case LakeType::kTimestampTz:
      if (id != arrow::Type::TIMESTAMP ||
          static_cast<const arrow::TimestampType&>(*data.type).unit() != arrow::TimeUnit::MICRO) {
        return wrong();
      }
      view.integers = Values<std::int64_t>(data, 1);
      break;
    case LakeType::kInt32:
      if (id != arrow::Type::INT32) return wrong();
      view.small_integers = Values<std::int32_t>(data, 1);
      break;
    case LakeType::kBoolean:
      if (id != arrow::Type::BOOL) return wrong();
      view.bits = data.buffers[1] != nullptr ? data.buffers[1]->data() : nullptr;
      break;
    case LakeType::kUuid:
      if (id != arrow::Type::FIXED_SIZE_BINARY ||
          static_cast<const arrow::FixedSizeBinaryType&>(*data.type).byte_width() != 16) {
        return wrong();
      }
      view.uuids =
          data.buffers[1] != nullptr ? data.buffers[1]->data() + data.offset * 16 : nullptr;
      break;
    case LakeType::kVarchar:
      if (id != arrow::Type::STRING) return wrong();
      view.offsets = Values<std::int32_t>(data, 1);
      view.characters =
          data.buffers[2] != nullptr ? reinterpret_cast<const char*>(data.buffers[2]->data()) : "";
      break;
    case LakeType::kInt32List: {
      if (id != arrow::Type::LIST || data.child_data[0]->type->id() != arrow::Type::INT32 ||
          data.child_data[0]->GetNullCount() != 0) {
        return wrong();
      }
      view.offsets = Values<std::int32_t>(data, 1);
      view.list_values = Values<std::int32_t>(*data.child_data[0], 1);
      view.list_value_count = data.child_data[0]->length;
      break;
    }
    default:
      return wrong();
  }
  return view;
}

}  // namespace

Result<TableView> TableView::Of(const arrow::Table& table, std::span<const Wanted> wanted) {
  TableView view;
  view.rows_ = table.num_rows();
  view.columns_.reserve(wanted.size());
  for (const Wanted& column : wanted) {
    const int index = table.schema()->GetFieldIndex(std::string(column.name));
    if (index < 0) {
      return Corruption("column " + std::string(column.name) + " is missing, or there twice");
    }
    LAMINA_ASSIGN(auto array, OneArray(*table.column(index)));
    LAMINA_ASSIGN(ColumnView cells, ViewOf(*array, column.type, column.name));
    view.columns_.push_back(cells);
    view.owners_.push_back(std::move(array));
  }
  return view;
}

Result<std::shared_ptr<arrow::Table>> MakeTable(
    std::span<const TableView::Wanted> columns,
    const std::vector<std::shared_ptr<arrow::Array>>& arrays, std::size_t rows) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  fields.reserve(columns.size());
  for (const TableView::Wanted& column : columns) {
    fields.push_back(arrow::field(std::string(column.name), table::ArrowType(column.type)));
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), arrays,
                            static_cast<std::int64_t>(rows));
}

}  // namespace lamina::backtests
