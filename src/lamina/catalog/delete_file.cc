#include <algorithm>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/chunked_array.h>
#include <arrow/table.h>

#include "lamina/catalog/lake.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/table/arrow_status.h"

namespace lamina::catalog {
namespace {

using table::LakeType;

// Field ids of the columns of a positional delete file (as in Iceberg).
constexpr std::int32_t kFilePathId = 2147483646;
constexpr std::int32_t kPositionId = 2147483645;
constexpr const char* kPositionName = "pos";

Result<std::shared_ptr<arrow::Table>> PositionRows(const std::string& data_path,
                                                   const std::vector<std::int64_t>& positions) {
  arrow::StringBuilder paths;
  arrow::Int64Builder numbers;
  const auto count = static_cast<std::int64_t>(positions.size());
  LAMINA_ARROW(paths.Reserve(count), "building a delete file");
  LAMINA_ARROW(paths.ReserveData(count * static_cast<std::int64_t>(data_path.size())),
               "building a delete file");
  for (std::int64_t i = 0; i < count; ++i) paths.UnsafeAppend(data_path);
  LAMINA_ARROW(numbers.AppendValues(positions), "building a delete file");
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Array> path_array, paths.Finish(),
                      "building a delete file");
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Array> number_array, numbers.Finish(),
                      "building a delete file");
  const auto schema =
      arrow::schema({table::MakeField("file_path", LakeType::kVarchar, kFilePathId, false),
                     table::MakeField(kPositionName, LakeType::kInt64, kPositionId, false)});
  return arrow::Table::Make(schema, {std::move(path_array), std::move(number_array)});
}

}  // namespace

Result<table::WrittenFile> WriteDeleteFile(io::Env& env, const std::string& path,
                                           const LakeFile& data_file,
                                           std::vector<std::int64_t> positions) {
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  if (positions.empty()) return InvalidArgument("no rows of " + data_file.path + " to delete");
  for (const std::int64_t position : {positions.front(), positions.back()})
    if (position < 0 || position >= data_file.rows)
      return InvalidArgument(data_file.path + " has no row " + std::to_string(position));
  // The path is relative to lake/, so that a moved store is right; readers go by the catalog row.
  LAMINA_ASSIGN(const std::shared_ptr<arrow::Table> rows, PositionRows(data_file.path, positions));
  return table::WriteParquet(env, path, *rows, {.sorted_by = {kPositionName}});
}

Result<std::vector<std::int64_t>> ReadDeletedPositions(io::Env& env, std::string_view lake_root,
                                                       const LakeFile& data_file) {
  std::vector<std::int64_t> positions;
  if (!data_file.deletes) return positions;
  const std::string path = io::JoinPath(lake_root, data_file.deletes->path);
  LAMINA_ASSIGN(const std::shared_ptr<arrow::Table> rows,
                ReadNamedFile(env, path,
                              {.columns = std::vector<std::string>{kPositionName},
                               .footer_crc32c = data_file.deletes->footer_crc32c}));
  const std::shared_ptr<arrow::ChunkedArray> column = rows->column(0);
  if (column->type()->id() != arrow::Type::INT64 || column->null_count() != 0)
    return Corruption(path + ": positions are not plain INT64");
  for (const std::shared_ptr<arrow::Array>& chunk : column->chunks()) {
    const auto& numbers = static_cast<const arrow::Int64Array&>(*chunk);
    positions.insert(positions.end(), numbers.raw_values(),
                     numbers.raw_values() + numbers.length());
  }
  const bool ascending = std::adjacent_find(positions.begin(), positions.end(),
                                            std::greater_equal<>()) == positions.end();
  const bool inside =
      positions.empty() || (positions.front() >= 0 && positions.back() < data_file.rows);
  if (!ascending || !inside ||
      static_cast<std::int64_t>(positions.size()) != data_file.deletes->rows)
    return Corruption(path + ": does not list rows of " + data_file.path);
  return positions;
}

}  // namespace lamina::catalog
