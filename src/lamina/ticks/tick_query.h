#pragma once

/// \file lamina/ticks/tick_query.h
/// TickReader: range queries, streams and followers over all ticks of a store. Thread-safe.
/// Semantics: docs/guide/ticks.md.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/series/bars.h"
#include "lamina/series/session_ranges.h"
#include "lamina/ticks/query_cache.h"
#include "lamina/ticks/tick_source.h"
#include "lamina/ticks/tick_stream.h"
#include "lamina/ticks/tick_tail.h"

namespace lamina::ticks {

struct TickQuery {
  std::vector<std::int64_t> contracts;
  std::vector<TickType> types;
  std::int64_t start_ns = 0;             ///< inclusive
  std::optional<std::int64_t> end_ns;    ///< exclusive; absent: now
  std::string resolution;                ///< empty or `tick`: ticks; else a rule of bars: `1m`
  series::SessionChoice sessions;        ///< only ticks within; bars begin at their opens
  std::optional<std::int64_t> snapshot;  ///< the archive as of then; absent: all there is
  std::optional<std::vector<std::string>> columns;
  std::optional<std::int64_t> limit;  ///< rows at most
  std::string cursor;                 ///< next_cursor of the same query before
  series::BarLabel label = series::BarLabel::kLeft;
  series::BarFill fill = series::BarFill::kNone;
};

struct QueryAnswer {
  std::shared_ptr<arrow::Table> rows;
  std::int64_t snapshot = 0;
  bool truncated = false;
  std::string next_cursor;  ///< when truncated
  std::string tail_cursor;  ///< what a follower starts from to see all that this query did not
  bool cached = false;
  ScanCounts counts;
};

struct ReaderOptions {
  CacheLimits cache;
  std::size_t workers = 0;  ///< threads of one query, as ParallelFor
};

/// The cursor before everything.
inline constexpr const char* kFromStart = "start";

class TickReader {
 public:
  TickReader(catalog::Catalog& catalog, const ReaderOptions& options);

  /// Each tick of the range once, in the order (ts_ns, recv_ns, writer, seq), or bars of them; a
  /// typed table without rows when there is none. Only what overlaps the range is read.
  /// The cache keeps answers that came from the archive alone, under the files they came from:
  /// a newer tick, file or deletion makes another key, so that none is ever stale.
  /// RETURNS kInvalidArgument (start after end, unknown resolution, session, column; a cursor of
  /// another query), kNotFound (snapshot), kCorruption.
  Result<QueryAnswer> Query(const TickQuery& query);

  /// The rows of Query (ticks, no limit) batch by batch in bounded memory.
  Result<TickStream> Stream(const TickQuery& query, const StreamOptions& options = {});

  /// Follow the logs: tick_tail.h. From a cursor of a tail or of a query; empty: from now on;
  /// kFromStart: all that is stored, then what comes. RETURNS kInvalidArgument.
  Result<TickTail> Tail(const TickSelection& selection, const std::string& cursor,
                        const std::optional<std::vector<std::string>>& columns = {});

  /// Run queries so that their answers are in the cache. RETURNS how many are.
  Result<std::int64_t> Warm(const std::vector<TickQuery>& queries);

  TickSource& source() { return source_; }
  CacheCounts cache_counts() const { return cache_.counts(); }
  void ClearCache() { cache_.Clear(); }

 private:
  struct Plan;
  Result<Plan> Prepare(const TickQuery& query);
  Result<QueryAnswer> AnswerTicks(const TickQuery& query, const Plan& plan, const ReadPoint& point);
  Result<QueryAnswer> AnswerBars(const TickQuery& query, const Plan& plan, const ReadPoint& point);

  TickSource source_;
  QueryCache cache_;
};

}  // namespace lamina::ticks
