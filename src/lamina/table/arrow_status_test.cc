#include "lamina/table/arrow_status.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::table {
namespace {

Status Fail(const arrow::Status& status) {
  LAMINA_ARROW(status, "doing it");
  return Ok();
}

Result<int> Assign(arrow::Result<int> from) {
  LAMINA_ARROW_ASSIGN(const int value, std::move(from), "getting it");
  return value;
}

TEST(ArrowStatus, MapsCodes) {
  struct Case {
    arrow::Status status;
    ErrorCode code;
  };
  const Case cases[] = {
      {arrow::Status::IOError("disk on fire"), ErrorCode::kIo},
      {arrow::Status::IOError("could not verify page integrity, CRC checksum failed"),
       ErrorCode::kCorruption},
      {arrow::Status::IOError("ZSTD decompression failed: Data corruption detected"),
       ErrorCode::kCorruption},
      {arrow::Status::Invalid("bad"), ErrorCode::kCorruption},
      {arrow::Status::TypeError("bad"), ErrorCode::kInvalidArgument},
      {arrow::Status::OutOfMemory("bad"), ErrorCode::kResourceExhausted},
      {arrow::Status::NotImplemented("bad"), ErrorCode::kUnsupported},
      {arrow::Status::KeyError("bad"), ErrorCode::kNotFound},
      {arrow::Status::Cancelled("bad"), ErrorCode::kCancelled},
      {arrow::Status::UnknownError("bad"), ErrorCode::kInternal},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Fail(c.status), IsError(c.code, ::testing::HasSubstr("doing it: ")));
  }
}

TEST(ArrowStatus, PassesValues) {
  EXPECT_THAT(Fail(arrow::Status::OK()), IsOk());
  EXPECT_EQ(*Assign(3), 3);
  EXPECT_THAT(Assign(arrow::Status::OutOfMemory("x")), IsError(ErrorCode::kResourceExhausted));
}

}  // namespace
}  // namespace lamina::table
