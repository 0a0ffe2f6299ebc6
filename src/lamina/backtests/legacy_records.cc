#include <algorithm>
#include <array>
#include <span>

#include "lamina/backtests/legacy_internal.h"
#include "lamina/base/time.h"

namespace lamina::backtests {
namespace {

using bundle::Kind;
using bundle::Value;
using bundle::Writer;

enum class Rule : std::uint8_t {
  kAsIs,    ///< the fallback only for what is missing
  kNumber,  ///< the fallback also for nil
  kTruthy,  ///< the fallback also for what is false in Python
  kTime,    ///< nil for what is false
  kOrders,  ///< an array of order maps
  kStops,   ///< an array of stop losses or take profits, nil when empty
};

struct RecordKey {
  std::string_view name;
  Rule rule = Rule::kAsIs;
  std::string_view fallback = "\xc0";
};

constexpr std::string_view kNone = "\xc0", kMap = "\x80", kText = "\xa0", kList = "\x90";
constexpr std::string_view kIntZero("\0", 1), kZero("\xcb\0\0\0\0\0\0\0\0", 9);

constexpr std::array<RecordKey, 12> kSnapshotKeys = {{
    {"metadata", Rule::kTruthy, kMap},
    {"portfolio_id", Rule::kTruthy, kText},
    {"trading_symbol", Rule::kTruthy, kText},
    {"pending_value", Rule::kTruthy, kZero},
    {"unallocated", Rule::kTruthy, kZero},
    {"total_net_gain", Rule::kTruthy, kZero},
    {"total_revenue", Rule::kTruthy, kZero},
    {"total_cost", Rule::kTruthy, kZero},
    {"cash_flow", Rule::kTruthy, kZero},
    {"net_size", Rule::kTruthy, kZero},
    {"created_at", Rule::kTime},
    {"total_value", Rule::kTruthy, kZero},
}};

/// The last one is of 9.0.
constexpr std::array<RecordKey, 22> kOrderKeys = {{
    {"id"},
    {"external_id"},
    {"target_symbol"},
    {"trading_symbol"},
    {"order_side"},
    {"order_type"},
    {"status"},
    {"price"},
    {"amount"},
    {"created_at", Rule::kTime},
    {"updated_at", Rule::kTime},
    {"cost"},
    {"filled"},
    {"remaining"},
    {"order_fee_currency"},
    {"order_fee_rate"},
    {"order_fee"},
    {"slippage"},
    {"stop_price"},
    {"triggered_at", Rule::kTime},
    {"metadata", Rule::kAsIs, kMap},
    {"strategy_id"},
}};

constexpr std::array<RecordKey, 19> kTradeKeys = {{
    {"id"},
    {"orders", Rule::kOrders, kList},
    {"target_symbol", Rule::kAsIs, kText},
    {"trading_symbol", Rule::kAsIs, kText},
    {"status"},
    {"amount", Rule::kAsIs, kIntZero},
    {"remaining", Rule::kNumber, kIntZero},
    {"open_price", Rule::kAsIs, kIntZero},
    {"last_reported_price"},
    {"opened_at", Rule::kTime},
    {"closed_at", Rule::kTime},
    {"updated_at", Rule::kTime},
    {"net_gain", Rule::kNumber, kIntZero},
    {"cost", Rule::kNumber, kIntZero},
    {"stop_losses", Rule::kStops},
    {"take_profits", Rule::kStops},
    {"filled_amount", Rule::kAsIs, kIntZero},
    {"available_amount", Rule::kAsIs, kIntZero},
    {"metadata", Rule::kTruthy, kMap},
}};

bool IsFalse(const Value& value) {
  switch (value.kind()) {
    case Kind::kNil:
      return true;
    case Kind::kBool:
      return !value.AsBool();
    case Kind::kInt:
    case Kind::kUint:
    case Kind::kFloat64:
      return value.AsDouble() == 0;
    default:
      return value.size() == 0;
  }
}

std::string Encoded(const std::string& text) {
  std::string out;
  Writer(out).String(text);
  return out;
}

std::span<const RecordKey> OrderKeys(RunForm form) {
  return std::span(kOrderKeys).first(form == RunForm::kFlat ? 21 : 22);
}

std::string Record(std::span<const RecordKey> keys, RunForm form, const Value& record);

/// The times of stop losses and take profits; and those that trades of 9.0 have besides.
constexpr std::array<std::string_view, 4> kStopTimes = {"high_water_mark_date", "triggered_at",
                                                        "created_at", "updated_at"};
constexpr std::array<std::string_view, 6> kTradeTimes = {"opened_at",
                                                         "closed_at",
                                                         "updated_at",
                                                         "last_reported_price_datetime",
                                                         "high_water_mark_datetime",
                                                         "low_water_mark_datetime"};

constexpr std::array<std::string_view, 1> kEventTimes = {"date"}, kValueTimes = {"datetime"};

bool Names(std::span<const std::string_view> names, ByteView key) {
  return std::find(names.begin(), names.end(), key) != names.end();
}

/// Every map of the list with the times under `keys` as bundles have them.
std::string TimesIn(std::span<const std::string_view> keys, const Value& list) {
  if (!list.is_array()) return std::string(list.raw());
  std::string out;
  Writer(out).ArrayHeader(list.size());
  for (const Value item : list.items()) {
    if (!item.is_map()) {
      out += item.raw();
      continue;
    }
    bundle::MapWriter map;
    for (const auto& [name, value] : item.entries()) {
      map.Raw(name.AsString(), Names(keys, name.AsString()) ? LegacyTime(value) : value.raw());
    }
    out += map.Finish();
  }
  return out;
}

std::string Records(std::span<const RecordKey> keys, RunForm form, const Value& list) {
  if (list.is_nil()) return std::string(kList);
  if (!list.is_array()) return std::string(list.raw());
  std::string out;
  Writer(out).ArrayHeader(list.size());
  for (const Value item : list.items()) out += Record(keys, form, item);
  return out;
}

std::string Cell(const RecordKey& key, RunForm form, const Value& value) {
  switch (key.rule) {
    case Rule::kAsIs:
      break;
    case Rule::kNumber:
      if (value.is_nil()) return std::string(key.fallback);
      break;
    case Rule::kTruthy:
      if (IsFalse(value)) return std::string(key.fallback);
      break;
    case Rule::kTime:
      return IsFalse(value) ? std::string(kNone) : LegacyTime(value);
    case Rule::kOrders:
      return Records(OrderKeys(form), form, value);
    case Rule::kStops:
      return IsFalse(value) ? std::string(kNone) : TimesIn(kStopTimes, value);
  }
  return std::string(value.raw());
}

/// Known keys in their order, then the others.
std::string Record(std::span<const RecordKey> keys, RunForm form, const Value& record) {
  if (!record.is_map()) return std::string(record.raw());
  bundle::MapWriter out;
  for (const RecordKey& key : keys) {
    const auto value = record.Find(key.name);
    out.Raw(key.name, value ? Cell(key, form, *value) : std::string(key.fallback));
  }
  for (const auto& [key, value] : record.entries()) {
    const bool known = std::any_of(keys.begin(), keys.end(),
                                   [&, name = key.AsString()](auto& k) { return k.name == name; });
    if (!known) out.Raw(key.AsString(), value.raw());
  }
  return out.Finish();
}

/// Trades of 9.0 have keys of their own between ours: theirs stay where they are.
std::string Trade(RunForm form, const Value& trade) {
  if (form == RunForm::kFlat || !trade.is_map()) return Record(kTradeKeys, form, trade);
  bundle::MapWriter out;
  for (const auto& [key, value] : trade.entries()) {
    const ByteView name = key.AsString();
    if (name == "stop_losses" || name == "take_profits") {
      out.Raw(name, Cell({"", Rule::kStops}, form, value));
    } else if (name == "orders") {
      out.Raw(name, Cell({"", Rule::kOrders}, form, value));
    } else {
      out.Raw(name, Names(kTradeTimes, name) ? LegacyTime(value) : value.raw());
    }
  }
  return out.Finish();
}

std::string Trades(RunForm form, const Value& list) {
  if (list.is_nil()) return std::string(kList);
  if (!list.is_array()) return std::string(list.raw());
  std::string out;
  Writer(out).ArrayHeader(list.size());
  for (const Value item : list.items()) out += Trade(form, item);
  return out;
}

std::string RecordedValues(const Value& values) {
  if (!values.is_map()) return std::string(values.raw());
  bundle::MapWriter out;
  for (const auto& [name, list] : values.entries()) {
    out.Raw(name.AsString(), TimesIn(kValueTimes, list));
  }
  return out.Finish();
}

std::string RunCell(RunForm form, std::string_view name, const Value& value) {
  if (name == "portfolio_snapshots") return Records(kSnapshotKeys, form, value);
  if (name == "orders") return Records(OrderKeys(form), form, value);
  if (name == "trades") return Trades(form, value);
  if (name == "signal_events") return TimesIn(kEventTimes, value);
  if (name == "recorded_values") return RecordedValues(value);
  if (name == "created_at" || name == "backtest_start_date" || name == "backtest_end_date") {
    return LegacyTime(value);
  }
  return std::string(value.raw());
}

/// A date without the time of day that JSON gives it.
std::string DateOf(const Value& value) {
  const ByteView text = value.AsString();
  return Encoded(std::string(text.substr(0, std::min(text.find('T'), text.find(' ')))));
}

/// [value, time] as the framework writes it: NaN and what is missing is nil.
std::string Extreme(const Value& pair, bool is_date) {
  if (pair.is_nil()) return std::string("\x92\xc0\xc0");
  if (!pair.is_array() || pair.size() != 2) return std::string(pair.raw());
  auto item = pair.items().begin();
  const Value value = *item;
  ++item;
  const Value time = *item;
  std::string out;
  Writer writer(out);
  writer.ArrayHeader(2);
  if (value.is_number() && value.AsDouble() == value.AsDouble()) {
    writer.Double(value.AsDouble());
  } else {
    writer.Nil();
  }
  if (!time.is_string() || time.AsString() == "<NA>") {
    writer.Nil();
  } else {
    writer.Raw(is_date ? DateOf(time) : time.raw());
  }
  return out;
}

/// The years of a series are dates.
std::string Years(const Value& list) {
  if (!list.is_array()) return std::string(list.raw());
  std::string out;
  Writer(out).ArrayHeader(list.size());
  for (const Value pair : list.items()) {
    if (!pair.is_array() || pair.size() != 2) return std::string(list.raw());
    auto item = pair.items().begin();
    out += "\x92";
    out += (*item).raw();
    ++item;
    out += (*item).is_string() ? DateOf(*item) : (*item).raw();
  }
  return out;
}

}  // namespace

std::string LegacyTime(const Value& value) {
  if (!value.is_string()) return std::string(value.raw());
  const ByteView text = value.AsString();
  const auto time = ParseTime(text);
  if (!time.ok()) return std::string(value.raw());
  // A zone other than UTC is what the document says.
  const std::size_t zone = text.size() > 10 ? text.find_first_of("+-", 10) : ByteView::npos;
  if (zone != ByteView::npos && text.substr(zone).find_first_of("123456789") != ByteView::npos) {
    return std::string(value.raw());
  }
  return Encoded(FormatTime(*time));
}

std::string LegacyMetrics(RunForm form, const Value& metrics) {
  bundle::MapWriter out;
  for (const auto& [key, value] : metrics.entries()) {
    const ByteView name = key.AsString();
    if (name == "best_trade" || name == "worst_trade") {
      out.Raw(name, value.is_map() ? Trade(form, value) : std::string(value.raw()));
    } else if (name == "best_month" || name == "worst_month") {
      out.Raw(name, Extreme(value, false));
    } else if (name == "best_year" || name == "worst_year") {
      out.Raw(name, Extreme(value, true));
    } else if (name == "yearly_returns") {
      out.Raw(name, Years(value));
    } else {
      out.Raw(name, value.raw());
    }
  }
  return out.Finish();
}

std::string LegacyRun(RunForm form, const Value& run, const std::optional<Value>& metrics) {
  const auto keys = RunKeys(form);
  bundle::MapWriter out;
  for (const RunKey& key : keys) {
    const auto value = run.Find(key.name);
    if (key.name == "backtest_metrics") {
      const auto& own = metrics ? metrics : value;
      out.Raw(key.name,
              own && own->is_map() ? LegacyMetrics(form, *own) : std::string(key.fallback));
    } else {
      out.Raw(key.name, value && (!value->is_nil() || key.fallback == kNone)
                            ? RunCell(form, key.name, *value)
                            : std::string(key.fallback));
    }
  }
  for (const auto& [key, value] : run.entries()) {
    const bool known = std::any_of(keys.begin(), keys.end(),
                                   [&, name = key.AsString()](auto& k) { return k.name == name; });
    if (!known) out.Raw(key.AsString(), value.raw());
  }
  return out.Finish();
}

}  // namespace lamina::backtests
