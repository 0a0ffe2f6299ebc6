#include "lamina/backtests/metrics_document.h"

#include <algorithm>
#include <array>

#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/series_blob.h"
#include "lamina/bundle/map_writer.h"

namespace lamina::backtests {
namespace {

using bundle::MapWriter;
using bundle::Writer;

/// Bits of what a metric needs.
enum Need : unsigned { kRate = 1, kTrades = 2, kGains = 4, kMarks = 8, kCosts = 16 };

struct MetricNeeds {
  std::string_view metric;
  unsigned needs;
};

/// Metrics that are not here need snapshots only.
constexpr std::array<MetricNeeds, 45> kNeeds = {{
    {"sharpe_ratio", kRate},
    {"sortino_ratio", kRate},
    {"sharpe_consistency", kRate},
    {"sharpe_stability", kRate},
    {"trades_per_year", kTrades},
    {"trades_per_month", kTrades},
    {"trades_per_week", kTrades},
    {"trade_per_day", kTrades},
    {"exposure_ratio", kTrades},
    {"cumulative_exposure", kTrades},
    {"average_trade_duration", kTrades},
    {"number_of_trades", kTrades},
    {"number_of_trades_closed", kTrades},
    {"number_of_trades_opened", kTrades},
    {"number_of_windows_with_trades", kTrades},
    {"average_trade_size", kTrades | kCosts},
    {"win_rate", kTrades | kGains},
    {"win_loss_ratio", kTrades | kGains},
    {"average_trade_return", kTrades | kGains},
    {"average_trade_loss", kTrades | kGains},
    {"average_win_duration", kTrades | kGains},
    {"average_loss_duration", kTrades | kGains},
    {"max_consecutive_wins", kTrades | kGains},
    {"max_consecutive_losses", kTrades | kGains},
    {"win_rate_consistency", kTrades | kGains},
    {"win_rate_stability", kTrades | kGains},
    {"average_trade_return_percentage", kTrades | kGains | kCosts},
    {"average_trade_loss_percentage", kTrades | kGains | kCosts},
    {"total_loss", kTrades | kGains | kMarks},
    {"total_loss_percentage", kTrades | kGains | kMarks},
    {"average_loss", kTrades | kGains | kMarks},
    {"average_loss_percentage", kTrades | kGains | kMarks},
    {"profit_factor", kTrades | kGains | kMarks},
    {"average_trade_gain", kTrades | kGains | kMarks},
    {"average_trade_gain_percentage", kTrades | kGains | kMarks | kCosts},
    {"median_trade_return", kTrades | kGains | kMarks},
    {"median_trade_return_percentage", kTrades | kGains | kMarks},
    {"number_of_positive_trades", kTrades | kGains | kMarks},
    {"percentage_positive_trades", kTrades | kGains | kMarks},
    {"number_of_negative_trades", kTrades | kGains | kMarks},
    {"percentage_negative_trades", kTrades | kGains | kMarks},
    {"best_trade", kTrades | kGains | kMarks},
    {"worst_trade", kTrades | kGains | kMarks},
    {"current_win_rate", kTrades | kGains | kMarks},
    {"current_win_loss_ratio", kTrades | kGains | kMarks},
}};

/// Writes nil for a metric that is not known.
class MetricsWriter {
 public:
  MetricsWriter(const KnownParts& known, std::size_t index) : known_(known), index_(index) {}

  void Number(std::string_view name, double value) {
    if (Known(name)) document.Number(name, value);
  }
  void Integer(std::string_view name, std::int64_t value) {
    if (Known(name)) document.Integer(name, value);
  }
  void Series(std::string_view name, const backtests::Series& series);
  void CountPair(std::string_view name, std::int64_t count, double percent) {
    if (!Known(name)) return;
    Writer& writer = document.Key(name);
    writer.ArrayHeader(2);
    writer.Int(count);
    writer.Double(percent);
  }
  void Trade(std::string_view name, const std::string& trade) {
    if (trade.empty()) {
      document.Nil(name);
    } else if (Known(name)) {
      document.Raw(name, trade);
    }
  }
  void Period(std::string_view name, const std::optional<SeriesPoint>& point, bool month);

  MapWriter document;

 private:
  bool Known(std::string_view name) {
    const bool known = IsKnown(name, known_);
    if (!known) document.Nil(name);
    return known;
  }

