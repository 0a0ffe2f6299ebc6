#include "lamina/base/error_table.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace lamina {
namespace {

TEST(ErrorTable, IsTheContract) {
  const ErrorSurface expected[] = {
      {ErrorCode::kInvalidArgument, "kInvalidArgument", 400, 2, "InvalidArgument"},
      {ErrorCode::kNotFound, "kNotFound", 404, 3, "NotFound"},
      {ErrorCode::kAlreadyExists, "kAlreadyExists", 409, 4, "AlreadyExists"},
      {ErrorCode::kConflict, "kConflict", 409, 5, "Conflict"},
      {ErrorCode::kCorruption, "kCorruption", 500, 6, "Corruption"},
      {ErrorCode::kIo, "kIo", 503, 7, "IoError"},
      {ErrorCode::kResourceExhausted, "kResourceExhausted", 507, 8, "ResourceExhausted"},
      {ErrorCode::kUnsupported, "kUnsupported", 501, 9, "Unsupported"},
      {ErrorCode::kCancelled, "kCancelled", 499, 130, "Cancelled"},
      {ErrorCode::kInternal, "kInternal", 500, 70, "InternalError"},
  };
  ASSERT_EQ(ErrorTable().size(), std::size(expected));
  for (const ErrorSurface& row : expected) {
    SCOPED_TRACE(row.name);
    const ErrorSurface& got = SurfaceOf(row.code);
    EXPECT_EQ(got.code, row.code);
    EXPECT_EQ(got.name, row.name);
    EXPECT_EQ(got.python_name, row.python_name);
    EXPECT_EQ(ErrorName(row.code), row.name);
    EXPECT_EQ(HttpStatusOf(row.code), row.http_status);
    EXPECT_EQ(ExitCodeOf(row.code), row.exit_code);
    EXPECT_EQ(ErrorCodeNamed(row.name), row.code);
  }
}

TEST(ErrorTable, EachExitCodeTellsOneCode) {
  std::set<int> exits;
  for (const ErrorSurface& row : ErrorTable()) EXPECT_TRUE(exits.insert(row.exit_code).second);
  EXPECT_FALSE(exits.contains(0));
  EXPECT_FALSE(exits.contains(1));
}

TEST(ErrorTable, UnknownNamesAndCodes) {
  EXPECT_FALSE(ErrorCodeNamed("NotFound"));
  EXPECT_FALSE(ErrorCodeNamed(""));
  EXPECT_EQ(SurfaceOf(static_cast<ErrorCode>(0)).code, ErrorCode::kInternal);
  EXPECT_EQ(SurfaceOf(static_cast<ErrorCode>(200)).code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace lamina
