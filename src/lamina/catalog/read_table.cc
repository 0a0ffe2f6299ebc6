#include <string>
#include <utility>

#include <arrow/scalar.h>
#include <arrow/table.h>

#include "lamina/catalog/catalog.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/catalog/lake_value.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"

namespace lamina::catalog {

Result<std::shared_ptr<arrow::Table>> Catalog::ReadTable(
    const LakeTable& table, std::int64_t snapshot, const std::vector<table::ColumnRange>& ranges,
    const std::optional<std::vector<std::string>>& columns) {
  LAMINA_ASSIGN(const std::vector<LakeColumn> wanted, ChooseColumns(table, columns));
  std::vector<LakeRange> bounds;
  for (const table::ColumnRange& range : ranges) {
    LAMINA_ASSIGN(const std::vector<LakeColumn> column,
                  ChooseColumns(table, std::vector<std::string>{range.column}));
    LakeRange bound{.column = range.column};
    if (range.low) {
      LAMINA_ASSIGN(bound.low, LakeText(column[0].type, *range.low));
    }
    if (range.high) {
      LAMINA_ASSIGN(bound.high, LakeText(column[0].type, *range.high));
    }
    bounds.push_back(std::move(bound));
  }
  std::vector<LakeFile> files;
  LAMINA_TRY(Read([&](Database& database) -> Status {
    LakeReader reader(database);
    LAMINA_TRY(reader.CheckSnapshot(snapshot));
    LAMINA_ASSIGN(files, reader.Plan(table, snapshot, bounds));
    return Ok();
  }));
  const std::string lake_root = LakePath("");
  std::vector<std::shared_ptr<arrow::Table>> parts;
  for (const LakeFile& file : files) {
    LAMINA_ASSIGN(std::shared_ptr<arrow::Table> part,
                  ReadLakeFile(env(), lake_root, table, file, wanted, ranges));
    if (part->num_rows() > 0) parts.push_back(std::move(part));
  }
  if (!parts.empty()) return table::StackTables(parts);
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Table> empty,
                      arrow::Table::MakeEmpty(SchemaOf(wanted)), "reading");
  return empty;
}

}  // namespace lamina::catalog
