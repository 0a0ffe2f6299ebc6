#include "lamina/market/instrument_csv.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "lamina/base/csv.h"
#include "lamina/base/fine_time.h"
#include "lamina/base/json.h"
#include "lamina/base/near_names.h"

namespace lamina::market {
namespace {

constexpr std::size_t kErrorsShown = 20;

Status ReadNumber(std::string_view cell, std::optional<double>& into) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) {
    return InvalidArgument("'" + std::string(cell.substr(0, 60)) + "' is not a number");
  }
  into = value;
  return Ok();
}

Status ReadTime(std::string_view cell, std::optional<Micros>& into) {
  LAMINA_ASSIGN(into, ParseWholeMicros(cell));
  return Ok();
}

template <std::optional<std::string> Instrument::* field>
Status ReadText(std::string_view cell, Instrument& into) {
  into.*field = std::string(cell);
  return Ok();
}

struct Column {
  std::string_view name;
  Status (*read)(std::string_view cell, Instrument& into);
};

constexpr std::array kColumns = {
    Column{"instrument_id",
           [](std::string_view c, Instrument& i) -> Status {
             LAMINA_ASSIGN(i.instrument_id, ParseInstrumentId(c));
             return Ok();
           }},
    Column{"symbol",
           [](std::string_view c, Instrument& i) {
             i.symbol = std::string(c);
             return Ok();
           }},
    Column{"venue", &ReadText<&Instrument::venue>},
    Column{"currency", &ReadText<&Instrument::currency>},
    Column{"tick_size",
           [](std::string_view c, Instrument& i) { return ReadNumber(c, i.tick_size); }},
    Column{"multiplier",
           [](std::string_view c, Instrument& i) { return ReadNumber(c, i.multiplier); }},
    Column{"calendar", &ReadText<&Instrument::calendar>},
    Column{"trading_hours", &ReadText<&Instrument::trading_hours>},
    Column{"time_zone", &ReadText<&Instrument::time_zone>},
    Column{"valid_from",
           [](std::string_view c, Instrument& i) { return ReadTime(c, i.valid_from); }},
    Column{"valid_to", [](std::string_view c, Instrument& i) { return ReadTime(c, i.valid_to); }},
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kAliases = {{
    {"id", "instrument_id"},
    {"contract_id", "instrument_id"},
    {"con_id", "instrument_id"},
    {"exchange", "venue"},
}};

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

Result<std::vector<const Column*>> ReadHeader(const CsvRecord& record) {
  std::vector<const Column*> columns;
  for (const auto& cell : record.cells) {
    std::string_view name = Trim(cell);
    for (const auto& [alias, known] : kAliases) {
      if (name == alias) name = known;
    }
    const auto found = std::find_if(kColumns.begin(), kColumns.end(),
                                    [&](const Column& column) { return column.name == name; });
    if (found == kColumns.end()) {
      std::vector<std::string> known;
      for (const auto& column : kColumns) known.emplace_back(column.name);
      return InvalidArgument("unknown column '" + std::string(name.substr(0, 60)) + "'" +
                             DidYouMean(name.substr(0, 60), known));
    }
    if (std::find(columns.begin(), columns.end(), &*found) != columns.end()) {
      return InvalidArgument("column " + std::string(found->name) + " is there twice");
    }
    columns.push_back(&*found);
  }
  for (const Column* needed : {&kColumns[0], &kColumns[1]}) {
    if (std::find(columns.begin(), columns.end(), needed) == columns.end()) {
      return InvalidArgument("column " + std::string(needed->name) + " is missing");
    }
  }
  return columns;
}

Result<Instrument> ReadRow(const std::vector<const Column*>& columns, const CsvRecord& record) {
  if (record.cells.size() != columns.size()) {
    return InvalidArgument(std::to_string(record.cells.size()) + " cells, the header has " +
                           std::to_string(columns.size()));
  }
  Instrument instrument;
  instrument.instrument_id = -1;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto cell = Trim(record.cells[i]);
    if (!ValidUtf8(cell)) {
      return InvalidArgument(std::string(columns[i]->name) + ": not UTF-8");
    }
    if (!cell.empty()) LAMINA_TRY_WITH(columns[i]->read(cell, instrument), columns[i]->name);
  }
  if (instrument.instrument_id == -1) return InvalidArgument("instrument_id: absent or negative");
  LAMINA_TRY(CheckInstrument(instrument));
  return instrument;
}

}  // namespace

Result<std::vector<InstrumentLine>> ParseInstrumentCsv(std::string_view text,
                                                       std::string_view origin) {
  CsvReader reader(text);
  const auto place = [&](std::int64_t line) {
    return std::string(origin) + ":" + std::to_string(line);
  };
  if (reader.done()) return InvalidArgument(std::string(origin) + ": the file is empty");
  auto header = reader.Next();
  if (!header.ok()) return std::move(header).error().With(place(1));
  auto columns = ReadHeader(*header);
  if (!columns.ok()) return std::move(columns).error().With(place(1));

  std::vector<InstrumentLine> lines;
  std::string problems;
  std::size_t bad = 0;
  while (!reader.done()) {
    const std::int64_t line = reader.line();
    auto record = reader.Next();
    if (record.ok() && record->cells.size() == 1 && record->cells[0].empty()) continue;
    auto row =
        record.ok() ? ReadRow(*columns, *record) : Result<Instrument>(std::move(record).error());
    if (!record.ok()) reader.SkipLine();
    if (row.ok()) {
      lines.push_back({line, *std::move(row)});
    } else if (++bad <= kErrorsShown) {
      problems +=
          (problems.empty() ? "" : "\n") + place(line) + ": " + std::string(row.error().message());
    }
  }
  if (bad == 0) return lines;
  if (bad > kErrorsShown) problems += "\nand " + std::to_string(bad - kErrorsShown) + " more";
  return InvalidArgument(std::move(problems));
}

}  // namespace lamina::market
