#include "lamina/cli/dataset_commands.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <sstream>
#include <utility>

#include <arrow/table.h>

#include "lamina/base/error_table.h"
#include "lamina/base/fine_time.h"
#include "lamina/base/json.h"
#include "lamina/catalog/pins.h"
#include "lamina/cli/output.h"
#include "lamina/cli/rejects_file.h"
#include "lamina/cli/rows_output.h"
#include "lamina/dataset/bar_import.h"
#include "lamina/dataset/key_values.h"
#include "lamina/store/lineage.h"
#include "lamina/table/parquet_file.h"

namespace lamina::cli {

using dataset::SaveReport;

void WriteReport(JsonWriter& json, const SaveReport& report) {
  WriteFields(json, {{"rows", report.rows},
                     {"added", report.added},
                     {"replaced", report.replaced},
                     {"unchanged", report.unchanged},
                     {"kept", report.kept},
                     {"duplicates", report.duplicates},
                     {"removed", report.removed}});
  json.Key("snapshot");
  report.snapshot ? json.Int(*report.snapshot) : json.Null();
}

std::string Sentence(const SaveReport& report) {
  std::string text = HumanCount(report.rows) + " rows: " + HumanCount(report.added) + " added, " +
                     HumanCount(report.replaced) + " replaced, " + HumanCount(report.unchanged) +
                     " unchanged";
  if (report.kept > 0) text += ", " + HumanCount(report.kept) + " kept (complete ones stay)";
  if (report.duplicates > 0) text += ", " + HumanCount(report.duplicates) + " duplicates";
  return text;
}

Result<dataset::TimeRange> RangeOf(const DatasetArguments& arguments) {
  dataset::TimeRange range;
  if (!arguments.start.empty()) {
    LAMINA_ASSIGN(range.start, ParseFirstMicros(arguments.start));
  }
  if (!arguments.end.empty()) {
    LAMINA_ASSIGN(range.end, ParseFirstMicros(arguments.end));
  }
  if (range.start && range.end && *range.end < *range.start) {
    return InvalidArgument("the range starts after it ends");
  }
  return range;
}

void WriteEdges(JsonWriter& json, const std::vector<dataset::LineageEdge>& edges) {
  json.BeginArray();
  for (const auto& edge : edges) {
    json.BeginObject();
    const std::pair<const char*, const std::string*> texts[] = {{"output_kind", &edge.output_kind},
                                                                {"output_id", &edge.output_id},
                                                                {"input_kind", &edge.input_kind},
                                                                {"input_id", &edge.input_id}};
    for (const auto& [key, text] : texts) {
      json.Key(key);
      json.String(*text);
    }
    json.Key("input_snapshot");
    edge.input_snapshot ? json.Int(*edge.input_snapshot) : json.Null();
    json.EndObject();
  }
  json.EndArray();
}

namespace {

using dataset::ImportedBarFile;

struct FailedFile {
  std::string path;
  Error error;
};

std::vector<std::string> SplitCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

void WriteImported(JsonWriter& json, const ImportedBarFile& file) {
  json.BeginObject();
  json.Key("path");
  json.String(file.path);
  json.Key("instrument");
  json.String(file.instrument);
  json.Key("timeframe");
  json.String(file.timeframe);
  WriteReport(json, file.saved);
  WriteRejected(json, file.rejected);
  json.Key("ignored_columns");
  WriteTexts(json, file.ignored_columns);
  json.EndObject();
}

void SayImported(const Context& context, const ImportedBarFile& file, const RejectsFile& rejects) {
  std::string line = file.path + ": ";
  if (!file.instrument.empty()) line += file.instrument + " " + file.timeframe + ", ";
  line += Sentence(file.saved);
  if (file.rejected.count > 0) line += ", " + HumanCount(file.rejected.count) + " rejected";
  for (std::size_t i = 0; i < file.ignored_columns.size(); ++i) {
    line += (i == 0 ? "; columns ignored: " : ", ") + file.ignored_columns[i];
  }
  Say(context, line);
  constexpr std::size_t kShown = 5;
  rejects.Say(context, file.rejected, kShown);
}

int ReportImport(const Context& context, const std::vector<ImportedBarFile>& done,
                 const std::vector<FailedFile>& failed, double seconds) {
  std::int64_t rows = 0, added = 0, rejected = 0;
  for (const auto& file : done) {
    rows += file.saved.rows;
    added += file.saved.added;
    rejected += file.rejected.count;
  }
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    json.Key("files");
    json.BeginArray();
    for (const auto& file : done) WriteImported(json, file);
    json.EndArray();
    json.Key("failed");
    json.BeginArray();
    for (const auto& file : failed) {
      json.BeginObject();
      json.Key("path");
      json.String(file.path);
      json.Key("code");
      json.String(ErrorName(file.error.code()));
      json.Key("message");
      json.String(file.error.message());
      json.EndObject();
    }
    json.EndArray();
    WriteFields(json, {{"rows", rows}, {"added", added}, {"rejected_count", rejected}});
    json.Key("seconds");
    json.Double(seconds);
    json.EndObject();
    Print(out + "\n");
  } else {
    for (const auto& file : failed) PrintError(context, file.error);
    Say(context, HumanCount(added) + " bars added of " + HumanCount(rows) + " in " +
                     HumanCount(static_cast<std::int64_t>(done.size())) + " files, " +
                     (rejected > 0 ? HumanCount(rejected) + " rows rejected, " : "") +
                     HumanSeconds(seconds));
  }
  return failed.empty() && rejected == 0 ? 0 : 1;
}

Result<std::optional<std::int64_t>> SnapshotOf(store::Store& store, const std::string& text) {
  if (text.empty()) return std::optional<std::int64_t>();
  LAMINA_ASSIGN(const std::int64_t found, catalog::ResolveSnapshot(store.catalog(), text));
  return std::optional<std::int64_t>(found);
}

Outcome Load(const Context& context, const DatasetArguments& arguments, bool bars) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context, "", true));
  dataset::LoadRequest request;
  LAMINA_ASSIGN(request.time, RangeOf(arguments));
  if (bars && !arguments.names.empty()) request.keys.push_back({"instrument", arguments.names});
  if (!arguments.timeframe.empty()) request.keys.push_back({"timeframe", {arguments.timeframe}});
  if (!arguments.columns.empty()) request.columns = SplitCommas(arguments.columns);
  LAMINA_ASSIGN(request.snapshot, SnapshotOf(*opened, arguments.snapshot));
  request.by_time = arguments.by_time;
  std::string format = arguments.format;
  if (context.json) format = "json";
  if (context.json_lines) format = "jsonl";
  if (format.empty()) format = arguments.output.ends_with(".parquet") ? "parquet" : "table";
  LAMINA_ASSIGN(const RowFormat row_format, ParseRowFormat(format));
  LAMINA_ASSIGN(const auto rows, opened->datasets().Load(arguments.dataset, request));
  LAMINA_TRY(dataset::CheckKeysKnown(opened->datasets(), arguments.dataset, request, *rows));
  LAMINA_ASSIGN(const auto writer, RowsWriter::Make(row_format, arguments.output, rows->schema()));
  LAMINA_TRY(writer->Write(*rows));
  LAMINA_TRY(writer->Finish());
  return 0;
}

