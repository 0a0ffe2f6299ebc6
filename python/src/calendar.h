#pragma once

/// \file calendar.h
/// A calendar as Python holds it. Immutable, thread-safe.

#include <memory>
#include <utility>

#include "interop.h"

#include "lamina/market/calendar.h"

namespace lamina::python {

class NativeCalendar {
 public:
  explicit NativeCalendar(std::shared_ptr<const market::Calendar> calendar)
      : calendar_(std::move(calendar)) {}
  const market::Calendar& get() const { return *calendar_; }
  const std::shared_ptr<const market::Calendar>& shared() const { return calendar_; }

 private:
  std::shared_ptr<const market::Calendar> calendar_;
};

void BindCalendar(nb::module_& module);

}  // namespace lamina::python
