#include <algorithm>

#include "lamina/base/fine_time.h"
#include "lamina/base/json.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/output.h"
#include "lamina/io/env.h"
#include "lamina/market/calendar.h"

namespace lamina::cli {
namespace {

using market::Calendar;
using market::CalendarInfo;
using market::Instrument;

std::string Clock(Nanos at) {
  return FormatTime(Micros{at.value / 1000}, {'T', TimeSpelling::Zone::kZ, false});
}

/// Rows as one JSON array, or one object a line.
std::string Gathered(const Context& context, const std::vector<std::string>& objects) {
  std::string out = context.json_lines ? "" : "[";
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (context.json_lines) {
      out += objects[i] + "\n";
    } else {
      out += (i == 0 ? "" : ", ") + objects[i];
    }
  }
  return context.json_lines ? out : out + "]\n";
}

/// Columns as wide as their widest cell, the first row underlined.
std::string Aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    out += "\n";
  }
  return out;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

void WriteTexts(JsonWriter& json, const char* key, const std::vector<std::string>& texts) {
  json.Key(key);
  json.BeginArray();
  for (const auto& text : texts) json.String(text);
  json.EndArray();
}

void WriteText(JsonWriter& json, const char* key, const std::optional<std::string>& text) {
  json.Key(key);
  text ? json.String(*text) : json.Null();
}

void WriteNumber(JsonWriter& json, const char* key, const std::optional<double>& number) {
  json.Key(key);
  number ? json.Double(*number) : json.Null();
}

std::string ToJson(const CalendarInfo& info) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  WriteText(json, "name", info.name);
  WriteText(json, "title", info.title);
  WriteText(json, "zone", info.zone);
  WriteText(json, "version", info.version);
  WriteText(json, "source", info.source);
  WriteText(json, "first", market::FormatDay(info.first));
  WriteText(json, "last", market::FormatDay(info.last));
  WriteTexts(json, "sessions", info.sessions);
  WriteTexts(json, "aliases", info.aliases);
  WriteText(json, "time_zones", market::Zone::DatabaseVersion());
  json.EndObject();
  return out;
}

std::optional<std::string> SpellTime(const std::optional<Micros>& at) {
  if (!at) return {};
  return FormatTime(*at, {'T', TimeSpelling::Zone::kZ, false});
}

std::string ToJson(const Instrument& instrument) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("instrument_id");
  json.Int(instrument.instrument_id);
  WriteText(json, "symbol", instrument.symbol);
  WriteText(json, "venue", instrument.venue);
  WriteText(json, "currency", instrument.currency);
  WriteNumber(json, "tick_size", instrument.tick_size);
  WriteNumber(json, "multiplier", instrument.multiplier);
  WriteText(json, "calendar", instrument.calendar);
  WriteText(json, "trading_hours", instrument.trading_hours);
  WriteText(json, "time_zone", instrument.time_zone);
  WriteText(json, "valid_from", SpellTime(instrument.valid_from));
  WriteText(json, "valid_to", SpellTime(instrument.valid_to));
  json.EndObject();
  return out;
}

int ReportAdded(const Context& context, const store::AddedInstruments& counts) {
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    json.Key("added");
    json.Int(counts.added);
    json.Key("unchanged");
    json.Int(counts.unchanged);
    json.Key("replaced");
    json.Int(counts.replaced);
    json.EndObject();
    Print(out + "\n");
  } else {
    Say(context, HumanCount(counts.added) + " added, " + HumanCount(counts.unchanged) +
                     " unchanged, " + HumanCount(counts.replaced) + " replaced");
  }
  return 0;
}

}  // namespace

Outcome Calendars(const Context& context, const std::string& name) {
  std::vector<CalendarInfo> list;
  if (name.empty()) {
    list = Calendar::List();
  } else {
    LAMINA_ASSIGN(const auto calendar, Calendar::Get(name));
    list.push_back(calendar->info());
  }
  if (context.structured()) {
    std::vector<std::string> objects;
    for (const auto& info : list) objects.push_back(ToJson(info));
    Print(name.empty() ? Gathered(context, objects) : objects.front() + "\n");
    return 0;
  }
  if (name.empty()) {
    std::vector<std::vector<std::string>> rows = {{"NAME", "ZONE", "ALIASES"}};
    for (const auto& info : list) rows.push_back({info.name, info.zone, Joined(info.aliases)});
    Print(Aligned(rows));
    return 0;
  }
  const auto& info = list.front();
  Print(Aligned({{"name", info.name},
                 {"title", info.title},
                 {"zone", info.zone},
                 {"days", market::FormatDay(info.first) + ".." + market::FormatDay(info.last)},
                 {"sessions", Joined(info.sessions)},
                 {"aliases", Joined(info.aliases)},
                 {"version", info.version + ", time zones " + market::Zone::DatabaseVersion()},
                 {"source", info.source}}));
  return 0;
}

