#pragma once

/// \file folder_index.h
/// Indexes over folders, and what ranks of stores share with theirs. Used under the GIL.

#include <string>

#include "interop.h"

#include "lamina/backtests/weights.h"

namespace lamina::python {

/// Preset and own weights as a rank takes them; raises InvalidArgument. None of both: no weights.
backtests::Weights WeightsOf(const std::string& focus, const backtests::Weights& own);

void BindFolderIndex(nb::module_& module);

}  // namespace lamina::python
