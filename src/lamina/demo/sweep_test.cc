#include "lamina/demo/sweep.h"

#include <set>

#include <gtest/gtest.h>

#include "lamina/backtests/backtest_store.h"
#include "lamina/base/matchers.h"

namespace lamina::demo {
namespace {

TEST(Sweep, PointsAndHandles) {
  const Sweep sweep(7);
  EXPECT_EQ(sweep.size(), 240U);
  std::set<std::string> handles;
  for (std::size_t i = 0; i < sweep.size(); ++i) {
    EXPECT_THAT(backtests::CheckHandle(sweep.Handle(i)), IsOk()) << sweep.Handle(i);
    handles.insert(sweep.Handle(i));
  }
  EXPECT_EQ(handles.size(), sweep.size());
  EXPECT_TRUE(handles.contains("trend_cross/fast12_slow96_size20"));
  EXPECT_TRUE(handles.contains("mean_reversion/window24_entry125_size15"));
}

TEST(Sweep, WindowsFollowEachOther) {
  const Sweep sweep(7);
  ASSERT_EQ(sweep.windows().size(), 3U);
  EXPECT_GE(sweep.windows().front().begin, 240U) << "the slowest average has its bars before";
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(sweep.windows()[i].begin, sweep.windows()[i - 1].end);
  }
  EXPECT_EQ(sweep.windows().back().end, sweep.market().hours.size());
}

TEST(Sweep, TheSeedDecidesTheBytes) {
  const Sweep sweep(7);
  const Sweep same(7);
  const Sweep other(8);
  std::set<std::string> documents;
  for (std::size_t i : {0U, 131U, 239U}) {
    const auto document = sweep.Document(i);
    ASSERT_THAT(document, IsOk());
    EXPECT_EQ(*document, *same.Document(i)) << i;
    EXPECT_EQ(*document, *sweep.Document(i)) << "asked again, " << i;
    EXPECT_NE(*document, *other.Document(i)) << i;
    documents.insert(*document);
  }
  EXPECT_EQ(documents.size(), 3U);
}

}  // namespace
}  // namespace lamina::demo
