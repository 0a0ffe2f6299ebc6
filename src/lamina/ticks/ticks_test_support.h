#pragma once

/// \file lamina/ticks/ticks_test_support.h
/// A store root with a catalog, and ticks to fill it, for this module's tests.

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/ticks/tick_tables.h"

namespace lamina::ticks::test {

inline constexpr std::int64_t kSecond = 1'000'000'000, kDay = 86'400 * kSecond;
/// 2024-07-02 00:00 UTC
inline constexpr std::int64_t kStart = 1'719'878'400 * kSecond;

class TestCatalog {
 public:
  TestCatalog() {
    io::Env& env = io::PosixEnv();
    EXPECT_THAT(env.CreateDirectories(root()), IsOk());
    EXPECT_THAT(catalog::Catalog::Create(env, root(), RandomUuid4()), IsOk());
    Reopen();
  }
  void Reopen() {
    catalog_.reset();
    auto opened = catalog::Catalog::Open(io::PosixEnv(), root());
    ASSERT_THAT(opened, IsOk());
    catalog_ = *std::move(opened);
  }
  catalog::Catalog& operator*() { return *catalog_; }
  catalog::Catalog* operator->() { return catalog_.get(); }
  std::string root() const { return folder_.File("store"); }
  std::string File(std::string_view name) const { return folder_.File(name); }

  /// The first column of the first row, as text; "" for none.
  std::string Ask(const std::string& sql) {
    std::string answer;
    EXPECT_THAT(catalog_->Read([&](catalog::Database& database) -> Status {
      LAMINA_ASSIGN(auto statement, database.Prepare(sql));
      LAMINA_ASSIGN(const bool row, statement.Step());
      if (row) answer = statement.Text(0);
      return Ok();
    }),
                IsOk())
        << sql;
    return answer;
  }

 private:
  io::TemporaryFolder folder_;
  std::unique_ptr<catalog::Catalog> catalog_;
};

/// Rows of every shape of `kind`: contracts 1..`contracts`, stamps of `days` days in no order,
/// equal stamps among them; writer 1, seq from `first_seq`.
inline TickBatch RandomTicks(TickKind kind, std::size_t rows, std::uint64_t seed,
                             std::int64_t contracts = 3, std::int64_t days = 1,
                             std::int64_t first_seq = 0) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::int64_t end) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end));
  };
  TickBatch ticks;
  ticks.kind = kind;
  ticks.exchange.values = {"CME", "ARCA"};
  ticks.conditions.values = {"T I"};
  ticks.extra.values = {R"({"k":1})"};
  for (std::size_t i = 0; i < rows; ++i) {
    const std::int64_t ts = kStart + below(days * 86'400) * kSecond;
    ticks.contract_id.push_back(1 + below(contracts));
    ticks.type.push_back(kind == TickKind::kQuotes      ? TickType::kBidAsk
                         : kind == TickKind::kMidpoints ? TickType::kMidPoint
                         : below(2) == 0                ? TickType::kLast
                                                        : TickType::kAllLast);
    ticks.ts_ns.push_back(ts);
    ticks.recv_ns.push_back(ts + below(kSecond) - 1000);
    ticks.writer.push_back(1);
    ticks.seq.push_back(first_seq + static_cast<std::int64_t>(i));
    for (std::size_t v = 0; v < ValueCount(kind); ++v)
      ticks.values[v].push_back(static_cast<double>(below(400)) * 0.25 + 100);
    ticks.flags.push_back(static_cast<std::uint32_t>(below(3)));
    ticks.request_id.push_back(below(2) == 0 ? TickBatch::kNoRequest : below(60'000));
    ticks.exchange.codes.push_back(static_cast<std::uint32_t>(below(3)));
    ticks.conditions.codes.push_back(static_cast<std::uint32_t>(below(2)));
    ticks.extra.codes.push_back(below(20) == 0 ? 1 : 0);
  }
  return ticks;
}

/// Batches with `ticks` as those of their kind.
inline TickBatches OneKind(TickBatch ticks) {
  TickBatches batches;
  for (const TickKind kind : tick_log::kTickKinds)
    batches[static_cast<std::size_t>(kind)].kind = kind;
  const auto at = static_cast<std::size_t>(ticks.kind);
  batches[at] = std::move(ticks);
  return batches;
}

}  // namespace lamina::ticks::test
