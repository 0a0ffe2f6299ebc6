#include <algorithm>

#include "lamina/backtests/compare.h"
#include "lamina/backtests/index_table.h"
#include "lamina/backtests/ranking.h"
#include "lamina/backtests/render.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/index_report.h"
#include "lamina/cli/output.h"
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
  rows.snapshot = arguments.snapshot;
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
Result<std::unique_ptr<store::RankTarget>> OpenTarget(const Context& context,
                                                      const ListArguments& arguments) {
  const std::string& path = arguments.target.empty() ? context.store : arguments.target;
  if (path.empty()) {
    return InvalidArgument("no store named; give --store ROOT or set LAMINA_STORE");
  }
  ProgressLine line(context);
  folder_index::BuildOptions options;
  options.cancel = context.cancel;
  options.progress = [&](const backtests::ImportProgress& progress) { line.Update(progress); };
  LAMINA_ASSIGN(auto target, store::RankTarget::Open(io::PosixEnv(), path, options));
  if (target->refreshed()) SayProblems(context, *target->refreshed());
  return target;
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
  LAMINA_ASSIGN(const auto target, OpenTarget(context, arguments));
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
