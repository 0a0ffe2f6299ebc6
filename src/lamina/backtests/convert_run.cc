#include <algorithm>
#include <array>

#include "lamina/backtests/convert_internal.h"
#include "lamina/backtests/lake_schema.h"
#include "lamina/base/time.h"

namespace lamina::backtests {
namespace {

using bundle::Kind;
using bundle::Value;
using bundle::Writer;

/// What stands for a key that the source lacks, encoded.
constexpr std::string_view kNil = "\xc0",
                           kZero("\0", 1), kOne = "\x01", kList = "\x90", kMap = "\x80";

constexpr std::array<RunKey, 25> kWindowedKeys = {{
    {"backtest_window", kNil},
    {"backtest_start_date", kNil},
    {"backtest_end_date", kNil},
    {"backtest_date_range_name", kNil},
    {"window_role", kNil},
    {"initial_unallocated", kNil},
    {"created_at", kNil},
    {"number_of_runs", kOne},
    {"number_of_days", kZero},
    {"number_of_hours", kZero},
    {"backtest_metrics", kNil},
    {"portfolio_snapshots", kList},
    {"trades", kList},
    {"orders", kList},
    {"positions", kList},
    {"number_of_trades", kZero},
    {"number_of_trades_closed", kZero},
    {"number_of_trades_open", kZero},
    {"number_of_orders", kZero},
    {"number_of_positions", kZero},
    {"data_sources", kList},
    {"signals", kMap},
    {"signal_events", kList},
    {"recorded_values", kMap},
    {"metadata", kMap},
}};

constexpr std::array<RunKey, 23> kFlatKeys = {{
    {"backtest_metrics", kNil},
    {"backtest_start_date", kNil},
    {"backtest_date_range_name", kNil},
    {"backtest_end_date", kNil},
    {"trading_symbol", kNil},
    {"initial_unallocated", kNil},
    {"number_of_runs", kOne},
    {"portfolio_snapshots", kList},
    {"trades", kList},
    {"orders", kList},
    {"positions", kList},
    {"created_at", kNil},
    {"symbols", kList},
    {"number_of_days", kZero},
    {"number_of_trades", kZero},
    {"number_of_trades_closed", kZero},
    {"number_of_trades_open", kZero},
    {"number_of_orders", kZero},
    {"number_of_positions", kZero},
    {"metadata", kMap},
    {"signals", kMap},
    {"signal_events", kList},
    {"recorded_values", kMap},
}};

template <std::size_t N>
bool Knows(const std::array<RunKey, N>& keys, ByteView name) {
  return std::any_of(keys.begin(), keys.end(), [&](const RunKey& key) { return key.name == name; });
}

std::string EncodedText(ByteView text) {
  std::string out;
  Writer(out).String(text);
  return out;
}

bool IsText(const std::optional<Value>& value) {
  return value && value->is_string() && value->size() != 0;
}

/// The currency that the records of a run name; encoded nil when they name none.
std::string TradingSymbolOf(const Value& run) {
  for (const std::string_view table : {"portfolio_snapshots", "orders", "trades"}) {
    const auto records = run.Find(table);
    if (!records) continue;
    for (const Value record : records->items()) {
      const auto symbol = record.Find("trading_symbol");
      if (IsText(symbol)) return std::string(symbol->raw());
    }
  }
  return std::string(kNil);
}

/// The symbols of its positions, in their order.
std::string SymbolsOf(const Value& run) {
  std::vector<ByteView> symbols;
  if (const auto positions = run.Find("positions")) {
    for (const Value position : positions->items()) {
      const auto symbol = position.Find("symbol");
      if (!IsText(symbol)) continue;
      if (std::find(symbols.begin(), symbols.end(), symbol->AsString()) == symbols.end()) {
        symbols.push_back(symbol->AsString());
      }
    }
  }
  std::string out;
  Writer writer(out);
  writer.ArrayHeader(static_cast<std::uint32_t>(symbols.size()));
  for (const ByteView symbol : symbols) writer.String(symbol);
  return out;
}

bool Empty(const std::optional<Value>& value) {
  if (!value || value->is_nil()) return true;
  if (value->kind() == Kind::kInt) return value->AsInt() == 0;
  return (value->is_array() || value->is_map() || value->is_string()) && value->size() == 0;
}

/// Whether a window without test range says no more than the dates and the name of its run.
bool SameDates(const Value& window, const Value& run) {
  static constexpr std::string_view kKnown[] = {
      "name", "train_range", "test_range", "warmup_days", "gap_days", "step_days", "fold_index"};
  if (!window.is_map()) return false;
  for (const auto& [key, value] : window.entries()) {
    if (std::find(std::begin(kKnown), std::end(kKnown), key.AsString()) == std::end(kKnown)) {
      return false;
    }
  }
  const auto same = [](const std::optional<Value>& a, const std::optional<Value>& b) {
    return Empty(a) || (b && a->raw() == b->raw());
  };
  const auto name = run.Find("backtest_date_range_name");
  const auto range = window.Find("train_range");
  if (!same(window.Find("name"), name)) return false;
  if (Empty(range)) return true;
  return range->is_map() && same(range->Find("name"), name) &&
         same(range->Find("start"), run.Find("backtest_start_date")) &&
         same(range->Find("end"), run.Find("backtest_end_date"));
}

std::string RoleOf(const std::string& window) {
  return window == kNil ? std::string(kNil) : EncodedText("train");
}

}  // namespace

std::string TrainingWindow(const Value& run) {
  const auto start = run.Find("backtest_start_date");
  if (!start || start->is_nil()) return std::string(kNil);
  const auto end = run.Find("backtest_end_date");
  const auto name = run.Find("backtest_date_range_name");
  bundle::MapWriter range;
  range.Copy("name", name);
  range.Copy("start", start);
  range.Copy("end", end && !end->is_nil() ? end : start);
  bundle::MapWriter window;
  window.Key("name").Nil();
  window.Raw("train_range", range.Finish());
  window.Key("test_range").Nil();
  window.Key("warmup_days").Int(0);
  window.Key("gap_days").Nil();
  window.Key("step_days").Nil();
  window.Key("fold_index").Nil();
  return window.Finish();
}

std::span<const RunKey> RunKeys(RunForm form) {
  if (form == RunForm::kFlat) return kFlatKeys;
  return kWindowedKeys;
}

void RunMover::CheckWindow(const Value& run) {
  constexpr std::int64_t kHour = 3'600'000'000;
  std::array<std::optional<std::int64_t>, 2> times;
  std::size_t i = 0;
  for (const std::string_view key : {"backtest_start_date", "backtest_end_date"}) {
    const auto text = run.Find(key);
    if (text && text->is_string()) {
      const auto time = ParseTime(text->AsString());
      if (time.ok()) times[i] = time->value;
    }
    ++i;
  }
  if (!times[0] || !times[1]) {
    AddWarning(warnings_, "a run has no dates; framework 9.0 opens no run without");
  } else if (*times[0] % kHour != 0 || *times[1] % kHour != 0 || *times[1] <= *times[0]) {
    AddWarning(warnings_,
               "a run's window does not go from a whole hour to a later one; framework 9.0 opens "
               "only such");
  }
}

Result<std::string> RunMover::Metrics(const Value& metrics, const std::string& blob_prefix,
                                      const std::optional<Value>& snapshots) {
  if (!metrics.is_map()) return std::string(metrics.raw());
  std::array<std::string, kSeriesNames.size()> series;
  for (std::size_t i = 0; i < series.size() && !blob_prefix.empty(); ++i) {  // the order of blobs
    const auto value = metrics.Find(kSeriesNames[i]);
    if (!value) continue;
    LAMINA_ASSIGN(series[i], series_.Move(kSeriesNames[i], *value, blob_prefix, snapshots));
  }
  bundle::MapWriter out;
  const bool changes = from_ != to_;
  if (changes && to_ == RunForm::kWindowed) out.Raw("backtest_window", window_);
  for (const auto& [key, value] : metrics.entries()) {
    if (!key.is_string()) return InvalidArgument("backtest_metrics has a key that is no string");
    const ByteView name = key.AsString();
    if (changes && (name == "backtest_window" || name == "window_role" || name == "trading_symbol"))
      continue;
    const auto known = std::find(kSeriesNames.begin(), kSeriesNames.end(), name);
    if (!blob_prefix.empty() && known != kSeriesNames.end()) {
      out.Raw(name, series[static_cast<std::size_t>(known - kSeriesNames.begin())]);
    } else {
      out.Raw(name, value.raw());
    }
    if (!changes || name != "backtest_date_range_name") continue;
    if (to_ == RunForm::kWindowed) {
      out.Raw("window_role", RoleOf(window_));
    } else {
      out.Raw("trading_symbol", trading_symbol_);
    }
  }
  return out.Finish();
}

Result<std::string> RunMover::MetricsOf(const Value& run, const std::string& blob_prefix) {
  const auto metrics = run.Find("backtest_metrics");
  if (!metrics) return std::string(kNil);
  return Metrics(*metrics, blob_prefix, run.Find("portfolio_snapshots"));
}

Result<std::string> RunMover::CopyRun(const Value& run, const std::string& blob_prefix) {
  bundle::MapWriter out;
  for (const auto& [key, value] : run.entries()) {
    if (key.AsString() == "backtest_metrics") {
      LAMINA_ASSIGN(const auto metrics, MetricsOf(run, blob_prefix));
      out.Raw("backtest_metrics", metrics);
    } else {
      out.Raw(key.AsString(), value.raw());
    }
  }
  return out.Finish();
}

Result<std::string> RunMover::WindowedRun(const Value& run, const std::string& blob_prefix) {
  CheckWindow(run);
  for (const std::string_view key : {"trading_symbol", "symbols"}) {
    const auto value = run.Find(key);
    const std::string derived = key == "symbols" ? SymbolsOf(run) : TradingSymbolOf(run);
    if (value && !Empty(value) && value->raw() != derived) {
      AddWarning(warnings_, "a run's " + std::string(key) + " is left out");
    }
  }
  bundle::MapWriter out;
  for (const RunKey& key : kWindowedKeys) {
    const auto value = run.Find(key.name);
    if (key.name == "backtest_window") {
      out.Raw(key.name, window_);
    } else if (key.name == "window_role") {
      out.Raw(key.name, RoleOf(window_));
    } else if (key.name == "backtest_metrics") {
      LAMINA_ASSIGN(const auto metrics, MetricsOf(run, blob_prefix));
      out.Raw(key.name, metrics);
    } else {
      out.Raw(key.name, value ? value->raw() : key.fallback);
    }
  }
  for (const auto& [key, value] : run.entries()) {
    // Framework 9.0 passes over keys that it does not know.
    if (!Knows(kWindowedKeys, key.AsString()) && !Knows(kFlatKeys, key.AsString())) {
      out.Raw(key.AsString(), value.raw());
    }
  }
  return out.Finish();
}

void RunMover::WarnOfWindow(const Value& run) {
  const auto window = run.Find("backtest_window");
  const std::string derived = TrainingWindow(run);
  const bool whole = Empty(window) || window->raw() == derived;
  const auto role = run.Find("window_role");
  bool told = false;
  const auto lost = [&](const std::string& what) {
    AddWarning(warnings_, what + " is left out");
    told = true;
  };
  if (!whole && window->is_map()) {
    if (!Empty(window->Find("test_range"))) lost("the training range of a run's window");
    for (const std::string_view key : {"warmup_days", "gap_days", "step_days"}) {
      if (!Empty(window->Find(key))) lost("a window's " + std::string(key));
    }
    const auto fold = window->Find("fold_index");
    if (fold && !fold->is_nil()) lost("a window's fold_index");
  }
  if (told) return;
  if (!whole && !SameDates(*window, run)) lost("a run's backtest_window");
  if (!Empty(role) && role->raw() != EncodedText("train")) lost("a run's window_role");
}

Result<std::string> RunMover::FlatRun(const Value& run, const std::string& blob_prefix) {
  WarnOfWindow(run);
  bundle::MapWriter out;
  for (const RunKey& key : kFlatKeys) {
    const auto value = run.Find(key.name);
    if (key.name == "backtest_metrics") {
      LAMINA_ASSIGN(const auto metrics, MetricsOf(run, blob_prefix));
      out.Raw(key.name, metrics);
    } else if (key.name == "trading_symbol") {
      out.Raw(key.name, trading_symbol_);
    } else if (key.name == "symbols") {
      out.Raw(key.name, SymbolsOf(run));
    } else {
      out.Raw(key.name, value ? value->raw() : key.fallback);
    }
  }
  for (const auto& [key, value] : run.entries()) {
    const ByteView name = key.AsString();
    if (Knows(kFlatKeys, name) || name == "backtest_window" || name == "window_role") continue;
    // Framework 8.10 refuses runs with keys that it does not know.
    if (!Empty(value)) AddWarning(warnings_, "a run's " + std::string(name) + " is left out");
  }
  return out.Finish();
}

Result<std::string> RunMover::Run(const Value& run, const std::string& blob_prefix,
                                  const std::optional<Value>& trading_symbol) {
  for (const auto& [key, value] : run.entries()) {
    if (!key.is_string()) return InvalidArgument("a run has a key that is no string");
  }
  if (from_ == to_) return CopyRun(run, blob_prefix);
  if (to_ == RunForm::kWindowed) {
    window_ = TrainingWindow(run);
    return WindowedRun(run, blob_prefix);
  }
  trading_symbol_ = TradingSymbolOf(run);
  if (trading_symbol_ == kNil && IsText(trading_symbol)) trading_symbol_ = trading_symbol->raw();
  if (trading_symbol_ == kNil) {
    AddWarning(warnings_, "nothing tells the trading symbol of a run; it is nil");
  }
  return FlatRun(run, blob_prefix);
}

Result<std::string> RunMover::Test(const Value& test, const std::optional<Value>& trading_symbol) {
  if (from_ == to_ || !test.is_map()) return std::string(test.raw());
  window_ = TrainingWindow(test);
  if (to_ == RunForm::kFlat) WarnOfWindow(test);
  if (trading_symbol_.empty() || trading_symbol_ == kNil) {  // that of the last run, if any
    trading_symbol_ = IsText(trading_symbol) ? trading_symbol->raw() : kNil;
  }
  bundle::MapWriter out;
  for (const auto& [key, value] : test.entries()) {
    if (!key.is_string()) return InvalidArgument("a permutation test has a key that is no string");
    const ByteView name = key.AsString();
    if (name == "backtest_window") continue;
    if (name == "backtest_start_date" && to_ == RunForm::kWindowed) {
      out.Raw("backtest_window", window_);
    }
    if (name == "real_metrics") {
      LAMINA_ASSIGN(const auto metrics, Metrics(value, "", std::nullopt));
      out.Raw(name, metrics);
    } else if (name == "permutated_metrics" && value.is_array()) {
      std::string list;
      Writer(list).ArrayHeader(value.size());
      for (const Value item : value.items()) {
        LAMINA_ASSIGN(const auto metrics, Metrics(item, "", std::nullopt));
        list += metrics;
      }
      out.Raw(name, list);
    } else {
      out.Raw(name, value.raw());
    }
  }
  return out.Finish();
}

}  // namespace lamina::backtests
