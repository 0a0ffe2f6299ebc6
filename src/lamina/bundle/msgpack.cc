#include "lamina/bundle/msgpack.h"

#include <array>
#include <bit>
#include <limits>

namespace lamina::bundle {
namespace {

constexpr std::array<std::string_view, 11> kKindNames = {"nil",     "bool",    "int",      "uint",
                                                         "float32", "float64", "string",   "binary",
                                                         "array",   "map",     "extension"};

}  // namespace

std::string_view KindName(Kind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

Value Document::root() const { return {this, 0}; }

bool Value::AsBool() const {
  LAMINA_CHECK(kind() == Kind::kBool);
  return static_cast<unsigned char>(document_->bytes_[node().offset]) == 0xc3;
}

std::int64_t Value::AsInt() const {
  const Document::Node& self = node();
  LAMINA_CHECK(self.kind == Kind::kInt);
  const char* bytes = document_->bytes_.data() + self.offset;
  switch (const auto lead = static_cast<unsigned char>(*bytes)) {
    case 0xcc:
      return LoadBigEndian<std::uint8_t>(bytes + 1);
    case 0xcd:
      return LoadBigEndian<std::uint16_t>(bytes + 1);
    case 0xce:
      return LoadBigEndian<std::uint32_t>(bytes + 1);
    case 0xcf:
    case 0xd3:
      return LoadBigEndian<std::int64_t>(bytes + 1);
    case 0xd0:
      return LoadBigEndian<std::int8_t>(bytes + 1);
    case 0xd1:
      return LoadBigEndian<std::int16_t>(bytes + 1);
    case 0xd2:
      return LoadBigEndian<std::int32_t>(bytes + 1);
    default:
      return static_cast<std::int8_t>(lead);
  }
}

std::uint64_t Value::AsUint() const {
  LAMINA_CHECK(kind() == Kind::kUint);
  return LoadBigEndian<std::uint64_t>(document_->bytes_.data() + node().offset + 1);
}

double Value::AsDouble() const {
  const Document::Node& self = node();
  const char* payload = document_->bytes_.data() + self.offset + 1;
  switch (self.kind) {
    case Kind::kFloat64:
      return std::bit_cast<double>(LoadBigEndian<std::uint64_t>(payload));
    case Kind::kFloat32:
      return std::bit_cast<float>(LoadBigEndian<std::uint32_t>(payload));
    case Kind::kInt:
      return static_cast<double>(AsInt());
    default:  // AsUint checks the kind
      return static_cast<double>(AsUint());
  }
}

std::uint32_t Value::Float32Bits() const {
  LAMINA_CHECK(kind() == Kind::kFloat32);
  return LoadBigEndian<std::uint32_t>(document_->bytes_.data() + node().offset + 1);
}

ByteView Value::AsString() const {
  const Document::Node& self = node();
  LAMINA_CHECK(self.kind == Kind::kString);
  return {document_->bytes_.data() + self.offset + self.header, self.length};
}

ByteView Value::AsBinary() const {
  const Document::Node& self = node();
  LAMINA_CHECK(self.kind == Kind::kBinary || self.kind == Kind::kExtension);
  return {document_->bytes_.data() + self.offset + self.header, self.length};
}

ByteView Value::raw() const {
  const Document::Node& self = node();
  const std::size_t end = self.next < document_->tape_size_ ? document_->tape_[self.next].offset
                                                            : document_->bytes_.size();
  return {document_->bytes_.data() + self.offset, end - self.offset};
}

Value::Items Value::items() const {
  const bool some = is_array() && size() != 0;
  return {{document_, index_ + 1}, {document_, some ? node().next : index_ + 1}};
}

Value::Entries Value::entries() const {
  const bool some = is_map() && size() != 0;
  return {{document_, index_ + 1}, {document_, some ? node().next : index_ + 1}};
}

std::optional<Value> Value::Find(ByteView key) const {
  std::optional<Value> found;
  for (const Entry entry : entries()) {
    const Document::Node& name = entry.key.node();
    if (name.kind == Kind::kString && name.length == key.size() && entry.key.AsString() == key) {
      found = entry.value;
    }
  }
  return found;
}

namespace {

/// A header built in place, so that each call grows the output once.
struct Header {
  char bytes[9];
  std::size_t size = 0;

  void Byte(unsigned value) { bytes[size++] = static_cast<char>(value); }
  template <std::unsigned_integral T>
  void Put(unsigned lead, T value) {
    Byte(lead);
    if constexpr (std::endian::native == std::endian::little) value = ByteSwap(value);
    std::memcpy(bytes + size, &value, sizeof(T));
    size += sizeof(T);
  }
  /// The shortest of three widths; the leads are consecutive. 8-bit lead 0: there is no such form.
  void Length(unsigned lead8, unsigned lead16, unsigned lead32, std::uint32_t length) {
    if (lead8 != 0 && length <= 0xff) {
      Put(lead8, static_cast<std::uint8_t>(length));
    } else if (length <= 0xffff) {
      Put(lead16, static_cast<std::uint16_t>(length));
    } else {
      Put(lead32, length);
    }
  }
};

void AppendWithPayload(std::string& out, const Header& header, ByteView payload) {
  constexpr std::size_t kSmall = 64;
  if (payload.size() + header.size <= kSmall) {
    char both[kSmall];
    std::memcpy(both, header.bytes, header.size);
    if (!payload.empty()) std::memcpy(both + header.size, payload.data(), payload.size());
    out.append(both, header.size + payload.size());
    return;
  }
  out.append(header.bytes, header.size);
  out.append(payload);
}

/// MessagePack has no lengths beyond 32 bits; a caller that has such a payload has a bug.
std::uint32_t Length32(std::size_t size) {
  LAMINA_CHECK(size <= std::numeric_limits<std::uint32_t>::max());
  return static_cast<std::uint32_t>(size);
}

}  // namespace

void Writer::Int(std::int64_t value) {
  if (value >= 0) return Uint(static_cast<std::uint64_t>(value));
  if (value >= -32) return out_.push_back(static_cast<char>(value));
  Header header;
  if (value >= std::numeric_limits<std::int8_t>::min()) {
    header.Put(0xd0, static_cast<std::uint8_t>(value));
  } else if (value >= std::numeric_limits<std::int16_t>::min()) {
    header.Put(0xd1, static_cast<std::uint16_t>(value));
  } else if (value >= std::numeric_limits<std::int32_t>::min()) {
    header.Put(0xd2, static_cast<std::uint32_t>(value));
  } else {
    header.Put(0xd3, static_cast<std::uint64_t>(value));
  }
  out_.append(header.bytes, header.size);
}

void Writer::Uint(std::uint64_t value) {
  if (value <= 0x7f) return out_.push_back(static_cast<char>(value));
  Header header;
  if (value <= 0xffffffff) {
    header.Length(0xcc, 0xcd, 0xce, static_cast<std::uint32_t>(value));
  } else {
    header.Put(0xcf, value);
  }
  out_.append(header.bytes, header.size);
}

void Writer::Double(double value) {
  Header header;
  header.Put(0xcb, std::bit_cast<std::uint64_t>(value));
  out_.append(header.bytes, 9);
}

void Writer::Float32Bits(std::uint32_t bits) {
  Header header;
  header.Put(0xca, bits);
  out_.append(header.bytes, 5);
}

void Writer::String(ByteView text) {
  Header header;
  if (text.size() <= 31) {
    header.Byte(0xa0U | static_cast<unsigned>(text.size()));
  } else {
    header.Length(0xd9, 0xda, 0xdb, Length32(text.size()));
  }
  AppendWithPayload(out_, header, text);
}

void Writer::Binary(ByteView bytes) {
  Header header;
  header.Length(0xc4, 0xc5, 0xc6, Length32(bytes.size()));
  AppendWithPayload(out_, header, bytes);
}

void Writer::ArrayHeader(std::uint32_t elements) {
  if (elements <= 15) return out_.push_back(static_cast<char>(0x90U | elements));
  Header header;
  header.Length(0, 0xdc, 0xdd, elements);
  out_.append(header.bytes, header.size);
}

void Writer::MapHeader(std::uint32_t pairs) {
  if (pairs <= 15) return out_.push_back(static_cast<char>(0x80U | pairs));
  Header header;
  header.Length(0, 0xde, 0xdf, pairs);
  out_.append(header.bytes, header.size);
}

void Writer::Extension(std::int8_t type, ByteView payload) {
  Header header;
  if (payload.size() <= 16 && std::has_single_bit(payload.size())) {
    header.Byte(0xd4U + static_cast<unsigned>(std::countr_zero(payload.size())));
  } else {
    header.Length(0xc7, 0xc8, 0xc9, Length32(payload.size()));
  }
  header.Byte(static_cast<std::uint8_t>(type));
  AppendWithPayload(out_, header, payload);
}

}  // namespace lamina::bundle
