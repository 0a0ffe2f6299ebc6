#include "lamina/catalog/lake_test_support.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>

#include "lamina/base/uuid.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/catalog/migrations.h"
#include "lamina/table/columns.h"

namespace lamina::catalog::test {
namespace {

using table::LakeType;

std::shared_ptr<arrow::Array> Finished(arrow::ArrayBuilder& builder) {
  return builder.Finish().ValueOrDie();
}

bool OneIn(std::mt19937_64& random, std::uint64_t n) { return random() % n == 0; }

double RandomDouble(std::mt19937_64& random) {
  switch (random() % 24) {
    case 0:
      return std::numeric_limits<double>::quiet_NaN();
    case 1:
      return -0.0;
    case 2:
      return 0.0;
    case 3:
      return std::numeric_limits<double>::infinity();
    case 4:
      return 5e-324;
    default:
      return std::ldexp(static_cast<double>(random() % 2'000'000) - 1e6, -7);
  }
}

std::string RandomText(std::mt19937_64& random) {
  static const std::array<std::string, 6> kTexts = {
      "", "a", "b'c\"d", "\xc3\xa9t\xc3\xa9", "EUR_USD", "x%_\\"};
  return kTexts[random() % kTexts.size()] + (OneIn(random, 2) ? std::to_string(random() % 50) : "");
}

template <class Builder, class Next>
std::shared_ptr<arrow::Array> Build(Builder& builder, const LakeColumn& column, std::int64_t count,
                                    std::mt19937_64& random, Next next) {
  for (std::int64_t i = 0; i < count; ++i) {
    const bool null = column.nullable && OneIn(random, 5);
    const arrow::Status status = null ? builder.AppendNull() : next();
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  return Finished(builder);
}

std::shared_ptr<arrow::Array> RandomUuids(const LakeColumn& column, std::int64_t count,
                                          std::mt19937_64& random) {
  arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(16));
  const auto storage = Build(builder, column, count, random, [&] {
    std::array<std::uint64_t, 2> bits = {random() % 40, random()};
    bits[0] = __builtin_bswap64(bits[0] << 32 | 0x70000000);
    return builder.Append(reinterpret_cast<const std::uint8_t*>(bits.data()));
  });
  return arrow::ExtensionType::WrapArray(arrow::extension::uuid(), storage);
}

std::shared_ptr<arrow::Array> RandomLists(const LakeColumn& column, std::int64_t count,
                                          std::mt19937_64& random) {
  auto values = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder builder(
      arrow::default_memory_pool(), values,
      table::MakeField(column.name, column.type, static_cast<std::int32_t>(column.column_id))
          ->type());
  return Build(builder, column, count, random, [&] {
    arrow::Status status = builder.Append();
    for (std::uint64_t n = random() % 4; n > 0 && status.ok(); --n)
      status = OneIn(random, 6) ? values->AppendNull()
                                : values->Append(static_cast<std::int32_t>(random() % 100) - 50);
    return status;
  });
}

std::shared_ptr<arrow::Array> RandomColumn(const LakeColumn& column, std::int64_t count,
                                           std::mt19937_64& random, std::int32_t day) {
  const auto small = [&] { return static_cast<std::int64_t>(random() % 2001) - 1000; };
  switch (column.type) {
    case LakeType::kBoolean: {
      arrow::BooleanBuilder builder;
      return Build(builder, column, count, random,
                   [&] { return builder.Append(OneIn(random, 2)); });
    }
    case LakeType::kInt32: {
      arrow::Int32Builder builder;
      return Build(builder, column, count, random,
                   [&] { return builder.Append(static_cast<std::int32_t>(small())); });
    }
    case LakeType::kInt64: {
      arrow::Int64Builder builder;
      return Build(builder, column, count, random,
                   [&] { return builder.Append(small() * (OneIn(random, 9) ? 1LL << 50 : 1)); });
    }
    case LakeType::kDouble: {
      arrow::DoubleBuilder builder;
      return Build(builder, column, count, random,
                   [&] { return builder.Append(RandomDouble(random)); });
    }
    case LakeType::kVarchar: {
      arrow::StringBuilder builder;
      return Build(builder, column, count, random,
                   [&] { return builder.Append(RandomText(random)); });
    }
    case LakeType::kBlob: {
      arrow::BinaryBuilder builder;
      return Build(builder, column, count, random,
                   [&] { return builder.Append(std::string("\0\xff", 2) + RandomText(random)); });
    }
    case LakeType::kDate: {
      arrow::Date32Builder builder;
      return Build(builder, column, count, random, [&] { return builder.Append(day); });
    }
    case LakeType::kTimestamp:
    case LakeType::kTimestampTz: {
      arrow::TimestampBuilder builder(table::ArrowType(column.type), arrow::default_memory_pool());
      return Build(builder, column, count, random, [&] {
        return builder.Append(small() * 3'600'000'000 + (OneIn(random, 2) ? 0 : small() * 1'000));
      });
    }
    case LakeType::kUuid:
      return RandomUuids(column, count, random);
    case LakeType::kInt32List:
      return RandomLists(column, count, random);
  }
  return nullptr;
}

}  // namespace

