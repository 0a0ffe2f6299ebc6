#include <cmath>

#include <gtest/gtest.h>

#include "lamina/backtests/summary_metrics.h"
#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/layout.h"
#include "lamina/io/env.h"

namespace lamina::backtests {
namespace {

using bundle::Value;

double Number(const std::optional<Value>& value, double otherwise = 0) {
  return value && value->is_number() ? value->AsDouble() : otherwise;
}

Micros Time(const std::optional<Value>& value) {
  if (!value || !value->is_string()) return {};
  auto time = ParseTime(value->AsString());
  return time.ok() ? *time : Micros{};
}

RunInput InputOf(const Value& run, double risk_free_rate) {
  RunInput input;
  for (const Value& snapshot : run.Find("portfolio_snapshots")->items()) {
    input.equity.push_back({Time(snapshot.Find("created_at")), Number(snapshot.Find("total_value")),
                            Number(snapshot.Find("cash_flow"))});
  }
  for (const Value& trade : run.Find("trades")->items()) {
    TradeResult result;
    result.opened = Time(trade.Find("opened_at"));
    if (!trade.Find("closed_at")->is_nil()) result.closed = Time(trade.Find("closed_at"));
    result.amount = Number(trade.Find("amount"));
    result.open_price = Number(trade.Find("open_price"));
    result.last_price = Number(trade.Find("last_reported_price"));
    result.cost = Number(trade.Find("cost"));
    result.net_gain = Number(trade.Find("net_gain"));
    input.trades.push_back(result);
  }
  input.start = Time(run.Find("backtest_start_date"));
  input.end = Time(run.Find("backtest_end_date"));
  input.initial_unallocated = Number(run.Find("initial_unallocated"), 1000);
  input.risk_free_rate = risk_free_rate;
  return input;
}

using Named = std::vector<std::pair<const char*, double>>;

Named ScalarsOf(const RunMetrics& m) {
  return {{"final_value", m.final_value},
          {"total_net_gain", m.total_net_gain},
          {"total_net_gain_percentage", m.total_net_gain_percentage},
          {"total_loss", m.total_loss},
          {"cagr", m.cagr},
          {"sharpe_ratio", m.sharpe_ratio},
          {"sortino_ratio", m.sortino_ratio},
          {"calmar_ratio", m.calmar_ratio},
          {"profit_factor", m.profit_factor},
          {"annual_volatility", m.annual_volatility},
          {"max_drawdown", m.max_drawdown},
          {"max_drawdown_absolute", m.max_drawdown_absolute},
          {"max_daily_drawdown", m.max_daily_drawdown},
          {"max_drawdown_duration", static_cast<double>(m.max_drawdown_duration)},
          {"twr_max_drawdown", m.twr_max_drawdown},
          {"trades_per_year", m.trades_per_year},
          {"trades_per_month", m.trades_per_month},
          {"exposure_ratio", m.exposure_ratio},
          {"cumulative_exposure", m.cumulative_exposure},
          {"average_trade_gain", m.average_trade_gain},
          {"average_trade_loss", m.average_trade_loss},
          {"average_trade_return", m.average_trade_return},
          {"average_trade_return_percentage", m.average_trade_return_percentage},
          {"median_trade_return", m.median_trade_return},
          {"average_trade_duration", m.average_trade_duration},
          {"average_win_duration", m.average_win_duration},
          {"average_loss_duration", m.average_loss_duration},
          {"average_trade_size", m.average_trade_size},
          {"win_rate", m.win_rate},
          {"current_win_rate", m.current_win_rate},
          {"win_loss_ratio", m.win_loss_ratio},
          {"percentage_winning_months", m.percentage_winning_months},
          {"average_monthly_return", m.average_monthly_return},
          {"var_95", m.var_95},
          {"cvar_95", m.cvar_95},
          {"max_consecutive_wins", static_cast<double>(m.max_consecutive_wins)},
          {"max_consecutive_losses", static_cast<double>(m.max_consecutive_losses)}};
}

bool Close(double ours, double recorded) {
  if (std::isnan(ours) || std::isnan(recorded)) return std::isnan(ours) && std::isnan(recorded);
  if (std::isinf(ours) || std::isinf(recorded)) return ours == recorded;
  return std::fabs(ours - recorded) <= 1e-9 * std::max(1.0, std::fabs(recorded));
}

bundle::Document Load(const std::string& name, std::uint32_t& version) {
  const std::string path = io::JoinPath(io::JoinPath(LAMINA_SHARED_DIR, "data/bundles"), name);
  auto file = io::PosixEnv().ReadFile(path, 1 << 30);
  LAMINA_CHECK(file.ok());
  auto bundle = bundle::ReadBundle(*file);
  LAMINA_CHECK(bundle.ok());
  version = bundle->version;
  auto document = bundle::Document::Parse(std::move(bundle->document));
  LAMINA_CHECK(document.ok());
  return *std::move(document);
}

TEST(RunMetrics, AgreesWithWhatTheFrameworkRecorded) {
  for (const char* name :
       {"golden/v2_8.10.0/windows3_full.iafbt", "golden/v2_8.10.0/one_run.iafbt",
        "golden/v2_8.10.0/cash_flow.iafbt", "golden/v2_8.10.0/constant_flat.iafbt",
        "golden/v2_8.10.0/dup_windows.iafbt"}) {
    SCOPED_TRACE(name);
    std::uint32_t version = 0;
    const bundle::Document document = Load(name, version);
    const auto read = bundle::ReadLayout(version, document);
    ASSERT_TRUE(read.ok());
    const bundle::Layout& layout = *read;
    std::vector<RunInput> inputs;
    std::vector<RunMetrics> windows;
    for (const auto& part : layout.runs) {
      const auto recorded = part.run.Find("backtest_metrics");
      ASSERT_TRUE(recorded && recorded->is_map());
      inputs.push_back(InputOf(part.run, Number(layout.risk_free_rate)));
      windows.push_back(ComputeRunMetrics(inputs.back()));
      for (const auto& [metric, ours] : ScalarsOf(windows.back())) {
        const auto theirs = recorded->Find(metric);
        if (!theirs || !theirs->is_number()) continue;
        EXPECT_TRUE(Close(ours, theirs->AsDouble()))
            << metric << ": ours " << ours << ", recorded " << theirs->AsDouble();
      }
    }
    ASSERT_FALSE(layout.summaries.empty());
    const auto& summary = layout.summaries.front().summary;
    ASSERT_TRUE(summary);
    for (const auto& [metric, figure] : SummarizeRuns(inputs, windows)) {
      const std::optional<double> ours = figure.value;
      const auto theirs = summary->Find(metric);
      ASSERT_TRUE(theirs) << metric;
      if (!theirs->is_number()) continue;
      ASSERT_TRUE(ours) << metric;
      EXPECT_TRUE(Close(*ours, theirs->AsDouble()))
          << metric << ": ours " << *ours << ", recorded " << theirs->AsDouble();
    }
  }
}

TEST(RunMetrics, WithoutSnapshotsAndTradesEverythingIsZero) {
  RunInput input;
  input.end = Micros{86'400'000'000 * 10};
  const RunMetrics metrics = ComputeRunMetrics(input);
  EXPECT_EQ(metrics.trades, 0);
  EXPECT_EQ(metrics.total_net_gain, 0);
  EXPECT_EQ(metrics.max_drawdown, 0);
  EXPECT_TRUE(metrics.monthly_returns.empty());
  EXPECT_EQ(SummarizeRuns({input}, {metrics}).size(), 55u);
}

TEST(RunMetrics, DrawdownAndStreaksByHand) {
  RunInput input;
  const auto hour = [](int n) { return Micros{std::int64_t{n} * 3'600'000'000}; };
  double values[] = {100, 120, 90, 60, 130, 65};
  for (int i = 0; i < 6; ++i) input.equity.push_back({hour(i * 24), values[i], 0});
  for (int i = 0; i < 4; ++i) {
    input.trades.push_back({hour(i), hour(i + 1), 1, 10, 11, 10, i == 1 ? -2.0 : 1.0});
  }
  input.end = hour(5 * 24);
  const RunMetrics metrics = ComputeRunMetrics(input);
  EXPECT_DOUBLE_EQ(metrics.max_drawdown, 0.5);
  EXPECT_DOUBLE_EQ(metrics.max_drawdown_absolute, 65);
  EXPECT_EQ(metrics.max_drawdown_duration, 2);
  EXPECT_EQ(metrics.max_consecutive_wins, 2);
  EXPECT_EQ(metrics.max_consecutive_losses, 1);
  EXPECT_DOUBLE_EQ(metrics.profit_factor, 1.5);
  EXPECT_DOUBLE_EQ(metrics.win_rate, 0.75);
  EXPECT_DOUBLE_EQ(metrics.exposure_ratio, 4.0 / 120);
}

}  // namespace
}  // namespace lamina::backtests
