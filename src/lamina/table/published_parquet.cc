#include "lamina/table/published_parquet.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include "lamina/table/arrow_status.h"

namespace lamina::table {
namespace {

/// Prices of one symbol take some megabytes.
constexpr std::int64_t kUnpackedBytesMax = std::int64_t{1} << 30;
constexpr std::uint32_t kRecipeVersion = 1;
constexpr std::size_t kRecipeBytesMax = std::size_t{1} << 24;

/// What libparquet throws, as a Status.
template <class Work>
auto Guarded(const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return ResourceExhausted("out of memory in a Parquet file");
  } catch (const std::exception& error) {
    return Corruption("a Parquet file: " + std::string(error.what()));
  }
}

struct Opened {
  std::shared_ptr<parquet::FileMetaData> metadata;
  std::shared_ptr<arrow::Table> rows;
};

Result<Opened> Open(ByteView file) {
  auto buffer = std::make_shared<arrow::Buffer>(reinterpret_cast<const std::uint8_t*>(file.data()),
                                                static_cast<std::int64_t>(file.size()));
  auto reader = parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(buffer));
  Opened opened;
  opened.metadata = reader->metadata();
  const auto& metadata = *opened.metadata;
  std::int64_t unpacked = 0;
  for (int group = 0; group < metadata.num_row_groups(); ++group) {
    const std::int64_t size = metadata.RowGroup(group)->total_byte_size();
    if (size < 0 || size > kUnpackedBytesMax) return Unsupported("a very large Parquet file");
    unpacked = std::min(unpacked + size, kUnpackedBytesMax + 1);
  }
  // A dictionary unpacks to more than its pages: rows count, too.
  if (metadata.num_rows() < 0 || metadata.num_columns() > 4096 ||
      metadata.num_rows() > kUnpackedBytesMax / (8 * std::max(1, metadata.num_columns())) ||
      unpacked > kUnpackedBytesMax) {
    return Unsupported("a very large Parquet file");
  }
  std::unique_ptr<parquet::arrow::FileReader> rows;
  LAMINA_ARROW_ASSIGN(
      rows, parquet::arrow::FileReader::Make(arrow::default_memory_pool(), std::move(reader)),
      "opening a Parquet file");
  LAMINA_ARROW_ASSIGN(opened.rows, rows->ReadTable(), "reading a Parquet file");
  return opened;
}

void AppendNumber(std::string& out, std::uint64_t value) {
  std::array<char, 8> bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  out.append(bytes.data(), bytes.size());
}
void AppendText(std::string& out, std::string_view text) {
  AppendNumber(out, text.size());
  out += text;
}

/// The values of one array; what stands behind a NULL does not count.
Status AppendValues(const arrow::Array& array, std::string& out) {
  const auto id = array.type_id();
  const auto& data = *array.data();
  if (id == arrow::Type::BOOL) {
    const auto& bits = static_cast<const arrow::BooleanArray&>(array);
    for (std::int64_t i = 0; i < array.length(); ++i) {
      out.push_back(array.IsValid(i) && bits.Value(i) ? 1 : 0);
    }
    return Ok();
  }
  if (id == arrow::Type::STRING || id == arrow::Type::BINARY) {
    const auto& texts = static_cast<const arrow::BinaryArray&>(array);
    for (std::int64_t i = 0; i < array.length(); ++i) {
      AppendText(out, array.IsValid(i) ? texts.GetView(i) : std::string_view());
    }
    return Ok();
  }
  const auto* fixed = dynamic_cast<const arrow::FixedWidthType*>(array.type().get());
  const bool plain = fixed != nullptr && fixed->bit_width() % 8 == 0 && array.num_fields() == 0 &&
                     data.buffers.size() == 2 && id != arrow::Type::DICTIONARY &&
                     id != arrow::Type::EXTENSION;
  if (!plain) return Unsupported("a column of type " + array.type()->ToString());
  const auto width = static_cast<std::size_t>(fixed->bit_width() / 8);
  if (array.length() == 0) return Ok();
  const std::size_t begin = out.size();
  const char* values = reinterpret_cast<const char*>(data.buffers[1]->data());
  out.append(values + static_cast<std::size_t>(data.offset) * width,
             static_cast<std::size_t>(array.length()) * width);
  if (array.null_count() == 0) return Ok();
  for (std::int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i))
      std::memset(out.data() + begin + static_cast<std::size_t>(i) * width, 0, width);
  }
  return Ok();
}

