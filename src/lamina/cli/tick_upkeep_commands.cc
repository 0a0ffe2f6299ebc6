#include <algorithm>
#include <optional>
#include <utility>

#include <pwd.h>
#include <unistd.h>

#include "lamina/base/json.h"
#include "lamina/cli/output.h"
#include "lamina/cli/tick_arguments.h"
#include "lamina/cli/tick_commands.h"
#include "lamina/market/calendar.h"
#include "lamina/store/contract_names.h"
#include "lamina/ticks/tick_store.h"

namespace lamina::cli {
namespace {

std::string Clock(std::int64_t nanos) {
  return FormatTime(Micros{nanos / 1000}, {'T', TimeSpelling::Zone::kZ, false});
}

std::string DayText(std::int32_t day) { return market::FormatDay(market::Day{day}); }

void WriteNumber(JsonWriter& json, const char* key, const std::optional<double>& value) {
  json.Key(key);
  value ? json.Double(*value) : json.Null();
}

void WriteText(JsonWriter& json, const char* key, std::string_view text) {
  json.Key(key);
  json.String(text);
}

/// One JSON array, or an object a line; else a table with its header in the first row.
void PrintRows(const Context& context, const std::vector<std::string>& objects,
               const std::vector<std::vector<std::string>>& cells) {
  std::string out;
  if (context.structured()) {
    for (std::size_t i = 0; i < objects.size(); ++i) {
      out += context.json_lines ? objects[i] + "\n" : (i == 0 ? "" : ", ") + objects[i];
    }
    Print(context.json_lines ? out : "[" + out + "]\n");
    return;
  }
  std::vector<std::size_t> widths(cells.front().size(), 0);
  for (const auto& row : cells) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : cells) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += (i == 0 ? "" : "  ") + Padded(row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  Print(out);
}

std::string NumberText(const std::optional<double>& value) {
  return value ? PythonFloatRepr(*value) : "";
}

/// The one contract of a command.
Result<std::int64_t> ContractOf(store::Store& store, const TickArguments& arguments) {
  return store::ContractOf(store.instruments(), arguments.contract);
}

std::string UserName() {
  const passwd* user = getpwuid(getuid());
  return user != nullptr ? user->pw_name : std::to_string(getuid());
}

std::string StorageJson(const ticks::StorageReport& report) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  WriteFields(json, {{"logs", report.logs},
                     {"open_logs", report.open_logs},
                     {"log_segments", report.log_segments},
                     {"log_bytes", report.log_bytes},
                     {"waiting_ticks", report.waiting_ticks},
                     {"contracts", report.contracts},
                     {"archive_files", report.archive_files},
                     {"archive_ticks", report.archive_ticks},
                     {"archive_bytes", report.archive_bytes},
                     {"json_bytes", report.json_bytes},
                     {"damaged_groups", report.damaged_groups},
                     {"damaged_bytes", report.damaged_bytes}});
  WriteNumber(json, "compression_ratio", report.compression_ratio());
  WriteNumber(json, "bytes_per_tick", report.bytes_per_tick());
  json.Key("archived_at");
  report.archived_at ? json.String(Clock(*report.archived_at * 1000)) : json.Null();
  json.EndObject();
  return out + "\n";
}

std::string StorageText(const ticks::StorageReport& report) {
  std::string out = "logs     " + HumanCount(report.logs) + ", " + HumanCount(report.open_logs) +
                    " being written; " + HumanCount(report.log_segments) + " segments, " +
                    HumanBytes(report.log_bytes) + "; " + HumanCount(report.waiting_ticks) +
                    " ticks wait to be archived\n" + "archive  " +
                    HumanCount(report.archive_ticks) + " ticks of " + HumanCount(report.contracts) +
                    " contracts in " + HumanCount(report.archive_files) + " files, " +
                    HumanBytes(report.archive_bytes);
  if (report.bytes_per_tick() && report.compression_ratio())
    out += "; " + OneDecimal(*report.bytes_per_tick()) + " bytes a tick, 1/" +
           OneDecimal(*report.compression_ratio()) + " of JSON";
  if (report.archived_at) out += "\narchived " + Clock(*report.archived_at * 1000) + " at last";
  if (report.damaged_groups > 0)
    out += "\ndamaged  " + HumanCount(report.damaged_groups) + " groups of logs, " +
           HumanBytes(report.damaged_bytes) + ", in quarantine/";
  return out + "\n";
}

}  // namespace

