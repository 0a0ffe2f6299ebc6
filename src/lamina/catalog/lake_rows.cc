#include "lamina/catalog/lake_rows.h"

#include <algorithm>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/chunked_array.h>
#include <arrow/table.h>

#include "lamina/catalog/compaction_policy.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"
#include "lamina/table/row_ranges.h"
#include "lamina/table/value_range.h"

namespace lamina::catalog {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;
using table::ColumnRange;
using table::RowRange;
using table::RowRanges;

// With this many stretches of rows left between deleted ones, each is read by itself (so that row
// groups outside the ranges are not read); with more, the whole file is.
constexpr std::size_t kStretchesMax = 8;

// Prices as doubles repeat the low bytes of their mantissas: the longer the page and the search,
// the better. docs/format/lake_files.md has the figures.
constexpr int kSeriesZstdLevel = 7;
// The code tables change within a page as series do, and one series is unpacked without the next.
constexpr std::int64_t kSeriesZstdBlock = 32'768;
// A file of fewer rows is merged before its size counts.
constexpr std::int64_t kSeriesTrialRows = 2'048;

bool Lacks(const LakeFile& file, const LakeColumn& column) {
  return std::find(file.missing_columns.begin(), file.missing_columns.end(), column.column_id) !=
         file.missing_columns.end();
}

// The rows of `keep` inside `ranges`, of a file that is read without looking at the ranges.
Result<ArrowTable> ReadScattered(io::Env& env, const std::string& path, const LakeFile& file,
                                 const RowRanges& keep, table::ReadOptions options,
                                 table::ReadStatistics* statistics) {
  const std::vector<ColumnRange> ranges = std::exchange(options.ranges, {});
  const std::vector<std::string> wanted = *options.columns;
  for (const ColumnRange& range : ranges)
    if (std::find(options.columns->begin(), options.columns->end(), range.column) ==
        options.columns->end())
      options.columns->push_back(range.column);
  LAMINA_ASSIGN(ArrowTable rows, ReadNamedFile(env, path, options, statistics));
  if (rows->num_rows() != file.rows)
    return Corruption(path + " has " + std::to_string(rows->num_rows()) + " rows, not " +
                      std::to_string(file.rows));
  RowRanges inside = keep;
  for (const ColumnRange& range : ranges) {
    LAMINA_ASSIGN(const auto column, table::ColumnNamed(*rows, range.column));
    LAMINA_ASSIGN(const table::LakeType type, table::LakeTypeOf(*column->type()));
    LAMINA_ASSIGN(const table::ValueRange values, table::ValueRange::Make(range, type));
    RowRanges matching;
    std::int64_t first_row = 0;
    for (const std::shared_ptr<arrow::Array>& chunk : column->chunks()) {
      values.Match(*chunk, first_row, matching);
      first_row += chunk->length();
    }
    inside = table::Intersect(inside, matching);
  }
  LAMINA_ASSIGN(rows, table::KeepRows(rows, inside));
  std::vector<int> order;
  for (const std::string& name : wanted) order.push_back(rows->schema()->GetFieldIndex(name));
  LAMINA_ARROW_ASSIGN(rows, rows->SelectColumns(order), "reading " + path);
  return rows;
}

Result<ArrowTable> ReadStretches(io::Env& env, const std::string& path,
                                 std::vector<RowRange> stretches, table::ReadOptions options,
                                 table::ReadStatistics* statistics) {
  if (stretches.empty()) stretches.emplace_back();
  std::vector<ArrowTable> parts;
  for (const RowRange& stretch : stretches) {
    options.row_begin = stretch.begin;
    options.row_end = stretch.end;
    LAMINA_ASSIGN(ArrowTable part, ReadNamedFile(env, path, options, statistics));
    parts.push_back(std::move(part));
  }
  return table::StackTables(parts);
}

Result<ArrowTable> ReadKept(io::Env& env, const std::string& path, const LakeFile& file,
                            const RowRanges& keep, const table::ReadOptions& options,
                            table::ReadStatistics* statistics) {
  if (keep.row_count() < file.rows) {
    return keep.ranges().size() <= kStretchesMax
               ? ReadStretches(env, path, keep.ranges(), options, statistics)
               : ReadScattered(env, path, file, keep, options, statistics);
  }
  LAMINA_ASSIGN(ArrowTable rows, ReadNamedFile(env, path, options, statistics));
  if (options.ranges.empty() && rows->num_rows() != file.rows)
    return Corruption(path + " has " + std::to_string(rows->num_rows()) + " rows, not " +
                      std::to_string(file.rows));
  return rows;
}

std::vector<std::string> NamesInFile(const LakeTable& table, const LakeFile& file,
                                     const std::vector<LakeColumn>& columns) {
  std::vector<std::string> names;
  for (const LakeColumn& column : columns)
    if (!Lacks(file, column)) names.push_back(column.name);
  // Something must say how many rows there are; the first column was never added later.
  if (names.empty()) names.push_back(table.columns.front().name);
  return names;
}

// Give the rows of a file the table's columns.
Result<ArrowTable> Conform(const ArrowTable& rows, const std::string& path, const LakeFile& file,
                           const std::vector<LakeColumn>& columns) {
  const std::shared_ptr<arrow::Schema> schema = SchemaOf(columns);
  std::vector<std::shared_ptr<arrow::ChunkedArray>> arrays;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::shared_ptr<arrow::DataType>& type = schema->field(static_cast<int>(i))->type();
    if (Lacks(file, columns[i])) {
      LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Array> nulls,
                          arrow::MakeArrayOfNull(type, rows->num_rows()), "reading " + path);
      arrays.push_back(std::make_shared<arrow::ChunkedArray>(std::move(nulls)));
      continue;
    }
    Result<std::shared_ptr<arrow::ChunkedArray>> column =
        table::ColumnNamed(*rows, columns[i].name);
    if (!column.ok()) return Corruption(path + ": " + std::string(column.error().message()));
    if (!(*column)->type()->Equals(*type))
      return Corruption(path + ": column '" + columns[i].name + "' is " +
                        (*column)->type()->ToString() + ", not " + type->ToString());
    arrays.push_back(*std::move(column));
  }
  return arrow::Table::Make(schema, std::move(arrays), rows->num_rows());
}

}  // namespace

