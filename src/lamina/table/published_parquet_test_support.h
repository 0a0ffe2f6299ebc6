#pragma once

/// \file lamina/table/published_parquet_test_support.h
/// Price files as other programs write them, for tests: one content, encoded in several ways.

#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

namespace lamina::table::test {

struct PriceFileOptions {
  arrow::Compression::type codec = arrow::Compression::ZSTD;
  int level = 5;
  bool dictionary = true;
  std::int64_t row_group_rows = 1 << 20;
  bool statistics = true;                            ///< files without them come out of no recipe
  std::string metadata = "{\"index_columns\": []}";  ///< under the key `pandas`
  std::uint64_t nan_bits = 0x7ff8000000000001;       ///< of one cell
  double first_price = 100;
};

inline std::string PriceFile(const PriceFileOptions& options = {}) {
  arrow::TimestampBuilder time(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                               arrow::default_memory_pool());
  arrow::DoubleBuilder open, volume;
  arrow::StringBuilder note;
  arrow::BooleanBuilder complete;
  for (int i = 0; i < 500; ++i) {
    EXPECT_TRUE(time.Append(1700000000000000 + i * std::int64_t{3600000000}).ok());
    EXPECT_TRUE(open.Append(options.first_price + 0.01 * ((i * 7919) % 1000)).ok());
    EXPECT_TRUE((i == 17   ? volume.Append(std::bit_cast<double>(options.nan_bits))
                 : i == 18 ? volume.AppendNull()
                           : volume.Append(1.5 * i))
                    .ok());
    EXPECT_TRUE((i % 100 == 3 ? note.AppendNull() : note.Append("n" + std::to_string(i % 5))).ok());
    EXPECT_TRUE(complete.Append(i % 3 == 0).ok());
  }
  const auto rows = arrow::Table::Make(
      arrow::schema({arrow::field("Datetime", time.type()), arrow::field("Open", arrow::float64()),
                     arrow::field("Volume", arrow::float64()), arrow::field("Note", arrow::utf8()),
                     arrow::field("Complete", arrow::boolean())},
                    arrow::key_value_metadata({"pandas"}, {options.metadata})),
      {*time.Finish(), *open.Finish(), *volume.Finish(), *note.Finish(), *complete.Finish()});
  parquet::WriterProperties::Builder builder;
  builder.created_by("parquet-cpp-arrow version 26.0.0")
      ->compression(options.codec)
      ->max_row_group_length(options.row_group_rows);
  if (options.codec == arrow::Compression::ZSTD) builder.compression_level(options.level);
  if (!options.dictionary) builder.disable_dictionary();
  if (!options.statistics) builder.disable_statistics();
  const auto stream = *arrow::io::BufferOutputStream::Create();
  EXPECT_TRUE(
      parquet::arrow::WriteTable(*rows, arrow::default_memory_pool(), stream,
                                 options.row_group_rows, builder.build(),
                                 parquet::ArrowWriterProperties::Builder().store_schema()->build())
          .ok());
  return (*stream->Finish())->ToString();
}

}  // namespace lamina::table::test
