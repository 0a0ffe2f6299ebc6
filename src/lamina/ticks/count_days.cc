#include "lamina/ticks/count_days.h"

#include <algorithm>
#include <array>
#include <utility>

#include <arrow/scalar.h>
#include <arrow/table.h>

#include "lamina/catalog/lake_rows.h"
#include "lamina/market/day.h"

namespace lamina::ticks {
namespace {

Result<TickBatch> ReadCounted(catalog::Catalog& catalog, TickKind kind,
                              const catalog::LakeTable& table, const catalog::LakeFile& file,
                              std::int64_t low_contract, std::int64_t high_contract) {
  LAMINA_ASSIGN(
      const auto rows,
      catalog::ReadLakeFile(catalog.env(), catalog.LakePath(""), table, file, table.columns,
                            {{.column = "contract_id",
                              .low = std::make_shared<arrow::Int64Scalar>(low_contract),
                              .high = std::make_shared<arrow::Int64Scalar>(high_contract)}}));
  return FromArrow(kind, *rows);
}

void CountRows(const TickBatch& ticks, const RowChoice& counts, DayCounts& days, bool only_known) {
  DayStatistics* day = nullptr;
  StatisticsKey known;
  for (std::size_t row = 0; row < ticks.size(); ++row) {
    if (counts && !counts(ticks, row)) continue;
    const StatisticsKey key{ticks.contract_id[row], ticks.type[row], TickDay(ticks.ts_ns[row])};
    if (row == 0 || key != known || day == nullptr) {
      known = key;
      const auto found = days.find(key);
      day = found != days.end() ? &found->second : only_known ? nullptr : &days[key];
    }
    if (day == nullptr) continue;
    std::array<double, 4> values{};
    for (std::size_t i = 0; i < ValueCount(ticks.kind); ++i) values[i] = ticks.values[i][row];
    day->Add(key.type, ticks.ts_ns[row], values.data());
  }
}

struct TableFiles {
  TickKind kind = TickKind::kTrades;
  catalog::LakeTable table;
  std::map<std::int32_t, std::vector<catalog::LakeFile>> days;
};

Result<std::vector<TableFiles>> FilesByDay(catalog::Catalog& catalog,
                                           std::optional<std::int64_t>& snapshot) {
  std::vector<TableFiles> tables;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    catalog::LakeReader reader(database);
    if (!snapshot) {
      LAMINA_ASSIGN(snapshot, reader.LatestSnapshot());
    }
    for (const TickKind kind : tick_log::kTickKinds) {
      LAMINA_ASSIGN(std::optional<catalog::LakeTable> table,
                    FindTickTable(reader, kind, *snapshot));
      if (!table) continue;
      TableFiles& files = tables.emplace_back();
      files.kind = kind;
      LAMINA_ASSIGN(std::vector<catalog::LakeFile> planned, reader.Plan(*table, *snapshot));
      files.table = *std::move(table);
      for (catalog::LakeFile& file : planned) {
        LAMINA_ASSIGN(const market::Day day, market::ParseDay(file.partition_values.at(0)));
        files.days[day.value].push_back(std::move(file));
      }
    }
    return Ok();
  }));
  return tables;
}

Result<DayCounts> CountDay(catalog::Catalog& catalog, const TableFiles& files, std::int32_t day) {
  DayCounts counted;
  const auto found = files.days.find(day);
  if (found == files.days.end()) return counted;
  for (const catalog::LakeFile& file : found->second) {
    LAMINA_ASSIGN(const TickBatch ticks,
                  ReadCounted(catalog, files.kind, files.table, file, 1, INT64_MAX));
    CountRows(ticks, {}, counted, false);
  }
  return counted;
}

using Evidence = std::map<StatisticsKey, std::string>;

Result<Evidence> ReadAllEvidence(catalog::Catalog& catalog, std::int64_t& snapshot) {
  Evidence rows;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(snapshot, catalog::LakeReader(database).LatestSnapshot());
    LAMINA_ASSIGN(auto read, database.Prepare("SELECT contract_id, tick_type, date, total_ticks, "
                                              "unique_prices, total_volume, vwap, high_price, "
                                              "low_price, evidence FROM data_statistics"));
    for (;;) {
      LAMINA_ASSIGN(const bool row, read.Step());
      if (!row) return Ok();
      LAMINA_ASSIGN(const TickType type, tick_log::ParseTickType(read.Text(1)));
      LAMINA_ASSIGN(const market::Day day, market::ParseDay(read.Text(2)));
      // The columns must be what the evidence says; a row that is not reads as damaged.
      auto decoded = DayStatistics::Decode(read.Blob(9));
      const auto same = [&](int column, const std::optional<double>& value) {
        return value ? !read.IsNull(column) && read.Double(column) == *value : read.IsNull(column);
      };
      const bool sound = decoded.ok() && decoded->total_ticks() == read.Int(3) &&
                         decoded->unique_prices() == read.Int(4) &&
                         same(5, decoded->total_volume(type)) && same(6, decoded->vwap(type)) &&
                         same(7, decoded->high_price()) && same(8, decoded->low_price());
      rows[{read.Int(0), type, day.value}] = sound ? std::string(read.Blob(9)) : std::string();
    }
  }));
  return rows;
}

}  // namespace

