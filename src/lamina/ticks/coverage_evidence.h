#pragma once

/// \file lamina/ticks/coverage_evidence.h
/// What the store knows for coverage.h: archived spans, logs, recordings, events. Free functions;
/// thread-safe.

#include <cstdint>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/ticks/coverage.h"

namespace lamina::ticks {

/// Without the calendar.
Result<CoverageEvidence> GatherEvidence(catalog::Catalog& catalog, tick_log::LogReader& logs,
                                        std::int64_t contract_id, tick_log::TickType type,
                                        std::int64_t begin_ns, std::int64_t end_ns);

/// RETURNS the event's id. Durable. RETURNS kInvalidArgument (no kind, an end before its start,
/// details that are not one JSON object).
Result<std::int64_t> StoreEvent(catalog::Catalog& catalog, const TickEvent& event);
/// That touch [begin, end), by time.
Result<std::vector<TickEvent>> ReadEvents(catalog::Database& database, std::int64_t begin_ns,
                                          std::int64_t end_ns);

}  // namespace lamina::ticks
