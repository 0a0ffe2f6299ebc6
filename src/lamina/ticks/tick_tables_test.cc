#include "lamina/ticks/tick_tables.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gmock/gmock.h>

#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using test::RandomTicks;
using test::TestCatalog;

std::vector<std::string> Texts(const tick_log::TextColumn& column, std::size_t rows) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < rows; ++i) texts.emplace_back(column.at(i));
  return texts;
}

TEST(TickTables, RowsComeBackAsTheyWent) {
  for (const TickKind kind : tick_log::kTickKinds) {
    const TickBatch ticks = RandomTicks(kind, 500, 7);
    auto batch = ToArrow(ticks);
    ASSERT_THAT(batch, IsOk());
    EXPECT_TRUE((*batch)->schema()->Equals(*TickArrowSchema(kind), true));
    ASSERT_TRUE((*batch)->ValidateFull().ok());
    const auto table = *arrow::Table::FromRecordBatches({*batch});
    auto back = FromArrow(kind, *table);
    ASSERT_THAT(back, IsOk());
    EXPECT_EQ(back->contract_id, ticks.contract_id);
    EXPECT_EQ(back->type, ticks.type);
    EXPECT_EQ(back->ts_ns, ticks.ts_ns);
    EXPECT_EQ(back->recv_ns, ticks.recv_ns);
    EXPECT_EQ(back->writer, ticks.writer);
    EXPECT_EQ(back->seq, ticks.seq);
    EXPECT_EQ(back->values, ticks.values);
    EXPECT_EQ(back->flags, ticks.flags);
    EXPECT_EQ(back->request_id, ticks.request_id);
    EXPECT_EQ(Texts(back->exchange, 500), Texts(ticks.exchange, 500));
    EXPECT_EQ(Texts(back->conditions, 500), Texts(ticks.conditions, 500));
    EXPECT_EQ(Texts(back->source, 500), Texts(ticks.source, 500));
    EXPECT_EQ(Texts(back->extra, 500), Texts(ticks.extra, 500));
  }
}

TEST(TickTables, WhatIsAbsentStaysAbsent) {
  TickBatch ticks = RandomTicks(TickKind::kTrades, 10, 1);
  ticks.flags.clear();
  ticks.request_id.clear();
  for (auto* column : {&ticks.exchange, &ticks.conditions, &ticks.extra}) *column = {};
  auto batch = ToArrow(ticks);
  ASSERT_THAT(batch, IsOk());
  auto back = FromArrow(TickKind::kTrades, **arrow::Table::FromRecordBatches({*batch}));
  ASSERT_THAT(back, IsOk());
  EXPECT_TRUE(back->flags.empty());
  EXPECT_TRUE(back->request_id.empty());
  EXPECT_TRUE(back->exchange.codes.empty());
  EXPECT_TRUE(back->extra.codes.empty());
}

TEST(TickTables, RefuseWhatIsNoTick) {
  TickBatch ticks = RandomTicks(TickKind::kTrades, 10, 1);
  ticks.seq.pop_back();
  EXPECT_THAT(ToArrow(ticks), IsError(ErrorCode::kInvalidArgument));
  ticks = RandomTicks(TickKind::kTrades, 10, 1);
  ticks.type[3] = TickType::kBidAsk;
  EXPECT_THAT(ToArrow(ticks), IsError(ErrorCode::kInvalidArgument));
  ticks = RandomTicks(TickKind::kTrades, 10, 1);
  ticks.exchange.codes[2] = 9;
  EXPECT_THAT(ToArrow(ticks), IsError(ErrorCode::kInvalidArgument));
  ticks = RandomTicks(TickKind::kTrades, 10, 1);
  ticks.contract_id[4] = 0;
  auto batch = ToArrow(ticks);
  ASSERT_THAT(batch, IsOk());
  const auto table = *arrow::Table::FromRecordBatches({*batch});
  EXPECT_THAT(FromArrow(TickKind::kTrades, *table), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(FromArrow(TickKind::kQuotes, *table), IsError(ErrorCode::kCorruption));
}

TEST(TickTables, DaysAreOfUtc) {
  EXPECT_EQ(TickDay(test::kStart), 19'906);
  EXPECT_EQ(TickDay(test::kStart - 1), 19'905);
  EXPECT_EQ(TickDay(-1), -1);
  EXPECT_EQ(TickDay(0), 0);
}

TEST(TickTables, AreMadeOnceAndFound) {
  TestCatalog store;
  for (int round = 0; round < 2; ++round) {
    auto commit = store->BeginCommit("tables");
    ASSERT_THAT(commit, IsOk());
    auto snapshot =
        (*commit)->Finish([](catalog::Database& database, catalog::LakeWriter& writer) -> Status {
          for (const TickKind kind : tick_log::kTickKinds)
            LAMINA_TRY(FindOrCreateTickTable(database, writer, kind));
          return Ok();
        });
    ASSERT_THAT(snapshot, IsOk());
    EXPECT_THAT(store->Read([&](catalog::Database& database) -> Status {
      catalog::LakeReader reader(database);
      LAMINA_ASSIGN(const auto quotes, FindTickTable(reader, TickKind::kQuotes, *snapshot));
      EXPECT_TRUE(quotes.has_value());
      EXPECT_EQ(quotes->directory, "ticks/quotes/");
      EXPECT_EQ(quotes->columns.size(), TickTableColumns(TickKind::kQuotes).size());
      LAMINA_ASSIGN(const auto before, FindTickTable(reader, TickKind::kQuotes, 0));
      EXPECT_FALSE(before.has_value());
      LAMINA_ASSIGN(const auto tables, reader.Tables(*snapshot));
      EXPECT_EQ(tables.size(), 3u);
      LAMINA_ASSIGN(const auto marks, ReadWatermarks(database));
      EXPECT_TRUE(marks.empty());
      return Ok();
    }),
                IsOk());
  }
}

}  // namespace
}  // namespace lamina::ticks
