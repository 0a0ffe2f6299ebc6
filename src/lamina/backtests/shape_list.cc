#include "lamina/backtests/shape_list.h"

#include <utility>

namespace lamina::backtests {

namespace {

using bundle::Document;
using bundle::Kind;
using bundle::Value;
using bundle::Writer;

constexpr std::uint32_t kPackedKeysMin = 8;
constexpr std::size_t kPlainKeyBytesMax = 31;  ///< one byte of header
constexpr std::int64_t kMapEntry = 0, kRecordsEntry = 1;
constexpr std::uint32_t kMaxShapes = 1U << 20;

Error Damaged(std::string_view what) {
  return Corruption("backtest skeleton: " + std::string(what));
}

/// Lower-case names, as the framework's own keys are; a caller's keys seldom are.
bool IsPlainKey(const Value& key) {
  if (!key.is_string() || key.size() == 0 || key.size() > 64) return false;
  const std::size_t header = key.size() <= kPlainKeyBytesMax ? 1 : 2;
  if (key.raw().size() - key.size() != header) return false;
  for (const char c : key.AsString()) {
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

bool IsPacked(const Value& map) {
  if (!map.is_map() || map.size() < kPackedKeysMin) return false;
  bool first = true;
  for (const auto entry : map.entries()) {
    if (first && entry.key.offset() - map.offset() != (map.size() < 16 ? 1 : 3)) return false;
    first = false;
    if (!IsPlainKey(entry.key)) return false;
  }
  return map.size() < 65536;
}

}  // namespace

std::uint32_t ShapeList::Add(std::string encoded) {
  const auto [entry, is_new] =
      numbers_.emplace(encoded, static_cast<std::uint32_t>(encoded_.size()));
  if (is_new) encoded_.push_back(std::move(encoded));
  return entry->second;
}

std::uint32_t ShapeList::AddMap(const Value& map) {
  std::string encoded;
  Writer writer(encoded);
  writer.ArrayHeader(map.size() + 1);
  writer.Int(kMapEntry);
  for (const auto entry : map.entries()) writer.Raw(entry.key.raw());
  return Add(std::move(encoded));
}

std::uint32_t ShapeList::AddFields(const std::vector<FieldPart>& fields) {
  std::string encoded;
  Writer writer(encoded);
  writer.ArrayHeader(static_cast<std::uint32_t>(fields.size() * 3 + 1));
  writer.Int(kRecordsEntry);
  for (const FieldPart& field : fields) {
    writer.Binary(field.key);
    writer.Int(static_cast<std::int64_t>(field.codec));
    writer.Int(field.column);
  }
  return Add(std::move(encoded));
}

std::string ShapeList::Encode() const {
  std::string out;
  Writer writer(out);
  writer.ArrayHeader(static_cast<std::uint32_t>(encoded_.size()));
  for (const std::string& entry : encoded_) writer.Raw(entry);
  return out;
}

Result<ShapeList> ShapeList::Decode(ByteView bytes) {
  LAMINA_ASSIGN(const Document document, Document::Parse(std::string(bytes)));
  if (!document.root().is_array() || document.root().size() > kMaxShapes) {
    return Damaged("its key lists are no array");
  }
  ShapeList list;
  for (const Value value : document.root().items()) {
    Entry entry;
    std::vector<Value> items(value.items().begin(), value.items().end());
    if (items.empty() || items[0].kind() != Kind::kInt) return Damaged("a key list is empty");
    entry.records = items[0].AsInt() == kRecordsEntry;
    if (!entry.records && items[0].AsInt() != kMapEntry) return Damaged("a key list of no kind");
    if (!entry.records) {
      for (std::size_t i = 1; i < items.size(); ++i) entry.keys.emplace_back(items[i].raw());
    } else if (items.size() % 3 != 1) {
      return Damaged("a key list of records is cut off");
    }
    for (std::size_t i = 1; entry.records && i + 2 < items.size(); i += 3) {
      const Value &codec = items[i + 1], &column = items[i + 2];
      if (items[i].kind() != Kind::kBinary || codec.kind() != Kind::kInt ||
          column.kind() != Kind::kInt || codec.AsInt() < 0 ||
          codec.AsInt() > static_cast<std::int64_t>(CellCodec::kOrderReferences) ||
          column.AsInt() < 0 || column.AsInt() > 1000) {
        return Damaged("a key list of records is wrong");
      }
      FieldPart field;
      field.key = std::string(items[i].AsBinary());
      field.codec = static_cast<CellCodec>(codec.AsInt());
      field.column = static_cast<std::uint32_t>(column.AsInt());
      entry.fields.push_back(std::move(field));
    }
    list.entries_.push_back(std::move(entry));
  }
  return list;
}

Result<const std::vector<std::string>*> ShapeList::Keys(std::uint32_t number) const {
  if (number >= entries_.size() || entries_[number].records) {
    return Damaged("a map names no key list");
  }
  return &entries_[number].keys;
}

Result<std::vector<FieldPart>> ShapeList::Fields(std::uint32_t number) const {
  if (number >= entries_.size() || !entries_[number].records) {
    return Damaged("records name no key list");
  }
  return entries_[number].fields;
}

void PackMaps(const Value& value, ShapeList& shapes, std::string& out) {
  if (IsPacked(value)) {
    Writer(out).ArrayHeader(value.size() + 1);
    AppendNumberExtension(out, kShapeExtension, shapes.AddMap(value));
    for (const auto entry : value.entries()) PackMaps(entry.value, shapes, out);
    return;
  }
  std::size_t position = value.offset();
  const auto descend = [&](const Value& child) {
    // The container's header, and keys, stand between the children.
    out += value.raw().substr(position - value.offset(), child.offset() - position);
    PackMaps(child, shapes, out);
    position = child.offset() + child.raw().size();
  };
  for (const Value item : value.items()) descend(item);
  for (const auto entry : value.entries()) descend(entry.value);
  out += value.raw().substr(position - value.offset());
}

Status UnpackMaps(const Value& value, const ShapeList& shapes, std::string& out) {
  if (value.is_array() && value.size() > 0) {
    auto item = value.items().begin();
    const Value first = *item;
    if (first.kind() == Kind::kExtension && first.extension_type() == kShapeExtension) {
      const auto number = NumberOfExtension(first);
      if (!number) return Damaged("an extension's number is too long");
      LAMINA_ASSIGN(const std::vector<std::string>* keys, shapes.Keys(*number));
      if (keys->size() + 1 != value.size()) return Damaged("a map has more values than keys");
      Writer(out).MapHeader(static_cast<std::uint32_t>(keys->size()));
      for (const std::string& key : *keys) {
        ++item;
        out += key;
        LAMINA_TRY(UnpackMaps(*item, shapes, out));
      }
      return Ok();
    }
  }
  std::size_t position = value.offset();
  const auto descend = [&](const Value& child) -> Status {
    out += value.raw().substr(position - value.offset(), child.offset() - position);
    LAMINA_TRY(UnpackMaps(child, shapes, out));
    position = child.offset() + child.raw().size();
    return Ok();
  };
  for (const Value each : value.items()) LAMINA_TRY(descend(each));
  for (const auto entry : value.entries()) LAMINA_TRY(descend(entry.value));
  out += value.raw().substr(position - value.offset());
  return Ok();
}

}  // namespace lamina::backtests
