#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calendar.h"
#include "datasets.h"
#include "store.h"
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "lamina/bars/make_bars.h"
#include "lamina/series/resample.h"
#include "lamina/store/contract_names.h"

namespace lamina::python {
namespace {

using Moment = std::optional<std::int64_t>;

/// The rule, and how bars of it lie in time, as Python's keyword arguments give it.
bars::BarShape ShapeOf(const nb::dict& given) {
  bars::BarShape shape;
  shape.rule = nb::cast<std::string>(given["rule"]);
  shape.sessions = SessionsOf(given["calendar"], nb::cast<std::string>(given["session"]),
                              nb::cast<std::string>(given["zone"]));
  shape.label = OrRaise(series::ParseBarLabel(nb::cast<std::string>(given["label"])));
  return shape;
}

nb::tuple ToTuple(const bars::MadeBars& made) {
  return nb::make_tuple(ArrowTable(made.rows), ToDict(made.saved), ToList(made.edges));
}

nb::tuple Resample(const OpenStore& self, const nb::dict& given) {
  const auto engine = self.Get();
  bars::ResampleRequest request;
  request.dataset = nb::cast<std::string>(given["dataset"]);
  request.instruments = nb::cast<std::vector<std::string>>(given["instruments"]);
  request.timeframe = nb::cast<std::string>(given["timeframe"]);
  request.time = RangeOf(nb::cast<Moment>(given["start"]), nb::cast<Moment>(given["end"]));
  request.snapshot = nb::cast<Moment>(given["snapshot"]);
  request.shape = ShapeOf(given);
  request.into = nb::cast<std::string>(given["into"]);
  return ToTuple(Unlocked([&]() -> Result<bars::MadeBars> {
    LAMINA_ASSIGN(
        request.shape.sessions,
        store::SessionsOfNames(engine->instruments(), request.instruments, request.shape.sessions));
    return bars::ResampleStored(engine->datasets(), request);
  }));
}

nb::tuple FromTicks(const OpenStore& self, const nb::dict& given) {
  const auto engine = self.Get();
  bars::TickBarsRequest request;
  request.contract = nb::cast<std::int64_t>(given["contract"]);
  request.type = OrRaise(tick_log::ParseTickType(nb::cast<std::string>(given["tick_type"])));
  request.start = Micros{nb::cast<std::int64_t>(given["start"])};
  if (const auto end = nb::cast<Moment>(given["end"])) request.end = Micros{*end};
  request.shape = ShapeOf(given);
  request.into = nb::cast<std::string>(given["into"]);
  return ToTuple(Unlocked([&]() -> Result<bars::MadeBars> {
    LAMINA_ASSIGN(request.instrument, store::SymbolOf(engine->instruments(), request.contract));
    LAMINA_ASSIGN(
        request.shape.sessions,
        store::SessionsOf(engine->instruments(), {request.contract}, request.shape.sessions));
    return bars::BarsFromTicks(engine->datasets(), engine->ticks(), engine->tick_reader(), request);
  }));
}

}  // namespace

void BindMadeBars(nb::class_<OpenStore>& store) {
  constexpr const char* kMade =
      "(self, given: dict[str, object]) -> tuple[ArrowTable, dict[str, object], "
      "list[tuple[str, str, str, str, int | None]]]";
  static const std::string resample = std::string("def bars_resample") + kMade;
  static const std::string from_ticks = std::string("def bars_from_ticks") + kMade;
  store.def("bars_resample", &Resample, nb::arg("given"), nb::sig(resample.c_str()))
      .def("bars_from_ticks", &FromTicks, nb::arg("given"), nb::sig(from_ticks.c_str()));
}

}  // namespace lamina::python
