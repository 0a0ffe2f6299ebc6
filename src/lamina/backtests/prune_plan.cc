#include "lamina/backtests/prune_plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace lamina::backtests {
namespace {

/// How many rows of a selection each handle has.
Result<std::map<std::string, std::int64_t>> RowsByHandle(const RankTable& table, RowSelection rows,
                                                         const QueryLimits& limits) {
  ListQuery query;
  query.columns = {"bundle_path"};
  query.rows = std::move(rows);
  LAMINA_ASSIGN(const RowSet found, List(table, query, limits));
  std::map<std::string, std::int64_t> counts;
  for (const auto& row : found.rows) ++counts[std::get<std::string>(row.front())];
  return counts;
}

}  // namespace

Result<PrunePlan> PlanPrune(const RankTable& table, const RankQuery& query,
                            const QueryLimits& limits) {
  if (query.offset != 0) return InvalidArgument("a prune keeps the best; it takes no offset");
  if (query.limit < 1) return InvalidArgument("a prune that keeps nothing is refused");
  if (query.rows.snapshot) return InvalidArgument("a prune works on what is, not on a snapshot");
  if (query.rows.universe || query.rows.all_universes) {
    return InvalidArgument("a prune ranks rows pooled over universes");
  }
  PrunePlan plan;
  LAMINA_ASSIGN(plan.rows, Rank(table, query, limits));
  RankQuery handles = query;  // whatever columns are shown, the handles decide
  handles.columns = {"bundle_path"};
  LAMINA_ASSIGN(const RowSet best, Rank(table, handles, limits));
  std::set<std::string> kept;
  for (const auto& row : best.rows) {
    const auto& handle = std::get<std::string>(row.front());
    if (kept.insert(handle).second) plan.kept.push_back(handle);
  }
  if (kept.empty()) {
    return InvalidArgument("the rank is empty: a prune that keeps nothing is refused");
  }
  LAMINA_ASSIGN(const auto ranked, RowsByHandle(table, query.rows, limits));
  LAMINA_ASSIGN(const auto all, RowsByHandle(table, RowSelection(), limits));
  for (const auto& [handle, count] : ranked) {
    const auto found = all.find(handle);
    if (found == all.end() || found->second != count || kept.contains(handle)) continue;
    plan.pruned.push_back(handle);
  }
  return plan;
}

}  // namespace lamina::backtests
