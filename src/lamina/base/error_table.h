#pragma once

/// \file lamina/base/error_table.h
/// What each ErrorCode is called and how each surface shows it. Immutable; pure functions.

#include <optional>
#include <span>
#include <string_view>

#include "lamina/base/result.h"

namespace lamina {

struct ErrorSurface {
  ErrorCode code;
  std::string_view name;  ///< "kNotFound": stable, in JSON and logs
  int http_status;
  int exit_code;                 ///< of the command line
  std::string_view python_name;  ///< of the exception in the `lamina` package
};

/// One row for each code, in the order of the codes.
std::span<const ErrorSurface> ErrorTable();

const ErrorSurface& SurfaceOf(ErrorCode code);
inline std::string_view ErrorName(ErrorCode code) { return SurfaceOf(code).name; }
inline int HttpStatusOf(ErrorCode code) { return SurfaceOf(code).http_status; }
inline int ExitCodeOf(ErrorCode code) { return SurfaceOf(code).exit_code; }
std::optional<ErrorCode> ErrorCodeNamed(std::string_view name);

}  // namespace lamina
