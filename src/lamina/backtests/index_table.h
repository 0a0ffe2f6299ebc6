#pragma once

/// \file lamina/backtests/index_table.h
/// Rows of the rank table `backtest_index` written and read. Functions over one Database; as
/// thread-compatible as that.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/backtests/index_row.h"
#include "lamina/base/hash.h"
#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/catalog/database.h"

namespace lamina::backtests {

/// What the store knows of a row beside the bundle.
struct IndexPlace {
  std::int64_t backtest_id = 0;
  std::int64_t begin_snapshot = 0;
  std::optional<std::int64_t> end_snapshot;
  std::optional<Sha256Digest> document_sha256;
  std::optional<Micros> imported_at;
  std::string tags = "[]";  ///< JSON array of the user's tags
  std::optional<std::string> note;
};

struct StoredIndexRow {
  IndexRow row;  ///< REAL columns come back as doubles; has_summary when any metric is there
  IndexPlace place;
};

/// The columns that every rank table has for an IndexRow, separated by commas; first those of the
/// field's existing index in its order, then `summary_nan_mask, start_date, end_date`.
const std::string& IndexRowColumns();
inline constexpr int kIndexRowColumnCount = 17 + static_cast<int>(kSummaryFieldCount) + 3;
/// Bind `row` to the parameters from `first` on, in the order of IndexRowColumns().
void BindIndexRow(catalog::Statement& insert, int first, const IndexRow& row);
/// The row in the columns from `first` on.
IndexRow ReadIndexRow(const catalog::Statement& select, int first);

/// The columns of IndexRow::validated, likewise: behind those of IndexRowColumns() in a rank table
/// that has them. All NULL when it is absent.
const std::string& ValidatedColumns();
extern const int kValidatedColumnCount;
void BindValidated(catalog::Statement& insert, int first, const IndexRow& row);
std::optional<ValidatedMetrics> ReadValidated(const catalog::Statement& select, int first);

/// RETURNS kAlreadyExists when the backtest has a row of that engine, universe and study.
Status InsertIndexRow(catalog::Database& database, const IndexRow& row, const IndexPlace& place);

/// Replace the validated metrics of the row of that backtest, engine, universe and study, if any.
Status UpdateValidated(catalog::Database& database, std::int64_t backtest_id, const IndexRow& row);

/// Every row of one backtest, ended ones too, by engine, study and universe.
Result<std::vector<StoredIndexRow>> ReadIndexRows(catalog::Database& database,
                                                  std::int64_t backtest_id);

/// The live rows of a handle. RETURNS kNotFound when there is none.
Result<std::vector<StoredIndexRow>> ReadIndexRows(catalog::Database& database,
                                                  std::string_view handle);

}  // namespace lamina::backtests
