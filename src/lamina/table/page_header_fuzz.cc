// Any bytes as a column chunk: the page headers are walked without a crash and without a gap.

#include <cstddef>
#include <cstdint>

#include "lamina/base/check.h"
#include "lamina/table/page_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const lamina::ByteView input(reinterpret_cast<const char*>(data), size);
  const auto pages = lamina::table::WalkPages(input);
  if (!pages.ok()) return 0;
  std::int64_t at = 0;
  for (const lamina::table::PageHeader& page : *pages) {
    LAMINA_CHECK(page.offset == at && page.end() > at);
    at = page.end();
  }
  LAMINA_CHECK(at == static_cast<std::int64_t>(size));
  return 0;
}
