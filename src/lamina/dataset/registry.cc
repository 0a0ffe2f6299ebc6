#include "lamina/dataset/registry.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "lamina/base/near_names.h"
#include "lamina/catalog/lake.h"

namespace lamina::dataset {
namespace {

using catalog::Database;
using catalog::Statement;

struct ColumnRule {
  std::string_view name;
  bool required = false;
  std::string_view allowed = {};  ///< words, one blank between them
};

constexpr ColumnRule kFileColumns[] = {
    {"file_path", true},
    {"instrument", true},
    {"data_type", true, "ohlcv features normalized latents splits"},
    {"start_date", true},
    {"end_date", true},
    {"record_count", true},
    {"file_size", true},
    {"checksum", true},
    {"last_verified"},
    {"snapshot_id"}};
constexpr ColumnRule kFetchColumns[] = {{"instrument", true},
                                        {"granularity", true},
                                        {"start_date", true},
                                        {"end_date", true},
                                        {"records_fetched", true},
                                        {"api_calls_used", true},
                                        {"duration_seconds", true},
                                        {"status", true, "success partial failed"},
                                        {"error_message"},
                                        {"price_component"},
                                        {"alignment_hour"},
                                        {"alignment_timezone"},
                                        {"host"},
                                        {"environment"},
                                        {"first_candle"},
                                        {"last_candle"},
                                        {"incomplete_count"},
                                        {"retries"},
                                        {"rate_limited_count"},
                                        {"http_status_last"},
                                        {"files_written"},
                                        {"started_at"},
                                        {"finished_at"},
                                        {"missing_ranges"}};
constexpr ColumnRule kRunColumns[] = {{"run_type", true, "preprocessing training evaluation"},
                                      {"config_hash", true},
                                      {"input_files", true},
                                      {"output_files", true},
                                      {"status", true, "running success partial failed"},
                                      {"duration_seconds"},
                                      {"log_file"}};
constexpr ColumnRule kModelColumns[] = {{"model_type", true, "tcnae gbdt context_manager"},
                                        {"version", true},
                                        {"file_path", true},
                                        {"config_hash", true},
                                        {"training_run_id"},
                                        {"metrics"}};
constexpr std::string_view kKinds =
    "dataset file fetch_run processing_run artifact backtest ticks prices";

std::span<const ColumnRule> RulesOf(RegistryTable table) {
  switch (table) {
    case RegistryTable::kFiles:
      return kFileColumns;
    case RegistryTable::kFetches:
      return kFetchColumns;
    case RegistryTable::kRuns:
      return kRunColumns;
    case RegistryTable::kModels:
      return kModelColumns;
  }
  return {};
}

bool IsWordOf(std::string_view words, std::string_view word) {
  if (word.empty() || word.find(' ') != std::string_view::npos) return false;
  const std::string padded = " " + std::string(words) + " ";
  return padded.find(" " + std::string(word) + " ") != std::string::npos;
}

const RegistryCell* CellOf(const RegistryRow& row, std::string_view column) {
  for (const auto& [name, cell] : row) {
    if (name == column && !std::holds_alternative<std::monostate>(cell)) return &cell;
  }
  return nullptr;
}

Status CheckRow(RegistryTable table, const RegistryRow& row) {
  const std::string where(RegistryTableName(table));
  const auto rules = RulesOf(table);
  std::vector<std::string> known;
  for (const ColumnRule& rule : rules) known.emplace_back(rule.name);
  for (const auto& [name, cell] : row) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return InvalidArgument(where + " has no column '" + name + "'" + DidYouMean(name, known));
    }
  }
  for (const ColumnRule& rule : rules) {
    const RegistryCell* cell = CellOf(row, rule.name);
    if (cell == nullptr) {
      if (!rule.required) continue;
      return InvalidArgument(where + ": '" + std::string(rule.name) + "' must be given");
    }
    const auto* whole = std::get_if<std::int64_t>(cell);
    const auto* number = std::get_if<double>(cell);
    if ((whole != nullptr && *whole < 0) || (number != nullptr && !(*number >= 0))) {
      return InvalidArgument(where + ": '" + std::string(rule.name) + "' cannot be " +
                             (whole != nullptr ? std::to_string(*whole) : std::to_string(*number)));
    }
    if (rule.allowed.empty()) continue;
    const auto* text = std::get_if<std::string>(cell);
    if (text == nullptr || !IsWordOf(rule.allowed, *text)) {
      return InvalidArgument(where + ": '" + (text == nullptr ? "a number" : *text) + "' is no " +
                             std::string(rule.name) + "; there are " + std::string(rule.allowed));
    }
  }
  return Ok();
}

