#pragma once

/// \file lamina/cli/tick_commands.h
/// The commands `lamina ticks …`, as commands.h says.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lamina/cli/commands.h"

namespace CLI {
class App;
}

namespace lamina::cli {

struct TickArguments {
  std::vector<std::string> contracts;
  std::string contract;
  std::vector<std::string> types;
  std::string start, end, resolution, session, calendar, zone, snapshot, columns, cursor, fill;
  std::optional<std::int64_t> limit;
  std::string format, output, input, rejects;
  std::string date, reason, source, producer, durability;
  std::optional<double> below, above, wait, speed;
  bool explain = false, dry_run = false, sealed_only = false, storage = false;
};

Outcome TicksIngest(const Context& context, const TickArguments& arguments);
Outcome TicksQuery(const Context& context, const TickArguments& arguments);
Outcome TicksTail(const Context& context, const TickArguments& arguments);
Outcome TicksReplay(const Context& context, const TickArguments& arguments);
Outcome TicksStats(const Context& context, const TickArguments& arguments);
Outcome TicksCoverage(const Context& context, const TickArguments& arguments);
Outcome TicksArchive(const Context& context, const TickArguments& arguments);
Outcome TicksRetention(const Context& context, const TickArguments& arguments);
Outcome TicksVoid(const Context& context, const TickArguments& arguments);

/// Put `ticks` and its commands below `app`; the chosen one is told to `choose`. `arguments` must
/// outlive the app.
void AddTickCommands(CLI::App& app, TickArguments& arguments,
                     const std::function<void(std::function<Outcome(const Context&)>)>& choose);

}  // namespace lamina::cli
