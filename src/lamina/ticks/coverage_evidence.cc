#include "lamina/ticks/coverage_evidence.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "lamina/base/json.h"
#include "lamina/ticks/tick_tables.h"

namespace lamina::ticks {
namespace {

constexpr std::size_t kEventTextMax = 64 << 10;

Status ReadSpans(catalog::Database& database, std::int64_t contract, TickType type,
                 std::int64_t begin_ns, std::int64_t end_ns, CoverageEvidence& evidence) {
  LAMINA_ASSIGN(auto read,
                database.Prepare("SELECT start_time, end_time FROM coverage WHERE contract_id=?1 "
                                 "AND tick_type=?2 AND start_time<?3 AND end_time>=?4"));
  read.Bind(1, contract).Bind(2, tick_log::TickTypeName(type)).Bind(3, end_ns).Bind(4, begin_ns);
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return Ok();
    evidence.present.push_back({read.Int(0), read.Int(1)});
  }
}

Status ReadRecordings(catalog::Database& database, CoverageEvidence& evidence) {
  LAMINA_ASSIGN(auto read,
                database.Prepare("SELECT r.writer, r.opened_at, r.closed_at, (SELECT max(end_time) "
                                 "FROM coverage c WHERE c.writer = r.writer), r.recording_id = "
                                 "(SELECT max(recording_id) FROM tick_recording l WHERE l.writer = "
                                 "r.writer) FROM tick_recording r ORDER BY r.recording_id"));
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return Ok();
    Recording& recording = evidence.recordings.emplace_back();
    recording.writer = read.Int(0);
    recording.opened_ns = read.Int(1) * 1000;
    if (!read.IsNull(2)) recording.closed_ns = read.Int(2) * 1000;
    if (!read.IsNull(3)) recording.last_seen_ns = read.Int(3);
    recording.alive = read.Int(4) != 0;  // may be: its lock tells
  }
}

void AddLogSpans(const TickBatch& ticks, CoverageEvidence& evidence) {
  std::vector<std::int64_t> times = ticks.ts_ns;
  std::sort(times.begin(), times.end());
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (i == 0 || times[i] - times[i - 1] > kCoverageSilenceNs)
      evidence.present.push_back({times[i], times[i]});
    evidence.present.back().last_ns = times[i];
  }
}

// What is archived meanwhile shows twice, which does no harm.
Status AddLogs(tick_log::LogReader& logs, const std::vector<Watermark>& marks,
               std::int64_t contract, TickType type, std::int64_t begin_ns, std::int64_t end_ns,
               CoverageEvidence& evidence) {
  LAMINA_ASSIGN(const std::vector<tick_log::WriterLog> found, logs.Logs());
  const std::array contracts = {contract};
  const std::array types = {type};
  for (const tick_log::WriterLog& log : found) {
    const auto mark = std::find_if(marks.begin(), marks.end(),
                                   [&](const Watermark& m) { return m.writer == log.writer; });
    const std::int64_t from = mark == marks.end() ? 0 : mark->end_seq;
    for (Recording& recording : evidence.recordings)
      if (recording.writer == log.writer) recording.alive = recording.alive && log.alive;
    if (from >= log.durable_end) continue;
    LAMINA_ASSIGN(
        const TickBatches ticks,
        logs.Read(
            log.writer, from, log.durable_end,
            {.contracts = contracts, .types = types, .begin_ns = begin_ns, .end_ns = end_ns}));
    const TickBatch& own = ticks[static_cast<std::size_t>(KindOf(type))];
    AddLogSpans(own, evidence);
    for (Recording& recording : evidence.recordings) {
      if (recording.writer != log.writer || own.size() == 0) continue;
      recording.last_seen_ns =
          std::max(recording.last_seen_ns, *std::max_element(own.ts_ns.begin(), own.ts_ns.end()));
    }
  }
  for (Recording& recording : evidence.recordings) {
    const bool has_log = std::any_of(found.begin(), found.end(), [&](const auto& log) {
      return log.writer == recording.writer;
    });
    recording.alive = recording.alive && has_log && !recording.closed_ns;
  }
  return Ok();
}

}  // namespace