Result<Sha256Digest> LogicalIdOf(const arrow::Table& rows) {
  std::string text = "lamina table 1";
  AppendNumber(text, static_cast<std::uint64_t>(rows.num_rows()));
  AppendNumber(text, static_cast<std::uint64_t>(rows.num_columns()));
  for (int c = 0; c < rows.num_columns(); ++c) {
    const auto& field = *rows.schema()->field(c);
    AppendText(text, field.name());
    AppendText(text, field.type()->ToString());
    for (const auto& chunk : rows.column(c)->chunks()) {
      for (std::int64_t i = 0; i < chunk->length(); ++i) text.push_back(chunk->IsValid(i) ? 1 : 0);
    }
    for (const auto& chunk : rows.column(c)->chunks()) LAMINA_TRY(AppendValues(*chunk, text));
  }
  return Sha256(text);
}

// ---------------------------------------------------------------- recipes

struct Settings {
  std::int32_t codec = 0, level = 0;
  bool version_1 = false, store_schema = false, pages_v2 = false;
  std::int64_t row_group_rows = 0;
  std::string created_by;
  std::vector<std::uint8_t> dictionary;  ///< one a column
  std::vector<std::pair<std::string, std::string>> metadata;
};

std::string Spell(const Settings& settings) {
  std::string out;
  AppendNumber(out, kRecipeVersion);
  AppendNumber(out, static_cast<std::uint64_t>(settings.codec));
  AppendNumber(out, static_cast<std::uint64_t>(static_cast<std::int64_t>(settings.level)));
  AppendNumber(out, (settings.version_1 ? 1U : 0U) | (settings.store_schema ? 2U : 0U) |
                        (settings.pages_v2 ? 4U : 0U));
  AppendNumber(out, static_cast<std::uint64_t>(settings.row_group_rows));
  AppendText(out, settings.created_by);
  AppendText(out, std::string_view(reinterpret_cast<const char*>(settings.dictionary.data()),
                                   settings.dictionary.size()));
  AppendNumber(out, settings.metadata.size());
  for (const auto& [key, value] : settings.metadata) {
    AppendText(out, key);
    AppendText(out, value);
  }
  return out;
}

class RecipeReader {
 public:
  explicit RecipeReader(ByteView bytes) : bytes_(bytes) {}

  Result<Settings> Read() {
    Settings settings;
    LAMINA_ASSIGN(const std::uint64_t version, Number());
    if (version != kRecipeVersion) return Unsupported("a recipe of another version");
    LAMINA_ASSIGN(const std::uint64_t codec, Number());
    LAMINA_ASSIGN(const std::uint64_t level, Number());
    LAMINA_ASSIGN(const std::uint64_t flags, Number());
    LAMINA_ASSIGN(const std::uint64_t rows, Number());
    if (codec > 16 || rows == 0 || rows > std::uint64_t{1} << 40) return Damaged();
    settings.codec = static_cast<std::int32_t>(codec);
    settings.level = static_cast<std::int32_t>(static_cast<std::int64_t>(level));
    settings.version_1 = (flags & 1) != 0;
    settings.store_schema = (flags & 2) != 0;
    settings.pages_v2 = (flags & 4) != 0;
    settings.row_group_rows = static_cast<std::int64_t>(rows);
    LAMINA_ASSIGN(settings.created_by, Text());
    LAMINA_ASSIGN(const std::string dictionary, Text());
    settings.dictionary.assign(dictionary.begin(), dictionary.end());
    LAMINA_ASSIGN(const std::uint64_t count, Number());
    if (count > bytes_.size()) return Damaged();
    for (std::uint64_t i = 0; i < count; ++i) {
      LAMINA_ASSIGN(std::string key, Text());
      LAMINA_ASSIGN(std::string value, Text());
      settings.metadata.emplace_back(std::move(key), std::move(value));
    }
    if (position_ != bytes_.size()) return Damaged();
    return settings;
  }

 private:
  static Error Damaged() { return Corruption("a recipe for a Parquet file is damaged"); }

  Result<std::uint64_t> Number() {
    if (bytes_.size() - position_ < 8) return Damaged();
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      value |= std::uint64_t{static_cast<std::uint8_t>(bytes_[position_ + i])} << (8 * i);
    }
    position_ += 8;
    return value;
  }
  Result<std::string> Text() {
    LAMINA_ASSIGN(const std::uint64_t size, Number());
    if (size > bytes_.size() - position_) return Damaged();
    std::string text(bytes_.substr(position_, static_cast<std::size_t>(size)));
    position_ += static_cast<std::size_t>(size);
    return text;
  }

  ByteView bytes_;
  std::size_t position_ = 0;
};

constexpr std::string_view kArrowSchemaKey = "ARROW:schema";

