#pragma once

/// \file lamina/backtests/record_codec.h
/// Arrays of records (maps, or `[value, time]` pairs) taken into columns and written again.
/// Pure functions; thread-safe.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lamina/backtests/record_schema.h"
#include "lamina/backtests/row_columns.h"
#include "lamina/backtests/skeleton.h"
#include "lamina/base/result.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {

/// Encoded records one after another, without an array header.
struct RecordBytes {
  std::string bytes;
  std::vector<std::size_t> ends;

  std::size_t size() const { return ends.size(); }
  ByteView Record(std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends[index - 1];
    return ByteView(bytes).substr(begin, ends[index] - begin);
  }
};

/// Encoded records and the first position of each.
using RecordPositions = std::unordered_map<ByteView, std::int32_t>;
RecordPositions PositionsOf(const bundle::Value& array);

struct TakenRecords {
  RecordsShape shape;
  std::shared_ptr<arrow::Table> rows;  ///< the columns of ColumnRules(table)
};
/// Every row is filled as far as its record parses, also where the record itself is kept whole.
/// `orders`: the run's orders, for trades. Borrowed texts are copied. RETURNS kResourceExhausted.
Result<TakenRecords> TakeRecords(RecordTable table, const bundle::Value& array,
                                 const RecordPositions& orders);

/// The points of an inline series. NULL cells have 0 in `valid`.
struct TakenPoints {
  RecordsShape shape;
  std::vector<std::int64_t> times;  ///< microseconds
  std::vector<double> values;       ///< NaN without payload, no -0.0
  std::vector<std::uint8_t> time_valid, value_valid;
};
TakenPoints TakePoints(const bundle::Value& array);
/// Columns of points, for WriteRecords of a TakenPoints' shape.
enum class PointColumn : std::uint32_t { kTime = 0, kValue = 1 };

/// What the columns of a table are, as TableView wants them.
std::vector<TableView::Wanted> WantedColumns(RecordTable table);

/// The records again. `orders`: the run's, for a shape with references (else may be null).
/// RETURNS kCorruption when shape and columns do not fit each other.
Status WriteRecords(const RecordsShape& shape, std::span<const ColumnView> columns,
                    const RecordBytes* orders, RecordBytes& out);
/// The header of an array of `count` elements, shortest form.
void AppendArrayHeader(std::string& out, std::uint32_t count);

/// A double as cells hold it: one NaN, no -0.0.
double PlainCell(double value);

}  // namespace lamina::backtests
