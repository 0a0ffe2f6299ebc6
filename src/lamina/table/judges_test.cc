/// Files of ours as others see them: pyarrow, DuckDB, polars and DuckLake's official extension.

#include <array>
#include <cstdio>
#include <string>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <gtest/gtest.h>

#include "lamina/base/json.h"
#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/table/parquet_file.h"
#include "lamina/table/random_table.h"

namespace lamina::table {
namespace {

void OptionalText(JsonWriter& json, const char* key, const std::optional<std::string>& text) {
  json.Key(key);
  text.has_value() ? json.String(*text) : json.Null();
}

std::string Describe(const arrow::Table& rows, const WrittenFile& written) {
  std::string text;
  JsonWriter json(text);
  const auto number = [&](const char* key, std::int64_t value) {
    json.Key(key);
    json.Int(value);
  };
  json.BeginObject();
  number("rows", written.rows);
  number("size_bytes", written.size_bytes);
  number("footer_size", written.footer_size);
  json.Key("columns");
  json.BeginArray();
  for (const auto& field : rows.schema()->fields()) {
    json.BeginObject();
    json.Key("name");
    json.String(field->name());
    json.Key("type");
    json.String(LakeTypeName(*LakeTypeOf(*field->type())));
    number("id", *FieldId(*field));
    json.EndObject();
  }
  json.EndArray();
  json.Key("statistics");
  json.BeginArray();
  for (const ColumnStatistics& column : written.columns) {
    json.BeginObject();
    number("field_id", column.field_id);
    number("size_bytes", column.size_bytes);
    number("value_count", column.value_count);
    number("null_count", column.null_count);
    OptionalText(json, "min_value", column.min_value);
    OptionalText(json, "max_value", column.max_value);
    json.Key("contains_nan");
    column.contains_nan.has_value() ? json.Bool(*column.contains_nan) : json.Null();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return text;
}

/// Doubles of all kinds in place of the random ones; `odd` picks which of them.
std::shared_ptr<arrow::Table> WithDoubles(const std::shared_ptr<arrow::Table>& rows,
                                          const std::vector<double>& odd) {
  arrow::DoubleBuilder builder;
  for (std::int64_t row = 0; row < rows->num_rows(); ++row) {
    EXPECT_TRUE(builder.Append(odd[static_cast<std::size_t>(row) % odd.size()]).ok());
  }
  const int at = rows->schema()->GetFieldIndex("c_float64");
  return *rows->SetColumn(at, rows->field(at),
                          std::make_shared<arrow::ChunkedArray>(*builder.Finish()));
}

class Judges : public ::testing::Test {
 protected:
  void Put(const std::string& name, const arrow::Table& rows, const WriteOptions& options) {
    auto written = WriteParquet(env_, folder_.File(name + ".parquet"), rows, options);
    ASSERT_THAT(written, IsOk());
    auto sink = *arrow::io::FileOutputStream::Open(folder_.File(name + ".arrow"));
    auto writer = *arrow::ipc::MakeFileWriter(sink, rows.schema());
    ASSERT_TRUE(writer->WriteTable(rows).ok());
    ASSERT_TRUE(writer->Close().ok());
    ASSERT_TRUE(sink->Close().ok());
    ASSERT_THAT(env_.WriteFileAtomically(folder_.File(name + ".json"), Describe(rows, *written)),
                IsOk());
  }

  io::Env& env_ = io::PosixEnv();
  io::TemporaryFolder folder_;
};

TEST_F(Judges, ReadOurFiles) {
  RandomTable random(91);
  const WriteOptions small{.row_group_rows = 700, .page_rows = 200};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  Put("constant", *random.All(Shape::kConstant, 1000, 0), small);
  Put("few", *random.All(Shape::kFew, 1500, 0.1, true), small);
  Put("rising", *random.All(Shape::kRising, 1500, 0.1), {.sorted_by = {"c_int64"}});
  Put("noise", *random.All(Shape::kNoise, 1500, 0.1), small);
  Put("null", *random.All(Shape::kAllNull, 50, 0), small);
  Put("one", *random.All(Shape::kNoise, 1, 0), small);
  Put("untried", *random.All(Shape::kNoise, 1500, 0.1),
      {.row_group_rows = 700, .page_rows = 200, .encoding_trial = false});
  Put("zeros", *WithDoubles(random.All(Shape::kFew, 90, 0), {0.0, -0.0}), small);
  Put("nan", *WithDoubles(random.All(Shape::kFew, 90, 0), {1.5, nan, -2.0}), small);
  Put("infinite", *WithDoubles(random.All(Shape::kFew, 90, 0), {1.5, inf, -inf}), small);

  const std::string command = std::string("'") + LAMINA_PYTHON_EXECUTABLE + "' '" +
                              LAMINA_SOURCE_DIR + "/tests/judges/parquet_judge.py' '" +
                              folder_.path() + "' '" + LAMINA_SHARED_DIR + "' 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  std::array<char, 4096> buffer;
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    output.append(buffer.data(), n);
  }
  EXPECT_EQ(pclose(pipe), 0) << output;
}

}  // namespace
}  // namespace lamina::table
