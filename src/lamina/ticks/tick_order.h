#pragma once

/// \file lamina/ticks/tick_order.h
/// Ticks as they came, in the order of the archive: day by day, by contract, time and identity.
/// Pure functions; thread-safe.

#include <cstdint>
#include <span>
#include <vector>

#include "lamina/ticks/tick_tables.h"

namespace lamina::ticks {

struct DayRows {
  std::int32_t day = 0;             ///< UTC, since 1970-01-01
  std::vector<std::uint32_t> rows;  ///< sorted by contract_id, ts_ns, recv_ns, writer, seq
};

/// Every row once, by day. REQUIRES fewer than 2^32 rows. Fast where ticks of a contract come in
/// the order of time.
std::vector<DayRows> ArchiveOrder(const TickBatch& ticks);

/// Row rows[i] becomes row i.
TickBatch TakeTicks(const TickBatch& ticks, std::span<const std::uint32_t> rows);

}  // namespace lamina::ticks
