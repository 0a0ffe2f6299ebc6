#pragma once

/// \file lamina/ticks/tick_bars.h
/// Bars of ticks, by the kernels of `series`, from a TickSource. Free functions; thread-safe.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/series/bars.h"
#include "lamina/ticks/tick_stream.h"

namespace lamina::ticks {

/// timestamp (timestamp[ns, UTC]), contract_id, tick_type, open, high, low, close, volume, vwap,
/// n_ticks; with quotes among the types also bid_close, ask_close, spread_mean. Or those of them
/// that `names` asks for. RETURNS kInvalidArgument for an unknown or repeated name.
Result<std::shared_ptr<arrow::Schema>> BarSchema(
    const std::vector<TickType>& types, const std::optional<std::vector<std::string>>& names = {});

/// Bars of every contract and type of the selection, by (timestamp, contract_id, tick_type). Bars
/// of quotes are of the mid; quotes and midpoints have no volume and no VWAP (NULL). A bar holds
/// the ticks of its stretch of time that lie in `stretches`, wherever they are stored. `snapshot`
/// and `point` as TickStream.
Result<std::shared_ptr<arrow::Table>> TickBars(TickSource& source, const TickSelection& selection,
                                               const std::vector<TimeSpan>& stretches,
                                               const series::BarOptions& options,
                                               const std::shared_ptr<arrow::Schema>& result,
                                               std::optional<std::int64_t> snapshot,
                                               const ReadPoint& point, ScanCounts& counts);

}  // namespace lamina::ticks
