#pragma once

/// \file lamina/catalog/lost_race.h
/// Which conflicts are worth another attempt. Pure function; thread-safe.

#include "lamina/base/result.h"

namespace lamina::catalog {

/// Whether `error` is a kConflict with work that was committed meanwhile. False when the write lock
/// could not be had: whoever holds it may hold it for ever, and the wait is over.
bool LostRace(const Error& error);

}  // namespace lamina::catalog
