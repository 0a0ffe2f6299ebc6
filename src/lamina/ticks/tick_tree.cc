#include "lamina/ticks/tick_tree.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>

#include "lamina/base/json.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/market/day.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"
#include "lamina/table/parquet_file.h"
#include "lamina/ticks/tick_order.h"

namespace lamina::ticks {
namespace {

constexpr std::int64_t kHourNs = 3'600'000'000'000;

struct TableDay {
  TickKind kind = TickKind::kTrades;
  catalog::LakeTable table;
  std::vector<catalog::LakeFile> files;
};
using Days = std::map<std::int32_t, std::vector<TableDay>>;
using Contracts = std::map<std::int32_t, std::set<std::int64_t>>;

struct Leaf {
  std::string name;
  TickType type = TickType::kLast;
  std::int64_t ticks = 0, bytes = 0, first_ns = 0, last_ns = 0;
};

struct Plan {
  Days days;
  Contracts contracts;
};

Status PlanContracts(catalog::Database& database, std::int64_t snapshot, Contracts& contracts) {
  LAMINA_ASSIGN(auto read,
                database.Prepare("SELECT DISTINCT contract_id, start_time FROM tick_archives WHERE "
                                 "begin_snapshot<=?1 AND (end_snapshot IS NULL OR "
                                 "end_snapshot>?1)"));
  read.Bind(1, snapshot);
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return Ok();
    contracts[TickDay(read.Int(1))].insert(read.Int(0));
  }
}

Result<Plan> PlanTree(catalog::Catalog& catalog, std::optional<std::int64_t> asked,
                      std::int64_t& snapshot) {
  Plan plan;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    catalog::LakeReader reader(database);
    LAMINA_ASSIGN(snapshot, reader.LatestSnapshot());
    if (asked) {
      snapshot = *asked;
      LAMINA_TRY(reader.CheckSnapshot(snapshot));
    }
    for (const TickKind kind : tick_log::kTickKinds) {
      LAMINA_ASSIGN(const std::optional<catalog::LakeTable> table,
                    FindTickTable(reader, kind, snapshot));
      if (!table) continue;
      LAMINA_ASSIGN(std::vector<catalog::LakeFile> files, reader.Plan(*table, snapshot));
      for (catalog::LakeFile& file : files) {
        LAMINA_ASSIGN(const market::Day day, market::ParseDay(file.partition_values.at(0)));
        std::vector<TableDay>& tables = plan.days[day.value];
        if (tables.empty() || tables.back().kind != kind) tables.push_back({kind, *table, {}});
        tables.back().files.push_back(std::move(file));
      }
    }
    return PlanContracts(database, snapshot, plan.contracts);
  }));
  return plan;
}

class Tree {
 public:
  Tree(catalog::Catalog& catalog, std::string destination, const TickTreeOptions& options,
       TickTreeReport& report)
      : catalog_(catalog),
        destination_(std::move(destination)),
        options_(options),
        report_(report) {}

  Status WriteDay(std::int32_t day, const std::vector<TableDay>& tables, std::int64_t contract) {
    const std::string date = market::FormatDay(market::Day{day});
    std::vector<Leaf> leaves;
    for (const TableDay& table : tables) {
      LAMINA_TRY(WriteTable(table, contract, FolderOf(table.kind, contract, date), leaves));
    }
    if (leaves.empty()) return Ok();
    ++report_.days;
    if (is_hive()) return Ok();
    const std::string folder = FolderOf(TickKind::kTrades, contract, date);
    const std::string told = io::JoinPath(folder, kMetadata);
    written_.insert(told);
    return catalog_.env().WriteFileAtomically(told, Metadata(contract, date, leaves));
  }

  /// Files of an earlier tree of this layout that this one does not have.
  Status RemoveStale() {
    if (!is_hive()) return RemoveStale(io::JoinPath(destination_, "contracts"), 0);
    for (const TickKind kind : tick_log::kTickKinds) {
      LAMINA_TRY(RemoveStale(io::JoinPath(destination_, TickTableName(kind)), 0));
    }
    return Ok();
  }

 private:
  static constexpr std::string_view kMetadata = "metadata.json";

  bool is_hive() const { return options_.layout == TreeLayout::kHive; }
  /// Folders below the first one of the layout.
  int day_depth() const { return is_hive() ? 2 : 4; }

  std::string FolderOf(TickKind kind, std::int64_t contract, const std::string& date) const {
    const std::string id = std::to_string(contract);
    if (is_hive()) {
      return io::JoinPath(destination_,
                          TickTableName(kind) + ("/contract_id=" + id) + "/date=" + date);
    }
    return io::JoinPath(destination_, "contracts/" + id + "/" + date.substr(0, 4) + "/" +
                                          date.substr(5, 2) + "/" + date.substr(8, 2));
  }