/// An edge and what lies behind it, indented.
void AppendTree(std::string& out, const std::vector<dataset::LineageEdge>& edges,
                const std::string& kind, const std::string& id, int depth,
                std::set<std::string>& above) {
  for (const auto& edge : edges) {
    if (edge.output_kind != kind || edge.output_id != id) continue;
    const std::string name = edge.input_kind + ":" + edge.input_id;
    out += std::string(static_cast<std::size_t>(depth) * 2, ' ') + name;
    if (edge.input_snapshot) out += " at snapshot " + std::to_string(*edge.input_snapshot);
    out += "\n";
    if (!above.insert(name).second) continue;
    AppendTree(out, edges, edge.input_kind, edge.input_id, depth + 1, above);
    above.erase(name);
  }
}

std::string EdgesJson(const std::vector<dataset::LineageEdge>& edges) {
  std::string out;
  JsonWriter json(out);
  WriteEdges(json, edges);
  return out + "\n";
}

std::string CellText(const dataset::RegistryCell& cell) {
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&cell)) return PythonFloatRepr(*number);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return "";
}

void WriteCell(JsonWriter& json, const dataset::RegistryCell& cell) {
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) {
    json.Int(*whole);
  } else if (const auto* number = std::get_if<double>(&cell)) {
    json.Double(*number);
  } else if (const auto* text = std::get_if<std::string>(&cell)) {
    json.String(*text);
  } else {
    json.Null();
  }
}

}  // namespace

