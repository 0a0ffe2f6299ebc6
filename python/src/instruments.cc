#include "lamina/store/instruments.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store.h"
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace lamina::python {
namespace {

using market::Instrument;

template <class T>
std::optional<T> Member(const nb::dict& row, const char* name) {
  const nb::object value = row.attr("get")(name);
  if (value.is_none()) return {};
  return nb::cast<T>(value);
}

std::optional<Micros> Time(const nb::dict& row, const char* name) {
  const auto value = Member<std::int64_t>(row, name);
  if (!value) return {};
  return Micros{*value};
}

Instrument FromDict(const nb::dict& row) {
  Instrument instrument;
  instrument.instrument_id = nb::cast<std::int64_t>(row["instrument_id"]);
  instrument.symbol = nb::cast<std::string>(row["symbol"]);
  instrument.venue = Member<std::string>(row, "venue");
  instrument.currency = Member<std::string>(row, "currency");
  instrument.tick_size = Member<double>(row, "tick_size");
  instrument.multiplier = Member<double>(row, "multiplier");
  instrument.calendar = Member<std::string>(row, "calendar");
  instrument.trading_hours = Member<std::string>(row, "trading_hours");
  instrument.time_zone = Member<std::string>(row, "time_zone");
  instrument.valid_from = Time(row, "valid_from");
  instrument.valid_to = Time(row, "valid_to");
  return instrument;
}

nb::dict ToDict(const Instrument& instrument) {
  nb::dict row;
  const auto text = [](const std::optional<std::string>& value) -> nb::object {
    if (!value) return nb::none();
    return Text(*value);
  };
  row["instrument_id"] = instrument.instrument_id;
  row["symbol"] = Text(instrument.symbol);
  row["venue"] = text(instrument.venue);
  row["currency"] = text(instrument.currency);
  row["tick_size"] = instrument.tick_size;
  row["multiplier"] = instrument.multiplier;
  row["calendar"] = text(instrument.calendar);
  row["trading_hours"] = text(instrument.trading_hours);
  row["time_zone"] = text(instrument.time_zone);
  const auto time = [](const std::optional<Micros>& at) -> std::optional<std::int64_t> {
    if (!at) return {};
    return at->value;
  };
  row["valid_from"] = time(instrument.valid_from);
  row["valid_to"] = time(instrument.valid_to);
  return row;
}

nb::tuple Counts(const store::AddedInstruments& counts) {
  return nb::make_tuple(counts.added, counts.unchanged, counts.replaced);
}

}  // namespace

void BindInstruments(nb::class_<OpenStore>& store) {
  store
      .def(
          "add_instruments",
          [](const OpenStore& self, const nb::list& rows, bool replace) {
            const auto engine = self.Get();
            std::vector<Instrument> all;
            for (const nb::handle row : rows) all.push_back(FromDict(nb::cast<nb::dict>(row)));
            return Counts(Unlocked([&] { return engine->instruments().Add(all, replace); }));
          },
          nb::arg("rows"), nb::arg("replace"),
          nb::sig("def add_instruments(self, rows: list[dict[str, object]], replace: bool)"
                  " -> tuple[int, int, int]"))
      .def(
          "import_instruments",
          [](const OpenStore& self, const nb::object& path, bool replace) {
            const auto engine = self.Get();
            const std::string file = Path(path);
            return Counts(Unlocked([&] { return engine->instruments().ImportCsv(file, replace); }));
          },
          nb::arg("path"), nb::arg("replace"),
          nb::sig("def import_instruments(self, path: object, replace: bool)"
                  " -> tuple[int, int, int]"))
      .def(
          "list_instruments",
          [](const OpenStore& self, std::optional<std::int64_t> snapshot) {
            const auto engine = self.Get();
            const auto rows = Unlocked([&] { return engine->instruments().List(snapshot); });
            nb::list all;
            for (const auto& row : rows) all.append(ToDict(row));
            return all;
          },
          nb::arg("snapshot").none(),
          nb::sig("def list_instruments(self, snapshot: int | None) -> list[dict[str, object]]"))
      .def(
          "get_instrument",
          [](const OpenStore& self, const std::string& name, std::optional<std::int64_t> at) {
            const auto engine = self.Get();
            std::optional<Micros> when;
            if (at) when = Micros{*at};
            return ToDict(Unlocked([&] { return engine->instruments().Get(name, when); }));
          },
          nb::arg("name"), nb::arg("at").none(),
          nb::sig("def get_instrument(self, name: str, at: int | None) -> dict[str, object]"));
}

}  // namespace lamina::python
