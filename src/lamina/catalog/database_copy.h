#pragma once

/// \file lamina/catalog/database_copy.h
/// A database file copied while it is written. Free function; thread-safe.

#include <string>

#include "lamina/base/result.h"

namespace lamina::catalog {

/// Write the state that the database file `from` has at this moment to the new file `to`: packed,
/// in one file without a log, stamped (docs/format/catalog.md), synced. Writers go on meanwhile.
/// RETURNS kCorruption when a page of `from` fails its check.
Status CopyDatabase(const std::string& from, const std::string& to);

}  // namespace lamina::catalog
