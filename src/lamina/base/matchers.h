#pragma once

/// \file lamina/base/matchers.h
/// GoogleMock matchers for Status and Result: IsOk(), IsError(code), IsError(code, message).
/// For tests only. Example: `EXPECT_THAT(Open(path), IsError(ErrorCode::kNotFound,
/// HasSubstr(path)))`.

#include <ostream>
#include <string>

#include <gmock/gmock.h>

#include "lamina/base/error_table.h"
#include "lamina/base/result.h"

namespace lamina {

inline void PrintTo(const Error& error, std::ostream* out) {
  *out << ErrorName(error.code()) << ": " << error.message();
}

template <class T>
void PrintTo(const Result<T>& result, std::ostream* out) {
  if (result.ok()) {
    *out << "ok";
  } else {
    PrintTo(result.error(), out);
  }
}

MATCHER(IsOk, negation ? "is an error" : "is ok") {
  if (!arg.ok()) *result_listener << arg.error().message();
  return arg.ok();
}

MATCHER_P(IsError, code, "is " + std::string(ErrorName(code))) {
  return !arg.ok() && arg.error().code() == code;
}

MATCHER_P2(IsError, code, message,
           "is " + std::string(ErrorName(code)) + " with a message that " +
               ::testing::DescribeMatcher<std::string>(message)) {
  return !arg.ok() && arg.error().code() == code &&
         ::testing::ExplainMatchResult(message, std::string(arg.error().message()),
                                       result_listener);
}

}  // namespace lamina
