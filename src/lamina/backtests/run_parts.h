#pragma once

/// \file lamina/backtests/run_parts.h
/// Writes the parts of one run again from its rows: what Decompose checks with and Assemble uses.
/// Thread-compatible; keeps the rows' memory alive.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lamina/backtests/decompose.h"
#include "lamina/backtests/record_codec.h"
#include "lamina/backtests/row_columns.h"
#include "lamina/backtests/series_blob.h"
#include "lamina/backtests/series_recipes.h"
#include "lamina/backtests/skeleton.h"

namespace lamina::backtests {

/// Points that are rows of metric_series.
struct StoredPoints {
  ColumnView times, values;
};

class RunParts {
 public:
  RunParts() = default;
  explicit RunParts(RunRows rows) : rows_(std::move(rows)) {}

  /// The run's rows, as far as known; a table may be replaced until it is used.
  RunRows& rows() { return rows_; }
  /// Where the records of the run's tables are in the skeleton. Borrowed.
  void SetShape(RecordTable table, const RecordsShape* shape) {
    shapes_[static_cast<std::size_t>(table)] = shape;
  }

  /// Write the table's records anew when they are asked for next.
  void Forget(RecordTable table) { records_[static_cast<std::size_t>(table)].reset(); }

  /// Encoded values, appended. RETURNS kCorruption when rows and part do not fit.
  Status AppendRecords(RecordTable table, std::string& out);
  Status AppendTrade(std::uint32_t trade, std::string& out);
  Status AppendInlineSeries(const InlineSeriesPart& part, std::string& out);
  /// With the binary's header.
  Status AppendBlobSeries(const BlobSeriesPart& part, const BlobWriter& writer,
                          BlobEncoder& encoder, std::string& out);

  /// Records without array header, written once.
  Result<const RecordBytes*> Records(RecordTable table);
  /// What recipe `recipe` gives, computed once; null when it does not apply.
  Result<const SeriesPoints*> Cooked(std::uint32_t series, std::uint32_t recipe);
  Result<StoredPoints> Stored(std::uint32_t series);

 private:
  Result<const TableView*> View(RecordTable table);

  RunRows rows_;
  std::array<const RecordsShape*, kRecordTableCount> shapes_{};
  std::array<std::optional<TableView>, kRecordTableCount> views_;
  std::array<std::optional<RecordBytes>, kRecordTableCount> records_;
  std::optional<SnapshotSeries> snapshots_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::optional<SeriesPoints>> cooked_;
  std::optional<TableView> series_;
  std::array<std::pair<std::int64_t, std::int64_t>, 8> series_ranges_{};
};

/// Columns of metric_series without run_id.
std::span<const TableView::Wanted> WantedSeriesColumns();

}  // namespace lamina::backtests
