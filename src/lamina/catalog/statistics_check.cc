#include "lamina/catalog/statistics_check.h"

#include <cmath>
#include <map>
#include <type_traits>
#include <utility>

#include <arrow/api.h>

#include "lamina/catalog/lake_value.h"
#include "lamina/table/arrow_status.h"

namespace lamina::catalog {
namespace {

using table::LakeType;

/// What a column really holds; the extremes as rows of their chunks.
struct Found {
  std::int64_t values = 0, nulls = 0;
  bool nan = false;
  std::shared_ptr<arrow::Scalar> min, max;
};

template <class Array>
auto ValueAt(const Array& array, std::int64_t i) {
  if constexpr (std::is_same_v<Array, arrow::BooleanArray>) {
    return array.Value(i);
  } else {
    return array.GetView(i);
  }
}

/// Extremes of all chunks; NaN bounds nothing.
template <class Array>
Status Scan(const arrow::ChunkedArray& column, Found& found) {
  using Value = decltype(ValueAt(std::declval<const Array&>(), 0));
  std::optional<Value> low, high;
  std::pair<const arrow::Array*, std::int64_t> low_place{}, high_place{};
  for (const auto& chunk : column.chunks()) {
    const auto& array = static_cast<const Array&>(*chunk);
    const bool nulls = array.null_count() > 0;
    for (std::int64_t i = 0; i < array.length(); ++i) {
      if (nulls && array.IsNull(i)) continue;
      const Value value = ValueAt(array, i);
      if constexpr (std::is_floating_point_v<Value>) {
        if (std::isnan(value)) {
          found.nan = true;
          continue;
        }
      }
      if (!low || value < *low) {
        low = value;
        low_place = {&array, i};
      }
      if (!high || *high < value) {
        high = value;
        high_place = {&array, i};
      }
    }
  }
  if (!low) return Ok();
  LAMINA_ARROW_ASSIGN(found.min, low_place.first->GetScalar(low_place.second), "statistics");
  LAMINA_ARROW_ASSIGN(found.max, high_place.first->GetScalar(high_place.second), "statistics");
  return Ok();
}

Result<Found> Look(const arrow::ChunkedArray& column) {
  Found found;
  found.nulls = column.null_count();
  found.values = column.length() - found.nulls;
  Status done = Ok();
  switch (column.type()->id()) {
    case arrow::Type::BOOL:
      done = Scan<arrow::BooleanArray>(column, found);
      break;
    case arrow::Type::INT32:
      done = Scan<arrow::Int32Array>(column, found);
      break;
    case arrow::Type::DATE32:
      done = Scan<arrow::Date32Array>(column, found);
      break;
    case arrow::Type::INT64:
      done = Scan<arrow::Int64Array>(column, found);
      break;
    case arrow::Type::DOUBLE:
      done = Scan<arrow::DoubleArray>(column, found);
      break;
    case arrow::Type::TIMESTAMP:
      done = Scan<arrow::TimestampArray>(column, found);
      break;
    case arrow::Type::STRING:
      done = Scan<arrow::StringArray>(column, found);
      break;
    case arrow::Type::BINARY:
      done = Scan<arrow::BinaryArray>(column, found);
      break;
    case arrow::Type::EXTENSION: {  // arrow.uuid, 16 bytes
      arrow::ArrayVector parts;
      for (const auto& chunk : column.chunks())
        parts.push_back(static_cast<const arrow::ExtensionArray&>(*chunk).storage());
      if (parts.empty()) break;
      if (parts[0]->type_id() != arrow::Type::FIXED_SIZE_BINARY) break;
      done = Scan<arrow::FixedSizeBinaryArray>(arrow::ChunkedArray(std::move(parts)), found);
      break;
    }
    default:
      break;  // lists have no bounds
  }
  if (!done.ok()) return std::move(done).error();
  return found;
}

/// Whether `bound` keeps `extreme` in: below it (`low`) or above.
Result<bool> Encloses(LakeType type, const std::string& bound, bool low,
                      const std::shared_ptr<arrow::Scalar>& extreme) {
  if (!extreme) return true;
  LAMINA_ASSIGN(const std::optional<std::string> text, LakeText(type, *extreme));
  if (!text) return true;
  const auto stored = LakeValue::Parse(type, bound);
  const auto actual = LakeValue::Parse(type, *text);
  if (!stored || !actual) return true;  // a planner concludes nothing from such a bound
  return low ? stored->Compare(*actual) <= 0 : stored->Compare(*actual) >= 0;
}

std::string Number(std::optional<std::int64_t> value) {
  return value ? std::to_string(*value) : "none";
}

Result<StoredStatistics> TypedRow(Statement& read, int first) {
  StoredStatistics one;
  one.column_id = read.Int(first);
  one.column = read.Text(first + 1);
  LAMINA_ASSIGN(one.type, table::LakeTypeFromName(read.Text(first + 2)));
  one.min_value = read.OptionalText(first + 3);
  one.max_value = read.OptionalText(first + 4);
  one.contains_nan = read.OptionalInt(first + 5);
  return one;
}

constexpr std::string_view kNewestColumn =
    "JOIN ducklake_column c ON c.table_id = s.table_id AND c.column_id = s.column_id AND "
    "c.parent_column IS NULL AND c.end_snapshot IS NULL AND c.column_type <> 'list' ";

}  // namespace

Result<std::vector<StoredStatistics>> ReadStatistics(Database& database,
                                                     std::int64_t data_file_id) {
  LAMINA_ASSIGN(Statement read,
                database.Prepare("SELECT s.column_id, c.column_name, c.column_type, s.min_value, "
                                 "s.max_value, s.contains_nan, s.value_count, s.null_count FROM "
                                 "ducklake_file_column_stats s " +
                                 std::string(kNewestColumn) +
                                 "WHERE s.data_file_id = ?1 ORDER BY s.column_id"));
  read.Bind(1, data_file_id);
  std::vector<StoredStatistics> all;
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return all;
    LAMINA_ASSIGN(auto one, TypedRow(read, 0));
    one.value_count = read.OptionalInt(6);
    one.null_count = read.OptionalInt(7);
    all.push_back(std::move(one));
  }
}

