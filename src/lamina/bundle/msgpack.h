#pragma once

/// \file lamina/bundle/msgpack.h
/// MessagePack as bundles use it: a parsed Document with cheap Value views into it, and a Writer
/// that gives the shortest form (what the framework writes). https://github.com/msgpack/msgpack
/// spec.md. Document is immutable after Parse and thread-safe; a Value never outlives its Document.

#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"

namespace lamina::bundle {

enum class Kind : std::uint8_t {
  kNil,
  kBool,
  kInt,   ///< fits int64 (every form: fixint, uint8..64, int8..64)
  kUint,  ///< uint64 above int64's range
  kFloat32,
  kFloat64,
  kString,
  kBinary,
  kArray,
  kMap,
  kExtension,
};
std::string_view KindName(Kind kind);

/// Limits on what Parse accepts; beyond them it RETURNS kResourceExhausted or kInvalidArgument,
/// naming the byte offset.
struct DocumentLimits {
  std::size_t max_bytes = std::size_t{1} << 30;
  std::uint32_t max_depth = 128;
  std::size_t max_nodes = std::size_t{1} << 27;
};

class Value;

/// One parsed MessagePack value and all below it. Parse checks the whole structure (lengths inside
/// the buffer, depth, exactly one value, nothing after it), so Value accessors never fail.
/// Moving a Document invalidates its Values (and a Layout made of them).
class Document {
 public:
  /// RETURNS kCorruption (truncated, reserved byte 0xc1, trailing bytes), kResourceExhausted
  /// (limits).
  static Result<Document> Parse(std::string bytes, const DocumentLimits& limits = {});

  /// Accepts and refuses what Parse does, but only what ReadLayout looks at gets its children on
  /// the tape: any other array or map has the right size() and raw(), and no items() or entries().
  static Result<Document> ParseOutline(std::string bytes, const DocumentLimits& limits = {});

  Document(Document&&) noexcept = default;
  Document& operator=(Document&&) noexcept = default;

  Value root() const;
  ByteView bytes() const { return bytes_; }
  /// Nodes on the tape; memory is about `16 * node_count() + bytes().size()`.
  std::size_t node_count() const { return tape_size_; }

 private:
  friend class Value;
  friend class DocumentParser;
  friend class OutlineParser;
  /// One value. Children of an array follow it; a map's are key, value, key, value, …
  struct Node {
    std::uint32_t offset;  ///< first encoded byte in bytes_
    std::uint32_t next;    ///< tape index after this value and all below it
    std::uint32_t length;  ///< elements, pairs, or payload bytes
    Kind kind;
    std::uint8_t header;  ///< encoded bytes before the payload
    std::int8_t extension_type;
  };
  static_assert(sizeof(std::uint32_t) * 4 == sizeof(Node));
  struct FreeTape {
    void operator()(Node* nodes) const { std::free(nodes); }
  };
  Document() = default;
  /// Room for `nodes` in all; keeps what is there. False when memory is short.
  bool ReserveTape(std::size_t nodes);

  std::string bytes_;
  std::unique_ptr<Node[], FreeTape>
      tape_;  ///< by realloc, so that growing a large one copies nothing
  std::size_t tape_size_ = 0;
};

/// A view of one value. Cheap to copy. Accessors REQUIRE the right kind (a bug otherwise).
class Value {
 public:
  Kind kind() const { return node().kind; }
  bool is_nil() const { return kind() == Kind::kNil; }
  bool is_map() const { return kind() == Kind::kMap; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_number() const {
    return kind() == Kind::kInt || kind() == Kind::kUint || kind() == Kind::kFloat32 ||
           kind() == Kind::kFloat64;
  }

  bool AsBool() const;
  std::int64_t AsInt() const;         ///< REQUIRES kInt
  std::uint64_t AsUint() const;       ///< REQUIRES kUint
  double AsDouble() const;            ///< any number, converted
  std::uint32_t Float32Bits() const;  ///< REQUIRES kFloat32
  ByteView AsString() const;          ///< kString: its bytes (UTF-8 by convention, not checked)
  ByteView AsBinary() const;          ///< kBinary or kExtension
  std::int8_t extension_type() const { return node().extension_type; }

  /// Elements of an array, pairs of a map, bytes of a string, binary or extension; else 0.
  std::uint32_t size() const { return node().length; }
  /// The encoded bytes of this value and everything below it.
  ByteView raw() const;
  /// Where raw() starts in Document::bytes().
  std::size_t offset() const { return node().offset; }

  class Iterator;
  struct Items;
  struct Entry;
  class EntryIterator;
  struct Entries;
  Items items() const;      ///< elements of an array; empty for other kinds
  Entries entries() const;  ///< pairs of a map in order; empty for other kinds

  /// The value of the last entry whose key is the string `key`; absent when none, or not a map.
  std::optional<Value> Find(ByteView key) const;

 private:
  friend class Document;
  Value(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
  const Document::Node& node() const { return document_->tape_[index_]; }

  const Document* document_;
  std::uint32_t index_;
};

class Value::Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = Value;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = Value;
  Value operator*() const { return {document_, index_}; }
  Iterator& operator++() {
    index_ = document_->tape_[index_].next;
    return *this;
  }
  bool operator==(const Iterator& other) const { return index_ == other.index_; }

 private:
  friend class Value;
  Iterator(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
  const Document* document_;
  std::uint32_t index_;
};

struct Value::Items {
  Iterator first, last;
  Iterator begin() const { return first; }
  Iterator end() const { return last; }
};

struct Value::Entry {
  Value key;
  Value value;
};

class Value::EntryIterator {
 public:
  Entry operator*() const {
    return {Value(document_, index_), Value(document_, document_->tape_[index_].next)};
  }
  EntryIterator& operator++() {
    index_ = document_->tape_[document_->tape_[index_].next].next;
    return *this;
  }
  bool operator==(const EntryIterator& other) const { return index_ == other.index_; }

 private:
  friend class Value;
  EntryIterator(const Document* document, std::uint32_t index)
      : document_(document), index_(index) {}
  const Document* document_;
  std::uint32_t index_;
};

struct Value::Entries {
  EntryIterator first, last;
  EntryIterator begin() const { return first; }
  EntryIterator end() const { return last; }
};

/// Appends MessagePack in shortest form to a string. Thread-compatible.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  void Nil() { out_.push_back(static_cast<char>(0xc0)); }
  void Bool(bool value) { out_.push_back(static_cast<char>(value ? 0xc3 : 0xc2)); }
  void Int(std::int64_t value);  ///< unsigned forms for values >= 0
  void Uint(std::uint64_t value);
  void Double(double value);  ///< always float64; every NaN payload is kept
  void Float32Bits(
      std::uint32_t bits);  ///< for values that were kFloat32; the framework writes none
  void String(ByteView text);
  void Binary(ByteView bytes);
  void ArrayHeader(std::uint32_t elements);
  void MapHeader(std::uint32_t pairs);
  void Extension(std::int8_t type, ByteView payload);
  void Raw(ByteView encoded) { out_.append(encoded); }
  std::string& out() { return out_; }

 private:
  std::string& out_;
};

}  // namespace lamina::bundle
