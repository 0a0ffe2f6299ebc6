// Any text: refused, or packed into a document that says the same when written and read again.
#include <cstdint>

#include "lamina/backtests/json_pack.h"
#include "lamina/backtests/python_json.h"
#include "lamina/base/check.h"
#include "lamina/bundle/msgpack.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const lamina::ByteView text(reinterpret_cast<const char*>(data), size);
  std::string packed;
  if (!lamina::backtests::PackJson(text, packed).ok()) return 0;
  const auto document = lamina::bundle::Document::Parse(packed, {.max_depth = 256});
  LAMINA_CHECK(document.ok());
  const std::string again = lamina::backtests::PythonJson(document->root());
  std::string twice;
  LAMINA_CHECK(lamina::backtests::PackJson(again, twice).ok());
  const auto same = lamina::bundle::Document::Parse(twice, {.max_depth = 256});
  LAMINA_CHECK(same.ok());
  LAMINA_CHECK(lamina::backtests::PythonJson(same->root()) == again);
  return 0;
}
