#include "lamina/backtests/skeleton.h"

#include <limits>
#include <optional>
#include <set>

#include "lamina/backtests/shape_list.h"

namespace lamina::backtests {

namespace {

using bundle::Document;
using bundle::Kind;
using bundle::Value;
using bundle::Writer;

constexpr std::string_view kMagic = "lamina.skeleton";
constexpr std::int64_t kChunkPart = 4;
constexpr std::size_t kInlineShapesBytes = 256;  ///< key lists from here on are a chunk
constexpr std::uint32_t kMaxCount = std::numeric_limits<std::int32_t>::max();

// ---------------------------------------------------------------- writing

void WriteForms(Writer& writer, const FormRuns& forms) {
  if (forms.runs().size() == 1) {
    writer.Int(forms.runs()[0].form);
    return;
  }
  writer.ArrayHeader(static_cast<std::uint32_t>(forms.runs().size() * 2));
  for (const FormRuns::Run& run : forms.runs()) {
    writer.Int(run.form);
    writer.Int(run.count);
  }
}

void WriteShape(Writer& writer, const RecordsShape& shape, ShapeList& shapes) {
  writer.ArrayHeader(5);
  writer.Int(shape.count);
  writer.Bool(shape.arrays);
  writer.Int(shapes.AddFields(shape.fields));
  writer.ArrayHeader(static_cast<std::uint32_t>(shape.fields.size() * 2));
  for (const FieldPart& field : shape.fields) {
    WriteForms(writer, field.forms);
    writer.ArrayHeader(static_cast<std::uint32_t>(field.raws.size()));
    for (const std::string& raw : field.raws) writer.Binary(raw);
  }
  writer.ArrayHeader(static_cast<std::uint32_t>(shape.whole.size() * 2));
  for (const auto& [position, raw] : shape.whole) {
    writer.Int(position);
    writer.Binary(raw);
  }
}

struct PartEncoder {
  Writer& writer;
  ShapeList& shapes;

  void operator()(const RecordsPart& part) const {
    writer.ArrayHeader(4);
    writer.Int(0);
    writer.Int(part.slot);
    writer.Int(static_cast<std::int64_t>(part.table));
    WriteShape(writer, part.shape, shapes);
  }
  void operator()(const InlineSeriesPart& part) const {
    writer.ArrayHeader(5);
    writer.Int(1);
    writer.Int(part.slot);
    writer.Int(part.series);
    writer.Int(part.recipe);
    WriteShape(writer, part.shape, shapes);
  }
  void operator()(const BlobSeriesPart& part) const {
    writer.ArrayHeader(5);
    writer.Int(2);
    writer.Int(part.slot);
    writer.Int(part.series);
    writer.Int(part.recipe);
    writer.Int(part.writer);
  }
  void operator()(const TradeCopyPart& part) const {
    writer.ArrayHeader(3);
    writer.Int(3);
    writer.Int(part.slot);
    writer.Int(part.trade);
  }
  void operator()(const ChunkPart& part) const {
    writer.ArrayHeader(5);
    writer.Int(kChunkPart);
    writer.Int(static_cast<std::int64_t>(part.id.kind));
    writer.Binary(part.id.sha256.View());
    writer.Bool(part.binary);
    writer.Int(part.length);
  }
};

// ---------------------------------------------------------------- reading

Error Damaged(std::string_view what) {
  return Corruption("backtest skeleton: " + std::string(what));
}

/// Takes the elements of one array one after another.
class Elements {
 public:
  static Result<Elements> Of(const Value& value, std::string_view what) {
    if (!value.is_array()) return Damaged(std::string(what) + " is not an array");
    return Elements(value, what);
  }
  bool done() const { return next_ == last_; }
  std::uint32_t size() const { return size_; }
  Result<Value> Next() {
    if (done()) return Damaged(std::string(what_) + " is too short");
    const Value value = *next_;
    ++next_;
    return value;
  }
  Result<std::uint32_t> Number(std::uint32_t limit = kMaxCount) {
    LAMINA_ASSIGN(const Value value, Next());
    if (value.kind() != Kind::kInt || value.AsInt() < 0 || value.AsInt() > limit) {
      return Damaged("a number in " + std::string(what_) + " is out of range");
    }
    return static_cast<std::uint32_t>(value.AsInt());
  }
  Result<bool> Flag() {
    LAMINA_ASSIGN(const Value value, Next());
    if (value.kind() != Kind::kBool) return Damaged("a flag in " + std::string(what_) + " is none");
    return value.AsBool();
  }
  Result<ByteView> Bytes() {
    LAMINA_ASSIGN(const Value value, Next());
    if (value.kind() != Kind::kBinary) {
      return Damaged("bytes in " + std::string(what_) + " are none");
    }
    return value.AsBinary();
  }
  Result<Elements> List() {
    LAMINA_ASSIGN(const Value value, Next());
    return Of(value, what_);
  }
  Status End() const {
    if (!done()) return Damaged(std::string(what_) + " is too long");
    return Ok();
  }

