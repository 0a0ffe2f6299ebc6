#include <map>
#include <random>

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/catalog/catalog.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/catalog/lake_test_support.h"
#include "lamina/table/columns.h"

// Random operations on a lake table, against rows kept in memory, read at every snapshot.

namespace lamina::catalog::test {
namespace {

using table::LakeType;

// Rows by their unique `seq`; a row is its cells as text.
using Model = std::map<std::int64_t, std::vector<std::string>>;

class LakeModel {
 public:
  explicit LakeModel(std::uint64_t seed) : random_(seed) {
    EXPECT_OK(Catalog::Create(io::PosixEnv(), folder_.path(), RandomUuid4()));
    auto catalog = Catalog::Open(io::PosixEnv(), folder_.path());
    EXPECT_OK(catalog);
    catalog_ = *std::move(catalog);
    partitioned_ = seed % 2 == 1;
    Commit("create", [&](Database&, LakeWriter& lake) -> Status {
      LAMINA_TRY(lake.CreateSchema("bt"));
      LAMINA_TRY(lake.CreateTable(
          "bt", "t", AllColumns(),
          partitioned_ ? std::vector<std::string>{"d"} : std::vector<std::string>{},
          {"run_id", "seq"}));
      return Ok();
    });
  }

  void Step() {
    switch (random_() % 12) {
      case 0:
        return Retire();
      case 1:
      case 2:
        return DeleteRows();
      case 3:
        return added_ < 3 ? AddColumn() : Append();
      case 4:
        return Compact();
      default:
        return Append();
    }
  }

  void CheckAll() {
    for (const auto& [snapshot, model] : history_) Check(snapshot, model);
  }

  void CheckRanges() {
    const std::int64_t snapshot = *catalog_->LatestSnapshot();
    const LakeTable table = Table(snapshot);
    const auto all = catalog_->ReadTable(table, snapshot);
    ASSERT_OK(all);
    if ((*all)->num_rows() == 0) return;
    for (const char* name : {"run_id", "seq", "qty", "px", "symbol", "ts", "local", "d", "ok"}) {
      const auto column = *table::CombineColumn(*(*all)->GetColumnByName(name));
      const auto at = static_cast<std::int64_t>(random_() % (*all)->num_rows());
      const auto value = column->GetScalar(at).ValueOrDie();
      if (!value->is_valid || value->ToString() == "nan") continue;
      std::size_t equal = 0;
      for (std::int64_t i = 0; i < column->length(); ++i)
        if (column->IsValid(i) && column->GetScalar(i).ValueOrDie()->Equals(*value)) ++equal;
      const auto read = catalog_->ReadTable(table, snapshot, {{name, value, value}},
                                            std::vector<std::string>{"parent", name});
      ASSERT_OK(read);
      EXPECT_EQ((*read)->num_columns(), 2);
      if (std::string(name) != "px") {  // -0.0 is 0.0
        EXPECT_EQ((*read)->num_rows(), static_cast<std::int64_t>(equal)) << name;
      }
      EXPECT_GE((*read)->num_rows(), static_cast<std::int64_t>(equal)) << name;
    }
  }

  std::int64_t live_files() {
    return static_cast<std::int64_t>(Files(*catalog_->LatestSnapshot()).size());
  }
  const std::string& root() const { return folder_.path(); }

 private:
  template <class T>
  static void EXPECT_OK(const T& result) {
    EXPECT_THAT(result, IsOk());
  }

  LakeTable Table(std::int64_t snapshot) {
    Result<LakeTable> table = NotFound("not read");
    EXPECT_OK(catalog_->Read([&](Database& database) -> Status {
      table = LakeReader(database).FindTable("bt", "t", snapshot);
      return Ok();
    }));
    EXPECT_OK(table);
    return *table;
  }

  std::vector<LakeFile> Files(std::int64_t snapshot) {
    Result<std::vector<LakeFile>> files = NotFound("not read");
    EXPECT_OK(catalog_->Read([&](Database& database) -> Status {
      files = LakeReader(database).Plan(Table(snapshot), snapshot);
      return Ok();
    }));
    EXPECT_OK(files);
    return *files;
  }

  void Commit(const std::string& message,
              const std::function<Status(Database&, LakeWriter&)>& rows) {
    auto commit = catalog_->BeginCommit(message);
    EXPECT_OK(commit);
    Finish(**commit, rows);
  }

  void Finish(catalog::Commit& commit,
              const std::function<Status(Database&, LakeWriter&)>& rows = {}) {
    const auto snapshot = commit.Finish(rows);
    EXPECT_OK(snapshot);
    history_[*snapshot] = live_;
  }

  static Model RowsOf(const arrow::Table& rows) {
    Model model;
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const auto& column : rows.columns()) columns.push_back(*table::CombineColumn(*column));
    const auto& seq = static_cast<const arrow::Int64Array&>(
        *columns[static_cast<std::size_t>(rows.schema()->GetFieldIndex("seq"))]);
    for (std::int64_t i = 0; i < rows.num_rows(); ++i)
      for (const auto& column : columns)
        model[seq.Value(i)].push_back(column->GetScalar(i).ValueOrDie()->ToString());
    return model;
  }

