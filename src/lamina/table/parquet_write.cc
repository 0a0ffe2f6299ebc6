#include <algorithm>
#include <cmath>
#include <new>
#include <set>
#include <utility>

#include <arrow/api.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>
#include <parquet/schema.h>

#include "lamina/base/hash.h"
#include "lamina/table/arrow_file.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"
#include "lamina/table/encoding_trial.h"
#include "lamina/table/footer.h"
#include "lamina/table/lake_type.h"
#include "lamina/table/parquet_file.h"
#include "lamina/table/zstd_page.h"

namespace lamina::table {
namespace {

constexpr std::int64_t kDictionaryBytesMax = 1 << 20;
/// Pages end by rows, so that the pages of all columns begin at the same rows; this bounds the
/// memory of a page of long texts.
constexpr std::int64_t kPageBytesMax = 8 << 20;
/// Of a file that is not worth a trial of encodings: 1 % larger than at level 7 in a third of the
/// time.
constexpr int kSmallFileZstdLevel = 3;
/// zstd allows no others.
constexpr std::int64_t kZstdBlockBytesMin = 1 << 10, kZstdBlockBytesMax = 128 << 10;

struct Column {
  LakeType type = LakeType::kInt64;
  std::optional<bool> contains_nan;
};

std::optional<bool> ContainsNan(const arrow::ChunkedArray& column, LakeType type) {
  if (type != LakeType::kDouble) return std::nullopt;
  for (const auto& chunk : column.chunks()) {
    const auto& array = static_cast<const arrow::DoubleArray&>(*chunk);
    const double* values = array.raw_values();
    bool any = false;
    for (std::int64_t i = 0; i < array.length(); ++i) any |= std::isnan(values[i]);
    if (!any) continue;
    if (array.null_count() == 0) return true;
    for (std::int64_t i = 0; i < array.length(); ++i) {
      if (array.IsValid(i) && std::isnan(values[i])) return true;
    }
  }
  return false;
}

Result<std::vector<Column>> CheckColumns(const arrow::Table& rows) {
  std::vector<Column> columns;
  std::set<std::string> names;
  std::set<std::int32_t> ids;
  for (const auto& field : rows.schema()->fields()) {
    const std::string where = "column '" + field->name() + "'";
    LAMINA_ASSIGN(const std::int32_t id, FieldId(*field));
    const auto type = LakeTypeOf(*field->type());
    if (!type.ok()) return InvalidArgument(where + ": " + std::string(type.error().message()));
    const bool fresh =
        ids.insert(id).second && (*type != LakeType::kInt32List || ids.insert(id + 1).second);
    if (!fresh) return InvalidArgument(where + " has the field id of another column");
    if (!names.insert(field->name()).second) return InvalidArgument(where + " occurs twice");
    const auto& values = rows.column(static_cast<int>(columns.size()));
    if (!field->nullable() && values->null_count() != 0) {
      return InvalidArgument(where + " holds NULL and must not");
    }
    columns.push_back({*type, ContainsNan(*values, *type)});
  }
  return columns;
}

/// Whether the column is NULL or one text throughout: pages of some 40 bytes, which zstd makes
/// longer.
Result<bool> IsOneValue(const arrow::Table& rows, int column, LakeType type) {
  const arrow::ChunkedArray& values = *rows.column(column);
  if (values.null_count() == values.length()) return true;
  if (type != LakeType::kVarchar) return false;
  LAMINA_ASSIGN(const auto runs, EqualRuns(rows, rows.schema()->field(column)->name()));
  return runs.size() == 1;
}

Status CheckOptions(const WriteOptions& options) {
  if (options.zstd_level < 1 || options.zstd_level > 22) {
    return InvalidArgument("zstd level " + std::to_string(options.zstd_level) + " is not in 1..22");
  }
  if (options.zstd_block_bytes != 0 && (options.zstd_block_bytes < kZstdBlockBytesMin ||
                                        options.zstd_block_bytes > kZstdBlockBytesMax)) {
    return InvalidArgument("zstd has no blocks of " + std::to_string(options.zstd_block_bytes) +
                           " bytes");
  }
  if (options.row_group_rows < 1 || options.page_rows < 1 || options.trial_rows < 1) {
    return InvalidArgument("row groups, pages and samples have at least one row");
  }
  return Ok();
}

/// Where row groups end. With series: whole ones, as long as they fill no more than a page.
Result<std::vector<std::int64_t>> GroupEnds(const arrow::Table& rows, const WriteOptions& options) {
  std::set<std::int64_t> edges{rows.num_rows()};
  for (const std::string& name : options.series_by) {
    LAMINA_ASSIGN(const std::vector<RowRange> runs, EqualRuns(rows, name));
    for (const RowRange& run : runs) edges.insert(run.end);
  }
  const std::int64_t most = options.series_by.empty() ? options.row_group_rows : options.page_rows;
  std::vector<std::int64_t> ends;
  std::int64_t begin = 0, series = 0;  // of the group, of the series that may join it
  for (const std::int64_t edge : edges) {
    if (edge - begin > most && series > begin) ends.push_back(begin = series);
    while (edge - begin > options.row_group_rows) {
      ends.push_back(begin += options.row_group_rows);
    }
    series = edge;
  }
  if (rows.num_rows() > begin) ends.push_back(rows.num_rows());
  return ends;
}

std::int64_t LongestGroup(const std::vector<std::int64_t>& ends) {
  std::int64_t begin = 0, longest = 1;
  for (const std::int64_t end : ends) longest = std::max(longest, end - std::exchange(begin, end));
  return longest;
}

Result<std::shared_ptr<parquet::WriterProperties>> MakeProperties(
    const arrow::Table& rows, const std::vector<Column>& columns,
    const std::vector<std::int64_t>& groups, const WriteOptions& options) {
  std::shared_ptr<parquet::SchemaDescriptor> leaves;
  LAMINA_ARROW(parquet::arrow::ToParquetSchema(rows.schema().get(),
                                               *parquet::default_writer_properties(), &leaves),
               "making the Parquet schema");
  const bool worth_trial = rows.num_rows() > 0 && rows.num_rows() >= options.trial_rows_min;
  const int level =
      worth_trial ? options.zstd_level : std::min(options.zstd_level, kSmallFileZstdLevel);
  parquet::WriterProperties::Builder builder;
  builder.version(parquet::ParquetVersion::PARQUET_2_6)
      ->data_page_version(parquet::ParquetDataPageVersion::V1)
      ->created_by("lamina")
      ->compression(parquet::Compression::ZSTD)
      ->codec_options(ZstdOptions(level, options.zstd_block_bytes))
      ->max_row_group_length(options.row_group_rows)
      ->max_rows_per_page(options.page_rows)
      ->data_pagesize(kPageBytesMax)
      ->dictionary_pagesize_limit(kDictionaryBytesMax)
      ->enable_page_checksum()
      ->enable_write_page_index()
      ->disable_dictionary();
  const TrialOptions trial{.zstd_level = options.zstd_level,
                           .zstd_block_bytes = options.zstd_block_bytes,
                           .sample_rows = options.trial_rows,
                           .row_group_rows = LongestGroup(groups),
                           .dictionary_bytes_max = kDictionaryBytesMax};
  for (int c = 0; c < rows.num_columns(); ++c) {
    const auto& [type, contains_nan] = columns[static_cast<std::size_t>(c)];
    const parquet::ColumnDescriptor& leaf = *leaves->Column(c);
    // Parquet's minimum and maximum leave NaN out. DuckDB, to which NaN is the largest number, then
    // prunes and passes row groups wrongly: better no statistics.
    if (contains_nan == true) builder.disable_statistics(leaf.path());
    if (!worth_trial) {
      LAMINA_ASSIGN(const bool one_value, IsOneValue(rows, c, type));
      if (one_value) {
        builder.compression(leaf.path(), parquet::Compression::UNCOMPRESSED)
            ->codec_options(leaf.path(), std::make_shared<arrow::util::CodecOptions>());
      }
    }
    EncodingChoice choice = DefaultEncoding(type);
    if (options.encoding_trial && worth_trial) {
      LAMINA_ASSIGN(choice, TryEncodings(*rows.column(c), type, leaf, trial));
    }
    if (choice.dictionary) {
      builder.enable_dictionary(leaf.path());
    } else {
      builder.encoding(leaf.path(), choice.encoding);
    }
  }
  std::vector<parquet::SortingColumn> sorting;
  for (const std::string& name : options.sorted_by) {
    const int column = rows.schema()->GetFieldIndex(name);
    if (column < 0) return InvalidArgument("sorted by '" + name + "', which is no column");
    sorting.push_back({.column_idx = column, .descending = false, .nulls_first = false});
  }
  builder.set_sorting_columns(std::move(sorting));
  return builder.build();
}

Status WriteRowGroups(parquet::arrow::FileWriter& writer, EnvOutputStream& stream,
                      const arrow::Table& rows, const std::vector<std::int64_t>& groups) {
  std::vector<std::uint32_t> checksums;
  stream.TakeChecksum();  // the magic number at the start
  std::int64_t begin = 0;
  for (const std::int64_t end : groups) {
    const std::int64_t count = end - begin;
    LAMINA_ARROW(writer.NewRowGroup(), "starting a row group");
    for (int c = 0; c < rows.num_columns(); ++c) {
      LAMINA_ARROW(writer.WriteColumnChunk(rows.column(c), begin, count),
                   "writing column '" + rows.schema()->field(c)->name() + "'");
      checksums.push_back(stream.TakeChecksum());
    }
    begin = end;
  }
  // The page index is written after this, together with the footer: its checksum is put in later.
  LAMINA_ARROW(writer.AddKeyValueMetadata(
                   arrow::key_value_metadata({kChunkChecksumsKey, kPageIndexChecksumKey},
                                             {SpellChunkChecksums(checksums), SpellChecksum(0)})),
               "adding checksums");
  return Ok();
}

/// The held tail is the page index and the footer. Put the former's checksum into the latter, whose
/// length stays the same; return the thrift bytes.
Result<ByteView> SealTail(std::string& tail) {
  if (tail.size() < 8) return Internal("Parquet wrote no footer");
  const auto thrift_size = LoadLittleEndian<std::uint32_t>(tail.data() + tail.size() - 8);
  if (thrift_size > tail.size() - 8) return Internal("Parquet wrote a bad footer length");
  const std::size_t begin = tail.size() - 8 - thrift_size;
  const std::size_t key = tail.find(kPageIndexChecksumKey, begin);
  const std::string unset = SpellChecksum(0);
  const std::size_t value = key == std::string::npos ? key : tail.find(unset, key);
  if (value == std::string::npos) return Internal("Parquet wrote no page index checksum");
  tail.replace(value, unset.size(), SpellChecksum(Crc32c(ByteView(tail).substr(0, begin))));
  return ByteView(tail).substr(begin, thrift_size);
}

Result<WrittenFile> Describe(ByteView thrift, const arrow::Table& rows,
                             const std::vector<Column>& columns) {
  LAMINA_ASSIGN(const auto metadata, ParseFooter(thrift));
  if (metadata->num_rows() != rows.num_rows()) return Internal("the footer counts other rows");
  WrittenFile written;
  written.rows = metadata->num_rows();
  written.footer_size = static_cast<std::int64_t>(thrift.size());
  written.footer_crc32c = Crc32c(thrift);
  written.columns = StatisticsOf(*metadata);
  if (written.columns.size() != columns.size()) return Internal("the footer has other columns");
  for (std::size_t c = 0; c < columns.size(); ++c) {
    written.columns[c].contains_nan = columns[c].contains_nan;
  }
  return written;
}

Result<WrittenFile> Write(EnvOutputStream& stream, const std::shared_ptr<EnvOutputStream>& sink,
                          const arrow::Table& rows, const std::vector<Column>& columns,
                          const WriteOptions& options) {
  LAMINA_ASSIGN(const std::vector<std::int64_t> groups, GroupEnds(rows, options));
  LAMINA_ASSIGN(auto properties, MakeProperties(rows, columns, groups, options));
  LAMINA_ARROW_ASSIGN(auto writer,
                      parquet::arrow::FileWriter::Open(*rows.schema(), arrow::default_memory_pool(),
                                                       sink, std::move(properties)),
                      "starting a Parquet file");
  LAMINA_TRY(WriteRowGroups(*writer, stream, rows, groups));
  stream.HoldTail();
  LAMINA_ARROW(writer->Close(), "writing the footer");
  LAMINA_ASSIGN(const ByteView thrift, SealTail(stream.tail()));
  LAMINA_ASSIGN(WrittenFile written, Describe(thrift, rows, columns));
  LAMINA_ARROW(stream.ReleaseTail(), "writing the footer");
  LAMINA_ARROW_ASSIGN(written.size_bytes, stream.Tell(), "writing the footer");
  return written;
}

}  // namespace

Result<WrittenFile> WriteParquet(io::Env& env, const std::string& path, const arrow::Table& rows,
                                 const WriteOptions& options) {
  const std::string context = "writing " + path;
  LAMINA_TRY_WITH(CheckOptions(options), context);
  if (const arrow::Status valid = rows.Validate(); !valid.ok()) {
    return InvalidArgument(context + ": " + valid.message());
  }
  auto columns = CheckColumns(rows);
  if (!columns.ok()) return std::move(columns).error().With(context);
  LAMINA_ASSIGN(auto file, env.NewWritableFile(path));
  const auto stream = std::make_shared<EnvOutputStream>(std::move(file));
  const auto attempt = [&]() -> Result<WrittenFile> {
    try {
      return Write(*stream, stream, rows, *columns, options);
    } catch (const std::bad_alloc&) {
      return ResourceExhausted("out of memory");
    } catch (const std::exception& error) {
      return Internal(error.what());
    }
  };
  Result<WrittenFile> written = attempt();
  if (!written.ok()) {
    if (auto error = stream->TakeError()) return std::move(*error).With(context);
    return std::move(written).error().With(context);
  }
  LAMINA_TRY_WITH(stream->SyncAndClose(), context);
  return written;
}

}  // namespace lamina::table