/// What the file itself tells; the level is not in it.
Result<Settings> SettingsOf(const parquet::FileMetaData& metadata) {
  if (metadata.num_row_groups() == 0) return Unsupported("a Parquet file without rows");
  Settings settings;
  const auto group = metadata.RowGroup(0);
  settings.row_group_rows = group->num_rows();
  settings.version_1 = metadata.version() == parquet::ParquetVersion::PARQUET_1_0;
  settings.created_by = metadata.created_by();
  for (int c = 0; c < metadata.num_columns(); ++c) {
    const auto chunk = group->ColumnChunk(c);
    const auto codec = static_cast<std::int32_t>(chunk->compression());
    if (c > 0 && codec != settings.codec) return Unsupported("columns of several codecs");
    settings.codec = codec;
    settings.dictionary.push_back(chunk->has_dictionary_page() ? 1 : 0);
    for (const auto& pages : chunk->encoding_stats()) {
      if (pages.page_type == parquet::PageType::DATA_PAGE_V2) settings.pages_v2 = true;
    }
  }
  if (const auto& texts = metadata.key_value_metadata()) {
    for (std::int64_t i = 0; i < texts->size(); ++i) {
      if (texts->key(i) == kArrowSchemaKey) {
        settings.store_schema = true;
      } else {
        settings.metadata.emplace_back(texts->key(i), texts->value(i));
      }
    }
  }
  return settings;
}

Result<std::string> Write(const arrow::Table& rows, const Settings& settings) {
  if (settings.dictionary.size() != static_cast<std::size_t>(rows.num_columns()) ||
      settings.row_group_rows < 1) {
    return Corruption("a recipe for a Parquet file of other columns");
  }
  std::vector<std::string> keys, values;
  for (const auto& [key, value] : settings.metadata) {
    keys.push_back(key);
    values.push_back(value);
  }
  const auto texts = keys.empty() ? nullptr : arrow::key_value_metadata(keys, values);
  const auto table = rows.ReplaceSchemaMetadata(texts);
  parquet::WriterProperties::Builder builder;
  builder.created_by(settings.created_by)
      ->version(settings.version_1 ? parquet::ParquetVersion::PARQUET_1_0
                                   : parquet::ParquetVersion::PARQUET_2_6)
      ->data_page_version(settings.pages_v2 ? parquet::ParquetDataPageVersion::V2
                                            : parquet::ParquetDataPageVersion::V1)
      ->compression(static_cast<parquet::Compression::type>(settings.codec))
      ->max_row_group_length(settings.row_group_rows);
  if (settings.level != 0) builder.compression_level(settings.level);
  for (int c = 0; c < rows.num_columns(); ++c) {
    const std::string& name = rows.schema()->field(c)->name();
    if (settings.dictionary[static_cast<std::size_t>(c)] != 0) {
      builder.enable_dictionary(name);
    } else {
      builder.disable_dictionary(name);
    }
  }
  parquet::ArrowWriterProperties::Builder arrow_builder;
  if (settings.store_schema) arrow_builder.store_schema();
  LAMINA_ARROW_ASSIGN(const auto stream, arrow::io::BufferOutputStream::Create(),
                      "writing a Parquet file");
  LAMINA_ARROW(
      parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), stream,
                                 settings.row_group_rows, builder.build(), arrow_builder.build()),
      "writing a Parquet file");
  LAMINA_ARROW_ASSIGN(const auto buffer, stream->Finish(), "writing a Parquet file");
  return buffer->ToString();
}

}  // namespace

Result<Sha256Digest> LogicalId(ByteView file) {
  return Guarded([&]() -> Result<Sha256Digest> {
    LAMINA_ASSIGN(const Opened opened, Open(file));
    return LogicalIdOf(*opened.rows);
  });
}

Result<std::string> RewriteRecipe(ByteView source, ByteView file) {
  return Guarded([&]() -> Result<std::string> {
    LAMINA_ASSIGN(const Opened from, Open(source));
    LAMINA_ASSIGN(const Opened to, Open(file));
    LAMINA_ASSIGN(Settings settings, SettingsOf(*to.metadata));
    const bool has_levels = settings.codec == static_cast<int>(arrow::Compression::ZSTD) ||
                            settings.codec == static_cast<int>(arrow::Compression::GZIP);
    // 0: the codec's own. Framework and pandas first; files are a few hundred kB.
    const std::vector<std::int32_t> levels =
        has_levels ? std::vector<std::int32_t>{5, 0, 3, 9, 7, 6, 19} : std::vector<std::int32_t>{0};
    for (const std::int32_t level : levels) {
      settings.level = level;
      LAMINA_ASSIGN(const std::string made, Write(*from.rows, settings));
      if (made == file) return Spell(settings);
    }
    return Unsupported("the file does not come out of the linked libparquet");
  });
}

Result<std::string> Rewrite(ByteView source, ByteView recipe) {
  if (recipe.size() > kRecipeBytesMax) return Corruption("a recipe is too long");
  return Guarded([&]() -> Result<std::string> {
    LAMINA_ASSIGN(const Settings settings, RecipeReader(recipe).Read());
    LAMINA_ASSIGN(const Opened from, Open(source));
    return Write(*from.rows, settings);
  });
}

}  // namespace lamina::table
