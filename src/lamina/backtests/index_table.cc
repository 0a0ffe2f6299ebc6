#include "lamina/backtests/index_table.h"

#include <cmath>
#include <limits>
#include <utility>

#include "lamina/backtests/validated_metrics.h"

namespace lamina::backtests {
namespace {

using catalog::Statement;

constexpr int kValidatedColumns = static_cast<int>(metrics::kMetricCount) + 4;

std::string ValidatedColumnList() {
  std::string list;
  for (const auto& field : metrics::kMetricFields)
    list.append("validated_").append(field.name) += ", ";
  return list +
         "validated_number_of_windows, validated_disagreements, validated_definitions, "
         "validated_details_json";
}

std::string MakeIndexRowColumns() {
  std::string list =
      "bundle_path, algorithm_id, anchor_algorithm_id, tag, framework_version, engine_type, "
      "universe_key, study_name, study_description, risk_free_rate, number_of_runs, "
      "parameters_json, strategy_ids_json, extras_json, summary_extras_json, bundle_mtime_ns, "
      "bundle_size";
  for (const SummaryField& field : kSummaryFields) list.append(", summary_").append(field.name);
  return list + ", summary_nan_mask, start_date, end_date";
}

/// The columns of a store's table in the order that Insert and ReadRow below use.
std::string ColumnList() {
  return IndexRowColumns() +
         ", backtest_id, begin_snapshot, end_snapshot, document_sha256, imported_at, tags, note, " +
         ValidatedColumnList();
}
constexpr int kColumns = kIndexRowColumnCount + 7 + kValidatedColumns;

std::string Marks(int count) {
  std::string marks = "?";
  for (int i = 1; i < count; ++i) marks += ",?";
  return marks;
}

std::string InsertSql() {
  return "INSERT INTO backtest_index(" + ColumnList() + ") VALUES (" + Marks(kColumns) + ")";
}

void BindNumber(Statement& insert, int column, const Number& number) {
  const auto* real = std::get_if<double>(&number);
  if (const auto* integer = std::get_if<std::int64_t>(&number)) {
    insert.Bind(column, *integer);
  } else if (real != nullptr && !std::isnan(*real)) {
    insert.Bind(column, *real);
  } else {
    insert.BindNull(column);
  }
}

/// From column + 1 on; RETURNS the last one.
int BindValidated(Statement& statement, int column,
                  const std::optional<ValidatedMetrics>& validated) {
  if (!validated) {
    for (int i = 0; i < kValidatedColumns; ++i) statement.BindNull(++column);
    return column;
  }
  for (std::size_t i = 0; i < metrics::kMetricCount; ++i) {
    const auto& value = validated->pooled.values[metrics::MetricAt(i)].value;
    if (!value) {
      statement.BindNull(++column);
    } else if (metrics::kMetricFields[i].integer) {
      statement.Bind(++column, static_cast<std::int64_t>(*value));
    } else {
      statement.Bind(++column, *value);
    }
  }
  statement.Bind(++column, static_cast<std::int64_t>(validated->pooled.windows));
  statement.Bind(++column, validated->CountDisagreements());
  statement.Bind(++column, validated->definitions);
  statement.Bind(++column, ValidatedDetailsJson(*validated));
  return column;
}

std::optional<std::int64_t> MicrosOf(const std::optional<Micros>& time) {
  return time ? std::optional(time->value) : std::nullopt;
}

/// Takes the columns of a row one after another.
class RowReader {
 public:
  explicit RowReader(const Statement& statement, int first) : statement_(statement), next_(first) {}

