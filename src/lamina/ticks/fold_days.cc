#include "lamina/ticks/fold_days.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/table.h>

#include "lamina/catalog/compaction_policy.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/catalog/row_digest.h"
#include "lamina/market/day.h"
#include "lamina/table/columns.h"
#include "lamina/ticks/file_facts.h"
#include "lamina/ticks/fold_plan.h"
#include "lamina/ticks/tick_order.h"

namespace lamina::ticks {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;

/// Stretches folded at once, when nobody says how many.
constexpr std::size_t kWorkersMax = 2;
/// Fewer are folded sooner than threads have begun.
constexpr std::int64_t kRowsForThreads = 1 << 15;

struct Day {
  catalog::LakeTable table;
  std::int64_t snapshot = 0;
  std::int32_t day = 0;
  std::vector<catalog::LakeFile> lake_files;
  std::vector<FoldFile> files;        // of the same places
  std::vector<double> json_per_tick;  // as well
};

struct Fold {
  const Day* day = nullptr;
  std::vector<std::size_t> places;
};

bool IsAsked(const std::vector<std::string>& names, std::string_view table) {
  if (names.empty()) return true;
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return name == table || name == std::string(kTickSchema) + "." + std::string(table);
  });
}

Status ReadContracts(catalog::Database& database, std::int64_t data_file_id, FoldFile& file,
                     double& json_per_tick) {
  LAMINA_ASSIGN(auto read,
                database.Prepare("SELECT contract_id, min(start_time), max(end_time), "
                                 "sum(tick_count), max(compression_ratio * file_size_bytes) FROM "
                                 "tick_archives WHERE data_file_id=?1 GROUP BY contract_id ORDER "
                                 "BY contract_id"));
  read.Bind(1, data_file_id);
  double json = 0;
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) break;
    file.contracts.push_back({read.Int(0), read.Int(1), read.Int(2), read.Int(3)});
    json = read.Double(4);
  }
  if (file.contracts.empty())
    return Corruption("data file " + std::to_string(data_file_id) +
                      " of ticks has no rows in tick_archives");
  json_per_tick = json / static_cast<double>(std::max<std::int64_t>(1, file.rows));
  return Ok();
}

Status ReadDays(catalog::Database& database, TickKind kind, std::int64_t snapshot,
                std::vector<Day>& days) {
  catalog::LakeReader reader(database);
  LAMINA_ASSIGN(const std::optional<catalog::LakeTable> table,
                FindTickTable(reader, kind, snapshot));
  if (!table) return Ok();
  LAMINA_ASSIGN(std::vector<catalog::LakeFile> files, reader.Plan(*table, snapshot));
  std::map<std::string, std::vector<catalog::LakeFile>> partitions;
  for (catalog::LakeFile& file : files) {
    const std::string date = file.partition_values.empty() ? "" : file.partition_values.front();
    partitions[date].push_back(std::move(file));
  }
  for (auto& [date, members] : partitions) {
    // One file without deleted rows cannot be folded: most days of a store.
    if (members.size() == 1 && !members.front().deletes) continue;
    Day day;
    day.table = *table;
    day.snapshot = snapshot;
    LAMINA_ASSIGN(const market::Day parsed, market::ParseDay(date));
    day.day = parsed.value;
    for (catalog::LakeFile& member : members) {
      FoldFile file{.data_file_id = member.data_file_id,
                    .rows = member.rows - (member.deletes ? member.deletes->rows : 0),
                    .bytes = member.size_bytes,
                    .has_deletes = member.deletes.has_value(),
                    .contracts = {}};
      double json_per_tick = 0;
      LAMINA_TRY(ReadContracts(database, member.data_file_id, file, json_per_tick));
      day.json_per_tick.push_back(json_per_tick);
      day.files.push_back(std::move(file));
      day.lake_files.push_back(std::move(member));
    }
    days.push_back(std::move(day));
  }
  return Ok();
}

Result<std::vector<Day>> PlanDays(catalog::Catalog& catalog, const FoldOptions& options) {
  std::vector<Day> days;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(const std::int64_t snapshot, catalog::LakeReader(database).LatestSnapshot());
    for (const TickKind kind : tick_log::kTickKinds)
      if (IsAsked(options.tables, TickTableName(kind)))
        LAMINA_TRY(ReadDays(database, kind, snapshot, days));
    return Ok();
  }));
  return days;
}

