#include <cstring>
#include <limits>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "lamina/base/matchers.h"
#include "lamina/io/faulty_env.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/table/columns.h"
#include "lamina/table/inspect.h"
#include "lamina/table/parquet_file.h"
#include "lamina/table/random_table.h"
#include "lamina/table/value_range.h"

namespace lamina::table {
namespace {

class ParquetRead : public ::testing::Test {
 protected:
  WrittenFile Write(const arrow::Table& rows, const WriteOptions& options = {}) {
    auto written = WriteParquet(env_, path_, rows, options);
    EXPECT_THAT(written, IsOk());
    return written.ok() ? *written : WrittenFile();
  }
  void Put(const std::string& bytes) {
    auto file = env_.NewWritableFile(path_);
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT((*file)->Append(bytes), IsOk());
    ASSERT_THAT((*file)->Close(), IsOk());
  }

  io::Env& env_ = io::PosixEnv();
  io::TemporaryFolder folder_;
  std::string path_ = folder_.File("x.parquet");
};

TEST_F(ParquetRead, GivesBackEveryTypeAndShape) {
  RandomTable random(31);
  for (const Shape shape : kAllShapes) {
    for (const double nulls : {0.0, 0.2}) {
      for (const bool trial : {true, false}) {
        for (const std::int64_t rows : {0, 1, 2, 777}) {
          const auto table = random.All(shape, rows, nulls, /*split=*/true);
          const WrittenFile written =
              Write(*table, {.row_group_rows = 200, .page_rows = 64, .encoding_trial = trial});
          auto read = ReadParquet(env_, path_, {.footer_crc32c = written.footer_crc32c});
          ASSERT_THAT(read, IsOk());
          EXPECT_TRUE((*read)->ValidateFull().ok());
          EXPECT_TRUE((*read)->schema()->Equals(table->schema(), /*check_metadata=*/true))
              << (*read)->schema()->ToString(true);
          EXPECT_TRUE((*read)->Equals(*table, /*check_metadata=*/true));
        }
      }
    }
  }
}

TEST_F(ParquetRead, KeepsOddDoubles) {
  arrow::DoubleBuilder builder;
  const double odd[] = {-0.0,
                        0.0,
                        std::numeric_limits<double>::infinity(),
                        std::numeric_limits<double>::denorm_min(),
                        std::numeric_limits<double>::quiet_NaN(),
                        -std::numeric_limits<double>::quiet_NaN()};
  ASSERT_TRUE(builder.AppendValues(odd, 6).ok());
  const auto table =
      arrow::Table::Make(arrow::schema({MakeField("x", LakeType::kDouble, 1, /*nullable=*/false)}),
                         {*builder.Finish()});
  Write(*table);
  auto read = ReadParquet(env_, path_);
  ASSERT_THAT(read, IsOk());
  const auto chunk = (*read)->column(0)->chunk(0);
  EXPECT_EQ(std::memcmp(chunk->data()->GetValues<double>(1), odd, sizeof(odd)), 0);
  EXPECT_FALSE((*read)->schema()->field(0)->nullable());
}

TEST_F(ParquetRead, ProjectsInTheAskedOrder) {
  RandomTable random(32);
  const auto table = random.All(Shape::kFew, 50, 0.1);
  Write(*table);
  auto read = ReadParquet(env_, path_, {.columns = {{"c_uuid", "c_boolean"}}});
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ((*read)->schema()->field_names(), (std::vector<std::string>{"c_uuid", "c_boolean"}));
  EXPECT_TRUE((*read)->column(0)->Equals(*table->GetColumnByName("c_uuid")));
  auto none = ReadParquet(env_, path_, {.columns = std::vector<std::string>()});
  ASSERT_THAT(none, IsOk());
  EXPECT_EQ((*none)->num_rows(), 50);
  EXPECT_EQ((*none)->num_columns(), 0);
  EXPECT_THAT(ReadParquet(env_, path_, {.columns = {{"nowhere"}}}),
              IsError(ErrorCode::kNotFound, ::testing::HasSubstr("nowhere")));
}

/// The rows that a reader without any pruning would give.
std::shared_ptr<arrow::Table> Filtered(const std::shared_ptr<arrow::Table>& table,
                                       const std::vector<ColumnRange>& ranges, RowRanges rows) {
  for (const ColumnRange& range : ranges) {
    const auto column = table->GetColumnByName(range.column);
    const auto values = *CombineColumn(*column);
    const auto made = ValueRange::Make(range, *LakeTypeOf(*column->type()));
    RowRanges matching;
    made->Match(*values, 0, matching);
    rows = Intersect(rows, matching);
  }
  return *KeepRows(table, rows);
}

TEST_F(ParquetRead, FiltersLikeAScan) {
  RandomTable random(33);
  for (const Shape shape : {Shape::kConstant, Shape::kFew, Shape::kRising, Shape::kNoise}) {
    for (int round = 0; round < 4; ++round) {
      auto table = random.All(shape, 1500, round % 2 == 0 ? 0.0 : 0.1);
      if (round > 1) table = *SortRows(table, {"c_uuid"});
      Write(*table, {.row_group_rows = 400, .page_rows = round == 0 ? 400 : 37});
      for (int query = 0; query < 40; ++query) {
        ReadOptions options;
        for (std::uint64_t i = 0; i <= random.Below(2); ++i) {
          const auto column = static_cast<int>(random.Below(10));  // not the list
          const auto bound = [&]() -> std::shared_ptr<arrow::Scalar> {
            auto scalar =
                *table->column(column)->GetScalar(static_cast<std::int64_t>(random.Below(1500)));
            return scalar->is_valid && random.Below(4) != 0 ? scalar : nullptr;
          };
          const auto low = bound();
          options.ranges.push_back(
              {table->field(column)->name(), low, random.Below(2) == 0 ? low : bound()});
        }
        RowRanges rows(0, 1500);
        if (random.Below(2) == 0) {
          options.row_begin = static_cast<std::int64_t>(random.Below(1500));
          options.row_end = static_cast<std::int64_t>(random.Below(2000));
          rows = RowRanges(*options.row_begin, std::min<std::int64_t>(*options.row_end, 1500));
        }
        auto read = ReadParquet(env_, path_, options);
        ASSERT_THAT(read, IsOk());
        const auto expected = Filtered(table, options.ranges, rows);
        EXPECT_TRUE((*read)->Equals(*expected)) << options.ranges[0].column;
        EXPECT_TRUE((*read)->ValidateFull().ok());
        options.exact = false;
        auto more = ReadParquet(env_, path_, options);
        ASSERT_THAT(more, IsOk());
        EXPECT_GE((*more)->num_rows(), expected->num_rows());
        EXPECT_TRUE(
            Filtered(*more, options.ranges, RowRanges(0, (*more)->num_rows()))->Equals(*expected));
      }
    }
  }
}

TEST_F(ParquetRead, PrunesRowGroupsAndPages) {
  RandomTable random(34);
  const auto table = *SortRows(random.All(Shape::kNoise, 10000, 0), {"c_uuid"});
  const WrittenFile written =
      Write(*table, {.row_group_rows = 2000, .page_rows = 100, .sorted_by = {"c_uuid"}});
  const auto id = *table->GetColumnByName("c_uuid")->GetScalar(4321);
  ReadStatistics counts;
  auto read = ReadParquet(env_, path_, {.ranges = {{"c_uuid", id, id}}}, &counts);
  ASSERT_THAT(read, IsOk());
  EXPECT_TRUE((*read)->Equals(*table->Slice(4321, 1)));
  EXPECT_EQ(counts.row_groups, 5);
  EXPECT_EQ(counts.row_groups_read, 1);
  EXPECT_LT(counts.bytes_read, written.size_bytes / 2);
  // Without `exact`: the one page that may hold it.
  auto page = ReadParquet(env_, path_, {.ranges = {{"c_uuid", id, id}}, .exact = false});
  ASSERT_THAT(page, IsOk());
  EXPECT_TRUE((*page)->Equals(*table->Slice(4300, 100)));
  // Rows by number touch one row group.
  auto by_number = ReadParquet(env_, path_, {.row_begin = 1999, .row_end = 2000}, &counts);
  ASSERT_THAT(by_number, IsOk());
  EXPECT_TRUE((*by_number)->Equals(*table->Slice(1999, 1)));
  EXPECT_EQ(counts.row_groups_read, 1);
}

std::shared_ptr<arrow::Table> SeriesOf(const std::vector<std::int64_t>& lengths) {
  arrow::StringBuilder names;
  arrow::Int64Builder times, nothing;
  arrow::BooleanBuilder flags;
  for (std::size_t series = 0; series < lengths.size(); ++series) {
    for (std::int64_t row = 0; row < lengths[series]; ++row) {
      EXPECT_TRUE(names.Append(std::string(1, static_cast<char>('A' + series))).ok());
      EXPECT_TRUE(times.Append(row).ok());
      EXPECT_TRUE(nothing.AppendNull().ok());
      EXPECT_TRUE(flags.Append(true).ok());
    }
  }
  return arrow::Table::Make(
      arrow::schema({MakeField("name", LakeType::kVarchar, 1), MakeField("t", LakeType::kInt64, 2),
                     MakeField("none", LakeType::kInt64, 3),
                     MakeField("flag", LakeType::kBoolean, 4)}),
      {*names.Finish(), *times.Finish(), *nothing.Finish(), *flags.Finish()});
}

TEST_F(ParquetRead, RowGroupsHoldWholeSeries) {
  struct Case {
    std::vector<std::int64_t> lengths;
    std::int64_t groups;
  };
  // Pages of 100 rows, row groups of at most 250.
  const Case cases[] = {{{40, 40, 40, 40}, 2}, {{100}, 1},         {{101, 10, 10}, 2},
                        {{30, 300, 30}, 3},    {{10, 100, 10}, 3}, {{}, 0}};
  for (const Case& c : cases) {
    const auto table = SeriesOf(c.lengths);
    Write(*table, {.row_group_rows = 250, .page_rows = 100, .series_by = {"name"}});
    ReadStatistics statistics;
    const auto all = ReadParquet(env_, path_, {.workers = 2}, &statistics);
    ASSERT_THAT(all, IsOk());
    EXPECT_TRUE((*all)->Equals(*table));
    EXPECT_EQ(statistics.row_groups, c.groups) << table->num_rows();
  }
}

TEST_F(ParquetRead, ConstantsAndFiltersThatStatisticsSettle) {
  const auto table = SeriesOf({40, 60, 100, 7});
  Write(*table, {.page_rows = 100, .series_by = {"name"}});
  const auto text = [](const char* name) { return arrow::MakeScalar(name); };
  const auto number = [](std::int64_t value) { return arrow::MakeScalar(value); };
  struct Case {
    std::vector<ColumnRange> ranges;
    std::int64_t begin, rows;
  };
  const Case cases[] = {
      {{{"name", text("B"), text("B")}}, 40, 60},
      {{{"name", text("C"), text("C")}, {"t", number(0), number(99)}}, 100, 100},
      {{{"name", text("C"), text("C")}, {"t", number(5), number(9)}}, 105, 5},
      {{{"flag", arrow::MakeScalar(true), nullptr}, {"name", text("D"), text("D")}}, 200, 7},
      {{{"none", number(0), number(0)}}, 0, 0},
      {{{"flag", nullptr, arrow::MakeScalar(false)}}, 0, 0},
  };
  for (const Case& c : cases) {
    const auto found = ReadParquet(env_, path_, {.ranges = c.ranges});
    ASSERT_THAT(found, IsOk());
    EXPECT_TRUE((*found)->ValidateFull().ok());
    EXPECT_TRUE((*found)->Equals(*table->Slice(c.begin, c.rows))) << (*found)->ToString();
  }
}

TEST_F(ParquetRead, RefusesBadQuestions) {
  RandomTable random(35);
  Write(*random.All(Shape::kFew, 50, 0.1));
  const auto one = arrow::MakeScalar(std::int64_t{1});
  const auto ask = [&](const std::string& column) {
    return ReadParquet(env_, path_, {.ranges = {{column, one, one}}});
  };
  EXPECT_THAT(ask("c_int64"), IsOk());
  EXPECT_THAT(ask("c_int32"), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ask("c_list"), IsError(ErrorCode::kUnsupported));
  EXPECT_THAT(ask("nowhere"), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(ReadParquet(env_, folder_.File("absent")), IsError(ErrorCode::kNotFound));
  auto nothing = ReadParquet(env_, path_,
                             {.row_begin = std::numeric_limits<std::int64_t>::max(),
                              .row_end = std::numeric_limits<std::int64_t>::min()});
  ASSERT_THAT(nothing, IsOk());
  EXPECT_EQ((*nothing)->num_rows(), 0);
}

/// Every byte of a small file, changed in several ways: kCorruption or the right answer.
TEST_F(ParquetRead, EveryFlippedByteIsFoundOrHarmless) {
  RandomTable random(36);
  // Every way in which values lie in pages; the other types share them.
  auto table = *random.All(Shape::kRising, 12, 0.2)->SelectColumns({0, 2, 3, 4, 9, 10});
  const WrittenFile written = Write(*table, {.row_group_rows = 8, .page_rows = 5});
  const std::string good = *env_.ReadFile(path_, 1 << 20);
  const auto low = *table->GetColumnByName("c_int64")->GetScalar(3);
  ASSERT_TRUE(low->is_valid);
  const std::vector<ColumnRange> ranges = {{"c_int64", low, nullptr}};
  const auto expected = Filtered(table, ranges, RowRanges(0, 12));
  std::int64_t found = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const unsigned char mask : {0x01, 0xFF}) {
      std::string bad = good;
      bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ mask);
      Put(bad);
      auto all = ReadParquet(env_, path_, {.footer_crc32c = written.footer_crc32c});
      auto some =
          ReadParquet(env_, path_, {.ranges = ranges, .footer_crc32c = written.footer_crc32c});
      for (const auto* read : {&all, &some}) {
        if (read->ok()) {
          EXPECT_TRUE((**read)->Equals(read == &all ? *table : *expected)) << "byte " << at;
        } else {
          EXPECT_THAT(*read, IsError(ErrorCode::kCorruption, ::testing::HasSubstr(path_))) << at;
          ++found;
        }
      }
      // Without the footer's checksum answers may be wrong, but nothing may crash.
      (void)ReadParquet(env_, path_);
      (void)DescribeParquet(env_, path_);
    }
  }
  EXPECT_GT(found, static_cast<std::int64_t>(good.size()) * 3);
}

