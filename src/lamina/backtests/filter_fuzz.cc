// Any text as a filter: an error or SQL whose parameters match its question marks, nothing else.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lamina/backtests/filter.h"
#include "lamina/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto filter = lamina::backtests::CompileFilter(text);
  if (!filter.ok()) return 0;
  const auto marks = std::count(filter->sql.begin(), filter->sql.end(), '?');
  LAMINA_CHECK(static_cast<std::size_t>(marks) == filter->parameters.size());
  LAMINA_CHECK(std::count(filter->sql.begin(), filter->sql.end(), '(') ==
               std::count(filter->sql.begin(), filter->sql.end(), ')'));
  LAMINA_CHECK(filter->sql.find(';') == std::string::npos);
  return 0;
}