  std::optional<std::string> Text() { return statement_.OptionalText(next_++); }
  std::string RequiredText() { return std::string(statement_.Text(next_++)); }
  std::optional<std::int64_t> Int() { return statement_.OptionalInt(next_++); }
  std::optional<Micros> Time() {
    const auto value = Int();
    return value ? std::optional(Micros{*value}) : std::nullopt;
  }
  Number Value(bool integer) {
    const int column = next_++;
    if (statement_.IsNull(column)) return {};
    if (integer) return statement_.Int(column);
    return statement_.Double(column);
  }
  ByteView Blob() { return statement_.Blob(next_++); }
  std::optional<ValidatedMetrics> Validated() {
    ValidatedMetrics validated;
    for (std::size_t i = 0; i < metrics::kMetricCount; ++i) {
      const int column = next_++;
      if (statement_.IsNull(column)) continue;
      validated.pooled.values[metrics::MetricAt(i)] =
          metrics::MetricValue::Of(statement_.Double(column));
    }
    validated.pooled.windows = static_cast<std::uint32_t>(Int().value_or(0));
    ++next_;  // how many disagreements: they are in the details
    const auto definitions = Int();
    const auto details = Text();
    if (!definitions) return std::nullopt;
    validated.definitions = *definitions;
    ReadValidatedDetails(details.value_or("{}"), validated);
    return validated;
  }

