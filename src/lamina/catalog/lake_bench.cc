#include <filesystem>

#include <benchmark/benchmark.h>

#include "lamina/base/uuid.h"
#include "lamina/catalog/lake.h"
#include "lamina/catalog/migrations.h"

// Registering and planning only: no Parquet is written or read.

namespace lamina::catalog {
namespace {

using table::LakeType;

constexpr int kTables = 6;
constexpr int kColumns = 20;
const Micros kNow{1'760'000'000'000'000};

Uuid RunId(std::int64_t run) {
  Uuid id;
  for (int i = 0; i < 8; ++i)
    id.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(run >> (56 - 8 * i));
  return id;
}

class Lake {
 public:
  Lake() {
    std::string pattern = std::filesystem::temp_directory_path() / "lamina-bench-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    database_ = *Database::Open(folder_ + "/catalog.sqlite", OpenMode::kCreate);
    Check(MigrateCatalog(*database_, "bench", kNow));
    Check(CreateLake(*database_, folder_ + "/lake/", "bench", kNow));
    Check(database_->Transact([&]() -> Status {
      LAMINA_ASSIGN(LakeWriter writer, LakeWriter::Begin(*database_));
      LAMINA_TRY(writer.CreateSchema("bt"));
      for (int t = 0; t < kTables; ++t) {
        std::vector<LakeColumn> columns = {{.name = "run_id", .type = LakeType::kUuid}};
        for (int c = 1; c < kColumns; ++c)
          columns.push_back({.name = "c" + std::to_string(c),
                             .type = c % 2 == 0 ? LakeType::kDouble : LakeType::kTimestampTz});
        LAMINA_ASSIGN(LakeTable table, writer.CreateTable("bt", "t" + std::to_string(t), columns));
        tables_.push_back(std::move(table));
      }
      return writer.Finish(kNow, "bench", "");
    }));
  }
  ~Lake() {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  static void Check(const Status& status) {
    if (!status.ok()) LAMINA_CHECK(false && "see status");
  }

  NewLakeFile MakeFile(const LakeTable& table) {
    NewLakeFile file;
    file.path = table.directory + RunId(next_run_).ToString() + ".parquet";
    file.written.rows = 1'000;
    file.written.size_bytes = 20'000;
    for (int c = 1; c <= kColumns; ++c) {
      table::ColumnStatistics column;
      column.field_id = c;
      column.size_bytes = 1'000;
      column.value_count = 1'000;
      column.min_value = c == 1       ? RunId(next_run_).ToString()
                         : c % 2 == 0 ? "2024-01-01 00:00:00+00"
                                      : "0.5";
      column.max_value = c == 1       ? RunId(next_run_).ToString()
                         : c % 2 == 0 ? "2024-02-03 04:05:06.789+00"
                                      : "1234.5678";
      if (c > 1 && c % 2 == 1) column.contains_nan = false;
      file.written.columns.push_back(std::move(column));
    }
    return file;
  }

  void AppendToAll() {
    Check(database_->Transact([&]() -> Status {
      LAMINA_ASSIGN(LakeWriter writer, LakeWriter::Begin(*database_));
      for (const LakeTable& table : tables_)
        LAMINA_TRY(writer.Append(table.table_id, {MakeFile(table)}));
      ++next_run_;
      return writer.Finish(kNow, "bench", "");
    }));
  }

  void Fill(std::int64_t files) {
    Check(database_->Transact([&]() -> Status {
      LAMINA_ASSIGN(LakeWriter writer, LakeWriter::Begin(*database_));
      std::vector<NewLakeFile> made;
      for (; next_run_ < files; ++next_run_) made.push_back(MakeFile(tables_[0]));
      LAMINA_TRY(writer.Append(tables_[0].table_id, made));
      return writer.Finish(kNow, "bench", "");
    }));
  }

  std::size_t PlanOneRun(std::int64_t run) {
    const std::string id = RunId(run).ToString();
    std::size_t files = 0;
    Check(database_->Read([&]() -> Status {
      LakeReader reader(*database_);
      LAMINA_ASSIGN(const std::int64_t snapshot, reader.LatestSnapshot());
      LAMINA_ASSIGN(const LakeTable table, reader.FindTable("bt", "t0", snapshot));
      LAMINA_ASSIGN(const auto planned, reader.Plan(table, snapshot, {{"run_id", id, id}}));
      files = planned.size();
      return Ok();
    }));
    return files;
  }

 private:
  std::string folder_;
  std::unique_ptr<Database> database_;
  std::vector<LakeTable> tables_;
  std::int64_t next_run_ = 0;
};

void BM_CommitSixFiles(benchmark::State& state) {
  Lake lake;
  for (auto _ : state) lake.AppendToAll();
}
BENCHMARK(BM_CommitSixFiles);

void BM_PlanOneRun(benchmark::State& state) {
  Lake lake;
  lake.Fill(state.range(0));
  std::int64_t run = 0;
  for (auto _ : state) {
    if (lake.PlanOneRun(run++ % state.range(0)) != 1) state.SkipWithError("not one file");
  }
}
BENCHMARK(BM_PlanOneRun)->Arg(1'000)->Arg(20'000);

}  // namespace
}  // namespace lamina::catalog
