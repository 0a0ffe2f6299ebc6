#include "lamina/cli/rows_output.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/writer.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "lamina/base/csv.h"
#include "lamina/base/json.h"
#include "lamina/base/time.h"
#include "lamina/cli/output.h"
#include "lamina/io/env.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"

namespace lamina::cli {
namespace {

constexpr std::string_view kWhat = "writing rows";
/// Behind the name of a file that is not whole yet.
constexpr const char* kPartial = ".partial";
/// A table on the screen is as wide as its first rows ask for.
constexpr std::size_t kWidthRows = 200;

std::string StampText(const arrow::TimestampArray& column, std::int64_t row) {
  // Lake tables have microseconds, ticks and made bars nanoseconds.
  const std::int64_t value = column.Value(row);
  std::int64_t below = 0, micros = value;
  switch (static_cast<const arrow::TimestampType&>(*column.type()).unit()) {
    case arrow::TimeUnit::NANO:
      below = ((value % 1000) + 1000) % 1000;
      micros = (value - below) / 1000;
      break;
    case arrow::TimeUnit::MICRO:
      break;
    case arrow::TimeUnit::MILLI:
      micros = value * 1000;
      break;
    case arrow::TimeUnit::SECOND:
      micros = value * 1'000'000;
      break;
  }
  std::string text = FormatTime(Micros{micros}, {'T', TimeSpelling::Zone::kNone, false});
  if (below != 0) {
    if (text.find('.') == std::string::npos) text += ".000000";
    const std::string digits = std::to_string(below);
    text += std::string(3 - digits.size(), '0') + digits;
  }
  return text + "Z";
}

/// Shortest digits that read back as the same number.
std::string NumberText(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

enum class Quoting : std::uint8_t { kPlain, kJson };

/// One cell as text; empty and `null` for NULL.
std::string CellText(const arrow::Array& column, std::int64_t row, Quoting quoting) {
  const bool json = quoting == Quoting::kJson;
  if (column.IsNull(row)) return json ? "null" : "";
  const auto text = [&](std::string_view value) {
    return json ? JsonQuoted(value) : std::string(value);
  };
  switch (column.type_id()) {
    case arrow::Type::INT64:
      return std::to_string(static_cast<const arrow::Int64Array&>(column).Value(row));
    case arrow::Type::INT32:
      return std::to_string(static_cast<const arrow::Int32Array&>(column).Value(row));
    case arrow::Type::DOUBLE: {
      const double value = static_cast<const arrow::DoubleArray&>(column).Value(row);
      return json && !std::isfinite(value) ? "null" : NumberText(value);
    }
    case arrow::Type::STRING:
      return text(static_cast<const arrow::StringArray&>(column).GetView(row));
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(column).Value(row) ? "true" : "false";
    case arrow::Type::TIMESTAMP:
      return text(StampText(static_cast<const arrow::TimestampArray&>(column), row));
    case arrow::Type::DICTIONARY: {
      const auto& words = static_cast<const arrow::DictionaryArray&>(column);
      return CellText(*words.dictionary(), words.GetValueIndex(row), quoting);
    }
    default: {
      const auto scalar = column.GetScalar(row);
      return text(scalar.ok() ? (*scalar)->ToString() : "");
    }
  }
}

/// Text of any kind: one line a row, with what stands before, between and after.
class TextWriter : public RowsWriter {
 public:
  TextWriter(RowFormat format, std::string path, std::shared_ptr<arrow::Schema> schema)
      : format_(format), path_(std::move(path)), schema_(std::move(schema)) {
    if (format_ == RowFormat::kJson) text_ = "[";
    if (format_ == RowFormat::kCsv) {
      for (const auto& field : schema_->fields()) {
        if (!text_.empty()) text_ += ',';
        AppendCsvField(text_, field->name());
      }
      text_ += "\n";
    }
  }

  Status Write(const arrow::Table& rows) override {
    LAMINA_ASSIGN(const auto whole, table::Combine(rows));
    std::vector<const arrow::Array*> columns;
    for (const auto& column : whole->columns()) {
      columns.push_back(column->num_chunks() == 0 ? nullptr : column->chunk(0).get());
    }
    if (format_ == RowFormat::kTable) return WriteTable(columns, rows.num_rows());
    for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
      format_ == RowFormat::kCsv ? AppendCsv(columns, row) : AppendJson(columns, row);
      if (text_.size() > kFlushBytes) LAMINA_TRY(Flush());
    }
    return Flush();
  }

  ~TextWriter() override {
    if (file_ != nullptr) (void)io::PosixEnv().Unlink(path_ + kPartial);
  }

  Status Finish() override {
    if (format_ == RowFormat::kTable && widths_.empty()) LAMINA_TRY(WriteTable({}, 0));
    if (format_ == RowFormat::kJson) text_ += "]\n";
    LAMINA_TRY(Flush());
    if (path_.empty()) return Ok();
    LAMINA_TRY(file_->Close());
    LAMINA_TRY(io::PosixEnv().Rename(path_ + kPartial, path_));
    file_.reset();
    return Ok();
  }

 private:
  static constexpr std::size_t kFlushBytes = 1 << 16;

  Status Flush() {
    if (path_.empty()) {
      Print(text_);
      if (std::fflush(stdout) != 0) return IoError("stdout cannot be written to");
    } else {
      if (file_ == nullptr) {
        LAMINA_ASSIGN(file_, io::PosixEnv().NewWritableFile(path_ + kPartial));
      }
      LAMINA_TRY(file_->Append(text_));
    }
    text_.clear();
    return Ok();
  }

  void AppendCsv(const std::vector<const arrow::Array*>& columns, std::int64_t row) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) text_ += ",";
      AppendCsvField(text_, CellText(*columns[i], row, Quoting::kPlain));
    }
    text_ += "\n";
  }

  void AppendJson(const std::vector<const arrow::Array*>& columns, std::int64_t row) {
    if (format_ == RowFormat::kJson && !first_) text_ += ", ";
    first_ = false;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      text_ += (i == 0 ? "{" : ", ") + JsonQuoted(schema_->field(static_cast<int>(i))->name()) +
               ": " + CellText(*columns[i], row, Quoting::kJson);
    }
    text_ += format_ == RowFormat::kJson ? "}" : "}\n";
  }

  Status WriteTable(const std::vector<const arrow::Array*>& columns, std::int64_t rows) {
    std::vector<std::vector<std::string>> cells;
    for (std::int64_t row = 0; row < rows; ++row) {
      auto& line = cells.emplace_back();
      for (const arrow::Array* column : columns) {
        line.push_back(CellText(*column, row, Quoting::kPlain));
      }
    }
    if (widths_.empty()) {
      for (const auto& field : schema_->fields()) widths_.push_back(field->name().size());
      for (std::size_t row = 0; row < std::min(cells.size(), kWidthRows); ++row) {
        for (std::size_t i = 0; i < widths_.size(); ++i) {
          widths_[i] = std::max(widths_[i], cells[row][i].size());
        }
      }
      AppendLine(schema_->field_names());
    }
    for (const auto& line : cells) AppendLine(line);
    return Flush();
  }

  void AppendLine(const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto type = schema_->field(static_cast<int>(i))->type()->id();
      const bool right =
          type == arrow::Type::INT64 || type == arrow::Type::INT32 || type == arrow::Type::DOUBLE;
      line += (i == 0 ? "" : "  ") + Padded(cells[i], widths_[i], right);
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    text_ += line + "\n";
  }

  RowFormat format_;
  std::string path_;
  std::shared_ptr<arrow::Schema> schema_;
  std::string text_;
  std::unique_ptr<io::WritableFile> file_;  ///< being written
  std::vector<std::size_t> widths_;
  bool first_ = true;
};