Outcome TicksStats(const Context& context, const TickArguments& arguments) {
  LAMINA_ASSIGN(const auto store, OpenStore(context, "", true));
  if (arguments.storage) {
    if (!arguments.contract.empty() || !arguments.date.empty())
      return InvalidArgument("--storage is of all contracts and days");
    LAMINA_ASSIGN(const ticks::StorageReport report, store->ticks().Storage());
    Print(context.structured() ? StorageJson(report) : StorageText(report));
    return 0;
  }
  ticks::StatisticsFilter filter;
  if (!arguments.contract.empty()) {
    LAMINA_ASSIGN(filter.contract_id, ContractOf(*store, arguments));
  }
  if (!arguments.date.empty()) {
    LAMINA_ASSIGN(const market::Day day, market::ParseDay(arguments.date));
    filter.first_day = filter.last_day = day.value;
  }
  LAMINA_ASSIGN(const auto rows, store->ticks().Statistics(filter));
  std::vector<std::string> objects;
  std::vector<std::vector<std::string>> cells = {
      {"CONTRACT", "TYPE", "DATE", "TICKS", "PRICES", "VOLUME", "VWAP", "HIGH", "LOW"}};
  for (const ticks::StatisticsRow& row : rows) {
    const std::string type(tick_log::TickTypeName(row.type));
    JsonWriter json(objects.emplace_back());
    json.BeginObject();
    WriteFields(json, {{"contract_id", row.contract_id}});
    WriteText(json, "tick_type", type);
    WriteText(json, "date", DayText(row.day));
    WriteFields(json, {{"total_ticks", row.total_ticks}, {"unique_prices", row.unique_prices}});
    WriteNumber(json, "total_volume", row.total_volume);
    WriteNumber(json, "vwap", row.vwap);
    WriteNumber(json, "high_price", row.high_price);
    WriteNumber(json, "low_price", row.low_price);
    WriteFields(json, {{"first_ns", row.first_ns}, {"last_ns", row.last_ns}});
    json.EndObject();
    cells.push_back({std::to_string(row.contract_id), type, DayText(row.day),
                     HumanCount(row.total_ticks), HumanCount(row.unique_prices),
                     NumberText(row.total_volume), NumberText(row.vwap), NumberText(row.high_price),
                     NumberText(row.low_price)});
  }
  PrintRows(context, objects, cells);
  return 0;
}

Outcome TicksCoverage(const Context& context, const TickArguments& arguments) {
  LAMINA_ASSIGN(const auto store, OpenStore(context, "", true));
  LAMINA_ASSIGN(const std::int64_t contract, ContractOf(*store, arguments));
  LAMINA_ASSIGN(const std::int64_t begin, TimeOf(arguments.start));
  std::int64_t end = io::PosixEnv().Now().value;
  if (!arguments.end.empty()) {
    LAMINA_ASSIGN(end, TimeOf(arguments.end));
  }
  std::shared_ptr<const market::Calendar> calendar;
  if (arguments.calendar.empty()) {
    LAMINA_ASSIGN(calendar, store::CalendarOfContract(store->instruments(), contract));
  } else {
    LAMINA_ASSIGN(calendar, market::Calendar::Get(arguments.calendar));
  }
  std::vector<std::string> objects;
  std::vector<std::vector<std::string>> cells = {{"TYPE", "START", "END", "STATE", "REASON"}};
  for (const std::string& name : SplitAtCommas(arguments.types)) {
    LAMINA_ASSIGN(const auto type, tick_log::ParseTickType(name));
    LAMINA_ASSIGN(const auto spans,
                  store->ticks().Coverage(contract, type, begin, end, calendar.get()));
    const std::string type_name(tick_log::TickTypeName(type));
    for (const ticks::CoverageSpan& span : spans) {
      const std::string state(ticks::CoverageStateName(span.state));
      JsonWriter json(objects.emplace_back());
      json.BeginObject();
      WriteText(json, "tick_type", type_name);
      WriteText(json, "start", Clock(span.begin_ns));
      WriteText(json, "end", Clock(span.end_ns));
      WriteText(json, "state", state);
      json.Key("reason");
      span.reason.empty() ? json.Null() : json.String(span.reason);
      json.EndObject();
      cells.push_back({type_name, Clock(span.begin_ns), Clock(span.end_ns), state, span.reason});
    }
  }
  PrintRows(context, objects, cells);
  return 0;
}

