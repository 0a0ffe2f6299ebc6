#include "lamina/market/instrument.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::market {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Micros At(std::string_view text) { return *ParseTime(text); }

Instrument Row(std::int64_t id, std::string symbol, std::optional<std::string> venue = {},
               const char* from = nullptr, const char* to = nullptr) {
  Instrument row;
  row.instrument_id = id;
  row.symbol = std::move(symbol);
  row.venue = std::move(venue);
  if (from != nullptr) row.valid_from = At(from);
  if (to != nullptr) row.valid_to = At(to);
  return row;
}

TEST(InstrumentTest, ChecksEveryField) {
  struct Case {
    const char* message;
    void (*spoil)(Instrument&);
  };
  const Case cases[] = {
      {"instrument_id is negative", [](Instrument& i) { i.instrument_id = -1; }},
      {"symbol is empty", [](Instrument& i) { i.symbol = ""; }},
      {"control character", [](Instrument& i) { i.symbol = "A\nB"; }},
      {"# in front or an @", [](Instrument& i) { i.symbol = "#7"; }},
      {"# in front or an @", [](Instrument& i) { i.symbol = "A@B"; }},
      {"more than 128 bytes", [](Instrument& i) { i.symbol = std::string(200, 'x'); }},
      {"begins or ends with a space", [](Instrument& i) { i.symbol = " A"; }},
      {"venue is empty", [](Instrument& i) { i.venue = ""; }},
      {"currency is empty", [](Instrument& i) { i.currency = ""; }},
      {"tick_size must be", [](Instrument& i) { i.tick_size = 0; }},
      {"tick_size must be",
       [](Instrument& i) { i.tick_size = std::numeric_limits<double>::quiet_NaN(); }},
      {"multiplier must be",
       [](Instrument& i) { i.multiplier = std::numeric_limits<double>::infinity(); }},
      {"no calendar 'NISE'", [](Instrument& i) { i.calendar = "NISE"; }},
      {"need a calendar", [](Instrument& i) { i.trading_hours = "20250110:CLOSED"; }},
      {"no time zone",
       [](Instrument& i) {
         i.calendar = "NYSE";
         i.trading_hours = "20250110:CLOSED";
         i.time_zone = "Mars";
       }},
      {"trading hours '20250110'",
       [](Instrument& i) {
         i.calendar = "NYSE";
         i.trading_hours = "20250110";
       }},
      {"is not after valid_from", [](Instrument& i) { i.valid_from = i.valid_to = Micros{5}; }},
  };
  for (const auto& c : cases) {
    Instrument row = Row(1, "A");
    c.spoil(row);
    EXPECT_THAT(CheckInstrument(row), IsError(ErrorCode::kInvalidArgument, HasSubstr(c.message)));
  }
  Instrument good = Row(std::numeric_limits<std::int64_t>::max(), "BRK B", "XNYS");
  good.calendar = "nyse";
  good.trading_hours = "20250110:0930-20250110:1600";
  EXPECT_THAT(CheckInstrument(good), IsOk());
  EXPECT_EQ(good.calendar, "XNYS");  // the calendar's own name
}

TEST(InstrumentTest, ResolvesOverTime) {
  // A future that rolls, a symbol that changed, one symbol at two venues, digits as a symbol.
  const std::vector<Instrument> rows = {
      Row(101, "MNQ", "CME", nullptr, "2025-03-21"),
      Row(102, "MNQ", "CME", "2025-03-21", "2025-06-20"),
      Row(7, "FB", {}, nullptr, "2022-06-09"),
      Row(7, "META", {}, "2022-06-09", nullptr),
      Row(20, "SHEL", "XLON"),
      Row(21, "SHEL", "XNYS"),
      Row(7203, "TM"),
      Row(30, "7203", "XTKS"),
      Row(40, "9984", "XTKS"),
  };
  struct Case {
    const char* name;
    const char* at;
    std::int64_t id;
    const char* symbol;
  };
  for (const auto& c : {
           Case{"MNQ", "2025-03-20T23:59:59.999999Z", 101, "MNQ"},
           Case{"MNQ", "2025-03-21", 102, "MNQ"},
           Case{"102", "2025-04-01", 102, "MNQ"},
           Case{"FB", "2020-01-01", 7, "FB"},
           Case{"META", "2025-01-01", 7, "META"},
           Case{"7", "2020-01-01", 7, "FB"},
           Case{"#7", "2025-01-01", 7, "META"},
           Case{"SHEL@XLON", "2025-01-01", 20, "SHEL"},
           Case{"#7203", "2025-01-01", 7203, "TM"},
           Case{"7203@XTKS", "2025-01-01", 30, "7203"},
           Case{"9984", "2025-01-01", 40, "9984"},
       }) {
    const auto found = ResolveInstrument(rows, c.name, At(c.at));
    ASSERT_THAT(found, IsOk()) << c.name;
    EXPECT_EQ(found->instrument_id, c.id) << c.name;
    EXPECT_EQ(found->symbol, c.symbol) << c.name;
  }
  EXPECT_THAT(ResolveInstrument(rows, "SHEL", At("2025-01-01")),
              IsError(ErrorCode::kInvalidArgument,
                      AllOf(HasSubstr("20 SHEL@XLON"), HasSubstr("21 SHEL@XNYS"))));
  EXPECT_THAT(ResolveInstrument(rows, "7203", At("2025-01-01")),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("several")));
  EXPECT_THAT(ResolveInstrument(rows, "MNQ", At("2025-07-01")),
              IsError(ErrorCode::kNotFound, HasSubstr("not valid at 2025-07-01")));
  EXPECT_THAT(ResolveInstrument(rows, "MNK", At("2025-03-01")),
              IsError(ErrorCode::kNotFound, HasSubstr("did you mean `MNQ`")));
  EXPECT_THAT(ResolveInstrument(rows, "", At("2025-03-01")), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ResolveInstrument(rows, "#x", At("2025-03-01")),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ResolveInstrument({}, "99999999999999999999", At("2025-03-01")),
              IsError(ErrorCode::kNotFound));
}

TEST(InstrumentTest, RefusesWhatWouldBeAmbiguous) {
  const std::vector<Instrument> rows = {Row(1, "ES", "CME", "2025-01-01", "2025-03-21")};
  EXPECT_THAT(CheckNoOverlap(rows, Row(2, "ES", "CME", "2025-03-21")), IsOk());
  EXPECT_THAT(CheckNoOverlap(rows, Row(2, "ES", "OTHER")), IsOk());
  EXPECT_THAT(CheckNoOverlap(rows, Row(1, "ES2", "CME", "2025-03-21")), IsOk());
  EXPECT_THAT(CheckNoOverlap(rows, Row(2, "ES", "CME", "2025-03-20")),
              IsError(ErrorCode::kAlreadyExists, HasSubstr("same symbol and venue")));
  EXPECT_THAT(CheckNoOverlap(rows, Row(1, "NQ", "CME")),
              IsError(ErrorCode::kAlreadyExists, HasSubstr("same id")));
}

}  // namespace
}  // namespace lamina::market
