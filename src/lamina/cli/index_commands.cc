#include "lamina/base/json.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/output.h"
#include "lamina/cli/report_problems.h"
#include "lamina/folder_index/build.h"

namespace lamina::cli {

namespace {

std::string IndexJson(const folder_index::BuildReport& report) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("path");
  json.String(report.path);
  json.Key("indexed");
  json.Int(report.indexed);
  json.Key("skipped");
  json.Int(report.skipped);
  json.Key("removed");
  json.Int(report.removed);
  WriteProblems(json, "path", report);
  json.Key("seconds");
  json.Double(report.seconds);
  json.EndObject();
  return out + "\n";
}

}  // namespace

Outcome Index(const Context& context, const IndexArguments& arguments) {
  folder_index::BuildOptions options;
  options.output = arguments.output;
  options.rebuild = arguments.rebuild;
  options.absolute_paths = arguments.absolute_paths;
  options.validate = arguments.validate;
  options.workers = arguments.workers;
  options.cancel = context.cancel;
  folder_index::BuildReport report;
  {
    ProgressLine line(context);
    if (arguments.progress) {
      options.progress = [&](const backtests::ImportProgress& progress) { line.Update(progress); };
    }
    LAMINA_ASSIGN(report, folder_index::BuildIndex(io::PosixEnv(), arguments.folder, options));
  }
  if (context.structured()) {
    Print(IndexJson(report));
  } else {
    SayProblems(context, "not indexed", report);
    Say(context, report.path + ": " + HumanCount(report.indexed) + " indexed, " +
                     HumanCount(report.skipped) + " unchanged, " + HumanCount(report.removed) +
                     " removed, " + HumanCount(static_cast<std::int64_t>(report.failed.size())) +
                     " refused in " + HumanSeconds(report.seconds));
  }
  return report.failed.empty() ? 0 : 1;
}

}  // namespace lamina::cli
