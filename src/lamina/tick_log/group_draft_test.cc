#include "lamina/tick_log/group_draft.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/tick_log/log_test_support.h"

namespace lamina::tick_log {
namespace {

TEST(GroupDraft, OneContractTakesTwentyFourBytesATickAndAFront) {
  const DraftGroup draft = test::Draft({test::Trades(100), {}}, {});
  ASSERT_EQ(draft.runs.size(), 1U);
  EXPECT_EQ(draft.runs[0].columns, 0);
  EXPECT_EQ(draft.header.front, 112U);
  EXPECT_EQ(draft.bytes.size(), 112U + 2400U);
  EXPECT_EQ(draft.runs[0].ts_min, test::kStart);
  EXPECT_EQ(draft.runs[0].ts_max, test::kStart + 99 * test::kSecond);
}

TEST(GroupDraft, ASourceOfAllRowsIsOneCode) {
  const DraftGroup draft = test::Draft({test::Trades(100), {}}, {.source = "feed"});
  EXPECT_EQ(draft.runs[0].columns, kRunSource);
  EXPECT_EQ(draft.bytes.size(), 120U + 2400U + 8U);
}

TEST(GroupDraft, TextsTakeAsManyBytesAsTheyAreMany) {
  for (const auto& [texts, width] : {std::pair(2, 1), std::pair(300, 2), std::pair(70'000, 3)}) {
    test::TicksAndOrder made{test::Trades(static_cast<std::size_t>(texts)), {}};
    for (int i = 0; i < texts; ++i) {
      made.ticks[0].extra.values.push_back(std::to_string(i));
      made.ticks[0].extra.codes.push_back(static_cast<std::uint32_t>(i + 1));
    }
    EXPECT_EQ(test::Draft(made, {}).runs[0].text_widths, width << 6);
  }
}

}  // namespace
}  // namespace lamina::tick_log