  const KnownParts& known_;
  std::size_t index_;
};

/// The series of a run in the order of bundle blobs.
std::array<const Series*, 8> SeriesOf(const RunMetrics& metrics) {
  return {&metrics.equity_curve,     &metrics.drawdown,        &metrics.cumulative_return_series,
          &metrics.rolling_sharpe,   &metrics.monthly_returns, &metrics.yearly_returns,
          &metrics.twr_equity_curve, &metrics.twr_drawdown};
}

std::string BlobKey(std::size_t run, std::string_view series) {
  return "runs/" + std::to_string(run) + "/metrics/" + std::string(series) + ".parquet";
}

void MetricsWriter::Series(std::string_view name, const backtests::Series& series) {
  if (series.empty()) {
    document.EmptyArray(name);
    return;
  }
  MapWriter reference;
  reference.Text("@blob", BlobKey(index_, name));
  document.Raw(name, reference.Finish());
}

void MetricsWriter::Period(std::string_view name, const std::optional<SeriesPoint>& point,
                           bool month) {
  Writer& writer = document.Key(name);
  writer.ArrayHeader(2);
  if (point) {
    writer.Double(point->value);
    writer.String(FormatTime(
        point->time, {'T', month ? TimeSpelling::Zone::kPlusZero : TimeSpelling::Zone::kNone}));
    return;
  }
  if (month) {
    writer.Double(0);
  } else {
    writer.Nil();
  }
  writer.Nil();
}

void WriteReturns(MetricsWriter& map, const RunMetrics& m) {
  map.Series("equity_curve", m.equity_curve);
  map.Number("final_value", m.final_value);
  map.Number("total_net_gain", m.total_net_gain);
  map.Number("total_net_gain_percentage", m.total_net_gain_percentage);
  map.Number("total_growth", m.total_net_gain);
  map.Number("total_growth_percentage", m.total_net_gain_percentage);
  map.Number("total_loss", m.total_loss);
  map.Number("total_loss_percentage", m.total_loss_percentage);
  map.Number("cumulative_return", m.cumulative_return);
  map.Series("cumulative_return_series", m.cumulative_return_series);
  map.Number("cagr", m.cagr);
  map.Number("sharpe_ratio", m.sharpe_ratio);
  map.Series("rolling_sharpe_ratio", m.rolling_sharpe);
  map.Number("sortino_ratio", m.sortino_ratio);
  map.Number("calmar_ratio", m.calmar_ratio);
  map.Number("profit_factor", m.profit_factor);
  map.Number("annual_volatility", m.annual_volatility);
  map.Series("monthly_returns", m.monthly_returns);
  map.Series("yearly_returns", m.yearly_returns);
  map.Series("drawdown_series", m.drawdown);
  map.Number("max_drawdown", m.max_drawdown);
  map.Number("max_drawdown_absolute", m.max_drawdown_absolute);
  map.Number("max_daily_drawdown", m.max_daily_drawdown);
  map.Integer("max_drawdown_duration", m.max_drawdown_duration);
  map.Series("twr_equity_curve", m.twr_equity_curve);
  map.Series("twr_drawdown_series", m.twr_drawdown);
  map.Number("twr_max_drawdown", m.twr_max_drawdown);
  map.Integer("twr_max_drawdown_duration", m.twr_max_drawdown_duration);
}

void WriteTrading(MetricsWriter& map, const MetricsFrame& frame, const RunMetrics& m) {
  map.Number("trades_per_year", m.trades_per_year);
  map.Number("trades_per_week", m.trades_per_week);
  map.Number("trades_per_month", m.trades_per_month);
  map.Number("trade_per_day",
             m.days > 0 ? static_cast<double>(m.trades) / static_cast<double>(m.days) : 0);
  map.Number("exposure_ratio", m.exposure_ratio);
  map.Number("cumulative_exposure", m.cumulative_exposure);
  map.Number("average_trade_gain", m.average_trade_gain);
  map.Number("average_trade_gain_percentage", m.average_trade_gain_percentage);
  map.Number("average_trade_loss", m.average_trade_loss);
  map.Number("average_trade_loss_percentage", m.average_trade_loss_percentage);
  map.Number("average_trade_return", m.average_trade_return);
  map.Number("average_trade_return_percentage", m.average_trade_return_percentage);
  map.Number("median_trade_return", m.median_trade_return);
  map.Number("median_trade_return_percentage", 0);
  map.CountPair("number_of_positive_trades", m.positive_trades, m.percentage_positive_trades);
  map.Number("percentage_positive_trades", m.percentage_positive_trades);
  map.CountPair("number_of_negative_trades", m.negative_trades, m.percentage_negative_trades);
  map.Number("percentage_negative_trades", m.percentage_negative_trades);
  map.Trade("best_trade", frame.best_trade);
  map.Trade("worst_trade", frame.worst_trade);
  map.Number("average_trade_duration", m.average_trade_duration);
  map.Number("average_win_duration", m.average_win_duration);
  map.Number("average_loss_duration", m.average_loss_duration);
  map.Number("average_trade_size", m.average_trade_size);
  map.Integer("number_of_trades", m.trades);
  map.Integer("number_of_trades_closed", m.trades_closed);
  map.Integer("number_of_trades_opened", m.trades_open);
  map.Number("win_rate", m.win_rate);
  map.Number("current_win_rate", m.current_win_rate);
  map.Number("win_loss_ratio", m.win_loss_ratio);
  map.Number("current_win_loss_ratio", m.current_win_loss_ratio);
}

}  // namespace

bool IsKnown(std::string_view metric, const KnownParts& known) {
  // A score leaves out what is not there, but trades without gains would count as lost ones.
  if (metric == "consistency_score" || metric == "stability_score") {
    return !known.trades || known.gains;
  }
  const auto* found = std::find_if(kNeeds.begin(), kNeeds.end(),
                                   [&](const MetricNeeds& one) { return one.metric == metric; });
  if (found == kNeeds.end()) return true;
  const unsigned has = (known.risk_free_rate ? kRate : 0U) | (known.trades ? kTrades : 0U) |
                       (known.gains ? kGains : 0U) | (known.marks ? kMarks : 0U) |
                       (known.costs ? kCosts : 0U);
  return (found->needs & ~has) == 0;
}

std::string MetricsMap(const MetricsFrame& frame, std::size_t index, const RunMetrics& m) {
  MetricsWriter map(frame.known, index);
  map.document.Time("backtest_start_date", frame.start);
  map.document.Time("backtest_end_date", frame.end);
  if (frame.window) {
    map.document.Text("backtest_date_range_name", *frame.window);
  } else {
    map.document.Nil("backtest_date_range_name");
  }
  map.document.Text("trading_symbol", frame.trading_symbol);
  map.document.Number("initial_unallocated", frame.initial_unallocated);
  WriteReturns(map, m);
  WriteTrading(map, frame, m);
  map.Number("percentage_winning_months", m.percentage_winning_months);
  map.Number("percentage_winning_years", m.percentage_winning_years);
  map.Number("average_monthly_return", m.average_monthly_return);
  map.Number("average_monthly_return_losing_months", m.average_monthly_return_losing_months);
  map.Number("average_monthly_return_winning_months", m.average_monthly_return_winning_months);
  map.Period("best_month", m.best_month, true);
  map.Period("best_year", m.best_year, false);
  map.Period("worst_month", m.worst_month, true);
  map.Period("worst_year", m.worst_year, false);
  map.Number("var_95", m.var_95);
  map.Number("cvar_95", m.cvar_95);
  map.Integer("max_consecutive_wins", m.max_consecutive_wins);
  map.Integer("max_consecutive_losses", m.max_consecutive_losses);
  return map.document.Finish();
}

std::string SummaryMap(SummaryMetrics summary, const KnownParts& known) {
  for (SummaryMetric& metric : summary) {
    if (!IsKnown(metric.name, known)) metric.figure = {};
  }
  return EncodeSummary(summary);
}

Result<std::string> BlobsMap(const std::vector<RunMetrics>& metrics) {
  BlobEncoder encoder;
  MapWriter map;
  for (std::size_t run = 0; run < metrics.size(); ++run) {
    const auto series = SeriesOf(metrics[run]);
    for (std::size_t i = 0; i < series.size(); ++i) {
      if (series[i]->empty()) continue;
      BlobPoints points;
      for (const auto& point : *series[i]) {
        points.times.push_back(point.time.value / 1000);
        points.values.push_back(point.value);
      }
      const BlobWriter writer{BlobLayoutFor(points), "lamina", {}};
      LAMINA_ASSIGN(const std::string blob, encoder.Encode(points, writer));
      map.Key(BlobKey(run, kSeriesNames[i])).Binary(blob);
    }
  }
  return map.Finish();
}

}  // namespace lamina::backtests