/// A binary file, written beside its place and moved there whole; or a stream on stdout.
class BinaryWriter : public RowsWriter {
 public:
  static Result<std::unique_ptr<RowsWriter>> Open(RowFormat format, const std::string& path,
                                                  const std::shared_ptr<arrow::Schema>& schema) {
    auto writer = std::make_unique<BinaryWriter>();
    writer->path_ = path;
    if (path.empty()) {
      writer->out_ = std::make_shared<arrow::io::StdoutStream>();
    } else {
      LAMINA_ARROW_ASSIGN(writer->out_, arrow::io::FileOutputStream::Open(path + kPartial),
                          "opening " + path);
    }
    if (format == RowFormat::kParquet) {
      parquet::WriterProperties::Builder properties;
      properties.compression(parquet::Compression::ZSTD);
      LAMINA_ARROW_ASSIGN(
          writer->parquet_,
          parquet::arrow::FileWriter::Open(
              *schema, arrow::default_memory_pool(), writer->out_, properties.build(),
              parquet::ArrowWriterProperties::Builder().store_schema()->build()),
          kWhat);
    } else if (path.empty()) {
      LAMINA_ARROW_ASSIGN(writer->arrow_, arrow::ipc::MakeStreamWriter(writer->out_, schema),
                          kWhat);
    } else {
      LAMINA_ARROW_ASSIGN(writer->arrow_, arrow::ipc::MakeFileWriter(writer->out_, schema), kWhat);
    }
    return std::unique_ptr<RowsWriter>(std::move(writer));
  }

