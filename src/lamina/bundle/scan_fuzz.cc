// A version byte and a document: the outline and the whole document give the same layout. Bytes
// that begin with the magic are scanned as a file.

#include <cstddef>
#include <cstdint>
#include <string>

#include "lamina/bundle/layout.h"
#include "lamina/bundle/scan.h"

namespace {

using namespace lamina::bundle;  // NOLINT: one file, one function

lamina::ByteView RawOf(const std::optional<Value>& value) {
  return value.has_value() ? value->raw() : lamina::ByteView();
}

void ExpectSame(const Layout& a, const Layout& b) {
  LAMINA_CHECK(a.warnings == b.warnings);
  LAMINA_CHECK(RawOf(a.algorithm_id) == RawOf(b.algorithm_id));
  LAMINA_CHECK(RawOf(a.parameters) == RawOf(b.parameters));
  LAMINA_CHECK(RawOf(a.metadata) == RawOf(b.metadata));
  LAMINA_CHECK(RawOf(a.ohlcv) == RawOf(b.ohlcv));
  LAMINA_CHECK(a.runs.size() == b.runs.size());
  for (std::size_t i = 0; i < a.runs.size(); ++i) {
    LAMINA_CHECK(a.runs[i].run.raw() == b.runs[i].run.raw());
    LAMINA_CHECK(a.runs[i].blob_prefix == b.runs[i].blob_prefix);
  }
  LAMINA_CHECK(a.summaries.size() == b.summaries.size());
  for (std::size_t i = 0; i < a.summaries.size(); ++i) {
    const SummaryPart& x = a.summaries[i];
    const SummaryPart& y = b.summaries[i];
    LAMINA_CHECK(RawOf(x.summary) == RawOf(y.summary));
    LAMINA_CHECK(x.universe == y.universe && x.run_count == y.run_count && x.study == y.study);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const lamina::ByteView input(reinterpret_cast<const char*>(data), size);
  if (size == 0) return 0;
  if (input.starts_with("IAFB")) {
    (void)ScanBundle(input, {.max_document_bytes = 1 << 22}).ok();
    return 0;
  }
  const std::uint32_t version = 1 + data[0] % 5U;
  const auto full = Document::Parse(std::string(input.substr(1)));
  const auto outline = Document::ParseOutline(std::string(input.substr(1)));
  LAMINA_CHECK(full.ok() == outline.ok());
  if (!full.ok()) return 0;
  const auto layout = ReadLayout(version, *full);
  const auto scanned = ReadLayout(version, *outline);
  LAMINA_CHECK(layout.ok() == scanned.ok());
  if (layout.ok()) {
    ExpectSame(*layout, *scanned);
  } else {
    LAMINA_CHECK(layout.error().message() == scanned.error().message());
  }
  return 0;
}
