#pragma once

/// \file lamina/ticks/tick_stream.h
/// TickStream: rows of any span in the one order, batch by batch, in bounded memory.
/// Thread-compatible; borrows the TickSource.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "lamina/ticks/tick_source.h"

namespace lamina::ticks {

struct StreamOptions {
  std::int64_t batch_rows = 65'536;
  std::int64_t slice_rows = 1'000'000;  ///< about so many are loaded at a time
};

/// Time is cut into slices; one is loaded at a time, of a length that follows the density of the
/// ticks. Before a slice is read, footers and page indexes say how many rows it may have: with too
/// many it is halved. What the caller sees does not depend on the slices.
class TickStream {
 public:
  /// `stretches`: disjoint, ascending. `snapshot` as TickSource::Take. `point`: read at this one,
  /// taken before for the selection and all stretches.
  TickStream(TickSource& source, TickSelection selection, std::vector<TimeSpan> stretches,
             std::shared_ptr<arrow::Schema> result, std::optional<std::int64_t> snapshot,
             StreamOptions options, std::optional<ReadPoint> point = {});

  /// The next rows, at most batch_rows; null when there are no more. After an error only the
  /// destructor may be called.
  Result<std::shared_ptr<arrow::Table>> Next();

  const ScanCounts& counts() const { return counts_; }

 private:
  Status LoadSlice();
  Result<std::shared_ptr<arrow::Table>> LoadWithin(TimeSpan& slice);
  Status TakePoint();

  TickSource* source_;
  TickSelection selection_;
  std::vector<TimeSpan> stretches_;
  std::shared_ptr<arrow::Schema> result_;
  std::optional<std::int64_t> snapshot_;
  StreamOptions options_;

  std::optional<ReadPoint> point_;
  std::size_t stretch_ = 0;
  std::int64_t position_ = 0;  ///< rows before it are read
  std::int64_t length_ = 0;    ///< of the next slice
  std::shared_ptr<arrow::Table> slice_;
  std::int64_t offset_ = 0;  ///< rows of slice_ that were given
  ScanCounts counts_;
};

}  // namespace lamina::ticks
