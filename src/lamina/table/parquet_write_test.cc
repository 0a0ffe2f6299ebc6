#include <cmath>
#include <limits>

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include "lamina/base/hash.h"
#include "lamina/base/matchers.h"
#include "lamina/io/faulty_env.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/table/parquet_file.h"
#include "lamina/table/random_table.h"

namespace lamina::table {
namespace {

std::shared_ptr<arrow::Table> OneColumn(LakeType type, std::shared_ptr<arrow::Array> values) {
  return arrow::Table::Make(arrow::schema({MakeField("x", type, 4)}), {std::move(values)});
}

std::shared_ptr<arrow::Table> Doubles(const std::vector<double>& values, int nulls = 0) {
  arrow::DoubleBuilder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  for (int i = 0; i < nulls; ++i) EXPECT_TRUE(builder.AppendNull().ok());
  return OneColumn(LakeType::kDouble, *builder.Finish());
}

std::shared_ptr<arrow::Table> Texts(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return OneColumn(LakeType::kVarchar, *builder.Finish());
}

class ParquetWrite : public ::testing::Test {
 protected:
  ColumnStatistics StatisticsOf(const arrow::Table& rows) {
    auto written = WriteParquet(env_, folder_.File("x.parquet"), rows);
    EXPECT_THAT(written, IsOk());
    return written.ok() ? written->columns.at(0) : ColumnStatistics();
  }

