#pragma once

/// \file lamina/base/check.h
/// LAMINA_CHECK: a condition that only a bug of ours can break. Always on; prints and aborts.
/// Nothing that came from a user, a file or a socket is checked this way.

namespace lamina {

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace lamina

#define LAMINA_CHECK(condition)                              \
  do {                                                       \
    if (!(condition)) [[unlikely]]                           \
      ::lamina::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)