  /// Below `folder`, which is `depth` under the first one of the layout; folders that are empty
  /// then go, too. A day's metadata.json goes before its files.
  Status RemoveStale(const std::string& folder, int depth) {
    io::Env& env = catalog_.env();
    auto entries = env.ListDirectory(folder);
    if (!entries.ok() && entries.error().code() == ErrorCode::kNotFound) return Ok();
    if (!entries.ok()) return std::move(entries).error();
    std::stable_partition(entries->begin(), entries->end(),
                          [](const io::DirectoryEntry& entry) { return entry.name == kMetadata; });
    std::size_t gone = 0;
    for (const io::DirectoryEntry& entry : *entries) {
      const std::string path = io::JoinPath(folder, entry.name);
      if (depth < day_depth()) {
        if (!entry.is_directory || entry.is_symlink || !IsFolder(entry.name, depth)) continue;
        LAMINA_TRY(RemoveStale(path, depth + 1));
        if (!env.Exists(path)) ++gone;
        continue;
      }
      if (entry.is_directory || written_.contains(path) || !IsOurs(entry.name)) continue;
      LAMINA_TRY(env.Unlink(path));
      ++report_.removed;
      ++gone;
    }
    return depth > 0 && gone > 0 && gone == entries->size() ? env.RemoveDirectory(folder) : Ok();
  }

  static bool IsNumber(std::string_view name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
  }
  bool IsFolder(std::string_view name, int depth) const {
    if (!is_hive()) return IsNumber(name);
    const std::string_view key = depth == 0 ? "contract_id=" : "date=";
    return name.starts_with(key) && name.find_first_not_of("0123456789-", key.size()) == name.npos;
  }
  /// metadata.json, or <tick_type>_<HH>.parquet, also as it is being written.
  bool IsOurs(std::string_view name) const {
    if (name == kMetadata) return !is_hive();
    if (name.ends_with(".new")) name.remove_suffix(4);
    if (!name.ends_with(".parquet")) return false;
    name.remove_suffix(8);
    const std::size_t line = name.rfind('_');
    if (line == std::string_view::npos || name.size() - line != 3) return false;
    return IsNumber(name.substr(line + 1)) && tick_log::ParseTickType(name.substr(0, line)).ok();
  }

  Status WriteTable(const TableDay& day, std::int64_t contract, const std::string& folder,
                    std::vector<Leaf>& leaves) {
    const auto bound = std::make_shared<arrow::Int64Scalar>(contract);
    std::vector<std::shared_ptr<arrow::Table>> parts;
    for (const catalog::LakeFile& file : day.files) {
      LAMINA_ASSIGN(auto part,
                    catalog::ReadLakeFile(
                        catalog_.env(), catalog_.LakePath(""), day.table, file, day.table.columns,
                        {{.column = "contract_id", .low = bound, .high = bound}}));
      if (part->num_rows() > 0) parts.push_back(std::move(part));
    }
    if (parts.empty()) return Ok();
    LAMINA_ASSIGN(const auto rows, table::StackTables(parts));
    LAMINA_ASSIGN(const TickBatch ticks, FromArrow(day.kind, *rows));
    // Rows of a leaf, in the archive's order.
    std::map<std::pair<TickType, std::int64_t>, std::vector<std::uint32_t>> split;
    for (const DayRows& ordered : ArchiveOrder(ticks)) {
      for (const std::uint32_t row : ordered.rows) {
        const std::int64_t begin = std::int64_t{ordered.day} * 24 * kHourNs;
        const std::int64_t hour = (ticks.ts_ns[row] - begin) / kHourNs;
        split[{ticks.type[row], hour - hour % options_.partition_hours}].push_back(row);
      }
    }
    for (const auto& [key, members] : split) {
      LAMINA_ASSIGN(Leaf leaf, WriteLeaf(TakeTicks(ticks, members), key, folder));
      leaves.push_back(std::move(leaf));
    }
    return Ok();
  }

