#include "lamina/ticks/tick_order.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

namespace lamina::ticks {
namespace {

constexpr std::size_t kStretchesMax = 64;

template <class T>
std::vector<T> Take(const std::vector<T>& values, std::span<const std::uint32_t> rows) {
  std::vector<T> taken;
  if (values.empty()) return taken;
  taken.reserve(rows.size());
  for (const std::uint32_t row : rows) taken.push_back(values[row]);
  return taken;
}

tick_log::TextColumn Take(const tick_log::TextColumn& column, std::span<const std::uint32_t> rows) {
  return {.codes = Take(column.codes, rows), .values = column.values};
}

/// Rows of each contract, by contract, in the order they came.
std::vector<std::vector<std::uint32_t>> ByContract(const TickBatch& ticks) {
  std::unordered_map<std::int64_t, std::size_t> places;
  std::vector<std::pair<std::int64_t, std::vector<std::uint32_t>>> groups;
  std::size_t place = 0;
  for (std::uint32_t row = 0; row < ticks.size(); ++row) {
    const std::int64_t contract = ticks.contract_id[row];
    if (groups.empty() || groups[place].first != contract) {
      const auto [at, added] = places.try_emplace(contract, groups.size());
      if (added) groups.emplace_back(contract, std::vector<std::uint32_t>());
      place = at->second;
    }
    groups[place].second.push_back(row);
  }
  std::sort(groups.begin(), groups.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::vector<std::uint32_t>> rows;
  for (auto& [contract, members] : groups) rows.push_back(std::move(members));
  return rows;
}

/// Few sorted stretches behind each other are merged; else all is sorted. Equal rows keep their
/// order.
template <class Before>
void SortRows(std::vector<std::uint32_t>& rows, Before before) {
  std::vector<std::ptrdiff_t> ends = {0};
  for (auto at = rows.begin(); at != rows.end();) {
    at = std::is_sorted_until(at, rows.end(), before);
    ends.push_back(at - rows.begin());
    if (ends.size() > kStretchesMax) return std::stable_sort(rows.begin(), rows.end(), before);
  }
  for (std::size_t step = 1; step + 1 < ends.size(); step *= 2) {
    for (std::size_t i = 0; i + step + 1 < ends.size(); i += 2 * step) {
      const std::size_t last = std::min(i + 2 * step, ends.size() - 1);
      std::inplace_merge(rows.begin() + ends[i], rows.begin() + ends[i + step],
                         rows.begin() + ends[last], before);
    }
  }
}

}  // namespace

std::vector<DayRows> ArchiveOrder(const TickBatch& ticks) {
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    if (ticks.ts_ns[a] != ticks.ts_ns[b]) return ticks.ts_ns[a] < ticks.ts_ns[b];
    return std::tie(ticks.recv_ns[a], ticks.writer[a], ticks.seq[a]) <
           std::tie(ticks.recv_ns[b], ticks.writer[b], ticks.seq[b]);
  };
  std::map<std::int32_t, std::vector<std::uint32_t>> days;
  for (std::vector<std::uint32_t>& rows : ByContract(ticks)) {
    SortRows(rows, before);
    std::vector<std::uint32_t>* into = nullptr;
    std::int32_t day = 0;
    for (const std::uint32_t row : rows) {
      const std::int32_t own = TickDay(ticks.ts_ns[row]);
      if (into == nullptr || own != day) into = &days[day = own];
      into->push_back(row);
    }
  }
  std::vector<DayRows> ordered;
  for (auto& [day, rows] : days) ordered.push_back({day, std::move(rows)});
  return ordered;
}

TickBatch TakeTicks(const TickBatch& ticks, std::span<const std::uint32_t> rows) {
  TickBatch taken;
  taken.kind = ticks.kind;
  taken.contract_id = Take(ticks.contract_id, rows);
  taken.type = Take(ticks.type, rows);
  taken.ts_ns = Take(ticks.ts_ns, rows);
  taken.recv_ns = Take(ticks.recv_ns, rows);
  taken.writer = Take(ticks.writer, rows);
  taken.seq = Take(ticks.seq, rows);
  for (std::size_t i = 0; i < ticks.values.size(); ++i)
    taken.values[i] = Take(ticks.values[i], rows);
  taken.flags = Take(ticks.flags, rows);
  taken.request_id = Take(ticks.request_id, rows);
  taken.exchange = Take(ticks.exchange, rows);
  taken.conditions = Take(ticks.conditions, rows);
  taken.source = Take(ticks.source, rows);
  taken.extra = Take(ticks.extra, rows);
  return taken;
}

}  // namespace lamina::ticks
