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
#include "lamina/tick_log/tick_writer.h"
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

inline const std::vector<TickType> kAllTypes = {TickType::kLast, TickType::kAllLast,
                                                TickType::kBidAsk, TickType::kMidPoint};

inline TickQuery Range(std::vector<std::int64_t> contracts, std::vector<TickType> types,
                       std::int64_t begin, std::int64_t end) {
  TickQuery query;
  query.contracts = std::move(contracts);
  query.types = std::move(types);
  query.start_ns = begin;
  query.end_ns = end;
  return query;
}

/// Files that overlap in time, of all kinds, three contracts, three days.
inline void Fill(ArchivedTicks& ticks, std::size_t rows = 3000) {
  std::int64_t seq = 0;
  std::uint64_t seed = 1;
  for (int file = 0; file < 3; ++file) {
    for (const TickKind kind : tick_log::kTickKinds) {
      ticks.Add(RandomTicks(kind, rows, seed++, 3, 3, seq));
      seq += static_cast<std::int64_t>(rows);
    }
  }
}

inline TickQuery AllOf(std::vector<TickType> types) {
  TickQuery query;
  query.contracts = {1, 2, 3};
  query.types = std::move(types);
  query.start_ns = kStart;
  query.end_ns = kStart + 10 * kDay;
  return query;
}

inline std::unique_ptr<tick_log::TickWriter> Writer(catalog::Catalog& catalog, std::int64_t number,
                                                    tick_log::LogOptions options = {}) {
  options.durability = tick_log::Durability::kOs;
  EXPECT_THAT(catalog.Transact([&](catalog::Database& database) -> Status {
    return database.Execute("INSERT INTO tick_log(writer, created_at) VALUES(" +
                            std::to_string(number) + ", 0)");
  }),
              IsOk());
  auto writer = tick_log::TickWriter::Open(io::PosixEnv(), catalog.root(), catalog.store_id(),
                                           number, options);
  EXPECT_THAT(writer, IsOk());
  return *std::move(writer);
}

inline TickBatches Batches(TickBatch batch) {
  TickBatches all;
  for (std::size_t kind = 0; kind < 3; ++kind) all[kind].kind = static_cast<TickKind>(kind);
  all[static_cast<std::size_t>(batch.kind)] = std::move(batch);
  return all;
}

/// Append, and what is then to be found.
inline void Append(tick_log::TickWriter& writer, TickBatch batch, std::vector<Tick>& expected) {
  auto ack = writer.Append(Batches(batch));
  ASSERT_THAT(ack, IsOk());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch.writer[i] = ack->writer;
    batch.seq[i] = ack->seq_first + static_cast<std::int64_t>(i);
  }
  const auto more = TicksOf(batch);
  expected.insert(expected.end(), more.begin(), more.end());
}

inline std::vector<Tick> Sorted(std::vector<Tick> ticks) {
  std::sort(ticks.begin(), ticks.end());
  return ticks;
}

}  // namespace lamina::ticks::test
