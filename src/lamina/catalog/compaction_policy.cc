#include "lamina/catalog/compaction_policy.h"

#include <algorithm>
#include <numeric>

namespace lamina::catalog {

std::vector<std::size_t> ChooseMerge(const std::vector<MergeCandidate>& files,
                                     std::int64_t min_files) {
  if (files.size() < 2 || static_cast<std::int64_t>(files.size()) < min_files) return {};
  std::vector<std::size_t> order(files.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return files[a].bytes < files[b].bytes; });
  const std::int64_t fraction = std::clamp<std::int64_t>(min_files / 4, 1, 8);
  std::int64_t bytes = 0, decoded = 0;
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const MergeCandidate& file = files[order[i]];
    if (i > 0 && file.bytes <= bytes / fraction) chosen = i + 1;
    bytes += file.bytes;
    decoded += file.decoded_bytes;
    if (bytes > kMergeBytesMax || decoded > kMergeDecodedBytesMax) {
      chosen = std::min(chosen, i);
      break;
    }
  }
  if (chosen < 2) return {};
  order.resize(chosen);
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace lamina::catalog
