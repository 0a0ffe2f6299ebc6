#include "lamina/table/page_header.h"

#include <limits>

namespace lamina::table {
namespace {

/// Thrift's compact protocol, as far as page headers need it. After a failure every read gives
/// zeros.
class ThriftReader {
 public:
  enum Type : std::uint8_t {
    kStop = 0,
    kTrue = 1,
    kFalse = 2,
    kByte = 3,
    kI16 = 4,
    kI32 = 5,
    kI64 = 6,
    kDouble = 7,
    kBinary = 8,
    kList = 9,
    kSet = 10,
    kMap = 11,
    kStruct = 12,
  };

  explicit ThriftReader(ByteView bytes) : bytes_(bytes) {}

  bool failed() const { return failed_; }
  std::int64_t position() const { return static_cast<std::int64_t>(at_); }

  /// Call `field(id, type)` for every field; it must read or Skip the value.
  template <class Field>
  void Struct(Field field) {
    std::int32_t id = 0;
    while (!failed_) {
      const std::uint8_t head = Byte();
      const std::uint8_t type = head & 0x0F;
      if (type == kStop) return;
      const std::int32_t delta = head >> 4;
      id = delta != 0 ? id + delta : static_cast<std::int32_t>(Integer());
      field(id, type);
    }
  }

  /// An i16, i32 or i64.
  std::int64_t Integer() {
    const std::uint64_t raw = Varint();
    return static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
  }

  void Skip(std::uint8_t type, int depth = 0) {
    if (depth > 16) failed_ = true;
    if (failed_) return;
    switch (type) {
      case kTrue:
      case kFalse:
        return;
      case kByte:
        return Advance(1);
      case kI16:
      case kI32:
      case kI64:
        Varint();
        return;
      case kDouble:
        return Advance(8);
      case kBinary:
        return Advance(Varint());
      case kList:
      case kSet: {
        const std::uint8_t head = Byte();
        const std::uint64_t count = head >> 4 == 15 ? Varint() : head >> 4;
        const std::uint8_t element = head & 0x0F;
        for (std::uint64_t i = 0; i < count && !failed_; ++i) {
          // Booleans stand in a byte of their own inside collections.
          element == kTrue || element == kFalse ? Advance(1) : Skip(element, depth + 1);
        }
        return;
      }
      case kStruct:
        return Struct([&](std::int32_t, std::uint8_t inner) { Skip(inner, depth + 1); });
      default:
        failed_ = true;  // maps do not occur in page headers
    }
  }

 private:
  std::uint8_t Byte() {
    if (at_ >= bytes_.size()) {
      failed_ = true;
      return 0;
    }
    return static_cast<std::uint8_t>(bytes_[at_++]);
  }

  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = Byte();
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if ((byte & 0x80) == 0) return value;
    }
    failed_ = true;
    return 0;
  }

  void Advance(std::uint64_t count) {
    if (count > bytes_.size() - at_) {
      failed_ = true;
    } else {
      at_ += count;
    }
  }

  ByteView bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

constexpr std::int64_t kPageTypeDictionary = 2;

/// The three kinds of inner headers share the places of what we want.
void ReadInner(ThriftReader& thrift, PageKind kind, PageHeader& page) {
  page.kind = kind;
  const std::int32_t encoding_field = kind == PageKind::kDataV2 ? 4 : 2;
  thrift.Struct([&](std::int32_t id, std::uint8_t type) {
    if (id == 1 && type == ThriftReader::kI32) {
      page.num_values = thrift.Integer();
    } else if (id == encoding_field && type == ThriftReader::kI32) {
      page.encoding = static_cast<std::int32_t>(thrift.Integer());
    } else if (id == 3 && type == ThriftReader::kI32 && kind == PageKind::kDataV1) {
      page.level_encoding = static_cast<std::int32_t>(thrift.Integer());
    } else if (id == 3 && type == ThriftReader::kI32 && kind == PageKind::kDataV2) {
      page.num_rows = thrift.Integer();
    } else {
      thrift.Skip(type);
    }
  });
}

Result<PageHeader> ReadHeader(ByteView bytes, std::int64_t offset) {
  ThriftReader thrift(bytes);
  PageHeader page;
  page.offset = offset;
  std::int64_t page_type = -1;
  bool has_inner = false;
  thrift.Struct([&](std::int32_t id, std::uint8_t type) {
    const bool integer = type == ThriftReader::kI32;
    const bool structure = type == ThriftReader::kStruct;
    if (id == 1 && integer) {
      page_type = thrift.Integer();
    } else if (id == 2 && integer) {
      page.uncompressed_size = thrift.Integer();
    } else if (id == 3 && integer) {
      page.body_size = thrift.Integer();
    } else if (id == 4 && integer) {
      thrift.Integer();
      page.has_crc = true;
    } else if (structure && (id == 5 || id == 7 || id == 8)) {
      has_inner = true;
      ReadInner(thrift,
                id == 5   ? PageKind::kDataV1
                : id == 7 ? PageKind::kDictionary
                          : PageKind::kDataV2,
                page);
    } else {
      thrift.Skip(type);
    }
  });
  page.header_size = thrift.position();
  const std::string where = "the page header at " + std::to_string(offset) + " of a column chunk";
  if (thrift.failed()) return Corruption(where + " cannot be parsed");
  const std::int64_t expected_type = page.kind == PageKind::kDataV1       ? 0
                                     : page.kind == PageKind::kDictionary ? kPageTypeDictionary
                                                                          : 3;
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  if (!has_inner || page_type != expected_type || page.body_size < 0 || page.body_size > kMax ||
      page.uncompressed_size < 0 || page.uncompressed_size > kMax || page.num_values < 0 ||
      page.num_values > kMax) {
    return Corruption(where + " makes no sense");
  }
  return page;
}

}  // namespace

Result<std::vector<PageHeader>> WalkPages(ByteView chunk) {
  std::vector<PageHeader> pages;
  const auto size = static_cast<std::int64_t>(chunk.size());
  for (std::int64_t at = 0; at < size;) {
    LAMINA_ASSIGN(const PageHeader page,
                  ReadHeader(chunk.substr(static_cast<std::size_t>(at)), at));
    if (page.end() > size) return Corruption("a page leaves its column chunk");
    if (page.kind == PageKind::kDictionary && !pages.empty()) {
      return Corruption("a dictionary page is not the first of its column chunk");
    }
    at = page.end();
    pages.push_back(page);
  }
  return pages;
}

}  // namespace lamina::table
