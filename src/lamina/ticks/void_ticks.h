#pragma once

/// \file lamina/ticks/void_ticks.h
/// Taking bad prints out of the archive, with reason; older snapshots keep them. Free functions;
/// thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"
#include "lamina/ticks/tick_tables.h"

namespace lamina::ticks {

struct VoidRequest {
  std::int64_t contract_id = 0;
  std::optional<TickType> type = {};      ///< absent: all types
  std::int64_t begin_ns = 0, end_ns = 0;  ///< [begin, end) by event time
  /// Only prints with a price below `low_price` or above `high_price`; absent: all of the span.
  std::optional<double> low_price = {}, high_price = {};
  std::string reason, author;
  bool dry_run = false;
};

struct VoidReport {
  std::int64_t void_id = 0, ticks = 0, snapshot = 0;
};

struct VoidRow {
  std::int64_t void_id = 0;
  VoidRequest request;
  std::int64_t created_at = 0;  ///< microseconds
  std::int64_t ticks = 0, snapshot = 0;
  bool undone = false;
  std::string undone_reason;
};

/// REQUIRES that what is meant is archived. RETURNS kInvalidArgument (no reason, empty span),
/// kNotFound when no tick matches.
Result<VoidReport> VoidTicks(catalog::Catalog& catalog, const VoidRequest& request);
Result<std::vector<VoidRow>> ReadVoids(catalog::Catalog& catalog);
/// RETURNS kNotFound (no such void, or the snapshot before it has expired), kConflict (undone).
Result<VoidReport> UndoVoid(catalog::Catalog& catalog, std::int64_t void_id,
                            const std::string& reason);

}  // namespace lamina::ticks
