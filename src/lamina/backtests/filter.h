#pragma once

/// \file lamina/backtests/filter.h
/// The filter language of `--where` (docs/guide/filters.md), compiled to SQL text whose values are
/// all bound parameters. Nothing of the given text goes into the SQL. Pure functions; thread-safe.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lamina/backtests/columns.h"
#include "lamina/base/result.h"

namespace lamina::backtests {

struct FilterLimits {
  std::size_t max_bytes = 65536;
  std::size_t max_depth = 64;       ///< of parentheses, NOT and signs
  std::size_t max_operators = 500;  ///< SQLite's own limit is a tree of depth 1000
  std::size_t max_list = 1000;      ///< elements of one IN (…)
};

using SqlValue = std::variant<std::int64_t, double, std::string>;

/// A condition on table `backtest_index AS i`.
struct Filter {
  std::string sql;                   ///< one parenthesised expression with `?` parameters
  std::vector<SqlValue> parameters;  ///< in the order of the `?`
  bool uses_functions = false;       ///< calls the functions below (QueryGuard::AddFunctions)
  std::vector<const IndexColumn*> columns;  ///< that it reads, perhaps more than once
};

/// RETURNS kInvalidArgument: "filter, column N: …", what was expected, near names;
/// kResourceExhausted beyond the limits. An empty filter is an error.
Result<Filter> CompileFilter(std::string_view text, const FilterLimits& limits = {});

/// SQL functions that compiled filters and queries call: member of a JSON text, names as further
/// arguments; NULL when absent, null or NaN. _any keeps the type, _number gives numbers and
/// booleans (as 1 and 0) only, _text gives everything as text.
inline constexpr const char* kMemberAny = "lamina_member";
inline constexpr const char* kMemberNumber = "lamina_member_number";
inline constexpr const char* kMemberText = "lamina_member_text";
/// (tag, tags, relation, operands…): 1 or 0; NULL when there is neither a tag nor one in the JSON
/// array.
inline constexpr const char* kAnyTag = "lamina_any_tag";

}  // namespace lamina::backtests
