#include "lamina/ticks/file_facts.h"

#include <numeric>

#include <gmock/gmock.h>

#include "lamina/ticks/coverage.h"
#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

TickBatch Trades(const std::vector<std::int64_t>& seconds, std::int64_t writer = 1) {
  TickBatch ticks;
  for (const std::int64_t second : seconds) {
    ticks.contract_id.push_back(5);
    ticks.type.push_back(TickType::kLast);
    ticks.ts_ns.push_back(test::kStart + second * test::kSecond);
    ticks.recv_ns.push_back(ticks.ts_ns.back());
    ticks.writer.push_back(writer);
    ticks.seq.push_back(static_cast<std::int64_t>(ticks.seq.size()));
    ticks.values[0].push_back(10);
    ticks.values[1].push_back(1);
  }
  return ticks;
}

FileFacts FactsOfAll(const TickBatch& ticks) {
  std::vector<std::uint32_t> rows(ticks.size());
  std::iota(rows.begin(), rows.end(), 0U);
  return FactsOf(ticks, rows);
}

TEST(FileFacts, SpansEndInSilence) {
  const FileFacts facts = FactsOfAll(Trades({0, 100, 400, 701, 702}));
  ASSERT_EQ(facts.contracts.size(), 1u);
  const ContractFacts& own = facts.contracts.begin()->second;
  EXPECT_EQ(own.ticks, 5);
  ASSERT_EQ(own.spans.size(), 2u);
  EXPECT_EQ(own.spans[0].ticks, 3);
  EXPECT_EQ(own.spans[1].first_ns, test::kStart + 701 * test::kSecond);
  EXPECT_GT(facts.json_bytes, 5 * 60);
  EXPECT_LT(facts.json_bytes, 5 * 120);
}

TEST(FileFacts, RowsCountInTheOrderGiven) {
  const TickBatch ticks = Trades({700, 0, 100, 5000});
  const std::vector<std::uint32_t> rows = {1, 2, 0};
  const FileFacts facts = FactsOf(ticks, rows);
  const ContractFacts& own = facts.contracts.begin()->second;
  EXPECT_EQ(own.ticks, 3);
  EXPECT_EQ(own.first_ns, test::kStart);
  EXPECT_EQ(own.last_ns, test::kStart + 700 * test::kSecond);
  EXPECT_EQ(own.statistics.total_ticks(), 3);
}

TEST(FileFacts, SpansThatTouchAreJoined) {
  test::TestCatalog store;
  const auto add = [&](const TickBatch& ticks) {
    EXPECT_THAT(store->Transact([&](catalog::Database& database) {
      return AddCoverage(database, FactsOfAll(ticks));
    }),
                IsOk());
  };
  add(Trades({0, 10}));
  add(Trades({1000, 1010}));
  add(Trades({5, 20}, 2));  // another writer's are kept apart
  EXPECT_EQ(store.Ask("SELECT count(*) FROM coverage"), "3");
  add(Trades({300, 500, 720}));  // late: joins the first two of writer 1
  EXPECT_EQ(store.Ask("SELECT count(*) FROM coverage"), "2");
  EXPECT_EQ(store.Ask("SELECT ((end_time - start_time) / 1000000000) || ':' || tick_count FROM "
                      "coverage WHERE writer = 1"),
            "1010:7");
}

}  // namespace
}  // namespace lamina::ticks
