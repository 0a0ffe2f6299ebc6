#pragma once

/// \file lamina/cli/tick_arguments.h
/// What the commands of ticks read out of their arguments. Pure but for the look at instruments.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/cli/tick_commands.h"

namespace lamina::cli {

/// The parts between commas, of each text.
std::vector<std::string> SplitAtCommas(const std::vector<std::string>& texts);
/// Nanoseconds of ISO-8601 text, or of a number of nanoseconds. RETURNS kInvalidArgument.
Result<std::int64_t> TimeOf(const std::string& text);
Result<std::vector<std::int64_t>> ContractsOf(store::Store& store, const TickArguments& arguments);

}  // namespace lamina::cli
