#pragma once

/// \file folder_index.h
/// Indexes over folders of bundles. Used under the GIL.

#include "interop.h"

namespace lamina::python {

void BindFolderIndex(nb::module_& module);

}  // namespace lamina::python