Outcome BarsImport(const Context& context, const DatasetArguments& arguments) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_ASSIGN(const auto files, dataset::FindBarFiles(opened->catalog().env(), arguments.names));
  dataset::BarImportOptions options;
  if (!arguments.instrument.empty()) options.instrument = arguments.instrument;
  if (!arguments.timeframe.empty()) options.timeframe = arguments.timeframe;
  options.dataset = arguments.dataset;
  options.file.price = arguments.price;
  LAMINA_ASSIGN(const auto rejects,
                RejectsFile::Make(opened->catalog().env(), arguments.rejects, files));
  std::vector<ImportedBarFile> done;
  std::vector<FailedFile> failed;
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string& path : files) {
    if (context.cancel != nullptr && context.cancel->cancelled()) {
      LAMINA_TRY(rejects->Finish());
      return Cancelled("interrupted; files that were imported stay, run it again to go on");
    }
    options.file.on_rejected = rejects->SinkOf(path);
    auto imported = dataset::ImportBarFile(opened->datasets(), path, options);
    if (!imported.ok()) {
      if (files.size() == 1) {
        LAMINA_TRY(rejects->Finish());
        return std::move(imported).error();
      }
      failed.push_back({path, std::move(imported).error()});
      continue;
    }
    if (!context.structured()) SayImported(context, *imported, *rejects);
    done.push_back(*std::move(imported));
  }
  LAMINA_TRY(rejects->Finish());
  const std::chrono::duration<double> span = std::chrono::steady_clock::now() - begin;
  return ReportImport(context, done, failed, span.count());
}

Outcome BarsLoad(const Context& context, const DatasetArguments& arguments) {
  return Load(context, arguments, true);
}

Outcome FeaturesLoad(const Context& context, const DatasetArguments& arguments) {
  return Load(context, arguments, false);
}

Outcome BarsDelete(const Context& context, const DatasetArguments& arguments) {
  if (arguments.start.empty() && arguments.end.empty() && !arguments.yes) {
    return InvalidArgument("this would delete all bars of " + arguments.instrument +
                           "; name --start or --end, or say --yes");
  }
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_ASSIGN(const auto range, RangeOf(arguments));
  std::vector<dataset::KeyFilter> keys = {{"instrument", {arguments.instrument}}};
  if (!arguments.timeframe.empty()) keys.push_back({"timeframe", {arguments.timeframe}});
  LAMINA_ASSIGN(const auto report, opened->datasets().Delete(arguments.dataset, range, keys));
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    WriteFields(json, {{"deleted", report.removed}});
    json.EndObject();
    Print(out + "\n");
  } else {
    Say(context, HumanCount(report.removed) + " bars deleted; older snapshots keep them");
  }
  return 0;
}

