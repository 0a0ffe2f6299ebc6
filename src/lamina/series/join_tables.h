#pragma once

/// \file lamina/series/join_tables.h
/// As-of joins, window joins and merges of Arrow tables. Thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/asof.h"
#include "lamina/series/windows.h"

namespace arrow {
class Table;
}

namespace lamina::series {

struct AsofTableOptions {
  std::string left_time, right_time;  ///< empty: the usual ones (resample.h)
  std::vector<std::string> by;        ///< columns of both sides that must be equal
  std::vector<std::string> columns;   ///< of the right side; empty: all but time, order and keys
  AsofDirection direction = AsofDirection::kBackward;
  std::optional<std::int64_t> tolerance_ns = {};
  bool allow_exact_matches = true;
  bool tick_order =
      true;  ///< within one stamp also by recv_ns, writer, seq where both sides have them
};

/// The left table with columns of the right one behind it: NULL where nothing matches, `_right`
/// behind names that the left one has. Rows and columns of the left are unchanged.
/// RETURNS kInvalidArgument as AsofJoin, and for columns that are not there.
Result<std::shared_ptr<arrow::Table>> AsofTables(const arrow::Table& left,
                                                 const arrow::Table& right,
                                                 const AsofTableOptions& options);
/// `backward`, `forward`, `nearest`. RETURNS kInvalidArgument.
Result<AsofDirection> ParseAsofDirection(const std::string& name);

/// One new column: a statistic over a column of the right side.
struct WindowAggregate {
  std::string name;    ///< of the new column
  std::string column;  ///< `spread` and `mid` of quotes may be named without being there
  WindowStat stat = WindowStat::kMean;
};

struct WindowJoinOptions {
  std::string left_time, right_time;
  std::vector<std::string> by;
  WindowBounds bounds;
  std::vector<WindowAggregate> aggregates;
};

/// The left table with the aggregates behind it (double; counts int64): over the rows on the right
/// within the bounds around each left row, NULL where there is none. Columns `spread` (ask - bid)
/// and `mid` are computed when the right side has bid_price and ask_price (or bid and ask) but not
/// them. RETURNS kInvalidArgument as WindowJoin.
Result<std::shared_ptr<arrow::Table>> WindowJoinTables(const arrow::Table& left,
                                                       const arrow::Table& right,
                                                       const WindowJoinOptions& options);

/// All rows in the tick order over the columns (time, recv_ns, writer, seq) that every table has;
/// equal rows in the order of the tables. A column that some table lacks is NULL there.
/// RETURNS kInvalidArgument when a table is not sorted, naming table and row, or when columns of
/// one name differ in type.
Result<std::shared_ptr<arrow::Table>> MergeTables(
    const std::vector<std::shared_ptr<arrow::Table>>& tables, const std::string& time);

}  // namespace lamina::series
