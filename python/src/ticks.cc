#include "ticks.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "calendar.h"
#include "interruptible.h"
#include "store.h"
#include <arrow/api.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "lamina/series/resample.h"
#include "lamina/store/contract_names.h"
#include "lamina/ticks/tick_query.h"

namespace lamina::python {
namespace {

using Names = std::vector<std::string>;
using Contracts = std::vector<std::int64_t>;
using Engine = std::shared_ptr<store::Store>;

/// A query as Python's keyword arguments give it.
ticks::TickQuery QueryOf(store::Store& engine, const nb::dict& given) {
  ticks::TickQuery query;
  query.contracts = nb::cast<Contracts>(given["contracts"]);
  query.types = OrRaise(ticks::ParseTickTypes(nb::cast<Names>(given["types"])));
  query.start_ns = nb::cast<std::int64_t>(given["start_ns"]);
  query.end_ns = nb::cast<std::optional<std::int64_t>>(given["end_ns"]);
  query.resolution = nb::cast<std::string>(given["resolution"]);
  query.sessions = OrRaise(
      store::SessionsOf(engine.instruments(), query.contracts,
                        SessionsOf(given["calendar"], nb::cast<std::string>(given["session"]),
                                   nb::cast<std::string>(given["zone"]))));
  query.snapshot = nb::cast<std::optional<std::int64_t>>(given["snapshot"]);
  query.columns = nb::cast<std::optional<Names>>(given["columns"]);
  query.limit = nb::cast<std::optional<std::int64_t>>(given["limit"]);
  query.cursor = nb::cast<std::string>(given["cursor"]);
  query.label = OrRaise(series::ParseBarLabel(nb::cast<std::string>(given["label"])));
  query.fill = OrRaise(series::ParseBarFill(nb::cast<std::string>(given["fill"])));
  return query;
}

nb::tuple Query(const OpenStore& self, const nb::dict& given) {
  const Engine engine = self.Get();
  const ticks::TickQuery query = QueryOf(*engine, given);
  const auto answer = Unlocked([&] { return engine->tick_reader().Query(query); });
  nb::dict facts;
  facts["snapshot"] = answer.snapshot;
  facts["truncated"] = answer.truncated;
  facts["next_cursor"] = answer.next_cursor;
  facts["tail_cursor"] = answer.tail_cursor;
  facts["cached"] = answer.cached;
  facts["files_live"] = answer.counts.files_live;
  facts["files_planned"] = answer.counts.files_planned;
  facts["row_groups"] = answer.counts.row_groups;
  facts["row_groups_read"] = answer.counts.row_groups_read;
  facts["bytes_read"] = answer.counts.bytes_read;
  facts["archive_rows"] = answer.counts.archive_rows;
  facts["log_rows"] = answer.counts.log_rows;
  facts["slices"] = answer.counts.slices;
  return nb::make_tuple(ArrowTable(answer.rows), facts);
}

std::int64_t Warm(const OpenStore& self, const nb::list& queries) {
  const Engine engine = self.Get();
  std::vector<ticks::TickQuery> all;
  for (const nb::handle query : queries) {
    all.push_back(QueryOf(*engine, nb::cast<nb::dict>(query)));
  }
  return Unlocked([&] { return engine->tick_reader().Warm(all); });
}

/// A stream or a tail, which keep their store open.
struct OpenStream {
  Engine engine;
  ticks::TickStream stream;
};
struct OpenTail {
  Engine engine;
  ticks::TickTail tail;
};

OpenStream Stream(const OpenStore& self, const nb::dict& given, std::int64_t batch_rows) {
  Engine engine = self.Get();
  const ticks::TickQuery query = QueryOf(*engine, given);
  auto stream =
      Unlocked([&] { return engine->tick_reader().Stream(query, {.batch_rows = batch_rows}); });
  return {std::move(engine), std::move(stream)};
}

nb::object NextBatch(OpenStream& self) {
  auto rows = Unlocked([&] { return self.stream.Next(); });
  if (rows == nullptr) return nb::none();
  return nb::cast(ArrowTable(std::move(rows)));
}

OpenTail Tail(const OpenStore& self, Contracts contracts, const Names& types,
              const std::string& cursor, const std::optional<Names>& columns) {
  Engine engine = self.Get();
  const ticks::TickSelection selection{std::move(contracts), OrRaise(ticks::ParseTickTypes(types))};
  auto tail = Unlocked([&] { return engine->tick_reader().Tail(selection, cursor, columns); });
  return {std::move(engine), std::move(tail)};
}

nb::dict Row(const ticks::StatisticsRow& row) {
  nb::dict out;
  out["contract_id"] = row.contract_id;
  out["tick_type"] = Text(tick_log::TickTypeName(row.type));
  out["day"] = row.day;
  out["total_ticks"] = row.total_ticks;
  out["unique_prices"] = row.unique_prices;
  out["total_volume"] = row.total_volume;
  out["vwap"] = row.vwap;
  out["high_price"] = row.high_price;
  out["low_price"] = row.low_price;
  out["first_ns"] = row.first_ns;
  out["last_ns"] = row.last_ns;
  return out;
}

nb::list Statistics(const OpenStore& self, std::optional<std::int64_t> contract,
                    std::optional<std::int32_t> first_day, std::optional<std::int32_t> last_day) {
  const Engine engine = self.Get();
  const ticks::StatisticsFilter filter{
      .contract_id = contract, .first_day = first_day, .last_day = last_day};
  const auto rows = Unlocked([&] { return engine->ticks().Statistics(filter); });
  nb::list out;
  for (const ticks::StatisticsRow& row : rows) out.append(Row(row));
  return out;
}

nb::dict Storage(const OpenStore& self) {
  const Engine engine = self.Get();
  const auto report = Unlocked([&] { return engine->ticks().Storage(); });
  nb::dict out;
  out["logs"] = report.logs;
  out["open_logs"] = report.open_logs;
  out["log_segments"] = report.log_segments;
  out["log_bytes"] = report.log_bytes;
  out["waiting_ticks"] = report.waiting_ticks;
  out["contracts"] = report.contracts;
  out["archive_files"] = report.archive_files;
  out["archive_ticks"] = report.archive_ticks;
  out["archive_bytes"] = report.archive_bytes;
  out["json_bytes"] = report.json_bytes;
  out["compression_ratio"] = report.compression_ratio();
  out["bytes_per_tick"] = report.bytes_per_tick();
  out["damaged_groups"] = report.damaged_groups;
  out["damaged_bytes"] = report.damaged_bytes;
  out["archived_at"] = report.archived_at;
  return out;
}

nb::list Coverage(const OpenStore& self, std::int64_t contract, const std::string& type,
                  std::int64_t begin_ns, std::int64_t end_ns, nb::handle calendar) {
  const Engine engine = self.Get();
  const auto parsed = OrRaise(tick_log::ParseTickType(type));
  std::shared_ptr<const market::Calendar> hours;
  if (nb::isinstance<NativeCalendar>(calendar)) {
    hours = nb::cast<const NativeCalendar&>(calendar).shared();
  } else if (const auto name = nb::cast<std::string>(calendar); !name.empty()) {
    hours = OrRaise(market::Calendar::Get(name));
  } else {
    hours = OrRaise(store::CalendarOfContract(engine->instruments(), contract));
  }
  const auto spans = Unlocked(
      [&] { return engine->ticks().Coverage(contract, parsed, begin_ns, end_ns, hours.get()); });
  nb::list out;
  for (const ticks::CoverageSpan& span : spans) {
    out.append(nb::make_tuple(span.begin_ns, span.end_ns,
                              Text(ticks::CoverageStateName(span.state)), Text(span.reason)));
  }
  return out;
}

nb::dict Archive(const OpenStore& self, bool open_segments) {
  const Engine engine = self.Get();
  Interruptible work{nb::none()};
  const auto done =
      work.Run([&] { return engine->ticks().ArchiveAll(open_segments, &work.cancel()); });
  nb::dict out;
  out["ticks"] = done.ticks;
  out["files"] = done.files;
  out["bytes"] = done.bytes;
  out["commits"] = done.commits;
  out["damaged_groups"] = done.damaged_groups;
  out["damaged_bytes"] = done.damaged_bytes;
  out["snapshot"] = done.snapshot;
  return out;
}

nb::dict Retention(const OpenStore& self, bool dry_run) {
  const Engine engine = self.Get();
  const auto done = Unlocked([&] { return engine->ticks().ApplyRetention(dry_run); });
  nb::dict out;
  out["segments"] = done.segments;
  out["segment_bytes"] = done.segment_bytes;
  out["waiting_segments"] = done.waiting_segments;
  out["files"] = done.files;
  out["ticks"] = done.ticks;
  out["file_bytes"] = done.file_bytes;
  nb::list paths;
  for (const std::string& path : done.paths) paths.append(Text(path));
  out["paths"] = paths;
  out["snapshot"] = done.snapshot;
  out["dry_run"] = done.dry_run;
  return out;
}

nb::dict Void(const OpenStore& self, std::int64_t contract, const std::optional<std::string>& type,
              std::int64_t begin_ns, std::int64_t end_ns, std::optional<double> low_price,
              std::optional<double> high_price, const std::string& reason,
              const std::string& author, bool dry_run) {
  const Engine engine = self.Get();
  ticks::VoidRequest request{.contract_id = contract,
                             .begin_ns = begin_ns,
                             .end_ns = end_ns,
                             .low_price = low_price,
                             .high_price = high_price,
                             .reason = reason,
                             .author = author,
                             .dry_run = dry_run};
  if (type) request.type = OrRaise(tick_log::ParseTickType(*type));
  const auto done = Unlocked([&] { return engine->ticks().Void(request); });
  nb::dict out;
  out["void_id"] = done.void_id;
  out["ticks"] = done.ticks;
  out["snapshot"] = done.snapshot;
  out["dry_run"] = dry_run;
  return out;
}

nb::list Voids(const OpenStore& self) {
  const Engine engine = self.Get();
  const auto rows = Unlocked([&] { return engine->ticks().Voids(); });
  nb::list out;
  for (const ticks::VoidRow& row : rows) {
    nb::dict one;
    one["void_id"] = row.void_id;
    one["contract_id"] = row.request.contract_id;
    one["tick_type"] =
        row.request.type ? nb::object(Text(tick_log::TickTypeName(*row.request.type))) : nb::none();
    one["begin_ns"] = row.request.begin_ns;
    one["end_ns"] = row.request.end_ns;
    one["reason"] = Text(row.request.reason);
    one["author"] = Text(row.request.author);
    one["ticks"] = row.ticks;
    one["snapshot"] = row.snapshot;
    one["undone"] = row.undone;
    out.append(one);
  }
  return out;
}

}  // namespace

void BindTicks(nb::module_& module, nb::class_<OpenStore>& store) {
  nb::class_<OpenStream>(module, "OpenStream", "Ticks batch by batch; see lamina.Ticks.stream.")
      .def("next", &NextBatch, nb::sig("def next(self) -> ArrowTable | None"));
  nb::class_<OpenTail>(module, "OpenTail", "Ticks as they come; see lamina.Ticks.tail.")
      .def("poll",
           [](OpenTail& self) { return ArrowTable(Unlocked([&] { return self.tail.Poll(); })); })
      .def_prop_ro("cursor", [](const OpenTail& self) { return self.tail.cursor(); });
  store
      .def("ticks_query", &Query, nb::arg("given"),
           nb::sig("def ticks_query(self, given: dict[str, object]) -> "
                   "tuple[ArrowTable, dict[str, object]]"))
      .def("ticks_warm", &Warm, nb::arg("queries"))
      .def("ticks_stream", &Stream, nb::arg("given"), nb::arg("batch_rows"))
      .def("ticks_tail", &Tail, nb::arg("contracts"), nb::arg("types"), nb::arg("cursor"),
           nb::arg("columns").none())
      .def(
          "contract_of",
          [](const OpenStore& self, const std::string& name) {
            const Engine engine = self.Get();
            return Unlocked([&] { return store::ContractOf(engine->instruments(), name); });
          },
          nb::arg("name"))
      .def("ticks_cache",
           [](const OpenStore& self) {
             const auto counts = self.Get()->tick_reader().cache_counts();
             nb::dict out;
             out["hits"] = counts.hits;
             out["misses"] = counts.misses;
             out["entries"] = counts.entries;
             out["bytes"] = counts.bytes;
             return out;
           })
      .def("ticks_statistics", &Statistics, nb::arg("contract").none(), nb::arg("first_day").none(),
           nb::arg("last_day").none(),
           nb::sig("def ticks_statistics(self, contract: int | None, first_day: int | None, "
                   "last_day: int | None) -> list[dict[str, object]]"))
      .def("ticks_storage", &Storage, nb::sig("def ticks_storage(self) -> dict[str, object]"))
      .def("ticks_coverage", &Coverage, nb::arg("contract"), nb::arg("type"), nb::arg("begin_ns"),
           nb::arg("end_ns"), nb::arg("calendar"))
      .def("ticks_archive", &Archive, nb::arg("open_segments"),
           nb::sig("def ticks_archive(self, open_segments: bool) -> dict[str, int]"))
      .def("ticks_retention", &Retention, nb::arg("dry_run"))
      .def("ticks_void", &Void, nb::arg("contract"), nb::arg("type").none(), nb::arg("begin_ns"),
           nb::arg("end_ns"), nb::arg("low_price").none(), nb::arg("high_price").none(),
           nb::arg("reason"), nb::arg("author"), nb::arg("dry_run"))
      .def("ticks_voids", &Voids)
      .def(
          "ticks_unvoid",
          [](const OpenStore& self, std::int64_t void_id, const std::string& reason) {
            const Engine engine = self.Get();
            const auto done = Unlocked([&] { return engine->ticks().Unvoid(void_id, reason); });
            return nb::make_tuple(done.ticks, done.snapshot);
          },
          nb::arg("void_id"), nb::arg("reason"));
  BindTickWriter(module, store);
}

}  // namespace lamina::python
