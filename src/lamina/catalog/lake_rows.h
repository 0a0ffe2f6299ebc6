#pragma once

/// \file lamina/catalog/lake_rows.h
/// The live rows of one planned data file, as its table has them. Free functions; thread-safe.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/catalog/lake.h"

namespace arrow {
class Schema;
class Table;
}  // namespace arrow

namespace lamina::catalog {

/// The columns called `names`, in that order; of all columns in table order when absent.
/// RETURNS kNotFound naming the one that the table lacks, kInvalidArgument for a repeated one.
Result<std::vector<LakeColumn>> ChooseColumns(const LakeTable& table,
                                              const std::optional<std::vector<std::string>>& names);
/// Fields with field ids.
std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<LakeColumn>& columns);

/// Whether the table is sorted by time, within what its other sort columns tell apart.
bool HoldsSeries(const LakeTable& table);
/// How its files are written. Series of prices are packed harder, and stand together whole.
table::WriteOptions WriteOptionsOf(const LakeTable& table);

/// table::ReadParquet of a file that the catalog names: RETURNS kCorruption when it is missing.
/// Adds to `statistics`.
Result<std::shared_ptr<arrow::Table>> ReadNamedFile(io::Env& env, const std::string& path,
                                                    const table::ReadOptions& options,
                                                    table::ReadStatistics* statistics = nullptr);

/// Rows inside `ranges` that no delete file names, in file order, as `columns`. Added columns that
/// the file lacks are NULL. `lake_root`: the lake/ folder. What was read of the data file is added
/// to `statistics`. `workers` as in table::ReadOptions. RETURNS kCorruption naming the file.
Result<std::shared_ptr<arrow::Table>> ReadLakeFile(io::Env& env, std::string_view lake_root,
                                                   const LakeTable& table, const LakeFile& file,
                                                   const std::vector<LakeColumn>& columns,
                                                   const std::vector<table::ColumnRange>& ranges,
                                                   table::ReadStatistics* statistics = nullptr,
                                                   std::size_t workers = 1);

/// Rows [row_begin, row_end) as they stand in the file, deleted ones too, as `columns`: for who
/// needs to know where a row is. RETURNS kCorruption naming the file.
Result<std::shared_ptr<arrow::Table>> ReadStoredRows(io::Env& env, std::string_view lake_root,
                                                     const LakeTable& table, const LakeFile& file,
                                                     const std::vector<LakeColumn>& columns,
                                                     std::int64_t row_begin, std::int64_t row_end);

}  // namespace lamina::catalog