  Result<Leaf> WriteLeaf(const TickBatch& ticks, std::pair<TickType, std::int64_t> key,
                         const std::string& folder) {
    Leaf leaf;
    const std::string hour = std::to_string(key.second);
    leaf.name = std::string(tick_log::TickTypeName(key.first)) + (hour.size() < 2 ? "_0" : "_") +
                hour + ".parquet";
    leaf.type = key.first;
    leaf.first_ns = ticks.ts_ns.front();
    leaf.last_ns = ticks.ts_ns.back();
    LAMINA_ASSIGN(const auto batch, ToArrow(ticks));
    LAMINA_ARROW_ASSIGN(auto rows, arrow::Table::FromRecordBatches({batch}),
                        "writing a tree of ticks");
    LAMINA_TRY(catalog_.env().CreateDirectories(folder));
    const std::string path = io::JoinPath(folder, leaf.name);
    table::WriteOptions write = TickWriteOptions(options_.zstd_level);
    if (is_hive()) {
      for (const std::string told : {"contract_id", "date"}) {
        LAMINA_ARROW_ASSIGN(rows, rows->RemoveColumn(rows->schema()->GetFieldIndex(told)),
                            "writing a tree of ticks");
        std::erase(write.sorted_by, told);
      }
    }
    const std::string made = path + ".new";
    const Status gone = catalog_.env().Unlink(made);  // of a run that was cut short
    if (!gone.ok() && gone.error().code() != ErrorCode::kNotFound) return gone.error().Clone();
    LAMINA_ASSIGN(const table::WrittenFile written,
                  table::WriteParquet(catalog_.env(), made, *rows, write));
    LAMINA_TRY(catalog_.env().Rename(made, path));
    written_.insert(path);
    leaf.ticks = written.rows;
    leaf.bytes = written.size_bytes;
    ++report_.files;
    report_.ticks += leaf.ticks;
    report_.bytes += leaf.bytes;
    return leaf;
  }

  std::string Metadata(std::int64_t contract, const std::string& date,
                       const std::vector<Leaf>& leaves) const {
    std::string text;
    JsonWriter json(text);
    const auto number = [&](const char* key, std::int64_t value) {
      json.Key(key);
      json.Int(value);
    };
    json.BeginObject();
    number("contract_id", contract);
    json.Key("date");
    json.String(date);
    number("snapshot", report_.snapshot);
    number("partition_hours", options_.partition_hours);
    std::int64_t ticks = 0;
    for (const Leaf& leaf : leaves) ticks += leaf.ticks;
    number("total_ticks", ticks);
    json.Key("files");
    json.BeginArray();
    for (const Leaf& leaf : leaves) {
      json.BeginObject();
      json.Key("name");
      json.String(leaf.name);
      json.Key("tick_type");
      json.String(tick_log::TickTypeName(leaf.type));
      number("ticks", leaf.ticks);
      number("bytes", leaf.bytes);
      number("first_ts_ns", leaf.first_ns);
      number("last_ts_ns", leaf.last_ns);
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
    return text + "\n";
  }

  catalog::Catalog& catalog_;
  const std::string destination_;
  const TickTreeOptions& options_;
  TickTreeReport& report_;
  std::set<std::string> written_;
};

/// A tree inside the store would be strange files there.
Status CheckDestination(const std::string& root, const std::string& destination) {
  namespace fs = std::filesystem;
  if (destination.empty()) return InvalidArgument("no folder for the tree");
  std::error_code failed;
  const fs::path base = fs::weakly_canonical(root, failed);
  const fs::path target = fs::weakly_canonical(destination, failed);
  const auto [end, rest] = std::mismatch(base.begin(), base.end(), target.begin(), target.end());
  if (end != base.end()) return Ok();
  return InvalidArgument("the tree would lie inside the store itself: " + destination);
}

}  // namespace

Result<TreeLayout> ParseTreeLayout(std::string_view name) {
  if (name == "seed") return TreeLayout::kSeed;
  if (name == "hive") return TreeLayout::kHive;
  return InvalidArgument("unknown layout '" + std::string(name) + "': known are seed, hive");
}

Result<TickTreeReport> WriteTickTree(catalog::Catalog& catalog, const std::string& destination,
                                     const TickTreeOptions& options) {
  if (options.partition_hours < 1 || 24 % options.partition_hours != 0)
    return InvalidArgument("files of " + std::to_string(options.partition_hours) +
                           " hours do not divide a day");
  LAMINA_TRY(CheckDestination(catalog.root(), destination));
  TickTreeReport report;
  LAMINA_ASSIGN(const Plan plan, PlanTree(catalog, options.snapshot, report.snapshot));
  LAMINA_TRY(catalog.env().CreateDirectories(destination));
  Tree tree(catalog, destination, options, report);
  std::set<std::int64_t> contracts;
  std::int64_t total = 0, done = 0;
  for (const auto& [day, found] : plan.contracts) total += std::ssize(found);
  for (const auto& [day, tables] : plan.days) {
    const auto found = plan.contracts.find(day);
    if (found == plan.contracts.end()) continue;
    for (const std::int64_t contract : found->second) {
      if (options.cancel != nullptr && options.cancel->cancelled())
        return Cancelled("interrupted; run it again to make the tree whole");
      LAMINA_TRY(tree.WriteDay(day, tables, contract));
      contracts.insert(contract);
      if (options.progress) options.progress(++done, total);
    }
  }
  LAMINA_TRY(tree.RemoveStale());
  report.contracts = static_cast<std::int64_t>(contracts.size());
  return report;
}

}  // namespace lamina::ticks
