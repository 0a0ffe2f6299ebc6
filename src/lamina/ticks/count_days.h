#pragma once

/// \file lamina/ticks/count_days.h
/// Statistics counted anew from the files of the archive, as a check, and where ticks go away. Free
/// functions; thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"
#include "lamina/ticks/day_statistics.h"

namespace lamina::ticks {

using DayCounts = std::map<StatisticsKey, DayStatistics>;
/// Whether a row counts.
using RowChoice = std::function<bool(const TickBatch&, std::size_t row)>;

/// What the files of `snapshot` hold of `keys`, every key in the answer. Reads the days' files of
/// the contracts, one at a time.
Result<DayCounts> CountDays(catalog::Catalog& catalog, std::int64_t snapshot,
                            const std::set<StatisticsKey>& keys, const RowChoice& counts = {});

/// RETURNS kConflict when a row of `keys` was changed after `snapshot`. REQUIRES a write
/// transaction, as does PutCounts.
Status CheckUnchanged(catalog::Database& database, std::int64_t snapshot,
                      const std::set<StatisticsKey>& keys);
Status PutCounts(catalog::Database& database, std::int64_t snapshot, const DayCounts& counts);

struct StatisticsProblem {
  StatisticsKey key;
  std::string what;
};

/// Rows of `data_statistics` that differ from a count of the archive's files at the latest
/// snapshot, rows too many and too few.
Result<std::vector<StatisticsProblem>> CheckStatistics(catalog::Catalog& catalog,
                                                       const CancelToken* cancel = nullptr);

/// Make `data_statistics` anew from the files. RETURNS how many rows there are.
Result<std::int64_t> RebuildStatistics(catalog::Catalog& catalog,
                                       const CancelToken* cancel = nullptr);

}  // namespace lamina::ticks
