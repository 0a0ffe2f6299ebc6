#include <string>
#include <string_view>

#include "interop.h"
#include <nanobind/stl/string.h>

#include "lamina/base/error_table.h"

namespace lamina::python {

nb::str Text(std::string_view bytes) {
  PyObject* text =
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "surrogateescape");
  if (text == nullptr) throw nb::python_error();
  return nb::steal<nb::str>(text);
}

std::string Path(nb::handle path) {
  PyObject* bytes = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), &bytes) == 0) throw nb::python_error();
  const nb::object owner = nb::steal(bytes);
  return {PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes))};
}

nb::object ErrorClass(ErrorCode code) {
  return nb::module_::import_("lamina.errors")
      .attr(std::string(SurfaceOf(code).python_name).c_str());
}

void BindErrors(nb::module_& module) {
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Raised& raised) {
      PyErr_SetObject(ErrorClass(raised.error().code()).ptr(),
                      Text(raised.error().message()).ptr());
    }
  });

  module.def(
      "error_table",
      [] {
        nb::list rows;
        for (const ErrorSurface& row : ErrorTable()) {
          rows.append(nb::make_tuple(std::string(row.name), std::string(row.python_name)));
        }
        return rows;
      },
      nb::sig("def error_table() -> list[tuple[str, str]]"),
      "Error codes and the classes that stand for them.");
}

}  // namespace lamina::python
