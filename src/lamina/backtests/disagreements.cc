#include "lamina/backtests/disagreements.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "lamina/backtests/index_row.h"

namespace lamina::backtests {
namespace {

using metrics::Metric;
using metrics::MetricValue;

/// Recorded ones that never have our definition.
constexpr std::array<std::pair<Metric, const char*>, 7> kOtherDefinitions = {{
    {Metric::kCagr, "over all snapshots and a year of 365 days"},
    {Metric::kAnnualVolatility, "of logarithmic returns and 365 days a year"},
    {Metric::kSharpeRatio, "of the geometric mean below a year, over days filled in, 365 a year"},
    {Metric::kSortinoRatio, "over the deviation of negative returns only"},
    {Metric::kCalmarRatio, "of its own cagr"},
    {Metric::kVar95, "of monthly returns"},
    {Metric::kCvar95, "of monthly returns"},
}};

constexpr std::array<std::pair<Metric, const char*>, 8> kSometimesOther = {{
    {Metric::kTotalNetGain, "with deposits as gain, in the order of the file"},
    {Metric::kTotalNetGainPercentage,
     "compounded or averaged over windows, over the initial capital, or with deposits as gain"},
    {Metric::kMaxDrawdown, "of the mildest window, or with deposits left in"},
    {Metric::kProfitFactor, "with open trades, or as the mean over windows"},
    {Metric::kWinRate, "with windows that have no such trade as 0"},
    {Metric::kAverageTradeDuration, "with windows that have no such trade as 0"},
    {Metric::kAverageWinDuration, "with windows that have no such trade as 0"},
    {Metric::kAverageLossDuration, "with windows that have no such trade as 0"},
}};

constexpr std::array<Metric, 10> kSameDefinitions = {Metric::kTotalNetGain,
                                                     Metric::kTotalNetGainPercentage,
                                                     Metric::kMaxDrawdown,
                                                     Metric::kTradesClosed,
                                                     Metric::kWinRate,
                                                     Metric::kAverageTradeDuration,
                                                     Metric::kAverageWinDuration,
                                                     Metric::kAverageLossDuration,
                                                     Metric::kMaxConsecutiveWins,
                                                     Metric::kMaxConsecutiveLosses};

/// Names under which a metric may be recorded too.
std::optional<std::string_view> AlsoRecordedAs(Metric metric) {
  if (metric == Metric::kTotalNetGain) return "total_growth";
  if (metric == Metric::kTotalNetGainPercentage) return "total_growth_percentage";
  return std::nullopt;
}

bool Agree(double a, double b) {
  const double difference = std::fabs(a - b);
  return difference <= kAgreementFloor ||
         difference <= kAgreement * std::max(std::fabs(a), std::fabs(b));
}

constexpr bool CanBePercent(Metric metric) {
  return metric == Metric::kTotalNetGainPercentage || metric == Metric::kMaxDrawdown ||
         metric == Metric::kWinRate;
}

/// How `recorded` differs from every value that its definitions may give; absent: it does not.
std::optional<DisagreementKind> Judge(Metric metric, double recorded,
                                      const std::vector<double>& expected) {
  if (expected.empty()) return std::nullopt;
  if (!std::isfinite(recorded)) return DisagreementKind::kNotANumber;
  const auto any = [&](auto matches) {
    return std::any_of(expected.begin(), expected.end(), matches);
  };
  if (any([&](double value) { return Agree(recorded, value); })) return std::nullopt;
  if (CanBePercent(metric) && any([&](double value) {
        return Agree(recorded, 100 * value) || Agree(100 * recorded, value);
      })) {
    return DisagreementKind::kPercent;
  }
  if (any([&](double value) { return Agree(recorded, -value); })) return DisagreementKind::kSign;
  return DisagreementKind::kDiffers;
}

std::optional<double> NumberOf(const Number& number) {
  if (const auto* integer = std::get_if<std::int64_t>(&number)) {
    return static_cast<double>(*integer);
  }
  if (const auto* real = std::get_if<double>(&number)) return *real;
  return std::nullopt;
}

std::optional<double> RecordedIn(const IndexRow& row, std::string_view name) {
  const auto field = FindSummaryField(name);
  return field ? NumberOf(row.summary[*field]) : std::nullopt;
}

/// What the recorded definition gives for one run, as releases up to 9.0 compute it; none: unknown.
std::optional<double> OwnOf(const CheckedRun& run, Metric metric) {
  const MetricValue& value = run.window.values[metric];
  switch (metric) {
    case Metric::kTotalNetGain:
      return run.gain;
    case Metric::kTotalNetGainPercentage:
      return run.gain_percentage;
    case Metric::kMaxDrawdown:
      return run.drawdown;
    default:
      break;
  }
  if (value.value) return value.value;
  const bool stands_for_zero = value.reason == metrics::Reason::kNoClosedTrades ||
                               value.reason == metrics::Reason::kNoWins ||
                               value.reason == metrics::Reason::kNoLosses;
  return stands_for_zero ? std::optional(0.0) : std::nullopt;
}

void CompareRun(const CheckedRun& run, std::vector<Disagreement>& out) {
  const auto compare = [&](Metric metric, std::vector<double> expected) {
    const auto& recorded = run.recorded[static_cast<std::size_t>(metric)];
    if (!recorded) return;
    const auto kind = Judge(metric, *recorded, expected);
    if (!kind) return;
    out.push_back({std::string(metrics::NameOf(metric)), run.slot, *kind, *recorded, expected[0]});
  };
  for (const Metric metric : kSameDefinitions) {
    const auto own = OwnOf(run, metric);
    if (own) compare(metric, {*own});
  }
  const auto& factor = run.window.values[Metric::kProfitFactor].value;
  if (run.trades_open == 0 && factor) compare(Metric::kProfitFactor, {*factor});
}

/// The values that summaries of the releases may record for a metric, given their windows.
class SummaryDefinitions {
 public:
  explicit SummaryDefinitions(std::vector<const CheckedRun*> runs) : runs_(std::move(runs)) {}

