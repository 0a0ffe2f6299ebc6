#pragma once

/// \file lamina/ticks/tick_tail.h
/// TickTail: ticks as they become durable, from a cursor on, each once, also those of other
/// processes. Thread-compatible; borrows the TickSource.

#include <cstdint>
#include <memory>
#include <string>

#include "lamina/ticks/tick_source.h"

namespace lamina::ticks {

class TickTail {
 public:
  /// The next ticks: those that were durable at the call and were not given before (a part of them
  /// when they are very many), in the one order among themselves; without rows when there is none.
  /// What has left the log meanwhile comes from the archive. RETURNS kCorruption.
  Result<std::shared_ptr<arrow::Table>> Poll();

  /// Behind all that Poll gave.
  std::string cursor() const { return FormatLogCursor(seen_); }

  TickTail(TickSource& source, TickSelection selection, std::shared_ptr<arrow::Schema> result,
           LogCursor seen)
      : source_(&source),
        selection_(std::move(selection)),
        result_(std::move(result)),
        seen_(std::move(seen)) {}

 private:
  Result<std::shared_ptr<arrow::Table>> TryPoll(LogCursor& seen);
  Result<std::vector<std::shared_ptr<arrow::Table>>> FromArchive(std::int64_t writer,
                                                                 std::int64_t from,
                                                                 std::int64_t end);

  TickSource* source_;
  TickSelection selection_;
  std::shared_ptr<arrow::Schema> result_;
  LogCursor seen_;
};

}  // namespace lamina::ticks
