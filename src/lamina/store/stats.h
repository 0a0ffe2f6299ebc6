#pragma once

/// \file lamina/store/stats.h
/// What a store holds and what it weighs. Reads one snapshot; thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/store/store.h"

namespace lamina::store {

struct TableStats {
  std::string name;  ///< "backtests.trades"
  std::int64_t rows = 0, files = 0, bytes = 0;
};

struct ChunkStats {
  std::string kind;
  std::int64_t chunks = 0, references = 0, content_bytes = 0, stored_bytes = 0;
};

struct StoreStats {
  std::string root, store_id;
  std::int64_t format_version = 0, snapshot = 0;
  std::int64_t backtests = 0, runs = 0, run_references = 0;
  std::int64_t document_bytes = 0;  ///< what the live backtests' documents would take
  std::int64_t file_bytes = 0;      ///< what their bundle files took
  std::vector<TableStats> tables;
  std::vector<ChunkStats> chunks;
  std::int64_t catalog_bytes = 0, objects_bytes = 0;
  std::int64_t total_bytes = 0;  ///< live lake files, live chunks in files, both databases
};

Result<StoreStats> ReadStats(Store& store);

}  // namespace lamina::store
