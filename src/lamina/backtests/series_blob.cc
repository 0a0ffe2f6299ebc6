#include "lamina/backtests/series_blob.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <optional>
#include <span>

#include <arrow/util/compression.h>

#include "lamina/backtests/series_blob_internal.h"
#include "lamina/base/bytes.h"
#include "lamina/table/arrow_status.h"

namespace lamina::backtests {

namespace {

// ---------------------------------------------------------------- thrift, compact protocol

void AppendVarint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

enum ThriftType : std::uint8_t {
  kTrue = 1,
  kFalse = 2,
  kI32 = 5,
  kI64 = 6,
  kBinary = 8,
  kList = 9,
  kStruct = 12
};

/// Fields of one struct, in order of their numbers.
class ThriftWriter {
 public:
  explicit ThriftWriter(std::string& out) : out_(out) {}

  void Field(int id, ThriftType type) {
    out_.push_back(static_cast<char>((id - last_) << 4 | type));
    last_ = id;
  }
  void Integer(int id, ThriftType type, std::int64_t value) {
    Field(id, type);
    Zigzag(value);
  }
  void Text(int id, ByteView text) {
    Field(id, kBinary);
    Bytes(text);
  }
  void List(int id, ThriftType type, std::size_t size) {
    Field(id, kList);
    out_.push_back(static_cast<char>(size << 4 | type));  // short form: below 15 elements
  }
  void Bytes(ByteView text) {
    AppendVarint(out_, text.size());
    out_ += text;
  }
  void Zigzag(std::int64_t value) {
    AppendVarint(
        out_, (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void End() { out_.push_back('\0'); }

 private:
  std::string& out_;
  int last_ = 0;
};

// ---------------------------------------------------------------- RLE / bit-packed hybrid

/// The encoder of parquet-cpp: runs of 8 or more equal values, else groups of 8, at most 63 a run.
class HybridEncoder {
 public:
  HybridEncoder(std::string& out, int bit_width) : out_(out), bit_width_(bit_width) {}

  void Put(std::uint32_t value) {
    if (value == current_) {
      if (++repeats_ > 8) return;
    } else {
      if (repeats_ >= 8) FlushRepeats();
      repeats_ = 1;
      current_ = value;
    }
    buffered_[buffered_count_++] = value;
    if (buffered_count_ == 8) FlushBuffered();
  }

  void Finish() {
    if (literals_ == 0 && repeats_ == 0 && buffered_count_ == 0) return;
    const bool all_repeat = literals_ == 0 && (repeats_ == buffered_count_ || buffered_count_ == 0);
    if (repeats_ > 0 && all_repeat) {
      FlushRepeats();
      return;
    }
    while (buffered_count_ % 8 != 0) buffered_[buffered_count_++] = 0;
    literals_ += buffered_count_;
    FlushLiterals(true);
  }

 private:
  void FlushRepeats() {
    AppendVarint(out_, std::uint64_t{repeats_} << 1);
    for (int bits = 0; bits < bit_width_; bits += 8) {
      out_.push_back(static_cast<char>(current_ >> bits));
    }
    buffered_count_ = 0;
    repeats_ = 0;
  }

  void FlushBuffered() {
    if (repeats_ >= 8) {
      // They belong to the run that has begun.
      buffered_count_ = 0;
      if (literals_ != 0) FlushLiterals(true);
      return;
    }
    literals_ += buffered_count_;
    FlushLiterals(literals_ / 8 + 1 >= 64);
    repeats_ = 0;
  }

  void FlushLiterals(bool close) {
    if (!indicator_) {
      indicator_ = out_.size();
      out_.push_back('\0');
    }
    std::uint64_t bits = 0;
    int filled = 0;
    for (std::uint32_t i = 0; i < buffered_count_; ++i) {
      bits |= std::uint64_t{buffered_[i]} << filled;
      filled += bit_width_;
      while (filled >= 8) {
        out_.push_back(static_cast<char>(bits));
        bits >>= 8;
        filled -= 8;
      }
    }
    buffered_count_ = 0;
    if (!close) return;
    out_[*indicator_] = static_cast<char>((literals_ / 8) << 1 | 1);
    indicator_.reset();
    literals_ = 0;
  }

  std::string& out_;
  int bit_width_;
  std::uint32_t current_ = 0, repeats_ = 0, literals_ = 0, buffered_count_ = 0;
  std::array<std::uint32_t, 8> buffered_{};
  std::optional<std::size_t> indicator_;
};

// ---------------------------------------------------------------- columns

constexpr int kPlain = 0, kRle = 3, kRleDictionary = 8, kZstd = 6;
constexpr int kDataPage = 0, kDictionaryPage = 2;

/// Distinct values in order of first appearance, and each value's number. Doubles by their bits,
/// all NaN being one.
struct Dictionary {
  std::vector<std::uint64_t> entries;
  std::vector<std::uint32_t> indices;
};

void BuildDictionary(std::span<const std::uint64_t> values, Dictionary& out) {
  const std::size_t slots = std::bit_ceil(values.size() * 2 + 1);
  const int shift = 64 - std::countr_zero(slots);
  std::vector<std::uint32_t> table(slots);  // number + 1
  out.entries.reserve(values.size());
  out.indices.reserve(values.size());
  for (const std::uint64_t value : values) {
    std::size_t slot = (value * 0x9e3779b97f4a7c15) >> shift;
    while (table[slot] != 0 && out.entries[table[slot] - 1] != value)
      slot = (slot + 1) & (slots - 1);
    if (table[slot] == 0) {
      out.entries.push_back(value);
      table[slot] = static_cast<std::uint32_t>(out.entries.size());
    }
    out.indices.push_back(table[slot] - 1);
  }
}

struct Bounds {
  std::uint64_t low = 0, high = 0;
};

Bounds BoundsOf(const std::vector<std::int64_t>& times, const std::vector<std::uint8_t>& valid) {
  std::int64_t low = INT64_MAX, high = INT64_MIN;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (!valid.empty() && valid[i] == 0) continue;
    low = std::min(low, times[i]);
    high = std::max(high, times[i]);
  }
  return {static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(high)};
}

/// Without NaN; a minimum of 0 is spelt -0 and a maximum +0. Absent when all are NaN.
std::optional<Bounds> BoundsOf(const std::vector<double>& values,
                               const std::vector<std::uint8_t>& valid) {
  bool any = false;
  double low = 0, high = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if ((!valid.empty() && valid[i] == 0) || std::isnan(values[i])) continue;
    low = any ? std::min(low, values[i]) : values[i];
    high = any ? std::max(high, values[i]) : values[i];
    any = true;
  }
  if (!any) return std::nullopt;
  if (low == 0) low = -0.0;
  if (high == 0) high = 0.0;
  return Bounds{std::bit_cast<std::uint64_t>(low), std::bit_cast<std::uint64_t>(high)};
}

std::string StatisticsOf(const std::optional<Bounds>& bounds, std::int64_t nulls) {
  std::string out, low, high;
  ThriftWriter writer(out);
  if (bounds) {
    AppendLittleEndian(low, bounds->low);
    AppendLittleEndian(high, bounds->high);
    writer.Text(1, high);
    writer.Text(2, low);
  }
  writer.Integer(3, kI64, nulls);
  if (bounds) {
    writer.Text(5, high);
    writer.Text(6, low);
    writer.Field(7, kTrue);
    writer.Field(8, kTrue);
  }
  writer.End();
  return out;
}

Status AppendCompressed(arrow::util::Codec& codec, ByteView page, std::string& out) {
  const auto* input = reinterpret_cast<const std::uint8_t*>(page.data());
  const auto size = static_cast<std::int64_t>(page.size());
  const std::size_t begin = out.size();
  out.resize(begin + static_cast<std::size_t>(codec.MaxCompressedLen(size, input)));
  LAMINA_ARROW_ASSIGN(const std::int64_t length,
                      codec.Compress(size, input, static_cast<std::int64_t>(out.size() - begin),
                                     reinterpret_cast<std::uint8_t*>(out.data() + begin)),
                      "compressing a series");
  out.resize(begin + static_cast<std::size_t>(length));
  return Ok();
}

Result<BlobColumn> MakeColumn(arrow::util::Codec& codec, std::span<const std::uint64_t> present,
                              const std::vector<std::uint8_t>& valid, std::size_t rows,
                              const std::optional<Bounds>& bounds) {
  BlobColumn column;
  column.rows = static_cast<std::int64_t>(rows);
  column.nulls = static_cast<std::int64_t>(rows - present.size());
  column.statistics = StatisticsOf(bounds, column.nulls);
  Dictionary dictionary;
  BuildDictionary(present, dictionary);

  const ByteView entries(reinterpret_cast<const char*>(dictionary.entries.data()),
                         dictionary.entries.size() * 8);
  std::string compressed;
  LAMINA_TRY(AppendCompressed(codec, entries, compressed));
  ThriftWriter header(column.pages);
  header.Integer(1, kI32, kDictionaryPage);
  header.Integer(2, kI32, static_cast<std::int64_t>(entries.size()));
  header.Integer(3, kI32, static_cast<std::int64_t>(compressed.size()));
  header.Field(7, kStruct);
  ThriftWriter dictionary_header(column.pages);
  dictionary_header.Integer(1, kI32, static_cast<std::int64_t>(dictionary.entries.size()));
  dictionary_header.Integer(2, kI32, kPlain);
  dictionary_header.Field(3, kFalse);
  dictionary_header.End();
  header.End();
  column.uncompressed_bytes = static_cast<std::int64_t>(column.pages.size() + entries.size());
  column.pages += compressed;
  column.data_page_offset = static_cast<std::int64_t>(column.pages.size());

  std::string page(4, '\0');
  HybridEncoder levels(page, 1);
  for (std::size_t i = 0; i < rows; ++i) levels.Put(valid.empty() || valid[i] != 0 ? 1 : 0);
  levels.Finish();
  const auto level_bytes = static_cast<std::uint32_t>(page.size() - 4);
  for (int i = 0; i < 4; ++i)
    page[static_cast<std::size_t>(i)] = static_cast<char>(level_bytes >> (8 * i));
  const std::size_t count = dictionary.entries.size();
  const int bit_width = count <= 1 ? static_cast<int>(count) : std::bit_width(count - 1);
  page.push_back(static_cast<char>(bit_width));
  HybridEncoder indices(page, bit_width);
  for (const std::uint32_t index : dictionary.indices) indices.Put(index);
  indices.Finish();

  compressed.clear();
  LAMINA_TRY(AppendCompressed(codec, page, compressed));
  const std::size_t begin = column.pages.size();
  ThriftWriter data(column.pages);
  data.Integer(1, kI32, kDataPage);
  data.Integer(2, kI32, static_cast<std::int64_t>(page.size()));
  data.Integer(3, kI32, static_cast<std::int64_t>(compressed.size()));
  data.Field(5, kStruct);
  ThriftWriter data_header(column.pages);
  data_header.Integer(1, kI32, column.rows);
  data_header.Integer(2, kI32, kRleDictionary);
  data_header.Integer(3, kI32, kRle);
  data_header.Integer(4, kI32, kRle);
  data_header.Field(5, kStruct);
  column.pages += column.statistics;
  data_header.End();
  data.End();
  column.uncompressed_bytes += static_cast<std::int64_t>(column.pages.size() - begin + page.size());
  column.pages += compressed;
  return column;
}

// ---------------------------------------------------------------- footer

void AppendSchema(ThriftWriter& footer, std::string& out) {
  footer.List(2, kStruct, 3);
  ThriftWriter root(out);
  root.Integer(3, kI32, 0);
  root.Text(4, "schema");
  root.Integer(5, kI32, 2);
  root.End();
  const std::pair<int, ByteView> columns[] = {{2, "ts"}, {5, "value"}};  // INT64, DOUBLE
  for (const auto& [type, name] : columns) {
    ThriftWriter element(out);
    element.Integer(1, kI32, type);
    element.Integer(3, kI32, 1);  // optional
    element.Text(4, name);
    element.End();
  }
}

void AppendColumnChunk(std::string& out, const BlobColumn& column, int type, ByteView name,
                       std::int64_t offset) {
  ThriftWriter chunk(out);
  chunk.Integer(2, kI64, 0);
  chunk.Field(3, kStruct);
  ThriftWriter meta(out);
  meta.Integer(1, kI32, type);
  meta.List(2, kI32, 3);
  for (const int encoding : {kPlain, kRle, kRleDictionary}) meta.Zigzag(encoding);
  meta.List(3, kBinary, 1);
  meta.Bytes(name);
  meta.Integer(4, kI32, kZstd);
  meta.Integer(5, kI64, column.rows);
  meta.Integer(6, kI64, column.uncompressed_bytes);
  meta.Integer(7, kI64, static_cast<std::int64_t>(column.pages.size()));
  meta.Integer(9, kI64, offset + column.data_page_offset);
  meta.Integer(11, kI64, offset);
  meta.Field(12, kStruct);
  out += column.statistics;
  meta.List(13, kStruct, 2);
  const std::pair<int, int> pages[] = {{kDictionaryPage, kPlain}, {kDataPage, kRleDictionary}};
  for (const auto& [page_type, encoding] : pages) {
    ThriftWriter page(out);
    page.Integer(1, kI32, page_type);
    page.Integer(2, kI32, encoding);
    page.Integer(3, kI32, 1);
    page.End();
  }
  meta.Field(16, kStruct);
  ThriftWriter sizes(out);
  sizes.List(2, kI64, 0);
  sizes.List(3, kI64, 2);
  sizes.Zigzag(column.nulls);
  sizes.Zigzag(column.rows - column.nulls);
  sizes.End();
  meta.End();
  chunk.End();
}

/// The pairs in their list: the long form of the list header from 15 pairs on.
void AppendKeyValues(ThriftWriter& footer, std::string& out, const BlobWriter& writer) {
  const std::size_t count = writer.key_values.size();
  if (count == 0) return;
  if (count < 15) {
    footer.List(5, kStruct, count);
  } else {
    footer.List(5, kStruct, 15);
    AppendVarint(out, count);
  }
  for (const auto& [key, value] : writer.key_values) {
    ThriftWriter pair(out);
    pair.Text(1, key);
    pair.Text(2, value);
    pair.End();
  }
}

std::string MakeFile(const BlobColumn& times, const BlobColumn& values, const BlobWriter& writer) {
  std::string out = "PAR1";
  out.reserve(times.pages.size() + values.pages.size() + 2048);
  const auto time_offset = static_cast<std::int64_t>(out.size());
  out += times.pages;
  const auto value_offset = static_cast<std::int64_t>(out.size());
  out += values.pages;
  const std::size_t begin = out.size();
  ThriftWriter footer(out);
  footer.Integer(1, kI32, 2);
  AppendSchema(footer, out);
  footer.Integer(3, kI64, times.rows);
  footer.List(4, kStruct, 1);
  ThriftWriter group(out);
  group.List(1, kStruct, 2);
  AppendColumnChunk(out, times, 2, "ts", time_offset);
  AppendColumnChunk(out, values, 5, "value", value_offset);
  group.Integer(2, kI64, times.uncompressed_bytes + values.uncompressed_bytes);
  group.Integer(3, kI64, times.rows);
  group.Integer(5, kI64, time_offset);
  group.Integer(6, kI64, static_cast<std::int64_t>(times.pages.size() + values.pages.size()));
  group.End();
  AppendKeyValues(footer, out, writer);
  footer.Text(6, writer.created_by);
  footer.List(7, kStruct, 2);
  for (int i = 0; i < 2; ++i) {
    ThriftWriter order(out);
    order.Field(1, kStruct);
    order.End();
    order.End();
  }
  footer.End();
  AppendLittleEndian(out, static_cast<std::uint32_t>(out.size() - begin));
  out += "PAR1";
  return out;
}

bool AnySet(const std::vector<std::uint8_t>& valid, std::size_t rows) {
  if (valid.empty()) return rows > 0;
  return std::find_if(valid.begin(), valid.end(), [](std::uint8_t v) { return v != 0; }) !=
         valid.end();
}

}  // namespace

struct BlobEncoder::State {
  std::unique_ptr<arrow::util::Codec> codec;
  struct KnownTimes {
    std::vector<std::int64_t> times;
    std::vector<std::uint8_t> valid;
    BlobColumn column;
  };
  std::deque<KnownTimes> known;  ///< the last used in front

