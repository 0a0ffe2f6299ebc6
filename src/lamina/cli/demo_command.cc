#include "lamina/backtests/import.h"
#include "lamina/backtests/ranking.h"
#include "lamina/backtests/render.h"
#include "lamina/base/json.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/output.h"
#include "lamina/demo/sweep.h"
#include "lamina/store/stats.h"

namespace lamina::cli {
namespace {

constexpr const char* kDefaultRoot = "lamina-demo";

std::string NextSteps(const std::string& root, const std::string& best) {
  const std::string command = "  lamina --store " + root + " ";
  return "\nNow try\n" + command + "list --sort max_drawdown --asc --limit 20\n" + command +
         "rank --by sortino --filter 'tag = \"sweep_trend_cross\" AND trades > 30'\n" + command +
         "list --where 'parameters.fast < 20' --columns handle,sharpe_ratio,parameters.slow\n" +
         command + "show " + best + "\n" + command + "export " + best +
         " -o best.iafbt --level 3\n" + command + "stats\n" + command + "verify --deep\n";
}

}  // namespace

Outcome Demo(const Context& context, const DemoArguments& arguments) {
  const std::string root = arguments.root.empty() ? kDefaultRoot : arguments.root;
  store::StoreOptions store_options;
  store_options.create = true;
  LAMINA_ASSIGN(const auto opened, store::Store::Open(io::PosixEnv(), root, store_options));

  const demo::Sweep sweep(arguments.seed);
  std::vector<std::string> handles;
  for (std::size_t i = 0; i < sweep.size(); ++i) handles.push_back(sweep.Handle(i));
  Say(context, "a market of " + std::to_string(sweep.market().symbols.size()) + " symbols and " +
                   HumanCount(static_cast<std::int64_t>(sweep.market().hours.size())) + " hours; " +
                   std::to_string(sweep.size()) + " points of two strategies over " +
                   std::to_string(sweep.windows().size()) + " walk-forward windows");
  backtests::ImportOptions options;
  options.cancel = context.cancel;
  options.replace = true;  // another seed gives other results under the same handles
  backtests::ImportReport report;
  {
    ProgressLine line(context);
    options.progress = [&](const backtests::ImportProgress& progress) { line.Update(progress); };
    LAMINA_ASSIGN(report, backtests::ImportDocuments(
                              opened->backtests(), handles, 2,
                              [&](std::size_t index) { return sweep.Document(index); }, options));
  }
  if (!report.failed.empty()) {
    return Internal(report.failed.front().path + ": " + report.failed.front().message);
  }
  LAMINA_ASSIGN(const auto stats, store::ReadStats(*opened));
  Say(context, HumanCount(report.imported + report.replaced) + " backtests simulated and stored, " +
                   HumanCount(report.unchanged) + " there already, in " +
                   HumanSeconds(report.seconds) + "; the store holds " +
                   HumanCount(stats.backtests) + " backtests with " + HumanCount(stats.runs) +
                   " runs in " + HumanBytes(stats.total_bytes) +
                   " (their documents: " + HumanBytes(stats.document_bytes) + ")");

  backtests::RankQuery query;
  query.by = "sharpe_ratio";
  backtests::RowSet best;
  LAMINA_TRY(opened->catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(best, backtests::Rank(database, query));
    return Ok();
  }));
  if (best.rows.empty()) return Internal("the store has no backtests after the sweep");
  const auto* handle = std::get_if<std::string>(&best.rows.front().front());
  LAMINA_CHECK(handle != nullptr);
  const std::string path = io::JoinPath(root, "best.iafbt");
  backtests::ExportOptions export_options;
  export_options.level = 3;
  LAMINA_ASSIGN(const auto exported, opened->backtests().Export(*handle, path, export_options));

  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    json.Key("root");
    json.String(root);
    json.Key("imported");
    json.Int(report.imported);
    json.Key("unchanged");
    json.Int(report.unchanged);
    json.Key("backtests");
    json.Int(stats.backtests);
    json.Key("best");
    json.String(*handle);
    json.Key("exported");
    json.String(exported.path);
    json.Key("seconds");
    json.Double(report.seconds);
    json.EndObject();
    Print(out + "\n");
    return 0;
  }
  Print("\nThe ten best by Sharpe ratio\n\n" + backtests::RenderTable(best));
  Print("\nExported " + *handle + " to " + exported.path + " (" + HumanBytes(exported.bytes) +
        ")\n" + NextSteps(root, *handle));
  return 0;
}

}  // namespace lamina::cli
