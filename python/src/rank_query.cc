#include "rank_query.h"

#include <utility>

namespace lamina::python {

backtests::RowSelection SelectionOf(const std::string& where, std::optional<std::string> engine,
                                    std::optional<std::string> study,
                                    std::optional<std::string> universe,
                                    std::optional<std::int64_t> snapshot) {
  backtests::RowSelection rows;
  rows.where = where;
  rows.engine = std::move(engine);
  rows.study = std::move(study);
  rows.universe = std::move(universe);
  rows.snapshot = snapshot;
  return rows;
}

backtests::ListQuery ListQueryOf(const std::string& sort, bool descending,
                                 std::optional<std::int64_t> limit, std::int64_t offset,
                                 const std::vector<std::string>& columns,
                                 backtests::RowSelection rows) {
  backtests::ListQuery query;
  query.sort = sort;
  query.descending = descending;
  query.limit = limit;
  query.offset = offset;
  query.columns = columns;
  query.rows = std::move(rows);
  return query;
}

backtests::RankQuery RankQueryOf(const std::string& by, const std::string& focus,
                                 const backtests::Weights& weights, bool descending,
                                 std::int64_t limit, const std::vector<std::string>& columns,
                                 backtests::RowSelection rows) {
  backtests::RankQuery query;
  query.by = by;
  if (!focus.empty() || !weights.empty()) {
    query.weights = OrRaise(backtests::ResolveWeights(focus, weights));
  }
  query.descending = descending;
  query.limit = limit;
  query.columns = columns;
  query.rows = std::move(rows);
  return query;
}

}  // namespace lamina::python
