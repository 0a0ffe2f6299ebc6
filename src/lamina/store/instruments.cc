#include "lamina/store/instruments.h"

#include <map>
#include <memory>
#include <utility>

#include "lamina/catalog/lost_race.h"
#include "lamina/market/instrument_csv.h"

namespace lamina::store {
namespace {

using market::Instrument;

constexpr std::int64_t kCsvBytesMax = 1LL << 30;
/// A commit that lost a race is made again from the new state.
constexpr int kAttempts = 8;
constexpr const char* kColumns =
    "row_id, instrument_id, symbol, venue, currency, tick_size, multiplier, calendar, "
    "trading_hours, time_zone, valid_from, valid_to";

struct StoredRow {
  std::int64_t row_id = 0;
  Instrument instrument;
};

std::optional<double> OptionalDouble(const catalog::Statement& row, int column) {
  if (row.IsNull(column)) return {};
  return row.Double(column);
}

std::optional<Micros> OptionalTime(const catalog::Statement& row, int column) {
  if (row.IsNull(column)) return {};
  return Micros{row.Int(column)};
}

Result<std::vector<StoredRow>> ReadRows(catalog::Database& database,
                                        std::optional<std::int64_t> snapshot) {
  std::string sql = std::string("SELECT ") + kColumns + " FROM instrument WHERE ";
  sql += snapshot ? "begin_snapshot <= ?1 AND (end_snapshot IS NULL OR end_snapshot > ?1)"
                  : "end_snapshot IS NULL";
  sql += " ORDER BY symbol, venue, instrument_id, valid_from";
  LAMINA_ASSIGN(catalog::Statement row, database.Prepare(sql));
  if (snapshot) row.Bind(1, *snapshot);
  std::vector<StoredRow> rows;
  while (true) {
    LAMINA_ASSIGN(const bool found, row.Step());
    if (!found) return rows;
    StoredRow& stored = rows.emplace_back();
    stored.row_id = row.Int(0);
    Instrument& instrument = stored.instrument;
    instrument.instrument_id = row.Int(1);
    instrument.symbol = row.Text(2);
    instrument.venue = row.OptionalText(3);
    instrument.currency = row.OptionalText(4);
    instrument.tick_size = OptionalDouble(row, 5);
    instrument.multiplier = OptionalDouble(row, 6);
    instrument.calendar = row.OptionalText(7);
    instrument.trading_hours = row.OptionalText(8);
    instrument.time_zone = row.OptionalText(9);
    instrument.valid_from = OptionalTime(row, 10);
    instrument.valid_to = OptionalTime(row, 11);
  }
}

void BindText(catalog::Statement& row, int index, const std::optional<std::string>& text) {
  if (text) {
    row.Bind(index, std::string_view(*text));
  } else {
    row.BindNull(index);
  }
}

Status InsertRow(catalog::Database& database, const Instrument& instrument, std::int64_t snapshot) {
  LAMINA_ASSIGN(
      catalog::Statement row,
      database.Prepare("INSERT INTO instrument(instrument_id, symbol, venue, currency, tick_size, "
                       "multiplier, calendar, trading_hours, time_zone, valid_from, valid_to, "
                       "begin_snapshot) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                       "?12)"));
  row.Bind(1, instrument.instrument_id).Bind(2, std::string_view(instrument.symbol));
  BindText(row, 3, instrument.venue);
  BindText(row, 4, instrument.currency);
  row.Bind(5, instrument.tick_size).Bind(6, instrument.multiplier);
  BindText(row, 7, instrument.calendar);
  BindText(row, 8, instrument.trading_hours);
  BindText(row, 9, instrument.time_zone);
  const auto bind_time = [&](int index, const std::optional<Micros>& at) {
    at ? row.Bind(index, at->value) : row.BindNull(index);
  };
  bind_time(10, instrument.valid_from);
  bind_time(11, instrument.valid_to);
  row.Bind(12, snapshot);
  return row.Run();
}

Status EndRow(catalog::Database& database, std::int64_t row_id, std::int64_t snapshot) {
  LAMINA_ASSIGN(catalog::Statement row,
                database.Prepare("UPDATE instrument SET end_snapshot = ?2 WHERE row_id = ?1"));
  return row.Bind(1, row_id).Bind(2, snapshot).Run();
}

/// What a list of rows does to those that are stored.
class Plan {
 public:
  explicit Plan(std::vector<StoredRow> stored) {
    for (auto& row : stored) Keep(std::move(row));
  }

  Status Add(const Instrument& added, bool replace) {
    for (auto& row : by_id_[added.instrument_id]) {
      if (row->ended || row->instrument.valid_from != added.valid_from) continue;
      if (row->instrument == added) {
        ++counts.unchanged;
        return Ok();
      }
      if (!replace) break;  // the overlap is reported below
      row->ended = true;
      if (row->row_id != 0) ended.push_back(row->row_id);
      ++counts.replaced;
      --counts.added;
      break;
    }
    for (const auto* rows : {&by_id_[added.instrument_id], &by_symbol_[added.symbol]}) {
      for (const auto& row : *rows) {
        if (!row->ended) LAMINA_TRY(market::CheckNoOverlap({row->instrument}, added));
      }
    }
    Keep({0, added});
    ++counts.added;
    return Ok();
  }

  std::vector<Instrument> New() const {
    std::vector<Instrument> rows;
    for (const auto& row : all_) {
      if (row->row_id == 0 && !row->ended) rows.push_back(row->instrument);
    }
    return rows;
  }

  AddedInstruments counts;
  std::vector<std::int64_t> ended;

 private:
  struct Row {
    std::int64_t row_id = 0;  ///< 0: new
    Instrument instrument;
    bool ended = false;
  };

  void Keep(StoredRow row) {
    auto kept = std::make_shared<Row>(Row{row.row_id, std::move(row.instrument), false});
    by_id_[kept->instrument.instrument_id].push_back(kept);
    by_symbol_[kept->instrument.symbol].push_back(kept);
    all_.push_back(std::move(kept));
  }

  std::vector<std::shared_ptr<Row>> all_;
  std::map<std::int64_t, std::vector<std::shared_ptr<Row>>> by_id_;
  std::map<std::string, std::vector<std::shared_ptr<Row>>> by_symbol_;
};

Result<Plan> MakePlan(catalog::Database& database, const std::vector<Instrument>& rows,
                      const std::vector<std::string>& places, bool replace) {
  LAMINA_ASSIGN(auto stored, ReadRows(database, {}));
  Plan plan(std::move(stored));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto status = plan.Add(rows[i], replace);
    if (status.ok()) continue;
    Error error = std::move(status).error();
    if (places.empty()) return error;
    return std::move(error).With(places[i]);
  }
  return plan;
}

std::vector<Instrument> Plain(std::vector<StoredRow> rows) {
  std::vector<Instrument> plain;
  plain.reserve(rows.size());
  for (auto& row : rows) plain.push_back(std::move(row.instrument));
  return plain;
}

}  // namespace

Result<AddedInstruments> Instruments::AddFrom(std::vector<Instrument> rows,
                                              const std::vector<std::string>& places,
                                              bool replace) {
  return catalog::RetryLostRaces(kAttempts, [&]() -> Result<AddedInstruments> {
    AddedInstruments counts;
    bool changes = false;
    LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
      LAMINA_ASSIGN(const Plan plan, MakePlan(database, rows, places, replace));
      counts = plan.counts;
      changes = !plan.New().empty() || !plan.ended.empty();
      return Ok();
    }));
    if (!changes) return counts;
    LAMINA_ASSIGN(auto commit,
                  catalog_->BeginCommit("add " + std::to_string(rows.size()) + " instruments"));
    LAMINA_TRY(
        commit->Finish([&](catalog::Database& database, catalog::LakeWriter& writer) -> Status {
          // Others may have added meanwhile: what counts is what is there now.
          LAMINA_ASSIGN(const Plan plan, MakePlan(database, rows, places, replace));
          counts = plan.counts;
          for (const std::int64_t row_id : plan.ended) {
            LAMINA_TRY(EndRow(database, row_id, writer.snapshot_id()));
          }
          for (const auto& row : plan.New()) {
            LAMINA_TRY(InsertRow(database, row, writer.snapshot_id()));
          }
          return Ok();
        }));
    return counts;
  });
}

