#pragma once

/// \file lamina/ticks/file_facts.h
/// What the catalog keeps of the ticks in one file: its rows of `tick_archives`, statistics and
/// spans of coverage. Values and free functions; thread-safe.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/catalog/database.h"
#include "lamina/catalog/lake.h"
#include "lamina/ticks/day_statistics.h"
#include "lamina/ticks/tick_tables.h"

namespace lamina::ticks {

/// Ticks of one contract, type and writer without a longer silence.
struct TickSpan {
  std::int64_t writer = 0, first_ns = 0, last_ns = 0, ticks = 0;
};

struct ContractFacts {
  std::int64_t first_ns = 0, last_ns = 0, ticks = 0;
  DayStatistics statistics;     ///< of new ticks
  std::vector<TickSpan> spans;  ///< as well
};

/// Of the ticks of one day and kind.
struct FileFacts {
  std::map<std::pair<std::int64_t, TickType>, ContractFacts> contracts;
  double json_bytes = 0;  ///< of the same ticks as JSON lines, estimated from a sample
};

/// Of the rows given by their numbers, sorted as the archive is, with statistics and spans.
FileFacts FactsOf(const TickBatch& ticks, std::span<const std::uint32_t> rows);

/// Rows of `tick_archives` for a file that the commit in the making has appended to `table`.
/// `name`: the last part of its path. REQUIRES a write transaction, as do the others.
Status InsertArchives(catalog::Database& database, std::int64_t snapshot,
                      const catalog::LakeTable& table, const std::string& name,
                      const FileFacts& facts);
/// End the rows of files that go.
Status EndArchives(catalog::Database& database, std::int64_t snapshot,
                   const std::vector<std::int64_t>& data_file_ids);
/// Take spans into `coverage`, joined with those of the same writer that they touch.
Status AddCoverage(catalog::Database& database, const FileFacts& facts);

}  // namespace lamina::ticks
