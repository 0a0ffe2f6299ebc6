#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "lamina/bundle/msgpack.h"
#include "lamina/bundle/msgpack_wire_internal.h"

namespace lamina::bundle {

/// Fills the tape in one pass, with an explicit stack of open containers.
class DocumentParser {
 public:
  DocumentParser(Document& document, const DocumentLimits& limits)
      : document_(document),
        limits_(limits),
        begin_(document.bytes_.data()),
        end_(begin_ + document.bytes_.size()),
        position_(begin_) {}

  Status Run() {
    const std::size_t size = document_.bytes_.size();
    if (size > std::min<std::size_t>(limits_.max_bytes, kMaxOffset)) {
      return ResourceExhausted("MessagePack document of " + std::to_string(size) +
                               " bytes exceeds the limit of " + std::to_string(limits_.max_bytes));
    }
    if (size == 0) return Corruption("MessagePack document is empty");
    if (!Grow(std::min<std::size_t>(size / 8 + 16, kFirstReserve))) return NodeError();
    LAMINA_TRY(ReadAll());
    if (position_ != end_) {
      return Corruption(At() + std::to_string(end_ - position_) + " bytes after the document");
    }
    return Ok();
  }

 private:
  struct Open {
    std::uint32_t node;
    std::uint32_t remaining;  ///< of the container around it, with this one
  };
  static constexpr std::size_t kMaxOffset = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t kFirstReserve = std::size_t{1} << 22;

  std::size_t left() const { return static_cast<std::size_t>(end_ - position_); }
  std::string At() const {
    return "MessagePack at byte " + std::to_string(position_ - begin_) + ": ";
  }
  Error Truncated(const char* what) const {
    return Corruption(At() + what + " goes past the end (" + std::to_string(left()) +
                      " bytes left)");
  }
  Error NodeError() const {
    if (capacity_ >= limits_.max_nodes) {
      return ResourceExhausted(At() + "more than " + std::to_string(limits_.max_nodes) + " values");
    }
    return ResourceExhausted(At() + "not enough memory for the parsed document");
  }

  bool Grow(std::size_t nodes) {
    nodes = std::min(nodes, limits_.max_nodes);
    if (nodes <= capacity_ || !document_.ReserveTape(nodes)) return false;
    capacity_ = nodes;
    return true;
  }

  Status ReadAll() {
    std::uint32_t remaining = 1;  // of the innermost open container, with the value read next
    std::uint32_t index = 0;
    Document::Node* tape = document_.tape_.get();
    for (;;) {
      if (position_ == end_) return Truncated("a value");
      if (index == capacity_) [[unlikely]] {
        if (!Grow(capacity_ * 2)) return NodeError();
        tape = document_.tape_.get();
      }
      Document::Node& node = tape[index];
      const wire::Fixed fixed = wire::kFixed[static_cast<unsigned char>(*position_)];
      if (fixed.bytes != 0) [[likely]] {
        if (left() < fixed.bytes) return Truncated("a payload");
        node = {Offset(), index + 1, fixed.length, fixed.kind, 1, 0};
        ++index;
        position_ += fixed.bytes;
      } else {
        std::uint32_t values = 0;
        LAMINA_TRY(ReadSized(node, index, values));
        ++index;
        if (values != 0) {
          if (open_.size() >= limits_.max_depth) return TooDeep(node.offset);
          open_.push_back({index - 1, remaining});
          remaining = values;
          continue;
        }
      }
      while (--remaining == 0) {
        if (open_.empty()) {
          document_.tape_size_ = index;
          return Ok();
        }
        tape[open_.back().node].next = index;
        remaining = open_.back().remaining;
        open_.pop_back();
      }
    }
  }

  /// Everything but the short forms. `values`: how many belong to this container.
  Status ReadSized(Document::Node& node, std::uint32_t index, std::uint32_t& values) {
    const wire::Lead& lead = wire::LeadAt(position_);
    if (lead.header == 0) return Corruption(At() + "reserved byte 0xc1");
    if (left() < lead.header) return Truncated("a length");
    const std::uint32_t length = wire::LengthAt(position_, lead);
    node = {Offset(), index + 1, length, lead.kind, lead.header, 0};
    std::uint64_t needed = length;
    if (lead.kind == Kind::kMap) needed *= 2;  // a key and a value take a byte each at least
    if (left() - lead.header < needed) return Truncated(wire::Noun(lead.kind));
    position_ += lead.header;
    switch (lead.kind) {
      case Kind::kArray:
      case Kind::kMap:
        values = static_cast<std::uint32_t>(needed);
        return Ok();
      case Kind::kInt:  // uint64: the only number that is not in kFixed
        node.length = 0;
        if (wire::IsLargeUint(position_ - 1)) node.kind = Kind::kUint;
        break;
      case Kind::kExtension:
        node.extension_type = static_cast<std::int8_t>(position_[-1]);
        break;
      default:
        break;
    }
    position_ += length;
    return Ok();
  }

  std::uint32_t Offset() const { return static_cast<std::uint32_t>(position_ - begin_); }
  Error TooDeep(std::size_t offset) const {
    return ResourceExhausted("MessagePack at byte " + std::to_string(offset) +
                             ": nested deeper than " + std::to_string(limits_.max_depth));
  }

  Document& document_;
  const DocumentLimits& limits_;
  const char* begin_;
  const char* end_;
  const char* position_;
  std::size_t capacity_ = 0;
  std::vector<Open> open_;
};

bool Document::ReserveTape(std::size_t nodes) {
  void* grown = std::realloc(tape_.get(), nodes * sizeof(Node));
  if (grown == nullptr) return false;
  (void)tape_.release();
  tape_.reset(static_cast<Node*>(grown));
  return true;
}

Result<Document> Document::Parse(std::string bytes, const DocumentLimits& limits) {
  Document document;
  document.bytes_ = std::move(bytes);
  LAMINA_TRY(DocumentParser(document, limits).Run());
  return document;
}

}  // namespace lamina::bundle
