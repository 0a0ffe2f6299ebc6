#pragma once

/// \file lamina/backtests/ranking.h
/// Lists and ranks of backtests from the rank table, of a store or of an index file. Functions over
/// one Database; as thread-compatible as that.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lamina/backtests/columns.h"
#include "lamina/backtests/json_member.h"
#include "lamina/backtests/query_guard.h"
#include "lamina/backtests/weights.h"
#include "lamina/base/result.h"
#include "lamina/catalog/database.h"

namespace lamina::backtests {

/// A value of a row: null, integer, float (NaN and infinities included), text; truth values come
/// only from members of JSON texts.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string, bool>;

/// A member of a JSON text; an object or array as its text.
Cell CellOf(const JsonScalar& value);

struct RowSet {
  std::vector<std::string> columns;  ///< as asked for, each once
  std::vector<ColumnType> types;     ///< kText for members of JSON texts, whatever the cells hold
  std::vector<std::vector<Cell>> rows;
};

/// The rank table of a Database: that of a store, or of another program or purpose that lacks some
/// of its columns. Borrows the Database.
struct RankTable {
  /// A store's.
  RankTable(catalog::Database& of) : database(of) {}  // NOLINT: the plain case stays plain

  catalog::Database& database;
  /// What to select of `backtest_index` so that all of IndexColumns(), `summary_nan_mask` and
  /// `rowid` are there; "": the table has them, and snapshots.
  std::string columns;
  bool has_narrow_index = true;  ///< kNarrowIndex

  bool has_snapshots() const { return columns.empty(); }
  /// What stands after FROM, named `i`.
  std::string From(bool by_narrow_index = false) const;
};

/// Which rows are meant.
struct RowSelection {
  std::string where;  ///< filter language; empty: all
  std::optional<std::string> engine, study;
  std::optional<std::string> universe;  ///< absent: the rows pooled over universes
  bool all_universes = false;
  std::optional<std::int64_t> snapshot;  ///< absent: live rows
};

struct ListQuery {
  std::string sort;  ///< a column, metric or member; empty: by handle, ascending
  bool descending = true;
  std::optional<std::int64_t> limit;
  std::int64_t offset = 0;
  std::vector<std::string> columns;  ///< empty: ListColumns()
  RowSelection rows;
};

struct RankQuery {
  std::string by;  ///< a metric; or else:
  Weights weights;
  bool descending = true;
  std::int64_t limit = 10;
  std::int64_t offset = 0;
  std::vector<std::string> columns;  ///< empty: RankColumns()
  RowSelection rows;
};

const std::vector<std::string>& ListColumns();
const std::vector<std::string>& RankColumns();

/// Rows in order of `sort`; null and NaN last in both directions; equal ones by handle. Times come
/// as ISO-8601 text, an engine or universe that is not there as null. RETURNS kInvalidArgument
/// (unknown names with near ones, bad filter, negative limit, a snapshot of a table without),
/// kResourceExhausted (limits).
Result<RowSet> List(const RankTable& table, const ListQuery& query, const QueryLimits& limits = {});

/// The same by a metric or by weights. With weights the column `score` may be asked for, and is
/// among the columns when none are.
Result<RowSet> Rank(const RankTable& table, const RankQuery& query, const QueryLimits& limits = {});

/// How many rows a selection has.
Result<std::int64_t> CountRows(const RankTable& table, const RowSelection& rows,
                               const QueryLimits& limits = {});

}  // namespace lamina::backtests
