#include "lamina/ticks/fold_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lamina::ticks {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

FoldFile File(std::vector<ContractSpan> contracts, bool deletes = false) {
  FoldFile file{.bytes = 100, .has_deletes = deletes, .contracts = std::move(contracts)};
  for (const ContractSpan& span : file.contracts) file.rows += span.ticks;
  return file;
}

TEST(FoldPlan, OnlyWhatOverlapsIsFolded) {
  const FoldRule rule{.sealed = true, .file_rows = 1000};
  const FoldFile early = File({{1, 0, 50, 900}}), late = File({{1, 51, 99, 900}}),
                 across = File({{1, 40, 60, 10}}), other = File({{2, 0, 99, 900}});
  EXPECT_THAT(ChooseFolds({early, late, other}, rule), IsEmpty());
  EXPECT_THAT(ChooseFolds({late, early, across, other}, rule), ElementsAre(ElementsAre(1, 2, 0)));
  EXPECT_THAT(ChooseFolds({}, rule), IsEmpty());
}

TEST(FoldPlan, DeletedRowsAndSmallNeighbours) {
  const FoldRule rule{.sealed = true, .file_rows = 1000};
  EXPECT_THAT(ChooseFolds({File({{1, 0, 9, 900}}, true)}, rule), ElementsAre(ElementsAre(0)));
  EXPECT_THAT(
      ChooseFolds({File({{1, 0, 9, 10}}), File({{2, 0, 9, 10}}), File({{3, 0, 9, 900}})}, rule),
      ElementsAre(ElementsAre(0, 1, 2)));
  EXPECT_THAT(ChooseFolds({File({{1, 0, 9, 400}})}, rule), IsEmpty());
}

TEST(FoldPlan, AnOpenDayWaitsForManySmallFiles) {
  const FoldRule rule{.sealed = false, .min_files = 3, .small_bytes = 101, .file_rows = 1000};
  const FoldFile file = File({{1, 0, 50, 5}});
  EXPECT_THAT(ChooseFolds({file, file}, rule), IsEmpty());
  EXPECT_THAT(ChooseFolds({file, file, file}, rule), ElementsAre(ElementsAre(0, 1, 2)));
}

TEST(FoldPlan, StretchesHoldEveryTickOnce) {
  std::vector<FoldFile> files;
  for (std::int64_t i = 0; i < 10; ++i)
    files.push_back(File({{1, i * 10, i * 10 + 9, 30}, {2, 0, 99, 500}, {4, 0, 0, 1}}));
  const std::vector<Stretch> stretches = CutIntoStretches(files, 1000);
  for (const std::int64_t contract : {1, 2, 4}) {
    for (std::int64_t ts = -3; ts < 110; ++ts) {
      int holds = 0;
      for (const Stretch& stretch : stretches)
        holds += contract >= stretch.low_contract && contract <= stretch.high_contract &&
                 ts >= stretch.first_ns && ts <= stretch.last_ns;
      EXPECT_EQ(holds, 1) << contract << " at " << ts;
    }
  }
  EXPECT_EQ(stretches.size(), 7u);  // 300 | 5 times 1000 | 10
  EXPECT_EQ(CutIntoStretches({File({{1, 5, 5, 5000}})}, 1000).size(), 1u + 1u);  // one instant
}

}  // namespace
}  // namespace lamina::ticks
