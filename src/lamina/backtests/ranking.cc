#include "lamina/backtests/ranking.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <tuple>
#include <utility>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/filter.h"
#include "lamina/backtests/json_member.h"
#include "lamina/base/time.h"

namespace lamina::backtests {
namespace {

using catalog::Database;
using catalog::Statement;

struct Sql {
  std::string text;
  std::vector<SqlValue> parameters;
  bool uses_functions = false;
  bool all_narrow = true;  ///< conditions and order read columns of kNarrowIndex only

  void AddParameter(SqlValue value) {
    text += '?';
    parameters.push_back(std::move(value));
  }
  void AddName(const NameRef& name) {
    all_narrow &= name.column->narrow;
    if (name.path.empty()) {
      text += ColumnSql(*name.column);
      return;
    }
    uses_functions = true;
    text += std::string(kMemberAny) + "(" + ColumnSql(*name.column);
    for (const std::string& key : name.path) {
      text += ", ";
      AddParameter(key);
    }
    text += ')';
  }
};

Status AddSelection(const RankTable& table, const RowSelection& rows, Sql& sql) {
  if (!table.has_snapshots()) {
    if (rows.snapshot) return InvalidArgument("only a store has snapshots; this is an index");
    sql.text += '1';
  } else if (rows.snapshot) {
    LAMINA_TRY(CheckSnapshot(table.database, rows.snapshot));
    sql.text += "i.begin_snapshot <= ";
    sql.AddParameter(*rows.snapshot);
    sql.text += " AND (i.end_snapshot IS NULL OR i.end_snapshot > ";
    sql.AddParameter(*rows.snapshot);
    sql.text += ')';
  } else {
    sql.text += "i.end_snapshot IS NULL";
  }
  if (!rows.all_universes) {
    sql.text += rows.universe ? " AND i.universe_key = " : " AND i.universe_key = ''";
    if (rows.universe) sql.AddParameter(*rows.universe);
  }
  const std::pair<const char*, const std::optional<std::string>&> kChoices[] = {
      {"i.engine_type", rows.engine}, {"i.study_name", rows.study}};
  for (const auto& [column, choice] : kChoices) {
    if (!choice) continue;
    sql.text += std::string(" AND ") + column + " = ";
    sql.AddParameter(*choice);
  }
  if (rows.where.empty()) return Ok();
  LAMINA_ASSIGN(Filter filter, CompileFilter(rows.where));
  sql.text += " AND " + filter.sql;
  std::move(filter.parameters.begin(), filter.parameters.end(), std::back_inserter(sql.parameters));
  sql.uses_functions |= filter.uses_functions;
  for (const IndexColumn* column : filter.columns) sql.all_narrow &= column->narrow;
  return Ok();
}

/// What a wanted column is made of.
struct Wanted {
  NameRef name;
  bool none_is_empty = false;  ///< '' stands for no value
};

Result<std::vector<Wanted>> ResolveColumns(const std::vector<std::string>& names, RowSet& out) {
  std::vector<Wanted> wanted;
  for (const std::string& name : names) {
    if (std::find(out.columns.begin(), out.columns.end(), name) != out.columns.end()) continue;
    LAMINA_ASSIGN(NameRef resolved, ResolveName(name));
    const std::string_view column = resolved.column->name;
    out.columns.push_back(name);
    out.types.push_back(resolved.path.empty() ? resolved.column->type : ColumnType::kText);
    wanted.push_back({std::move(resolved), column == "engine_type" || column == "universe_key"});
  }
  return wanted;
}

Cell MemberCell(std::string_view json, const std::vector<std::string>& path) {
  const auto value = FindJsonMember(json, std::vector<std::string_view>(path.begin(), path.end()));
  if (!value) return {};
  return CellOf(*value);
}

Cell ReadCell(const Statement& row, int column, const Wanted& wanted, std::uint64_t nan_mask) {
  const IndexColumn& source = *wanted.name.column;
  if (row.IsNull(column)) {
    const bool is_nan = source.summary_field >= 0 && (nan_mask >> source.summary_field & 1) != 0;
    return is_nan ? Cell(std::numeric_limits<double>::quiet_NaN()) : Cell();
  }
  if (!wanted.name.path.empty()) return MemberCell(row.Text(column), wanted.name.path);
  switch (source.type) {
    case ColumnType::kInteger:
      return row.Int(column);
    case ColumnType::kReal:
      return row.Double(column);
    case ColumnType::kTime:
      return FormatTime(Micros{row.Int(column)});
    case ColumnType::kText:
    case ColumnType::kDigest:
      break;
  }
  const std::string_view text = row.Text(column);
  if (text.empty() && wanted.none_is_empty) return {};
  return std::string(text);
}

/// The mask of NaNs and the wanted columns; of a member: the whole text.
std::string SelectList(const std::vector<Wanted>& wanted) {
  std::string list = "i.summary_nan_mask";
  for (const Wanted& column : wanted) list += ", " + ColumnSql(*column.name.column);
  return list;
}

std::vector<Cell> ReadRow(const Statement& row, const std::vector<Wanted>& wanted) {
  const auto nan_mask = static_cast<std::uint64_t>(row.Int(0));
  std::vector<Cell> cells;
  cells.reserve(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    cells.push_back(ReadCell(row, static_cast<int>(i) + 1, wanted[i], nan_mask));
  }
  return cells;
}

void BindAll(const std::vector<SqlValue>& parameters, Statement& statement) {
  int index = 0;
  for (const SqlValue& parameter : parameters) {
    ++index;
    std::visit([&](const auto& value) { statement.Bind(index, value); }, parameter);
  }
}

Status CheckRange(std::optional<std::int64_t> limit, std::int64_t offset) {
  if (limit && *limit < 0) {
    return InvalidArgument("limit " + std::to_string(*limit) + " is negative");
  }
  if (offset < 0) return InvalidArgument("offset " + std::to_string(offset) + " is negative");
  return Ok();
}

/// `read` is called for each row that `sql` gives, under a guard.
template <class Read>
Status RunGuarded(Database& database, const Sql& sql, const QueryLimits& limits, const Read& read) {
  QueryGuard guard(database, limits);
  if (sql.uses_functions) LAMINA_TRY(guard.AddFunctions());
  LAMINA_ASSIGN(Statement statement, database.Prepare(sql.text));
  BindAll(sql.parameters, statement);
  while (true) {
    auto there = statement.Step();
    if (!there.ok()) return guard.Explain(std::move(there).error());
    if (!*there) return Ok();
    read(statement);
  }
}

/// A row that takes part in a rank by weights.
struct Scored {
  std::int64_t row_id = 0;
  std::string handle;
  double score = 0;
};

/// All rows of the selection with their scores, best first; equal ones by handle.
Result<std::vector<Scored>> ScoreSelection(const RankTable& table, const RankQuery& query,
                                           const QueryLimits& limits) {
  Sql sql;
  LAMINA_TRY(AddSelection(table, query.rows, sql));
  std::string select = "SELECT i.rowid, i.bundle_path";
  for (const auto& [metric, weight] : query.weights) {
    LAMINA_ASSIGN(const NameRef name, ResolveName(metric));
    select += ", " + ColumnSql(*name.column);
  }
  sql.text = select + " FROM " + table.From() + " WHERE " + sql.text;
  std::vector<Scored> rows;
  std::vector<std::vector<MetricValue>> metrics;
  LAMINA_TRY(RunGuarded(table.database, sql, limits, [&](const Statement& row) {
    rows.push_back({row.Int(0), std::string(row.Text(1)), 0});
    std::vector<MetricValue>& values = metrics.emplace_back(query.weights.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const int column = static_cast<int>(i) + 2;
      if (!row.IsNull(column)) values[i] = row.Double(column);
    }
  }));
  const std::vector<double> scores = ScoreRows(query.weights, metrics);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].score = scores[i];
  std::sort(rows.begin(), rows.end(), [&](const Scored& a, const Scored& b) {
    if (a.score != b.score) return query.descending ? a.score > b.score : a.score < b.score;
    return std::tie(a.handle, a.row_id) < std::tie(b.handle, b.row_id);
  });
  return rows;
}

constexpr std::string_view kScore = "score";

std::vector<std::string> WeightedColumns(const RankQuery& query) {
  if (!query.columns.empty()) return query.columns;
  std::vector<std::string> columns = RankColumns();
  columns.insert(columns.begin() + 3, std::string(kScore));
  return columns;
}

/// `columns` with their scores; the rows are those of `rows` from the offset up to the limit.
Result<RowSet> RankByWeights(const RankTable& table, const RankQuery& query,
                             const QueryLimits& limits) {
  if (!query.by.empty()) return InvalidArgument("rank by a metric or by weights, not by both");
  LAMINA_TRY(CheckRange(query.limit, query.offset));
  RowSet out;
  std::vector<std::string> columns = WeightedColumns(query);
  const auto score = std::find(columns.begin(), columns.end(), kScore);
  const bool scored = score != columns.end();
  const auto score_at = static_cast<std::size_t>(score - columns.begin());
  std::erase(columns, kScore);
  LAMINA_ASSIGN(const auto wanted, ResolveColumns(columns, out));
  LAMINA_ASSIGN(auto rows, ScoreSelection(table, query, limits));
  rows.erase(rows.begin(), rows.begin() + std::min<std::ptrdiff_t>(query.offset, std::ssize(rows)));
  rows.resize(std::min<std::size_t>(rows.size(), static_cast<std::size_t>(query.limit)));
  for (const Scored& row : rows) {
    Sql sql;
    sql.text = "SELECT " + SelectList(wanted) + " FROM " + table.From() + " WHERE i.rowid = ";
    sql.AddParameter(row.row_id);
    LAMINA_TRY(RunGuarded(table.database, sql, limits, [&](const Statement& found) {
      out.rows.push_back(ReadRow(found, wanted));
    }));
    if (!scored) continue;
    auto& cells = out.rows.back();
    cells.insert(cells.begin() + std::min<std::ptrdiff_t>(score_at, std::ssize(cells)), row.score);
  }
  if (scored) {
    const auto at = std::min<std::ptrdiff_t>(score_at, std::ssize(out.columns));
    out.columns.insert(out.columns.begin() + at, std::string(kScore));
    out.types.insert(out.types.begin() + at, ColumnType::kReal);
  }
  return out;
}

/// Beyond these a top list is no short one.
constexpr std::int64_t kManyRows = 10000;

/// Whether as many rows have a Sharpe ratio as a top list takes: then the index by it answers. Else
/// SQLite would sort all rows that have none, each read from the wide table.
Result<bool> HasSharpeFor(const RankTable& table, const ListQuery& query,
                          const QueryLimits& limits) {
  Sql sql;
  sql.text = "SELECT 1 FROM " + table.From() + " WHERE ";
  if (table.has_snapshots()) sql.text += "i.end_snapshot IS NULL AND ";
  sql.text += "i.summary_sharpe_ratio >= -9e999 LIMIT ";
  const auto wanted = std::min(*query.limit, kManyRows) + std::min(query.offset, kManyRows);
  sql.AddParameter(wanted);
  std::int64_t found = 0;
  LAMINA_TRY(RunGuarded(table.database, sql, limits, [&](const Statement&) { ++found; }));
  return found == wanted;
}

}  // namespace