Result<AddedInstruments> Instruments::Add(std::vector<Instrument> rows, bool replace) {
  for (auto& row : rows) {
    auto checked = market::CheckInstrument(row);
    if (!checked.ok()) {
      return Error(checked.error().code(), std::string(checked.error().message()))
          .With("instrument " + market::DescribeInstrument(row));
    }
  }
  return AddFrom(std::move(rows), {}, replace);
}

Result<AddedInstruments> Instruments::ImportCsv(const std::string& path, bool replace) {
  LAMINA_ASSIGN(const std::string text, catalog_->env().ReadFile(path, kCsvBytesMax));
  LAMINA_ASSIGN(auto lines, market::ParseInstrumentCsv(text, path));
  std::vector<Instrument> rows;
  std::vector<std::string> places;
  for (auto& line : lines) {
    rows.push_back(std::move(line.instrument));
    places.push_back(path + ":" + std::to_string(line.line));
  }
  return AddFrom(std::move(rows), places, replace);
}

Result<std::vector<Instrument>> Instruments::List(std::optional<std::int64_t> snapshot) {
  std::vector<StoredRow> rows;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(rows, ReadRows(database, snapshot));
    return Ok();
  }));
  return Plain(std::move(rows));
}

Result<Instrument> Instruments::Get(std::string_view name, std::optional<Micros> at) {
  LAMINA_ASSIGN(const auto rows, List());
  return market::ResolveInstrument(rows, name,
                                   at ? *at : Micros{catalog_->env().Now().value / 1000});
}

Result<std::shared_ptr<const market::Calendar>> Instruments::CalendarOf(
    const Instrument& instrument) {
  if (!instrument.calendar) {
    return NotFound("instrument " + market::DescribeInstrument(instrument) + " has no calendar");
  }
  LAMINA_ASSIGN(auto calendar, market::Calendar::Get(*instrument.calendar));
  if (!instrument.trading_hours) return calendar;
  LAMINA_ASSIGN(const auto zone,
                market::Zone::Get(instrument.time_zone.value_or(calendar->zone().name())));
  LAMINA_ASSIGN(const auto hours, market::ParseTradingHours(*instrument.trading_hours, *zone));
  return calendar->WithTradingHours(hours);
}

}  // namespace lamina::store
