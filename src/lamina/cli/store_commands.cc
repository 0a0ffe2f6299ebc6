#include "lamina/base/json.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/inspect.h"
#include "lamina/cli/output.h"
#include "lamina/store/stats.h"

namespace lamina::cli {
namespace {

std::string StatsJson(const store::StoreStats& stats) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("root");
  json.String(stats.root);
  json.Key("store_id");
  json.String(stats.store_id);
  WriteFields(json, {{"format_version", stats.format_version},
                     {"snapshot", stats.snapshot},
                     {"backtests", stats.backtests},
                     {"runs", stats.runs},
                     {"run_references", stats.run_references},
                     {"document_bytes", stats.document_bytes},
                     {"file_bytes", stats.file_bytes},
                     {"catalog_bytes", stats.catalog_bytes},
                     {"objects_bytes", stats.objects_bytes},
                     {"total_bytes", stats.total_bytes}});
  json.Key("tables");
  json.BeginArray();
  for (const auto& table : stats.tables) {
    json.BeginObject();
    json.Key("table");
    json.String(table.name);
    WriteFields(json, {{"rows", table.rows}, {"files", table.files}, {"bytes", table.bytes}});
    json.EndObject();
  }
  json.EndArray();
  json.Key("chunks");
  json.BeginArray();
  for (const auto& chunk : stats.chunks) {
    json.BeginObject();
    json.Key("kind");
    json.String(chunk.kind);
    WriteFields(json, {{"chunks", chunk.chunks},
                       {"references", chunk.references},
                       {"content_bytes", chunk.content_bytes},
                       {"stored_bytes", chunk.stored_bytes}});
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return out + "\n";
}

std::string StatsText(const store::StoreStats& stats) {
  std::string out = "store      " + stats.root + "  (" + stats.store_id + ")\n";
  out += "snapshot   " + std::to_string(stats.snapshot) + "\n";
  out += "backtests  " + HumanCount(stats.backtests) + " with " + HumanCount(stats.run_references) +
         " runs, " + HumanCount(stats.runs) + " of them different\n";
  out += "size       " + HumanBytes(stats.total_bytes);
  if (stats.backtests > 0) {
    out += ", " + HumanBytes(stats.total_bytes / stats.backtests) + " a backtest (as files " +
           HumanBytes(stats.file_bytes / stats.backtests) + ", unpacked " +
           HumanBytes(stats.document_bytes / stats.backtests) + ")";
  }
  out += "\n\n" + Padded("table", 34) + Padded("rows", 14, true) + Padded("files", 8, true) +
         Padded("size", 12, true) + "\n";
  for (const auto& table : stats.tables) {
    out += Padded(table.name, 34) + Padded(HumanCount(table.rows), 14, true) +
           Padded(HumanCount(table.files), 8, true) + Padded(HumanBytes(table.bytes), 12, true) +
           "\n";
  }
  out += "\n" + Padded("chunks", 34) + Padded("number", 14, true) + Padded("uses", 8, true) +
         Padded("size", 12, true) + "\n";
  for (const auto& chunk : stats.chunks) {
    out += Padded(chunk.kind, 34) + Padded(HumanCount(chunk.chunks), 14, true) +
           Padded(HumanCount(chunk.references), 8, true) +
           Padded(HumanBytes(chunk.stored_bytes), 12, true) + "\n";
  }
  out += "\n" + Padded("catalog.sqlite", 56) + Padded(HumanBytes(stats.catalog_bytes), 12, true) +
         "\n" + Padded("objects.sqlite", 56) + Padded(HumanBytes(stats.objects_bytes), 12, true) +
         "\n";
  return out;
}

}  // namespace

Result<std::unique_ptr<store::Store>> OpenStore(const Context& context, const std::string& root,
                                                bool read_only) {
  const std::string& chosen = root.empty() ? context.store : root;
  if (chosen.empty()) {
    return InvalidArgument("no store named; give --store ROOT or set LAMINA_STORE");
  }
  if (read_only) return store::Store::OpenToRead(io::PosixEnv(), chosen);
  return store::Store::Open(io::PosixEnv(), chosen);
}

Outcome Init(const Context& context, const std::string& root) {
  store::StoreOptions options;
  options.create = true;
  LAMINA_ASSIGN(const auto opened, store::Store::Open(io::PosixEnv(), root, options));
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    json.Key("root");
    json.String(opened->root());
    json.Key("store_id");
    json.String(opened->config().store_id.ToString());
    json.Key("format_version");
    json.Int(opened->config().format_version);
    json.EndObject();
    Print(out + "\n");
    return 0;
  }
  Say(context, opened->created() ? "made an empty store at " + root
                                 : root + " is a store already; nothing changed");
  return 0;
}

Outcome Stats(const Context& context) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context, "", true));
  LAMINA_ASSIGN(const auto stats, store::ReadStats(*opened));
  Print(context.structured() ? StatsJson(stats) : StatsText(stats));
  return 0;
}

Outcome Inspect(const Context& context, const std::string& path) {
  LAMINA_ASSIGN(const std::string text, InspectFile(io::PosixEnv(), path, context.structured()));
  Print(text);
  return 0;
}

}  // namespace lamina::cli
