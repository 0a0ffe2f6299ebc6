#include "lamina/ticks/fold_plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

namespace lamina::ticks {
namespace {

using Key = std::pair<std::int64_t, std::int64_t>;  // contract_id, ts_ns

Key FirstKey(const FoldFile& file) {
  if (file.contracts.empty()) return {};
  return {file.contracts.front().contract_id, file.contracts.front().first_ns};
}
Key LastKey(const FoldFile& file) {
  if (file.contracts.empty()) return {};
  return {file.contracts.back().contract_id, file.contracts.back().last_ns};
}

/// Groups of files that overlap, in the order of their first rows.
std::vector<std::vector<std::size_t>> Clusters(const std::vector<FoldFile>& files) {
  std::vector<std::size_t> order(files.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return FirstKey(files[a]) < FirstKey(files[b]);
  });
  std::vector<std::vector<std::size_t>> clusters;
  Key last;
  for (const std::size_t file : order) {
    if (clusters.empty() || FirstKey(files[file]) > last) {
      clusters.emplace_back();
      last = LastKey(files[file]);
    }
    clusters.back().push_back(file);
    last = std::max(last, LastKey(files[file]));
  }
  return clusters;
}

std::int64_t RowsOf(const std::vector<FoldFile>& files, const std::vector<std::size_t>& places) {
  std::int64_t rows = 0;
  for (const std::size_t place : places) rows += files[place].rows;
  return rows;
}

/// When about every `file_rows` ticks of one contract have come, taking those of a file as evenly
/// spread.
std::vector<std::int64_t> CutTimes(const std::vector<ContractSpan>& spans, std::int64_t file_rows) {
  std::vector<std::int64_t> edges;
  std::int64_t ticks = 0;
  for (const ContractSpan& span : spans) {
    edges.push_back(span.first_ns);
    edges.push_back(span.last_ns + 1);
    ticks += span.ticks;
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  const std::int64_t pieces = (ticks + file_rows - 1) / file_rows;
  const double each = static_cast<double>(ticks) / static_cast<double>(pieces);
  std::vector<std::int64_t> cuts;
  double gathered = 0;
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    double here = 0;
    for (const ContractSpan& span : spans) {
      if (span.first_ns > edges[i] || span.last_ns < edges[i]) continue;
      here += static_cast<double>(span.ticks) * static_cast<double>(edges[i + 1] - edges[i]) /
              static_cast<double>(span.last_ns + 1 - span.first_ns);
    }
    double begin = static_cast<double>(edges[i]);
    double left = here;
    while (static_cast<std::int64_t>(cuts.size()) + 1 < pieces && gathered + left >= each) {
      const double part = (each - gathered) / left;
      begin += part * (static_cast<double>(edges[i + 1]) - begin);
      cuts.push_back(std::clamp(static_cast<std::int64_t>(begin), edges[i], edges[i + 1]));
      left -= each - gathered;
      gathered = 0;
    }
    gathered += left;
  }
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  return cuts;
}

}  // namespace

std::vector<std::vector<std::size_t>> ChooseFolds(const std::vector<FoldFile>& files,
                                                  const FoldRule& rule) {
  std::vector<std::vector<std::size_t>> folds;
  if (!rule.sealed) {
    std::vector<std::size_t> small;
    for (std::size_t i = 0; i < files.size(); ++i)
      if (files[i].bytes < rule.small_bytes && files[i].rows < rule.file_rows) small.push_back(i);
    if (static_cast<std::int64_t>(small.size()) >= rule.min_files) folds.push_back(small);
    return folds;
  }
  std::vector<std::size_t> gathered;  // small neighbours
  const auto finish = [&] {
    const bool worth =
        gathered.size() >= 2 || (gathered.size() == 1 && files[gathered.front()].has_deletes);
    if (worth) folds.push_back(gathered);
    gathered.clear();
  };
  for (std::vector<std::size_t>& cluster : Clusters(files)) {
    const std::int64_t rows = RowsOf(files, cluster) + RowsOf(files, gathered);
    if (!gathered.empty() && rows > rule.file_rows) finish();
    gathered.insert(gathered.end(), cluster.begin(), cluster.end());
    if (cluster.size() >= 2 || RowsOf(files, gathered) >= rule.file_rows / 2) finish();
  }
  finish();
  return folds;
}

std::vector<Stretch> CutIntoStretches(const std::vector<FoldFile>& files, std::int64_t file_rows) {
  std::map<std::int64_t, std::vector<ContractSpan>> contracts;
  for (const FoldFile& file : files)
    for (const ContractSpan& span : file.contracts) contracts[span.contract_id].push_back(span);
  std::vector<Stretch> stretches;
  std::int64_t gathered = 0;
  for (const auto& [contract, spans] : contracts) {
    std::int64_t ticks = 0;
    for (const ContractSpan& span : spans) ticks += span.ticks;
    if (ticks <= file_rows) {
      if (gathered == 0 || gathered + ticks > file_rows) {
        stretches.push_back({.low_contract = contract, .high_contract = contract});
        gathered = 0;
      }
      stretches.back().high_contract = contract;
      gathered += ticks;
      continue;
    }
    gathered = 0;
    std::int64_t first = INT64_MIN;
    for (const std::int64_t cut : CutTimes(spans, file_rows)) {
      stretches.push_back({contract, contract, first, cut - 1});
      first = cut;
    }
    stretches.push_back({contract, contract, first, INT64_MAX});
  }
  return stretches;
}

}  // namespace lamina::ticks
