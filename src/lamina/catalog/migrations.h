#pragma once

/// \file lamina/catalog/migrations.h
/// The tables of ours in catalog.sqlite and objects.sqlite, as numbered forward-only steps.

#include <cstdint>
#include <string_view>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/catalog/database.h"

namespace lamina::catalog {

/// The newest catalog version this program knows.
std::int64_t CatalogVersion();

/// Bring the catalog to CatalogVersion(), one transaction a step.
/// RETURNS kUnsupported when the file is newer than the program (nothing is changed); kCorruption
/// when its versions are not 1, 2, … without gaps.
Status MigrateCatalog(Database& database, std::string_view program, Micros now);

/// The tables of objects.sqlite, likewise; `store_id` is the catalog's. RETURNS kCorruption when
/// the file belongs to another store.
Status MigrateObjects(Database& database, std::string_view store_id);
/// RETURNS kCorruption when `database` is not the objects file of store `store_id`.
Status CheckObjects(Database& database, std::string_view store_id);

/// The version a catalog has. RETURNS kCorruption when it has none.
Result<std::int64_t> ReadCatalogVersion(Database& database);
/// RETURNS kUnsupported, naming both versions, when the catalog is newer than the program.
Status CheckCatalogVersion(Database& database);

}  // namespace lamina::catalog
