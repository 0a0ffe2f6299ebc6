#include "lamina/table/encoding_trial.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/util/compression.h>
#include <parquet/encoding.h>
#include <parquet/schema.h>

#include "lamina/base/bytes.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/zstd_page.h"

namespace lamina::table {
namespace {

using parquet::Encoding;

constexpr std::int64_t kSampleBlocks = 4;
constexpr std::int64_t kSampleBytes = 4 << 20;
constexpr std::int64_t kSampleRowsMin = 64;
constexpr std::int64_t kSampleBytesMax = 256 << 20;  ///< a few giant values: not worth a trial
/// Header of a dictionary page and its share of the footer.
constexpr double kDictionaryPageOverhead = 75;
/// A constant column of so many values is a dictionary; of fewer, the overhead counts.
constexpr std::size_t kManyValues = 1024;
/// Bytes that must be unpacked cost time on every read: each 512 of them weigh like a stored one,
/// so that a few bytes saved on a constant column do not make readers unpack megabytes.
constexpr double kUnpackingWeight = 1.0 / 512;
/// A choice must be this much smaller than one that more readers know or that decodes faster.
constexpr double kWorthAnotherEncoding = 0.97;

/// The sampled values without NULLs, laid out as Parquet's encoders take them.
template <class DType>
struct Sample {
  using Value = typename DType::c_type;
  std::vector<Value> values;
  std::size_t half = 0;  ///< values of the first half of the blocks
};

std::vector<std::shared_ptr<arrow::ChunkedArray>> SampleBlocks(const arrow::ChunkedArray& column,
                                                               std::int64_t sample_rows) {
  const std::int64_t rows = column.length();
  const std::int64_t block = std::max<std::int64_t>(1, sample_rows / kSampleBlocks);
  if (rows <= sample_rows) {
    const std::int64_t half = rows / 2;
    return {column.Slice(0, half), column.Slice(half)};
  }
  std::vector<std::shared_ptr<arrow::ChunkedArray>> blocks;
  for (std::int64_t i = 0; i < kSampleBlocks; ++i) {
    blocks.push_back(column.Slice(i * (rows - block) / (kSampleBlocks - 1), block));
  }
  return blocks;
}

/// Long texts and lists: fewer rows tell as much. By the average size of a row.
std::int64_t SampleRows(const arrow::ChunkedArray& column, std::int64_t sample_rows) {
  std::int64_t units = 0;  // bytes or elements
  for (const auto& chunk : column.chunks()) {
    if (chunk->length() == 0) continue;
    if (chunk->type_id() == arrow::Type::LIST) {
      const auto& list = static_cast<const arrow::ListArray&>(*chunk);
      units += 4 * (list.value_offset(list.length()) - list.value_offset(0));
    } else if (arrow::is_base_binary_like(chunk->type_id())) {
      const auto* offsets = chunk->data()->GetValues<std::int32_t>(1);
      units += offsets[chunk->length()] - offsets[0];
    }
  }
  const std::int64_t per_row = units / std::max<std::int64_t>(1, column.length());
  if (per_row == 0) return sample_rows;
  return std::min(sample_rows, std::max<std::int64_t>(kSampleRowsMin, kSampleBytes / per_row));
}

template <class DType>
std::int64_t BytesOf(const std::vector<typename DType::c_type>& values) {
  auto bytes = static_cast<std::int64_t>(values.size() * 16);
  if constexpr (std::is_same_v<DType, parquet::ByteArrayType>) {
    for (const auto& value : values) bytes += value.len;
  }
  return bytes;
}

template <class DType>
void AppendValues(const arrow::Array& array, std::vector<typename DType::c_type>& out) {
  using Value = typename DType::c_type;
  const arrow::Array* flat = &array;
  std::int64_t begin = 0;
  std::int64_t end = array.length();
  if (array.type_id() == arrow::Type::LIST) {
    const auto& list = static_cast<const arrow::ListArray&>(array);
    flat = list.values().get();
    begin = list.value_offset(0);
    end = list.value_offset(list.length());
  } else if (array.type_id() == arrow::Type::EXTENSION) {
    flat = static_cast<const arrow::ExtensionArray&>(array).storage().get();
  }
  if (begin == end) return;
  const arrow::ArrayData& data = *flat->data();
  const bool has_nulls = flat->null_count() != 0;
  for (std::int64_t row = begin; row < end; ++row) {
    if (has_nulls && flat->IsNull(row)) continue;
    if constexpr (std::is_same_v<DType, parquet::ByteArrayType>) {
      const auto* offsets = data.GetValues<std::int32_t>(1);
      const std::uint8_t* bytes = data.buffers[2] == nullptr ? nullptr : data.buffers[2]->data();
      out.emplace_back(static_cast<std::uint32_t>(offsets[row + 1] - offsets[row]),
                       bytes + offsets[row]);
    } else if constexpr (std::is_same_v<DType, parquet::FLBAType>) {
      out.emplace_back(data.buffers[1]->data() + (data.offset + row) * 16);
    } else {
      out.push_back(data.GetValues<Value>(1)[row]);
    }
  }
}

class Trial {
 public:
  Trial(const parquet::ColumnDescriptor& leaf, const TrialOptions& options,
        std::unique_ptr<arrow::util::Codec> codec)
      : leaf_(leaf), options_(options), codec_(std::move(codec)) {}

