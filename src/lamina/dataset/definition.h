#pragma once

/// \file lamina/dataset/definition.h
/// What a dataset is: its columns, its keys, how it is partitioned; and the predefined ones.
/// Pure functions; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/catalog/lake.h"
#include "lamina/table/lake_type.h"

namespace lamina::dataset {

enum class Partition : std::uint8_t { kNone, kYear, kDate };
std::string_view PartitionName(Partition partition);  ///< "none", "year", "date"
Result<Partition> PartitionFromName(std::string_view name);

struct Column {
  std::string name;
  table::LakeType type = table::LakeType::kDouble;
  bool required = false;  ///< must be given, and without NULL
  auto operator<=>(const Column&) const = default;
};

/// A named time-series table. Rows are identified and sorted by `keys`; the time column is the
/// last of them. Columns made from the time (year and month, or date) are not listed here.
struct Definition {
  std::string name;
  std::string kind = "table";  ///< ohlcv, features, normalized, latents, splits, table
  std::string lake_schema = "datasets";
  std::vector<Column> columns;
  std::string time_column = "timestamp";
  std::vector<std::string> keys = {"timestamp"};
  Partition partition = Partition::kYear;
  /// A BOOLEAN column: of two rows with one key, a complete one beats an incomplete one.
  std::optional<std::string> complete_column;
  std::string parameters = "{}";  ///< JSON object: what it was made for

  const Column* Find(std::string_view column) const;
};

/// Says from where a row came and is not compared when rows are: saving the same bar again, fetched
/// by another run, changes nothing.
inline constexpr std::string_view kProvenanceColumn = "fetch_run_id";

/// RETURNS kInvalidArgument: names (of the dataset, repeated or reserved columns), keys that are no
/// columns or of other types than text, whole numbers and dates, a time column that is not a
/// TIMESTAMP WITH TIME ZONE.
Status CheckDefinition(const Definition& definition);

/// Columns of the lake table, those made from the time included, without ids.
std::vector<catalog::LakeColumn> LakeColumns(const Definition& definition);
/// "year", "month" or "date": names of the columns made from the time.
std::vector<std::string> TimeParts(Partition partition);

/// timestamp, open, high, low, close, volume, instrument, timeframe, complete, fetch_run_id in
/// `bars.<name>`; keys instrument, timeframe, timestamp.
Definition OhlcvDefinition(std::string name = "ohlcv");

/// What a wide table of features is made for.
struct FeatureShape {
  std::int64_t instruments = 20;
  std::vector<std::string> indicators = {"slope_high", "slope_low", "volatility", "direction"};
  std::vector<std::string> context = {};  ///< names of further columns
};
/// timestamp, `<indicator>_<i>` for every instrument, instrument-major, then the context columns;
/// all DOUBLE, in `features.<name>`. `kind`: features or normalized.
Result<Definition> FeaturesDefinition(std::string name, std::string kind,
                                      const FeatureShape& shape);
/// timestamp, latent_0 .. latent_<size - 1>.
Result<Definition> LatentsDefinition(std::string name, std::int64_t size = 100);
/// The same with any columns.
Definition WideDefinition(std::string name, std::string kind, std::vector<Column> columns);
/// Bars of a split (`train`, `validation`, …): the columns of ohlcv behind `split`; keys split,
/// instrument, timeframe, timestamp; in `features.<name>`.
Definition SplitsDefinition(std::string name = "splits");

}  // namespace lamina::dataset