  ~BinaryWriter() override {
    if (finished_ || path_.empty()) return;
    if (out_ != nullptr) (void)out_->Close();
    (void)io::PosixEnv().Unlink(path_ + kPartial);
  }

  Status Write(const arrow::Table& rows) override {
    if (parquet_ != nullptr) {
      LAMINA_ARROW(parquet_->WriteTable(rows, kGroupRows), kWhat);
    } else {
      LAMINA_ASSIGN(const auto whole, table::Combine(rows));
      LAMINA_ARROW(arrow_->WriteTable(*whole), kWhat);
    }
    return Ok();
  }

  Status Finish() override {
    if (parquet_ != nullptr) {
      LAMINA_ARROW(parquet_->Close(), kWhat);
    } else {
      LAMINA_ARROW(arrow_->Close(), kWhat);
    }
    if (path_.empty()) return Ok();
    LAMINA_ARROW(out_->Close(), kWhat);
    LAMINA_TRY(io::PosixEnv().Rename(path_ + kPartial, path_));
    finished_ = true;
    return Ok();
  }

 private:
  static constexpr std::int64_t kGroupRows = 131'072;

  std::string path_;
  std::shared_ptr<arrow::io::OutputStream> out_;
  std::unique_ptr<parquet::arrow::FileWriter> parquet_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> arrow_;
  bool finished_ = false;
};

}  // namespace

Result<RowFormat> ParseRowFormat(std::string_view name) {
  if (name == "table") return RowFormat::kTable;
  if (name == "json") return RowFormat::kJson;
  if (name == "jsonl") return RowFormat::kJsonLines;
  if (name == "csv") return RowFormat::kCsv;
  if (name == "parquet") return RowFormat::kParquet;
  if (name == "arrow") return RowFormat::kArrow;
  return InvalidArgument("unknown format '" + std::string(name) +
                         "': known are table, json, jsonl, csv, parquet, arrow");
}

Result<std::unique_ptr<RowsWriter>> RowsWriter::Make(RowFormat format, const std::string& path,
                                                     const std::shared_ptr<arrow::Schema>& schema) {
  if (format == RowFormat::kParquet && path.empty()) {
    return InvalidArgument("Parquet needs a file: give -o FILE");
  }
  if (format == RowFormat::kParquet || format == RowFormat::kArrow) {
    return BinaryWriter::Open(format, path, schema);
  }
  return std::unique_ptr<RowsWriter>(std::make_unique<TextWriter>(format, path, schema));
}

}  // namespace lamina::cli
