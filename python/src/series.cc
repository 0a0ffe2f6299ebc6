#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "calendar.h"
#include "interop.h"
#include <arrow/api.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "lamina/series/bar_rule.h"
#include "lamina/series/join_tables.h"
#include "lamina/series/resample.h"
#include "lamina/series/rolling_table.h"

namespace lamina::python {
namespace {

using Names = std::vector<std::string>;
using MaybeTable = Result<std::shared_ptr<arrow::Table>>;

/// Of rows that are out of reach of the kernels' own reading: one table, any number of chunks.
template <class Work>
ArrowTable Run(Work&& work) {
  return ArrowTable(Unlocked([&]() -> MaybeTable { return work(); }));
}

ArrowTable Resample(nb::handle data, const std::string& rule, const std::string& kind,
                    const std::string& time, const std::string& price, const std::string& size,
                    const std::string& bid, const std::string& ask, const Names& by,
                    nb::handle calendar, const std::string& session, const std::string& zone,
                    const std::string& label, const std::string& fill, bool keep_partial) {
  series::ResampleOptions options{.rule = rule,
                                  .kind = OrRaise(series::ParseRowKind(kind)),
                                  .time = time,
                                  .price = price,
                                  .size = size,
                                  .bid = bid,
                                  .ask = ask,
                                  .by = by,
                                  .sessions = SessionsOf(calendar, session, zone),
                                  .label = OrRaise(series::ParseBarLabel(label)),
                                  .fill = OrRaise(series::ParseBarFill(fill)),
                                  .keep_partial = keep_partial};
  const auto reader = ImportStream(data);
  return Run([&] { return series::Resample(*reader, options); });
}

ArrowTable Asof(nb::handle left, nb::handle right, const Names& by, const std::string& direction,
                std::optional<std::int64_t> tolerance_ns, bool allow_exact_matches,
                const Names& columns, bool tick_order, const std::string& left_time,
                const std::string& right_time) {
  const series::AsofTableOptions options{
      .left_time = left_time,
      .right_time = right_time,
      .by = by,
      .columns = columns,
      .direction = OrRaise(series::ParseAsofDirection(direction)),
      .tolerance_ns = tolerance_ns,
      .allow_exact_matches = allow_exact_matches,
      .tick_order = tick_order};
  const auto left_table = ImportTable(left), right_table = ImportTable(right);
  return Run([&] { return series::AsofTables(*left_table, *right_table, options); });
}

ArrowTable WindowJoin(
    nb::handle left, nb::handle right,
    const std::vector<std::tuple<std::string, std::string, std::string>>& aggregates,
    std::int64_t from_ns, std::int64_t to_ns, bool with_from, bool with_to, const Names& by,
    const std::string& left_time, const std::string& right_time) {
  series::WindowJoinOptions options{.left_time = left_time,
                                    .right_time = right_time,
                                    .by = by,
                                    .bounds = {from_ns, to_ns, with_from, with_to},
                                    .aggregates = {}};
  for (const auto& [name, column, stat] : aggregates) {
    options.aggregates.push_back({name, column, OrRaise(series::ParseWindowStat(stat))});
  }
  const auto left_table = ImportTable(left), right_table = ImportTable(right);
  return Run([&] { return series::WindowJoinTables(*left_table, *right_table, options); });
}

ArrowTable Merge(const nb::list& tables, const std::string& time) {
  std::vector<std::shared_ptr<arrow::Table>> inputs;
  for (nb::handle table : tables) inputs.push_back(ImportTable(table));
  return Run([&] { return series::MergeTables(inputs, time); });
}

ArrowTable Rolling(nb::handle data, const std::string& window, const Names& columns,
                   const Names& stats, const std::string& time, const Names& by,
                   std::int64_t values_min) {
  const series::RollingTableOptions options{window, columns, stats, time, by, values_min};
  const auto table = ImportTable(data);
  return Run([&] { return series::RollingTable(*table, options); });
}

ArrowTable RunningVwap(nb::handle data, const std::string& time, const std::string& price,
                       const std::string& size, nb::handle calendar, const std::string& session,
                       const std::string& zone) {
  const series::TradeTableOptions options{time, price, size, SessionsOf(calendar, session, zone)};
  const auto table = ImportTable(data);
  return Run([&] { return series::RunningVwapTable(*table, options); });
}

ArrowTable VolumeProfile(nb::handle data, double width, const std::string& price,
                         const std::string& size) {
  const series::TradeTableOptions options{"", price, size, {}};
  const auto table = ImportTable(data);
  return Run([&] { return series::VolumeProfileTable(*table, width, options); });
}

}  // namespace

void BindSeries(nb::module_& module) {
  module.def("resample", &Resample, "See lamina.resample.");
  module.def("asof", &Asof, nb::arg("left"), nb::arg("right"), nb::arg("by"), nb::arg("direction"),
             nb::arg("tolerance_ns").none(), nb::arg("allow_exact_matches"), nb::arg("columns"),
             nb::arg("tick_order"), nb::arg("left_time"), nb::arg("right_time"),
             "See lamina.asof.");
  module.def("window_join", &WindowJoin, "See lamina.window_join.");
  module.def("merge", &Merge, "See lamina.merge.");
  module.def("rolling", &Rolling, "See lamina.rolling.");
  module.def("running_vwap", &RunningVwap, "See lamina.running_vwap.");
  module.def("volume_profile", &VolumeProfile, "See lamina.volume_profile.");
  module.def(
      "parse_span", [](const std::string& text) { return OrRaise(series::ParseSpan(text)); },
      nb::arg("text"), "Nanoseconds of `250ms`, `1s`, `5m`.");
}

}  // namespace lamina::python
