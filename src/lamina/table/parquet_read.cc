#include <algorithm>
#include <iterator>
#include <limits>
#include <new>
#include <utility>

#include <arrow/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include "lamina/base/parallel.h"
#include "lamina/table/arrow_file.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/column_bounds.h"
#include "lamina/table/column_chunk.h"
#include "lamina/table/columns.h"
#include "lamina/table/footer.h"
#include "lamina/table/leaf_type.h"
#include "lamina/table/page_index.h"
#include "lamina/table/parquet_file.h"
#include "lamina/table/value_range.h"

namespace lamina::table {
namespace {

/// Nobody writes larger row groups; a number beyond it is damage or an attack on memory.
constexpr std::int64_t kGroupRowsMax = std::int64_t{1} << 27;

/// Threads cost more than they bring for fewer values.
constexpr std::int64_t kCellsWorthThreads = 48 * 1024;
constexpr std::int64_t kRepeatedTextMax = std::int64_t{1} << 30;

constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();

parquet::ArrowReaderProperties ArrowProperties() {
  parquet::ArrowReaderProperties properties;
  properties.set_arrow_extensions_enabled(true);  // UUID
  return properties;
}

/// Run `work`; what Parquet throws comes back as an Error.
template <class Outcome, class Work>
Outcome Translated(Work work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return ResourceExhausted("out of memory");
  } catch (const parquet::ParquetStatusException& error) {
    return FromArrow(error.status(), "decoding");
  } catch (const std::exception& error) {
    return Corruption(error.what());
  }
}

/// `rows` times one value; null when that would be too much text for one array.
Result<std::shared_ptr<arrow::Array>> Repeat(const BoundValue& value,
                                             const std::shared_ptr<arrow::DataType>& type,
                                             std::int64_t rows) {
  std::shared_ptr<arrow::Scalar> scalar;
  if (const auto* text = std::get_if<std::string>(&value)) {
    const bool bytes = type->id() == arrow::Type::STRING || type->id() == arrow::Type::BINARY;
    if (!bytes || static_cast<std::int64_t>(text->size()) > kRepeatedTextMax / (rows + 1)) {
      return nullptr;
    }
    LAMINA_ARROW_ASSIGN(scalar, arrow::MakeScalar(type, arrow::Buffer::FromString(*text)),
                        "repeating a text");
  } else {
    const std::int64_t number = std::get<std::int64_t>(value);
    switch (type->id()) {
      case arrow::Type::BOOL:
        scalar = std::make_shared<arrow::BooleanScalar>(number != 0);
        break;
      case arrow::Type::INT32:
        scalar = std::make_shared<arrow::Int32Scalar>(static_cast<std::int32_t>(number));
        break;
      case arrow::Type::DATE32:
        scalar = std::make_shared<arrow::Date32Scalar>(static_cast<std::int32_t>(number));
        break;
      case arrow::Type::INT64:
        scalar = std::make_shared<arrow::Int64Scalar>(number);
        break;
      case arrow::Type::TIMESTAMP:
        scalar = std::make_shared<arrow::TimestampScalar>(number, type);
        break;
      default:
        return nullptr;
    }
  }
  LAMINA_ARROW_ASSIGN(auto array, arrow::MakeArrayFromScalar(*scalar, rows), "repeating a value");
  return array;
}

/// One top-level column of the file.
struct FileColumn {
  std::shared_ptr<arrow::Field> field;
  std::vector<int> leaves;
  std::optional<LakeType> type;  ///< absent: a shape that only foreign files have
};

class FileScan {
 public:
  FileScan(std::shared_ptr<EnvInputFile> file, const ReadOptions& options, ReadStatistics& counts)
      : file_(std::move(file)), options_(options), counts_(counts) {}

