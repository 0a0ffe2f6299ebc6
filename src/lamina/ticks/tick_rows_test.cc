#include "lamina/ticks/tick_rows.h"

#include <algorithm>
#include <random>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::ticks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ArrowTable = std::shared_ptr<arrow::Table>;

constexpr std::int64_t kBase = 1'700'000'000'000'000'000;

/// `count` ticks of a kind with random stamps, in seq order.
TickBatch RandomBatch(TickKind kind, std::int64_t writer, std::int64_t count,
                      std::mt19937_64& random) {
  TickBatch batch;
  batch.kind = kind;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::int64_t>(random() % 50);
    batch.contract_id.push_back(1 + static_cast<std::int64_t>(random() % 3));
    batch.type.push_back(kind == TickKind::kQuotes      ? TickType::kBidAsk
                         : kind == TickKind::kMidpoints ? TickType::kMidPoint
                         : random() % 2 == 0            ? TickType::kLast
                                                        : TickType::kAllLast);
    batch.ts_ns.push_back(kBase + at);
    batch.recv_ns.push_back(kBase + at + static_cast<std::int64_t>(random() % 2));
    batch.writer.push_back(writer);
    batch.seq.push_back(i);
    for (std::size_t v = 0; v < tick_log::ValueCount(kind); ++v) {
      batch.values[v].push_back(static_cast<double>(i) + 0.25 * static_cast<double>(v));
    }
  }
  return batch;
}

std::vector<std::array<std::int64_t, 4>> Keys(const ArrowTable& rows) {
  std::vector<std::shared_ptr<const void>> holder;
  const auto order = *OrderOf(*rows, holder);
  std::vector<std::array<std::int64_t, 4>> keys;
  for (std::size_t i = 0; i < order.size(); ++i) {
    keys.push_back({order.ts_ns[i], order.recv_ns[i], order.writer[i], order.seq[i]});
  }
  return keys;
}

