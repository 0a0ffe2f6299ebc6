#include "lamina/backtests/run_selection.h"

#include <algorithm>
#include <map>

#include <arrow/api.h>

#include "lamina/backtests/run_id_column.h"
#include "lamina/table/columns.h"

namespace lamina::backtests {

Result<std::shared_ptr<arrow::Table>> SelectRuns(
    const std::vector<std::shared_ptr<arrow::Table>>& tables, const std::vector<Uuid>& ids) {
  if (tables.empty()) return InvalidArgument("no rows to choose runs from");
  std::map<Uuid, std::vector<std::shared_ptr<arrow::Table>>> found;
  for (const auto& table : tables) {
    LAMINA_ASSIGN(const auto ranges, table::EqualRuns(*table, "run_id"));
    LAMINA_ASSIGN(const RunIdColumn column, RunIdColumn::Of(*table));
    for (const auto& range : ranges) {
      const Uuid id = column.At(range.begin);
      if (!std::binary_search(ids.begin(), ids.end(), id)) continue;
      found[id].push_back(table->Slice(range.begin, range.end - range.begin));
    }
  }
  std::vector<std::shared_ptr<arrow::Table>> slices;
  for (auto& [id, parts] : found) {
    slices.insert(slices.end(), parts.begin(), parts.end());
  }
  if (slices.empty()) return tables.front()->Slice(0, 0);
  return table::StackTables(slices);
}

}  // namespace lamina::backtests
