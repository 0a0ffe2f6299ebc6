#include <algorithm>
#include <memory>

#include "lamina/base/json.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/output.h"
#include "lamina/cli/report_problems.h"
#include "lamina/stores/local_dir_store.h"
#include "lamina/stores/local_tiered_store.h"

namespace lamina::cli {
namespace {

/// A store of either kind, held open.
struct OpenedStore {
  std::unique_ptr<store::Store> engine;  ///< of a Lamina store
  std::unique_ptr<stores::BacktestStore> face;
};

Result<OpenedStore> OpenKind(const std::string& kind, const std::string& root, bool to_write) {
  io::Env& env = io::PosixEnv();
  OpenedStore opened;
  if (kind == "local-dir") {
    stores::LocalDirStore::Options options;
    options.create = to_write;
    LAMINA_ASSIGN(opened.face, stores::LocalDirStore::Open(env, root, options));
    return opened;
  }
  store::StoreOptions options;
  options.create = to_write;
  options.read_only = !to_write;
  LAMINA_ASSIGN(opened.engine, store::Store::Open(env, root, options));
  opened.face = std::make_unique<stores::LocalTieredStore>(opened.engine->backtests());
  return opened;
}

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string MigrationJson(const backtests::ImportReport& report) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("migrated");
  json.Int(report.imported + report.replaced);
  json.Key("unchanged");
  json.Int(report.unchanged);
  WriteProblems(json, "handle", report);
  json.Key("seconds");
  json.Double(report.seconds);
  json.EndObject();
  return out + "\n";
}

void SayMigration(const Context& context, const backtests::ImportReport& report) {
  SayProblems(context, "not migrated", report);
  Say(context, HumanCount(report.imported + report.replaced) + " migrated, " +
                   HumanCount(report.unchanged) + " unchanged, " +
                   HumanCount(static_cast<std::int64_t>(report.failed.size())) + " failed in " +
                   HumanSeconds(report.seconds));
}

}  // namespace

Outcome MigrateStore(const Context& context, const MigrateArguments& arguments) {
  if (arguments.source.empty() || arguments.target.empty()) {
    return InvalidArgument(
        "say from where and to where: migrate-store --from KIND --to KIND "
        "SRC DST");
  }
  LAMINA_ASSIGN(const auto source, OpenKind(arguments.from, arguments.source, false));
  LAMINA_ASSIGN(const auto target, OpenKind(arguments.to, arguments.target, true));
  backtests::ImportOptions options;
  options.workers = arguments.workers;
  options.replace = arguments.replace;
  options.cancel = context.cancel;
  backtests::ImportReport report;
  {
    ProgressLine line(context);
    options.progress = [&](const backtests::ImportProgress& progress) { line.Update(progress); };
    LAMINA_ASSIGN(report,
                  target.face->CopyFrom(*source.face, SplitAtCommas(arguments.handles), options));
  }
  if (context.structured()) {
    Print(MigrationJson(report));
  } else {
    SayMigration(context, report);
  }
  return report.failed.empty() ? 0 : 1;
}

}  // namespace lamina::cli
