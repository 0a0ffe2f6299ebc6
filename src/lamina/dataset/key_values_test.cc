#include "lamina/dataset/key_values.h"

#include <gmock/gmock.h>

#include "lamina/dataset/dataset_test_support.h"

namespace lamina::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class KeyValuesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"EUR_USD", "GBP_USD"}) {
      ASSERT_THAT(store_.datasets().Save("ohlcv", *test::Bars({0, 1}), test::Of(name)), IsOk());
    }
    SaveOptions daily = test::Of("AUD_USD");
    daily.prepare.constants[1].value = std::string("1d");
    ASSERT_THAT(store_.datasets().Save("ohlcv", *test::Bars({24 * 400}), daily), IsOk());
  }
  Status Check(const LoadRequest& request) {
    const auto loaded = store_.datasets().Load("ohlcv", request);
    EXPECT_THAT(loaded, IsOk());
    return CheckKeysKnown(store_.datasets(), "ohlcv", request, **loaded);
  }
  Result<std::vector<std::string>> Values(const char* column, const LoadRequest& request = {}) {
    return KeyValues(store_.datasets(), "ohlcv", column, request);
  }

  test::TestStore store_;
};

TEST_F(KeyValuesTest, AreThoseOfTheRequest) {
  EXPECT_THAT(*Values("instrument"), ElementsAre("AUD_USD", "EUR_USD", "GBP_USD"));
  EXPECT_THAT(*Values("timeframe"), ElementsAre("1d", "1h"));
  LoadRequest request;
  request.time.end = test::At(100);
  EXPECT_THAT(*Values("instrument", request), ElementsAre("EUR_USD", "GBP_USD"));
  request.keys = {{"instrument", {"GBP_USD", "AUD_USD"}}};
  EXPECT_THAT(*Values("instrument", request), ElementsAre("GBP_USD"));
  EXPECT_THAT(*Values("timeframe", request), ElementsAre("1h"));
  request.time.start = request.time.end;
  EXPECT_THAT(*Values("instrument", request), IsEmpty());
  EXPECT_THAT(Values("close"), IsError(ErrorCode::kUnsupported));
  EXPECT_THAT(Values("closs"), IsError(ErrorCode::kNotFound));
}

TEST_F(KeyValuesTest, WhatNoRowHasIsNamedWithWhatIsNear) {
  EXPECT_THAT(Check({}), IsOk());
  LoadRequest request;
  request.keys = {{"instrument", {"EURUSD"}}};
  EXPECT_THAT(Check(request), IsError(ErrorCode::kNotFound,
                                      HasSubstr("no instrument 'EURUSD'; did you mean `EUR_USD`")));
  request.keys = {{"instrument", {"GBP_USD", "XAG"}}};
  EXPECT_THAT(Check(request), IsError(ErrorCode::kNotFound, HasSubstr("'XAG'; there are AUD_USD")));
  // Known, but without a row in the range: an answer like another.
  request.keys = {{"instrument", {"AUD_USD", "GBP_USD"}}};
  request.time.end = test::At(100);
  EXPECT_THAT(Check(request), IsOk());
  request.columns = std::vector<std::string>{"close"};  // which does not say whose it is
  EXPECT_THAT(Check(request), IsOk());
  request.keys = {{"instrument", {"GBP_USD", "XAG"}}};
  EXPECT_THAT(Check(request), IsError(ErrorCode::kNotFound, HasSubstr("'XAG'")));
  request.keys = {{"instrument", {"AUD_USD", "GBP_USD"}}};
  request.time.start = request.time.end;
  EXPECT_THAT(Check(request), IsOk());
}

TEST_F(KeyValuesTest, OfATimeframeThoseOfTheInstrument) {
  LoadRequest request;
  request.keys = {{"instrument", {"EUR_USD"}}, {"timeframe", {"1d"}}};
  EXPECT_THAT(Check(request), IsError(ErrorCode::kNotFound, HasSubstr("'1d'")));
  request.keys[0].values = {"AUD_USD"};
  EXPECT_THAT(Check(request), IsOk());
}

TEST_F(KeyValuesTest, AnOldSnapshotKnowsItsOwn) {
  LoadRequest request;
  request.snapshot = *store_.catalog().LatestSnapshot();
  ASSERT_THAT(store_.datasets().Save("ohlcv", *test::Bars({5}), test::Of("USD_JPY")), IsOk());
  request.keys = {{"instrument", {"USD_JPY"}}};
  EXPECT_THAT(Check(request), IsError(ErrorCode::kNotFound, HasSubstr("USD_JPY")));
  request.snapshot.reset();
  EXPECT_THAT(Check(request), IsOk());
}

}  // namespace
}  // namespace lamina::dataset
