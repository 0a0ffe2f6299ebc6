#include "lamina/backtests/import.h"
#include "lamina/backtests/merge.h"
#include "lamina/base/json.h"
#include "lamina/catalog/pins.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/output.h"
#include "lamina/cli/report_problems.h"
#include "lamina/cli/show.h"

namespace lamina::cli {
namespace {

std::string ImportJson(const backtests::ImportReport& report) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("imported");
  json.Int(report.imported);
  json.Key("replaced");
  json.Int(report.replaced);
  json.Key("unchanged");
  json.Int(report.unchanged);
  WriteProblems(json, "path", report);
  json.Key("runs_new");
  json.Int(report.runs_new);
  json.Key("runs_shared");
  json.Int(report.runs_shared);
  json.Key("bytes_in");
  json.Int(report.bytes_in);
  json.Key("bytes_stored");
  json.Int(report.bytes_stored);
  json.Key("commits");
  json.Int(report.commits);
  json.Key("seconds");
  json.Double(report.seconds);
  json.EndObject();
  return out + "\n";
}

void SayImport(const Context& context, const backtests::ImportReport& report) {
  SayProblems(context, "refused", report);
  std::string line = HumanCount(report.imported) + " imported";
  if (report.replaced > 0) line += ", " + HumanCount(report.replaced) + " replaced";
  line += ", " + HumanCount(report.unchanged) + " unchanged, " +
          HumanCount(static_cast<std::int64_t>(report.failed.size())) + " refused; " +
          HumanCount(report.runs_new) + " runs stored, " + HumanCount(report.runs_shared) +
          " shared; " + HumanBytes(report.bytes_in) + " read, " + HumanBytes(report.bytes_stored) +
          " stored in " + HumanSeconds(report.seconds);
  Say(context, line);
}

}  // namespace

Outcome Import(const Context& context, const ImportArguments& arguments) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_ASSIGN(const auto sources, backtests::FindBacktests(io::PosixEnv(), arguments.paths));
  backtests::ImportOptions options;
  options.workers = arguments.workers;
  options.replace = arguments.replace;
  options.max_document_bytes = static_cast<std::int64_t>(arguments.max_document);
  options.keep_going = !arguments.stop_at_error;
  options.cancel = context.cancel;
  backtests::ImportReport report;
  {
    ProgressLine line(context);
    options.progress = [&](const backtests::ImportProgress& progress) { line.Update(progress); };
    LAMINA_ASSIGN(report, backtests::ImportBundles(opened->backtests(), sources, options));
  }
  if (context.structured()) {
    Print(ImportJson(report));
  } else {
    SayImport(context, report);
  }
  return report.failed.empty() ? 0 : 1;
}

Outcome Show(const Context& context, const std::string& handle, const std::string& snapshot) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context, "", true));
  backtests::AsOf as_of;
  if (!snapshot.empty()) {
    LAMINA_ASSIGN(as_of, catalog::ResolveSnapshot(opened->catalog(), snapshot));
  }
  LAMINA_ASSIGN(const auto text,
                ShowBacktest(opened->backtests(), handle, as_of, context.structured()));
  Print(text);
  return 0;
}

Outcome Merge(const Context& context, const MergeArguments& arguments) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  std::vector<backtests::MergeSource> sources;
  for (const std::string& path : arguments.paths) {
    LAMINA_ASSIGN(auto source, backtests::ReadMergeSource(io::PosixEnv(), path));
    sources.push_back(std::move(source));
  }
  LAMINA_ASSIGN(const auto report, backtests::MergeBacktest(opened->backtests(), arguments.handle,
                                                            sources, arguments.replace_windows));
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    json.Key("handle");
    json.String(arguments.handle);
    json.Key("unchanged");
    json.Bool(report.unchanged);
    for (const auto& [name, count] : {std::pair("runs_added", report.runs_added),
                                      std::pair("runs_replaced", report.runs_replaced),
                                      std::pair("runs_unchanged", report.runs_unchanged)}) {
      json.Key(name);
      json.Int(count);
    }
    json.Key("warnings");
    WriteTexts(json, report.warnings);
    json.EndObject();
    Print(out + "\n");
    return 0;
  }
  Say(context, arguments.handle + ": " + HumanCount(report.runs_added) + " runs added, " +
                   HumanCount(report.runs_replaced) + " replaced, " +
                   HumanCount(report.runs_unchanged) + " there already" +
                   (report.unchanged ? "; nothing changed" : ""));
  for (const auto& warning : report.warnings) Say(context, "  warning: " + warning);
  return 0;
}

}  // namespace lamina::cli
