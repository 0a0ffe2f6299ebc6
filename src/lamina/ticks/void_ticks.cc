#include "lamina/ticks/void_ticks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/table.h>

#include "lamina/catalog/lake_rows.h"
#include "lamina/catalog/lost_race.h"
#include "lamina/market/day.h"
#include "lamina/table/columns.h"
#include "lamina/ticks/archive.h"
#include "lamina/ticks/count_days.h"
#include "lamina/ticks/file_facts.h"
#include "lamina/ticks/tick_order.h"

namespace lamina::ticks {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;

Status CheckRequest(const VoidRequest& request) {
  if (request.contract_id < 1) return InvalidArgument("a void needs a contract id of 1 or more");
  if (request.begin_ns >= request.end_ns)
    return InvalidArgument("a void needs a span of time: its begin must be before its end");
  if (request.reason.empty()) return InvalidArgument("a void needs a reason");
  if (request.low_price && request.high_price && *request.low_price > *request.high_price)
    return InvalidArgument("the low price of a void is above its high price");
  return Ok();
}

bool HasBadPrice(const VoidRequest& request, TickKind kind, const TickBatch& ticks,
                 std::size_t row) {
  if (!request.low_price && !request.high_price) return true;
  const auto bad = [&](double price) {
    return (request.low_price && price < *request.low_price) ||
           (request.high_price && price > *request.high_price);
  };
  return bad(ticks.values[0][row]) || (kind == TickKind::kQuotes && bad(ticks.values[2][row]));
}

std::vector<TickKind> KindsOf(const VoidRequest& request) {
  if (request.type) return {KindOf(*request.type)};
  return {tick_log::kTickKinds.begin(), tick_log::kTickKinds.end()};
}

bool Matches(const VoidRequest& request, const TickBatch& ticks, std::size_t row) {
  return ticks.contract_id[row] == request.contract_id && ticks.ts_ns[row] >= request.begin_ns &&
         ticks.ts_ns[row] < request.end_ns && (!request.type || ticks.type[row] == *request.type) &&
         HasBadPrice(request, ticks.kind, ticks, row);
}

// One file with ticks that go.
struct Hit {
  catalog::LakeTable table;
  catalog::LakeFile file;
  TickKind kind = TickKind::kTrades;
  std::vector<std::int64_t> positions;
};

struct Search {
  std::int64_t snapshot = 0;
  std::vector<std::pair<catalog::LakeTable, std::vector<catalog::LakeFile>>> files;
};

Result<Search> PlanSearch(catalog::Catalog& catalog, const VoidRequest& request,
                          std::optional<std::int64_t> at) {
  Search search;
  const std::string contract = std::to_string(request.contract_id);
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    catalog::LakeReader reader(database);
    if (at) {
      search.snapshot = *at;
      LAMINA_TRY(reader.CheckSnapshot(*at));
    } else {
      LAMINA_ASSIGN(search.snapshot, reader.LatestSnapshot());
    }
    for (const TickKind kind : KindsOf(request)) {
      LAMINA_ASSIGN(std::optional<catalog::LakeTable> table,
                    FindTickTable(reader, kind, search.snapshot));
      if (!table) continue;
      LAMINA_ASSIGN(std::vector<catalog::LakeFile> files,
                    reader.Plan(*table, search.snapshot,
                                {{.column = "contract_id", .low = contract, .high = contract},
                                 {.column = "ts_ns",
                                  .low = std::to_string(request.begin_ns),
                                  .high = std::to_string(request.end_ns - 1)}}));
      search.files.emplace_back(*std::move(table), std::move(files));
    }
    return Ok();
  }));
  return search;
}

TickKind KindNamed(std::string_view name) {
  for (const TickKind kind : tick_log::kTickKinds)
    if (name == TickTableName(kind)) return kind;
  return TickKind::kTrades;
}

// Live ticks of the file that match, and their positions in it.
Result<std::pair<TickBatch, std::vector<std::int64_t>>> FindIn(catalog::Catalog& catalog,
                                                               const VoidRequest& request,
                                                               const catalog::LakeTable& table,
                                                               const catalog::LakeFile& file) {
  LAMINA_ASSIGN(const std::vector<std::int64_t> deleted,
                catalog::ReadDeletedPositions(catalog.env(), catalog.LakePath(""), file));
  catalog::LakeFile whole = file;
  whole.deletes.reset();
  LAMINA_ASSIGN(const ArrowTable rows, catalog::ReadLakeFile(catalog.env(), catalog.LakePath(""),
                                                             table, whole, table.columns, {}));
  LAMINA_ASSIGN(const TickBatch ticks, FromArrow(KindNamed(table.name), *rows));
  std::vector<std::uint32_t> found;
  std::vector<std::int64_t> positions;
  for (std::uint32_t row = 0; row < ticks.size(); ++row) {
    if (!Matches(request, ticks, row)) continue;
    if (std::binary_search(deleted.begin(), deleted.end(), std::int64_t{row})) continue;
    found.push_back(row);
    positions.push_back(row);
  }
  return std::pair(TakeTicks(ticks, found), std::move(positions));
}

