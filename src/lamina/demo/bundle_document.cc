#include "lamina/demo/bundle_document.h"

#include <cmath>
#include <set>

#include "lamina/backtests/metrics_document.h"
#include "lamina/backtests/summary_metrics.h"
#include "lamina/bundle/map_writer.h"

namespace lamina::demo {
namespace {

using backtests::RunMetrics;
using bundle::MapWriter;
using bundle::Writer;

constexpr const char* kPortfolio = "DEMO";
constexpr const char* kCurrency = "EUR";

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

backtests::MetricsFrame FrameOf(const SimulatedRun& run, const RunMetrics& metrics) {
  backtests::MetricsFrame frame;
  frame.start = run.start;
  frame.end = run.end;
  frame.window = run.window.name;
  frame.trading_symbol = kCurrency;
  frame.initial_unallocated = run.initial;
  if (metrics.best_trade) frame.best_trade = TradeMap(run, run.trades[*metrics.best_trade]);
  if (metrics.worst_trade) frame.worst_trade = TradeMap(run, run.trades[*metrics.worst_trade]);
  return frame;
}

std::string RunMap(const SimulatedRun& run, std::size_t index, const RunMetrics& metrics) {
  std::set<std::string> symbols;
  std::vector<const Trade*> open;
  for (const Trade& trade : run.trades) {
    symbols.insert(trade.symbol);
    if (!trade.closed) open.push_back(&trade);
  }
  MapWriter map;
  map.Raw("backtest_metrics", backtests::MetricsMap(FrameOf(run, metrics), index, metrics));
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
  LAMINA_ASSIGN(const std::string blobs, backtests::BlobsMap(metrics));
  map.Raw("blobs", blobs);
  return map.Finish();
}

}  // namespace lamina::demo