void BindCell(Statement& statement, int index, const RegistryCell& cell) {
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) {
    statement.Bind(index, *whole);
  } else if (const auto* number = std::get_if<double>(&cell)) {
    statement.Bind(index, *number);
  } else if (const auto* text = std::get_if<std::string>(&cell)) {
    statement.Bind(index, std::string_view(*text));
  } else {
    statement.BindNull(index);
  }
}

Status CheckJson(Database& database, const RegistryRow& row, std::string_view column,
                 bool file_ids) {
  const RegistryCell* cell = CellOf(row, column);
  if (cell == nullptr) return Ok();
  const auto* text = std::get_if<std::string>(cell);
  const Error bad = InvalidArgument("'" + std::string(column) + "' must be " +
                                    (file_ids ? "a JSON array of ids of data_files" : "JSON"));
  if (text == nullptr) return bad.Clone();
  LAMINA_ASSIGN(Statement valid, database.Prepare("SELECT json_valid(?1)"));
  valid.Bind(1, std::string_view(*text));
  LAMINA_ASSIGN(const bool row_there, valid.Step());
  if (!row_there || valid.Int(0) == 0) return bad.Clone();
  if (!file_ids) return Ok();
  LAMINA_ASSIGN(Statement wrong,
                database.Prepare("SELECT json_type(?1) = 'array', (SELECT group_concat(e.value) "
                                 "FROM json_each(?1) e WHERE e.type <> 'integer' OR e.value NOT IN "
                                 "(SELECT id FROM data_files))"));
  wrong.Bind(1, std::string_view(*text));
  LAMINA_ASSIGN(const bool there, wrong.Step());
  if (!there || wrong.Int(0) == 0) return bad.Clone();
  if (wrong.IsNull(1)) return Ok();
  return InvalidArgument("'" + std::string(column) +
                         "' names files that are not registered: " + std::string(wrong.Text(1)));
}

Status CheckReferences(Database& database, RegistryTable table, const RegistryRow& row) {
  if (table == RegistryTable::kFetches) {
    return CheckJson(database, row, "missing_ranges", false);
  }
  if (table == RegistryTable::kRuns) {
    LAMINA_TRY(CheckJson(database, row, "input_files", true));
    return CheckJson(database, row, "output_files", true);
  }
  if (table != RegistryTable::kModels) return Ok();
  LAMINA_TRY(CheckJson(database, row, "metrics", false));
  const RegistryCell* run = CellOf(row, "training_run_id");
  if (run == nullptr) return Ok();
  LAMINA_ASSIGN(Statement find, database.Prepare("SELECT 1 FROM processing_runs WHERE id = ?1"));
  BindCell(find, 1, *run);
  LAMINA_ASSIGN(const bool found, find.Step());
  if (found) return Ok();
  return InvalidArgument("model_artifacts: training_run_id names no processing run");
}

std::string InsertSql(RegistryTable table, const RegistryRow& row) {
  std::string names, places, updates;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string& name = row[i].first;
    names += (i == 0 ? "" : ", ") + name;
    places += (i == 0 ? "?" : ", ?") + std::to_string(i + 1);
    if (name == "file_path" || name == "last_verified") continue;
    updates += name + " = excluded." + name + ", ";
  }
  std::string sql = "INSERT INTO " + std::string(RegistryTableName(table)) + "(" + names +
                    ") VALUES(" + places + ")";
  if (table == RegistryTable::kFiles) {
    sql += " ON CONFLICT(file_path) DO UPDATE SET " + updates +
           "last_verified = CASE WHEN checksum = excluded.checksum THEN last_verified END";
  }
  return sql + " RETURNING id";
}

