#include "calendar.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "lamina/table/arrow_status.h"

namespace lamina::python {
namespace {

using market::Calendar;
using market::CalendarInfo;
using market::Day;
using market::Interval;

nb::tuple Spell(const Interval& interval) {
  return nb::make_tuple(interval.trading_day.value, interval.open.value, interval.close.value);
}

nb::dict Describe(const CalendarInfo& info) {
  nb::dict row;
  row["name"] = Text(info.name);
  row["title"] = Text(info.title);
  row["zone"] = Text(info.zone);
  row["version"] = Text(info.version);
  row["source"] = Text(info.source);
  nb::list aliases, sessions;
  for (const auto& alias : info.aliases) aliases.append(Text(alias));
  for (const auto& session : info.sessions) sessions.append(Text(session));
  row["aliases"] = aliases;
  row["sessions"] = sessions;
  row["first"] = market::FormatDay(info.first);
  row["last"] = market::FormatDay(info.last);
  return row;
}

Result<std::shared_ptr<arrow::Table>> ToTable(const std::vector<Interval>& intervals) {
  const auto stamp = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  arrow::Date32Builder days;
  arrow::TimestampBuilder opens(stamp, arrow::default_memory_pool());
  arrow::TimestampBuilder closes(stamp, arrow::default_memory_pool());
  for (const auto& interval : intervals) {
    LAMINA_ARROW(days.Append(interval.trading_day.value), "listing sessions");
    LAMINA_ARROW(opens.Append(interval.open.value / 1000), "listing sessions");
    LAMINA_ARROW(closes.Append(interval.close.value / 1000), "listing sessions");
  }
  std::vector<std::shared_ptr<arrow::Array>> columns(3);
  LAMINA_ARROW(days.Finish(&columns[0]), "listing sessions");
  LAMINA_ARROW(opens.Finish(&columns[1]), "listing sessions");
  LAMINA_ARROW(closes.Finish(&columns[2]), "listing sessions");
  auto schema =
      arrow::schema({arrow::field("trading_day", arrow::date32(), false),
                     arrow::field("open", stamp, false), arrow::field("close", stamp, false)});
  return arrow::Table::Make(std::move(schema), std::move(columns));
}

Result<std::shared_ptr<const Calendar>> InZone(const Calendar& calendar, const std::string& name) {
  LAMINA_ASSIGN(auto zone, market::Zone::Get(name));
  return calendar.InZone(std::move(zone));
}

Result<std::shared_ptr<const Calendar>> WithHours(const Calendar& calendar, const std::string& text,
                                                  const std::string& zone_name) {
  LAMINA_ASSIGN(const auto zone,
                market::Zone::Get(zone_name.empty() ? calendar.zone().name() : zone_name));
  LAMINA_ASSIGN(const auto hours, market::ParseTradingHours(text, *zone));
  return calendar.WithTradingHours(hours);
}

/// The date on the wall clock of the calendar's zone.
std::int32_t LocalDay(const NativeCalendar& self, std::int64_t ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t utc = ns / kSecond - (ns % kSecond < 0 ? 1 : 0);
  const std::int64_t local = utc + self.get().zone().OffsetAt(utc);
  return static_cast<std::int32_t>(local / 86400 - (local % 86400 < 0 ? 1 : 0));
}

}  // namespace

series::SessionChoice SessionsOf(nb::handle calendar, const std::string& session,
                                 const std::string& zone) {
  series::SessionChoice choice;
  choice.session = session;
  choice.zone = zone;
  if (nb::isinstance<NativeCalendar>(calendar)) {
    choice.own = nb::cast<const NativeCalendar&>(calendar).shared();
  } else {
    choice.calendar = nb::cast<std::string>(calendar);
  }
  return choice;
}

void BindCalendar(nb::module_& module) {
  using Self = const NativeCalendar&;
  const auto session = nb::arg("session");
  nb::class_<NativeCalendar>(module, "NativeCalendar", "A calendar; see lamina.Calendar.")
      .def(
          "__init__",
          [](NativeCalendar* self, const std::string& name) {
            new (self) NativeCalendar(OrRaise(Calendar::Get(name)));
          },
          nb::arg("name"))
      .def(
          "info", [](Self self) { return Describe(self.get().info()); },
          nb::sig("def info(self) -> dict[str, object]"))
      .def(
          "in_zone",
          [](Self self, const std::string& zone) {
            return NativeCalendar(OrRaise(InZone(self.get(), zone)));
          },
          nb::arg("zone"))
      .def(
          "with_trading_hours",
          [](Self self, const std::string& text, const std::string& zone) {
            return NativeCalendar(OrRaise(WithHours(self.get(), text, zone)));
          },
          nb::arg("text"), nb::arg("zone"))
      .def("local_day", &LocalDay, nb::arg("at"))
      .def(
          "is_trading_day",
          [](Self self, std::int32_t day, const std::string& name) {
            return OrRaise(self.get().IsTradingDay(Day{day}, name));
          },
          nb::arg("day"), session)
      .def(
          "session_boundaries",
          [](Self self, std::int32_t day, const std::string& name) {
            return Spell(OrRaise(self.get().SessionBoundaries(Day{day}, name)));
          },
          nb::arg("day"), session,
          nb::sig("def session_boundaries(self, day: int, session: str) -> tuple[int, int, int]"))
      .def(
          "sessions",
          [](Self self, std::int32_t first, std::int32_t last, const std::string& name) {
            const auto calendar = self.shared();
            return ArrowTable(Unlocked([&]() -> Result<std::shared_ptr<arrow::Table>> {
              LAMINA_ASSIGN(const auto found, calendar->Sessions(Day{first}, Day{last}, name));
              return ToTable(found);
            }));
          },
          nb::arg("first"), nb::arg("last"), session)
      .def(
          "is_open",
          [](Self self, std::int64_t at, const std::string& name) {
            return OrRaise(self.get().IsOpen(Nanos{at}, name));
          },
          nb::arg("at"), session)
      .def(
          "next_open",
          [](Self self, std::int64_t at, const std::string& name) {
            return OrRaise(self.get().NextOpen(Nanos{at}, name)).value;
          },
          nb::arg("at"), session)
      .def(
          "current_session",
          [](Self self, std::int64_t at, const std::string& name) {
            return Spell(OrRaise(self.get().CurrentSession(Nanos{at}, name)));
          },
          nb::arg("at"), session,
          nb::sig("def current_session(self, at: int, session: str) -> tuple[int, int, int]"))
      .def(
          "previous_session",
          [](Self self, std::int64_t at, const std::string& name) {
            return Spell(OrRaise(self.get().PreviousSession(Nanos{at}, name)));
          },
          nb::arg("at"), session,
          nb::sig("def previous_session(self, at: int, session: str) -> tuple[int, int, int]"))
      .def(
          "trading_day",
          [](Self self, std::int64_t at) {
            return OrRaise(self.get().TradingDay(Nanos{at})).value;
          },
          nb::arg("at"));
  module.def(
      "calendars",
      [] {
        nb::list rows;
        for (const auto& info : Calendar::List()) rows.append(Describe(info));
        return rows;
      },
      nb::sig("def calendars() -> list[dict[str, object]]"));
  module.def("time_zones", &market::Zone::Names);
  module.def("time_zone_version", &market::Zone::DatabaseVersion);
}

}  // namespace lamina::python
