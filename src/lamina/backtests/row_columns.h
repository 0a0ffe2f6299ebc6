#pragma once

/// \file lamina/backtests/row_columns.h
/// Lake columns filled by row number, and read through plain pointers.
/// ColumnBuilder is thread-compatible; ColumnView borrows what it views.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/table/lake_type.h"

namespace arrow {
class Array;
class ChunkedArray;
class Schema;
class Table;
}  // namespace arrow

namespace lamina::backtests {

/// One column of a known number of rows, all NULL at first; each row is set at most once, in any
/// order. Texts are borrowed until Finish, unless SetOwnedText is used.
class ColumnBuilder {
 public:
  ColumnBuilder(table::LakeType type, std::size_t rows);

  void SetDouble(std::size_t row, double value) {
    doubles_[row] = value;
    valid_[row] = 1;
  }
  /// timestamptz, int32, int64
  void SetInt(std::size_t row, std::int64_t value) {
    integers_[row] = value;
    valid_[row] = 1;
  }
  void SetBool(std::size_t row, bool value) { SetInt(row, value ? 1 : 0); }
  void SetText(std::size_t row, ByteView value) {
    texts_[row] = value;
    valid_[row] = 1;
  }
  void SetOwnedText(std::size_t row, std::string value) {
    owned_.push_back(std::move(value));
    SetText(row, owned_.back());
  }
  void SetUuid(std::size_t row, const Uuid& value) {
    uuids_[row] = value;
    valid_[row] = 1;
  }
  void SetList(std::size_t row, std::span<const std::int32_t> values);

  bool IsNull(std::size_t row) const { return valid_[row] == 0; }

  Result<std::shared_ptr<arrow::Array>> Finish() const;

 private:
  Result<std::shared_ptr<arrow::Array>> FinishText() const;
  Result<std::shared_ptr<arrow::Array>> FinishList() const;

  table::LakeType type_;
  std::size_t rows_;
  std::vector<std::uint8_t> valid_;
  std::vector<double> doubles_;
  std::vector<std::int64_t> integers_;
  std::vector<ByteView> texts_;
  std::vector<Uuid> uuids_;
  struct Range {
    std::uint32_t begin = 0, length = 0;
  };
  std::vector<Range> lists_;
  std::vector<std::int32_t> list_values_;
  std::deque<std::string> owned_;
};

/// The cells of one column as plain memory. Only the pointers of its type are set; they already
/// count from the column's first row.
struct ColumnView {
  table::LakeType type = table::LakeType::kVarchar;
  std::int64_t rows = 0;
  const std::uint8_t* validity = nullptr;  ///< bits; null = no NULL
  std::int64_t validity_offset = 0;
  const double* doubles = nullptr;
  const std::int64_t* integers = nullptr;  ///< timestamptz, int64
  const std::int32_t* small_integers = nullptr;
  const std::uint8_t* bits = nullptr;  ///< boolean, from validity_offset on
  const std::uint8_t* uuids = nullptr;
  const std::int32_t* offsets = nullptr;  ///< varchar and list
  const char* characters = nullptr;
  const std::int32_t* list_values = nullptr;
  std::int64_t list_value_count = 0;

  bool IsNull(std::int64_t row) const {
    if (validity == nullptr) return false;
    const std::int64_t bit = row + validity_offset;
    return (validity[bit >> 3] >> (bit & 7) & 1) == 0;
  }
  bool Bool(std::int64_t row) const {
    const std::int64_t bit = row + validity_offset;
    return (bits[bit >> 3] >> (bit & 7) & 1) != 0;
  }
  ByteView Text(std::int64_t row) const {
    return {characters + offsets[row], static_cast<std::size_t>(offsets[row + 1] - offsets[row])};
  }
  Uuid UuidAt(std::int64_t row) const {
    Uuid id;
    std::memcpy(id.bytes.data(), uuids + row * 16, 16);
    return id;
  }
  std::span<const std::int32_t> List(std::int64_t row) const {
    return {list_values + offsets[row], static_cast<std::size_t>(offsets[row + 1] - offsets[row])};
  }
};

/// Some columns of a table in a wanted order, with what keeps their memory alive.
class TableView {
 public:
  struct Wanted {
    std::string_view name;
    table::LakeType type;
  };
  /// RETURNS kCorruption when a column is missing or of another type.
  static Result<TableView> Of(const arrow::Table& table, std::span<const Wanted> wanted);

  std::int64_t rows() const { return rows_; }
  const std::vector<ColumnView>& columns() const { return columns_; }

 private:
  std::int64_t rows_ = 0;
  std::vector<ColumnView> columns_;
  std::vector<std::shared_ptr<arrow::Array>> owners_;
};

/// An empty-or-not table of finished columns without field ids.
Result<std::shared_ptr<arrow::Table>> MakeTable(
    std::span<const TableView::Wanted> columns,
    const std::vector<std::shared_ptr<arrow::Array>>& arrays, std::size_t rows);

}  // namespace lamina::backtests
