#pragma once

/// \file row_set.h
/// Rows of lists and ranks as Arrow tables. Pure functions; thread-safe.

#include <memory>

#include "lamina/backtests/ranking.h"
#include "lamina/base/result.h"

namespace arrow {
class Table;
}

namespace lamina::python {

/// Numbers, text, instants (UTC microseconds), digests as hexadecimal text. Members of JSON texts
/// (`parameters.fast`) are numbers or truth values when all of them are, else text.
Result<std::shared_ptr<arrow::Table>> RowSetToArrow(const backtests::RowSet& rows);

}  // namespace lamina::python
