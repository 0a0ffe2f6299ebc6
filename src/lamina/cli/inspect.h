#pragma once

/// \file lamina/cli/inspect.h
/// `lamina inspect`: what is inside one file, decided by its first bytes. Pure but for the reading.

#include <string>

#include "lamina/base/result.h"
#include "lamina/io/env.h"

namespace lamina::cli {

/// Text for people, or one JSON object. RETURNS kUnsupported for a file of neither kind.
Result<std::string> InspectFile(io::Env& env, const std::string& path, bool json);

}  // namespace lamina::cli