Result<std::int64_t> InsertVoid(catalog::Database& database, const VoidRequest& request,
                                std::int64_t ticks, std::int64_t snapshot, Nanos now) {
  LAMINA_ASSIGN(auto put,
                database.Prepare("INSERT INTO tick_void(contract_id, tick_type, start_time, "
                                 "end_time, low_price, high_price, reason, author, created_at, "
                                 "tick_count, begin_snapshot) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,"
                                 "?10,?11) RETURNING void_id"));
  put.Bind(1, request.contract_id);
  if (request.type) {
    put.Bind(2, tick_log::TickTypeName(*request.type));
  } else {
    put.BindNull(2);
  }
  put.Bind(3, request.begin_ns).Bind(4, request.end_ns);
  put.Bind(5, request.low_price).Bind(6, request.high_price);
  put.Bind(7, request.reason).Bind(8, request.author).Bind(9, now.value / 1000);
  put.Bind(10, ticks).Bind(11, snapshot);
  LAMINA_ASSIGN(const bool row, put.Step());
  if (!row) return Internal("a void without an id");
  const std::int64_t id = put.Int(0);
  LAMINA_TRY(put.Run());
  return id;
}

Result<VoidReport> VoidOnce(catalog::Catalog& catalog, const VoidRequest& request) {
  VoidReport report;
  LAMINA_ASSIGN(const Search search, PlanSearch(catalog, request, {}));
  std::vector<Hit> hits;
  std::set<StatisticsKey> keys;
  for (const auto& [table, files] : search.files) {
    for (const catalog::LakeFile& file : files) {
      LAMINA_ASSIGN(auto found, FindIn(catalog, request, table, file));
      const TickBatch& ticks = found.first;
      if (ticks.size() == 0) continue;
      for (std::size_t i = 0; i < ticks.size(); ++i)
        keys.insert({ticks.contract_id[i], ticks.type[i], TickDay(ticks.ts_ns[i])});
      report.ticks += static_cast<std::int64_t>(ticks.size());
      hits.push_back({table, file, KindNamed(table.name), std::move(found.second)});
    }
  }
  if (hits.empty())
    return NotFound("no archived tick of contract " + std::to_string(request.contract_id) +
                    " lies in the span of the void");
  if (request.dry_run) return report;
  LAMINA_ASSIGN(const auto commit,
                catalog.BeginCommit("void " + std::to_string(report.ticks) + " ticks of contract " +
                                    std::to_string(request.contract_id)));
  const auto without = [&](const TickBatch& ticks, std::size_t row) {
    return !Matches(request, ticks, row);
  };
  LAMINA_ASSIGN(const DayCounts counts, CountDays(catalog, search.snapshot, keys, without));
  std::vector<std::int64_t> whole;  // files that lose their last row
  for (const Hit& hit : hits) {
    LAMINA_TRY(commit->DeleteLakeRows(hit.table, hit.file, hit.positions));
    const std::int64_t before = hit.file.deletes ? hit.file.deletes->rows : 0;
    if (static_cast<std::int64_t>(hit.positions.size()) + before == hit.file.rows)
      whole.push_back(hit.file.data_file_id);
  }
  const Nanos now = catalog.env().Now();
  LAMINA_ASSIGN(report.snapshot, commit->Finish([&](catalog::Database& database,
                                                    catalog::LakeWriter& writer) -> Status {
    LAMINA_TRY(CheckUnchanged(database, search.snapshot, keys));
    LAMINA_ASSIGN(report.void_id,
                  InsertVoid(database, request, report.ticks, writer.snapshot_id(), now));
    LAMINA_TRY(EndArchives(database, writer.snapshot_id(), whole));
    return PutCounts(database, writer.snapshot_id(), counts);
  }));
  return report;
}

Result<VoidRow> FindVoid(catalog::Catalog& catalog, std::int64_t void_id) {
  LAMINA_ASSIGN(std::vector<VoidRow> rows, ReadVoids(catalog));
  for (VoidRow& row : rows)
    if (row.void_id == void_id) return std::move(row);
  return NotFound("there is no void " + std::to_string(void_id) +
                  "; `lamina ticks void --list` tells them");
}

