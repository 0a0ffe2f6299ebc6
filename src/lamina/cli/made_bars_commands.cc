#include <algorithm>

#include <arrow/table.h>

#include "lamina/bars/make_bars.h"
#include "lamina/base/json.h"
#include "lamina/catalog/pins.h"
#include "lamina/cli/dataset_commands.h"
#include "lamina/cli/output.h"
#include "lamina/series/resample.h"
#include "lamina/store/contract_names.h"

namespace lamina::cli {
namespace {

Result<bars::BarShape> ShapeOf(const DatasetArguments& arguments) {
  bars::BarShape shape;
  shape.rule = arguments.rule;
  shape.sessions = {
      .calendar = arguments.calendar, .session = arguments.session, .zone = arguments.zone};
  LAMINA_ASSIGN(shape.label,
                series::ParseBarLabel(arguments.label.empty() ? "left" : arguments.label));
  return shape;
}

Outcome Report(const Context& context, const bars::MadeBars& made) {
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    WriteReport(json, made.saved);
    json.Key("edges");
    WriteEdges(json, made.edges);
    json.EndObject();
    Print(out + "\n");
    return 0;
  }
  Say(context, Sentence(made.saved));
  constexpr std::size_t kShown = 5;
  for (std::size_t i = 0; i < std::min(kShown, made.edges.size()); ++i) {
    const dataset::LineageEdge& edge = made.edges[i];
    Say(context, "  " + edge.output_id + " from " + edge.input_kind + ":" + edge.input_id);
  }
  if (made.edges.size() > kShown) {
    Say(context, "  and " + std::to_string(made.edges.size() - kShown) + " more series");
  }
  return 0;
}

}  // namespace

Outcome BarsResample(const Context& context, const DatasetArguments& arguments) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  bars::ResampleRequest request;
  request.dataset = arguments.dataset;
  request.instruments = arguments.names;
  request.timeframe = arguments.timeframe;
  LAMINA_ASSIGN(request.time, RangeOf(arguments));
  if (!arguments.snapshot.empty()) {
    LAMINA_ASSIGN(request.snapshot,
                  catalog::ResolveSnapshot(opened->catalog(), arguments.snapshot));
  }
  LAMINA_ASSIGN(request.shape, ShapeOf(arguments));
  LAMINA_ASSIGN(
      request.shape.sessions,
      store::SessionsOfNames(opened->instruments(), arguments.names, request.shape.sessions));
  request.into = arguments.into;
  LAMINA_ASSIGN(const auto made, bars::ResampleStored(opened->datasets(), request));
  return Report(context, made);
}

Outcome BarsFromTicks(const Context& context, const DatasetArguments& arguments) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  bars::TickBarsRequest request;
  LAMINA_ASSIGN(request.contract, store::ContractOf(opened->instruments(), arguments.instrument));
  LAMINA_ASSIGN(request.type, tick_log::ParseTickType(arguments.tick_type));
  LAMINA_ASSIGN(request.instrument, store::SymbolOf(opened->instruments(), request.contract));
  LAMINA_ASSIGN(const dataset::TimeRange range, RangeOf(arguments));
  request.start = range.start.value_or(Micros{0});
  request.end = range.end;
  LAMINA_ASSIGN(request.shape, ShapeOf(arguments));
  LAMINA_ASSIGN(request.shape.sessions, store::SessionsOf(opened->instruments(), {request.contract},
                                                          request.shape.sessions));
  request.into = arguments.into;
  LAMINA_ASSIGN(const auto made, bars::BarsFromTicks(opened->datasets(), opened->ticks(),
                                                     opened->tick_reader(), request));
  return Report(context, made);
}

}  // namespace lamina::cli
