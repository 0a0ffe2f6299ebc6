#include "lamina/series/bar_rule.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "lamina/base/near_names.h"

namespace lamina::series {
namespace {

struct TimeUnit {
  std::string_view name;
  std::int64_t nanos;
};
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::array<TimeUnit, 5> kBarUnits{{{"s", kSecond},
                                             {"m", 60 * kSecond},
                                             {"h", 3600 * kSecond},
                                             {"d", 86400 * kSecond},
                                             {"w", 7 * 86400 * kSecond}}};
constexpr std::array<TimeUnit, 3> kFineUnits{{{"ns", 1}, {"us", 1000}, {"ms", 1'000'000}}};
constexpr std::array<std::string_view, 13> kCurrencies{"usd", "eur",  "gbp",     "jpy", "chf",
                                                       "cny", "hkd",  "aud",     "cad", "btc",
                                                       "eth", "usdt", "notional"};
constexpr std::string_view kBarForms =
    "<n>s, <n>m (minutes), <n>h, <n>d, <n>w, <n>month, <n>tick, <n>vol, <n>usd (or another "
    "currency, or notional)";
constexpr std::string_view kSpanForms =
    "<n>ns, <n>us, <n>ms, <n>s, <n>m (minutes), <n>h, <n>d, <n>w";

/// Where the number ends and the unit begins.
std::size_t NumberEnd(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && (text[end] >= '0' && text[end] <= '9')) ++end;
  return end;
}

Error BadRule(std::string_view what, std::string_view text, std::string_view why,
              std::string_view forms) {
  return InvalidArgument(std::string(what) + " `" + std::string(text) + "`: " + std::string(why) +
                         "; known: " + std::string(forms));
}

Result<std::int64_t> ParseCount(std::string_view what, std::string_view text,
                                std::string_view digits, std::string_view forms) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return BadRule(what, text, digits.empty() ? "no whole number in front" : "number too large",
                   forms);
  }
  return count;
}

template <std::size_t n>
const TimeUnit* UnitNamed(const std::array<TimeUnit, n>& units, std::string_view name) {
  const auto found = std::find_if(units.begin(), units.end(),
                                  [&](const TimeUnit& unit) { return unit.name == name; });
  return found == units.end() ? nullptr : &*found;
}

std::string UnknownUnit(std::string_view unit) {
  const std::vector<std::string> known{"s", "m", "h", "d", "w", "month", "tick", "vol", "usd"};
  return "unknown unit `" + std::string(unit) + "`" + DidYouMean(unit, known);
}

Result<BarRule> ParseThresholdRule(std::string_view text, BarUnit unit, std::string_view number) {
  BarRule rule{.unit = unit, .count = 0, .text = std::string(text)};
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), rule.threshold);
  if (error != std::errc() || end != number.data() + number.size() ||
      !std::isfinite(rule.threshold) || rule.threshold <= 0) {
    return BadRule("rule", text, "needs a number above 0", kBarForms);
  }
  return rule;
}

}  // namespace

Result<BarRule> ParseBarRule(std::string_view text) {
  if (text.ends_with("vol")) {
    return ParseThresholdRule(text, BarUnit::kVolume, text.substr(0, text.size() - 3));
  }
  for (const std::string_view currency : kCurrencies) {
    if (text.ends_with(currency)) {
      return ParseThresholdRule(text, BarUnit::kNotional,
                                text.substr(0, text.size() - currency.size()));
    }
  }
  const std::size_t number_end = NumberEnd(text);
  const std::string_view unit = text.substr(number_end);
  BarRule rule{.text = std::string(text)};
  const TimeUnit* time_unit = UnitNamed(kBarUnits, unit);
  if (time_unit == nullptr && unit != "month" && unit != "tick") {
    return BadRule("rule", text, UnknownUnit(unit), kBarForms);
  }
  LAMINA_ASSIGN(rule.count, ParseCount("rule", text, text.substr(0, number_end), kBarForms));
  if (rule.count < 1) return BadRule("rule", text, "the number must be at least 1", kBarForms);
  if (unit == "tick") {
    rule.unit = BarUnit::kTick;
    return rule;
  }
  constexpr std::int64_t kMonthsMax = 12 * 1000;
  rule.unit = unit == "month" ? BarUnit::kMonth
              : unit == "w"   ? BarUnit::kWeek
              : unit == "d"   ? BarUnit::kDay
                              : BarUnit::kTime;
  if (rule.unit == BarUnit::kMonth) {
    if (rule.count > kMonthsMax) return BadRule("rule", text, "number too large", kBarForms);
  } else if (__builtin_mul_overflow(rule.count, time_unit->nanos, &rule.period_ns)) {
    return BadRule("rule", text, "number too large", kBarForms);
  }
  return rule;
}

Result<std::int64_t> ParseSpan(std::string_view text) {
  const std::size_t number_end = NumberEnd(text);
  const std::string_view name = text.substr(number_end);
  const TimeUnit* unit = UnitNamed(kBarUnits, name);
  if (unit == nullptr) unit = UnitNamed(kFineUnits, name);
  if (unit == nullptr) {
    return BadRule("span", text, "unknown unit `" + std::string(name) + "`", kSpanForms);
  }
  LAMINA_ASSIGN(const std::int64_t count,
                ParseCount("span", text, text.substr(0, number_end), kSpanForms));
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(count, unit->nanos, &nanos)) {
    return BadRule("span", text, "number too large", kSpanForms);
  }
  return nanos;
}

}  // namespace lamina::series