TEST_F(ParquetRead, EveryTruncationIsFound) {
  RandomTable random(37);
  const auto table = random.All(Shape::kFew, 20, 0.1);
  const WrittenFile written = Write(*table);
  const std::string good = *env_.ReadFile(path_, 1 << 20);
  for (std::size_t length = 0; length < good.size(); length += 7) {
    Put(good.substr(0, length));
    EXPECT_THAT(ReadParquet(env_, path_, {.footer_crc32c = written.footer_crc32c}),
                IsError(ErrorCode::kCorruption));
  }
  Put(good + "x");
  EXPECT_THAT(ReadParquet(env_, path_), IsError(ErrorCode::kCorruption));
}

TEST_F(ParquetRead, ReportsFailuresOfTheDisk) {
  RandomTable random(38);
  const auto table = random.All(Shape::kNoise, 3000, 0.1);
  Write(*table, {.row_group_rows = 1000});
  for (std::int64_t at = 1;; ++at) {
    io::FaultyEnv faulty(env_);
    faulty.SetFault({.at = at, .code = ErrorCode::kIo, .operations = io::OperationSet::Looks()});
    auto read = ReadParquet(faulty, path_);
    if (read.ok()) {
      EXPECT_TRUE((*read)->Equals(*table));
      EXPECT_GT(at, 3);
      break;
    }
    EXPECT_THAT(read, IsError(ErrorCode::kIo)) << at;
  }
}