  Result<std::shared_ptr<arrow::Table>> Run() {
    LAMINA_TRY(Open());
    std::vector<Part> parts;
    std::int64_t rows = 0;
    LAMINA_TRY(ForEachGroup([&](int group, const RowRanges& keep) {
      rows += keep.row_count();
      parts.push_back({group, keep});
      return Ok();
    }));
    const std::size_t width = wanted_.size();
    std::vector<arrow::ArrayVector> pieces(parts.size() * width);
    LAMINA_TRY(ParallelFor(pieces.size(), Workers(rows), [&](std::size_t i, std::size_t) {
      return Translated<Status>(
          [&] { return ReadColumn(parts[i / width], columns_[wanted_[i % width]], pieces[i]); });
    }));
    arrow::FieldVector fields;
    arrow::ChunkedArrayVector columns;
    for (std::size_t column = 0; column < width; ++column) {
      const auto& field = columns_[wanted_[column]].field;
      arrow::ArrayVector chunks;
      for (std::size_t part = 0; part < parts.size(); ++part) {
        arrow::ArrayVector& piece = pieces[part * width + column];
        std::move(piece.begin(), piece.end(), std::back_inserter(chunks));
      }
      fields.push_back(field);
      columns.push_back(std::make_shared<arrow::ChunkedArray>(std::move(chunks), field->type()));
    }
    return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns), rows);
  }

  /// Rows to keep, without reading columns.
  Result<std::int64_t> Count() {
    LAMINA_TRY(Open());
    std::int64_t rows = 0;
    LAMINA_TRY(ForEachGroup([&](int, const RowRanges& keep) {
      rows += keep.row_count();
      return Ok();
    }));
    return rows;
  }

 private:
  struct Filter {
    std::size_t column;
    ValueRange range;
  };

  /// Rows to read of one row group.
  struct Part {
    int group = 0;
    RowRanges keep;
  };

  std::size_t Workers(std::int64_t rows) const {
    const bool few = rows * static_cast<std::int64_t>(wanted_.size()) < kCellsWorthThreads;
    const bool foreign = std::any_of(wanted_.begin(), wanted_.end(),
                                     [&](std::size_t i) { return !columns_[i].type.has_value(); });
    return foreign || (few && options_.workers == 0) ? 1 : options_.workers;
  }

  Status Open() {
    LAMINA_ASSIGN(footer_, ReadFooter(*file_, options_.footer_crc32c));
    LAMINA_TRY(ReadSchema());
    LAMINA_TRY(Plan());
    counts_.row_groups = footer_.metadata->num_row_groups();
    return Ok();
  }

  /// Call `work(group, rows to keep of it)` for the row groups that have some.
  template <class Work>
  Status ForEachGroup(Work work) {
    std::int64_t first_row = 0;
    for (int group = 0; group < footer_.metadata->num_row_groups(); ++group) {
      const std::int64_t group_rows = footer_.metadata->RowGroup(group)->num_rows();
      if (group_rows < 0 || group_rows > kGroupRowsMax) {
        return Corruption("row group " + std::to_string(group) + " counts " +
                          std::to_string(group_rows) + " rows");
      }
      const RowRanges asked(
          std::max(first_row, options_.row_begin.value_or(0)) - first_row,
          std::min(first_row + group_rows, options_.row_end.value_or(kNoEnd)) - first_row);
      first_row += group_rows;
      LAMINA_ASSIGN(const RowRanges keep, RowsToKeep(group, asked));
      if (keep.empty()) continue;
      LAMINA_TRY(work(group, keep));
    }
    if (first_row != footer_.metadata->num_rows())
      return Corruption("the row groups do not add up to the rows");
    return Ok();
  }

  Status ReadSchema() {
    const parquet::SchemaDescriptor& schema = *footer_.metadata->schema();
    std::shared_ptr<arrow::Schema> arrow_schema;
    LAMINA_ARROW(
        parquet::arrow::FromParquetSchema(&schema, ArrowProperties(), nullptr, &arrow_schema),
        "reading the schema");
    columns_.resize(static_cast<std::size_t>(arrow_schema->num_fields()));
    for (int leaf = 0; leaf < schema.num_columns(); ++leaf) {
      const int root = schema.group_node()->FieldIndex(*schema.GetColumnRoot(leaf));
      if (root < 0 || root >= arrow_schema->num_fields())
        return Corruption("the schema makes no sense");
      columns_[static_cast<std::size_t>(root)].leaves.push_back(leaf);
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      columns_[i].field = arrow_schema->field(static_cast<int>(i));
      if (columns_[i].leaves.size() == 1) {
        columns_[i].type = LeafLakeType(*schema.Column(columns_[i].leaves[0]));
      }
    }
    return Ok();
  }

  Result<std::size_t> IndexOf(const std::string& name) const {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].field->name() != name) continue;
      if (found.has_value()) return Corruption("two columns are named '" + name + "'");
      found = i;
    }
    if (!found.has_value()) return NotFound("there is no column '" + name + "'");
    return *found;
  }

  Status Plan() {
    if (options_.columns.has_value()) {
      for (const std::string& name : *options_.columns) {
        LAMINA_ASSIGN(const std::size_t column, IndexOf(name));
        wanted_.push_back(column);
      }
    } else {
      for (std::size_t i = 0; i < columns_.size(); ++i) wanted_.push_back(i);
    }
    for (const ColumnRange& range : options_.ranges) {
      LAMINA_ASSIGN(const std::size_t column, IndexOf(range.column));
      if (!columns_[column].type.has_value()) {
        return Unsupported("column '" + range.column + "' has a type that cannot be compared");
      }
      LAMINA_ASSIGN(ValueRange made, ValueRange::Make(range, *columns_[column].type));
      filters_.push_back({column, std::move(made)});
    }
    const auto chunks = static_cast<std::size_t>(footer_.metadata->num_row_groups()) *
                        static_cast<std::size_t>(footer_.metadata->num_columns());
    LAMINA_ASSIGN(checksums_, ChunkChecksums(*footer_.metadata, chunks));
    return Ok();
  }

  /// The rows of `asked` that pass all filters; with `exact` off, those of pages that may.
  Result<RowRanges> RowsToKeep(int group, RowRanges asked) {
    if (asked.empty()) return asked;
    std::vector<const Filter*> open;  // those that statistics do not settle
    for (const Filter& filter : filters_) {
      const Matches matches = GroupMatches(group, filter);
      if (matches == Matches::kNone) return RowRanges();
      if (matches == Matches::kSome) open.push_back(&filter);
    }
    ++counts_.row_groups_read;
    for (const Filter* each : open) {
      const Filter& filter = *each;
      if (!index_.has_value()) {
        LAMINA_ASSIGN(index_, PageIndex::Load(*file_, footer_));
      }
      const FileColumn& column = columns_[filter.column];
      LAMINA_ASSIGN(
          const RowRanges may,
          index_->MayMatch(*footer_.metadata, group, column.leaves[0], *column.type, filter.range));
      asked = Intersect(asked, may);
    }
    if (!options_.exact) return asked;
    for (const Filter* filter : open) {
      if (asked.empty()) break;
      LAMINA_ASSIGN(const DecodedRows decoded,
                    DecodeLeaf(group, columns_[filter->column], asked, Form::kToCompare));
      asked = Intersect(asked, Matching(decoded, filter->range));
    }
    return asked;
  }

  enum class Matches : std::uint8_t { kNone, kSome, kAll };

  /// What the statistics of a row group say of a filter.
  Matches GroupMatches(int group, const Filter& filter) const {
    const FileColumn& column = columns_[filter.column];
    const auto row_group = footer_.metadata->RowGroup(group);
    const auto chunk = row_group->ColumnChunk(column.leaves[0]);
    const auto statistics = chunk->statistics();
    if (statistics == nullptr) return Matches::kSome;
    const bool counted = statistics->HasNullCount();
    if (counted && statistics->null_count() == chunk->num_values()) return Matches::kNone;
    const auto bounds = BoundsOf(*statistics, *column.type);
    if (!bounds.has_value()) return Matches::kSome;
    if (!filter.range.MayOverlap(*bounds)) return Matches::kNone;
    const bool all = checksums_.has_value() && counted && statistics->null_count() == 0 &&
                     filter.range.Holds(*bounds);
    return all ? Matches::kAll : Matches::kSome;
  }

  /// The one value of all rows of a chunk that we wrote, by its statistics; of rows that a filter
  /// leaves, the only value it allows. Doubles are not among them: their zeros have two signs.
  Result<std::shared_ptr<arrow::Array>> Constant(int group, const FileColumn& column,
                                                 std::int64_t rows) const {
    const std::shared_ptr<arrow::DataType>& type = column.field->type();
    for (const Filter& filter : filters_) {
      if (!options_.exact || &columns_[filter.column] != &column) continue;
      if (const BoundValue* only = filter.range.Single()) return Repeat(*only, type, rows);
    }
    if (!checksums_.has_value() || column.leaves.size() != 1) return nullptr;
    if (*column.type == LakeType::kDouble || *column.type == LakeType::kInt32List) return nullptr;
    const auto row_group = footer_.metadata->RowGroup(group);
    const auto chunk = row_group->ColumnChunk(column.leaves[0]);
    const auto statistics = chunk->statistics();
    if (statistics == nullptr || !statistics->HasNullCount()) return nullptr;
    if (statistics->null_count() == chunk->num_values()) {
      LAMINA_ARROW_ASSIGN(auto nulls, arrow::MakeArrayOfNull(type, rows), "reading NULLs");
      return nulls;
    }
    const auto bounds = BoundsOf(*statistics, *column.type);
    if (statistics->null_count() != 0 || !bounds || bounds->low != bounds->high) return nullptr;
    return Repeat(bounds->low, type, rows);
  }

  static RowRanges Matching(const DecodedRows& decoded, const ValueRange& range) {
    RowRanges local;
    std::int64_t at = 0;
    for (const auto& chunk : decoded.values->chunks()) {
      range.Match(*chunk, at, local);
      at += chunk->length();
    }
    return FromLocal(decoded.rows, local);
  }

  enum class Form : std::uint8_t { kValues, kToCompare };

  Result<DecodedRows> DecodeLeaf(int group, const FileColumn& column, const RowRanges& wanted,
                                 Form form) {
    const parquet::FileMetaData& metadata = *footer_.metadata;
    const int leaf = column.leaves[0];
    const auto row_group = metadata.RowGroup(group);
    std::optional<std::uint32_t> checksum;
    if (checksums_.has_value()) {
      checksum = (*checksums_)[static_cast<std::size_t>(group) *
                                   static_cast<std::size_t>(metadata.num_columns()) +
                               static_cast<std::size_t>(leaf)];
    }
    const auto chunk = ColumnChunk::Make(
        *file_, {metadata.schema()->Column(leaf), *column.type, column.field->type()},
        *row_group->ColumnChunk(leaf), row_group->num_rows(), checksum);
    const std::string where =
        "row group " + std::to_string(group) + ", column '" + column.field->name() + "'";
    if (!chunk.ok()) return std::move(chunk.error().Clone()).With(where);
    if (form == Form::kValues) {
      LAMINA_ASSIGN(auto constant, Constant(group, column, wanted.row_count()));
      if (constant != nullptr) {
        return DecodedRows{.values = std::make_shared<arrow::ChunkedArray>(std::move(constant)),
                           .rows = wanted};
      }
    }
    const bool indices = form == Form::kToCompare && *column.type == LakeType::kVarchar;
    auto decoded = indices ? chunk->DecodeIndices(wanted) : chunk->Decode(wanted);
    if (!decoded.ok()) return std::move(decoded).error().With(where);
    return decoded;
  }

  Result<DecodedRows> ReadForeign(int group, const FileColumn& column) {
    if (foreign_ == nullptr) {
      parquet::ReaderProperties properties;
      properties.set_page_checksum_verification(true);
      auto raw = parquet::ParquetFileReader::Open(file_, properties, footer_.metadata);
      LAMINA_ARROW_ASSIGN(foreign_,
                          parquet::arrow::FileReader::Make(arrow::default_memory_pool(),
                                                           std::move(raw), ArrowProperties()),
                          "opening");
    }
    LAMINA_ARROW_ASSIGN(const auto table, foreign_->ReadRowGroup(group, column.leaves),
                        "reading column '" + column.field->name() + "'");
    const std::int64_t rows = footer_.metadata->RowGroup(group)->num_rows();
    if (table->num_columns() != 1 || table->num_rows() != rows) {
      return Corruption("row group " + std::to_string(group) +
                        " has another number of rows than it says");
    }
    return DecodedRows{.values = table->column(0), .rows = RowRanges(0, rows)};
  }

  Status ReadColumn(const Part& part, const FileColumn& column, arrow::ArrayVector& chunks) {
    LAMINA_ASSIGN(const DecodedRows decoded,
                  column.type.has_value() ? DecodeLeaf(part.group, column, part.keep, Form::kValues)
                                          : ReadForeign(part.group, column));
    LAMINA_ASSIGN(const auto kept, KeepRows(decoded.values, ToLocal(decoded.rows, part.keep)));
    for (const auto& chunk : kept->chunks()) {
      if (!chunk->type()->Equals(*column.field->type()))
        return Corruption("a column changes its type");
      chunks.push_back(chunk);
    }
    return Ok();
  }

  std::shared_ptr<EnvInputFile> file_;
  const ReadOptions& options_;
  ReadStatistics& counts_;
  Footer footer_;
  std::vector<FileColumn> columns_;
  std::vector<std::size_t> wanted_;
  std::vector<Filter> filters_;
  std::optional<std::vector<std::uint32_t>> checksums_;
  std::optional<PageIndex> index_;
  std::unique_ptr<parquet::arrow::FileReader> foreign_;
};

