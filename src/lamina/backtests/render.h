#pragma once

/// \file lamina/backtests/render.h
/// Rows as text: an aligned table for people, JSON, JSON lines and CSV for programs. Pure;
/// thread-safe.

#include <string>
#include <string_view>

#include "lamina/backtests/ranking.h"
#include "lamina/base/json.h"

namespace lamina::backtests {

/// Columns two blanks apart and flush left under their names and a rule of dashes, floats with four
/// decimals, nothing for null; `(no rows)` when there is none. Widths count code points; control
/// characters in texts become blanks.
std::string RenderTable(const RowSet& rows);

/// An array of objects, two blanks of indentation; `[]` when there is none. NaN and infinities are
/// null.
std::string RenderJson(const RowSet& rows);

/// One object a line.
std::string RenderJsonLines(const RowSet& rows);

/// RFC 4180 with a header line and LF ends; floats in full, `nan`, `inf`, `-inf`; nothing for null.
std::string RenderCsv(const RowSet& rows);

/// A cell as a JSON value.
void WriteCell(JsonWriter& json, const Cell& cell);

/// A cell as RenderTable shows it.
std::string CellText(const Cell& cell);

/// Lines of `cells` (each as long as `header`) aligned as RenderTable does.
std::string RenderAligned(const std::vector<std::string>& header,
                          const std::vector<std::vector<std::string>>& cells);

}  // namespace lamina::backtests
