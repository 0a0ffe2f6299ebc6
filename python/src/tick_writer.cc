#include "lamina/tick_log/tick_writer.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "interruptible.h"
#include "ticks.h"
#include <arrow/api.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include "lamina/store/contract_names.h"
#include "lamina/ticks/line_ingest.h"
#include "lamina/ticks/tick_input.h"

namespace lamina::python {
namespace {

using Engine = std::shared_ptr<store::Store>;

/// A recorder and the store it writes to. Thread-safe: calls keep the recorder alive.
class OpenWriter {
 public:
  OpenWriter(Engine engine, std::shared_ptr<ticks::TickRecorder> recorder)
      : engine_(std::move(engine)), recorder_(std::move(recorder)) {}

  const Engine& engine() const { return engine_; }
  std::shared_ptr<ticks::TickRecorder> Get() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (recorder_ == nullptr) throw Raised(InvalidArgument("this writer was closed"));
    return recorder_;
  }
  std::shared_ptr<ticks::TickRecorder> Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::move(recorder_);
  }

 private:
  Engine engine_;
  mutable std::mutex mutex_;
  std::shared_ptr<ticks::TickRecorder> recorder_;
};

Result<tick_log::Durability> DurabilityOf(const std::string& name) {
  if (name == "fsync") return tick_log::Durability::kFsync;
  if (name == "os") return tick_log::Durability::kOs;
  if (name == "memory") return tick_log::Durability::kMemory;
  return InvalidArgument("unknown durability '" + name + "': known are fsync, os, memory");
}

std::unique_ptr<OpenWriter> Writer(const OpenStore& self,
                                   const std::optional<std::string>& durability,
                                   const std::string& source, const std::string& producer,
                                   bool archive_in_background,
                                   std::optional<std::int64_t> buffer_minutes) {
  Engine engine = self.Get();
  ticks::RecorderOptions options = engine->ticks().DefaultRecorder();
  if (durability) options.log.durability = OrRaise(DurabilityOf(*durability));
  options.log.source = source;
  options.log.producer = producer;
  options.archive_in_background = archive_in_background;
  if (buffer_minutes) {
    ticks::TickConfig config = engine->ticks().config();
    config.buffer_duration_minutes = *buffer_minutes;
    OrRaise(ticks::CheckTickConfig(config));
    options.log.buffer_minutes = *buffer_minutes;
  }
  std::shared_ptr<ticks::TickRecorder> recorder =
      Unlocked([&] { return engine->ticks().OpenRecorder(options); });
  engine->tick_reader().source().AddLive(
      std::shared_ptr<const tick_log::TickWriter>(recorder, &recorder->writer()));
  return std::make_unique<OpenWriter>(std::move(engine), std::move(recorder));
}

ticks::InputOptions InputOf(const Engine& engine) {
  ticks::InputOptions options;
  options.resolve = [engine](std::string_view symbol) {
    return store::ContractOf(engine->instruments(), symbol);
  };
  options.now = engine->catalog().env().Now();
  return options;
}

nb::tuple TupleOf(const tick_log::Ack& ack) {
  return nb::make_tuple(ack.writer, ack.seq_first, ack.seq_last, ack.repeated);
}

/// (writer, seq_first, seq_last, repeated)
nb::tuple Append(const OpenWriter& self, nb::handle source,
                 std::optional<std::int64_t> producer_seq) {
  const auto recorder = self.Get();
  const auto rows = ImportTable(source);
  const auto ack = Unlocked([&]() -> Result<tick_log::Ack> {
    LAMINA_ASSIGN(ticks::TickRows taken, ticks::TicksOfArrow(*rows, InputOf(self.engine())));
    return recorder->writer().Append(std::move(taken.ticks), std::move(taken.order), producer_seq);
  });
  return TupleOf(ack);
}

/// The same, of JSON lines; blank ones are none.
nb::tuple AppendJson(const OpenWriter& self, const std::string& text,
                     std::optional<std::int64_t> producer_seq) {
  const auto recorder = self.Get();
  const auto ack = Unlocked([&]() -> Result<tick_log::Ack> {
    LAMINA_ASSIGN(ticks::TickRows taken, ticks::TicksOfJsonLines(text, InputOf(self.engine())));
    return recorder->writer().Append(std::move(taken.ticks), std::move(taken.order), producer_seq);
  });
  return TupleOf(ack);
}

constexpr const char* kIngested = "ingested";

/// Whether an ingest of that name came to its end.
Result<bool> WasIngested(store::Store& engine, const std::string& producer) {
  LAMINA_ASSIGN(const auto events, engine.ticks().Events(0, INT64_MAX));
  return std::any_of(events.begin(), events.end(), [&](const ticks::TickEvent& event) {
    return event.kind == kIngested && event.reason == producer;
  });
}

