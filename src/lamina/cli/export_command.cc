#include <algorithm>
#include <filesystem>

#include "lamina/backtests/export_batch.h"
#include "lamina/backtests/ranking.h"
#include "lamina/base/json.h"
#include "lamina/catalog/pins.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/output.h"
#include "lamina/cli/report_problems.h"

namespace lamina::cli {
namespace {

void WriteExport(JsonWriter& json, const backtests::ExportReport& report) {
  json.BeginObject();
  json.Key("path");
  json.String(report.path);
  json.Key("bytes");
  json.Int(report.bytes);
  json.Key("sha256");
  json.String(report.sha256.Hex());
  json.Key("document_sha256");
  json.String(report.document_sha256.Hex());
  json.Key("identical_to_original");
  json.Bool(report.identical_to_original);
  json.Key("format_version");
  json.Int(report.format_version);
  json.Key("level");
  json.Int(report.level);
  json.Key("warnings");
  WriteTexts(json, report.warnings);
  json.EndObject();
}

void SayExport(const Context& context, const backtests::ExportReport& report) {
  Say(context, report.path + ": " + HumanBytes(report.bytes) + ", version " +
                   std::to_string(report.format_version) +
                   (report.identical_to_original ? ", identical to the original file"
                    : report.converted           ? ", converted"
                                                 : ", same document, another file"));
  for (const auto& warning : report.warnings) Say(context, "  warning: " + warning);
}

Outcome ExportOne(const Context& context, store::Store& store, const ExportArguments& arguments,
                  const backtests::ExportBatchOptions& options) {
  LAMINA_ASSIGN(const auto report,
                store.backtests().Export(arguments.handles.front(), arguments.output, options.file,
                                         options.as_of));
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    WriteExport(json, report);
    Print(out + "\n");
  } else {
    SayExport(context, report);
  }
  return 0;
}

Outcome ExportMany(const Context& context, store::Store& store,
                   const std::vector<std::string>& handles, const std::string& folder,
                   backtests::ExportBatchOptions options) {
  const double begin = static_cast<double>(io::PosixEnv().Monotonic().value);
  backtests::ExportBatchReport report;
  {
    ProgressLine line(context, "backtests");
    options.progress = [&](const backtests::ImportProgress& progress) { line.Update(progress); };
    LAMINA_ASSIGN(report, backtests::ExportBatch(store.backtests(), handles, folder, options));
  }
  const double seconds = (static_cast<double>(io::PosixEnv().Monotonic().value) - begin) / 1e9;
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    json.Key("exported");
    json.BeginArray();
    for (const auto& one : report.exported) WriteExport(json, one);
    json.EndArray();
    WriteFailures(json, "failed", "handle", report.failed);
    WriteFields(json, {{"bytes", report.bytes}});
    json.Key("seconds");
    json.Double(seconds);
    json.EndObject();
    Print(out + "\n");
    return report.failed.empty() ? 0 : 1;
  }
  std::int64_t identical = 0;
  for (const auto& one : report.exported) {
    identical += one.identical_to_original;
    for (const auto& warning : one.warnings) Say(context, "warning: " + one.path + ": " + warning);
  }
  for (const auto& failure : report.failed) {
    Say(context, "not exported: " + failure.path + ": " + failure.message);
  }
  Say(context, HumanCount(static_cast<std::int64_t>(report.exported.size())) + " exported to " +
                   folder + ", " + HumanCount(identical) + " identical to the original file, " +
                   HumanCount(static_cast<std::int64_t>(report.failed.size())) + " failed; " +
                   HumanBytes(report.bytes) + " in " + HumanSeconds(seconds));
  return report.failed.empty() ? 0 : 1;
}

/// Those that `arguments` names or selects, each once.
Result<std::vector<std::string>> ChosenHandles(store::Store& store,
                                               const ExportArguments& arguments) {
  if (arguments.where.empty()) {
    std::vector<std::string> handles = arguments.handles;
    std::sort(handles.begin(), handles.end());
    handles.erase(std::unique(handles.begin(), handles.end()), handles.end());
    return handles;
  }
  if (!arguments.handles.empty()) return InvalidArgument("give handles or --where, not both");
  if (!arguments.snapshot.empty()) {
    return InvalidArgument("--where selects what is there now: leave --snapshot out");
  }
  backtests::ListQuery query;
  query.rows.where = arguments.where;
  query.columns = {"handle"};
  backtests::RowSet rows;
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(rows, backtests::List(database, query));
    return Ok();
  }));
  std::vector<std::string> handles;
  for (const auto& row : rows.rows) handles.push_back(std::get<std::string>(row.front()));
  handles.erase(std::unique(handles.begin(), handles.end()), handles.end());
  if (handles.empty()) return NotFound("no backtest is selected by " + arguments.where);
  return handles;
}

}  // namespace

Outcome Export(const Context& context, const ExportArguments& arguments) {
  if (arguments.output == "-") {
    return InvalidArgument("export writes a file, not standard output; a file called - is ./-");
  }
  if (arguments.handles.empty() && arguments.where.empty()) {
    return InvalidArgument("export needs handles or --where EXPR");
  }
  LAMINA_ASSIGN(const auto opened, OpenStore(context, "", true));
  backtests::ExportBatchOptions options;
  options.file.format_version = arguments.format_version;
  options.file.level = arguments.level;
  options.workers = arguments.workers;
  options.cancel = context.cancel;
  if (!arguments.snapshot.empty()) {
    LAMINA_ASSIGN(options.as_of, catalog::ResolveSnapshot(opened->catalog(), arguments.snapshot));
  }
  LAMINA_ASSIGN(const auto handles, ChosenHandles(*opened, arguments));
  const bool folder = handles.size() > 1 || !arguments.where.empty() ||
                      arguments.output.ends_with('/') ||
                      std::filesystem::is_directory(arguments.output);
  if (!folder) return ExportOne(context, *opened, arguments, options);
  return ExportMany(context, *opened, handles, arguments.output, std::move(options));
}

}  // namespace lamina::cli