Outcome TicksArchive(const Context& context, const TickArguments& arguments) {
  LAMINA_ASSIGN(const auto store, OpenStore(context));
  Say(context, "archiving …");
  LAMINA_ASSIGN(const auto done, store->ticks().ArchiveAll(!arguments.sealed_only, context.cancel));
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    WriteFields(json, {{"ticks", done.ticks},
                       {"files", done.files},
                       {"bytes", done.bytes},
                       {"commits", done.commits},
                       {"damaged_groups", done.damaged_groups},
                       {"damaged_bytes", done.damaged_bytes},
                       {"snapshot", done.snapshot}});
    json.EndObject();
    Print(out + "\n");
  } else {
    Say(context, HumanCount(done.ticks) + " ticks archived in " + HumanCount(done.files) +
                     " files, " + HumanBytes(done.bytes));
    if (done.damaged_groups > 0) {
      Say(context, HumanCount(done.damaged_groups) + " damaged groups set aside in quarantine/");
    }
  }
  return done.damaged_groups > 0 ? 1 : 0;
}

Outcome TicksRetention(const Context& context, const TickArguments& arguments) {
  LAMINA_ASSIGN(const auto store, OpenStore(context));
  LAMINA_ASSIGN(const auto done, store->ticks().ApplyRetention(arguments.dry_run));
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    WriteFields(json, {{"segments", done.segments},
                       {"segment_bytes", done.segment_bytes},
                       {"waiting_segments", done.waiting_segments},
                       {"files", done.files},
                       {"ticks", done.ticks},
                       {"file_bytes", done.file_bytes},
                       {"snapshot", done.snapshot}});
    json.Key("paths");
    json.BeginArray();
    for (const std::string& path : done.paths) json.String(path);
    json.EndArray();
    json.Key("dry_run");
    json.Bool(done.dry_run);
    json.EndObject();
    Print(out + "\n");
    return 0;
  }
  for (const std::string& path : done.paths) Print(path + "\n");
  Say(context, std::string(done.dry_run ? "due: " : "gone: ") + HumanCount(done.segments) +
                   " segments of logs, " + HumanBytes(done.segment_bytes) + "; " +
                   HumanCount(done.files) + " files of the archive with " + HumanCount(done.ticks) +
                   " ticks, " + HumanBytes(done.file_bytes));
  return 0;
}

Outcome TicksVoid(const Context& context, const TickArguments& arguments) {
  LAMINA_ASSIGN(const auto store, OpenStore(context));
  ticks::VoidRequest request;
  LAMINA_ASSIGN(request.contract_id, ContractOf(*store, arguments));
  const std::vector<std::string> types = SplitAtCommas(arguments.types);
  if (types.size() > 1) return InvalidArgument("a void is of one type, or without --types of all");
  if (!types.empty()) {
    LAMINA_ASSIGN(request.type, tick_log::ParseTickType(types.front()));
  }
  LAMINA_ASSIGN(request.begin_ns, TimeOf(arguments.start));
  LAMINA_ASSIGN(request.end_ns, TimeOf(arguments.end));
  request.low_price = arguments.below;
  request.high_price = arguments.above;
  request.reason = arguments.reason;
  request.author = UserName();
  request.dry_run = arguments.dry_run;
  LAMINA_ASSIGN(const auto done, store->ticks().Void(request));
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    WriteFields(json,
                {{"void_id", done.void_id}, {"ticks", done.ticks}, {"snapshot", done.snapshot}});
    json.Key("dry_run");
    json.Bool(arguments.dry_run);
    json.EndObject();
    Print(out + "\n");
  } else {
    Say(context,
        HumanCount(done.ticks) + (arguments.dry_run ? " ticks would be void" : " ticks are void"));
  }
  return 0;
}

}  // namespace lamina::cli
