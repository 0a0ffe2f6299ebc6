#include "lamina/store/contract_names.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/store/store.h"

namespace lamina::store {
namespace {

class ContractNames : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened =
        Store::Open(io::PosixEnv(), folder_.File("store"), {.read_only = false, .create = true});
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
    ASSERT_THAT(
        instruments().Add({Row(265598, "AAPL", "XNYS"), Row(7, "BARE", ""), Row(8, "ES", "CMES")}),
        IsOk());
  }
  static market::Instrument Row(std::int64_t id, std::string symbol, std::string calendar) {
    market::Instrument row;
    row.instrument_id = id;
    row.symbol = std::move(symbol);
    if (!calendar.empty()) row.calendar = std::move(calendar);
    return row;
  }
  Instruments& instruments() { return store_->instruments(); }

  io::TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(ContractNames, IdsNeedNoInstrument) {
  EXPECT_EQ(*ContractOf(instruments(), "AAPL"), 265598);
  EXPECT_EQ(*ContractOf(instruments(), "265598"), 265598);
  EXPECT_EQ(*ContractOf(instruments(), "#4294967297"), 4294967297);
  EXPECT_THAT(ContractOf(instruments(), "MSFT"), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(ContractOf(instruments(), "99999999999999999999"),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ContractOf(instruments(), ""), IsError(ErrorCode::kInvalidArgument));
}

TEST_F(ContractNames, SessionsComeFromTheInstrument) {
  const auto choose = [&](std::vector<std::int64_t> contracts, const char* calendar) {
    return SessionsOf(instruments(), contracts,
                      {.calendar = calendar, .session = "regular", .zone = {}});
  };
  EXPECT_EQ(choose({265598}, "")->calendar, "XNYS");
  EXPECT_EQ(choose({265598}, "XLON")->calendar, "XLON");
  EXPECT_THAT(choose({7}, ""), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(choose({99}, ""), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(choose({265598, 8}, ""), IsError(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(SessionsOf(instruments(), {99}, {})->empty());
  EXPECT_EQ(
      SessionsOfNames(instruments(), {"265598"}, {.calendar = "", .session = "regular", .zone = ""})
          ->calendar,
      "XNYS");
  EXPECT_THAT(
      SessionsOfNames(instruments(), {}, {.calendar = "", .session = "regular", .zone = ""}),
      IsError(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(SessionsOfNames(instruments(), {"no instrument"}, {})->empty());
  EXPECT_EQ(*SymbolOf(instruments(), 99), "99");
  EXPECT_NE(*SymbolOf(instruments(), 265598), "265598");
}

}  // namespace
}  // namespace lamina::store