  /// Empty: not known.
  std::vector<double> ValuesOf(Metric metric) const {
    std::vector<double> own;
    for (const CheckedRun* run : runs_) {
      if (metric == Metric::kProfitFactor) continue;
      const auto value = OwnOf(*run, metric);
      if (!value) return {};
      own.push_back(*value);
    }
    if (runs_.empty()) return {};
    switch (metric) {
      case Metric::kTotalNetGain:
      case Metric::kTradesClosed:
        return {Sum(own)};
      case Metric::kTotalNetGainPercentage:
        return Percentages(own);
      case Metric::kMaxDrawdown:
        return {*std::min_element(own.begin(), own.end())};
      case Metric::kMaxConsecutiveWins:
      case Metric::kMaxConsecutiveLosses:
        return {*std::max_element(own.begin(), own.end())};
      case Metric::kProfitFactor:
        return ProfitFactors();
      default:
        return ByClosedTrades(own);
    }
  }

 private:
  static double Sum(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum;
  }

  std::vector<double> Percentages(const std::vector<double>& own) const {
    double compounded = 1, gain = 0, capital = 0, first_values = 0, weighted = 0, weights = 0;
    for (std::size_t i = 0; i < own.size(); ++i) {
      compounded *= 1 + own[i];
      gain += runs_[i]->gain.value_or(0);
      capital += std::max(0.0, runs_[i]->initial_capital);
      first_values += runs_[i]->window.first_value;
      const auto days = static_cast<double>(std::max<std::int64_t>(runs_[i]->window.days, 0));
      weighted += own[i] * days;
      weights += days;
    }
    std::vector<double> values = {compounded - 1};
    if (weights > 0) values.push_back(weighted / weights);
    if (capital > 0) values.push_back(gain / capital);
    if (first_values > 0) values.push_back(gain / first_values);
    return values;
  }

  std::vector<double> ByClosedTrades(const std::vector<double>& own) const {
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i < own.size(); ++i) {
      const double weight = runs_[i]->window.values[Metric::kTradesClosed].value.value_or(0);
      sum += own[i] * weight;
      weights += weight;
    }
    if (weights <= 0) return {};
    return {sum / weights};
  }

  /// Known only when no trade is open: recorded ones count those too.
  std::vector<double> ProfitFactors() const {
    double profit = 0, loss = 0, weighted = 0, weights = 0;
    bool every_window = true;
    for (const CheckedRun* run : runs_) {
      if (run->trades_open > 0 || !run->window.trade_sums.known) return {};
      profit += run->window.trade_sums.gross_profit;
      loss += run->window.trade_sums.gross_loss;
      const auto& factor = run->window.values[Metric::kProfitFactor].value;
      if (run->window.days <= 0) continue;
      // No profit and no loss is recorded as 0; profit without loss as infinity.
      every_window =
          every_window && (factor.has_value() || run->window.trade_sums.gross_profit == 0);
      weighted += factor.value_or(0) * static_cast<double>(run->window.days);
      weights += static_cast<double>(run->window.days);
    }
    if (loss <= 0 || !every_window) return {};
    std::vector<double> values = {profit / loss};
    if (weights > 0) values.push_back(weighted / weights);
    return values;
  }

  std::vector<const CheckedRun*> runs_;
};

}  // namespace