Result<CoverageEvidence> GatherEvidence(catalog::Catalog& catalog, tick_log::LogReader& logs,
                                        std::int64_t contract_id, TickType type,
                                        std::int64_t begin_ns, std::int64_t end_ns) {
  CoverageEvidence evidence;
  std::vector<Watermark> marks;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_TRY(ReadSpans(database, contract_id, type, begin_ns, end_ns, evidence));
    LAMINA_TRY(ReadRecordings(database, evidence));
    LAMINA_ASSIGN(std::vector<TickEvent> events, ReadEvents(database, INT64_MIN, end_ns));
    for (TickEvent& event : events) {
      if (event.contract_id && *event.contract_id != contract_id) continue;
      if (event.type && *event.type != type) continue;
      evidence.events.push_back(std::move(event));
    }
    LAMINA_ASSIGN(marks, ReadWatermarks(database));
    return Ok();
  }));
  LAMINA_TRY(AddLogs(logs, marks, contract_id, type, begin_ns, end_ns, evidence));
  evidence.now_ns = catalog.env().Now().value;
  return evidence;
}

Result<std::int64_t> StoreEvent(catalog::Catalog& catalog, const TickEvent& event) {
  if (event.kind.empty()) return InvalidArgument("an event of ticks needs a kind");
  if (event.end_ns && *event.end_ns < event.start_ns)
    return InvalidArgument("an event of ticks ends before it starts");
  for (const std::string* text : {&event.kind, &event.reason, &event.details}) {
    if (!ValidUtf8(*text)) return InvalidArgument("an event of ticks has text that is not UTF-8");
    if (text->size() > kEventTextMax)
      return InvalidArgument("an event of ticks has a text of more than 64 KiB");
  }
  std::int64_t id = 0;
  const std::int64_t now = catalog.env().Now().value / 1000;
  LAMINA_TRY(catalog.Transact([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto put,
                  database.Prepare("INSERT INTO tick_event(writer, contract_id, tick_type, kind, "
                                   "start_time, end_time, reason, details, created_at) VALUES(?1,"
                                   "?2,?3,?4,?5,?6,?7,?8,?9) RETURNING event_id"));
    put.Bind(1, event.writer).Bind(2, event.contract_id);
    if (event.type) {
      put.Bind(3, tick_log::TickTypeName(*event.type));
    } else {
      put.BindNull(3);
    }
    put.Bind(4, event.kind).Bind(5, event.start_ns).Bind(6, event.end_ns).Bind(7, event.reason);
    if (event.details.empty()) {
      put.BindNull(8);
    } else {
      put.Bind(8, event.details);
    }
    put.Bind(9, now);
    LAMINA_ASSIGN(const bool row, put.Step());
    if (!row) return Internal("an event without an id");
    id = put.Int(0);
    return put.Run();
  }));
  return id;
}

Result<std::vector<TickEvent>> ReadEvents(catalog::Database& database, std::int64_t begin_ns,
                                          std::int64_t end_ns) {
  LAMINA_ASSIGN(auto read,
                database.Prepare("SELECT event_id, writer, contract_id, tick_type, kind, "
                                 "start_time, end_time, reason, details, created_at FROM "
                                 "tick_event WHERE start_time<?1 AND coalesce(end_time, start_time)"
                                 ">=?2 ORDER BY start_time, event_id"));
  read.Bind(1, end_ns).Bind(2, begin_ns);
  std::vector<TickEvent> events;
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return events;
    TickEvent& event = events.emplace_back();
    event.event_id = read.Int(0);
    event.writer = read.OptionalInt(1);
    event.contract_id = read.OptionalInt(2);
    if (!read.IsNull(3)) {
      LAMINA_ASSIGN(event.type, tick_log::ParseTickType(read.Text(3)));
    }
    event.kind = read.Text(4);
    event.start_ns = read.Int(5);
    event.end_ns = read.OptionalInt(6);
    event.reason = read.Text(7);
    event.details = read.OptionalText(8).value_or("");
    event.created_at = read.Int(9);
  }
}

}  // namespace lamina::ticks
