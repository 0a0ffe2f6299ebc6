#pragma once

/// \file lamina/bars/made_rows_internal.h
/// Bars of one series as rows of a dataset of bars. Pure functions; thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/api.h>

#include "lamina/base/result.h"
#include "lamina/dataset/definition.h"

namespace lamina::bars::internal {

using ArrowTable = std::shared_ptr<arrow::Table>;

/// The stamps of `bars` (column timestamp, nanoseconds).
Result<std::vector<std::int64_t>> StampsOf(const arrow::Table& bars);

/// `bars` with instrument and timeframe in front and `complete` behind, as
/// lamina/bars/make_bars.h has them; columns that it lacks are NULL. `quotes`: with their columns.
Result<ArrowTable> AsRows(const arrow::Table& bars, const std::string& instrument,
                          const std::string& timeframe, const std::vector<bool>& complete,
                          bool quotes);

/// Those of the columns that the dataset has.
Result<ArrowTable> KnownColumns(const ArrowTable& rows, const dataset::Definition& definition);

}  // namespace lamina::bars::internal
