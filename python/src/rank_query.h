#pragma once

/// \file rank_query.h
/// Lists and ranks as Python asks for them, of a store, a folder or an index file. Used under the
/// GIL.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "interop.h"

#include "lamina/backtests/ranking.h"
#include "lamina/backtests/weights.h"

namespace lamina::python {

backtests::RowSelection SelectionOf(const std::string& where, std::optional<std::string> engine,
                                    std::optional<std::string> study,
                                    std::optional<std::string> universe,
                                    std::optional<std::int64_t> snapshot = {});

backtests::ListQuery ListQueryOf(const std::string& sort, bool descending,
                                 std::optional<std::int64_t> limit, std::int64_t offset,
                                 const std::vector<std::string>& columns,
                                 backtests::RowSelection rows);

/// `focus` and `weights` together are the weights; raises InvalidArgument. None of both: by `by`.
backtests::RankQuery RankQueryOf(const std::string& by, const std::string& focus,
                                 const backtests::Weights& weights, bool descending,
                                 std::int64_t limit, const std::vector<std::string>& columns,
                                 backtests::RowSelection rows);

}  // namespace lamina::python