  io::Env& env_ = io::PosixEnv();
  io::TemporaryFolder folder_;
};

TEST_F(ParquetWrite, StatisticsOfDoubles) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  struct Case {
    std::string name;
    std::vector<double> values;
    std::optional<std::string> low, high;
    bool contains_nan;
  };
  const Case cases[] = {
      {"plain", {3, 4000, -1.5}, "-1.5", "4000.0", false},
      {"NaN", {3, nan, 1}, std::nullopt, std::nullopt, true},
      {"only NaN", {nan}, std::nullopt, std::nullopt, true},
      {"zero", {0.0}, "-0.0", "0.0", false},
      {"minus zero", {-0.0, -1}, "-1.0", "0.0", false},
      {"infinity", {1, inf}, std::nullopt, std::nullopt, false},
      {"minus infinity", {-inf, 2}, std::nullopt, std::nullopt, false},
      {"none", {}, std::nullopt, std::nullopt, false},
  };
  for (const Case& c : cases) {
    const ColumnStatistics statistics = StatisticsOf(*Doubles(c.values, 2));
    EXPECT_EQ(statistics.field_id, 4) << c.name;
    EXPECT_EQ(statistics.min_value, c.low) << c.name;
    EXPECT_EQ(statistics.max_value, c.high) << c.name;
    EXPECT_EQ(statistics.contains_nan, c.contains_nan) << c.name;
    EXPECT_EQ(statistics.value_count, static_cast<std::int64_t>(c.values.size())) << c.name;
    EXPECT_EQ(statistics.null_count, 2) << c.name;
    EXPECT_GT(statistics.size_bytes, 0) << c.name;
  }
}

TEST_F(ParquetWrite, NanBehindNullDoesNotCount) {
  auto values = arrow::ArrayData::Make(arrow::float64(), 2, {nullptr, nullptr}, 1);
  const double raw[] = {1.0, std::numeric_limits<double>::quiet_NaN()};
  const std::uint8_t valid = 0b01;
  values->buffers = {
      arrow::Buffer::FromString(std::string(1, static_cast<char>(valid))),
      arrow::Buffer::FromString(std::string(reinterpret_cast<const char*>(raw), sizeof(raw)))};
  const ColumnStatistics statistics =
      StatisticsOf(*OneColumn(LakeType::kDouble, arrow::MakeArray(values)));
  EXPECT_EQ(statistics.contains_nan, false);
  EXPECT_EQ(statistics.max_value, "1.0");
}

TEST_F(ParquetWrite, StatisticsOfTexts) {
  EXPECT_EQ(StatisticsOf(*Texts({"b", "a", "c"})).min_value, "a");
  EXPECT_EQ(StatisticsOf(*Texts({"b", "", "c"})).min_value, "");
  EXPECT_EQ(StatisticsOf(*Texts({"a", "\xC3\xA9", "z"})).max_value, "\xC3\xA9");  // by bytes
  // A cut maximum would be too small: it is left out, the minimum may stay.
  const ColumnStatistics longer = StatisticsOf(*Texts({"a", std::string(300, 'z')}));
  EXPECT_EQ(longer.min_value, "a");
  EXPECT_EQ(longer.max_value, std::nullopt);
  const ColumnStatistics huge = StatisticsOf(*Texts({"a", std::string(100'000, 'z')}));
  EXPECT_EQ(huge.max_value, std::nullopt);
  const ColumnStatistics broken = StatisticsOf(*Texts({"a", "\xFF\xFE"}));
  EXPECT_EQ(broken.max_value, std::nullopt);
  EXPECT_EQ(broken.value_count, 2);
  EXPECT_EQ(broken.contains_nan, std::nullopt);
}

TEST_F(ParquetWrite, StatisticsOfEveryTypeBoundTheData) {
  RandomTable random(21);
  for (const Shape shape : kAllShapes) {
    for (const double nulls : {0.0, 0.3}) {
      const auto rows = random.All(shape, 500, nulls, /*split=*/true);
      const std::string path = folder_.File("all.parquet");
      auto written = WriteParquet(env_, path, *rows, {.row_group_rows = 128, .page_rows = 40});
      ASSERT_THAT(written, IsOk());
      ASSERT_EQ(written->columns.size(), kAllLakeTypes.size());
      for (std::size_t c = 0; c < kAllLakeTypes.size(); ++c) {
        const ColumnStatistics& statistics = written->columns[c];
        const auto& column = rows->column(static_cast<int>(c));
        if (kAllLakeTypes[c] == LakeType::kInt32List) {
          EXPECT_EQ(statistics.field_id, 12);  // the element's
          continue;
        }
        EXPECT_EQ(statistics.field_id, static_cast<std::int32_t>(c + 1));
        EXPECT_EQ(statistics.null_count, column->null_count());
        EXPECT_EQ(statistics.value_count, 500 - column->null_count());
        const bool bounded = shape != Shape::kAllNull && kAllLakeTypes[c] != LakeType::kBlob;
        EXPECT_EQ(statistics.min_value.has_value(), bounded) << LakeTypeName(kAllLakeTypes[c]);
        EXPECT_EQ(statistics.max_value.has_value(), bounded) << LakeTypeName(kAllLakeTypes[c]);
      }
      auto inspected = InspectParquet(env_, path);
      ASSERT_THAT(inspected, IsOk());
      EXPECT_EQ(inspected->rows, written->rows);
      EXPECT_EQ(inspected->size_bytes, written->size_bytes);
      EXPECT_EQ(inspected->footer_size, written->footer_size);
      EXPECT_EQ(inspected->footer_crc32c, written->footer_crc32c);
      for (std::size_t c = 0; c < written->columns.size(); ++c) {
        EXPECT_EQ(inspected->columns[c].min_value, written->columns[c].min_value);
        EXPECT_EQ(inspected->columns[c].max_value, written->columns[c].max_value);
        EXPECT_EQ(inspected->columns[c].value_count, written->columns[c].value_count);
      }
    }
  }
}

TEST_F(ParquetWrite, SameRowsSameBytes) {
  RandomTable random(22);
  for (const Shape shape : kAllShapes) {
    const auto rows = random.All(shape, 3000, 0.1, /*split=*/true);
    std::string files[2];
    for (int i = 0; i < 2; ++i) {
      const auto copy = i == 0 ? rows : *rows->CombineChunks();  // chunks must not matter
      const std::string path = folder_.File("same" + std::to_string(i));
      ASSERT_THAT(WriteParquet(env_, path, *copy, {.row_group_rows = 1000, .trial_rows = 500}),
                  IsOk());
      files[i] = *env_.ReadFile(path, 1 << 30);
    }
    EXPECT_EQ(files[0], files[1]);
  }
}

TEST_F(ParquetWrite, SmallFilesDoNotPackWhatIsOneValue) {
  const auto text = [](const std::string& value) {
    return *arrow::MakeArrayFromScalar(arrow::StringScalar(value), 100);
  };
  const auto rows = arrow::Table::Make(
      arrow::schema({MakeField("same", LakeType::kVarchar, 1),
                     MakeField("two", LakeType::kVarchar, 2),
                     MakeField("none", LakeType::kInt64, 3)}),
      {std::make_shared<arrow::ChunkedArray>(arrow::ArrayVector{text("a"), text("a")}),
       std::make_shared<arrow::ChunkedArray>(arrow::ArrayVector{text("a"), text("b")}),
       std::make_shared<arrow::ChunkedArray>(*arrow::MakeArrayOfNull(arrow::int64(), 200))});
  const std::string path = folder_.File("small");
  ASSERT_THAT(WriteParquet(env_, path, *rows, {.trial_rows_min = 1000}), IsOk());
  const auto reader = parquet::ParquetFileReader::OpenFile(path);
  const auto group = reader->metadata()->RowGroup(0);
  EXPECT_EQ(group->ColumnChunk(0)->compression(), parquet::Compression::UNCOMPRESSED);
  EXPECT_EQ(group->ColumnChunk(1)->compression(), parquet::Compression::ZSTD);
  EXPECT_EQ(group->ColumnChunk(2)->compression(), parquet::Compression::UNCOMPRESSED);
  const auto back = ReadParquet(env_, path);
  ASSERT_THAT(back, IsOk());
  EXPECT_TRUE((*back)->Equals(*rows));
}

TEST_F(ParquetWrite, DescribesTheFileItWrote) {
  RandomTable random(23);
  const std::string path = folder_.File("x.parquet");
  auto written = WriteParquet(env_, path, *random.All(Shape::kNoise, 100, 0));
  ASSERT_THAT(written, IsOk());
  const std::string bytes = *env_.ReadFile(path, 1 << 30);
  ASSERT_EQ(static_cast<std::int64_t>(bytes.size()), written->size_bytes);
  EXPECT_EQ(bytes.substr(0, 4), "PAR1");
  EXPECT_EQ(bytes.substr(bytes.size() - 4), "PAR1");
  EXPECT_EQ(LoadLittleEndian<std::uint32_t>(bytes.data() + bytes.size() - 8), written->footer_size);
  const auto footer = static_cast<std::size_t>(written->footer_size);
  EXPECT_EQ(Crc32c(ByteView(bytes).substr(bytes.size() - 8 - footer, footer)),
            written->footer_crc32c);
  EXPECT_EQ(bytes.find("ARROW:schema"), std::string::npos);
}

TEST_F(ParquetWrite, RefusesWhatLakesCannotHold) {
  RandomTable random(24);
  const auto good = random.All(Shape::kFew, 3, 0);
  const auto write = [&](const arrow::Table& rows, const WriteOptions& options = {}) {
    return WriteParquet(env_, folder_.File("bad.parquet"), rows, options);
  };
  const auto ids = good->column(2);
  const auto without_id =
      arrow::Table::Make(arrow::schema({arrow::field("x", arrow::int64())}), {ids});
  EXPECT_THAT(write(*without_id),
              IsError(ErrorCode::kInvalidArgument, ::testing::HasSubstr("field id")));
  const auto halves = arrow::Table::Make(
      arrow::schema({arrow::field("x", arrow::float32(), true,
                                  arrow::key_value_metadata({"PARQUET:field_id"}, {"1"}))}),
      {*arrow::MakeArrayOfNull(arrow::float32(), 2)});
  EXPECT_THAT(write(*halves), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(write(*good, {.zstd_level = 0}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(write(*good, {.zstd_level = 23}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(write(*good, {.row_group_rows = 0}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(write(*good, {.sorted_by = {"nowhere"}}), IsError(ErrorCode::kInvalidArgument));
  // A NULL in a column that has none by contract.
  const auto strict =
      arrow::Table::Make(arrow::schema({MakeField("x", LakeType::kInt64, 1, /*nullable=*/false)}),
                         {*arrow::MakeArrayOfNull(arrow::int64(), 2)});
  EXPECT_FALSE(write(*strict).ok());
  EXPECT_THAT(WriteParquet(env_, folder_.File("no/such/folder.parquet"), *good),
              IsError(ErrorCode::kNotFound));
}

TEST_F(ParquetWrite, ReportsEveryFailureOfTheDisk) {
  RandomTable random(25);
  const auto rows = random.All(Shape::kNoise, 200, 0.1);
  for (const auto effect : {io::Fault::Effect::kNone, io::Fault::Effect::kTorn}) {
    for (std::int64_t at = 1;; ++at) {
      io::FaultyEnv faulty(env_);
      faulty.SetFault({.at = at, .code = ErrorCode::kResourceExhausted, .effect = effect});
      auto written = WriteParquet(faulty, folder_.File("faulty.parquet"), *rows);
      if (written.ok()) {
        EXPECT_GE(at, 5);  // create, append, sync, close came before
        break;
      }
      EXPECT_THAT(written, IsError(ErrorCode::kResourceExhausted)) << "operation " << at;
    }
  }
}

TEST_F(ParquetWrite, AcknowledgedFilesSurviveAPowerCut) {
  RandomTable random(26);
  const auto rows = random.All(Shape::kNoise, 200, 0.1);
  io::FaultyEnv faulty(env_);
  const std::string path = folder_.File("durable.parquet");
  auto written = WriteParquet(faulty, path, *rows);
  ASSERT_THAT(written, IsOk());
  ASSERT_THAT(faulty.SyncDirectory(folder_.path()), IsOk());
  ASSERT_THAT(faulty.LoseUnsynced(), IsOk());
  auto read = ReadParquet(env_, path, {.footer_crc32c = written->footer_crc32c});
  ASSERT_THAT(read, IsOk());
  EXPECT_TRUE((*read)->Equals(*rows));
}

}  // namespace
}  // namespace lamina::table
