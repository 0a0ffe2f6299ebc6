#pragma once

/// \file lamina/catalog/lake_names.h
/// Names of lake schemas, tables and columns as DuckLake rows spell them. Pure functions;
/// thread-safe.

#include <optional>
#include <string>
#include <string_view>

#include "lamina/base/result.h"

namespace lamina::catalog {

/// `"name"`, with quotes inside doubled.
std::string QuoteIdentifier(std::string_view name);
std::string LowerAscii(std::string_view text);

/// RETURNS kInvalidArgument for an empty or overlong name, control characters, or text that is not
/// UTF-8.
Status CheckObjectName(std::string_view name);
/// The same, and not one of the extension's own columns.
Status CheckColumnName(std::string_view name);

/// The folder of a schema or table, ending in '/': its name when that is plain, else its uuid.
std::string FolderOf(std::string_view name, std::string_view uuid);

/// The SQL of ducklake_sort_expression for a column, and back. Absent for any other expression.
std::string SortExpression(std::string_view column);
std::optional<std::string> ColumnOfSortExpression(std::string_view expression);

}  // namespace lamina::catalog
