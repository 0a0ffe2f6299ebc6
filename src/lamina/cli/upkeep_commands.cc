#include <map>
#include <utility>

#include "lamina/base/duration.h"
#include "lamina/base/error_table.h"
#include "lamina/base/json.h"
#include "lamina/catalog/pins.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/output.h"
#include "lamina/upkeep/backup.h"
#include "lamina/upkeep/collection.h"
#include "lamina/upkeep/doctor.h"
#include "lamina/upkeep/history.h"
#include "lamina/upkeep/purge.h"
#include "lamina/upkeep/repair.h"
#include "lamina/upkeep/verify_store.h"

namespace lamina::cli {
namespace {

/// One JSON object on a line of its own.
template <class Fill>
std::string Object(Fill fill) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  fill(json);
  json.EndObject();
  return out + "\n";
}

void Write(JsonWriter& json, std::string_view key, std::string_view text) {
  json.Key(key);
  json.String(text);
}

void WriteProblems(JsonWriter& json, const std::vector<upkeep::StoreProblem>& problems) {
  json.Key("problems");
  json.BeginArray();
  for (const auto& problem : problems) {
    json.BeginObject();
    Write(json, "kind", problem.kind);
    Write(json, "path", problem.path);
    Write(json, "detail", problem.detail);
    Write(json, "remedy", problem.remedy);
    json.EndObject();
  }
  json.EndArray();
}

std::string ProblemsText(const std::vector<upkeep::StoreProblem>& problems) {
  std::string out;
  for (const auto& problem : problems) {
    out += problem.kind + "  " + problem.path + ": " + problem.detail + "\n    " + problem.remedy +
           "\n";
  }
  return out;
}

Result<std::optional<Micros>> Span(const std::string& text) {
  if (text.empty()) return std::optional<Micros>();
  LAMINA_ASSIGN(const Micros span, ParseDuration(text));
  return std::optional<Micros>(span);
}

/// What `work` gives; its time and figures are shown on a terminal meanwhile.
template <class Work>
auto InSight(const Context& context, const char* what, const Work& work) {
  WorkLine line(context, what);
  const catalog::WorkProgressCall progress = [&](const catalog::WorkProgress& now) {
    line.Update(now);
  };
  return work(progress);
}

const char* Would(bool dry_run) { return dry_run ? " would be" : ""; }

using PinNames = std::map<std::int64_t, std::vector<std::string>>;

std::string SnapshotJson(const catalog::LakeSnapshot& snapshot, const PinNames& pins) {
  std::string line;
  JsonWriter json(line);
  json.BeginObject();
  WriteFields(json, {{"snapshot", snapshot.snapshot_id}});
  Write(json, "time", FormatTime(snapshot.time));
  Write(json, "author", snapshot.author);
  Write(json, "message", snapshot.message);
  Write(json, "changes", snapshot.changes);
  json.Key("pins");
  json.BeginArray();
  if (const auto named = pins.find(snapshot.snapshot_id); named != pins.end()) {
    for (const std::string& name : named->second) json.String(name);
  }
  json.EndArray();
  json.EndObject();
  return line;
}

std::string SnapshotText(const catalog::LakeSnapshot& snapshot, const PinNames& pins) {
  std::string line = Padded(std::to_string(snapshot.snapshot_id), 8) + FormatTime(snapshot.time) +
                     "  " + Padded(snapshot.author, 8) + "  " + snapshot.message;
  if (const auto named = pins.find(snapshot.snapshot_id); named != pins.end()) {
    for (const std::string& name : named->second) line += "  [" + name + "]";
  }
  return line;
}

}  // namespace

Outcome Snapshots(const Context& context) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context, "", true));
  LAMINA_ASSIGN(const auto snapshots, opened->Snapshots());
  LAMINA_ASSIGN(const auto pins, catalog::ListPins(opened->catalog()));
  PinNames names;
  for (const catalog::Pin& pin : pins) names[pin.snapshot].push_back(pin.name);
  std::string out;
  JsonWriter json(out);
  const bool array = context.json && !context.json_lines;
  if (array) json.BeginArray();
  for (const auto& snapshot : snapshots) {
    if (array) {
      json.Raw(SnapshotJson(snapshot, names));
    } else {
      out += (context.json_lines ? SnapshotJson(snapshot, names) : SnapshotText(snapshot, names)) +
             "\n";
    }
  }
  if (array) {
    json.EndArray();
    out += "\n";
  }
  Print(out);
  return 0;
}

