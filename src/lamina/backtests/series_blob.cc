#include "lamina/backtests/series_blob.h"

#include <exception>
#include <memory>
#include <utility>

#include <arrow/io/memory.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/column_reader.h>
#include <parquet/column_writer.h>
#include <parquet/file_reader.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include "lamina/table/arrow_status.h"

namespace lamina::backtests {

namespace {

constexpr std::int64_t kMaxRows = std::int64_t{1} << 26;
constexpr std::int64_t kReadRows = 65536;

std::unique_ptr<parquet::ParquetFileReader> Open(ByteView blob) {
  auto buffer = std::make_shared<arrow::Buffer>(reinterpret_cast<const std::uint8_t*>(blob.data()),
                                                static_cast<std::int64_t>(blob.size()));
  return parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(buffer));
}

BlobWriter WriterOf(const parquet::FileMetaData& metadata) {
  BlobWriter writer;
  writer.created_by = metadata.created_by();
  if (const auto& pairs = metadata.key_value_metadata()) {
    for (std::int64_t i = 0; i < pairs->size(); ++i) {
      writer.key_values.emplace_back(pairs->key(i), pairs->value(i));
    }
  }
  return writer;
}

/// One column of one row group, appended. `Reader` is a TypedColumnReader.
template <class Reader, class T>
bool ReadColumn(parquet::RowGroupReader& group, int column, std::int64_t rows, std::vector<T>& out,
                std::vector<std::uint8_t>& valid) {
  const std::shared_ptr<parquet::ColumnReader> any = group.Column(column);
  auto* reader = dynamic_cast<Reader*>(any.get());
  if (reader == nullptr || reader->descr()->max_repetition_level() != 0) return false;
  const std::int16_t defined = reader->descr()->max_definition_level();
  std::vector<std::int16_t> levels(static_cast<std::size_t>(std::min(rows, kReadRows)));
  std::vector<T> values(levels.size());
  std::int64_t done = 0;
  while (done < rows) {
    std::int64_t read = 0;
    const std::int64_t wanted = std::min(rows - done, kReadRows);
    const std::int64_t got =
        reader->ReadBatch(wanted, levels.data(), nullptr, values.data(), &read);
    if (got <= 0) return false;
    std::size_t next = 0;
    for (std::int64_t i = 0; i < got; ++i) {
      const bool is_valid = defined == 0 || levels[static_cast<std::size_t>(i)] == defined;
      valid.push_back(is_valid ? 1 : 0);
      out.push_back(is_valid ? values[next++] : T{});
    }
    done += got;
  }
  return true;
}

Result<DecodedBlob> Decode(ByteView blob) {
  const auto reader = Open(blob);
  const auto metadata = reader->metadata();
  const auto wrong = [](std::string_view what) {
    return InvalidArgument("series blob: " + std::string(what));
  };
  if (metadata->num_columns() != 2 ||
      metadata->schema()->Column(0)->path()->ToDotString() != "ts" ||
      metadata->schema()->Column(1)->path()->ToDotString() != "value") {
    return wrong("its columns are not ts and value");
  }
  if (metadata->num_rows() > kMaxRows) return ResourceExhausted("series blob: too many rows");
  DecodedBlob decoded;
  decoded.writer = WriterOf(*metadata);
  BlobPoints& points = decoded.points;
  for (int i = 0; i < metadata->num_row_groups(); ++i) {
    const auto group = reader->RowGroup(i);
    const std::int64_t rows = group->metadata()->num_rows();
    if (rows < 0 || rows > kMaxRows) return wrong("a row group's size is out of range");
    if (!ReadColumn<parquet::Int64Reader>(*group, 0, rows, points.times, points.time_valid) ||
        !ReadColumn<parquet::DoubleReader>(*group, 1, rows, points.values, points.value_valid)) {
      return wrong("its columns are not INT64 and DOUBLE, or end early");
    }
  }
  const auto all = [](const std::vector<std::uint8_t>& valid) {
    for (const std::uint8_t byte : valid) {
      if (byte == 0) return false;
    }
    return true;
  };
  if (all(points.time_valid)) points.time_valid.clear();
  if (all(points.value_valid)) points.value_valid.clear();
  return decoded;
}

std::shared_ptr<parquet::schema::GroupNode> BlobSchema() {
  using parquet::Repetition;
  using parquet::schema::GroupNode;
  using parquet::schema::PrimitiveNode;
  static const auto kSchema = std::static_pointer_cast<GroupNode>(
      GroupNode::Make("schema", Repetition::REQUIRED,
                      {PrimitiveNode::Make("ts", Repetition::OPTIONAL, parquet::Type::INT64),
                       PrimitiveNode::Make("value", Repetition::OPTIONAL, parquet::Type::DOUBLE)}));
  return kSchema;
}

template <class Writer, class T>
void WriteColumn(parquet::RowGroupWriter& group, const std::vector<T>& values,
                 const std::vector<std::uint8_t>& valid) {
  auto* writer = static_cast<Writer*>(group.NextColumn());
  const auto rows = static_cast<std::int64_t>(values.size());
  std::vector<std::int16_t> levels(values.size(), 1);
  if (valid.empty()) {
    writer->WriteBatch(rows, levels.data(), nullptr, values.data());
    return;
  }
  std::vector<T> present;
  present.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    levels[i] = valid[i];
    if (valid[i] != 0) present.push_back(values[i]);
  }
  writer->WriteBatch(rows, levels.data(), nullptr, present.data());
}

