#pragma once

/// \file lamina/catalog/statistics_check.h
/// Whether the statistics that planning believes are true: a bound that is too narrow silently
/// loses rows. Functions; thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/catalog/database.h"
#include "lamina/table/lake_type.h"

namespace arrow {
class Table;
}

namespace lamina::catalog {

/// What the catalog says of one column of one file.
struct StoredStatistics {
  std::int64_t column_id = 0;
  std::string column;
  table::LakeType type = table::LakeType::kVarchar;
  std::optional<std::int64_t> value_count, null_count, contains_nan;
  std::optional<std::string> min_value, max_value;
};

/// Of a data file, by column. RETURNS kUnsupported for a type outside LakeType.
Result<std::vector<StoredStatistics>> ReadStatistics(Database& database, std::int64_t data_file_id);

/// What `rows`, all of the file (fields carry field ids), says against `stored`; one text for each
/// untruth, naming the column. Bounds need not be tight.
Result<std::vector<std::string>> StatisticsProblems(const std::vector<StoredStatistics>& stored,
                                                    const arrow::Table& rows);

/// Statistics of whole tables against those of their live files: "schema.table: what is wrong".
Result<std::vector<std::string>> TableStatisticsProblems(Database& database);

}  // namespace lamina::catalog
