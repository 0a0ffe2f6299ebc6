#include "lamina/store/instruments.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/store/store.h"

namespace lamina::store {
namespace {

using market::Instrument;
using ::testing::HasSubstr;

class InstrumentsTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }
  void Open(bool read_only = false) {
    store_.reset();
    StoreOptions options;
    options.create = !read_only;
    options.read_only = read_only;
    auto opened = Store::Open(io::PosixEnv(), folder_.File("s"), options);
    if (!opened.ok()) {
      options.create = false;
      opened = Store::Open(io::PosixEnv(), folder_.File("s"), options);
    }
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }
  Instruments& all() { return store_->instruments(); }
  std::string Csv(const std::string& text) {
    const std::string path = folder_.File("i.csv");
    EXPECT_THAT(io::PosixEnv().WriteFileAtomically(path, text), IsOk());
    return path;
  }
  static Instrument Row(std::int64_t id, std::string symbol) {
    Instrument row;
    row.instrument_id = id;
    row.symbol = std::move(symbol);
    return row;
  }

  io::TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(InstrumentsTest, AreKeptFieldByField) {
  Instrument full = Row((1LL << 62) + 1, "MNQ");
  full.venue = "CME";
  full.currency = "USD";
  full.tick_size = 0.25;
  full.multiplier = 2;
  full.calendar = "CME_Equity";
  full.trading_hours = "20250110:1700-1515,1530-1600";
  full.time_zone = "US/Central";
  full.valid_from = *ParseTime("2024-12-20T14:30:00Z");
  full.valid_to = *ParseTime("2025-03-21T13:30:00Z");
  const auto added = all().Add({full, Row(265598, "AAPL")});
  ASSERT_THAT(added, IsOk());
  EXPECT_EQ(added->added, 2);
  Open(true);
  const auto rows = all().List();
  ASSERT_THAT(rows, IsOk());
  ASSERT_EQ(rows->size(), 2u);
  full.calendar = "CMES";
  EXPECT_EQ((*rows)[0], Row(265598, "AAPL"));
  EXPECT_EQ((*rows)[1], full);
  EXPECT_EQ(*all().Get("MNQ", *ParseTime("2025-01-10")), full);
  EXPECT_EQ(all().Get("#265598")->symbol, "AAPL");
  EXPECT_THAT(all().Add({Row(1, "A")}), IsError(ErrorCode::kUnsupported));
}

TEST_F(InstrumentsTest, AddingAgainIsHarmlessAndReplacingIsAsked) {
  Instrument apple = Row(265598, "AAPL");
  ASSERT_THAT(all().Add({apple}), IsOk());
  const auto snapshots = store_->Snapshots()->size();
  const auto again = all().Add({apple});
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->unchanged, 1);
  EXPECT_EQ(store_->Snapshots()->size(), snapshots);

  const std::int64_t before = *store_->catalog().LatestSnapshot();
  apple.tick_size = 0.01;
  EXPECT_THAT(all().Add({apple}), IsError(ErrorCode::kAlreadyExists, HasSubstr("same id")));
  const auto replaced = all().Add({apple}, true);
  ASSERT_THAT(replaced, IsOk());
  EXPECT_EQ(replaced->replaced, 1);
  EXPECT_EQ(replaced->added, 0);
  EXPECT_EQ(*all().List(), std::vector<Instrument>{apple});
  EXPECT_EQ(*all().List(before), std::vector<Instrument>{Row(265598, "AAPL")});
}

TEST_F(InstrumentsTest, OneBadRowMeansNone) {
  EXPECT_THAT(all().Add({Row(1, "A"), Row(2, "")}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(all().Add({Row(1, "A"), Row(2, "A")}), IsError(ErrorCode::kAlreadyExists));
  EXPECT_TRUE(all().List()->empty());
}

TEST_F(InstrumentsTest, ImportsCsv) {
  const auto path = Csv("instrument_id,symbol,venue,valid_to\n1,ES,CME,2025-03-21\n2,NQ,CME,\n");
  const auto added = all().ImportCsv(path);
  ASSERT_THAT(added, IsOk());
  EXPECT_EQ(added->added, 2);
  EXPECT_EQ(all().ImportCsv(path)->unchanged, 2);
  EXPECT_THAT(all().ImportCsv(Csv("instrument_id,symbol,venue\n3,YM,CME\n4,NQ,CME\n")),
              IsError(ErrorCode::kAlreadyExists, HasSubstr("i.csv:3: 4 NQ@CME overlaps")));
  EXPECT_THAT(all().ImportCsv(Csv("instrument_id,symbol\n3,YM\nx,NQ\n")),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("i.csv:3: instrument_id")));
  EXPECT_EQ(all().List()->size(), 2u);
  EXPECT_THAT(all().ImportCsv(folder_.File("none.csv")), IsError(ErrorCode::kNotFound));
}

TEST_F(InstrumentsTest, WritersAtOnceLeaveNoOverlap) {
  std::vector<std::thread> threads;
  std::atomic<int> won{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto added = all().Add({Row(100 + i, "ES")});
      if (added.ok()) {
        ++won;
      } else {
        EXPECT_THAT(added, IsError(ErrorCode::kAlreadyExists));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(all().List()->size(), 1u);
}

TEST_F(InstrumentsTest, CalendarHasTheOwnHours) {
  Instrument row = Row(1, "A");
  EXPECT_THAT(Instruments::CalendarOf(row), IsError(ErrorCode::kNotFound));
  row.calendar = "XNYS";
  row.trading_hours = "20250109:1000-20250109:1100";
  row.time_zone = "EST (Eastern Standard Time)";
  const auto calendar = Instruments::CalendarOf(row);
  ASSERT_THAT(calendar, IsOk());
  const auto session = (*calendar)->SessionBoundaries(*market::ParseDay("2025-01-09"));
  ASSERT_THAT(session, IsOk());
  EXPECT_EQ(session->close.value - session->open.value, 3'600'000'000'000);
}

}  // namespace
}  // namespace lamina::store