/// Run `work`; whatever goes wrong comes back as an Error that names the file.
template <class T, class Work>
Result<T> Guarded(EnvInputFile& file, const std::string& path, Work work) {
  Result<T> result = Translated<Result<T>>(work);
  if (result.ok()) return result;
  const std::string context = "reading " + path;
  if (auto error = file.TakeError()) return std::move(*error).With(context);
  return std::move(result).error().With(context);
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> ReadParquet(io::Env& env, const std::string& path,
                                                  const ReadOptions& options,
                                                  ReadStatistics* statistics) {
  LAMINA_ASSIGN(auto opened, env.OpenReadable(path));
  const auto file = std::make_shared<EnvInputFile>(std::move(opened));
  ReadStatistics counts;
  auto table = Guarded<std::shared_ptr<arrow::Table>>(
      *file, path, [&] { return FileScan(file, options, counts).Run(); });
  counts.bytes_read = file->bytes_read();
  if (statistics != nullptr) *statistics = counts;
  return table;
}

Result<std::int64_t> CountCandidates(io::Env& env, const std::string& path,
                                     const ReadOptions& options) {
  LAMINA_ASSIGN(auto opened, env.OpenReadable(path));
  const auto file = std::make_shared<EnvInputFile>(std::move(opened));
  ReadOptions coarse = options;
  coarse.exact = false;
  ReadStatistics counts;
  return Guarded<std::int64_t>(*file, path, [&] { return FileScan(file, coarse, counts).Count(); });
}

Result<WrittenFile> InspectParquet(io::Env& env, const std::string& path) {
  LAMINA_ASSIGN(auto opened, env.OpenReadable(path));
  const auto file = std::make_shared<EnvInputFile>(std::move(opened));
  return Guarded<WrittenFile>(*file, path, [&]() -> Result<WrittenFile> {
    LAMINA_ASSIGN(const Footer footer, ReadFooter(*file, std::nullopt));
    WrittenFile written;
    written.rows = footer.metadata->num_rows();
    written.size_bytes = footer.file_size;
    written.footer_size = footer.thrift_size;
    written.footer_crc32c = footer.crc32c;
    written.columns = StatisticsOf(*footer.metadata);
    return written;
  });
}

}  // namespace lamina::table
