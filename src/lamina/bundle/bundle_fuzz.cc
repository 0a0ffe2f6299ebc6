// Any bytes as a bundle file. Bytes that do not begin with the magic are taken as a version and a
// document, because no fuzzer finds its way through zstd.

#include <cstddef>
#include <cstdint>
#include <string>

#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/describe.h"
#include "lamina/bundle/layout.h"

namespace {

using namespace lamina::bundle;  // NOLINT: one file, one function

void UseLayout(const Layout& layout) {
  std::size_t bytes = layout.backtest.raw().size();
  for (const RunPart& run : layout.runs) bytes += run.run.raw().size() + run.blob_prefix.size();
  for (const SummaryPart& part : layout.summaries) {
    if (part.summary.has_value()) bytes += part.summary->raw().size();
  }
  LAMINA_CHECK(bytes > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const lamina::ByteView input(reinterpret_cast<const char*>(data), size);
  constexpr BundleLimits kLimits{.max_document_bytes = 1 << 22};
  std::uint32_t version = 0;
  std::string bytes;
  if (input.starts_with("IAFB")) {
    auto bundle = ReadBundle(input, kLimits);
    LAMINA_CHECK(DescribeBundle(input, kLimits).ok() ? bundle.ok() : true);
    if (!bundle.ok()) return 0;
    version = bundle->version;
    bytes = std::move(bundle->document);
    const auto again = WriteBundle(version, bytes, 1);
    LAMINA_CHECK(again.ok());
    LAMINA_CHECK(ReadBundle(*again)->document == bytes);
  } else {
    if (size == 0) return 0;
    version = 1 + data[0] % 5U;
    bytes = input.substr(1);
  }
  const auto document = Document::Parse(std::move(bytes));
  if (!document.ok()) return 0;
  const auto layout = ReadLayout(version, *document);
  if (layout.ok()) UseLayout(*layout);
  return 0;
}