Result<std::vector<std::string>> StatisticsProblems(const std::vector<StoredStatistics>& stored,
                                                    const arrow::Table& rows) {
  std::vector<std::string> problems;
  for (const StoredStatistics& one : stored) {
    std::shared_ptr<arrow::ChunkedArray> column;
    for (int i = 0; i < rows.num_columns(); ++i) {
      const auto id = table::FieldId(*rows.schema()->field(i));
      if (id.ok() && *id == one.column_id) column = rows.column(i);
    }
    const auto wrong = [&](const std::string& what) {
      problems.push_back("the statistics of column " + one.column + " " + what);
    };
    if (!column) {
      wrong("are of a column that the file lacks");
      continue;
    }
    LAMINA_ASSIGN(const Found found, Look(*column));
    if (one.null_count && *one.null_count != found.nulls)
      wrong("count " + Number(one.null_count) + " NULLs, there are " + std::to_string(found.nulls));
    if (one.value_count && *one.value_count != found.values)
      wrong("count " + Number(one.value_count) + " values, there are " +
            std::to_string(found.values));
    if (found.nan && one.contains_nan == 0) wrong("deny a NaN that is there");
    for (const bool low : {true, false}) {
      const auto& bound = low ? one.min_value : one.max_value;
      if (!bound) continue;
      LAMINA_ASSIGN(const bool true_bound,
                    Encloses(one.type, *bound, low, low ? found.min : found.max));
      if (true_bound) continue;
      wrong(std::string(low ? "give the least value as " : "give the greatest value as ") + *bound +
            ", a row is beyond it");
    }
  }
  return problems;
}

Result<std::vector<std::string>> TableStatisticsProblems(Database& database) {
  std::vector<std::string> problems;
  std::map<std::pair<std::int64_t, std::int64_t>, StoredStatistics> tables;
  {
    LAMINA_ASSIGN(Statement read,
                  database.Prepare("SELECT s.table_id, s.column_id, c.column_name, c.column_type, "
                                   "s.min_value, s.max_value, s.contains_nan FROM "
                                   "ducklake_table_column_stats s " +
                                   std::string(kNewestColumn)));
    for (;;) {
      LAMINA_ASSIGN(const bool row, read.Step());
      if (!row) break;
      const std::int64_t table_id = read.Int(0);
      LAMINA_ASSIGN(auto one, TypedRow(read, 1));
      const std::int64_t column_id = one.column_id;
      tables.emplace(std::pair(table_id, column_id), std::move(one));
    }
  }
  LAMINA_ASSIGN(
      Statement read,
      database.Prepare("SELECT s.table_id, s.column_id, c.column_name, c.column_type, s.min_value, "
                       "s.max_value, s.contains_nan, f.path FROM ducklake_file_column_stats s "
                       "JOIN ducklake_data_file f ON f.data_file_id = s.data_file_id AND "
                       "f.end_snapshot IS NULL " +
                       std::string(kNewestColumn)));
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return problems;
    LAMINA_ASSIGN(const auto file, TypedRow(read, 1));
    const auto place = tables.find({read.Int(0), file.column_id});
    if (place == tables.end()) continue;
    const StoredStatistics& whole = place->second;
    for (const bool low : {true, false}) {
      // Files of before have exact bounds, later ones wider ones of doubles.
      const auto outer = StoredBound(whole.type, low ? whole.min_value : whole.max_value, low);
      const auto& inner = low ? file.min_value : file.max_value;
      if (!outer || !inner) continue;
      const auto outer_value = LakeValue::Parse(whole.type, *outer);
      const auto inner_value = LakeValue::Parse(whole.type, *inner);
      if (!outer_value || !inner_value) continue;
      const auto order = outer_value->Compare(*inner_value);
      if (low ? order <= 0 : order >= 0) continue;
      problems.push_back("the statistics of the whole table leave out rows of " +
                         std::string(read.Text(7)) + " in column " + file.column);
    }
    if (file.contains_nan == 1 && whole.contains_nan == 0) {
      problems.push_back("the statistics of the whole table deny a NaN in column " + file.column +
                         " of " + std::string(read.Text(7)));
    }
  }
}

}  // namespace lamina::catalog