Outcome FeaturesSave(const Context& context, const DatasetArguments& arguments) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_ASSIGN(const auto rows,
                table::ReadParquet(opened->catalog().env(), arguments.names.front()));
  LAMINA_ASSIGN(auto columns, dataset::InferColumns(*rows, "timestamp"));
  LAMINA_TRY(opened->datasets().CreateIfAbsent(
      dataset::WideDefinition(arguments.dataset, "features", std::move(columns))));
  dataset::SaveOptions options;
  LAMINA_ASSIGN(options.mode, dataset::WriteModeFromName(arguments.mode));
  auto saved = opened->datasets().Save(arguments.dataset, *rows, options);
  if (!saved.ok()) return std::move(saved).error().With(arguments.names.front());
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    WriteReport(json, *saved);
    json.EndObject();
    Print(out + "\n");
  } else {
    Say(context, Sentence(*saved));
  }
  return 0;
}

Outcome ListRegistry(const Context& context, const std::string& table,
                     const DatasetArguments& arguments) {
  using dataset::RegistryTable;
  const RegistryTable which = table == "files"     ? RegistryTable::kFiles
                              : table == "fetches" ? RegistryTable::kFetches
                              : table == "runs"    ? RegistryTable::kRuns
                                                   : RegistryTable::kModels;
  LAMINA_ASSIGN(const auto opened, OpenStore(context, "", true));
  dataset::RegistryRow where;
  if (!arguments.instrument.empty()) where.emplace_back("instrument", arguments.instrument);
  LAMINA_ASSIGN(const auto rows, opened->registry().Rows(which, where));
  std::string out;
  if (!context.structured()) {
    for (const auto& row : rows) {
      std::string line;
      for (const auto& [name, cell] : row) {
        const std::string text = CellText(cell);
        if (!text.empty()) line += (line.empty() ? "" : "  ") + name + "=" + text;
      }
      out += line + "\n";
    }
    Print(out);
    return 0;
  }
  if (!context.json_lines) out = "[";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string object;
    JsonWriter json(object);
    json.BeginObject();
    for (const auto& [name, cell] : rows[i]) {
      json.Key(name);
      WriteCell(json, cell);
    }
    json.EndObject();
    out += context.json_lines ? object + "\n" : (i == 0 ? "" : ", ") + object;
  }
  Print(context.json_lines ? out : out + "]\n");
  return 0;
}

Outcome ShowLineage(const Context& context, const DatasetArguments& arguments) {
  const std::string& name = arguments.names.front();
  const auto colon = name.find(':');
  if (colon == std::string::npos) {
    return InvalidArgument("'" + name +
                           "' must be a kind and an id: artifact:3, processing_run:7, file:12, "
                           "dataset:splits");
  }
  const std::string kind = name.substr(0, colon), id = name.substr(colon + 1);
  if (id.empty()) return InvalidArgument("'" + name + "' lacks the id behind the colon");
  LAMINA_ASSIGN(const auto opened, OpenStore(context, "", true));
  LAMINA_ASSIGN(const auto edges, store::LineageOf(*opened, kind, id));
  if (context.structured()) {
    Print(EdgesJson(edges));
    return 0;
  }
  if (edges.empty()) Say(context, "it is not noted what " + name + " was made from");
  std::string out = name + "\n";
  std::set<std::string> above = {name};
  AppendTree(out, edges, kind, id, 1, above);
  Print(out);
  return 0;
}

Outcome ShowStale(const Context& context, const DatasetArguments&) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context, "", true));
  LAMINA_ASSIGN(const auto edges, store::StaleEdges(*opened));
  if (context.structured()) {
    Print(EdgesJson(edges));
    return 0;
  }
  std::string out;
  for (const auto& edge : edges) {
    out += edge.output_kind + ":" + edge.output_id + " was made from " + edge.input_kind + ":" +
           edge.input_id + " as of snapshot " + std::to_string(edge.input_snapshot.value_or(0)) +
           ", which has changed since\n";
  }
  Print(out);
  return 0;
}

}  // namespace lamina::cli
