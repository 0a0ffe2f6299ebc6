#include <algorithm>

#include "lamina/backtests/compare.h"
#include "lamina/backtests/index_table.h"
#include "lamina/backtests/ranking.h"
#include "lamina/backtests/render.h"
#include "lamina/base/json.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/output.h"
#include "lamina/cli/report_problems.h"
#include "lamina/store/rank_target.h"

namespace lamina::cli {
namespace {

std::vector<std::string> SplitColumns(const std::string& text) {
  std::vector<std::string> columns;
  std::string column;
  bool quoted = false;
  for (char c : text) {
    if (c == '`') quoted = !quoted;
    if (c == ',' && !quoted) {
      if (!column.empty()) columns.push_back(std::exchange(column, {}));
    } else if (c != ' ' || quoted) {
      column += c;
    }
  }
  if (!column.empty()) columns.push_back(column);
  return columns;
}

backtests::RowSelection Selection(const ListArguments& arguments) {
  backtests::RowSelection rows;
  rows.where = arguments.where;
  if (!arguments.engine.empty()) rows.engine = arguments.engine;
  if (!arguments.study.empty()) rows.study = arguments.study;
  if (!arguments.universe.empty()) rows.universe = arguments.universe;
  return rows;
}

std::string Rendered(const Context& context, const ListArguments& arguments,
                     const backtests::RowSet& rows) {
  if (context.json_lines) return backtests::RenderJsonLines(rows);
  if (context.json) return backtests::RenderJson(rows);
  if (arguments.format == "csv") return backtests::RenderCsv(rows);
  return backtests::RenderTable(rows);
}

Status FillRankQuery(const ListArguments& arguments, backtests::RankQuery& query) {
  query.by = arguments.sort;
  if (!arguments.focus.empty() || !arguments.weights.empty()) {
    LAMINA_ASSIGN(const auto own, backtests::ParseWeights(arguments.weights));
    LAMINA_ASSIGN(query.weights, backtests::ResolveWeights(arguments.focus, own));
  }
  query.descending = !arguments.ascending;
  query.limit = arguments.limit.value_or(query.limit);
  query.offset = arguments.offset;
  query.columns = SplitColumns(arguments.columns);
  query.rows = Selection(arguments);
  return Ok();
}

/// What the arguments or the context name.
Result<std::string> TargetPath(const Context& context, const ListArguments& arguments) {
  const std::string& path = arguments.target.empty() ? context.store : arguments.target;
  if (!path.empty()) return path;
  return InvalidArgument("no store named; give --store ROOT or set LAMINA_STORE");
}

Result<std::unique_ptr<store::RankTarget>> OpenTarget(const Context& context,
                                                      const ListArguments& arguments) {
  LAMINA_ASSIGN(const std::string path, TargetPath(context, arguments));
  ProgressLine line(context);
  folder_index::BuildOptions options;
  options.cancel = context.cancel;
  options.progress = [&](const backtests::ImportProgress& progress) { line.Update(progress); };
  LAMINA_ASSIGN(auto target, store::RankTarget::Open(io::PosixEnv(), path, options));
  if (target->refreshed()) SayProblems(context, "not indexed", *target->refreshed());
  return target;
}

std::string PruneJson(const folder_index::PruneReport& report) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  for (const auto& [key, handles] :
       {std::pair("kept", &report.kept), std::pair("pruned", &report.pruned)}) {
    json.Key(key);
    json.BeginArray();
    for (const std::string& handle : *handles) json.String(handle);
    json.EndArray();
  }
  json.Key("dry_run");
  json.Bool(report.dry_run);
  WriteFailures(json, "left", "path", report.left);
  json.EndObject();
  return out + "\n";
}

Outcome Prune(const Context& context, const ListArguments& arguments,
              const backtests::RankQuery& query) {
  if (!arguments.limit) {
    return InvalidArgument("a prune needs --limit N: how many of the best to keep");
  }
  if (!arguments.snapshot.empty()) {
    return InvalidArgument("a prune is of what is there now: leave --snapshot out");
  }
  LAMINA_ASSIGN(const std::string path, TargetPath(context, arguments));
  folder_index::PruneOptions options;
  options.archive = arguments.archive;
  options.dry_run = arguments.dry_run;
  options.cancel = context.cancel;
  folder_index::BuildOptions build;
  build.cancel = context.cancel;
  LAMINA_ASSIGN(const auto report,
                store::RankTarget::Prune(io::PosixEnv(), path, query, options, build));
  if (context.structured()) {
    Print(PruneJson(report));
  } else {
    Print(Rendered(context, arguments, report.rows));
    for (const auto& one : report.left) Say(context, "left: " + one.path + ": " + one.message);
    const char* verb = arguments.archive.empty() ? " deleted" : " archived";
    const auto count = HumanCount(static_cast<std::int64_t>(report.pruned.size()));
    Say(context, HumanCount(static_cast<std::int64_t>(report.kept.size())) + " kept, " + count +
                     (report.dry_run ? std::string(" would be") : std::string()) + verb);
    if (report.dry_run) {
      for (const std::string& handle : report.pruned) Say(context, "  " + handle);
    }
  }
  return report.left.empty() ? 0 : 1;
}

}  // namespace

