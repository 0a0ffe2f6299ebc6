#include "lamina/ticks/void_ticks.h"

#include <arrow/table.h>
#include <gmock/gmock.h>

#include "lamina/catalog/row_digest.h"
#include "lamina/ticks/archive.h"
#include "lamina/ticks/count_days.h"
#include "lamina/ticks/fold_days.h"
#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using test::RandomTicks;
using test::TestCatalog;
using testing::HasSubstr;
using testing::IsEmpty;

void Fill(TestCatalog& store) {
  for (int part = 0; part < 2; ++part) {
    TickBatches ticks;
    ticks[0] =
        RandomTicks(TickKind::kTrades, 400, 5 + static_cast<std::uint64_t>(part), 2, 2, part * 800);
    ticks[1] = RandomTicks(TickKind::kQuotes, 400, 6 + static_cast<std::uint64_t>(part), 2, 2,
                           part * 800 + 400);
    ASSERT_THAT(ArchiveTicks(*store, std::move(ticks), std::nullopt), IsOk());
  }
}

std::shared_ptr<arrow::Table> Rows(TestCatalog& store, TickKind kind, std::int64_t snapshot) {
  std::optional<catalog::LakeTable> table;
  EXPECT_THAT(store->Read([&](catalog::Database& database) -> Status {
    catalog::LakeReader reader(database);
    LAMINA_ASSIGN(table, FindTickTable(reader, kind, snapshot));
    return Ok();
  }),
              IsOk());
  return *store->ReadTable(*table, snapshot);
}

VoidRequest Morning() {
  VoidRequest request;
  request.contract_id = 1;
  request.begin_ns = test::kStart;
  request.end_ns = test::kStart + test::kDay / 2;
  request.reason = "busted by the exchange";
  request.author = "desk";
  return request;
}

TEST(VoidTicks, TakesOutWhatMatchesAndNothingElse) {
  TestCatalog store;
  Fill(store);
  const std::int64_t before = *store->LatestSnapshot();
  const auto trades = Rows(store, TickKind::kTrades, before);
  std::int64_t expected = 0;
  for (const TickKind kind : {TickKind::kTrades, TickKind::kQuotes}) {
    const TickBatch ticks = *FromArrow(kind, *Rows(store, kind, before));
    for (std::size_t i = 0; i < ticks.size(); ++i)
      expected += ticks.contract_id[i] == 1 && ticks.ts_ns[i] < test::kStart + test::kDay / 2;
  }
  VoidRequest request = Morning();
  request.dry_run = true;
  auto report = VoidTicks(*store, request);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->ticks, expected);
  EXPECT_EQ(*store->LatestSnapshot(), before);
  request.dry_run = false;
  report = VoidTicks(*store, request);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->ticks, expected);
  for (const TickKind kind : {TickKind::kTrades, TickKind::kQuotes}) {
    const TickBatch ticks = *FromArrow(kind, *Rows(store, kind, report->snapshot));
    for (std::size_t i = 0; i < ticks.size(); ++i)
      EXPECT_TRUE(ticks.contract_id[i] != 1 || ticks.ts_ns[i] >= test::kStart + test::kDay / 2);
  }
  EXPECT_EQ(Rows(store, TickKind::kTrades, before)->num_rows(), 800);  // the old snapshot is whole
  EXPECT_THAT(*CheckStatistics(*store), IsEmpty());
  // Again there is nothing to take out, and folding keeps what is left.
  EXPECT_THAT(VoidTicks(*store, Morning()), IsError(ErrorCode::kNotFound));
  ASSERT_THAT(FoldTickDays(*store, {.open_day = 30'000}), IsOk());
  EXPECT_THAT(*CheckStatistics(*store), IsEmpty());
  // Undone, all is as it was.
  auto undone = UndoVoid(*store, report->void_id, "it stood after all");
  ASSERT_THAT(undone, IsOk());
  EXPECT_EQ(*catalog::DigestRows(*Rows(store, TickKind::kTrades, undone->snapshot)),
            *catalog::DigestRows(*trades));
  EXPECT_THAT(*CheckStatistics(*store), IsEmpty());
  EXPECT_THAT(UndoVoid(*store, report->void_id, "again"), IsError(ErrorCode::kConflict));
  const auto voids = ReadVoids(*store);
  ASSERT_EQ(voids->size(), 1u);
  EXPECT_EQ((*voids)[0].request.reason, "busted by the exchange");
  EXPECT_TRUE((*voids)[0].undone);
}

TEST(VoidTicks, ByPrice) {
  TestCatalog store;
  Fill(store);
  VoidRequest request = Morning();
  request.type = TickType::kLast;
  request.end_ns = test::kStart + 3 * test::kDay;
  request.low_price = 150;
  auto report = VoidTicks(*store, request);
  ASSERT_THAT(report, IsOk());
  const TickBatch ticks =
      *FromArrow(TickKind::kTrades, *Rows(store, TickKind::kTrades, report->snapshot));
  std::int64_t others = 0;
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    if (ticks.contract_id[i] == 1 && ticks.type[i] == TickType::kLast) {
      EXPECT_GE(ticks.values[0][i], 150);
    } else {
      others += ticks.values[0][i] < 150;
    }
  }
  EXPECT_GT(others, 0);
  EXPECT_THAT(*CheckStatistics(*store), IsEmpty());
}

TEST(VoidTicks, RefusesWhatHasNoReasonOrSpan) {
  TestCatalog store;
  VoidRequest request = Morning();
  request.reason.clear();
  EXPECT_THAT(VoidTicks(*store, request),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("reason")));
  request = Morning();
  request.end_ns = request.begin_ns;
  EXPECT_THAT(VoidTicks(*store, request), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(VoidTicks(*store, Morning()), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(UndoVoid(*store, 7, "x"), IsError(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace lamina::ticks
