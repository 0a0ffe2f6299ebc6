#include <exception>
#include <memory>
#include <utility>

#include <arrow/io/memory.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include "lamina/backtests/series_blob.h"

namespace lamina::backtests {

namespace {

constexpr std::int64_t kMaxRows = std::int64_t{1} << 24;
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
    // A footer may say less for the file than for its groups.
    const auto read = static_cast<std::int64_t>(points.times.size());
    if (rows < 0 || rows > metadata->num_rows() - read) {
      return wrong("a row group's size is out of range");
    }
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
  decoded.writer.layout = BlobLayoutFor(points);
  return decoded;
}

}  // namespace

Result<DecodedBlob> DecodeBlob(ByteView blob) {
  try {
    return Decode(blob);
  } catch (const std::exception& e) {
    return InvalidArgument(std::string("series blob: ") + e.what());
  }
}

}  // namespace lamina::backtests