  std::shared_ptr<arrow::Table> NewRows(const LakeTable& table, std::int32_t day) {
    auto rows =
        RandomRows(table.columns, 1 + static_cast<std::int64_t>(random_() % 60), random_, day);
    arrow::Int64Builder seq;
    for (std::int64_t i = 0; i < rows->num_rows(); ++i) EXPECT_TRUE(seq.Append(next_seq_++).ok());
    const int at = rows->schema()->GetFieldIndex("seq");
    return *rows->SetColumn(at, rows->schema()->field(at),
                            std::make_shared<arrow::ChunkedArray>(*seq.Finish()));
  }

  void Append() {
    const LakeTable table = Table(*catalog_->LatestSnapshot());
    auto commit = *catalog_->BeginCommit("append");
    for (std::uint64_t n = 1 + random_() % 3; n > 0; --n) {
      const auto day = static_cast<std::int32_t>(random_() % 3);
      const auto rows = NewRows(table, 19'700 + day);
      const std::string staged = *commit->StageLakeFile();
      auto written = table::WriteParquet(io::PosixEnv(), staged, *rows,
                                         {.row_group_rows = 16, .page_rows = 4});
      EXPECT_OK(written);
      const std::vector<std::string> partition = {"2023-12-" + std::to_string(9 + day)};
      const std::vector<std::string> padded = {day == 0 ? "2023-12-09" : partition[0]};
      EXPECT_OK(commit->AddLakeFile(table, staged, *written,
                                    partitioned_ ? padded : std::vector<std::string>{}));
      live_.merge(RowsOf(*rows));
    }
    Finish(*commit);
  }

  std::shared_ptr<arrow::Table> RowsOfFile(const LakeTable& table, LakeFile file,
                                           bool deleted_too) {
    if (deleted_too) file.deletes.reset();
    auto rows =
        ReadLakeFile(io::PosixEnv(), catalog_->LakePath(""), table, file, table.columns, {});
    EXPECT_OK(rows);
    return *rows;
  }

  void Retire() {
    const std::int64_t snapshot = *catalog_->LatestSnapshot();
    const std::vector<LakeFile> files = Files(snapshot);
    if (files.empty()) return;
    const LakeFile& file = files[random_() % files.size()];
    const LakeTable table = Table(snapshot);
    for (const auto& [seq, cells] : RowsOf(*RowsOfFile(table, file, false))) live_.erase(seq);
    auto commit = *catalog_->BeginCommit("retire");
    EXPECT_OK(commit->RetireLakeFiles(table, {file.data_file_id}));
    Finish(*commit);
  }

  void DeleteRows() {
    const std::int64_t snapshot = *catalog_->LatestSnapshot();
    const std::vector<LakeFile> files = Files(snapshot);
    if (files.empty()) return;
    const LakeFile& file = files[random_() % files.size()];
    const LakeTable table = Table(snapshot);
    const auto rows = RowsOfFile(table, file, true);
    const auto seq = *table::CombineColumn(*rows->GetColumnByName("seq"));
    std::vector<std::int64_t> positions;
    const std::uint64_t one_in = 1 + random_() % 5;
    const std::int64_t begin = static_cast<std::int64_t>(random_() % file.rows);
    for (std::int64_t i = begin; i < file.rows;
         ++i) {  // a stretch, or scattered; some deleted before
      if (random_() % one_in != 0) continue;
      positions.push_back(i);
      live_.erase(static_cast<const arrow::Int64Array&>(*seq).Value(i));
    }
    if (positions.empty()) return;
    auto commit = *catalog_->BeginCommit("delete");
    EXPECT_OK(commit->DeleteLakeRows(table, file, positions));
    Finish(*commit);
  }

  void AddColumn() {
    static constexpr LakeType kTypes[] = {LakeType::kVarchar, LakeType::kInt32List,
                                          LakeType::kDouble};
    const LakeTable table = Table(*catalog_->LatestSnapshot());
    LakeColumn column{.name = "added" + std::to_string(added_), .type = kTypes[added_]};
    ++added_;
    for (auto& [seq, cells] : live_) cells.push_back("null");
    Commit("add column",
           [&](Database&, LakeWriter& lake) { return lake.AddColumn(table.table_id, column); });
  }

  void Compact() {
    const auto compacted = catalog_->CompactSmallFiles(2);
    EXPECT_OK(compacted);
    history_[*catalog_->LatestSnapshot()] = live_;
  }

  void Check(std::int64_t snapshot, const Model& model) {
    const auto rows = catalog_->ReadTable(Table(snapshot), snapshot);
    ASSERT_OK(rows);
    EXPECT_EQ(RowsOf(**rows), model) << "snapshot " << snapshot;
  }

  TempFolder folder_;
  std::unique_ptr<Catalog> catalog_;
  std::mt19937_64 random_;
  bool partitioned_ = false;
  std::size_t added_ = 0;
  std::int64_t next_seq_ = 0;
  Model live_;
  std::map<std::int64_t, Model> history_;
};

TEST(LakeModel, EverySnapshotReadsAsItWas) {
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    LakeModel model(seed);
    for (int step = 0; step < 40; ++step) {
      model.Step();
      if (step % 10 == 9) model.CheckRanges();
    }
    model.CheckAll();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace lamina::catalog::test
