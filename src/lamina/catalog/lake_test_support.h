#pragma once

/// \file lamina/catalog/lake_test_support.h
/// A lake in a temporary folder, random rows, and outside judges, for this module's tests.

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "lamina/base/matchers.h"
#include "lamina/base/result.h"
#include "lamina/catalog/catalog_test_support.h"
#include "lamina/catalog/lake.h"

namespace arrow {
class Array;
class Table;
}  // namespace arrow

#define ASSERT_OK(...) ASSERT_THAT((__VA_ARGS__), ::lamina::IsOk())

namespace lamina::catalog::test {

/// Columns of every type; `d` fit to partition by.
std::vector<LakeColumn> AllColumns();

/// `count` rows of `columns` (ids given), sorted by column `run_id` when there is one. With NULLs,
/// NaN, signed zeros, empty texts and lists. `day`: the value of every `d`.
std::shared_ptr<arrow::Table> RandomRows(const std::vector<LakeColumn>& columns, std::int64_t count,
                                         std::mt19937_64& random, std::int32_t day = 19'700);

/// `count` times the run id number `run`; ids grow with the number. As text: RunIdText.
std::shared_ptr<arrow::Array> OneRunRows(int run, std::int64_t count);
std::string RunIdText(int run);

/// The rows as sorted lines of text: equal for equal sets of rows.
std::vector<std::string> Lines(const arrow::Table& rows);

/// catalog.sqlite and lake/ in a fresh folder.
class TestLake {
 public:
  TestLake();

  /// One transaction, one snapshot. RETURNS its id.
  Result<std::int64_t> Write(const std::function<Status(LakeWriter&)>& work);
  /// Table `schema.name`, which must not fail.
  LakeTable MakeTable(const std::string& name, const std::vector<LakeColumn>& columns,
                      const std::vector<std::string>& partition_by = {},
                      const std::vector<std::string>& sorted_by = {});
  /// Write rows into a file at its final place.
  Result<NewLakeFile> PutFile(const LakeTable& table, const arrow::Table& rows,
                              std::vector<std::string> partition_values = {});
  /// PutFile and Append. RETURNS the snapshot id.
  Result<std::int64_t> Append(const LakeTable& table, const arrow::Table& rows,
                              std::vector<std::string> partition_values = {});
  Result<std::int64_t> Delete(const LakeTable& table, const LakeFile& file,
                              std::vector<std::int64_t> positions);
  Result<std::int64_t> AddColumn(const LakeTable& table, const LakeColumn& column);

  Result<LakeTable> Find(const std::string& name, std::int64_t snapshot);
  Result<std::vector<LakeFile>> Plan(const LakeTable& table, std::int64_t snapshot,
                                     const std::vector<LakeRange>& ranges = {});
  Result<std::shared_ptr<arrow::Table>> Read(const LakeTable& table, std::int64_t snapshot);
  std::int64_t Latest();
  /// A connection of this process, after fork().
  void Reopen();

  Database& database() { return *database_; }
  std::string lake_root() const { return folder_.File("lake/"); }
  std::string catalog_path() const { return folder_.File("catalog.sqlite"); }
  const std::string& root() const { return folder_.path(); }

 private:
  TempFolder folder_;
  std::unique_ptr<Database> database_;
  std::int64_t next_file_ = 0;
  Micros now_{1'760'000'000'000'000};
};

/// Run the tests' Python with a script and arguments; what it printed, and its exit status.
struct JudgeAnswer {
  int status = -1;
  std::string output;
};
JudgeAnswer RunJudge(const std::string& script, const std::vector<std::string>& arguments);

}  // namespace lamina::catalog::test
