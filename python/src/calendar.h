#pragma once

/// \file calendar.h
/// A calendar as Python holds it. Immutable, thread-safe.

#include <memory>
#include <string>
#include <utility>

#include "interop.h"

#include "lamina/market/calendar.h"
#include "lamina/series/session_ranges.h"

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

/// Of a name (empty: none) or a NativeCalendar.
series::SessionChoice SessionsOf(nb::handle calendar, const std::string& session,
                                 const std::string& zone);

void BindCalendar(nb::module_& module);

}  // namespace lamina::python
