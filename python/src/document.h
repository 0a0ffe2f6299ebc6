#pragma once

/// \file document.h
/// MessagePack documents as Python objects.

#include <string>

#include "interop.h"

namespace lamina::python {

/// The dict that `document` (one MessagePack value) stands for: str, bytes, int, float, bool, None,
/// list, dict in order. Of duplicate keys the last value stands. Needs the GIL.
nb::object DocumentToPython(std::string document);

void BindDocument(nb::module_& module);

}  // namespace lamina::python
