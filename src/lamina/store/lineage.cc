#include "lamina/store/lineage.h"

#include <algorithm>
#include <set>

#include "lamina/backtests/ohlcv_references.h"
#include "lamina/bars/changed_inputs.h"

namespace lamina::store {
namespace {

using dataset::LineageEdge;

/// From a backtest to its prices, and on to files of the registry.
Status AddPrices(Store& store, const std::string& handle, std::vector<LineageEdge>& edges) {
  LAMINA_ASSIGN(const bool there, store.backtests().Exists(handle));
  if (!there) return Ok();
  LAMINA_ASSIGN(const auto uses, backtests::OhlcvUsesOf(store.backtests(), handle));
  std::set<std::string> seen;
  for (const backtests::OhlcvUse& use : uses) {
    const std::string id = use.sha256 ? use.sha256->Hex() : use.name;
    if (!seen.insert(id).second) continue;
    edges.push_back({"backtest", handle, "prices", id});
    if (!use.sha256) continue;
    LAMINA_ASSIGN(const auto files, store.registry().Rows(dataset::RegistryTable::kFiles,
                                                          {{"checksum", use.sha256->Hex()}}));
    for (const dataset::RegistryRow& file : files) {
      for (const auto& [name, cell] : file) {
        if (name != "id") continue;
        edges.push_back({"prices", id, "file", std::to_string(std::get<std::int64_t>(cell))});
      }
    }
  }
  return Ok();
}

}  // namespace

Result<std::vector<LineageEdge>> LineageOf(Store& store, const std::string& kind,
                                           const std::string& id) {
  LAMINA_ASSIGN(auto edges, store.registry().Lineage(kind, id));
  std::set<std::string> handles;
  if (kind == "backtest") handles.insert(id);
  for (const LineageEdge& edge : edges) {
    if (edge.input_kind == "backtest") handles.insert(edge.input_id);
  }
  for (const std::string& handle : handles) LAMINA_TRY(AddPrices(store, handle, edges));
  return edges;
}

Result<std::vector<LineageEdge>> StaleEdges(Store& store) {
  LAMINA_ASSIGN(const auto whole, store.registry().Stale());
  LAMINA_ASSIGN(const auto newest, store.registry().NewestEdges());
  std::vector<LineageEdge> stale;
  for (const LineageEdge& edge : newest) {
    bool changed = std::find(whole.begin(), whole.end(), edge) != whole.end();
    if (!changed) {
      LAMINA_ASSIGN(changed, bars::InputChanged(store.datasets(), store.tick_reader(), edge));
    }
    if (changed) stale.push_back(edge);
  }
  return stale;
}

}  // namespace lamina::store