Outcome Verify(const Context& context, bool deep) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context, "", true));
  LAMINA_ASSIGN(const auto found, InSight(context, deep ? "reading every byte" : "checking",
                                          [&](const catalog::WorkProgressCall& progress) {
                                            return upkeep::VerifyStore(*opened, deep,
                                                                       context.cancel, progress);
                                          }));
  if (context.structured()) {
    Print(Object([&](JsonWriter& json) {
      json.Key("ok");
      json.Bool(found.ok());
      WriteFields(json, {{"checked_files", found.checked_files},
                         {"checked_chunks", found.checked_chunks},
                         {"checked_bytes", found.checked_bytes},
                         {"checked_backtests", found.checked_backtests},
                         {"checked_runs", found.checked_runs},
                         {"checked_documents", found.checked_documents}});
      WriteProblems(json, found.problems);
    }));
  } else {
    std::string out = HumanCount(found.checked_files) + " files, " +
                      HumanCount(found.checked_chunks) + " chunks, " +
                      HumanBytes(found.checked_bytes) + ", " + HumanCount(found.checked_backtests) +
                      " backtests checked";
    if (deep) out += ", " + HumanCount(found.checked_documents) + " documents put together";
    Print(out + (found.ok() ? ": ok\n" : "\n") + ProblemsText(found.problems));
  }
  return found.ok() ? 0 : ExitCodeOf(ErrorCode::kCorruption);
}

Outcome Pin(const Context& context, const UpkeepArguments& arguments) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  std::optional<std::int64_t> snapshot;
  if (!arguments.snapshot.empty()) {
    LAMINA_ASSIGN(snapshot, catalog::ResolveSnapshot(opened->catalog(), arguments.snapshot));
  }
  LAMINA_ASSIGN(const auto pin, catalog::PinSnapshot(opened->catalog(), arguments.name, snapshot));
  if (context.structured()) {
    Print(Object([&](JsonWriter& json) {
      Write(json, "pin", pin.name);
      WriteFields(json, {{"snapshot", pin.snapshot}});
    }));
  } else {
    Say(context, "'" + pin.name + "' pins snapshot " + std::to_string(pin.snapshot));
  }
  return 0;
}

Outcome Unpin(const Context& context, const UpkeepArguments& arguments) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_TRY(catalog::Unpin(opened->catalog(), arguments.name));
  if (context.structured()) {
    Print(Object([&](JsonWriter& json) { Write(json, "unpinned", arguments.name); }));
  } else {
    Say(context, "'" + arguments.name + "' is unpinned");
  }
  return 0;
}

Outcome Expire(const Context& context, const UpkeepArguments& arguments) {
  LAMINA_ASSIGN(const auto older_than, Span(arguments.older_than));
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  upkeep::ExpireOptions options;
  options.older_than = older_than.value_or(opened->config().keep_snapshots);
  options.dry_run = arguments.dry_run;
  LAMINA_ASSIGN(const auto report, upkeep::ExpireSnapshots(opened->catalog(), options));
  if (context.structured()) {
    Print(Object([&](JsonWriter& json) {
      json.Key("expired");
      json.BeginArray();
      for (const auto& snapshot : report.expired) json.Int(snapshot.snapshot_id);
      json.EndArray();
      json.Key("kept_by_pins");
      json.BeginArray();
      for (const auto& pin : report.pins) json.String(pin.name);
      json.EndArray();
      WriteFields(json, {{"kept", report.kept},
                         {"condemned_files", report.condemned_files},
                         {"condemned_chunks", report.condemned_chunks},
                         {"removed_rows", report.removed_rows}});
      json.Key("dry_run");
      json.Bool(report.dry_run);
    }));
    return 0;
  }
  const auto count = static_cast<std::int64_t>(report.expired.size());
  Say(context, HumanCount(count) + " snapshots" + Would(report.dry_run) + " forgotten, " +
                   HumanCount(report.kept) + " kept; " + HumanCount(report.condemned_files) +
                   " lake files and " + HumanCount(report.condemned_chunks) +
                   " chunks are for gc to remove");
  for (const auto& pin : report.pins) {
    Say(context,
        "  snapshot " + std::to_string(pin.snapshot) + " is kept by pin '" + pin.name + "'");
  }
  return 0;
}