 private:
  const Statement& statement_;
  int next_;
};

Result<StoredIndexRow> ReadRow(const Statement& statement) {
  StoredIndexRow stored;
  stored.row = ReadIndexRow(statement, 0);
  RowReader read(statement, kIndexRowColumnCount);
  IndexPlace& place = stored.place;
  place.backtest_id = read.Int().value_or(0);
  place.begin_snapshot = read.Int().value_or(0);
  place.end_snapshot = read.Int();
  if (const ByteView digest = read.Blob(); !digest.empty()) {
    LAMINA_ASSIGN(place.document_sha256, Sha256Digest::FromBytes(digest));
  }
  place.imported_at = read.Time();
  place.tags = read.RequiredText();
  place.note = read.Text();
  stored.row.validated = read.Validated();
  return stored;
}

Result<std::vector<StoredIndexRow>> ReadAll(Statement& select) {
  std::vector<StoredIndexRow> rows;
  while (true) {
    LAMINA_ASSIGN(const bool there, select.Step());
    if (!there) return rows;
    LAMINA_ASSIGN(auto row, ReadRow(select));
    rows.push_back(std::move(row));
  }
}

std::string SelectSql(std::string_view condition) {
  return "SELECT " + ColumnList() + " FROM backtest_index WHERE " + std::string(condition) +
         " ORDER BY engine_type, study_name, universe_key";
}

}  // namespace

const int kValidatedColumnCount = kValidatedColumns;

const std::string& ValidatedColumns() {
  static const std::string columns = ValidatedColumnList();
  return columns;
}

void BindValidated(Statement& insert, int first, const IndexRow& row) {
  BindValidated(insert, first - 1, row.validated);
}

std::optional<ValidatedMetrics> ReadValidated(const Statement& select, int first) {
  return RowReader(select, first).Validated();
}

const std::string& IndexRowColumns() {
  static const std::string columns = MakeIndexRowColumns();
  return columns;
}

void BindIndexRow(Statement& insert, int first, const IndexRow& row) {
  int column = first - 1;
  insert.Bind(++column, row.bundle_path);
  insert.Bind(++column, row.algorithm_id);
  insert.Bind(++column, row.anchor_algorithm_id);
  insert.Bind(++column, row.tag);
  insert.Bind(++column, row.framework_version);
  insert.Bind(++column, row.engine);
  insert.Bind(++column, row.universe);
  insert.Bind(++column, row.study);
  insert.Bind(++column, row.study_description);
  BindNumber(insert, ++column, row.risk_free_rate);
  insert.Bind(++column, row.number_of_runs);
  insert.Bind(++column, row.parameters_json);
  insert.Bind(++column, row.strategy_ids_json);
  insert.Bind(++column, row.extras_json);
  insert.Bind(++column, row.summary_extras_json);
  insert.Bind(++column, row.bundle_mtime_ns);
  insert.Bind(++column, row.bundle_size);
  for (const Number& number : row.summary) BindNumber(insert, ++column, number);
  insert.Bind(++column, NanMask(row));
  insert.Bind(++column, MicrosOf(row.start));
  insert.Bind(++column, MicrosOf(row.end));
}

IndexRow ReadIndexRow(const Statement& select, int first) {
  IndexRow row;
  RowReader read(select, first);
  row.bundle_path = read.RequiredText();
  row.algorithm_id = read.Text();
  row.anchor_algorithm_id = read.Text();
  row.tag = read.Text();
  row.framework_version = read.Text();
  row.engine = read.RequiredText();
  row.universe = read.RequiredText();
  row.study = read.RequiredText();
  row.study_description = read.Text();
  row.risk_free_rate = read.Value(false);
  row.number_of_runs = read.Int().value_or(0);
  row.parameters_json = read.Text();
  row.strategy_ids_json = read.Text();
  row.extras_json = read.Text();
  row.summary_extras_json = read.Text();
  row.bundle_mtime_ns = read.Int();
  row.bundle_size = read.Int();
  for (std::size_t i = 0; i < kSummaryFieldCount; ++i) {
    row.summary[i] = read.Value(kSummaryFields[i].integer);
  }
  const auto mask = static_cast<std::uint64_t>(read.Int().value_or(0));
  for (std::size_t i = 0; i < kSummaryFieldCount; ++i) {
    if ((mask >> i & 1) != 0) row.summary[i] = std::numeric_limits<double>::quiet_NaN();
    row.has_summary |= !std::holds_alternative<std::monostate>(row.summary[i]);
  }
  row.start = read.Time();
  row.end = read.Time();
  return row;
}

Status InsertIndexRow(catalog::Database& database, const IndexRow& row, const IndexPlace& place) {
  LAMINA_ASSIGN(Statement insert, database.Prepare(InsertSql()));
  BindIndexRow(insert, 1, row);
  int column = kIndexRowColumnCount;
  insert.Bind(++column, place.backtest_id);
  insert.Bind(++column, place.begin_snapshot);
  insert.Bind(++column, place.end_snapshot);
  if (place.document_sha256) {
    insert.BindBlob(++column, place.document_sha256->View());
  } else {
    insert.BindNull(++column);
  }
  insert.Bind(++column, MicrosOf(place.imported_at));
  insert.Bind(++column, place.tags);
  insert.Bind(++column, place.note);
  BindValidated(insert, column, row.validated);
  LAMINA_TRY_WITH(insert.Run(), "indexing " + row.bundle_path);
  return Ok();
}

Status UpdateValidated(catalog::Database& database, std::int64_t backtest_id, const IndexRow& row) {
  LAMINA_ASSIGN(Statement update,
                database.Prepare("UPDATE backtest_index SET (" + ValidatedColumnList() +
                                 ") = (SELECT " + Marks(kValidatedColumns) +
                                 ") WHERE backtest_id = ? AND engine_type = ? AND "
                                 "universe_key = ? AND study_name = ?"));
  int column = BindValidated(update, 0, row.validated);
  update.Bind(++column, backtest_id);
  update.Bind(++column, row.engine);
  update.Bind(++column, row.universe);
  update.Bind(++column, row.study);
  LAMINA_TRY_WITH(update.Run(), "validating " + row.bundle_path);
  return Ok();
}

Result<std::vector<StoredIndexRow>> ReadIndexRows(catalog::Database& database,
                                                  std::int64_t backtest_id) {
  LAMINA_ASSIGN(Statement select, database.Prepare(SelectSql("backtest_id = ?")));
  select.Bind(1, backtest_id);
  return ReadAll(select);
}

Result<std::vector<StoredIndexRow>> ReadIndexRows(catalog::Database& database,
                                                  std::string_view handle) {
  LAMINA_ASSIGN(Statement select,
                database.Prepare(SelectSql("bundle_path = ? AND end_snapshot IS NULL")));
  select.Bind(1, handle);
  LAMINA_ASSIGN(auto rows, ReadAll(select));
  if (rows.empty()) return NotFound("no backtest '" + std::string(handle) + "'");
  return rows;
}

}  // namespace lamina::backtests
