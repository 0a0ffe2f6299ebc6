#include "calendar.h"
#include "document.h"
#include "folder_index.h"
#include "interop.h"
#include <arrow/config.h>
#include <nanobind/stl/string.h>

NB_MODULE(_lamina, module) {
  module.doc() = "The engine. Use the names of the package `lamina`, not these.";
  module.attr("__version__") = LAMINA_VERSION;
  module.def(
      "arrow_version", [] { return arrow::GetBuildInfo().version_string; },
      "Version of the Arrow C++ library in use.");
  lamina::python::BindErrors(module);
  lamina::python::BindTable(module);
  lamina::python::BindSeries(module);
  lamina::python::BindDocument(module);
  lamina::python::BindCalendar(module);
  lamina::python::BindStore(module);
  lamina::python::BindFolderIndex(module);
}
