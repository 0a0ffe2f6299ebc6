#pragma once

/// \file lamina/catalog/snapshot_export.h
/// A small SQLite file that holds one snapshot of the lake as a DuckLake catalog of its own, for
/// SQL engines that bring another SQLite library and must not touch the live file. Thread-safe.

#include <cstdint>
#include <optional>
#include <string>

#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"

namespace lamina::catalog {

/// Write the catalog of `snapshot` (absent: the latest) to `path`, which appears whole or not at
/// all; a file there is replaced. Beside the ducklake tables, with the rows that the snapshot sees,
/// it holds `backtest_index` and `backtest_run` (handle, slot, run_id, engine, study). RETURNS the
/// snapshot id; kNotFound when there is no such snapshot.
Result<std::int64_t> ExportSnapshotCatalog(Catalog& catalog, std::optional<std::int64_t> snapshot,
                                           const std::string& path);

/// The same into the empty database `copy`. REQUIRES an open transaction on `live`.
Result<std::int64_t> CopySnapshotRows(Database& live, std::optional<std::int64_t> snapshot,
                                      Database& copy);

}  // namespace lamina::catalog