Outcome Sessions(const Context& context, const SessionsArguments& arguments) {
  LAMINA_ASSIGN(const auto calendar, Calendar::Get(arguments.calendar));
  market::Day first{static_cast<std::int32_t>(io::PosixEnv().Now().value / 86'400'000'000'000)};
  if (!arguments.first.empty()) {
    LAMINA_ASSIGN(first, market::ParseDay(arguments.first));
  }
  market::Day last = std::max(first, std::min(first + 6, calendar->info().last));
  if (!arguments.last.empty()) {
    LAMINA_ASSIGN(last, market::ParseDay(arguments.last));
  }
  LAMINA_ASSIGN(const auto found, calendar->Sessions(first, last, arguments.session));
  if (context.structured()) {
    std::vector<std::string> objects;
    for (const auto& interval : found) {
      std::string out;
      JsonWriter json(out);
      json.BeginObject();
      WriteText(json, "trading_day", market::FormatDay(interval.trading_day));
      WriteText(json, "open", Clock(interval.open));
      WriteText(json, "close", Clock(interval.close));
      json.EndObject();
      objects.push_back(std::move(out));
    }
    Print(Gathered(context, objects));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"TRADING DAY", "OPEN", "CLOSE"}};
  for (const auto& interval : found) {
    rows.push_back(
        {market::FormatDay(interval.trading_day), Clock(interval.open), Clock(interval.close)});
  }
  Print(Aligned(rows));
  return 0;
}

Outcome AddInstrument(const Context& context, const InstrumentArguments& arguments) {
  Instrument instrument = arguments.instrument;
  LAMINA_ASSIGN(instrument.instrument_id, market::ParseInstrumentId(arguments.id));
  if (!arguments.valid_from.empty()) {
    LAMINA_ASSIGN(instrument.valid_from, ParseWholeMicros(arguments.valid_from));
  }
  if (!arguments.valid_to.empty()) {
    LAMINA_ASSIGN(instrument.valid_to, ParseWholeMicros(arguments.valid_to));
  }
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_ASSIGN(const auto counts, opened->instruments().Add({instrument}, arguments.replace));
  return ReportAdded(context, counts);
}

Outcome ImportInstruments(const Context& context, const std::string& path, bool replace) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context));
  LAMINA_ASSIGN(const auto counts, opened->instruments().ImportCsv(path, replace));
  return ReportAdded(context, counts);
}

Outcome ListInstruments(const Context& context, const std::string& name, const std::string& at) {
  LAMINA_ASSIGN(const auto opened, OpenStore(context, "", true));
  std::optional<Micros> when;
  if (!at.empty()) {
    LAMINA_ASSIGN(when, ParseTime(at));
  }
  std::vector<Instrument> found;
  if (!name.empty()) {
    LAMINA_ASSIGN(auto one, opened->instruments().Get(name, when));
    found.push_back(std::move(one));
  } else {
    LAMINA_ASSIGN(found, opened->instruments().List());
    if (when) std::erase_if(found, [&](const Instrument& one) { return !one.ValidAt(*when); });
  }
  if (context.structured()) {
    std::vector<std::string> objects;
    for (const auto& one : found) objects.push_back(ToJson(one));
    Print(Gathered(context, objects));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {
      {"ID", "SYMBOL", "VENUE", "CURRENCY", "TICK SIZE", "MULTIPLIER", "CALENDAR", "FROM", "TO"}};
  const auto number = [](const std::optional<double>& value) {
    return value ? PythonFloatRepr(*value) : "";
  };
  for (const auto& one : found) {
    rows.push_back({std::to_string(one.instrument_id), one.symbol, one.venue.value_or(""),
                    one.currency.value_or(""), number(one.tick_size), number(one.multiplier),
                    one.calendar.value_or(""), SpellTime(one.valid_from).value_or(""),
                    SpellTime(one.valid_to).value_or("")});
  }
  Print(Aligned(rows));
  return 0;
}

}  // namespace lamina::cli
