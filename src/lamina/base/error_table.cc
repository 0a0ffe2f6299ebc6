#include "lamina/base/error_table.h"

#include <array>

namespace lamina {
namespace {

constexpr std::array<ErrorSurface, 10> kTable = {{
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
}};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].code) != i + 1) return false;
  }
  return kTable.back().code == ErrorCode::kInternal;
}
static_assert(InOrder());

}  // namespace

std::span<const ErrorSurface> ErrorTable() { return kTable; }

const ErrorSurface& SurfaceOf(ErrorCode code) {
  const std::size_t index = static_cast<std::size_t>(code) - 1;
  return index < kTable.size() ? kTable[index] : kTable.back();
}

std::optional<ErrorCode> ErrorCodeNamed(std::string_view name) {
  for (const ErrorSurface& row : kTable) {
    if (row.name == name) return row.code;
  }
  return std::nullopt;
}

}  // namespace lamina