Result<std::string> Encode(const BlobPoints& points, const BlobWriter& writer) {
  const auto properties = parquet::WriterProperties::Builder()
                              .created_by(writer.created_by)
                              ->compression(parquet::Compression::ZSTD)
                              ->compression_level(5)
                              ->version(parquet::ParquetVersion::PARQUET_2_6)
                              ->disable_write_page_index()
                              ->build();
  std::shared_ptr<const arrow::KeyValueMetadata> pairs;
  if (!writer.key_values.empty()) {
    std::vector<std::string> keys, values;
    for (const auto& [key, value] : writer.key_values) {
      keys.push_back(key);
      values.push_back(value);
    }
    pairs = arrow::key_value_metadata(std::move(keys), std::move(values));
  }
  LAMINA_ARROW_ASSIGN(auto sink, arrow::io::BufferOutputStream::Create(65536),
                      "making a buffer for a series");
  const auto file = parquet::ParquetFileWriter::Open(sink, BlobSchema(), properties, pairs);
  parquet::RowGroupWriter* group = file->AppendRowGroup();
  WriteColumn<parquet::Int64Writer>(*group, points.times, points.time_valid);
  WriteColumn<parquet::DoubleWriter>(*group, points.values, points.value_valid);
  file->Close();
  LAMINA_ARROW_ASSIGN(const auto buffer, sink->Finish(), "finishing a series");
  return buffer->ToString();
}

}  // namespace

Result<DecodedBlob> DecodeBlob(ByteView blob) {
  try {
    return Decode(blob);
  } catch (const std::exception& e) {
    return InvalidArgument(std::string("series blob: ") + e.what());
  }
}

Result<BlobWriter> ReadBlobWriter(ByteView blob) {
  try {
    return WriterOf(*Open(blob)->metadata());
  } catch (const std::exception& e) {
    return InvalidArgument(std::string("series blob: ") + e.what());
  }
}

Result<std::string> EncodeBlob(const BlobPoints& points, const BlobWriter& writer) {
  if (writer.layout != 1) {
    return Unsupported("series blob layout " + std::to_string(writer.layout));
  }
  try {
    return Encode(points, writer);
  } catch (const std::exception& e) {
    return Internal(std::string("writing a series blob: ") + e.what());
  }
}

}  // namespace lamina::backtests
