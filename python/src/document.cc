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

constexpr int kMaxDepth = 120;

/// Appends one Python object; `place` is where in the document it stands.
class Encoder {
 public:
  explicit Encoder(std::string& out) : writer_(out) {}

  void Encode(nb::handle object, int depth) {
    if (depth > kMaxDepth) Refuse("is nested more than " + std::to_string(kMaxDepth) + " deep");
    PyObject* const raw = object.ptr();
    if (raw == Py_None) {
      writer_.Nil();
    } else if (PyBool_Check(raw)) {
      writer_.Bool(raw == Py_True);
    } else if (PyLong_Check(raw)) {
      Integer(object);
    } else if (PyFloat_Check(raw)) {
      writer_.Double(PyFloat_AsDouble(raw));
    } else if (PyUnicode_Check(raw)) {
      String(object);
    } else if (PyBytes_Check(raw)) {
      const auto bytes = nb::borrow<nb::bytes>(object);
      writer_.Binary({bytes.c_str(), bytes.size()});
    } else if (PyDict_Check(raw)) {
      Map(nb::borrow<nb::dict>(object), depth);
    } else if (PyList_Check(raw) || PyTuple_Check(raw)) {
      Array(nb::borrow<nb::sequence>(object), depth);
    } else if (nb::hasattr(object, "isoformat")) {
      Encode(object.attr("isoformat")(), depth + 1);
    } else if (nb::hasattr(object, "item")) {
      Encode(object.attr("item")(), depth + 1);
    } else {
      Refuse("is a " + nb::cast<std::string>(nb::str(object.type().attr("__name__"))) +
             ", which a document cannot hold");
    }
  }

 private:
  [[noreturn]] void Refuse(const std::string& why) const {
    throw Raised(InvalidArgument("document" + (place_.empty() ? "" : " at " + place_) + " " + why));
  }

  void Integer(nb::handle object) {
    int overflow = 0;
    const long long small = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
    if (overflow == 0) {
      writer_.Int(small);
      return;
    }
    const unsigned long long large = overflow > 0 ? PyLong_AsUnsignedLongLong(object.ptr()) : 0;
    if (overflow < 0 || PyErr_Occurred() != nullptr) {
      PyErr_Clear();
      Refuse("is an integer of more than 64 bits");
    }
    writer_.Uint(large);
  }

  void String(nb::handle object) {
    PyObject* const bytes = PyUnicode_AsEncodedString(object.ptr(), "utf-8", "surrogateescape");
    if (bytes == nullptr) {
      PyErr_Clear();
      Refuse("is a text that UTF-8 cannot hold");
    }
    const auto text = nb::steal<nb::bytes>(bytes);
    writer_.String({text.c_str(), text.size()});
  }

  void Map(const nb::dict& map, int depth) {
    writer_.MapHeader(static_cast<std::uint32_t>(map.size()));
    for (const auto& [key, value] : map) {
      Encode(key, depth + 1);
      const std::size_t before = place_.size();
      place_ += (before == 0 ? "" : ".") + nb::cast<std::string>(nb::str(key));
      Encode(value, depth + 1);
      place_.resize(before);
    }
  }

  void Array(const nb::sequence& array, int depth) {
    writer_.ArrayHeader(static_cast<std::uint32_t>(nb::len(array)));
    std::size_t index = 0;
    for (nb::handle item : array) {
      const std::size_t before = place_.size();
      place_ += "[" + std::to_string(index++) + "]";
      Encode(item, depth + 1);
      place_.resize(before);
    }
  }

  bundle::Writer writer_;
  std::string place_;
};

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

std::string DocumentFromPython(nb::handle object) {
  std::string out;
  Encoder(out).Encode(object, 0);
  return out;
}

void BindDocument(nb::module_& module) {
  module.def("read_bundle", &ReadBundleFile, nb::arg("path"),
             nb::sig("def read_bundle(path: object) -> dict[str, object]"),
             "The document of a bundle file of any version.");
}

}  // namespace lamina::python
