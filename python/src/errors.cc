#include <string>

#include "interop.h"
#include <nanobind/stl/string.h>

namespace lamina::python {
namespace {

const char* ClassName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "InvalidArgument";
    case ErrorCode::kNotFound:
      return "NotFound";
    case ErrorCode::kAlreadyExists:
      return "AlreadyExists";
    case ErrorCode::kConflict:
      return "Conflict";
    case ErrorCode::kCorruption:
      return "Corruption";
    case ErrorCode::kIo:
      return "IoError";
    case ErrorCode::kResourceExhausted:
      return "ResourceExhausted";
    case ErrorCode::kUnsupported:
      return "Unsupported";
    case ErrorCode::kCancelled:
      return "Cancelled";
    case ErrorCode::kInternal:
      break;
  }
  return "InternalError";
}

}  // namespace

void BindErrors(nb::module_& module) {
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Raised& raised) {
      const std::string message(raised.error().message());
      nb::object type =
          nb::module_::import_("lamina.errors").attr(ClassName(raised.error().code()));
      PyErr_SetObject(type.ptr(), nb::str(message.c_str(), message.size()).ptr());
    }
  });

  module.def(
      "_raise_error",
      [](int code, const std::string& message) {
        if (code < static_cast<int>(ErrorCode::kInvalidArgument) ||
            code > static_cast<int>(ErrorCode::kInternal)) {
          throw nb::value_error("no such error code");
        }
        throw Raised(Error(static_cast<ErrorCode>(code), message));
      },
      nb::arg("code"), nb::arg("message"),
      "Raise the class of one error code (the tests check that none is forgotten).");
}

}  // namespace lamina::python
