#include <algorithm>
#include <new>

#include <arrow/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include "lamina/table/arrow_file.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/column_bounds.h"
#include "lamina/table/columns.h"
#include "lamina/table/footer.h"
#include "lamina/table/leaf_type.h"
#include "lamina/table/parquet_file.h"
#include "lamina/table/value_range.h"

namespace lamina::table {
namespace {

Result<std::shared_ptr<arrow::Table>> Read(const std::shared_ptr<EnvInputFile>& file,
                                           const ReadOptions& options, ReadStatistics& counts) {
  LAMINA_ASSIGN(const Footer footer, ReadFooter(*file, options.footer_crc32c));
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  parquet::ArrowReaderProperties arrow_properties;
  arrow_properties.set_arrow_extensions_enabled(true);
  auto raw = parquet::ParquetFileReader::Open(file, properties, footer.metadata);
  LAMINA_ARROW_ASSIGN(auto reader,
                      parquet::arrow::FileReader::Make(arrow::default_memory_pool(), std::move(raw),
                                                       arrow_properties),
                      "opening");
  std::shared_ptr<arrow::Schema> schema;
  LAMINA_ARROW(reader->GetSchema(&schema), "reading the schema");
  const auto leaf_of = [&](const std::string& name) -> Result<int> {
    const int at = schema->GetFieldIndex(name);
    if (at < 0) return NotFound("there is no column '" + name + "'");
    const auto* field = &reader->manifest().schema_fields[static_cast<std::size_t>(at)];
    while (!field->children.empty()) field = &field->children[0];
    return field->column_index;
  };
  std::vector<std::pair<int, ValueRange>> ranges;
  for (const ColumnRange& range : options.ranges) {
    LAMINA_ASSIGN(const int leaf, leaf_of(range.column));
    const auto type = LeafLakeType(*footer.metadata->schema()->Column(leaf));
    if (!type.has_value()) return Unsupported("column '" + range.column + "' cannot be compared");
    LAMINA_ASSIGN(ValueRange made, ValueRange::Make(range, *type));
    ranges.emplace_back(leaf, std::move(made));
  }
  std::vector<std::string> names;
  if (options.columns.has_value()) {
    names = *options.columns;
  } else {
    names = schema->field_names();
  }
  const std::vector<std::string> wanted = names;
  for (const ColumnRange& range : options.ranges) {
    if (std::find(names.begin(), names.end(), range.column) == names.end())
      names.push_back(range.column);
  }
  std::vector<int> leaves;
  for (const std::string& name : names) {
    LAMINA_ASSIGN(const int leaf, leaf_of(name));
    leaves.push_back(leaf);
  }
  std::sort(leaves.begin(), leaves.end());
  counts.row_groups = footer.metadata->num_row_groups();
  std::vector<std::shared_ptr<arrow::Table>> parts;
  std::int64_t first_row = 0;
  for (int g = 0; g < footer.metadata->num_row_groups(); ++g) {
    const auto row_group = footer.metadata->RowGroup(g);
    const std::int64_t rows = row_group->num_rows();
    const std::int64_t group_begin = first_row;
    first_row += rows;
    RowRanges keep(std::max<std::int64_t>(0, options.row_begin.value_or(0) - group_begin),
                   std::min(rows, options.row_end.value_or(group_begin + rows) - group_begin));
    if (keep.empty()) continue;
    bool may = true;
    for (const auto& [leaf, range] : ranges) {
      const auto type = LeafLakeType(*footer.metadata->schema()->Column(leaf));
      const auto statistics = row_group->ColumnChunk(leaf)->statistics();
      if (statistics == nullptr) continue;
      const auto bounds = BoundsOf(*statistics, *type);
      if (bounds.has_value() && !range.MayOverlap(*bounds)) may = false;
    }
    if (!may) continue;
    ++counts.row_groups_read;
    LAMINA_ARROW_ASSIGN(auto table, reader->ReadRowGroup(g, leaves),
                        "reading row group " + std::to_string(g));
    if (table->num_rows() != rows)
      return Corruption("row group " + std::to_string(g) + " has a wrong row count");
    if (options.exact) {
      for (std::size_t i = 0; i < ranges.size(); ++i) {
        LAMINA_ASSIGN(auto column, ColumnNamed(*table, options.ranges[i].column));
        RowRanges matching;
        std::int64_t at = 0;
        for (const auto& chunk : column->chunks()) {
          ranges[i].second.Match(*chunk, at, matching);
          at += chunk->length();
        }
        keep = Intersect(keep, matching);
      }
    }
    LAMINA_ASSIGN(auto kept, KeepRows(table, keep));
    parts.push_back(std::move(kept));
  }
  if (parts.empty()) {
    LAMINA_ARROW_ASSIGN(auto empty, arrow::Table::MakeEmpty(schema), "making an empty table");
    parts.push_back(std::move(empty));
  }
  LAMINA_ASSIGN(auto table, StackTables(parts));
  std::vector<int> order;
  for (const std::string& name : wanted) order.push_back(table->schema()->GetFieldIndex(name));
  LAMINA_ARROW_ASSIGN(table, table->SelectColumns(order), "selecting columns");
  return table->ReplaceSchemaMetadata(nullptr);
}

template <class T, class F>
Result<T> Guarded(EnvInputFile& file, const std::string& path, F work) {
  const auto attempt = [&]() -> Result<T> {
    try {
      return work();
    } catch (const std::bad_alloc&) {
      return ResourceExhausted("out of memory");
    } catch (const parquet::ParquetException& error) {
      return Corruption(error.what());
    } catch (const std::exception& error) {
      return Corruption(error.what());
    }
  };
  Result<T> result = attempt();
  if (result.ok()) return result;
  if (auto error = file.TakeError()) return std::move(*error).With("reading " + path);
  return std::move(result).error().With("reading " + path);
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> ReadParquet(io::Env& env, const std::string& path,
                                                  const ReadOptions& options,
                                                  ReadStatistics* statistics) {
  LAMINA_ASSIGN(auto opened, env.OpenReadable(path));
  const auto file = std::make_shared<EnvInputFile>(std::move(opened));
  ReadStatistics counts;
  auto table = Guarded<std::shared_ptr<arrow::Table>>(*file, path,
                                                      [&] { return Read(file, options, counts); });
  counts.bytes_read = file->bytes_read();
  if (statistics != nullptr) *statistics = counts;
  return table;
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