Result<std::vector<LakeColumn>> ChooseColumns(
    const LakeTable& table, const std::optional<std::vector<std::string>>& names) {
  if (!names) return table.columns;
  std::vector<LakeColumn> chosen;
  for (const std::string& name : *names) {
    const auto column = std::find_if(table.columns.begin(), table.columns.end(),
                                     [&](const LakeColumn& c) { return c.name == name; });
    if (column == table.columns.end())
      return NotFound("table " + table.schema + "." + table.name + " has no column '" + name + "'");
    for (const LakeColumn& before : chosen)
      if (before.name == name) return InvalidArgument("column '" + name + "' is asked for twice");
    chosen.push_back(*column);
  }
  return chosen;
}

std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<LakeColumn>& columns) {
  arrow::FieldVector fields;
  for (const LakeColumn& column : columns)
    fields.push_back(table::MakeField(
        column.name, column.type, static_cast<std::int32_t>(column.column_id), column.nullable));
  return arrow::schema(std::move(fields));
}

bool HoldsSeries(const LakeTable& table) {
  return !table.sorted_by.empty() &&
         std::any_of(table.columns.begin(), table.columns.end(), [&](const LakeColumn& column) {
           return column.name == table.sorted_by.back() &&
                  (column.type == table::LakeType::kTimestampTz ||
                   column.type == table::LakeType::kTimestamp);
         });
}

table::WriteOptions WriteOptionsOf(const LakeTable& table) {
  table::WriteOptions options{.sorted_by = table.sorted_by};
  if (!HoldsSeries(table)) return options;
  options.zstd_level = kSeriesZstdLevel;
  options.zstd_block_bytes = kSeriesZstdBlock;
  options.page_rows = kSeriesPageRows;
  options.trial_rows_min = kSeriesTrialRows;
  options.series_by.assign(table.sorted_by.begin(), table.sorted_by.end() - 1);
  return options;
}

Result<ArrowTable> ReadNamedFile(io::Env& env, const std::string& path,
                                 const table::ReadOptions& options,
                                 table::ReadStatistics* statistics) {
  table::ReadStatistics read;
  Result<ArrowTable> rows = table::ReadParquet(env, path, options, &read);
  if (statistics != nullptr) {
    statistics->row_groups += read.row_groups;
    statistics->row_groups_read += read.row_groups_read;
    statistics->bytes_read += read.bytes_read;
  }
  if (rows.ok() || rows.error().code() != ErrorCode::kNotFound) return rows;
  return Corruption(path + " is missing, and the catalog names it");
}

Result<std::shared_ptr<arrow::Table>> ReadLakeFile(io::Env& env, std::string_view lake_root,
                                                   const LakeTable& table, const LakeFile& file,
                                                   const std::vector<LakeColumn>& columns,
                                                   const std::vector<ColumnRange>& ranges,
                                                   table::ReadStatistics* statistics,
                                                   std::size_t workers) {
  const std::string path = io::JoinPath(lake_root, file.path);
  LAMINA_ASSIGN(const std::vector<std::int64_t> deleted,
                ReadDeletedPositions(env, lake_root, file));
  table::ReadOptions options{
      .ranges = ranges, .footer_crc32c = file.footer_crc32c, .workers = workers};
  options.columns = NamesInFile(table, file, columns);
  LAMINA_ASSIGN(const ArrowTable rows,
                ReadKept(env, path, file, table::Without(file.rows, deleted), options, statistics));
  return Conform(rows, path, file, columns);
}

Result<std::shared_ptr<arrow::Table>> ReadStoredRows(io::Env& env, std::string_view lake_root,
                                                     const LakeTable& table, const LakeFile& file,
                                                     const std::vector<LakeColumn>& columns,
                                                     std::int64_t row_begin, std::int64_t row_end) {
  const std::string path = io::JoinPath(lake_root, file.path);
  table::ReadOptions options{.footer_crc32c = file.footer_crc32c};
  options.columns = NamesInFile(table, file, columns);
  options.row_begin = row_begin;
  options.row_end = row_end;
  LAMINA_ASSIGN(const ArrowTable rows, ReadNamedFile(env, path, options));
  if (rows->num_rows() != std::min(row_end, file.rows) - row_begin)
    return Corruption(path + " does not have " + std::to_string(file.rows) + " rows");
  return Conform(rows, path, file, columns);
}

}  // namespace lamina::catalog