  template <class DType>
  Result<EncodingChoice> Run(const arrow::ChunkedArray& column,
                             std::span<const std::pair<Encoding::type, double>> candidates) {
    Sample<DType> sample;
    const std::int64_t sample_rows = SampleRows(column, options_.sample_rows);
    const auto blocks = SampleBlocks(column, sample_rows);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (i == blocks.size() / 2) sample.half = sample.values.size();
      for (const auto& chunk : blocks[i]->chunks()) AppendValues<DType>(*chunk, sample.values);
    }
    if (sample.values.empty()) return EncodingChoice{.dictionary = true};
    if (BytesOf<DType>(sample.values) > kSampleBytesMax) return EncodingChoice();
    scale_ = static_cast<double>(std::min(column.length(), options_.row_group_rows)) /
             static_cast<double>(std::min(column.length(), sample_rows));

    EncodingChoice best{.dictionary = true};
    LAMINA_ASSIGN(std::optional<double> best_size, DictionarySize<DType>(sample));
    if (best_size && entries_ == 1 && sample.values.size() >= kManyValues) return best;
    for (const auto& [encoding, worth] : candidates) {
      LAMINA_ASSIGN(const double size, EncodedSize<DType>(sample, encoding));
      if (best_size.has_value() && size >= *best_size * worth) continue;
      best = {.dictionary = false, .encoding = encoding};
      best_size = size;
    }
    return best;
  }

 private:
  /// Bytes of one row group with a dictionary; absent when it would overflow. How many distinct
  /// values a row group has is extrapolated from the two halves of the sample (Heaps' law: distinct
  /// = k n^b).
  template <class DType>
  Result<std::optional<double>> DictionarySize(const Sample<DType>& sample) {
    auto encoder =
        parquet::MakeEncoder(DType::type_num, Encoding::PLAIN, /*use_dictionary=*/true, &leaf_);
    auto* typed = dynamic_cast<parquet::TypedEncoder<DType>*>(encoder.get());
    auto* dictionary = dynamic_cast<parquet::DictEncoder<DType>*>(encoder.get());
    if (typed == nullptr || dictionary == nullptr) return Internal("no dictionary encoder");
    typed->Put(sample.values.data(), static_cast<int>(sample.half));
    const int entries_of_half = dictionary->num_entries();
    typed->Put(sample.values.data() + sample.half,
               static_cast<int>(sample.values.size() - sample.half));
    entries_ = dictionary->num_entries();

    const double growth =
        entries_of_half == 0
            ? 1.0
            : std::clamp(std::log2(static_cast<double>(entries_) / entries_of_half), 0.0, 1.0);
    const double entries = entries_ * std::pow(scale_, growth);
    std::string plain(static_cast<std::size_t>(dictionary->dict_encoded_size()), '\0');
    if (static_cast<double>(plain.size()) * entries / entries_ >
        0.9 * static_cast<double>(options_.dictionary_bytes_max)) {
      return std::optional<double>();
    }
    dictionary->WriteDict(reinterpret_cast<std::uint8_t*>(plain.data()));
    LAMINA_ASSIGN(const double dictionary_size, StoredCost(plain));
    const double sample_bits = std::max(1, dictionary->bit_width());
    const double bits = std::max(1.0, std::ceil(std::log2(std::max(entries, 2.0))));
    const auto indices = encoder->FlushValues();
    LAMINA_ASSIGN(const double indices_size,
                  StoredCost(ByteView(reinterpret_cast<const char*>(indices->data()),
                                      static_cast<std::size_t>(indices->size()))));
    return std::optional<double>(kDictionaryPageOverhead + dictionary_size * entries / entries_ +
                                 indices_size * scale_ * bits / sample_bits);
  }

