#include <exception>
#include <memory>
#include <utility>

#include <arrow/io/memory.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/column_writer.h>
#include <parquet/file_writer.h>
#include <parquet/schema.h>

#include "lamina/backtests/series_blob_internal.h"
#include "lamina/table/arrow_status.h"

namespace lamina::backtests {

namespace {

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

Result<std::string> Write(const BlobPoints& points, const BlobWriter& writer) {
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

Result<std::string> EncodeWithLibrary(const BlobPoints& points, const BlobWriter& writer) {
  try {
    return Write(points, writer);
  } catch (const std::exception& e) {
    return Internal(std::string("writing a series blob: ") + e.what());
  }
}

}  // namespace lamina::backtests
