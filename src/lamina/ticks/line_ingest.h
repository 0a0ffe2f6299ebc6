#pragma once

/// \file lamina/ticks/line_ingest.h
/// LineIngest: lines of JSON or CSV into a writer, batch by batch; what is no tick is told by its
/// line, the rest is stored. Thread-compatible.

#include <cstdint>
#include <cstdio>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/rejected_lines.h"
#include "lamina/base/result.h"
#include "lamina/io/env.h"
#include "lamina/tick_log/tick_writer.h"
#include "lamina/ticks/tick_cursor.h"
#include "lamina/ticks/tick_input.h"

namespace lamina::ticks {

struct IngestOptions {
  InputOptions input;
  std::int64_t batch_rows = 1000;  ///< ticks of one append
  bool json = true;                ///< else CSV below a header
  /// Number the appends by their last line, for a writer with a producer's name: the same lines
  /// again store nothing.
  bool numbered = false;
  const CancelToken* cancel = nullptr;
  std::function<void(std::int64_t accepted)> progress = {};
  RejectedLineSink on_rejected = {};  ///< in the order of finding them, batch by batch
};

struct IngestReport {
  std::int64_t accepted = 0;  ///< stored, by this run
  std::int64_t repeated = 0;  ///< the producer had sent them before
  RejectedLines rejected;
  LogCursor durable;  ///< behind the last tick of each log
};

class LineIngest {
 public:
  /// Borrows both.
  LineIngest(io::Env& env, tick_log::TickWriter& writer, IngestOptions options);

  /// To the end of `in`, or until cancelled; what was read is stored. A line above 16 MiB is told
  /// and passed over. RETURNS kIo, and what an append returns but kInvalidArgument.
  Status ReadAll(std::FILE* in);
  /// Rows that are no lines, as one append. RETURNS what the append returns.
  Status Append(TickRows rows, std::int64_t number = 0);

  const IngestReport& report() const { return report_; }

 private:
  struct Line {
    std::int64_t number;
    std::string text;
  };
  Status Add(std::int64_t number, const std::string& line);
  Status Parse(std::string_view line);
  void Reject(std::int64_t line, std::string message);
  Status Store();
  Status StoreLines(std::span<const Line> lines);

  io::Env& env_;
  tick_log::TickWriter& writer_;
  IngestOptions options_;
  TickLines lines_;
  bool header_;  ///< the next line is the header
  std::vector<Line> kept_;
  IngestReport report_;
};

/// `{"accepted", "rejected": [{"line", "message"}], "rejected_count", "durable_seq"}`
std::string IngestReportJson(const IngestReport& report);

}  // namespace lamina::ticks
