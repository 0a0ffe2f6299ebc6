#include "lamina/base/error_table.h"
#include "lamina/base/json.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/index_report.h"
#include "lamina/cli/output.h"

namespace lamina::cli {

void SayProblems(const Context& context, const folder_index::BuildReport& report) {
  for (const auto& warning : report.warnings) {
    Say(context, "warning: " + warning.path + ": " + warning.message);
  }
  for (const auto& failure : report.failed) {
    Say(context, "not indexed: " + failure.path + ": " + failure.message + " (" +
                     std::string(ErrorName(failure.code)) + ")");
  }
}

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
  json.Key("failed");
  json.BeginArray();
  for (const auto& failure : report.failed) {
    json.BeginObject();
    json.Key("path");
    json.String(failure.path);
    json.Key("code");
    json.String(ErrorName(failure.code));
    json.Key("message");
    json.String(failure.message);
    json.EndObject();
  }
  json.EndArray();
  json.Key("warnings");
  json.BeginArray();
  for (const auto& warning : report.warnings) {
    json.BeginObject();
    json.Key("path");
    json.String(warning.path);
    json.Key("message");
    json.String(warning.message);
    json.EndObject();
  }
  json.EndArray();
  json.Key("seconds");
  json.Double(report.seconds);
  json.EndObject();
  return out + "\n";
}

Outcome Index(const Context& context, const IndexArguments& arguments) {
  folder_index::BuildOptions options;
  options.output = arguments.output;
  options.rebuild = arguments.rebuild;
  options.absolute_paths = arguments.absolute_paths;
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
    SayProblems(context, report);
    Say(context, report.path + ": " + HumanCount(report.indexed) + " indexed, " +
                     HumanCount(report.skipped) + " unchanged, " + HumanCount(report.removed) +
                     " removed, " + HumanCount(static_cast<std::int64_t>(report.failed.size())) +
                     " refused in " + HumanSeconds(report.seconds));
  }
  return report.failed.empty() ? 0 : 1;
}

}  // namespace lamina::cli