/// The report as JSON text. With a producer's name the same lines again store nothing: while they
/// come the log knows what it has of them, afterwards an event says that they are all there.
std::string Ingest(const OpenStore& self, const std::string& path, bool json,
                   const std::string& source, const std::string& producer) {
  // Where the appends are cut must not depend on the configuration when they are numbered.
  constexpr std::int64_t kNumberedRows = 10'000;
  const Engine engine = self.Get();
  Interruptible work{nb::none()};
  return work.Run([&]() -> Result<std::string> {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
    if (in == nullptr) return NotFound("there is no file " + path);
    if (!producer.empty()) {
      LAMINA_ASSIGN(const bool known, WasIngested(*engine, producer));
      if (known) return ticks::IngestReportJson({});
    }
    ticks::RecorderOptions recorder_options = engine->ticks().DefaultRecorder();
    recorder_options.log.source = source;
    recorder_options.log.producer = producer;
    recorder_options.archive_in_background = false;
    LAMINA_ASSIGN(const auto recorder, engine->ticks().OpenRecorder(recorder_options));
    ticks::IngestOptions options;
    options.input = InputOf(engine);
    options.json = json;
    options.numbered = !producer.empty();
    options.batch_rows = options.numbered ? kNumberedRows : engine->ticks().config().batch_size;
    options.cancel = &work.cancel();
    ticks::LineIngest ingest(engine->catalog().env(), recorder->writer(), options);
    LAMINA_TRY(ingest.ReadAll(in.get()));
    if (work.cancel().cancelled()) return Cancelled("interrupted; what was read is stored");
    if (!producer.empty()) {
      LAMINA_TRY(recorder->writer().Flush());
      LAMINA_TRY(recorder->Event({.kind = kIngested,
                                  .start_ns = engine->catalog().env().Now().value,
                                  .reason = producer}));
    }
    LAMINA_TRY(recorder->Close());
    return ticks::IngestReportJson(ingest.report());
  });
}

std::int64_t Event(const OpenWriter& self, const std::string& kind,
                   std::optional<std::int64_t> contract, const std::optional<std::string>& type,
                   std::int64_t start_ns, std::optional<std::int64_t> end_ns,
                   const std::string& reason) {
  const auto recorder = self.Get();
  ticks::TickEvent event{.contract_id = contract,
                         .kind = kind,
                         .start_ns = start_ns,
                         .end_ns = end_ns,
                         .reason = reason};
  if (type) event.type = OrRaise(tick_log::ParseTickType(*type));
  return Unlocked([&] { return recorder->Event(event); });
}

nb::dict Counts(const OpenWriter& self) {
  const auto recorder = self.Get();
  const tick_log::WriterCounts counts = recorder->writer().counts();
  nb::dict out;
  out["appended"] = counts.appended;
  out["durable"] = counts.durable;
  out["refused"] = counts.refused;
  out["groups"] = counts.groups;
  out["syncs"] = counts.syncs;
  out["bytes"] = counts.bytes;
  out["segments"] = counts.segments;
  return out;
}

}  // namespace

void BindTickWriter(nb::module_& module, nb::class_<OpenStore>& store) {
  nb::class_<OpenWriter>(module, "OpenWriter", "A log of ticks; see lamina.TickWriter.")
      .def("append", &Append, nb::arg("source"), nb::arg("producer_seq").none())
      .def("append_json", &AppendJson, nb::arg("text"), nb::arg("producer_seq").none())
      .def("event", &Event, nb::arg("kind"), nb::arg("contract").none(), nb::arg("type").none(),
           nb::arg("start_ns"), nb::arg("end_ns").none(), nb::arg("reason"))
      .def("flush",
           [](const OpenWriter& self) {
             const auto recorder = self.Get();
             Unlocked([&] { return recorder->writer().Flush(); });
           })
      .def("seal",
           [](const OpenWriter& self) {
             const auto recorder = self.Get();
             Unlocked([&] { return recorder->writer().Seal(); });
           })
      .def("close",
           [](OpenWriter& self) {
             const auto recorder = self.Take();
             if (recorder != nullptr) Unlocked([&] { return recorder->Close(); });
           })
      .def("counts", &Counts, nb::sig("def counts(self) -> dict[str, int]"))
      .def_prop_ro("writer", [](const OpenWriter& self) { return self.Get()->writer().writer(); })
      .def_prop_ro("recovered",
                   [](const OpenWriter& self) { return self.Get()->writer().recovered(); })
      .def_prop_ro("archive_error",
                   [](const OpenWriter& self) { return self.Get()->archive_error(); });
  store.def("ticks_writer", &Writer, nb::arg("durability").none(), nb::arg("source"),
            nb::arg("producer"), nb::arg("archive_in_background"),
            nb::arg("buffer_minutes").none());
  store.def("ticks_ingest", &Ingest, nb::arg("path"), nb::arg("json"), nb::arg("source"),
            nb::arg("producer"));
}

}  // namespace lamina::python
