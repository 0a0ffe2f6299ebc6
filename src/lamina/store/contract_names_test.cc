#include "lamina/store/contract_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/store/store.h"

namespace lamina::store {
namespace {

using ::testing::HasSubstr;

class ContractNames : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::Open(io::PosixEnv(), folder_.File("store"), {.create = true});
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
    ASSERT_THAT(instruments().Add({{.instrument_id = 265598, .symbol = "AAPL", .calendar = "XNYS"},
                                   {.instrument_id = 7, .symbol = "BARE"},
                                   {.instrument_id = 8, .symbol = "ES", .calendar = "CMES"}}),
                IsOk());
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
}

}  // namespace
}  // namespace lamina::store
