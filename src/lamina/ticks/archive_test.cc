#include "lamina/ticks/archive.h"

#include <set>
#include <tuple>

#include <arrow/table.h>
#include <gmock/gmock.h>

#include "lamina/ticks/day_statistics.h"
#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using test::OneKind;
using test::RandomTicks;
using test::TestCatalog;

void AddLog(TestCatalog& store, std::int64_t writer) {
  EXPECT_THAT(store->Transact([&](catalog::Database& database) {
    return database.Execute("INSERT INTO tick_log(writer, created_at) VALUES(" +
                            std::to_string(writer) + ", 0)");
  }),
              IsOk());
}

TickBatch ReadAll(TestCatalog& store, TickKind kind) {
  TickBatch ticks;
  std::optional<catalog::LakeTable> table;
  std::int64_t snapshot = 0;
  EXPECT_THAT(store->Read([&](catalog::Database& database) -> Status {
    catalog::LakeReader reader(database);
    LAMINA_ASSIGN(snapshot, reader.LatestSnapshot());
    LAMINA_ASSIGN(table, FindTickTable(reader, kind, snapshot));
    return Ok();
  }),
              IsOk());
  auto rows = store->ReadTable(*table, snapshot);
  EXPECT_THAT(rows, IsOk());
  auto back = FromArrow(kind, **rows);
  EXPECT_THAT(back, IsOk());
  return *std::move(back);
}

TEST(Archive, EveryTickOnceWithItsRows) {
  TestCatalog store;
  AddLog(store, 1);
  for (const TickKind kind : tick_log::kTickKinds) {
    const std::int64_t from = static_cast<std::int64_t>(kind) * 3000;
    const TickBatch ticks = RandomTicks(kind, 3000, 4, 3, 2, from);
    auto report = ArchiveTicks(*store, OneKind(ticks), LogAdvance{1, from, from + 3000, 0, 0});
    ASSERT_THAT(report, IsOk());
    EXPECT_EQ(report->ticks, 3000);
    EXPECT_EQ(report->files, 2);  // a day each
    const TickBatch back = ReadAll(store, kind);
    ASSERT_EQ(back.size(), ticks.size());
    std::set<std::int64_t> seqs;
    for (std::size_t i = 0; i < back.size(); ++i) {
      const auto row = static_cast<std::size_t>(back.seq[i] - from);
      EXPECT_TRUE(seqs.insert(back.seq[i]).second);
      EXPECT_EQ(std::tuple(back.contract_id[i], back.ts_ns[i], back.recv_ns[i], back.values[0][i]),
                std::tuple(ticks.contract_id[row], ticks.ts_ns[row], ticks.recv_ns[row],
                           ticks.values[0][row]));
    }
  }
  EXPECT_EQ(store.Ask("SELECT watermark FROM tick_log"), "9000");
  EXPECT_EQ(store.Ask("SELECT sum(tick_count) FROM tick_archives"), "9000");
  EXPECT_EQ(store.Ask("SELECT sum(tick_count) FROM coverage"), "9000");
  EXPECT_EQ(store.Ask("SELECT sum(total_ticks) FROM data_statistics"), "9000");
  EXPECT_EQ(store.Ask("SELECT count(*) FROM tick_archives a JOIN ducklake_data_file f ON "
                      "a.data_file_id=f.data_file_id AND a.begin_snapshot=f.begin_snapshot AND "
                      "a.file_path LIKE 'ticks/%/date=2024-07-0%/%.parquet' AND "
                      "a.file_path LIKE '%' || f.path AND a.file_size_bytes=f.file_size_bytes "
                      "AND a.compression_ratio BETWEEN 1 AND 100 AND "
                      "a.created_at > 1.7e15"),
            store.Ask("SELECT count(*) FROM tick_archives"));
}

TEST(Archive, TheFilesOfADayFollowEachOther) {
  TestCatalog one;
  const TickBatch ticks = RandomTicks(TickKind::kTrades, 2000, 11, 4, 2);
  ASSERT_THAT(ArchiveTicks(*one, OneKind(ticks), std::nullopt), IsOk());
  for (const std::size_t workers : {std::size_t{1}, std::size_t{3}}) {
    TestCatalog store;
    const ArchiveOptions options{.file_ticks = 300, .workers = workers};
    const auto report = ArchiveTicks(*store, OneKind(ticks), std::nullopt, options);
    ASSERT_THAT(report, IsOk());
    EXPECT_EQ(report->ticks, 2000);
    EXPECT_GE(report->files, 7);
    EXPECT_LE(report->files, 8);
    EXPECT_EQ(ReadAll(store, TickKind::kTrades).size(), 2000U);
    const char* const statistics =
        "SELECT group_concat(contract_id || tick_type || date || total_ticks || ' ' || "
        "unique_prices || ' ' || total_volume || ' ' || vwap || hex(evidence)) FROM "
        "data_statistics";
    EXPECT_EQ(store.Ask(statistics), one.Ask(statistics));
    // Files of a day share at most the contract in which one ends.
    EXPECT_LE(std::stoi(store.Ask("SELECT max(n) FROM (SELECT count(DISTINCT contract_id) AS n "
                                  "FROM tick_archives GROUP BY data_file_id)")),
              2);
    const char* const coverage =
        "SELECT group_concat(contract_id || tick_type || start_time || end_time || tick_count) "
        "FROM (SELECT * FROM coverage ORDER BY contract_id, tick_type, start_time)";
    EXPECT_EQ(store.Ask(coverage), one.Ask(coverage));
  }
}

