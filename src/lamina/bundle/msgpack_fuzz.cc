// Any bytes as a MessagePack document: what is accepted can be walked and written again, and the
// outline accepts the same.

#include <cstddef>
#include <cstdint>
#include <string>

#include "lamina/bundle/bundle_test_support.h"
#include "lamina/bundle/msgpack.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using lamina::bundle::Document;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto document = Document::Parse(bytes);
  const auto outline = Document::ParseOutline(bytes);
  LAMINA_CHECK(document.ok() == outline.ok());
  if (!document.ok()) {
    LAMINA_CHECK(document.error().message() == outline.error().message());
    return 0;
  }
  LAMINA_CHECK(document->root().raw() == bytes && outline->root().raw() == bytes);
  std::string again;
  lamina::bundle::Writer writer(again);
  lamina::bundle::test::Rewrite(writer, document->root());
  LAMINA_CHECK(again.size() <= bytes.size());
  const auto second = Document::Parse(again);
  LAMINA_CHECK(second.ok() && second->node_count() == document->node_count());
  return 0;
}