  Result<const BlobColumn*> Times(const BlobPoints& points) {
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (known[i].times == points.times && known[i].valid == points.time_valid) {
        if (i > 0) std::swap(known[i], known[0]);
        return &known[0].column;
      }
    }
    std::vector<std::uint64_t> present;
    present.reserve(points.times.size());
    for (std::size_t i = 0; i < points.times.size(); ++i) {
      if (points.time_valid.empty() || points.time_valid[i] != 0) {
        present.push_back(static_cast<std::uint64_t>(points.times[i]));
      }
    }
    LAMINA_ASSIGN(BlobColumn column,
                  MakeColumn(*codec, present, points.time_valid, points.times.size(),
                             BoundsOf(points.times, points.time_valid)));
    constexpr std::size_t kKept = 4;
    if (known.size() == kKept) known.pop_back();
    known.push_front({points.times, points.time_valid, std::move(column)});
    return &known[0].column;
  }

  Result<BlobColumn> Values(const BlobPoints& points) {
    std::vector<std::uint64_t> present;
    present.reserve(points.values.size());
    std::optional<std::uint64_t> nan;
    for (std::size_t i = 0; i < points.values.size(); ++i) {
      if (!points.value_valid.empty() && points.value_valid[i] == 0) continue;
      auto bits = std::bit_cast<std::uint64_t>(points.values[i]);
      if (std::isnan(points.values[i])) {
        if (!nan) nan = bits;
        bits = *nan;
      }
      present.push_back(bits);
    }
    return MakeColumn(*codec, present, points.value_valid, points.values.size(),
                      BoundsOf(points.values, points.value_valid));
  }
};

BlobEncoder::BlobEncoder() : state_(std::make_unique<State>()) {}
BlobEncoder::~BlobEncoder() = default;
BlobEncoder::BlobEncoder(BlobEncoder&&) noexcept = default;
BlobEncoder& BlobEncoder::operator=(BlobEncoder&&) noexcept = default;

std::uint32_t BlobLayoutFor(const BlobPoints& points) {
  const std::size_t rows = points.times.size();
  const bool own =
      rows <= kMaxBlobRows && AnySet(points.time_valid, rows) && AnySet(points.value_valid, rows);
  return own ? kOwnBlobLayout : kLibraryBlobLayout;
}

Result<std::string> BlobEncoder::Encode(const BlobPoints& points, const BlobWriter& writer) {
  if (writer.layout == kLibraryBlobLayout) return EncodeWithLibrary(points, writer);
  if (writer.layout != kOwnBlobLayout) {
    return Unsupported("series blob layout " + std::to_string(writer.layout));
  }
  if (BlobLayoutFor(points) != kOwnBlobLayout) {
    return InvalidArgument("series blob: too many points, or none");
  }
  if (state_->codec == nullptr) {
    LAMINA_ARROW_ASSIGN(state_->codec, arrow::util::Codec::Create(arrow::Compression::ZSTD, 5),
                        "opening zstd");
  }
  LAMINA_ASSIGN(const BlobColumn* times, state_->Times(points));
  LAMINA_ASSIGN(const BlobColumn values, state_->Values(points));
  return MakeFile(*times, values, writer);
}

}  // namespace lamina::backtests
