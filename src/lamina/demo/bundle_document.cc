#include "lamina/demo/bundle_document.h"

#include <cmath>
#include <set>

#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/series_blob.h"
#include "lamina/backtests/summary_metrics.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::demo {
namespace {

using backtests::RunMetrics;
using bundle::Writer;

constexpr const char* kPortfolio = "DEMO";
constexpr const char* kCurrency = "EUR";

/// Key-value pairs of a map whose size is known when it is closed.
class MapWriter {
 public:
  Writer& Key(std::string_view key) {
    writer_.String(key);
    ++pairs_;
    return writer_;
  }
  void Text(std::string_view key, std::string_view value) { Key(key).String(value); }
  void Number(std::string_view key, double value) { Key(key).Double(value); }
  void Integer(std::string_view key, std::int64_t value) { Key(key).Int(value); }
  void Nil(std::string_view key) { Key(key).Nil(); }
  void Time(std::string_view key, Micros value) { Key(key).String(FormatTime(value)); }
  void EmptyMap(std::string_view key) { Key(key).MapHeader(0); }
  void EmptyArray(std::string_view key) { Key(key).ArrayHeader(0); }
  void Raw(std::string_view key, ByteView value) { Key(key).Raw(value); }

  std::string Finish() const {
    std::string out;
    Writer header(out);
    header.MapHeader(pairs_);
    return out + body_;
  }