Outcome Collect(const Context& context, const UpkeepArguments& arguments) {
  upkeep::CollectOptions options;
  LAMINA_ASSIGN(options.grace, Span(arguments.grace));
  options.dry_run = arguments.dry_run;
  options.cancel = context.cancel;
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_ASSIGN(const auto report, InSight(context, "collecting", [&](const auto&) {
                  return upkeep::CollectGarbage(*opened, options);
                }));
  if (context.structured()) {
    Print(Object([&](JsonWriter& json) {
      WriteFields(json, {{"removed_chunks", report.removed_chunks},
                         {"removed_files", report.removed_files},
                         {"freed_bytes", report.freed_bytes},
                         {"kept_pinned", report.kept_pinned},
                         {"removed_orphans", report.removed_orphans},
                         {"waiting", report.waiting},
                         {"expired_snapshots", report.expired_snapshots}});
      json.Key("dry_run");
      json.Bool(report.dry_run);
    }));
    return 0;
  }
  Say(context, HumanCount(report.removed_files) + " files and " +
                   HumanCount(report.removed_chunks) + " chunks" + Would(report.dry_run) +
                   " removed, " + HumanBytes(report.freed_bytes) + " freed; " +
                   HumanCount(report.waiting) + " wait for their grace, " +
                   HumanCount(report.kept_pinned) + " files are kept by pins");
  return 0;
}

Outcome Compact(const Context& context, const UpkeepArguments& arguments) {
  catalog::CompactionRequest request;
  request.tables = arguments.names;
  request.cancel = context.cancel;
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_ASSIGN(const auto tables,
                InSight(context, "merging", [&](const auto&) { return opened->Compact(request); }));
  if (context.structured()) {
    Print(Object([&](JsonWriter& json) {
      json.Key("tables");
      json.BeginArray();
      for (const auto& table : tables) {
        json.BeginObject();
        Write(json, "table", table.table);
        WriteFields(json, {{"files_before", table.files_before},
                           {"files_after", table.files_after},
                           {"rows", table.rows},
                           {"bytes_before", table.bytes_before},
                           {"bytes_after", table.bytes_after}});
        json.EndObject();
      }
      json.EndArray();
    }));
    return 0;
  }
  std::string out =
      Padded("table", 34) + Padded("files", 16, true) + Padded("size", 24, true) + "\n";
  for (const auto& table : tables) {
    out +=
        Padded(table.table, 34) +
        Padded(HumanCount(table.files_before) + " -> " + HumanCount(table.files_after), 16, true) +
        Padded(HumanBytes(table.bytes_before) + " -> " + HumanBytes(table.bytes_after), 24, true) +
        "\n";
  }
  Print(out);
  return 0;
}

Outcome Purge(const Context& context, const UpkeepArguments& arguments) {
  if (!arguments.yes) {
    return InvalidArgument("purge takes backtests out for good and cannot be undone; say --yes");
  }
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_ASSIGN(const auto report, InSight(context, "purging", [&](const auto&) {
                  return upkeep::PurgeBacktests(*opened, arguments.names, context.cancel);
                }));
  if (context.structured()) {
    Print(Object([&](JsonWriter& json) {
      json.Key("purged");
      json.BeginArray();
      for (const std::string& handle : report.purged) json.String(handle);
      json.EndArray();
      WriteFields(json, {{"expired_snapshots", report.expired_snapshots},
                         {"removed_files", report.removed_files},
                         {"removed_chunks", report.removed_chunks},
                         {"freed_bytes", report.freed_bytes}});
    }));
    return 0;
  }
  Say(context, HumanCount(static_cast<std::int64_t>(report.purged.size())) + " backtests purged; " +
                   HumanCount(report.expired_snapshots) + " snapshots forgotten, " +
                   HumanBytes(report.freed_bytes) + " freed");
  return 0;
}

