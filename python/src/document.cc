#include "document.h"

#include <cstdint>
#include <optional>
#include <utility>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/msgpack.h"
#include "lamina/io/env.h"

namespace lamina::python {
namespace {

using bundle::Kind;
using bundle::Value;

nb::bytes Bytes(ByteView bytes) { return nb::bytes(bytes.data(), bytes.size()); }

nb::object ToPython(const Value& value);

nb::object MapToPython(const Value& value) {
  nb::dict map;
  for (const Value::Entry entry : value.entries()) {
    nb::object key = ToPython(entry.key);
    if (entry.key.is_array() || entry.key.is_map()) key = nb::repr(key);
    map[key] = ToPython(entry.value);
  }
  return map;
}

/// Depth is bounded by the parser's limit.
nb::object ToPython(const Value& value) {
  switch (value.kind()) {
    case Kind::kNil:
      return nb::none();
    case Kind::kBool:
      return nb::bool_(value.AsBool());
    case Kind::kInt:
      return nb::int_(value.AsInt());
    case Kind::kUint:
      return nb::int_(value.AsUint());
    case Kind::kFloat32:
    case Kind::kFloat64:
      return nb::float_(value.AsDouble());
    case Kind::kString:
      return Text(value.AsString());
    case Kind::kBinary:
      return Bytes(value.AsBinary());
    case Kind::kExtension:
      return nb::make_tuple(value.extension_type(), Bytes(value.AsBinary()));
    case Kind::kArray: {
      nb::list list;
      for (const Value item : value.items()) list.append(ToPython(item));
      return list;
    }
    case Kind::kMap:
      return MapToPython(value);
  }
  return nb::none();
}

constexpr std::int64_t kMaxBundleBytes = std::int64_t{1} << 31;

nb::object ReadBundleFile(const nb::object& path) {
  const std::string where = Path(path);
  auto file = Unlocked([&]() -> Result<bundle::BundleFile> {
    LAMINA_ASSIGN(const std::string bytes, io::PosixEnv().ReadFile(where, kMaxBundleBytes));
    auto read = bundle::ReadBundle(bytes);
    if (!read.ok()) return std::move(read).error().With("reading " + where);
    return read;
  });
  return DocumentToPython(std::move(file.document));
}

}  // namespace

nb::object DocumentToPython(std::string document) {
  const bundle::Document parsed =
      Unlocked([&] { return bundle::Document::Parse(std::move(document)); });
  return ToPython(parsed.root());
}

void BindDocument(nb::module_& module) {
  module.def("read_bundle", &ReadBundleFile, nb::arg("path"),
             nb::sig("def read_bundle(path: object) -> dict[str, object]"),
             "The document of a bundle file of any version.");
}

}  // namespace lamina::python
