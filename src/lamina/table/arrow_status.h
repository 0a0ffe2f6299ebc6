#pragma once

/// \file lamina/table/arrow_status.h
/// From Arrow's Status and Result to ours. Thread-safe.

#include <string_view>
#include <utility>

#include <arrow/result.h>
#include <arrow/status.h>

#include "lamina/base/result.h"

namespace lamina::table {

/// The error of a failed Arrow call; `what` says what was attempted. Checksum and decode failures
/// are kCorruption, IOError is kIo, OutOfMemory is kResourceExhausted, NotImplemented is
/// kUnsupported.
Error FromArrow(const arrow::Status& status, std::string_view what);

}  // namespace lamina::table

/// Return early when an arrow::Status expression failed.
#define LAMINA_ARROW(expr, what)                                     \
  do {                                                               \
    const ::arrow::Status lamina_arrow_status_ = (expr);             \
    if (!lamina_arrow_status_.ok()) [[unlikely]]                     \
      return ::lamina::table::FromArrow(lamina_arrow_status_, what); \
  } while (false)

/// `LAMINA_ARROW_ASSIGN(auto x, F(), "doing f");` with F giving an arrow::Result.
#define LAMINA_ARROW_ASSIGN(lhs, expr, what) \
  LAMINA_ARROW_ASSIGN_(LAMINA_CONCAT(lamina_a_, __COUNTER__), lhs, expr, what)
#define LAMINA_ARROW_ASSIGN_(tmp, lhs, expr, what)         \
  auto tmp = (expr);                                       \
  if (!tmp.ok()) [[unlikely]]                              \
    return ::lamina::table::FromArrow(tmp.status(), what); \
  lhs = std::move(tmp).ValueUnsafe()