Outcome Backup(const Context& context, const UpkeepArguments& arguments) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_ASSIGN(const auto report,
                InSight(context, "copying", [&](const catalog::WorkProgressCall& progress) {
                  return upkeep::BackupStore(*opened, arguments.destination, context.cancel,
                                             progress);
                }));
  if (context.structured()) {
    Print(Object([&](JsonWriter& json) {
      WriteFields(json, {{"files", report.files},
                         {"bytes", report.bytes},
                         {"snapshot", report.snapshot},
                         {"copied_files", report.copied_files},
                         {"copied_bytes", report.copied_bytes}});
    }));
    return 0;
  }
  Say(context, "snapshot " + std::to_string(report.snapshot) + " is in " + arguments.destination +
                   ": " + HumanCount(report.files) + " files, " + HumanBytes(report.bytes) + "; " +
                   HumanCount(report.copied_files) + " copied now (" +
                   HumanBytes(report.copied_bytes) + ")");
  return 0;
}

Outcome Restore(const Context& context, const UpkeepArguments& arguments) {
  LAMINA_ASSIGN(const auto report,
                InSight(context, "restoring", [&](const catalog::WorkProgressCall& progress) {
                  return upkeep::RestoreStore(io::PosixEnv(), arguments.source,
                                              arguments.destination, context.cancel, progress);
                }));
  if (context.structured()) {
    Print(Object([&](JsonWriter& json) {
      WriteFields(
          json, {{"files", report.files}, {"bytes", report.bytes}, {"snapshot", report.snapshot}});
      Write(json, "store_id", report.store_id.ToString());
      Write(json, "root", arguments.destination);
    }));
    return 0;
  }
  Say(context, arguments.destination + " is a store with snapshot " +
                   std::to_string(report.snapshot) + " and a new id, " +
                   report.store_id.ToString());
  return 0;
}

Outcome Repair(const Context& context, const UpkeepArguments& arguments) {
  upkeep::RepairOptions options;
  options.dry_run = arguments.dry_run;
  options.backup = arguments.source;
  options.cancel = context.cancel;
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_ASSIGN(const auto report, InSight(context, "reading every byte", [&](const auto&) {
                  return upkeep::RepairStore(*opened, options);
                }));
  const bool ok = report.problems.empty();
  if (context.structured()) {
    Print(Object([&](JsonWriter& json) {
      json.Key("ok");
      json.Bool(ok);
      json.Key("actions");
      json.BeginArray();
      for (const auto& action : report.actions) {
        json.BeginObject();
        Write(json, "path", action.path);
        Write(json, "action", action.action);
        Write(json, "detail", action.detail);
        json.EndObject();
      }
      json.EndArray();
      WriteProblems(json, report.problems);
      json.Key("dry_run");
      json.Bool(report.dry_run);
    }));
  } else {
    std::string out;
    for (const auto& action : report.actions) {
      out += action.action + "  " + action.path + ": " + action.detail + "\n";
    }
    if (report.actions.empty()) out += "nothing that can be repaired\n";
    if (!ok) out += report.dry_run ? "found:\n" : "left:\n";
    Print(out + ProblemsText(report.problems));
  }
  return ok || report.dry_run ? 0 : ExitCodeOf(ErrorCode::kCorruption);
}

Outcome Doctor(const Context& context) {
  if (context.store.empty()) {
    return InvalidArgument("no store named; give --store ROOT or set LAMINA_STORE");
  }
  LAMINA_ASSIGN(const auto findings, upkeep::Examine(io::PosixEnv(), context.store));
  bool bad = false;
  std::string out;
  for (const upkeep::Finding& finding : findings) {
    bad = bad || finding.health == upkeep::Health::kBad;
    out += Padded(std::string(upkeep::HealthName(finding.health)), 6) + Padded(finding.check, 18) +
           finding.value + "\n";
    if (!finding.advice.empty()) out += std::string(24, ' ') + finding.advice + "\n";
  }
  if (context.structured()) {
    out = Object([&](JsonWriter& json) {
      json.Key("ok");
      json.Bool(!bad);
      json.Key("checks");
      json.BeginArray();
      for (const upkeep::Finding& finding : findings) {
        json.BeginObject();
        Write(json, "check", finding.check);
        Write(json, "state", upkeep::HealthName(finding.health));
        Write(json, "value", finding.value);
        Write(json, "advice", finding.advice);
        json.EndObject();
      }
      json.EndArray();
    });
  }
  Print(out);
  return bad ? 1 : 0;
}

}  // namespace lamina::cli