TEST(TickRowsTest, TypesAreNormal) {
  auto types = ParseTickTypes({"bid_ask", "last", "BidAsk"});
  ASSERT_THAT(types, IsOk());
  EXPECT_THAT(*types, ElementsAre(TickType::kLast, TickType::kBidAsk));
  EXPECT_THAT(ParseTickTypes({"trade"}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseTickTypes({}), IsError(ErrorCode::kInvalidArgument));
}

TEST(TickRowsTest, ColumnsFollowTheTypes) {
  EXPECT_THAT((*ResultSchema({TickType::kBidAsk}))->field_names(),
              ElementsAre("ts_ns", "recv_ns", "contract_id", "tick_type", "writer", "seq",
                          "bid_price", "bid_size", "ask_price", "ask_size", "flags"));
  EXPECT_THAT((*ResultSchema({TickType::kMidPoint}))->field_names(),
              ElementsAre("ts_ns", "recv_ns", "contract_id", "tick_type", "writer", "seq", "price",
                          "flags"));
  EXPECT_EQ((*ResultSchema({TickType::kLast, TickType::kBidAsk}))->num_fields(), 15);
  const std::vector<std::string> chosen = {"price", "extra"};
  EXPECT_EQ((*ResultSchema({TickType::kLast}, chosen))->field_names(), chosen);
  const auto wrong = ResultSchema({TickType::kLast}, std::vector<std::string>{"prise"});
  ASSERT_THAT(wrong, IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(std::string(wrong.error().message()), HasSubstr("did you mean `price`"));
  EXPECT_THAT(ResultSchema({TickType::kLast}, std::vector<std::string>{"price", "price"}),
              IsError(ErrorCode::kInvalidArgument));
}

TEST(TickRowsTest, MergesRunsOfAllKindsIntoTheOneOrder) {
  std::mt19937_64 random(7);
  const std::vector<TickType> types = {TickType::kLast, TickType::kAllLast, TickType::kBidAsk,
                                       TickType::kMidPoint};
  const auto result = *ResultSchema(types);
  for (int round = 0; round < 20; ++round) {
    std::vector<ArrowTable> runs;
    std::vector<std::array<std::int64_t, 4>> expected;
    for (std::int64_t writer = 1; writer <= 5; ++writer) {
      const auto kind = static_cast<TickKind>(random() % 3);
      TickBatch batch = RandomBatch(kind, writer, static_cast<std::int64_t>(random() % 60), random);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        expected.push_back({batch.ts_ns[i], batch.recv_ns[i], writer, batch.seq[i]});
      }
      auto run = RunOfBatch(std::move(batch), RunColumns(kind, *result));
      ASSERT_THAT(run, IsOk());
      runs.push_back(*run);
    }
    std::sort(expected.begin(), expected.end());
    auto merged = MergeRuns(runs, result);
    ASSERT_THAT(merged, IsOk());
    ASSERT_TRUE((*merged)->ValidateFull().ok());
    EXPECT_TRUE((*merged)->schema()->Equals(*result));
    EXPECT_EQ(Keys(*merged), expected);
  }
}

TEST(TickRowsTest, RunsThatFollowEachOtherAreNotCopied) {
  const auto result = *ResultSchema({TickType::kMidPoint});
  std::vector<ArrowTable> runs;
  for (std::int64_t i : {2, 0, 1}) {
    TickBatch batch;
    batch.kind = TickKind::kMidpoints;
    batch.contract_id = {1};
    batch.type = {TickType::kMidPoint};
    batch.ts_ns = {kBase + i};
    batch.recv_ns = {kBase};
    batch.writer = {1};
    batch.seq = {i};
    batch.values[0] = {static_cast<double>(i)};
    runs.push_back(*RunOfBatch(std::move(batch), RunColumns(TickKind::kMidpoints, *result)));
  }
  const auto merged = *MergeRuns(runs, result);
  EXPECT_EQ(merged->column(0)->num_chunks(), 3);
  EXPECT_EQ(merged->column(0)->chunk(0).get(), runs[1]->column(0)->chunk(0).get());
}

TEST(TickRowsTest, RowsOfFilesGetContractAndType) {
  arrow::StringBuilder types;
  ASSERT_TRUE(types.AppendValues({"last", "all_last", "last"}).ok());
  const auto numbers = [](std::vector<std::int64_t> values) {
    arrow::Int64Builder builder;
    EXPECT_TRUE(builder.AppendValues(values).ok());
    return *builder.Finish();
  };
  const auto rows = arrow::Table::Make(arrow::schema({arrow::field("ts_ns", arrow::int64()),
                                                      arrow::field("tick_type", arrow::utf8())}),
                                       {numbers({1, 2, 3}), *types.Finish()});
  const std::vector<std::string> columns = {"ts_ns", "contract_id", "tick_type"};
  const auto both = RunOfFile(42, {TickType::kLast, TickType::kAllLast}, columns, rows);
  ASSERT_THAT(both, IsOk());
  ASSERT_EQ((*both)->num_rows(), 3);
  EXPECT_EQ((*both)->GetColumnByName("contract_id")->GetScalar(1).ValueOrDie()->ToString(), "42");
  const auto type_at = [](const arrow::Table& run, std::int64_t row) {
    const auto scalar = run.GetColumnByName("tick_type")->GetScalar(row).ValueOrDie();
    return (*static_cast<const arrow::DictionaryScalar&>(*scalar).GetEncodedValue())->ToString();
  };
  EXPECT_EQ(type_at(**both, 0), "last");
  EXPECT_EQ(type_at(**both, 1), "all_last");
  const ArrowTable without = *rows->RemoveColumn(1);
  const auto one = RunOfFile(42, {TickType::kAllLast}, columns, without);
  ASSERT_THAT(one, IsOk());
  EXPECT_EQ((*one)->num_rows(), 3);
  EXPECT_EQ(type_at(**one, 2), "all_last");
}

TEST(TickRowsTest, NothingIsAnEmptyTypedTable) {
  const auto result = *ResultSchema({TickType::kLast});
  const auto merged = *MergeRuns({}, result);
  EXPECT_EQ(merged->num_rows(), 0);
  EXPECT_TRUE(merged->schema()->Equals(*result));
}

}  // namespace
}  // namespace lamina::ticks