std::vector<LakeColumn> AllColumns() {
  return {{.name = "run_id", .type = LakeType::kUuid, .nullable = false},
          {.name = "seq", .type = LakeType::kInt64, .nullable = false},
          {.name = "ts", .type = LakeType::kTimestampTz},
          {.name = "local", .type = LakeType::kTimestamp},
          {.name = "d", .type = LakeType::kDate, .nullable = false},
          {.name = "px", .type = LakeType::kDouble},
          {.name = "qty", .type = LakeType::kInt32},
          {.name = "legs", .type = LakeType::kInt32List},
          {.name = "symbol", .type = LakeType::kVarchar},
          {.name = "raw", .type = LakeType::kBlob},
          {.name = "ok", .type = LakeType::kBoolean},
          {.name = "parent", .type = LakeType::kUuid}};
}

std::shared_ptr<arrow::Table> RandomRows(const std::vector<LakeColumn>& columns, std::int64_t count,
                                         std::mt19937_64& random, std::int32_t day) {
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  bool sorted = false;
  for (const LakeColumn& column : columns) {
    arrays.push_back(RandomColumn(column, count, random, day));
    sorted = sorted || column.name == "run_id";
  }
  auto rows = arrow::Table::Make(SchemaOf(columns), std::move(arrays), count);
  return sorted ? *table::SortRows(rows, {"run_id"}) : rows;
}

namespace {
Uuid RunId(int run) {
  Uuid id;
  id.bytes = {0x01, 0x99, 0, 0, static_cast<std::uint8_t>(run >> 8), static_cast<std::uint8_t>(run),
              0x70, 1};
  return id;
}
}  // namespace

std::shared_ptr<arrow::Array> OneRunRows(int run, std::int64_t count) {
  arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(16));
  for (std::int64_t i = 0; i < count; ++i)
    EXPECT_TRUE(builder.Append(RunId(run).bytes.data()).ok());
  return arrow::ExtensionType::WrapArray(arrow::extension::uuid(), Finished(builder));
}

std::string RunIdText(int run) { return RunId(run).ToString(); }