// What the void took out: matching ticks of the snapshot before it.
Result<TickBatches> TicksOf(catalog::Catalog& catalog, const VoidRow& row) {
  auto planned = PlanSearch(catalog, row.request, row.snapshot - 1);
  if (!planned.ok())
    return std::move(planned).error().With("the snapshot before void " +
                                           std::to_string(row.void_id));
  TickBatches ticks;
  std::array<std::vector<ArrowTable>, 3> parts;
  for (const auto& [table, files] : planned->files) {
    const TickKind kind = KindNamed(table.name);
    for (const catalog::LakeFile& file : files) {
      LAMINA_ASSIGN(const auto found, FindIn(catalog, row.request, table, file));
      if (found.first.size() == 0) continue;
      LAMINA_ASSIGN(const auto batch, ToArrow(found.first));
      const auto made = arrow::Table::FromRecordBatches({batch});
      if (!made.ok()) return Internal(made.status().ToString());
      parts[static_cast<std::size_t>(kind)].push_back(*made);
    }
  }
  for (const TickKind kind : tick_log::kTickKinds) {
    const auto at = static_cast<std::size_t>(kind);
    ticks[at].kind = kind;
    if (parts[at].empty()) continue;
    LAMINA_ASSIGN(const ArrowTable stacked, table::StackTables(parts[at]));
    LAMINA_ASSIGN(ticks[at], FromArrow(kind, *stacked));
  }
  return ticks;
}

}  // namespace

Result<VoidReport> VoidTicks(catalog::Catalog& catalog, const VoidRequest& request) {
  LAMINA_TRY(CheckRequest(request));
  return catalog::RetryLostRaces(10, [&] { return VoidOnce(catalog, request); });
}

Result<std::vector<VoidRow>> ReadVoids(catalog::Catalog& catalog) {
  std::vector<VoidRow> rows;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto read,
                  database.Prepare("SELECT void_id, contract_id, tick_type, start_time, end_time, "
                                   "low_price, high_price, reason, author, created_at, tick_count, "
                                   "begin_snapshot, end_snapshot, end_reason FROM tick_void ORDER "
                                   "BY void_id"));
    for (;;) {
      LAMINA_ASSIGN(const bool found, read.Step());
      if (!found) return Ok();
      VoidRow& row = rows.emplace_back();
      row.void_id = read.Int(0);
      row.request.contract_id = read.Int(1);
      if (!read.IsNull(2)) {
        LAMINA_ASSIGN(row.request.type, tick_log::ParseTickType(read.Text(2)));
      }
      row.request.begin_ns = read.Int(3);
      row.request.end_ns = read.Int(4);
      if (!read.IsNull(5)) row.request.low_price = read.Double(5);
      if (!read.IsNull(6)) row.request.high_price = read.Double(6);
      row.request.reason = read.Text(7);
      row.request.author = read.Text(8);
      row.created_at = read.Int(9);
      row.ticks = read.Int(10);
      row.snapshot = read.Int(11);
      row.undone = !read.IsNull(12);
      row.undone_reason = read.OptionalText(13).value_or("");
    }
  }));
  return rows;
}

Result<VoidReport> UndoVoid(catalog::Catalog& catalog, std::int64_t void_id,
                            const std::string& reason) {
  if (reason.empty()) return InvalidArgument("undoing a void needs a reason");
  LAMINA_ASSIGN(const VoidRow row, FindVoid(catalog, void_id));
  const std::string name = "void " + std::to_string(void_id);
  if (row.undone) return Conflict(name + " is undone already");
  LAMINA_ASSIGN(TickBatches ticks, TicksOf(catalog, row));
  VoidReport report{.void_id = void_id, .ticks = row.ticks};
  const auto end_void = [&](catalog::Database& database, std::int64_t snapshot) -> Status {
    LAMINA_ASSIGN(auto end,
                  database.Prepare("UPDATE tick_void SET end_snapshot=?1, end_reason=?2 WHERE "
                                   "void_id=?3 AND end_snapshot IS NULL RETURNING void_id"));
    end.Bind(1, snapshot).Bind(2, reason).Bind(3, void_id);
    LAMINA_ASSIGN(const bool ended, end.Step());
    if (!ended) return Conflict(name + " was undone by another session");
    return end.Run();
  };
  LAMINA_ASSIGN(const ArchiveReport archived, ArchiveTicks(catalog, std::move(ticks), std::nullopt,
                                                           {.add_coverage = false}, end_void));
  if (archived.ticks != row.ticks)
    return Internal(name + " took out " + std::to_string(row.ticks) + " ticks, " +
                    std::to_string(archived.ticks) + " were put back");
  report.snapshot = archived.snapshot;
  return report;
}

}  // namespace lamina::ticks
