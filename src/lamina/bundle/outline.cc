#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <vector>

#include "lamina/bundle/msgpack.h"
#include "lamina/bundle/msgpack_wire_internal.h"

namespace lamina::bundle {
namespace {

/// What a container is to the layout; kSkipped ones are passed over whole.
enum class Role : std::uint8_t {
  kSkipped,
  kSection,     ///< the top, `backtest`, a study, an engine's map, `ohlcv`: children by their key
  kSections,    ///< `studies`: every child is a section
  kRuns,        ///< an array of runs
  kRun,         ///< only `metadata` matters
  kByUniverse,  ///< every child is a summary
  kEntries,     ///< one level of pairs
};

struct KeyRole {
  std::string_view key;
  Role role;
};
constexpr std::array<KeyRole, 19> kSectionKeys = {{
    {"backtest", Role::kSection},
    {"vector", Role::kSection},
    {"event", Role::kSection},
    {"ohlcv", Role::kSection},
    {"studies", Role::kSections},
    {"runs", Role::kRuns},
    {"vector_runs", Role::kRuns},
    {"event_runs", Role::kRuns},
    {"backtest_runs", Role::kRuns},
    {"summary", Role::kEntries},
    {"vector_summary", Role::kEntries},
    {"event_summary", Role::kEntries},
    {"vector_metrics", Role::kEntries},
    {"event_metrics", Role::kEntries},
    {"backtest_summary", Role::kEntries},
    {"summaries_by_universe", Role::kByUniverse},
    {"vector_summaries_by_universe", Role::kByUniverse},
    {"event_summaries_by_universe", Role::kByUniverse},
    {"blobs", Role::kEntries},
}};

Role RoleUnder(Role parent, std::string_view key) {
  switch (parent) {
    case Role::kSection:
      for (const KeyRole& known : kSectionKeys) {
        if (known.key == key) return known.role;
      }
      return key == "manifest" ? Role::kEntries : Role::kSkipped;
    case Role::kSections:
      return Role::kSection;
    case Role::kRuns:
      return Role::kRun;
    case Role::kRun:
      return key == "metadata" ? Role::kEntries : Role::kSkipped;
    case Role::kByUniverse:
      return Role::kEntries;
    default:
      return Role::kSkipped;
  }
}

}  // namespace

/// Every method answers false for "not acceptable"; the full parser then says why.
class OutlineParser {
 public:
  OutlineParser(Document& document, const DocumentLimits& limits)
      : document_(document),
        limits_(limits),
        begin_(document.bytes_.data()),
        end_(begin_ + document.bytes_.size()),
        position_(begin_) {}

  bool Run() {
    const std::size_t size = document_.bytes_.size();
    if (size == 0 || size > limits_.max_bytes || size > std::numeric_limits<std::uint32_t>::max()) {
      return false;
    }
    return ReadAll() && position_ == end_ && node_count_ <= limits_.max_nodes;
  }

 private:
  struct Open {
    std::uint32_t node;
    std::uint32_t remaining;
    Role role;
    bool is_map;
  };

  std::size_t left() const { return static_cast<std::size_t>(end_ - position_); }

  bool ReadAll() {
    Open open{0, 1, Role::kSkipped, false};
    stack_.reserve(16);
    for (;;) {
      std::uint64_t values = 0;
      if (!ReadHeader(values)) return false;
      const auto index = static_cast<std::uint32_t>(document_.tape_size_ - 1);
      if (values != 0) {
        if (stack_.size() >= limits_.max_depth) return false;
        const Role role = RoleOf(index, open);
        if (role != Role::kSkipped) {
          stack_.push_back(open);
          const bool is_map = document_.tape_[index].kind == Kind::kMap;
          open = {index, static_cast<std::uint32_t>(values), role, is_map};
          continue;
        }
        if (!Skip(values, stack_.size() + 1)) return false;
      }
      while (--open.remaining == 0) {
        if (stack_.empty()) return true;
        document_.tape_[open.node].next = static_cast<std::uint32_t>(document_.tape_size_);
        open = stack_.back();
        stack_.pop_back();
      }
    }
  }

