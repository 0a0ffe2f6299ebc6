#pragma once

/// \file lamina/ticks/query_cache.h
/// Results of queries, least recently used ones dropped first, none older than its time to live.
/// What may be kept is the caller's business: tick_reader.h. Thread-safe.

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "lamina/base/time.h"

namespace arrow {
class Table;
}

namespace lamina::ticks {

struct CacheLimits {
  std::int64_t entries = 1000;
  std::int64_t ttl_seconds = 300;
  std::int64_t bytes = std::int64_t{256} << 20;  ///< of all; a result above a quarter is not kept
};

struct CacheCounts {
  std::int64_t hits = 0, misses = 0, entries = 0, bytes = 0;
};

class QueryCache {
 public:
  explicit QueryCache(CacheLimits limits) : limits_(limits) {}

  /// Null when it is not there, or was put longer than the time to live before `now` (a monotonic
  /// clock).
  std::shared_ptr<arrow::Table> Get(const std::string& key, Nanos now);
  /// Keep `value` as `key`, in the place of what was there.
  void Put(const std::string& key, std::shared_ptr<arrow::Table> value, Nanos now);
  void Clear();
  CacheCounts counts() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<arrow::Table> value;
    std::int64_t bytes = 0;
    Nanos at;
  };
  using Place = std::list<Entry>::iterator;
  void Drop(Place place);

  CacheLimits limits_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  ///< the one used last in front
  std::unordered_map<std::string, Place> places_;
  CacheCounts counts_;
};

}  // namespace lamina::ticks
