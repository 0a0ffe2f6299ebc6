#pragma once

/// \file lamina/base/result.h
/// Status and Result<T>: how every fallible function in the library reports failure.
/// Threads: values; as safe as the T they hold. Nothing here throws or allocates on success.

#include <concepts>
#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "lamina/base/check.h"

namespace lamina {

/// What went wrong, in terms a caller can act on. Values are part of the HTTP and Python
/// contracts: append, never renumber. `lamina/base/error_table.h` maps each to its surfaces.
enum class ErrorCode : std::uint8_t {
  kInvalidArgument = 1,  ///< The caller's input is wrong; retrying cannot help.
  kNotFound = 2,
  kAlreadyExists = 3,
  kConflict = 4,    ///< Lost a race with another writer; retry from a fresh snapshot.
  kCorruption = 5,  ///< Stored or given bytes fail a check.
  kIo = 6,
  kResourceExhausted = 7,
  kUnsupported = 8,
  kCancelled = 9,
  kInternal = 10,  ///< A bug in this library.
};

/// A failure: a code, a sentence, and where in the source it was raised. One pointer wide.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message,
        std::source_location where = std::source_location::current())
      : rep_(std::make_unique<Rep>(Rep{code, std::move(message), where})) {}

  ErrorCode code() const { return rep_->code; }
  std::string_view message() const { return rep_->message; }
  const std::source_location& where() const { return rep_->where; }

  /// Prepend what was being attempted: "reading footer of a.parquet: bad magic".
  Error With(std::string_view context) && {
    rep_->message = std::string(context) + ": " + rep_->message;
    return std::move(*this);
  }
  Error Clone() const { return Error(code(), rep_->message, rep_->where); }

 private:
  struct Rep {
    ErrorCode code;
    std::string message;
    std::source_location where;
  };
  std::unique_ptr<Rep> rep_;
};

inline Error InvalidArgument(std::string message,
                             std::source_location where = std::source_location::current()) {
  return {ErrorCode::kInvalidArgument, std::move(message), where};
}
inline Error NotFound(std::string message,
                      std::source_location where = std::source_location::current()) {
  return {ErrorCode::kNotFound, std::move(message), where};
}
inline Error AlreadyExists(std::string message,
                           std::source_location where = std::source_location::current()) {
  return {ErrorCode::kAlreadyExists, std::move(message), where};
}
inline Error Conflict(std::string message,
                      std::source_location where = std::source_location::current()) {
  return {ErrorCode::kConflict, std::move(message), where};
}
inline Error Corruption(std::string message,
                        std::source_location where = std::source_location::current()) {
  return {ErrorCode::kCorruption, std::move(message), where};
}
inline Error IoError(std::string message,
                     std::source_location where = std::source_location::current()) {
  return {ErrorCode::kIo, std::move(message), where};
}
inline Error ResourceExhausted(std::string message,
                               std::source_location where = std::source_location::current()) {
  return {ErrorCode::kResourceExhausted, std::move(message), where};
}
inline Error Unsupported(std::string message,
                         std::source_location where = std::source_location::current()) {
  return {ErrorCode::kUnsupported, std::move(message), where};
}
inline Error Cancelled(std::string message,
                       std::source_location where = std::source_location::current()) {
  return {ErrorCode::kCancelled, std::move(message), where};
}
inline Error Internal(std::string message,
                      std::source_location where = std::source_location::current()) {
  return {ErrorCode::kInternal, std::move(message), where};
}

/// Either a T or an Error.
template <class T>
class [[nodiscard]] Result {
  static_assert(!std::is_reference_v<T> && !std::same_as<std::remove_cv_t<T>, Error>);

 public:
  using value_type = T;

  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  template <class U = T>
    requires std::constructible_from<T, U&&> && (!std::same_as<std::remove_cvref_t<U>, Result>) &&
             (!std::same_as<std::remove_cvref_t<U>, Error>)
  Result(U&& value)  // NOLINT
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// REQUIRES: ok()
  T& operator*() & {
    LAMINA_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& operator*() const& {
    LAMINA_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& operator*() && {
    LAMINA_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T* operator->() {
    LAMINA_CHECK(ok());
    return std::get_if<0>(&state_);
  }
  const T* operator->() const {
    LAMINA_CHECK(ok());
    return std::get_if<0>(&state_);
  }

  /// REQUIRES: !ok()
  const Error& error() const& {
    LAMINA_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    LAMINA_CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

/// Success, or an Error. `return Ok();` or `return InvalidArgument(...)`.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::make_unique<Error>(std::move(error))) {}  // NOLINT
  bool ok() const { return error_ == nullptr; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    LAMINA_CHECK(!ok());
    return *error_;
  }
  Error&& error() && {
    LAMINA_CHECK(!ok());
    return std::move(*error_);
  }

 private:
  std::unique_ptr<Error> error_;
};
using Status = Result<void>;
inline Status Ok() { return {}; }

}  // namespace lamina

#define LAMINA_CONCAT_(a, b) a##b
#define LAMINA_CONCAT(a, b) LAMINA_CONCAT_(a, b)

/// Return early with the error of `expr` (a Status or Result), else carry on. Nests: `expr` may
/// hold a lambda that uses it too.
#define LAMINA_TRY(expr) LAMINA_TRY_(LAMINA_CONCAT(lamina_try_, __COUNTER__), expr)
#define LAMINA_TRY_(tmp, expr)       \
  do {                               \
    auto tmp = (expr);               \
    if (!tmp.ok()) [[unlikely]]      \
      return std::move(tmp).error(); \
  } while (false)

/// As LAMINA_TRY, with what was being attempted put in front of the message.
#define LAMINA_TRY_WITH(expr, context) \
  LAMINA_TRY_WITH_(LAMINA_CONCAT(lamina_try_, __COUNTER__), expr, context)
#define LAMINA_TRY_WITH_(tmp, expr, context)       \
  do {                                             \
    auto tmp = (expr);                             \
    if (!tmp.ok()) [[unlikely]]                    \
      return std::move(tmp).error().With(context); \
  } while (false)

/// `LAMINA_ASSIGN(auto x, F());` expands to several statements: use inside braces only.
#define LAMINA_ASSIGN(lhs, expr) LAMINA_ASSIGN_(LAMINA_CONCAT(lamina_r_, __COUNTER__), lhs, expr)
#define LAMINA_ASSIGN_(tmp, lhs, expr) \
  auto tmp = (expr);                   \
  if (!tmp.ok()) [[unlikely]]          \
    return std::move(tmp).error();     \
  lhs = *std::move(tmp)