Cell CellOf(const JsonScalar& value) {
  struct ToCell {
    Cell operator()(JsonNull) const { return {}; }
    Cell operator()(bool truth) const { return truth; }
    Cell operator()(std::int64_t integer) const { return integer; }
    Cell operator()(double real) const { return real; }
    Cell operator()(const std::string& text) const { return text; }
    Cell operator()(JsonNested nested) const { return std::string(nested.text); }
  };
  return std::visit(ToCell(), value);
}

const std::vector<std::string>& ListColumns() {
  static const std::vector<std::string> columns = {
      "handle",       "algorithm_id",    "tag", "sharpe_ratio", "total_net_gain_percentage",
      "max_drawdown", "number_of_trades"};
  return columns;
}

const std::vector<std::string>& RankColumns() {
  static const std::vector<std::string> columns = {"handle",
                                                   "algorithm_id",
                                                   "tag",
                                                   "sharpe_ratio",
                                                   "sortino_ratio",
                                                   "calmar_ratio",
                                                   "total_net_gain_percentage",
                                                   "max_drawdown"};
  return columns;
}

std::string RankTable::From(bool by_narrow_index) const {
  std::string hint;
  if (by_narrow_index && has_narrow_index) hint = " INDEXED BY " + std::string(kNarrowIndex);
  if (columns.empty()) return "backtest_index AS i" + hint;
  return "(SELECT " + columns + " FROM backtest_index" + hint + ") AS i";
}

