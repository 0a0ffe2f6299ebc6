#pragma once

/// \file lamina/bars/origin.h
/// How edges of lineage name a series of bars, or ticks, of a range of time. Values; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lamina/dataset/datasets.h"
#include "lamina/tick_log/tick.h"

namespace lamina::bars {

/// `ohlcv/EUR_USD/1h`, or with a range `ohlcv/EUR_USD/1h[2024-01-01T00:00:00+00:00,)`: of kind
/// `dataset`.
struct SeriesOrigin {
  std::string dataset, instrument, timeframe;
  dataset::TimeRange range = {};
};
std::string FormatOrigin(const SeriesOrigin& origin);
/// Nothing for an id that is no series: the name of a dataset.
std::optional<SeriesOrigin> ParseSeriesOrigin(std::string_view id);

/// `265598/last[2024-01-01T00:00:00+00:00,2024-01-02T00:00:00+00:00)`: of kind `ticks`.
struct TickOrigin {
  std::int64_t contract = 0;
  tick_log::TickType type = tick_log::TickType::kLast;
  dataset::TimeRange range = {};
};
std::string FormatOrigin(const TickOrigin& origin);
std::optional<TickOrigin> ParseTickOrigin(std::string_view id);

}  // namespace lamina::bars