  template <class DType>
  Result<double> EncodedSize(const Sample<DType>& sample, Encoding::type encoding) {
    auto encoder =
        parquet::MakeEncoder(DType::type_num, encoding, /*use_dictionary=*/false, &leaf_);
    auto* typed = dynamic_cast<parquet::TypedEncoder<DType>*>(encoder.get());
    if (typed == nullptr) return Internal("no encoder for " + parquet::EncodingToString(encoding));
    typed->Put(sample.values.data(), static_cast<int>(sample.values.size()));
    const auto bytes = encoder->FlushValues();
    LAMINA_ASSIGN(const double size,
                  StoredCost(ByteView(reinterpret_cast<const char*>(bytes->data()),
                                      static_cast<std::size_t>(bytes->size()))));
    return size * scale_;
  }

  Result<double> StoredCost(ByteView bytes) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    const auto length = static_cast<std::int64_t>(bytes.size());
    scratch_.resize(static_cast<std::size_t>(codec_->MaxCompressedLen(length, data)));
    LAMINA_ARROW_ASSIGN(
        const std::int64_t size,
        codec_->Compress(length, data, static_cast<std::int64_t>(scratch_.size()), scratch_.data()),
        "compressing a sample");
    return static_cast<double>(size) + static_cast<double>(length) * kUnpackingWeight;
  }

  const parquet::ColumnDescriptor& leaf_;
  const TrialOptions& options_;
  std::unique_ptr<arrow::util::Codec> codec_;
  std::vector<std::uint8_t> scratch_;
  double scale_ = 1;  ///< rows of a row group for one row of the sample
  int entries_ = 0;
};

}  // namespace

EncodingChoice DefaultEncoding(LakeType type) {
  switch (type) {
    case LakeType::kBoolean:
      return {};
    case LakeType::kDouble:
      return {};
    case LakeType::kInt32:
    case LakeType::kInt64:
    case LakeType::kDate:
    case LakeType::kTimestamp:
    case LakeType::kTimestampTz:
    case LakeType::kInt32List:
      return {.dictionary = false, .encoding = Encoding::DELTA_BINARY_PACKED};
    default:
      return {.dictionary = true};
  }
}

Result<EncodingChoice> TryEncodings(const arrow::ChunkedArray& column, LakeType type,
                                    const parquet::ColumnDescriptor& leaf,
                                    const TrialOptions& options) {
  if (type == LakeType::kBoolean) return DefaultEncoding(type);
  const auto zstd = ZstdOptions(options.zstd_level, options.zstd_block_bytes);
  LAMINA_ARROW_ASSIGN(auto codec, arrow::util::Codec::Create(arrow::Compression::ZSTD, *zstd),
                      "making a zstd codec");
  using Candidate = std::pair<Encoding::type, double>;
  // BYTE_STREAM_SPLIT for doubles only: DuckDB refuses to read it in columns of other types.
  static constexpr Candidate kIntegers[] = {{Encoding::PLAIN, kWorthAnotherEncoding},
                                            {Encoding::DELTA_BINARY_PACKED, kWorthAnotherEncoding}};
  static constexpr Candidate kDoubles[] = {{Encoding::PLAIN, kWorthAnotherEncoding},
                                           {Encoding::BYTE_STREAM_SPLIT, kWorthAnotherEncoding}};
  static constexpr Candidate kBytes[] = {{Encoding::PLAIN, kWorthAnotherEncoding}};
  Trial trial(leaf, options, std::move(codec));
  switch (type) {
    case LakeType::kInt32:
    case LakeType::kDate:
    case LakeType::kInt32List:
      return trial.Run<parquet::Int32Type>(column, kIntegers);
    case LakeType::kDouble:
      return trial.Run<parquet::DoubleType>(column, kDoubles);
    case LakeType::kVarchar:
    case LakeType::kBlob:
      return trial.Run<parquet::ByteArrayType>(column, kBytes);
    case LakeType::kUuid:
      return trial.Run<parquet::FLBAType>(column, kBytes);
    default:
      return trial.Run<parquet::Int64Type>(column, kIntegers);
  }
}

}  // namespace lamina::table