Result<DayCounts> CountDays(catalog::Catalog& catalog, std::int64_t snapshot,
                            const std::set<StatisticsKey>& keys, const RowChoice& counts) {
  DayCounts days;
  for (const StatisticsKey& key : keys) days[key] = DayStatistics();
  std::optional<std::int64_t> at = snapshot;
  LAMINA_ASSIGN(const std::vector<TableFiles> tables, FilesByDay(catalog, at));
  for (const TableFiles& files : tables) {
    std::map<std::int32_t, std::pair<std::int64_t, std::int64_t>> wanted;  // contracts of a day
    for (const StatisticsKey& key : keys) {
      if (KindOf(key.type) != files.kind) continue;
      auto& [low, high] = wanted.try_emplace(key.day, INT64_MAX, 0).first->second;
      low = std::min(low, key.contract_id);
      high = std::max(high, key.contract_id);
    }
    for (const auto& [day, span] : wanted) {
      const auto found = files.days.find(day);
      if (found == files.days.end()) continue;
      for (const catalog::LakeFile& file : found->second) {
        LAMINA_ASSIGN(const TickBatch ticks,
                      ReadCounted(catalog, files.kind, files.table, file, span.first, span.second));
        CountRows(ticks, counts, days, true);
      }
    }
  }
  return days;
}

Status CheckUnchanged(catalog::Database& database, std::int64_t snapshot,
                      const std::set<StatisticsKey>& keys) {
  LAMINA_ASSIGN(auto read, database.Prepare("SELECT updated_snapshot FROM data_statistics WHERE "
                                            "contract_id=?1 AND tick_type=?2 AND date=?3"));
  for (const StatisticsKey& key : keys) {
    const std::string date = market::FormatDay(market::Day{key.day});
    read.Bind(1, key.contract_id).Bind(2, tick_log::TickTypeName(key.type)).Bind(3, date);
    LAMINA_ASSIGN(const bool row, read.Step());
    if (row && read.Int(0) > snapshot)
      return Conflict("ticks of contract " + std::to_string(key.contract_id) + " on " + date +
                      " came meanwhile");
    read.Reset();
  }
  return Ok();
}

Status PutCounts(catalog::Database& database, std::int64_t snapshot, const DayCounts& counts) {
  for (const auto& [key, day] : counts) LAMINA_TRY(ReplaceStatistics(database, snapshot, key, day));
  return Ok();
}

Result<std::vector<StatisticsProblem>> CheckStatistics(catalog::Catalog& catalog,
                                                       const CancelToken* cancel) {
  std::vector<StatisticsProblem> problems;
  std::int64_t snapshot = 0;
  LAMINA_ASSIGN(Evidence rows, ReadAllEvidence(catalog, snapshot));
  std::optional<std::int64_t> at = snapshot;
  LAMINA_ASSIGN(const std::vector<TableFiles> tables, FilesByDay(catalog, at));
  for (const TableFiles& files : tables) {
    for (const auto& [day, members] : files.days) {
      if (cancel != nullptr && cancel->cancelled()) return Cancelled("interrupted");
      LAMINA_ASSIGN(const DayCounts counted, CountDay(catalog, files, day));
      for (const auto& [key, statistics] : counted) {
        const auto row = rows.find(key);
        if (row == rows.end()) {
          problems.push_back({key, "has no row, though there are ticks"});
          continue;
        }
        if (row->second != statistics.Encode())
          problems.push_back({key, "differs from a count of the files"});
        rows.erase(row);
      }
    }
  }
  for (const auto& [key, evidence] : rows)
    problems.push_back({key, "has a row, but there are no ticks"});
  return problems;
}

Result<std::int64_t> RebuildStatistics(catalog::Catalog& catalog, const CancelToken* cancel) {
  std::int64_t snapshot = 0, made = 0;
  LAMINA_ASSIGN(const Evidence rows, ReadAllEvidence(catalog, snapshot));
  DayCounts counts;  // a row without ticks goes
  for (const auto& [key, evidence] : rows) counts[key] = DayStatistics();
  std::optional<std::int64_t> at = snapshot;
  LAMINA_ASSIGN(const std::vector<TableFiles> tables, FilesByDay(catalog, at));
  for (const TableFiles& files : tables) {
    for (const auto& [day, members] : files.days) {
      if (cancel != nullptr && cancel->cancelled()) return Cancelled("interrupted");
      LAMINA_ASSIGN(DayCounts counted, CountDay(catalog, files, day));
      for (auto& [key, statistics] : counted) counts[key] = std::move(statistics);
    }
  }
  for (const auto& [key, statistics] : counts) made += statistics.total_ticks() > 0 ? 1 : 0;
  LAMINA_TRY(catalog.Transact([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(const std::int64_t latest, catalog::LakeReader(database).LatestSnapshot());
    if (latest != snapshot) return Conflict("the store changed while statistics were counted");
    return PutCounts(database, snapshot, counts);
  }));
  return made;
}

}  // namespace lamina::ticks
