#pragma once

/// \file lamina/bundle/describe.h
/// What is in a bundle file, for a person to look at (`lamina inspect FILE`).
/// Pure functions; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/bundle/bundle_file.h"

namespace lamina::bundle {

struct DescribedKey {
  std::string key;
  std::string kind;                 ///< KindName
  std::uint64_t encoded_bytes = 0;  ///< of the value
};

struct DescribedRun {
  std::string study, engine;
  std::uint32_t index = 0;
  std::string window_name, start, end;  ///< as written; empty when absent
  std::uint32_t snapshots = 0, trades = 0, orders = 0, positions = 0;
  bool has_metrics = false;
  std::uint32_t blobs = 0;  ///< series kept outside the run
};

struct DescribedSummary {
  std::string study, engine, universe;
  std::uint32_t run_count = 0;
  bool present = false;
};

struct BundleDescription {
  std::uint32_t version = 0;
  std::uint64_t file_bytes = 0, document_bytes = 0;
  std::uint64_t frame_bytes = 0, content_size = 0, window_bytes = 0;  ///< of the zstd frame
  std::uint32_t block_count = 0;
  bool has_checksum = false;
  std::uint64_t nodes = 0;  ///< MessagePack values
  std::optional<std::string> algorithm_id, tag, engine_type;
  std::vector<DescribedKey> keys;  ///< of the map that holds identity, in document order
  std::vector<DescribedRun> runs;
  std::vector<DescribedSummary> summaries;
  std::uint32_t blob_count = 0;
  std::uint64_t blob_bytes = 0;
  std::optional<std::string> ohlcv_store_dir;
  std::uint32_t ohlcv_count = 0;
  std::vector<std::string> warnings;
};

/// Errors as ReadBundle, Document::Parse and ReadLayout.
Result<BundleDescription> DescribeBundle(ByteView file, const BundleLimits& limits = {});

}  // namespace lamina::bundle