const std::int64_t* Integers(const arrow::Table& rows, const std::string& name) {
  const auto column = rows.GetColumnByName(name);
  return static_cast<const arrow::Int64Array&>(*column->chunk(0)).raw_values();
}

/// The order of the archive for rows that lie one part behind the other.
Result<std::vector<std::int64_t>> OrderOf(const arrow::Table& stacked) {
  TickBatch keys;
  const auto take = [&](const char* name) {
    std::vector<std::int64_t> values;
    values.reserve(static_cast<std::size_t>(stacked.num_rows()));
    for (const auto& chunk : stacked.GetColumnByName(name)->chunks()) {
      const std::int64_t* from = static_cast<const arrow::Int64Array&>(*chunk).raw_values();
      values.insert(values.end(), from, from + chunk->length());
    }
    return values;
  };
  keys.contract_id = take("contract_id");
  keys.ts_ns = take("ts_ns");
  keys.recv_ns = take("recv_ns");
  keys.writer = take("writer");
  keys.seq = take("seq");
  std::vector<std::int64_t> order;
  order.reserve(keys.size());
  for (const DayRows& day : ArchiveOrder(keys))
    order.insert(order.end(), day.rows.begin(), day.rows.end());
  return order;
}

/// The rows in the archive's order, column by column: of the parts only those columns stay in
/// memory that have not been taken yet.
Result<ArrowTable> Sorted(std::vector<ArrowTable> parts) {
  LAMINA_ASSIGN(ArrowTable stacked, table::StackTables(parts));
  parts.clear();
  LAMINA_ASSIGN(const std::vector<std::int64_t> order, OrderOf(*stacked));
  bool moved = false;
  for (std::size_t i = 0; i < order.size() && !moved; ++i)
    moved = order[i] != static_cast<std::int64_t>(i);
  const std::shared_ptr<arrow::Schema> schema = stacked->schema();
  arrow::ChunkedArrayVector columns = stacked->columns();
  stacked.reset();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    LAMINA_ASSIGN(auto whole, table::CombineColumn(*columns[i]));
    columns[i] = std::make_shared<arrow::ChunkedArray>(std::move(whole));
    if (!moved) continue;
    const ArrowTable one =
        arrow::Table::Make(arrow::schema({schema->field(static_cast<int>(i))}), {columns[i]});
    LAMINA_ASSIGN(const ArrowTable taken, table::TakeRows(*one, order));
    columns[i] = taken->column(0);
  }
  return arrow::Table::Make(schema, std::move(columns), static_cast<std::int64_t>(order.size()));
}

/// Of all rows of a file just written, a row group at a time.
Result<catalog::RowDigest> DigestFile(io::Env& env, const std::string& path,
                                      const table::WrittenFile& written,
                                      std::int64_t row_group_rows) {
  catalog::RowDigest digest;
  for (std::int64_t begin = 0; begin < written.rows; begin += row_group_rows) {
    table::ReadOptions options;
    options.footer_crc32c = written.footer_crc32c;
    options.row_begin = begin;
    options.row_end = begin + row_group_rows;
    LAMINA_ASSIGN(const ArrowTable rows, table::ReadParquet(env, path, options));
    LAMINA_ASSIGN(const catalog::RowDigest added, catalog::DigestRows(*rows));
    digest += added;
  }
  return digest;
}

Result<FileFacts> FactsOfRows(const arrow::Table& rows, TickKind kind, double json_per_tick) {
  FileFacts facts;
  const std::int64_t* contracts = Integers(rows, "contract_id");
  const std::int64_t* times = Integers(rows, "ts_ns");
  const auto names =
      std::static_pointer_cast<arrow::StringArray>(rows.GetColumnByName("tick_type")->chunk(0));
  std::string_view known;
  TickType type = TickType::kLast;
  std::array<ContractFacts*, 5> of_type{};
  for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
    const std::string_view name = names->GetView(row);
    if (name != known) {
      const auto parsed = tick_log::ParseTickType(name);
      if (!parsed.ok() || KindOf(*parsed) != kind)
        return Corruption("a row of ticks." + std::string(TickTableName(kind)) + " is of type '" +
                          std::string(name) + "'");
      type = *parsed;
      known = name;
    }
    if (row == 0 || contracts[row] != contracts[row - 1]) of_type.fill(nullptr);
    ContractFacts*& own = of_type[static_cast<std::size_t>(type)];
    if (own == nullptr) {
      own = &facts.contracts[{contracts[row], type}];
      own->first_ns = times[row];
    }
    own->last_ns = times[row];
    ++own->ticks;
  }
  facts.json_bytes = json_per_tick * static_cast<double>(rows.num_rows());
  return facts;
}

