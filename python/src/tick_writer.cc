#include "lamina/tick_log/tick_writer.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "ticks.h"
#include <arrow/api.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include "lamina/store/contract_names.h"
#include "lamina/ticks/tick_cursor.h"
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
                                   bool archive_in_background) {
  Engine engine = self.Get();
  ticks::RecorderOptions options = engine->ticks().DefaultRecorder();
  if (durability) options.log.durability = OrRaise(DurabilityOf(*durability));
  options.log.source = source;
  options.log.producer = producer;
  options.archive_in_background = archive_in_background;
  std::shared_ptr<ticks::TickRecorder> recorder =
      Unlocked([&] { return engine->ticks().OpenRecorder(options); });
  engine->tick_reader().source().AddLive(
      std::shared_ptr<const tick_log::TickWriter>(recorder, &recorder->writer()));
  return std::make_unique<OpenWriter>(std::move(engine), std::move(recorder));
}

/// (writer, seq_first, seq_last, repeated, cursor behind it)
nb::tuple Append(const OpenWriter& self, nb::handle source,
                 std::optional<std::int64_t> producer_seq) {
  const auto recorder = self.Get();
  const auto rows = ImportTable(source);
  const auto ack = Unlocked([&]() -> Result<tick_log::Ack> {
    ticks::InputOptions options;
    options.resolve = [&](std::string_view symbol) {
      return store::ContractOf(self.engine()->instruments(), symbol);
    };
    options.now = self.engine()->catalog().env().Now();
    LAMINA_ASSIGN(ticks::TickRows taken, ticks::TicksOfArrow(*rows, options));
    return recorder->writer().Append(std::move(taken.ticks), std::move(taken.order), producer_seq);
  });
  return nb::make_tuple(ack.writer, ack.seq_first, ack.seq_last, ack.repeated);
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
            nb::arg("producer"), nb::arg("archive_in_background"));
}

}  // namespace lamina::python
