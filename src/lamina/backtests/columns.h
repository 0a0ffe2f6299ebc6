#pragma once

/// \file lamina/backtests/columns.h
/// The names by which lists, ranks and filters reach a column of `backtest_index` or a member of
/// its JSON texts. Constant data and pure functions; thread-safe.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"

namespace lamina::backtests {

enum class ColumnType : std::uint8_t {
  kText,
  kInteger,
  kReal,
  kTime,   ///< INTEGER microseconds, shown as ISO-8601 text
  kDigest  ///< BLOB, shown and compared as lower-case hexadecimal digits
};

struct IndexColumn {
  std::string_view name;  ///< of the table's column
  ColumnType type = ColumnType::kText;
  int summary_field = -1;  ///< position in kSummaryFields, or -1
  bool narrow = false;     ///< also in the index kNarrowIndex
};

/// An index of live rows pooled over universes that holds, in the order of ids, the columns that
/// most ranks sort and filter by: a quarter of the table's bytes.
inline constexpr std::string_view kNarrowIndex = "backtest_index_narrow";

/// Every column that may be asked for, in the table's order.
std::span<const IndexColumn> IndexColumns();

/// A column by its name, a summary metric with or without `summary_` (or `summary.`), or an alias
/// (sharpe, sortino, calmar, return, drawdown, trades, handle, engine, study, universe). One of our
/// own metrics has `validated_` (or `validated.`) before its name or the alias. ASCII case does not
/// matter. nullptr: no such column.
const IndexColumn* FindColumn(std::string_view name);

/// The SQL of a column of `backtest_index AS i`: `i."name"`, a digest as hexadecimal digits.
std::string ColumnSql(const IndexColumn& column);

/// What a name in a column list, a sort or a filter stands for.
struct NameRef {
  const IndexColumn* column = nullptr;  ///< the column, or the JSON column that holds the member
  std::vector<std::string> path;        ///< not empty: a member, e.g. {"fast"} of `parameters.fast`
};

/// A name split at its dots, `parts` not empty. RETURNS kInvalidArgument naming near names.
Result<NameRef> ResolveName(std::span<const std::string> parts);

/// The same from text such as `sharpe`, `parameters.fast`, `` parameters.`odd key` ``.
Result<NameRef> ResolveName(std::string_view text);

/// "; did you mean `a` or `b`?" for a name that is none, or "".
std::string NearNamesHint(std::string_view name);

}  // namespace lamina::backtests