Result<RegistryRow> TakeRow(const Statement& row) {
  RegistryRow made;
  for (int i = 0; i + 1 < row.column_count(); i += 2) {
    // Pairs of a column's value and its type.
    const std::string name(row.ColumnName(i));
    const std::string_view type = row.Text(i + 1);
    if (type == "null") {
      made.emplace_back(name, std::monostate());
    } else if (type == "integer") {
      made.emplace_back(name, row.Int(i));
    } else if (type == "real") {
      made.emplace_back(name, row.Double(i));
    } else {
      made.emplace_back(name, std::string(row.Text(i)));
    }
  }
  return made;
}

std::vector<std::string> AllColumns(RegistryTable table) {
  std::vector<std::string> names = {"id"};
  for (const ColumnRule& rule : RulesOf(table)) names.emplace_back(rule.name);
  names.emplace_back("created_at");
  return names;
}

Status CheckKind(std::string_view kind) {
  if (IsWordOf(kKinds, kind)) return Ok();
  return InvalidArgument("'" + std::string(kind) + "' is no kind of lineage; there are " +
                         std::string(kKinds));
}

Status CheckEdge(const LineageEdge& edge) {
  LAMINA_TRY(CheckKind(edge.output_kind));
  LAMINA_TRY(CheckKind(edge.input_kind));
  if (edge.output_id.empty() || edge.input_id.empty()) {
    return InvalidArgument("an edge of lineage needs both ids");
  }
  return Ok();
}

constexpr const char* kEdgeColumns = "output_kind, output_id, input_kind, input_id, input_snapshot";
/// Rows that no later one with the same output and input follows.
constexpr const char* kNewest =
    "SELECT max(row_id) FROM lineage GROUP BY output_kind, output_id, input_kind, input_id";

LineageEdge TakeEdge(const Statement& row) {
  return {std::string(row.Text(0)), std::string(row.Text(1)), std::string(row.Text(2)),
          std::string(row.Text(3)), row.OptionalInt(4)};
}

}  // namespace

std::string_view RegistryTableName(RegistryTable table) {
  switch (table) {
    case RegistryTable::kFiles:
      return "data_files";
    case RegistryTable::kFetches:
      return "fetch_runs";
    case RegistryTable::kRuns:
      return "processing_runs";
    case RegistryTable::kModels:
      return "model_artifacts";
  }
  return "";
}

Result<std::int64_t> Registry::Put(RegistryTable table, const RegistryRow& row) {
  LAMINA_ASSIGN(const auto ids, PutAll(table, {row}));
  return ids.front();
}

Result<std::vector<std::int64_t>> Registry::PutAll(RegistryTable table,
                                                   const std::vector<RegistryRow>& rows) {
  for (const RegistryRow& row : rows) LAMINA_TRY(CheckRow(table, row));
  std::vector<std::int64_t> ids;
  if (rows.empty()) return ids;
  LAMINA_TRY(catalog_->Transact([&](Database& database) -> Status {
    for (const RegistryRow& row : rows) {
      LAMINA_TRY(CheckReferences(database, table, row));
      LAMINA_ASSIGN(Statement insert, database.Prepare(InsertSql(table, row)));
      for (std::size_t i = 0; i < row.size(); ++i) {
        BindCell(insert, static_cast<int>(i) + 1, row[i].second);
      }
      LAMINA_ASSIGN(const bool made, insert.Step());
      if (!made) return Internal("a row of the registry has no id");
      ids.push_back(insert.Int(0));
      LAMINA_ASSIGN(const bool more, insert.Step());
      if (more) return Internal("a row of the registry was made twice");
    }
    return Ok();
  }));
  return ids;
}

