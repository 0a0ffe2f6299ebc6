#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/convert_internal.h"

namespace lamina::backtests {
namespace {

using bundle::Document;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

struct Moved {
  Result<std::string> run;
  std::vector<std::string> warnings;
};

Moved Move(RunForm from, RunForm to, const std::string& run) {
  std::vector<std::string> warnings;
  SeriesMover series(std::nullopt, to == RunForm::kWindowed, &warnings);
  RunMover mover(from, to, series, warnings);
  auto source = Document::Parse(run);
  EXPECT_TRUE(source.ok());
  auto moved = mover.Run(source->root(), "p/", std::nullopt);
  return {std::move(moved), std::move(warnings)};
}

/// A run with dates of January and one snapshot in EUR, and what `more` writes.
template <class More>
std::string RunWith(More more) {
  bundle::MapWriter run;
  run.Key("backtest_start_date").String("2024-01-01T00:00:00+00:00");
  run.Key("backtest_end_date").String("2024-01-31T00:00:00+00:00");
  run.Key("backtest_date_range_name").String("january");
  auto& snapshots = run.Key("portfolio_snapshots");
  snapshots.ArrayHeader(1);
  snapshots.MapHeader(1);
  snapshots.String("trading_symbol");
  snapshots.String("EUR");
  more(run);
  return run.Finish();
}

TEST(RunMover, GivesAFlatRunItsWindow) {
  const Moved moved = Move(RunForm::kFlat, RunForm::kWindowed, RunWith([](bundle::MapWriter& run) {
                             run.Key("trading_symbol").String("EUR");
                             run.Key("house_key").Int(1);
                           }));
  ASSERT_TRUE(moved.run.ok());
  EXPECT_THAT(moved.warnings, IsEmpty());
  const auto document = Document::Parse(*moved.run);
  const auto range = document->root().Find("backtest_window")->Find("train_range");
  EXPECT_EQ(range->Find("name")->AsString(), "january");
  EXPECT_EQ(range->Find("end")->AsString(), "2024-01-31T00:00:00+00:00");
  EXPECT_EQ(document->root().Find("window_role")->AsString(), "train");
  EXPECT_EQ(document->root().Find("house_key")->AsInt(), 1);
  EXPECT_FALSE(document->root().Find("trading_symbol"));
}

TEST(RunMover, GivesAWindowedRunItsSymbol) {
  const Moved moved = Move(RunForm::kWindowed, RunForm::kFlat, RunWith([](bundle::MapWriter&) {}));
  ASSERT_TRUE(moved.run.ok());
  EXPECT_THAT(moved.warnings, IsEmpty());
  const auto document = Document::Parse(*moved.run);
  EXPECT_EQ(document->root().Find("trading_symbol")->AsString(), "EUR");
  EXPECT_EQ(document->root().size(), 23U);
}

TEST(RunMover, NamesWhatAFlatRunHasNoPlaceFor) {
  const struct {
    const char* warning;
    void (*more)(bundle::MapWriter& run);
  } cases[] = {
      {"window_role", [](bundle::MapWriter& run) { run.Key("window_role").String("test"); }},
      {"number_of_hours", [](bundle::MapWriter& run) { run.Key("number_of_hours").Int(720); }},
      {"house_key", [](bundle::MapWriter& run) { run.Key("house_key").String("x"); }},
      {"warmup_days",
       [](bundle::MapWriter& run) {
         auto& window = run.Key("backtest_window");
         window.MapHeader(1);
         window.String("warmup_days");
         window.Int(5);
       }},
      {"backtest_window",
       [](bundle::MapWriter& run) {
         auto& window = run.Key("backtest_window");
         window.MapHeader(1);
         window.String("name");
         window.String("another");
       }},
  };
  for (const auto& test : cases) {
    const Moved moved = Move(RunForm::kWindowed, RunForm::kFlat, RunWith(test.more));
    ASSERT_TRUE(moved.run.ok()) << test.warning;
    EXPECT_THAT(moved.warnings, Contains(HasSubstr(test.warning)));
  }
}

TEST(RunMover, NamesSymbolsThatTheRecordsDoNotTell) {
  const Moved moved =
      Move(RunForm::kFlat, RunForm::kWindowed,
           RunWith([](bundle::MapWriter& run) { run.Key("trading_symbol").String("USD"); }));
  ASSERT_TRUE(moved.run.ok());
  EXPECT_THAT(moved.warnings, Contains(HasSubstr("trading_symbol")));
}

TEST(RunMover, RefusesKeysThatAreNoStrings) {
  const Moved moved = Move(RunForm::kFlat, RunForm::kWindowed, std::string("\x81\x01\x02", 3));
  ASSERT_FALSE(moved.run.ok());
  EXPECT_EQ(moved.run.error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace lamina::backtests
