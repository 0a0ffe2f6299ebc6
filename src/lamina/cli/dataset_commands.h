#pragma once

/// \file lamina/cli/dataset_commands.h
/// The commands `lamina bars …`, `features …`, `registry …`, `lineage`, `stale`, as commands.h
/// says.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lamina/base/json.h"
#include "lamina/cli/commands.h"
#include "lamina/dataset/datasets.h"
#include "lamina/dataset/registry.h"

namespace CLI {
class App;
}

namespace lamina::cli {

struct DatasetArguments {
  std::vector<std::string> names;  ///< instruments, paths
  std::string instrument, timeframe, dataset, price, rejects;
  std::string start, end, columns, snapshot, format, output, mode;
  std::string rule, session, calendar, zone, label, into, tick_type;
  bool by_time = false, yes = false;
};

Outcome BarsImport(const Context& context, const DatasetArguments& arguments);
Outcome BarsLoad(const Context& context, const DatasetArguments& arguments);
Outcome BarsDelete(const Context& context, const DatasetArguments& arguments);
Outcome BarsResample(const Context& context, const DatasetArguments& arguments);
Outcome BarsFromTicks(const Context& context, const DatasetArguments& arguments);
Outcome FeaturesSave(const Context& context, const DatasetArguments& arguments);
Outcome FeaturesLoad(const Context& context, const DatasetArguments& arguments);
Outcome ListRegistry(const Context& context, const std::string& table,
                     const DatasetArguments& arguments);
Outcome ShowLineage(const Context& context, const DatasetArguments& arguments);
Outcome ShowStale(const Context& context, const DatasetArguments& arguments);

/// `--start` and `--end`, half-open. RETURNS kInvalidArgument.
Result<dataset::TimeRange> RangeOf(const DatasetArguments& arguments);
/// The counts of a save as members of a JSON object, and as a sentence.
void WriteReport(JsonWriter& json, const dataset::SaveReport& report);
std::string Sentence(const dataset::SaveReport& report);
/// A JSON array of edges.
void WriteEdges(JsonWriter& json, const std::vector<dataset::LineageEdge>& edges);

/// Put the commands below `app`; the chosen one is told to `choose`. `arguments` must outlive the
/// app.
void AddDatasetCommands(CLI::App& app, DatasetArguments& arguments,
                        const std::function<void(std::function<Outcome(const Context&)>)>& choose);

}  // namespace lamina::cli