table::ColumnRange Between(const char* column, std::int64_t low, std::int64_t high) {
  return {.column = column,
          .low = std::make_shared<arrow::Int64Scalar>(low),
          .high = std::make_shared<arrow::Int64Scalar>(high)};
}

class Folding {
 public:
  Folding(catalog::Catalog& catalog, const FoldOptions& options, const Fold& fold)
      : catalog_(catalog), options_(options), day_(*fold.day), fold_(fold) {}

  Status Run(FoldReport& report) {
    LAMINA_ASSIGN(commit_, catalog_.BeginCommit("fold " + std::to_string(fold_.places.size()) +
                                                " files of ticks." + day_.table.name + " of " +
                                                market::FormatDay(market::Day{day_.day})));
    std::vector<FoldFile> members;
    std::vector<std::int64_t> ids;
    double json = 0, rows = 0;
    for (const std::size_t place : fold_.places) {
      members.push_back(day_.files[place]);
      ids.push_back(day_.files[place].data_file_id);
      rows += static_cast<double>(day_.files[place].rows);
      json += day_.json_per_tick[place] * static_cast<double>(day_.files[place].rows);
      report.bytes_before += day_.files[place].bytes;
      expected_rows_ += day_.files[place].rows;
    }
    json_per_tick_ = rows > 0 ? json / rows : 0;
    LAMINA_TRY(FoldStretches(CutIntoStretches(members, options_.file_rows)));
    if (rows_ != expected_rows_)
      return Corruption("the files of ticks." + day_.table.name + " of " +
                        market::FormatDay(market::Day{day_.day}) + " hold " +
                        std::to_string(expected_rows_) + " ticks, of which tick_archives tells " +
                        std::to_string(rows_));
    LAMINA_TRY(commit_->RetireLakeFiles(day_.table, ids));
    LAMINA_ASSIGN(const std::int64_t snapshot,
                  commit_->Finish([&](catalog::Database& database, catalog::LakeWriter& writer) {
                    return PutRows(database, writer, ids);
                  }));
    static_cast<void>(snapshot);
    report.files_before += static_cast<std::int64_t>(ids.size());
    report.files_after += static_cast<std::int64_t>(made_.size());
    report.bytes_after += bytes_;
    report.rows += rows_;
    return Ok();
  }

 private:
  struct Made {
    std::string staged, name;
    FileFacts facts;
    table::WrittenFile written;  ///< no rows: no file
  };

  Status PutRows(catalog::Database& database, catalog::LakeWriter& writer,
                 const std::vector<std::int64_t>& ids) {
    LAMINA_TRY(writer.CheckNoDeletesSince(day_.snapshot, ids));
    LAMINA_TRY(EndArchives(database, writer.snapshot_id(), ids));
    for (const Made& made : made_)
      LAMINA_TRY(InsertArchives(database, writer.snapshot_id(), day_.table, made.name, made.facts));
    return Ok();
  }

  /// A few side by side; their number bounds the memory.
  Status FoldStretches(const std::vector<Stretch>& stretches) {
    std::vector<Made> made(stretches.size());
    for (Made& one : made) {
      LAMINA_ASSIGN(one.staged, commit_->StageLakeFile());
    }
    const std::size_t usual =
        expected_rows_ < kRowsForThreads ? 1 : std::min(kWorkersMax, AvailableCores());
    const std::size_t workers = options_.workers == 0 ? usual : options_.workers;
    LAMINA_TRY(ParallelFor(made.size(), workers, [&](std::size_t i, std::size_t) -> Status {
      if (options_.cancel != nullptr && options_.cancel->cancelled())
        return Cancelled("interrupted; what was folded stays, run it again to go on");
      return FoldStretch(stretches[i], made[i]);
    }));
    for (Made& one : made) {
      if (one.written.rows == 0) continue;
      rows_ += one.written.rows;
      bytes_ += one.written.size_bytes;
      LAMINA_TRY(commit_->AddLakeFile(day_.table, one.staged, std::move(one.written),
                                      day_.lake_files[fold_.places.front()].partition_values));
      made_.push_back(std::move(one));
    }
    return Ok();
  }

