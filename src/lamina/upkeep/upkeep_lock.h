#pragma once

/// \file lamina/upkeep/upkeep_lock.h
/// One piece of upkeep at a time in a store: what collects, copies or repairs takes this lock.
/// Thread-safe.

#include <memory>

#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"
#include "lamina/io/env.h"

namespace lamina::upkeep {

/// Held until destruction, or until the process dies. RETURNS kConflict while another holds it.
Result<std::unique_ptr<io::FileLock>> LockUpkeep(catalog::Catalog& catalog);

}  // namespace lamina::upkeep
