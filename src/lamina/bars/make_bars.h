#pragma once

/// \file lamina/bars/make_bars.h
/// Bars made from stored bars or from stored ticks, saved with lineage. Thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/dataset/datasets.h"
#include "lamina/dataset/registry.h"
#include "lamina/series/bars.h"
#include "lamina/series/session_ranges.h"
#include "lamina/ticks/tick_query.h"
#include "lamina/ticks/tick_store.h"

namespace arrow {
class Table;
}

namespace lamina::bars {

/// How bars are made: a rule of the clock, which becomes their timeframe (series/bar_rule.h).
struct BarShape {
  std::string rule;
  series::SessionChoice sessions = {};  ///< only rows within; bars begin at their opens
  series::BarLabel label = series::BarLabel::kLeft;
};

struct MadeBars {
  /// instrument, timeframe, timestamp, open, high, low, close, volume, vwap, n_ticks, complete (of
  /// quotes also bid_close, ask_close, spread_mean), by the keys; those that the dataset lacks are
  /// not saved.
  std::shared_ptr<arrow::Table> rows;
  dataset::SaveReport saved;
  std::vector<dataset::LineageEdge> edges;
};

struct ResampleRequest {
  std::string dataset = "ohlcv";
  std::vector<std::string> instruments = {};  ///< empty: all that there are
  std::string timeframe = {};                 ///< of the source; empty: the finest there is
  dataset::TimeRange time = {};
  std::optional<std::int64_t> snapshot = {};
  BarShape shape;
  std::string into = {};  ///< a dataset, made as ohlcv when it is not there; empty: the source's
};

/// Load bars, make coarser ones, save them in one commit. volume is the sum of the known ones, NULL
/// when none is. RETURNS kNotFound (dataset; an instrument without bars), kInvalidArgument (a rule
/// of rows, one that the timeframe does not divide), else as Datasets::Save.
Result<MadeBars> ResampleStored(dataset::Datasets& datasets, const ResampleRequest& request);

struct TickBarsRequest {
  std::int64_t contract = 0;
  tick_log::TickType type = tick_log::TickType::kLast;
  std::string instrument;  ///< under which they are saved
  Micros start = {};
  std::optional<Micros> end = {};  ///< absent: now
  BarShape shape;
  std::string into = {};  ///< empty: TickBarsDataset
};

/// `ohlcv` for trades; `ohlcv_bid_ask` and so on, so that bars of the mid do not mix with them.
std::string TickBarsDataset(tick_log::TickType type);

/// Archive what is in the logs, make bars of the range as of that snapshot, save them. RETURNS
/// kNotFound (no ticks in the range), kInvalidArgument (also a volume that is not whole for a
/// dataset with whole ones), else as TickReader::Query and Datasets::Save.
Result<MadeBars> BarsFromTicks(dataset::Datasets& datasets, ticks::TickStore& ticks,
                               ticks::TickReader& reader, const TickBarsRequest& request);

}  // namespace lamina::bars