 private:
  std::string body_;
  Writer writer_{body_};
  std::uint32_t pairs_ = 0;
};

template <class Item, class Write>
std::string ArrayOf(const std::vector<Item>& items, Write write) {
  std::string out;
  Writer writer(out);
  writer.ArrayHeader(static_cast<std::uint32_t>(items.size()));
  for (const Item& item : items) writer.Raw(write(item));
  return out;
}

std::string SnapshotMap(const Snapshot& snapshot) {
  MapWriter map;
  map.EmptyMap("metadata");
  map.Text("portfolio_id", kPortfolio);
  map.Text("trading_symbol", kCurrency);
  map.Number("pending_value", 0);
  map.Number("unallocated", snapshot.unallocated);
  map.Number("total_net_gain", snapshot.net_gain);
  map.Number("total_revenue", 0);
  map.Number("total_cost", 0);
  map.Number("cash_flow", 0);
  map.Number("net_size", 0);
  map.Time("created_at", snapshot.time);
  map.Number("total_value", snapshot.total_value);
  return map.Finish();
}

std::string OrderMap(const Order& order) {
  MapWriter map;
  map.Text("id", order.id.ToString());
  map.Nil("external_id");
  map.Text("target_symbol", order.symbol);
  map.Text("trading_symbol", kCurrency);
  map.Text("order_side", order.buy ? "BUY" : "SELL");
  map.Text("order_type", "MARKET");
  map.Text("status", "CLOSED");
  map.Number("price", order.price);
  map.Number("amount", order.amount);
  map.Time("created_at", order.time);
  map.Time("updated_at", order.time);
  map.Number("cost", order.amount * order.price);
  map.Number("filled", order.amount);
  map.Integer("remaining", 0);
  map.Text("order_fee_currency", kCurrency);
  map.Number("order_fee_rate", kFeeRate);
  map.Number("order_fee", order.fee);
  map.Number("slippage", 0);
  map.Nil("stop_price");
  map.Nil("triggered_at");
  MapWriter metadata;
  metadata.Text("order_reason", order.reason);
  map.Raw("metadata", metadata.Finish());
  return map.Finish();
}

std::string TradeMap(const SimulatedRun& run, const Trade& trade) {
  std::vector<std::size_t> orders = {trade.buy_order};
  if (trade.sell_order) orders.push_back(*trade.sell_order);
  MapWriter map;
  map.Text("id", trade.id.ToString());
  map.Raw("orders", ArrayOf(orders, [&](std::size_t i) { return OrderMap(run.orders[i]); }));
  map.Text("target_symbol", trade.symbol);
  map.Text("trading_symbol", kCurrency);
  map.Text("status", trade.closed ? "CLOSED" : "OPEN");
  map.Number("amount", trade.amount);
  map.Integer("remaining", 0);
  map.Number("open_price", trade.open_price);
  map.Number("last_reported_price", trade.last_price);
  map.Time("opened_at", trade.opened);
  if (trade.closed) {
    map.Time("closed_at", *trade.closed);
  } else {
    map.Nil("closed_at");
  }
  map.Time("updated_at", trade.closed.value_or(trade.opened));
  map.Number("net_gain", trade.net_gain);
  map.Number("cost", trade.cost);
  map.Nil("stop_losses");
  map.Nil("take_profits");
  map.Number("filled_amount", trade.amount);
  map.Number("available_amount", trade.closed ? 0 : trade.amount);
  map.EmptyMap("metadata");
  return map.Finish();
}

/// The series of a run in the order of bundle blobs.
std::vector<const backtests::Series*> SeriesOf(const RunMetrics& metrics) {
  return {&metrics.equity_curve,     &metrics.drawdown,        &metrics.cumulative_return_series,
          &metrics.rolling_sharpe,   &metrics.monthly_returns, &metrics.yearly_returns,
          &metrics.twr_equity_curve, &metrics.twr_drawdown};
}

std::string BlobKey(std::size_t run, std::string_view series) {
  return "runs/" + std::to_string(run) + "/metrics/" + std::string(series) + ".parquet";
}

void WriteSeries(MapWriter& map, std::size_t run, std::string_view name,
                 const backtests::Series& series) {
  if (series.empty()) {
    map.EmptyArray(name);
    return;
  }
  MapWriter reference;
  reference.Text("@blob", BlobKey(run, name));
  map.Raw(name, reference.Finish());
}

void WritePeriod(MapWriter& map, std::string_view key,
                 const std::optional<backtests::SeriesPoint>& point, bool month) {
  Writer& writer = map.Key(key);
  writer.ArrayHeader(2);
  if (point) {
    writer.Double(point->value);
    writer.String(FormatTime(
        point->time, {'T', month ? TimeSpelling::Zone::kPlusZero : TimeSpelling::Zone::kNone}));
  } else {
    if (month) {
      writer.Double(0);
    } else {
      writer.Nil();
    }
    writer.Nil();
  }
}

void WriteCountPair(MapWriter& map, std::string_view key, std::int64_t count, double percent) {
  Writer& writer = map.Key(key);
  writer.ArrayHeader(2);
  writer.Int(count);
  writer.Double(percent);
}

void WriteTradeOrNil(MapWriter& map, std::string_view key, const SimulatedRun& run,
                     std::optional<std::size_t> trade) {
  if (trade) {
    map.Raw(key, TradeMap(run, run.trades[*trade]));
  } else {
    map.Nil(key);
  }
}

void WriteReturns(MapWriter& map, std::size_t index, const RunMetrics& m) {
  WriteSeries(map, index, "equity_curve", m.equity_curve);
  map.Number("final_value", m.final_value);
  map.Number("total_net_gain", m.total_net_gain);
  map.Number("total_net_gain_percentage", m.total_net_gain_percentage);
  map.Number("total_growth", m.total_net_gain);
  map.Number("total_growth_percentage", m.total_net_gain_percentage);
  map.Number("total_loss", m.total_loss);
  map.Number("total_loss_percentage", m.total_loss_percentage);
  map.Number("cumulative_return", m.cumulative_return);
  WriteSeries(map, index, "cumulative_return_series", m.cumulative_return_series);
  map.Number("cagr", m.cagr);
  map.Number("sharpe_ratio", m.sharpe_ratio);
  WriteSeries(map, index, "rolling_sharpe_ratio", m.rolling_sharpe);
  map.Number("sortino_ratio", m.sortino_ratio);
  map.Number("calmar_ratio", m.calmar_ratio);
  map.Number("profit_factor", m.profit_factor);
  map.Number("annual_volatility", m.annual_volatility);
  WriteSeries(map, index, "monthly_returns", m.monthly_returns);
  WriteSeries(map, index, "yearly_returns", m.yearly_returns);
  WriteSeries(map, index, "drawdown_series", m.drawdown);
  map.Number("max_drawdown", m.max_drawdown);
  map.Number("max_drawdown_absolute", m.max_drawdown_absolute);
  map.Number("max_daily_drawdown", m.max_daily_drawdown);
  map.Integer("max_drawdown_duration", m.max_drawdown_duration);
  WriteSeries(map, index, "twr_equity_curve", m.twr_equity_curve);
  WriteSeries(map, index, "twr_drawdown_series", m.twr_drawdown);
  map.Number("twr_max_drawdown", m.twr_max_drawdown);
  map.Integer("twr_max_drawdown_duration", m.twr_max_drawdown_duration);
}

void WriteTrading(MapWriter& map, const SimulatedRun& run, const RunMetrics& m) {
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
  WriteCountPair(map, "number_of_positive_trades", m.positive_trades, m.percentage_positive_trades);
  map.Number("percentage_positive_trades", m.percentage_positive_trades);
  WriteCountPair(map, "number_of_negative_trades", m.negative_trades, m.percentage_negative_trades);
  map.Number("percentage_negative_trades", m.percentage_negative_trades);
  WriteTradeOrNil(map, "best_trade", run, m.best_trade);
  WriteTradeOrNil(map, "worst_trade", run, m.worst_trade);
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

std::string MetricsMap(const SimulatedRun& run, std::size_t index, const RunMetrics& m) {
  MapWriter map;
  map.Time("backtest_start_date", run.start);
  map.Time("backtest_end_date", run.end);
  map.Text("backtest_date_range_name", run.window.name);
  map.Text("trading_symbol", kCurrency);
  map.Number("initial_unallocated", run.initial);
  WriteReturns(map, index, m);
  WriteTrading(map, run, m);
  map.Number("percentage_winning_months", m.percentage_winning_months);
  map.Number("percentage_winning_years", m.percentage_winning_years);
  map.Number("average_monthly_return", m.average_monthly_return);
  map.Number("average_monthly_return_losing_months", m.average_monthly_return_losing_months);
  map.Number("average_monthly_return_winning_months", m.average_monthly_return_winning_months);
  WritePeriod(map, "best_month", m.best_month, true);
  WritePeriod(map, "best_year", m.best_year, false);
  WritePeriod(map, "worst_month", m.worst_month, true);
  WritePeriod(map, "worst_year", m.worst_year, false);
  map.Number("var_95", m.var_95);
  map.Number("cvar_95", m.cvar_95);
  map.Integer("max_consecutive_wins", m.max_consecutive_wins);
  map.Integer("max_consecutive_losses", m.max_consecutive_losses);
  return map.Finish();
}

std::string RunMap(const SimulatedRun& run, std::size_t index, const RunMetrics& metrics) {
  std::set<std::string> symbols;
  std::vector<const Trade*> open;
  for (const Trade& trade : run.trades) {
    symbols.insert(trade.symbol);
    if (!trade.closed) open.push_back(&trade);
  }
  MapWriter map;
  map.Raw("backtest_metrics", MetricsMap(run, index, metrics));
  map.Time("backtest_start_date", run.start);
  map.Text("backtest_date_range_name", run.window.name);
  map.Time("backtest_end_date", run.end);
  map.Text("trading_symbol", kCurrency);
  map.Number("initial_unallocated", run.initial);
  map.Integer("number_of_runs", 1);
  map.Raw("portfolio_snapshots", ArrayOf(run.snapshots, SnapshotMap));
  map.Raw("trades", ArrayOf(run.trades, [&](const Trade& trade) { return TradeMap(run, trade); }));
  map.Raw("orders", ArrayOf(run.orders, OrderMap));
  map.Raw("positions", ArrayOf(open, [](const Trade* trade) {
            MapWriter position;
            position.Text("symbol", trade->symbol);
            position.Number("amount", trade->amount);
            position.Number("cost", trade->cost);
            position.Text("portfolio_id", kPortfolio);
            return position.Finish();
          }));
  map.Time("created_at", run.end);
  map.Raw("symbols", ArrayOf(std::vector<std::string>(symbols.begin(), symbols.end()),
                             [](const std::string& symbol) {
                               std::string text;
                               Writer(text).String(symbol);
                               return text;
                             }));
  map.Integer("number_of_days", metrics.days);
  map.Integer("number_of_trades", metrics.trades);
  map.Integer("number_of_trades_closed", metrics.trades_closed);
  map.Integer("number_of_trades_open", metrics.trades_open);
  map.Integer("number_of_orders", static_cast<std::int64_t>(run.orders.size()));
  map.Integer("number_of_positions", static_cast<std::int64_t>(open.size()));
  map.EmptyMap("metadata");
  map.EmptyMap("signals");
  map.EmptyArray("signal_events");
  map.EmptyMap("recorded_values");
  return map.Finish();
}

std::string ParametersMap(const StrategyParameters& parameters) {
  MapWriter map;
  map.Text("strategy", StrategyName(parameters.kind));
  if (parameters.kind == StrategyKind::kTrendCross) {
    map.Integer("fast", parameters.fast);
    map.Integer("slow", parameters.slow);
  } else {
    map.Integer("window", parameters.window);
    map.Number("entry", parameters.entry);
  }
  map.Number("position_size", parameters.position_size);
  map.Number("fee_rate", kFeeRate);
  return map.Finish();
}

Result<std::string> BlobsMap(const std::vector<RunMetrics>& metrics) {
  backtests::BlobEncoder encoder;
  MapWriter map;
  for (std::size_t run = 0; run < metrics.size(); ++run) {
    const auto series = SeriesOf(metrics[run]);
    for (std::size_t i = 0; i < series.size(); ++i) {
      if (series[i]->empty()) continue;
      backtests::BlobPoints points;
      for (const auto& point : *series[i]) {
        points.times.push_back(point.time.value / 1000);
        points.values.push_back(point.value);
      }
      const backtests::BlobWriter writer{backtests::BlobLayoutFor(points), "lamina", {}};
      LAMINA_ASSIGN(const std::string blob, encoder.Encode(points, writer));
      map.Key(BlobKey(run, backtests::kSeriesNames[i])).Binary(blob);
    }
  }
  return map.Finish();
}

}  // namespace

Result<std::string> MakeDocument(const SimulatedBacktest& backtest) {
  std::vector<backtests::RunInput> inputs;
  std::vector<RunMetrics> metrics;
  std::vector<std::string> runs;
  for (const SimulatedRun& run : backtest.runs) {
    inputs.push_back(MetricsInput(run, backtest.risk_free_rate));
    metrics.push_back(backtests::ComputeRunMetrics(inputs.back()));
    runs.push_back(RunMap(run, runs.size(), metrics.back()));
  }
  MapWriter metadata;
  metadata.Text("sweep", "demo");
  const std::string name = StrategyName(backtest.parameters.kind);
  MapWriter map;
  map.Integer("format_version", 2);
  map.Text("engine_type", "vector");
  map.Text("algorithm_id", backtest.algorithm_id);
  map.Raw("metadata", metadata.Finish());
  map.Number("risk_free_rate", backtest.risk_free_rate);
  Writer& strategies = map.Key("strategy_ids");
  strategies.ArrayHeader(1);
  strategies.String(name);
  map.Raw("parameters", ParametersMap(backtest.parameters));
  map.Text("tag", backtest.tag);
  map.Nil("backtest_permutation_tests");
  map.Raw("vector_runs", ArrayOf(runs, [](const std::string& run) { return run; }));
  map.Raw("vector_metrics", backtests::EncodeSummary(backtests::SummarizeRuns(inputs, metrics)));
  LAMINA_ASSIGN(const std::string blobs, BlobsMap(metrics));
  map.Raw("blobs", blobs);
  return map.Finish();
}

}  // namespace lamina::demo