TEST_F(ParquetRead, ReadsForeignFiles) {
  const auto structs =
      arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b", arrow::utf8())});
  arrow::FieldVector fields = {arrow::field("small", arrow::int16()),
                               arrow::field("half", arrow::float32()),
                               arrow::field("price", arrow::decimal128(18, 4)),
                               arrow::field("pair", structs),
                               arrow::field("plain", arrow::int64()),
                               arrow::field("words", arrow::list(arrow::utf8()))};
  arrow::ArrayVector columns;
  for (const auto& field : fields) {
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ASSERT_TRUE(arrow::MakeBuilder(arrow::default_memory_pool(), field->type(), &builder).ok());
    for (int i = 0; i < 30; ++i) {
      if (field->name() == "plain") {
        ASSERT_TRUE(static_cast<arrow::Int64Builder&>(*builder).Append(i).ok());
      } else {
        ASSERT_TRUE((i % 3 == 0 ? builder->AppendNull() : builder->AppendEmptyValue()).ok());
      }
    }
    columns.push_back(*builder->Finish());
  }
  const auto table = arrow::Table::Make(arrow::schema(fields), columns);
  auto sink = *arrow::io::FileOutputStream::Open(path_);
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 7).ok());
  ASSERT_TRUE(sink->Close().ok());
  auto read = ReadParquet(env_, path_,
                          {.ranges = {{"plain", arrow::MakeScalar(std::int64_t{5}),
                                       arrow::MakeScalar(std::int64_t{20})}}});
  ASSERT_THAT(read, IsOk());
  const auto expected = table->Slice(5, 16);
  EXPECT_EQ((*read)->num_rows(), 16);
  for (const auto& field : fields) {
    EXPECT_TRUE(
        (*read)->GetColumnByName(field->name())->Equals(*expected->GetColumnByName(field->name())))
        << field->name();
  }
  EXPECT_THAT(ReadParquet(env_, path_, {.ranges = {{"half", arrow::MakeScalar(1.0F), nullptr}}}),
              IsError(ErrorCode::kUnsupported));
  auto inspected = InspectParquet(env_, path_);
  ASSERT_THAT(inspected, IsOk());
  EXPECT_EQ(inspected->rows, 30);
  EXPECT_EQ(inspected->columns.size(), 7u);
}

}  // namespace
}  // namespace lamina::table