TEST(Archive, TheWatermarkKeepsOneOfTwo) {
  TestCatalog store;
  AddLog(store, 1);
  const TickBatch ticks = RandomTicks(TickKind::kTrades, 100, 4);
  ASSERT_THAT(ArchiveTicks(*store, OneKind(ticks), LogAdvance{1, 0, 100, 0, 0}), IsOk());
  const std::string files = store.Ask("SELECT count(*) FROM ducklake_data_file");
  EXPECT_THAT(ArchiveTicks(*store, OneKind(ticks), LogAdvance{1, 0, 100, 0, 0}),
              IsError(ErrorCode::kConflict, testing::HasSubstr("another session")));
  EXPECT_EQ(store.Ask("SELECT count(*) FROM ducklake_data_file"), files);
  EXPECT_EQ(ReadAll(store, TickKind::kTrades).size(), 100u);
  auto orphans = store->RemoveOrphans(Nanos{INT64_MAX}, true);
  ASSERT_THAT(orphans, IsOk());
  EXPECT_TRUE(orphans->empty());
}

TEST(Archive, StatisticsEqualACountOfAll) {
  TestCatalog store;
  TickBatch all;
  DayStatistics expected;
  for (int part = 0; part < 4; ++part) {  // the same day four times: late merges
    const TickBatch ticks =
        RandomTicks(TickKind::kTrades, 500, static_cast<std::uint64_t>(part), 1);
    for (std::size_t i = 0; i < ticks.size(); ++i) {
      const double values[] = {ticks.values[0][i], ticks.values[1][i]};
      if (ticks.type[i] == TickType::kLast) expected.Add(TickType::kLast, ticks.ts_ns[i], values);
    }
    ASSERT_THAT(ArchiveTicks(*store, OneKind(ticks), std::nullopt), IsOk());
  }
  EXPECT_THAT(store->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(const auto rows, ReadStatistics(database, "tick_type = 'last'"));
    EXPECT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].total_ticks, expected.total_ticks());
    EXPECT_EQ(rows[0].unique_prices, expected.unique_prices());
    EXPECT_EQ(rows[0].vwap, expected.vwap(TickType::kLast));
    EXPECT_EQ(rows[0].total_volume, expected.total_volume(TickType::kLast));
    return Ok();
  }),
              IsOk());
}

TEST(Archive, FilesOfASpanAreFoundByTheIndex) {
  TestCatalog store;
  ASSERT_THAT(ArchiveTicks(*store, OneKind(RandomTicks(TickKind::kTrades, 100, 4, 3, 2)), {}),
              IsOk());
  const std::string find =
      "SELECT file_path, tick_count FROM tick_archives WHERE contract_id = 1 AND tick_type = "
      "'last' AND start_time < " +
      std::to_string(test::kStart + test::kDay) +
      " AND end_time >= " + std::to_string(test::kStart);
  EXPECT_TRUE(store.Ask(find).ends_with(".parquet"));
  std::string plan;
  ASSERT_THAT(store->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto explain, database.Prepare("EXPLAIN QUERY PLAN " + find));
    LAMINA_TRY(explain.Step());
    plan = explain.Text(3);
    return Ok();
  }),
              IsOk());
  EXPECT_THAT(plan, testing::HasSubstr("idx_contract_time (contract_id=? AND tick_type=? AND "
                                       "start_time<?)"));
}

TEST(Archive, NothingIsNotACommit) {
  TestCatalog store;
  ASSERT_THAT(CreateTickTables(*store), IsOk());
  const std::int64_t snapshot = *store->LatestSnapshot();
  auto report = ArchiveTicks(*store, OneKind(TickBatch()), std::nullopt);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->commits, 0);
  EXPECT_EQ(*store->LatestSnapshot(), snapshot);
}

}  // namespace
}  // namespace lamina::ticks