Outcome List(const Context& context, const ListArguments& arguments) {
  LAMINA_ASSIGN(const auto target, OpenTarget(context, arguments));
  backtests::ListQuery query;
  query.sort = arguments.sort;
  query.descending = !arguments.ascending;
  query.limit = arguments.limit;
  query.offset = arguments.offset;
  query.columns = SplitColumns(arguments.columns);
  query.rows = Selection(arguments);
  LAMINA_ASSIGN(query.rows.snapshot, target->ResolveSnapshot(arguments.snapshot));
  backtests::RowSet rows;
  LAMINA_TRY(target->Read([&](const backtests::RankTable& table) -> Status {
    LAMINA_ASSIGN(rows, backtests::List(table, query));
    return Ok();
  }));
  Print(Rendered(context, arguments, rows));
  return 0;
}

Outcome Rank(const Context& context, const ListArguments& arguments) {
  backtests::RankQuery query;
  LAMINA_TRY(FillRankQuery(arguments, query));
  if (arguments.prune || !arguments.archive.empty()) return Prune(context, arguments, query);
  if (arguments.dry_run) return InvalidArgument("--dry-run goes with --prune");
  LAMINA_ASSIGN(const auto target, OpenTarget(context, arguments));
  LAMINA_ASSIGN(query.rows.snapshot, target->ResolveSnapshot(arguments.snapshot));
  backtests::RowSet rows;
  LAMINA_TRY(target->Read([&](const backtests::RankTable& table) -> Status {
    LAMINA_ASSIGN(rows, backtests::Rank(table, query));
    return Ok();
  }));
  Print(Rendered(context, arguments, rows));
  return 0;
}

Outcome Compare(const Context& context, const std::vector<std::string>& handles) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context, "", true));
  std::vector<backtests::IndexRow> rows;
  for (const std::string& handle : handles) {
    LAMINA_ASSIGN(const auto backtest, opened->backtests().Find(handle));
    LAMINA_TRY(opened->catalog().Read([&](catalog::Database& database) -> Status {
      LAMINA_ASSIGN(auto found, backtests::ReadIndexRows(database, backtest.backtest_id));
      for (auto& stored : found) rows.push_back(std::move(stored.row));
      return Ok();
    }));
  }
  LAMINA_ASSIGN(const auto comparison, backtests::Compare(rows));
  Print(context.structured() ? backtests::ComparisonJson(comparison) + "\n"
                             : backtests::RenderComparison(comparison));
  return 0;
}

}  // namespace lamina::cli
