#include "lamina/ticks/query_cache.h"

#include <utility>

#include <arrow/table.h>
#include <arrow/util/byte_size.h>

namespace lamina::ticks {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

void QueryCache::Drop(Place place) {
  counts_.bytes -= place->bytes;
  places_.erase(place->key);
  entries_.erase(place);
}

std::shared_ptr<arrow::Table> QueryCache::Get(const std::string& key, Nanos now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = places_.find(key);
  if (found != places_.end() &&
      now.value - found->second->at.value >= limits_.ttl_seconds * kSecond) {
    Drop(found->second);
    ++counts_.misses;
    return nullptr;
  }
  if (found == places_.end()) {
    ++counts_.misses;
    return nullptr;
  }
  ++counts_.hits;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->value;
}

void QueryCache::Put(const std::string& key, std::shared_ptr<arrow::Table> value, Nanos now) {
  const std::int64_t bytes =
      arrow::util::TotalBufferSize(*value) + static_cast<std::int64_t>(key.size());
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto found = places_.find(key); found != places_.end()) Drop(found->second);
  if (limits_.entries <= 0 || limits_.ttl_seconds <= 0 || bytes > limits_.bytes / 4) return;
  entries_.push_front({key, std::move(value), bytes, now});
  places_[key] = entries_.begin();
  counts_.bytes += bytes;
  while (static_cast<std::int64_t>(entries_.size()) > limits_.entries ||
         counts_.bytes > limits_.bytes) {
    Drop(std::prev(entries_.end()));
  }
}

void QueryCache::Clear() {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.clear();
  places_.clear();
  counts_.bytes = 0;
}

CacheCounts QueryCache::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  CacheCounts counts = counts_;
  counts.entries = static_cast<std::int64_t>(entries_.size());
  return counts;
}

}  // namespace lamina::ticks