 private:
  Elements(const Value& value, std::string_view what)
      : next_(value.items().begin()),
        last_(value.items().end()),
        size_(value.size()),
        what_(what) {}

  Value::Iterator next_, last_;
  std::uint32_t size_;
  std::string_view what_;
};

Result<FormRuns> ReadForms(const Value& value, std::uint32_t count, std::size_t raw_count) {
  FormRuns forms;
  const std::uint64_t limit = cell_form::kFirstRaw + raw_count;
  if (value.kind() == Kind::kInt) {
    if (value.AsInt() < 0 || static_cast<std::uint64_t>(value.AsInt()) >= limit) {
      return Damaged("a form is out of range");
    }
    forms.Append(static_cast<std::uint32_t>(value.AsInt()), count);
    return forms;
  }
  LAMINA_ASSIGN(Elements list, Elements::Of(value, "forms"));
  while (!list.done()) {
    LAMINA_ASSIGN(const std::uint32_t form, list.Number());
    LAMINA_ASSIGN(const std::uint32_t run, list.Number(count));
    if (form >= limit || run == 0 || forms.size() + run > count) {
      return Damaged("forms do not fit the record count");
    }
    forms.Append(form, run);
  }
  if (forms.size() != count) return Damaged("forms do not fit the record count");
  return forms;
}

Status ReadField(Elements& in, std::uint32_t count, FieldPart& field) {
  LAMINA_ASSIGN(const Value forms, in.Next());
  LAMINA_ASSIGN(Elements raws, in.List());
  field.raws.reserve(raws.size());
  while (!raws.done()) {
    LAMINA_ASSIGN(const ByteView raw, raws.Bytes());
    field.raws.emplace_back(raw);
  }
  LAMINA_ASSIGN(field.forms, ReadForms(forms, count, field.raws.size()));
  return Ok();
}

Result<RecordsShape> ReadShape(Elements in, const ShapeList& shapes) {
  RecordsShape shape;
  LAMINA_ASSIGN(shape.count, in.Number());
  LAMINA_ASSIGN(shape.arrays, in.Flag());
  LAMINA_ASSIGN(const std::uint32_t keys, in.Number());
  LAMINA_ASSIGN(shape.fields, shapes.Fields(keys));
  LAMINA_ASSIGN(Elements fields, in.List());
  for (FieldPart& field : shape.fields) LAMINA_TRY(ReadField(fields, shape.count, field));
  LAMINA_TRY(fields.End());
  LAMINA_ASSIGN(Elements whole, in.List());
  std::int64_t last = -1;
  while (!whole.done()) {
    LAMINA_ASSIGN(const std::uint32_t position, whole.Number());
    LAMINA_ASSIGN(const ByteView raw, whole.Bytes());
    if (position <= last || position >= shape.count) return Damaged("record positions are wrong");
    last = position;
    shape.whole.emplace_back(position, std::string(raw));
  }
  LAMINA_TRY(in.End());
  return shape;
}

Result<ChunkPart> ReadChunkPart(Elements& in) {
  ChunkPart part;
  LAMINA_ASSIGN(const std::uint32_t chunk_kind, in.Number(255));
  LAMINA_ASSIGN(const ByteView digest, in.Bytes());
  LAMINA_ASSIGN(part.id.sha256, Sha256Digest::FromBytes(digest));
  part.id.kind = static_cast<catalog::ChunkKind>(chunk_kind);
  LAMINA_ASSIGN(part.binary, in.Flag());
  LAMINA_ASSIGN(part.length, in.Number());
  LAMINA_TRY(in.End());
  return part;
}

Result<Part> ReadPart(Elements in, std::size_t writer_count, const ShapeList& shapes) {
  LAMINA_ASSIGN(const std::uint32_t kind, in.Number());
  if (kind == kChunkPart) {
    LAMINA_ASSIGN(ChunkPart part, ReadChunkPart(in));
    return Part(std::move(part));
  }
  LAMINA_ASSIGN(const std::uint32_t slot, in.Number());
  if (kind == 3) {
    TradeCopyPart part{slot, 0};
    LAMINA_ASSIGN(part.trade, in.Number());
    LAMINA_TRY(in.End());
    return Part(part);
  }
  if (kind == 0) {
    RecordsPart part;
    part.slot = slot;
    LAMINA_ASSIGN(const std::uint32_t table, in.Number(kRecordTableCount - 1));
    part.table = static_cast<RecordTable>(table);
    LAMINA_ASSIGN(Elements shape, in.List());
    LAMINA_ASSIGN(part.shape, ReadShape(shape, shapes));
    LAMINA_TRY(in.End());
    return Part(std::move(part));
  }
  LAMINA_ASSIGN(const std::uint32_t series, in.Number(7));
  LAMINA_ASSIGN(const std::uint32_t recipe, in.Number());
  if (kind == 1) {
    InlineSeriesPart part{slot, series, recipe, {}};
    LAMINA_ASSIGN(Elements shape, in.List());
    LAMINA_ASSIGN(part.shape, ReadShape(shape, shapes));
    LAMINA_TRY(in.End());
    return Part(std::move(part));
  }
  if (kind != 2) return Damaged("unknown part kind " + std::to_string(kind));
  BlobSeriesPart part{slot, series, recipe, 0};
  LAMINA_ASSIGN(part.writer, in.Number());
  if (part.writer >= writer_count) return Damaged("a blob names no writer");
  LAMINA_TRY(in.End());
  return Part(part);
}

Result<BlobWriter> ReadWriter(Elements in) {
  BlobWriter writer;
  LAMINA_ASSIGN(writer.layout, in.Number());
  LAMINA_ASSIGN(const ByteView created_by, in.Bytes());
  writer.created_by = std::string(created_by);
  LAMINA_ASSIGN(Elements pairs, in.List());
  while (!pairs.done()) {
    LAMINA_ASSIGN(const ByteView key, pairs.Bytes());
    LAMINA_ASSIGN(const ByteView value, pairs.Bytes());
    writer.key_values.emplace_back(key, value);
  }
  LAMINA_TRY(in.End());
  return writer;
}

Status CollectParts(const Value& value, std::vector<PartPlace>& places) {
  if (value.kind() == Kind::kExtension) {
    const auto part = NumberOfExtension(value);
    if (value.extension_type() != kPartExtension || !part) {
      return Damaged("an extension of the body is not a part");
    }
    places.push_back({value.offset(), value.raw().size(), *part});
  } else if (value.is_array()) {
    for (const Value item : value.items()) LAMINA_TRY(CollectParts(item, places));
  } else if (value.is_map()) {
    for (const auto entry : value.entries()) {
      LAMINA_TRY(CollectParts(entry.key, places));
      LAMINA_TRY(CollectParts(entry.value, places));
    }
  }
  return Ok();
}

}  // namespace

Result<EncodedSkeleton> EncodeSkeleton(const Skeleton& skeleton) {
  ShapeList shapes;
  std::string rest;
  Writer writer(rest);
  writer.ArrayHeader(static_cast<std::uint32_t>(skeleton.writers.size()));
  for (const BlobWriter& blob_writer : skeleton.writers) {
    writer.ArrayHeader(3);
    writer.Int(blob_writer.layout);
    writer.Binary(blob_writer.created_by);
    writer.ArrayHeader(static_cast<std::uint32_t>(blob_writer.key_values.size() * 2));
    for (const auto& [key, value] : blob_writer.key_values) {
      writer.Binary(key);
      writer.Binary(value);
    }
  }
  writer.ArrayHeader(static_cast<std::uint32_t>(skeleton.parts.size()));
  for (const Part& part : skeleton.parts) std::visit(PartEncoder{writer, shapes}, part);
  LAMINA_ASSIGN(const Document body, Document::Parse(skeleton.body, kSkeletonLimits));
  PackMaps(body.root(), shapes, rest);

  EncodedSkeleton encoded;
  encoded.shapes = shapes.Encode();
  Writer top(encoded.bytes);
  top.ArrayHeader(6);
  top.String(kMagic);
  top.Int(kSkeletonVersion);
  if (encoded.shapes.size() < kInlineShapesBytes) {
    top.Binary(encoded.shapes);
    encoded.shapes.clear();
  } else {
    top.ArrayHeader(2);
    top.Binary(Sha256(encoded.shapes).View());
    top.Int(static_cast<std::int64_t>(encoded.shapes.size()));
  }
  top.Raw(rest);
  return encoded;
}

bool IsSkeleton(ByteView bytes) {
  return bytes.size() > kMagic.size() + 2 && static_cast<std::uint8_t>(bytes[0]) == 0x96 &&
         bytes.substr(2, kMagic.size()) == kMagic;
}

namespace {

/// The first elements, up to the key lists: inline bytes, or their chunk.
struct Opening {
  std::optional<catalog::ChunkId> shapes_chunk;
  std::uint32_t shapes_length = 0;
  ByteView shapes;
};
Result<Opening> ReadOpening(Elements& top) {
  LAMINA_ASSIGN(const Value magic, top.Next());
  if (!magic.is_string() || magic.AsString() != kMagic) return Damaged("no magic word");
  LAMINA_ASSIGN(const std::uint32_t version, top.Number());
  if (version != kSkeletonVersion) {
    return Unsupported("backtest skeleton of version " + std::to_string(version) +
                       "; this program reads version " + std::to_string(kSkeletonVersion));
  }
  Opening opening;
  LAMINA_ASSIGN(const Value shapes, top.Next());
  if (shapes.kind() == Kind::kBinary) {
    opening.shapes = shapes.AsBinary();
    return opening;
  }
  LAMINA_ASSIGN(Elements reference, Elements::Of(shapes, "reference to key lists"));
  LAMINA_ASSIGN(const ByteView digest, reference.Bytes());
  LAMINA_ASSIGN(const Sha256Digest sha256, Sha256Digest::FromBytes(digest));
  opening.shapes_chunk = catalog::ChunkId{catalog::ChunkKind::kSchema, sha256};
  LAMINA_ASSIGN(opening.shapes_length, reference.Number());
  LAMINA_TRY(reference.End());
  return opening;
}

}  // namespace

Result<Skeleton> DecodeSkeleton(ByteView bytes, const ChunkReader& chunks) {
  LAMINA_ASSIGN(const Document document, Document::Parse(std::string(bytes), kSkeletonLimits));
  LAMINA_ASSIGN(Elements top, Elements::Of(document.root(), "top"));
  LAMINA_ASSIGN(const Opening opening, ReadOpening(top));
  std::string read;
  ByteView shape_bytes = opening.shapes;
  if (opening.shapes_chunk) {
    if (!chunks) return Damaged("no source for its key lists");
    LAMINA_ASSIGN(read, chunks(*opening.shapes_chunk));
    if (read.size() != opening.shapes_length) return Damaged("its key lists have another length");
    shape_bytes = read;
  }
  LAMINA_ASSIGN(const ShapeList shapes, ShapeList::Decode(shape_bytes));
  Skeleton skeleton;
  LAMINA_ASSIGN(Elements writers, top.List());
  while (!writers.done()) {
    LAMINA_ASSIGN(Elements element, writers.List());
    LAMINA_ASSIGN(BlobWriter writer, ReadWriter(element));
    skeleton.writers.push_back(std::move(writer));
  }
  LAMINA_ASSIGN(Elements parts, top.List());
  skeleton.parts.reserve(parts.size());
  while (!parts.done()) {
    LAMINA_ASSIGN(Elements element, parts.List());
    LAMINA_ASSIGN(Part part, ReadPart(element, skeleton.writers.size(), shapes));
    skeleton.parts.push_back(std::move(part));
  }
  LAMINA_ASSIGN(const Value body, top.Next());
  LAMINA_TRY(UnpackMaps(body, shapes, skeleton.body));
  LAMINA_TRY(top.End());
  return skeleton;
}

Result<std::vector<catalog::ChunkId>> NamedChunks(ByteView bytes) {
  LAMINA_ASSIGN(const Document document, Document::Parse(std::string(bytes), kSkeletonLimits));
  LAMINA_ASSIGN(Elements top, Elements::Of(document.root(), "top"));
  LAMINA_ASSIGN(const Opening opening, ReadOpening(top));
  std::vector<catalog::ChunkId> ids;
  if (opening.shapes_chunk) ids.push_back(*opening.shapes_chunk);
  LAMINA_TRY(top.List());  // writers
  LAMINA_ASSIGN(Elements parts, top.List());
  std::set<catalog::ChunkId> seen(ids.begin(), ids.end());
  while (!parts.done()) {
    LAMINA_ASSIGN(Elements element, parts.List());
    LAMINA_ASSIGN(const std::uint32_t kind, element.Number());
    if (kind != kChunkPart) continue;
    LAMINA_ASSIGN(const ChunkPart part, ReadChunkPart(element));
    if (seen.insert(part.id).second) ids.push_back(part.id);
  }
  return ids;
}

Result<std::vector<PartPlace>> FindParts(const bundle::Document& body) {
  std::vector<PartPlace> places;
  LAMINA_TRY(CollectParts(body.root(), places));
  return places;
}

void AppendPartReference(std::string& out, std::uint32_t part) {
  AppendNumberExtension(out, kPartExtension, part);
}

void AppendNumberExtension(std::string& out, std::int8_t type, std::uint32_t number) {
  char payload[4];
  std::size_t length = 0;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const auto byte = static_cast<char>(number >> shift);
    if (length > 0 || byte != 0 || shift == 0) payload[length++] = byte;
  }
  Writer(out).Extension(type, ByteView(payload, length));
}

std::optional<std::uint32_t> NumberOfExtension(const Value& extension) {
  const ByteView payload = extension.AsBinary();
  if (payload.empty() || payload.size() > 4) return std::nullopt;
  std::uint32_t number = 0;
  for (const char byte : payload) number = number << 8 | static_cast<std::uint8_t>(byte);
  return number;
}

}  // namespace lamina::backtests
