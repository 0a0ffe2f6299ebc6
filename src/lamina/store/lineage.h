#pragma once

/// \file lamina/store/lineage.h
/// Lineage over all that a store holds: datasets, ticks, runs, models, backtests and their prices.
/// Free functions; thread-safe.

#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/dataset/registry.h"
#include "lamina/store/store.h"

namespace lamina::store {

/// Registry::Lineage; a backtest leads to the price files that its document names
/// (`prices:<sha256>`, or the name when it is no hash), and those to the files of the registry with
/// these bytes.
Result<std::vector<dataset::LineageEdge>> LineageOf(Store& store, const std::string& kind,
                                                    const std::string& id);

/// Newest edges whose input has changed since it was read: datasets (Registry::Stale), series of
/// bars and ticks (bars::InputChanged). In the order in which they were noted.
Result<std::vector<dataset::LineageEdge>> StaleEdges(Store& store);

}  // namespace lamina::store
