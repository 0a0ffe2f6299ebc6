#include <gmock/gmock.h>

#include "lamina/backtests/import_batch.h"
#include "lamina/backtests/store_test_support.h"
#include "lamina/io/faulty_env.h"

namespace lamina::backtests {
namespace {

using test::Prices;
using test::SmallDocument;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kPrices = "prices of a day";
const std::string kHash = Sha256(kPrices).Hex();

class PrepareTest : public testing::Test {
 protected:
  void SetUp() override { test::WriteTo(folder_.File("ohlcv/" + kHash + ".parquet"), kPrices); }
  Result<PreparedBacktest> Prepare(const Prices& prices, io::Env& env = io::PosixEnv()) {
    Provenance provenance;
    provenance.handle = "a";
    provenance.path = folder_.File("a.iafbt");
    provenance.version = 2;
    return PrepareDocument(env, provenance, SmallDocument("t", {{.window = "w"}}, prices));
  }

  io::TemporaryFolder folder_;
};

TEST_F(PrepareTest, PricesBesideTheBundleBecomeChunksOnce) {
  const auto backtest =
      Prepare({"ohlcv", {{"A:1h", kHash + ".parquet"}, {"B:1h", kHash + ".parquet"}}});
  ASSERT_THAT(backtest, IsOk());
  EXPECT_THAT(backtest->warnings, IsEmpty());
  ASSERT_EQ(backtest->prices.size(), 1U);
  EXPECT_EQ(backtest->prices[0].id.sha256.Hex(), kHash);
  // The folder that the document names is gone, and the file lies beside the bundle.
  test::WriteTo(folder_.File(kHash + ".parquet"), kPrices);
  EXPECT_EQ(Prepare({"elsewhere", {{"A:1h", kHash + ".parquet"}}})->prices.size(), 1U);
}

TEST_F(PrepareTest, WhatIsNotThePricesIsAWarning) {
  const std::string other = Sha256("others").Hex();
  test::WriteTo(folder_.File("ohlcv/" + other + ".parquet"), "changed since");
  const struct {
    std::string name;
    const char* warning;
  } cases[] = {{"prices.parquet", "not a SHA-256"},
               {other + ".parquet", "does not match its name"},
               {Sha256("nowhere").Hex() + ".parquet", "not stored"}};
  for (const auto& one : cases) {
    const auto backtest = Prepare({"ohlcv", {{"A:1h", one.name}}});
    ASSERT_THAT(backtest, IsOk()) << one.name;
    EXPECT_THAT(backtest->warnings,
                ElementsAre(testing::AllOf(HasSubstr("'A:1h'"), HasSubstr(one.warning))));
    EXPECT_THAT(backtest->prices, IsEmpty());
  }
}

/// Storing it without them would lose them for good.
TEST_F(PrepareTest, ADiskInTroubleIsNoReasonToLeavePricesOut) {
  io::FaultyEnv env(io::PosixEnv());
  io::Fault fault;
  fault.at = 1;
  fault.and_all_after = true;
  fault.operations = {io::Operation::kRead};
  env.SetFault(fault);
  EXPECT_THAT(Prepare({"ohlcv", {{"A:1h", kHash + ".parquet"}}}, env),
              IsError(ErrorCode::kIo, HasSubstr("A:1h")));
}

TEST_F(PrepareTest, ADocumentWithoutAFileIsItsOwnFile) {
  Provenance provenance;
  provenance.handle = "a";
  provenance.version = 2;
  const std::string document = SmallDocument("t", {{.window = "w"}, {.window = "x"}});
  const auto backtest = PrepareDocument(io::PosixEnv(), provenance, document, {"said before"});
  ASSERT_THAT(backtest, IsOk());
  EXPECT_EQ(backtest->provenance.file_bytes, static_cast<std::int64_t>(document.size()));
  EXPECT_EQ(backtest->provenance.file_sha256, Sha256(document));
  EXPECT_THAT(backtest->warnings, ElementsAre("said before"));
  EXPECT_EQ(backtest->algorithm_id, "small");
  EXPECT_EQ(backtest->tag, "t");
  EXPECT_EQ(backtest->snapshot_rows(), 6);
  ASSERT_FALSE(backtest->index_rows.empty());
  EXPECT_EQ(backtest->index_rows[0].bundle_size, static_cast<std::int64_t>(document.size()));
  provenance.handle = "../a";
  EXPECT_THAT(PrepareDocument(io::PosixEnv(), provenance, document),
              IsError(ErrorCode::kInvalidArgument));
  provenance.handle = "a";
  EXPECT_THAT(PrepareDocument(io::PosixEnv(), provenance, document.substr(0, 50)),
              IsError(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace lamina::backtests
