#include "lamina/ticks/recorder.h"

#include <gmock/gmock.h>

#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using test::OneKind;
using test::RandomTicks;
using test::TestCatalog;

RecorderOptions Quiet(std::string producer = "") {
  RecorderOptions options;
  options.log.durability = tick_log::Durability::kOs;
  options.log.background = false;
  options.log.producer = std::move(producer);
  options.archive_in_background = false;
  return options;
}

TEST(Recorder, EachHasANumberOfItsOwn) {
  TestCatalog store;
  auto first = TickRecorder::Open(*store, {}, Quiet());
  auto second = TickRecorder::Open(*store, {}, Quiet());
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ((*first)->writer().writer(), 1);
  EXPECT_EQ((*second)->writer().writer(), 2);
  ASSERT_THAT((*first)->Close(), IsOk());
  ASSERT_THAT((*first)->Close(), IsOk());
  EXPECT_EQ(store.Ask("SELECT group_concat(writer || (closed_at IS NULL)) FROM tick_recording"),
            "10,21");
}

TEST(Recorder, AProducerGoesOnWithItsLog) {
  TestCatalog store;
  std::int64_t writer = 0;
  {
    auto recorder = TickRecorder::Open(*store, {}, Quiet("feed"));
    ASSERT_THAT(recorder, IsOk());
    writer = (*recorder)->writer().writer();
    ASSERT_THAT((*recorder)->writer().Append(OneKind(RandomTicks(TickKind::kTrades, 10, 1)), {}, 5),
                IsOk());
    // While it lives, another one of the same producer gets another log.
    auto other = TickRecorder::Open(*store, {}, Quiet("feed"));
    ASSERT_THAT(other, IsOk());
    EXPECT_NE((*other)->writer().writer(), writer);
    ASSERT_THAT((*other)->Close(), IsOk());
    ASSERT_THAT(store->Transact([](catalog::Database& database) {
      return database.Execute("DELETE FROM tick_log WHERE writer = 2");
    }),
                IsOk());
  }
  auto again = TickRecorder::Open(*store, {}, Quiet("feed"));
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ((*again)->writer().writer(), writer);
  auto ack = (*again)->writer().Append(OneKind(RandomTicks(TickKind::kTrades, 10, 1)), {}, 5);
  ASSERT_THAT(ack, IsOk());
  EXPECT_TRUE(ack->repeated);
}

TEST(Recorder, UpkeepArchivesAndTheThreadStopsAtOnce) {
  TestCatalog store;
  RecorderOptions options = Quiet();
  options.archive_in_background = true;
  auto recorder = TickRecorder::Open(*store, {}, options);
  ASSERT_THAT(recorder, IsOk());
  ASSERT_THAT((*recorder)->writer().Append(OneKind(RandomTicks(TickKind::kTrades, 10, 1))), IsOk());
  ASSERT_THAT((*recorder)->writer().Seal(), IsOk());
  ASSERT_THAT(RunTickUpkeep(*store, {}, {.due = false}), IsOk());  // too little for that
  EXPECT_EQ(store.Ask("SELECT watermark FROM tick_log"), "0");
  ASSERT_THAT(RunTickUpkeep(*store, {}, {.due = true}), IsOk());
  EXPECT_EQ(store.Ask("SELECT watermark FROM tick_log"), "10");
  EXPECT_EQ((*recorder)->archive_error(), "");
  auto event = (*recorder)->Event({.kind = "subscribed", .start_ns = 5, .reason = {}});
  ASSERT_THAT(event, IsOk());
  EXPECT_EQ(store.Ask("SELECT writer FROM tick_event"), "1");
  ASSERT_THAT((*recorder)->Close(), IsOk());
}

}  // namespace
}  // namespace lamina::ticks