Result<std::vector<RegistryRow>> Registry::Rows(RegistryTable table, const RegistryRow& where) {
  const std::vector<std::string> columns = AllColumns(table);
  std::string sql = "SELECT ", condition;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    sql += (i == 0 ? "" : ", ") + columns[i] + ", typeof(" + columns[i] + ")";
  }
  for (std::size_t i = 0; i < where.size(); ++i) {
    if (std::find(columns.begin(), columns.end(), where[i].first) == columns.end()) {
      return InvalidArgument(std::string(RegistryTableName(table)) + " has no column '" +
                             where[i].first + "'" + DidYouMean(where[i].first, columns));
    }
    condition += (i == 0 ? " WHERE " : " AND ") + where[i].first + " IS ?" + std::to_string(i + 1);
  }
  sql += " FROM " + std::string(RegistryTableName(table)) + condition + " ORDER BY id";
  std::vector<RegistryRow> rows;
  LAMINA_TRY(catalog_->Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(Statement read, database.Prepare(sql));
    for (std::size_t i = 0; i < where.size(); ++i) {
      BindCell(read, static_cast<int>(i) + 1, where[i].second);
    }
    for (;;) {
      LAMINA_ASSIGN(const bool found, read.Step());
      if (!found) return Ok();
      LAMINA_ASSIGN(RegistryRow row, TakeRow(read));
      rows.push_back(std::move(row));
    }
  }));
  return rows;
}

Result<std::int64_t> Registry::RemoveFiles(const std::vector<std::string>& paths) {
  std::int64_t removed = 0;
  LAMINA_TRY(catalog_->Transact([&](Database& database) -> Status {
    LAMINA_ASSIGN(Statement remove,
                  database.Prepare("DELETE FROM data_files WHERE file_path = ?1"));
    const std::int64_t before = database.total_changes();
    for (const std::string& path : paths) {
      LAMINA_TRY(remove.Bind(1, std::string_view(path)).Run());
    }
    removed = database.total_changes() - before;
    return Ok();
  }));
  return removed;
}

Status Registry::MarkVerified(const std::vector<std::string>& paths) {
  if (paths.empty()) return Ok();
  return catalog_->Transact([&](Database& database) -> Status {
    LAMINA_ASSIGN(Statement mark,
                  database.Prepare("UPDATE data_files SET last_verified = CURRENT_TIMESTAMP WHERE "
                                   "file_path = ?1"));
    for (const std::string& path : paths) {
      LAMINA_TRY(mark.Bind(1, std::string_view(path)).Run());
    }
    return Ok();
  });
}

Status Registry::AddLineage(const std::vector<LineageEdge>& edges) {
  const Nanos now = catalog_->env().Now();
  return catalog_->Transact([&](Database& database) { return InsertEdges(database, edges, now); });
}

Status Registry::InsertEdges(Database& database, const std::vector<LineageEdge>& edges, Nanos now) {
  for (const LineageEdge& edge : edges) LAMINA_TRY(CheckEdge(edge));
  LAMINA_ASSIGN(
      Statement insert,
      database.Prepare("INSERT OR REPLACE INTO lineage(row_id, " + std::string(kEdgeColumns) +
                       ", created_at) VALUES((SELECT coalesce(max(row_id), 0) + 1 FROM "
                       "lineage), ?1, ?2, ?3, ?4, ?5, ?6)"));
  for (const LineageEdge& edge : edges) {
    insert.Bind(1, std::string_view(edge.output_kind)).Bind(2, std::string_view(edge.output_id));
    insert.Bind(3, std::string_view(edge.input_kind)).Bind(4, std::string_view(edge.input_id));
    LAMINA_TRY(insert.Bind(5, edge.input_snapshot).Bind(6, now.value / 1000).Run());
  }
  return Ok();
}

