#pragma once

/// \file ticks.h
/// What the bindings of ticks share.

#include "store.h"

namespace lamina::python {

void BindTicks(nb::module_& module, nb::class_<OpenStore>& store);
void BindTickWriter(nb::module_& module, nb::class_<OpenStore>& store);

}  // namespace lamina::python
