#pragma once

/// \file lamina/cli/index_report.h
/// What indexing a folder came to, as messages and as JSON. Used by one thread.

#include <string>

#include "lamina/cli/commands.h"
#include "lamina/folder_index/build.h"

namespace lamina::cli {

/// Warnings and refused bundles, on stderr.
void SayProblems(const Context& context, const folder_index::BuildReport& report);

std::string IndexJson(const folder_index::BuildReport& report);

}  // namespace lamina::cli
