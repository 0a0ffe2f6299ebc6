#pragma once

/// \file document.h
/// MessagePack documents as Python objects.

#include <string>

#include "interop.h"

namespace lamina::python {

/// The dict that `document` (one MessagePack value) stands for: str, bytes, int, float, bool, None,
/// list, dict in order. Of duplicate keys the last value stands. Needs the GIL.
nb::object DocumentToPython(std::string document);

/// The shortest MessagePack of `object`: what DocumentToPython gives, tuples, and whatever has
/// `isoformat` or `item` (times, numpy scalars). Raises InvalidArgument naming the place of what
/// cannot be in a document. Needs the GIL.
std::string DocumentFromPython(nb::handle object);

void BindDocument(nb::module_& module);

}  // namespace lamina::python
