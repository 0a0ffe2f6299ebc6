#include "lamina/table/arrow_status.h"

#include <string>

namespace lamina::table {
namespace {

/// Parquet tells damage apart from a failing disk only in words.
bool SpeaksOfDamage(const std::string& message) {
  for (const char* word :
       {"CRC", "orrupt", "ZSTD", "decompress", "Unexpected end of stream",
        "Couldn't deserialize thrift", "nvalid", "malformed", "Unknown encoding"}) {
    if (message.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

Error FromArrow(const arrow::Status& status, std::string_view what) {
  ErrorCode code = ErrorCode::kInternal;
  if (status.IsIOError()) {
    code = SpeaksOfDamage(status.message()) ? ErrorCode::kCorruption : ErrorCode::kIo;
  } else if (status.IsInvalid() || status.IsSerializationError()) {
    code = ErrorCode::kCorruption;
  } else if (status.IsTypeError()) {
    code = ErrorCode::kInvalidArgument;
  } else if (status.IsOutOfMemory() || status.IsCapacityError()) {
    code = ErrorCode::kResourceExhausted;
  } else if (status.IsNotImplemented()) {
    code = ErrorCode::kUnsupported;
  } else if (status.IsKeyError()) {
    code = ErrorCode::kNotFound;
  } else if (status.IsCancelled()) {
    code = ErrorCode::kCancelled;
  }
  return Error(code, std::string(what) + ": " + status.message());
}

}  // namespace lamina::table