Result<RowSet> List(const RankTable& table, const ListQuery& query, const QueryLimits& limits) {
  LAMINA_TRY(CheckRange(query.limit, query.offset));
  RowSet out;
  LAMINA_ASSIGN(const auto wanted,
                ResolveColumns(query.columns.empty() ? ListColumns() : query.columns, out));
  Sql sql;
  LAMINA_TRY(AddSelection(table, query.rows, sql));
  sql.text += " ORDER BY ";
  std::string_view key_column = "bundle_path";
  if (!query.sort.empty()) {
    LAMINA_ASSIGN(const NameRef key, ResolveName(query.sort));
    sql.AddName(key);
    sql.text += query.descending ? " DESC NULLS LAST, " : " ASC NULLS LAST, ";
    key_column = key.column->name;
  }
  sql.text += "i.bundle_path, i.rowid LIMIT ";
  sql.AddParameter(query.limit.value_or(-1));
  sql.text += " OFFSET ";
  sql.AddParameter(query.offset);
  // SQLite would not scan an index that lacks result columns, though a top list reads few of them.
  const bool pooled_live =
      !query.rows.all_universes && !query.rows.universe && !query.rows.snapshot;
  bool narrow = table.has_narrow_index && query.limit && pooled_live && sql.all_narrow &&
                key_column != "bundle_path";
  if (narrow && key_column == "summary_sharpe_ratio") {
    LAMINA_ASSIGN(const bool indexed, HasSharpeFor(table, query, limits));
    narrow = !indexed;
  }
  sql.text = "SELECT " + SelectList(wanted) + " FROM " + table.From(narrow) + " WHERE " + sql.text;
  LAMINA_TRY(RunGuarded(table.database, sql, limits,
                        [&](const Statement& row) { out.rows.push_back(ReadRow(row, wanted)); }));
  return out;
}

Result<RowSet> Rank(const RankTable& table, const RankQuery& query, const QueryLimits& limits) {
  if (!query.weights.empty()) return RankByWeights(table, query, limits);
  if (query.by.empty()) return InvalidArgument("a rank needs a metric, as in `--by sharpe_ratio`");
  ListQuery list;
  list.sort = query.by;
  list.descending = query.descending;
  list.limit = query.limit;
  list.offset = query.offset;
  list.columns = query.columns.empty() ? RankColumns() : query.columns;
  list.rows = query.rows;
  return List(table, list, limits);
}

Result<std::int64_t> CountRows(const RankTable& table, const RowSelection& rows,
                               const QueryLimits& limits) {
  Sql sql;
  sql.text = "SELECT 1 FROM " + table.From() + " WHERE ";
  LAMINA_TRY(AddSelection(table, rows, sql));
  std::int64_t count = 0;
  LAMINA_TRY(RunGuarded(table.database, sql, limits, [&](const Statement&) { ++count; }));
  return count;
}

}  // namespace lamina::backtests