  /// What must be asked of a file so that it gives the rows of `stretch`; nothing when it has no
  /// others.
  static std::vector<table::ColumnRange> RangesOf(const Stretch& stretch, const FoldFile& file) {
    std::vector<table::ColumnRange> ranges;
    if (file.contracts.front().contract_id < stretch.low_contract ||
        file.contracts.back().contract_id > stretch.high_contract)
      ranges.push_back(Between("contract_id", stretch.low_contract, stretch.high_contract));
    const bool in_time =
        std::all_of(file.contracts.begin(), file.contracts.end(), [&](const ContractSpan& span) {
          return span.first_ns >= stretch.first_ns && span.last_ns <= stretch.last_ns;
        });
    if (!in_time) ranges.push_back(Between("ts_ns", stretch.first_ns, stretch.last_ns));
    return ranges;
  }

  Result<std::vector<ArrowTable>> ReadStretch(const Stretch& stretch,
                                              catalog::RowDigest& digest) const {
    std::vector<ArrowTable> parts;
    for (const std::size_t place : fold_.places) {
      const FoldFile& file = day_.files[place];
      if (file.contracts.front().contract_id > stretch.high_contract ||
          file.contracts.back().contract_id < stretch.low_contract)
        continue;
      LAMINA_ASSIGN(ArrowTable part,
                    catalog::ReadLakeFile(catalog_.env(), catalog_.LakePath(""), day_.table,
                                          day_.lake_files[place], day_.table.columns,
                                          RangesOf(stretch, file)));
      if (part->num_rows() == 0) continue;
      LAMINA_ASSIGN(const catalog::RowDigest added, catalog::DigestRows(*part));
      digest += added;
      parts.push_back(std::move(part));
    }
    return parts;
  }

  Status FoldStretch(const Stretch& stretch, Made& made) const {
    catalog::RowDigest digest;
    const table::WriteOptions write = TickWriteOptions(options_.zstd_level);
    {
      LAMINA_ASSIGN(std::vector<ArrowTable> parts, ReadStretch(stretch, digest));
      if (parts.empty()) return Ok();
      LAMINA_ASSIGN(const ArrowTable rows, Sorted(std::move(parts)));
      const auto kind = day_.table.name == TickTableName(TickKind::kTrades) ? TickKind::kTrades
                        : day_.table.name == TickTableName(TickKind::kQuotes)
                            ? TickKind::kQuotes
                            : TickKind::kMidpoints;
      LAMINA_ASSIGN(made.facts, FactsOfRows(*rows, kind, json_per_tick_));
      LAMINA_ASSIGN(made.written, table::WriteParquet(catalog_.env(), made.staged, *rows, write));
    }
    made.name = io::BaseName(made.staged);
    LAMINA_ASSIGN(const catalog::RowDigest found,
                  DigestFile(catalog_.env(), made.staged, made.written, write.row_group_rows));
    if (found != digest)
      return Internal(made.staged + ": folded ticks differ from those of the files folded");
    return Ok();
  }

  catalog::Catalog& catalog_;
  const FoldOptions& options_;
  const Day& day_;
  const Fold& fold_;
  std::unique_ptr<catalog::Commit> commit_;
  std::vector<Made> made_;
  std::int64_t rows_ = 0, bytes_ = 0, expected_rows_ = 0;
  double json_per_tick_ = 0;
};

}  // namespace

Result<FoldReport> FoldTickDays(catalog::Catalog& catalog, const FoldOptions& options) {
  if (catalog.read_only()) return Unsupported("the store is open for reading only");
  FoldReport report;
  const std::int32_t open_day = options.open_day.value_or(TickDay(catalog.env().Now().value));
  LAMINA_ASSIGN(const std::vector<Day> days, PlanDays(catalog, options));
  for (const Day& day : days) {
    const FoldRule rule{.sealed = day.day < open_day,
                        .min_files = options.min_files,
                        .small_bytes = catalog::kSmallFileBytes,
                        .file_rows = options.file_rows};
    bool folded = false;
    for (std::vector<std::size_t>& places : ChooseFolds(day.files, rule)) {
      const Fold fold{&day, std::move(places)};
      Status done = Folding(catalog, options, fold).Run(report);
      if (!done.ok() && done.error().code() == ErrorCode::kConflict) continue;
      if (!done.ok()) return std::move(done).error();
      folded = true;
    }
    report.days += folded ? 1 : 0;
  }
  return report;
}

}  // namespace lamina::ticks
