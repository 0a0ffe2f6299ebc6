#include "lamina/metrics/metric.h"

#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

namespace lamina::metrics {
namespace {

TEST(Metric, NamesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    EXPECT_TRUE(names.insert(kMetricFields[i].name).second) << kMetricFields[i].name;
    EXPECT_EQ(FindMetric(kMetricFields[i].name), MetricAt(i));
  }
  EXPECT_EQ(NameOf(Metric::kMaxConsecutiveLosses), "max_consecutive_losses") << "the last one";
  EXPECT_EQ(FindMetric("sharpe"), std::nullopt);
}

TEST(Metric, EveryReasonHasItsOwnText) {
  std::set<std::string_view> texts;
  for (int i = 0; i <= static_cast<int>(Reason::kNoWeight); ++i) {
    EXPECT_TRUE(texts.insert(TextOf(static_cast<Reason>(i))).second) << i;
  }
  EXPECT_EQ(TextOf(Reason::kNone), "");
}

TEST(Metric, ValuesAreFinite) {
  EXPECT_EQ(MetricValue::Of(2.5).value, 2.5);
  EXPECT_EQ(MetricValue::Of(2.5).reason, Reason::kNone);
  for (const double bad : {std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_FALSE(MetricValue::Of(bad).value.has_value());
    EXPECT_EQ(MetricValue::Of(bad).reason, Reason::kOutOfRange);
  }
}

}  // namespace
}  // namespace lamina::metrics