  Role RoleOf(std::uint32_t index, const Open& parent) const {
    const Document::Node& node = document_.tape_[index];
    if (index == 0) return node.kind == Kind::kMap ? Role::kSection : Role::kSkipped;
    if (!parent.is_map) {
      return node.kind == Kind::kMap ? RoleUnder(parent.role, {}) : Role::kSkipped;
    }
    if (parent.remaining % 2 == 0) return Role::kSkipped;  // a container as a key
    const Document::Node& key = document_.tape_[index - 1];
    if (key.kind != Kind::kString) return Role::kSkipped;
    const Role role =
        RoleUnder(parent.role, {document_.bytes_.data() + key.offset + key.header, key.length});
    const Kind expected = role == Role::kRuns ? Kind::kArray : Kind::kMap;
    return node.kind == expected ? role : Role::kSkipped;
  }

  /// Appends the node at position_; a container's `values` are still to be read.
  bool ReadHeader(std::uint64_t& values) {
    if (position_ == end_) return false;
    if (document_.tape_size_ == capacity_) {
      capacity_ = std::max<std::size_t>(1024, capacity_ * 2);
      if (!document_.ReserveTape(capacity_)) return false;
    }
    const wire::Lead& lead = wire::LeadAt(position_);
    if (lead.header == 0 || left() < lead.header) return false;
    const std::uint32_t length = wire::LengthAt(position_, lead);
    const auto index = static_cast<std::uint32_t>(document_.tape_size_);
    Document::Node& node = document_.tape_[index];
    node = {static_cast<std::uint32_t>(position_ - begin_),
            index + 1,
            length,
            lead.kind,
            lead.header,
            0};
    ++document_.tape_size_;
    ++node_count_;
    if (lead.kind == Kind::kArray || lead.kind == Kind::kMap) {
      values = std::uint64_t{length} * (lead.kind == Kind::kMap ? 2 : 1);
      position_ += lead.header;
      return values <= left();
    }
    if (left() - lead.header < length) return false;
    if (lead.kind < Kind::kString) {
      if (wire::IsLargeUint(position_)) node.kind = Kind::kUint;
      node.length = 0;
    } else if (lead.kind == Kind::kExtension) {
      node.extension_type = static_cast<std::int8_t>(position_[lead.header - 1]);
    }
    position_ += lead.header + length;
    return true;
  }

  /// Pass over `remaining` values that stand at `depth`.
  bool Skip(std::uint64_t remaining, std::size_t depth) {
    skipped_.clear();
    const char* position = position_;
    std::uint64_t count = remaining;
    for (;;) {
      while (remaining == 0) {
        if (skipped_.empty()) {
          position_ = position;
          node_count_ += count;
          return position <= end_;
        }
        remaining = skipped_.back();
        skipped_.pop_back();
      }
      if (position >= end_) return false;
      --remaining;
      const std::uint8_t fixed = wire::kFixed[static_cast<unsigned char>(*position)].bytes;
      if (fixed != 0) [[likely]] {
        position += fixed;  // may go past end_ by a few bytes, which the next look notices
        continue;
      }
      const wire::Lead& lead = wire::LeadAt(position);
      const auto bytes_left = static_cast<std::size_t>(end_ - position);
      if (lead.header == 0 || bytes_left < lead.header) return false;
      const std::uint64_t length = wire::LengthAt(position, lead);
      position += lead.header;
      if (lead.kind != Kind::kArray && lead.kind != Kind::kMap) {
        if (bytes_left - lead.header < length) return false;
        position += length;
        continue;
      }
      const std::uint64_t values = lead.kind == Kind::kMap ? length * 2 : length;
      if (values > bytes_left - lead.header) return false;
      if (values == 0) continue;
      if (depth + skipped_.size() >= limits_.max_depth) return false;
      count += values;
      skipped_.push_back(remaining);
      remaining = values;
    }
  }

  Document& document_;
  const DocumentLimits& limits_;
  const char* begin_;
  const char* end_;
  const char* position_;
  std::size_t capacity_ = 0;
  std::uint64_t node_count_ = 0;
  std::vector<Open> stack_;
  std::vector<std::uint64_t> skipped_;
};

Result<Document> Document::ParseOutline(std::string bytes, const DocumentLimits& limits) {
  Document document;
  document.bytes_ = std::move(bytes);
  if (OutlineParser(document, limits).Run()) return document;
  return Parse(std::move(document.bytes_), limits);
}

}  // namespace lamina::bundle