Result<std::vector<LineageEdge>> Registry::Lineage(std::string_view kind, std::string_view id) {
  LAMINA_TRY(CheckKind(kind));
  std::vector<LineageEdge> edges;
  LAMINA_TRY(catalog_->Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(Statement read,
                  database.Prepare("SELECT " + std::string(kEdgeColumns) +
                                   " FROM lineage e WHERE output_kind = ?1 AND output_id = ?2 AND "
                                   "NOT EXISTS (SELECT 1 FROM lineage n WHERE n.output_kind = ?1 "
                                   "AND n.output_id = ?2 AND n.input_kind = e.input_kind AND "
                                   "n.input_id = e.input_id AND n.row_id > e.row_id) ORDER BY "
                                   "row_id"));
    LAMINA_ASSIGN(Statement parts,
                  database.Prepare("SELECT DISTINCT ?1, ?2, output_kind, output_id, NULL FROM "
                                   "lineage WHERE output_kind = ?1 AND (output_id = ?3 OR "
                                   "substr(output_id, 1, length(?4)) = ?4) ORDER BY output_id"));
    std::vector<std::pair<std::string, std::string>> open = {{std::string(kind), std::string(id)}};
    std::set<std::pair<std::string, std::string>> seen(open.begin(), open.end());
    for (std::size_t at = 0; at < open.size(); ++at) {
      const auto [its_kind, its_id] = open[at];
      read.Bind(1, std::string_view(its_kind)).Bind(2, std::string_view(its_id));
      const auto take = [&](Statement& statement) -> Status {
        for (;;) {
          LAMINA_ASSIGN(const bool found, statement.Step());
          if (!found) break;
          edges.push_back(TakeEdge(statement));
          const auto input = std::pair(edges.back().input_kind, edges.back().input_id);
          if (seen.insert(input).second) open.push_back(input);
        }
        statement.Reset();
        return Ok();
      };
      LAMINA_TRY(take(read));
      if (its_kind != "dataset") continue;
      const bool whole = its_id.find('/') == std::string::npos;
      const auto bracket = its_id.ends_with(')') ? its_id.rfind('[') : std::string::npos;
      if (!whole && bracket == std::string::npos) continue;
      const std::string series = whole ? "" : its_id.substr(0, bracket);
      const std::string prefix = whole ? its_id + "/" : "\n";  // no id begins so
      parts.Bind(1, std::string_view(its_kind)).Bind(2, std::string_view(its_id));
      parts.Bind(3, std::string_view(series)).Bind(4, std::string_view(prefix));
      LAMINA_TRY(take(parts));
    }
    return Ok();
  }));
  return edges;
}

Result<std::vector<LineageEdge>> Registry::NewestEdges() {
  std::vector<LineageEdge> edges;
  LAMINA_TRY(catalog_->Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(Statement read, database.Prepare("SELECT " + std::string(kEdgeColumns) +
                                                   " FROM lineage WHERE row_id IN (" +
                                                   std::string(kNewest) + ") ORDER BY row_id"));
    for (;;) {
      LAMINA_ASSIGN(const bool found, read.Step());
      if (!found) return Ok();
      edges.push_back(TakeEdge(read));
    }
  }));
  return edges;
}

Result<std::vector<LineageEdge>> Registry::Stale() {
  std::vector<LineageEdge> edges;
  LAMINA_TRY(catalog_->Read([&](Database& database) -> Status {
    // Compaction changes files and no rows.
    LAMINA_ASSIGN(
        Statement read,
        database.Prepare(
            "SELECT e.output_kind, e.output_id, e.input_kind, e.input_id, e.input_snapshot "
            "FROM lineage e JOIN dataset d ON d.name = e.input_id AND d.end_snapshot IS NULL "
            "JOIN ducklake_schema s ON s.schema_name = d.lake_schema AND s.end_snapshot IS NULL "
            "JOIN ducklake_table t ON t.schema_id = s.schema_id AND t.table_name = d.lake_table "
            "AND t.end_snapshot IS NULL "
            "WHERE e.input_kind = 'dataset' AND e.input_snapshot IS NOT NULL AND e.row_id IN (" +
            std::string(kNewest) +
            ") AND EXISTS ("
            "SELECT 1 FROM (SELECT begin_snapshot AS at FROM ducklake_data_file "
            "WHERE table_id = t.table_id UNION ALL SELECT end_snapshot FROM ducklake_data_file "
            "WHERE table_id = t.table_id AND end_snapshot IS NOT NULL UNION ALL "
            "SELECT begin_snapshot FROM ducklake_delete_file WHERE table_id = t.table_id) f "
            "JOIN ducklake_snapshot_changes c ON c.snapshot_id = f.at "
            "WHERE f.at > e.input_snapshot AND coalesce(c.commit_message, '') NOT LIKE 'compact "
            "%') ORDER BY e.row_id"));
    for (;;) {
      LAMINA_ASSIGN(const bool found, read.Step());
      if (!found) return Ok();
      edges.push_back(TakeEdge(read));
    }
  }));
  return edges;
}

}  // namespace lamina::dataset