std::string_view NameOf(DisagreementKind kind) {
  switch (kind) {
    case DisagreementKind::kDiffers:
      return "differs";
    case DisagreementKind::kPercent:
      return "percent";
    case DisagreementKind::kSign:
      return "sign";
    case DisagreementKind::kNotANumber:
      return "not_a_number";
    case DisagreementKind::kDefinition:
      return "definition";
  }
  return "?";
}

std::optional<DisagreementKind> FindDisagreementKind(std::string_view name) {
  for (const DisagreementKind kind :
       {DisagreementKind::kDiffers, DisagreementKind::kPercent, DisagreementKind::kSign,
        DisagreementKind::kNotANumber, DisagreementKind::kDefinition}) {
    if (NameOf(kind) == name) return kind;
  }
  return std::nullopt;
}

double Disagreement::relative_difference() const {
  if (!std::isfinite(recorded) || !std::isfinite(validated)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double larger = std::max(std::fabs(recorded), std::fabs(validated));
  return larger == 0 ? 0 : std::fabs(recorded - validated) / larger;
}

std::string Disagreement::Explanation() const {
  switch (kind) {
    case DisagreementKind::kDiffers:
      return "the snapshots and trades give another number";
    case DisagreementKind::kPercent:
      return std::fabs(recorded) > std::fabs(validated)
                 ? "recorded in percent; a fraction is expected"
                 : "recorded as a fraction of a hundredth";
    case DisagreementKind::kSign:
      return "recorded with the other sign";
    case DisagreementKind::kNotANumber:
      return "recorded as NaN or infinity";
    case DisagreementKind::kDefinition:
      break;
  }
  for (const auto& [other, text] : kOtherDefinitions) {
    if (metrics::NameOf(other) == metric) return std::string("recorded ") + text;
  }
  for (const auto& [other, text] : kSometimesOther) {
    if (metrics::NameOf(other) == metric || AlsoRecordedAs(other) == metric) {
      return std::string("recorded ") + text;
    }
  }
  return "recorded by another definition";
}

std::int64_t ValidatedMetrics::CountDisagreements() const {
  return std::count_if(disagreements.begin(), disagreements.end(),
                       [](const Disagreement& one) { return one.counted(); });
}

std::vector<Disagreement> FindDisagreements(const IndexRow& row,
                                            const std::vector<const CheckedRun*>& runs,
                                            const metrics::PooledMetrics& pooled) {
  std::vector<Disagreement> out;
  // Windows without metrics of their own went into some summaries and not into others.
  std::vector<const CheckedRun*> with_metrics;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(with_metrics),
               [](const CheckedRun* run) { return run->has_metrics; });
  const SummaryDefinitions of_all(runs);
  const SummaryDefinitions of_measured(with_metrics);
  const auto compare = [&](Metric metric, std::string_view name) {
    const auto recorded = RecordedIn(row, name);
    const auto& ours = pooled.values[metric].value;
    if (!recorded || !ours) return;
    std::vector<double> expected = of_all.ValuesOf(metric);
    if (with_metrics.size() < runs.size()) {
      const std::vector<double> more = of_measured.ValuesOf(metric);
      expected.insert(expected.end(), more.begin(), more.end());
    }
    if (auto kind = Judge(metric, *recorded, expected)) {
      out.push_back({std::string(name), std::nullopt, *kind, *recorded, *ours});
    } else if (!Agree(*recorded, *ours)) {
      out.push_back(
          {std::string(name), std::nullopt, DisagreementKind::kDefinition, *recorded, *ours});
    }
  };
  for (std::size_t i = 0; i < metrics::kMetricCount; ++i) {
    const Metric metric = metrics::MetricAt(i);
    const bool same = metric == Metric::kProfitFactor ||
                      std::find(kSameDefinitions.begin(), kSameDefinitions.end(), metric) !=
                          kSameDefinitions.end();
    if (!same) continue;
    compare(metric, metrics::NameOf(metric));
    if (const auto also = AlsoRecordedAs(metric)) compare(metric, *also);
  }
  for (const CheckedRun* run : runs) CompareRun(*run, out);
  return out;
}

std::vector<Disagreement> AllDisagreements(const IndexRow& row) {
  if (!row.validated) return {};
  std::vector<Disagreement> all = row.validated->disagreements;
  for (const auto& entry : kOtherDefinitions) {
    const auto recorded = RecordedIn(row, metrics::NameOf(entry.first));
    const auto& ours = row.validated->pooled.values[entry.first].value;
    if (!recorded || !ours || Agree(*recorded, *ours)) continue;
    all.push_back({std::string(metrics::NameOf(entry.first)), std::nullopt,
                   DisagreementKind::kDefinition, *recorded, *ours});
  }
  std::stable_partition(all.begin(), all.end(),
                        [](const Disagreement& one) { return one.counted(); });
  return all;
}

}  // namespace lamina::backtests
