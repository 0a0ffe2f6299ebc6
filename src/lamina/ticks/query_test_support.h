#pragma once

/// \file lamina/ticks/query_test_support.h
/// A store with archived ticks, and the plain answer to a query of them. For tests only.

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/table/columns.h"
#include "lamina/table/parquet_file.h"
#include "lamina/ticks/archive.h"
#include "lamina/ticks/tick_query.h"
#include "lamina/ticks/tick_tables.h"
#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks::test {

/// What tells a tick: (ts_ns, recv_ns, writer, seq), contract, type, first value.
using Tick = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                        std::int64_t, double>;

inline std::vector<Tick> TicksOf(const TickBatch& batch) {
  std::vector<Tick> ticks;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    ticks.emplace_back(batch.ts_ns[i], batch.recv_ns[i], batch.writer[i], batch.seq[i],
                       batch.contract_id[i], static_cast<std::int64_t>(batch.type[i]),
                       batch.values[0][i]);
  }
  return ticks;
}

inline std::vector<Tick> TicksOf(const arrow::Table& rows) {
  const auto whole = *table::Combine(rows);
  const auto numbers = [&](const char* name) -> const std::int64_t* {
    return std::static_pointer_cast<arrow::Int64Array>(whole->GetColumnByName(name)->chunk(0))
        ->raw_values();
  };
  std::vector<Tick> ticks;
  if (rows.num_rows() == 0) return ticks;
  const auto& types =
      static_cast<const arrow::DictionaryArray&>(*whole->GetColumnByName("tick_type")->chunk(0));
  const auto value = [&](const char* name, std::int64_t row) {
    const auto column = whole->GetColumnByName(name);
    if (column == nullptr || column->chunk(0)->IsNull(row)) return 0.0;
    return static_cast<const arrow::DoubleArray&>(*column->chunk(0)).Value(row);
  };
  for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
    ticks.emplace_back(numbers("ts_ns")[row], numbers("recv_ns")[row], numbers("writer")[row],
                       numbers("seq")[row], numbers("contract_id")[row],
                       types.GetValueIndex(row) + 1, value("price", row) + value("bid_price", row));
  }
  return ticks;
}

/// Rows of a store, put into the archive, and the same rows in memory.
class ArchivedTicks {
 public:
  ArchivedTicks() { EXPECT_THAT(CreateTickTables(*catalog_), IsOk()); }

  catalog::Catalog& catalog() { return *catalog_; }
  TestCatalog& store() { return catalog_; }

  /// Archive a batch: a file for each of its days.
  void Add(const TickBatch& batch) {
    const auto more = TicksOf(batch);
    all_.insert(all_.end(), more.begin(), more.end());
    TickBatches batches;
    for (std::size_t kind = 0; kind < 3; ++kind) batches[kind].kind = static_cast<TickKind>(kind);
    batches[static_cast<std::size_t>(batch.kind)] = batch;
    const auto done = ArchiveTicks(*catalog_, std::move(batches), std::nullopt);
    ASSERT_THAT(done, IsOk());
  }

  /// The plain answer.
  std::vector<Tick> Expect(const TickQuery& query) const {
    std::vector<Tick> found;
    for (const Tick& tick : all_) {
      const auto type = static_cast<TickType>(std::get<5>(tick));
      const auto has = [](const auto& list, const auto& one) {
        return std::find(list.begin(), list.end(), one) != list.end();
      };
      if (std::get<0>(tick) >= query.start_ns && std::get<0>(tick) < *query.end_ns &&
          has(query.contracts, std::get<4>(tick)) && has(query.types, type)) {
        found.push_back(tick);
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  TestCatalog catalog_;
  std::vector<Tick> all_;
};

}  // namespace lamina::ticks::test