std::vector<std::string> Lines(const arrow::Table& rows) {
  std::vector<std::string> lines(static_cast<std::size_t>(rows.num_rows()));
  for (const auto& column : rows.columns()) {
    std::size_t at = 0;
    for (const auto& chunk : column->chunks())
      for (std::int64_t i = 0; i < chunk->length(); ++i)
        lines[at++] += chunk->GetScalar(i).ValueOrDie()->ToString() + "|";
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

TestLake::TestLake() {
  EXPECT_TRUE(io::PosixEnv().CreateDirectories(lake_root()).ok());
  database_ = *Database::Open(catalog_path(), OpenMode::kCreate);
  EXPECT_TRUE(MigrateCatalog(*database_, "test", now_).ok());
  const Status created = CreateLake(*database_, lake_root(), "lamina test", now_);
  EXPECT_TRUE(created.ok()) << created.error().message();
}

Result<std::int64_t> TestLake::Write(const std::function<Status(LakeWriter&)>& work) {
  std::int64_t id = 0;
  now_.value += 1'000'007;
  LAMINA_TRY(database_->Transact([&]() -> Status {
    LAMINA_ASSIGN(LakeWriter writer, LakeWriter::Begin(*database_));
    LAMINA_TRY(work(writer));
    id = writer.snapshot_id();
    return writer.Finish(now_, "test", "a test");
  }));
  return id;
}

LakeTable TestLake::MakeTable(const std::string& name, const std::vector<LakeColumn>& columns,
                              const std::vector<std::string>& partition_by,
                              const std::vector<std::string>& sorted_by) {
  LakeTable table;
  const Result<std::int64_t> written = Write([&](LakeWriter& writer) -> Status {
    const Result<std::int64_t> schema = writer.CreateSchema("bt");
    if (!schema.ok() && schema.error().code() != ErrorCode::kAlreadyExists)
      return schema.error().Clone();
    LAMINA_ASSIGN(table, writer.CreateTable("bt", name, columns, partition_by, sorted_by));
    return Ok();
  });
  EXPECT_TRUE(written.ok()) << written.error().message();
  return table;
}

Result<NewLakeFile> TestLake::PutFile(const LakeTable& table, const arrow::Table& rows,
                                      std::vector<std::string> partition_values) {
  NewLakeFile file;
  file.path = table.directory;
  for (std::size_t key = 0; key < partition_values.size(); ++key) {
    for (const LakeColumn& column : table.columns)
      if (column.column_id == table.partition_columns[key])
        file.path += column.name + "=" + partition_values[key] + "/";
  }
  LAMINA_TRY(io::PosixEnv().CreateDirectories(lake_root() + file.path));
  file.path += "f" + std::to_string(next_file_++) + ".parquet";
  LAMINA_ASSIGN(file.written, table::WriteParquet(io::PosixEnv(), lake_root() + file.path, rows,
                                                  {.row_group_rows = 64, .page_rows = 16}));
  file.partition_values = std::move(partition_values);
  return file;
}

Result<std::int64_t> TestLake::Append(const LakeTable& table, const arrow::Table& rows,
                                      std::vector<std::string> partition_values) {
  LAMINA_ASSIGN(const NewLakeFile file, PutFile(table, rows, std::move(partition_values)));
  return Write([&](LakeWriter& writer) -> Status {
    LAMINA_TRY(writer.Append(table.table_id, {file}));
    return Ok();
  });
}

Result<std::int64_t> TestLake::Delete(const LakeTable& table, const LakeFile& file,
                                      std::vector<std::int64_t> positions) {
  LAMINA_ASSIGN(const std::vector<std::int64_t> before,
                ReadDeletedPositions(io::PosixEnv(), lake_root(), file));
  positions.insert(positions.end(), before.begin(), before.end());
  NewLakeFile deletes;
  deletes.path = table.directory + "f" + std::to_string(next_file_++) + "-delete.parquet";
  LAMINA_ASSIGN(deletes.written, WriteDeleteFile(io::PosixEnv(), lake_root() + deletes.path, file,
                                                 std::move(positions)));
  std::optional<std::int64_t> expected;
  if (file.deletes) expected = file.deletes->delete_file_id;
  return Write([&](LakeWriter& writer) {
    return writer.DeleteRows(table.table_id, file.data_file_id, deletes, expected);
  });
}

Result<std::int64_t> TestLake::AddColumn(const LakeTable& table, const LakeColumn& column) {
  return Write([&](LakeWriter& writer) { return writer.AddColumn(table.table_id, column); });
}

Result<LakeTable> TestLake::Find(const std::string& name, std::int64_t snapshot) {
  return LakeReader(*database_).FindTable("bt", name, snapshot);
}

Result<std::vector<LakeFile>> TestLake::Plan(const LakeTable& table, std::int64_t snapshot,
                                             const std::vector<LakeRange>& ranges) {
  return LakeReader(*database_).Plan(table, snapshot, ranges);
}

Result<std::shared_ptr<arrow::Table>> TestLake::Read(const LakeTable& table,
                                                     std::int64_t snapshot) {
  LAMINA_ASSIGN(const std::vector<LakeFile> files, Plan(table, snapshot));
  std::vector<std::shared_ptr<arrow::Table>> parts;
  parts.push_back(arrow::Table::MakeEmpty(SchemaOf(table.columns)).ValueOrDie());
  for (const LakeFile& file : files) {
    LAMINA_ASSIGN(auto part,
                  ReadLakeFile(io::PosixEnv(), lake_root(), table, file, table.columns, {}));
    parts.push_back(std::move(part));
  }
  return table::StackTables(parts);
}

void TestLake::Reopen() { database_ = *Database::Open(catalog_path(), OpenMode::kReadWrite); }

std::int64_t TestLake::Latest() { return *LakeReader(*database_).LatestSnapshot(); }

namespace {
std::string ShellWord(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "' ";
}
}  // namespace

JudgeAnswer RunJudge(const std::string& script, const std::vector<std::string>& arguments) {
  std::string command = ShellWord(LAMINA_PYTHON_EXECUTABLE) + ShellWord(script);
  for (const std::string& argument : arguments) command += ShellWord(argument);
  JudgeAnswer answer;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return answer;
  std::array<char, 4096> buffer;
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    answer.output.append(buffer.data(), n);
  const int status = pclose(pipe);
  answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return answer;
}

}  // namespace lamina::catalog::test
