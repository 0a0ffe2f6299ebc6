#pragma once

/// \file lamina/tick_log/tick_test_support.h
/// Ticks for tests, and ticks as lines to be compared. For tests only.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "lamina/base/json.h"
#include "lamina/base/uuid.h"
#include "lamina/tick_log/group_draft.h"
#include "lamina/tick_log/group_read.h"
#include "lamina/tick_log/tick.h"
#include "lamina/tick_log/tick_writer.h"

namespace lamina::tick_log::test {

inline constexpr std::int64_t kSecond = 1'000'000'000;
inline constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

inline Uuid StoreId() { return *Uuid::Parse("01020304-0506-4708-890a-0b0c0d0e0f10"); }

/// Last prices of one contract, `step_ns` apart.
inline TickBatches Trades(std::size_t rows, std::int64_t contract = 1,
                          std::int64_t begin_ns = kStart, std::int64_t step_ns = kSecond) {
  TickBatches ticks;
  TickBatch& batch = ticks[0];
  for (const TickKind kind : kTickKinds) ticks[static_cast<std::size_t>(kind)].kind = kind;
  batch.contract_id.assign(rows, contract);
  batch.type.assign(rows, TickType::kLast);
  for (std::size_t i = 0; i < rows; ++i) {
    batch.ts_ns.push_back(begin_ns + static_cast<std::int64_t>(i) * step_ns);
    batch.values[0].push_back(100 + 0.25 * static_cast<double>(i % 40));
    batch.values[1].push_back(static_cast<double>(1 + i % 7));
  }
  return ticks;
}

struct TicksAndOrder {
  TickBatches ticks;
  std::vector<TickWriter::RowRef> order;
};

/// Ticks of all kinds, with every column now and then, in mixed order.
inline TicksAndOrder RandomTicks(std::mt19937_64& random, std::size_t rows,
                                 std::int64_t contracts = 5) {
  TicksAndOrder made;
  const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  const bool own_recv = chance(50), flags = chance(50), requests = chance(50), texts = chance(60);
  for (const TickKind kind : kTickKinds) made.ticks[static_cast<std::size_t>(kind)].kind = kind;
  const auto text = [&](TextColumn& column, const char* stem) {
    if (!texts) return;
    std::uint32_t code = 0;
    if (chance(70)) {
      const std::string value = stem + std::to_string(random() % 4);
      const auto known = std::find(column.values.begin(), column.values.end(), value);
      code = static_cast<std::uint32_t>(known - column.values.begin() + 1);
      if (known == column.values.end()) column.values.push_back(value);
    }
    column.codes.push_back(code);
  };
  const bool one_type = chance(30);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto type = static_cast<TickType>(one_type ? 3 : 1 + random() % 4);
    TickBatch& batch = made.ticks[static_cast<std::size_t>(KindOf(type))];
    made.order.push_back({KindOf(type), static_cast<std::uint32_t>(batch.size())});
    batch.contract_id.push_back(
        1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(contracts)) *
                5'000'000'000);
    batch.type.push_back(type);
    batch.ts_ns.push_back(kStart + static_cast<std::int64_t>(random() % 1000) * kSecond);
    if (own_recv) batch.recv_ns.push_back(batch.ts_ns.back() - 3 + static_cast<int>(random() % 9));
    for (std::size_t v = 0; v < ValueCount(KindOf(type)); ++v) {
      batch.values[v].push_back(static_cast<double>(random() % 100'000) / 7);
    }
    if (flags) batch.flags.push_back(chance(20) ? random() % 16 : 0);
    if (requests) {
      batch.request_id.push_back(chance(50) ? 60'000 + static_cast<int>(random() % 9)
                                            : TickBatch::kNoRequest);
    }
    text(batch.exchange, "X");
    text(batch.conditions, "con ä\"");
    text(batch.source, "s");
    text(batch.extra, "{\"k\":");
  }
  return made;
}

/// One line a tick, in seq order; without identity when `seq` is false.
inline std::vector<std::string> Lines(const TickBatches& ticks, bool seq = true, bool recv = true) {
  std::vector<std::pair<std::int64_t, std::string>> lines;
  for (const TickBatch& batch : ticks) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      std::string line;
      if (seq) line += std::to_string(batch.writer[i]) + "/" + std::to_string(batch.seq[i]) + " ";
      line += std::to_string(batch.contract_id[i]) + " " +
              std::string(TickTypeName(batch.type[i])) + " " + std::to_string(batch.ts_ns[i]);
      if (recv && !batch.recv_ns.empty()) line += " r" + std::to_string(batch.recv_ns[i]);
      for (std::size_t v = 0; v < ValueCount(batch.kind); ++v) {
        line += " " + PythonFloatRepr(batch.values[v][i]);
      }
      if (!batch.flags.empty() && batch.flags[i] != 0) {
        line += " f" + std::to_string(batch.flags[i]);
      }
      if (!batch.request_id.empty() && batch.request_id[i] != TickBatch::kNoRequest) {
        line += " q" + std::to_string(batch.request_id[i]);
      }
      for (std::size_t t = 0; t < 4; ++t) {
        const std::string_view text = TextColumnOf(const_cast<TickBatch&>(batch), t).at(i);
        if (!text.empty()) line += " t" + std::to_string(t) + "=" + std::string(text);
      }
      lines.emplace_back(batch.seq.empty() ? std::ssize(lines) : batch.seq[i], std::move(line));
    }
  }
  std::sort(lines.begin(), lines.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> sorted;
  for (auto& line : lines) sorted.push_back(std::move(line.second));
  return sorted;
}

/// What was appended, as it is to be read: with the seqs of its acknowledgement, and the source of
/// ticks that had none.
inline std::vector<std::string> Expected(TicksAndOrder made, const Ack& ack,
                                         std::string_view source = {}, bool recv = true) {
  const auto positions = PositionsOf(made.ticks, made.order);
  for (std::size_t kind = 0; kind < 3; ++kind) {
    TickBatch& batch = made.ticks[kind];
    batch.writer.assign(batch.size(), ack.writer);
    batch.seq.clear();
    for (const std::uint32_t position : (*positions)[kind]) {
      batch.seq.push_back(ack.seq_first + position);
    }
    if (source.empty()) continue;
    batch.source.codes.resize(batch.size(), 0);
    batch.source.values.emplace_back(source);
    for (std::uint32_t& code : batch.source.codes) {
      if (code == 0) code = static_cast<std::uint32_t>(batch.source.values.size());
    }
  }
  return Lines(made.ticks, true, recv);
}

}  // namespace lamina::tick_log::test
