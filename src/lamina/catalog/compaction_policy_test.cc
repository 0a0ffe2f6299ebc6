#include "lamina/catalog/compaction_policy.h"

#include <cmath>
#include <random>

#include <gmock/gmock.h>

namespace lamina::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<MergeCandidate> Files(const std::vector<std::int64_t>& sizes) {
  std::vector<MergeCandidate> files;
  for (const std::int64_t size : sizes) files.push_back({size, size});
  return files;
}

TEST(CompactionPolicy, Table) {
  EXPECT_THAT(ChooseMerge({}, 2), IsEmpty());
  EXPECT_THAT(ChooseMerge(Files({5}), 1), IsEmpty());
  EXPECT_THAT(ChooseMerge(Files({5, 5}), 2), ElementsAre(0, 1));
  EXPECT_THAT(ChooseMerge(Files({5, 5}), 3), IsEmpty());
  EXPECT_THAT(ChooseMerge(Files({5, 900, 5, 5}), 2), ElementsAre(0, 2, 3));  // not the large one
  EXPECT_THAT(ChooseMerge(Files({1, 3, 9, 27}), 2), IsEmpty());              // nothing to gain
  EXPECT_THAT(ChooseMerge(Files(std::vector<std::int64_t>(40, 7)), 32), SizeIs(40));
  const std::vector<std::int64_t> large(40, kMergeBytesMax / 10);
  EXPECT_THAT(ChooseMerge(Files(large), 32), SizeIs(10));  // bounded input
}

// Single puts, one file each, and a compaction after every eighth: few live files, little
// rewriting.
TEST(CompactionPolicy, ManySinglePuts) {
  std::mt19937_64 random(4);
  std::lognormal_distribution<double> spread(0, 0.7);
  for (const double mean : {3e3, 20e3, 90e3}) {
    std::vector<std::int64_t> small;
    std::int64_t large = 0, written = 0, rewritten = 0, most = 0;
    for (int put = 0; put < 12'500; ++put) {
      small.push_back(static_cast<std::int64_t>(mean * spread(random)) + 3'000);
      written += small.back();
      for (; put % 8 == 0;) {
        const auto chosen = ChooseMerge(Files(small), 32);
        if (chosen.empty()) break;
        std::int64_t merged = 0;
        for (std::size_t i = chosen.size(); i-- > 0;) {
          merged += small[chosen[i]];
          small.erase(small.begin() + static_cast<std::ptrdiff_t>(chosen[i]));
        }
        rewritten += merged;
        if (merged >= kSmallFileBytes) ++large;
        if (merged < kSmallFileBytes) small.push_back(merged);
      }
      most = std::max(most, large + static_cast<std::int64_t>(small.size()));
    }
    EXPECT_LE(most, 160) << mean;
    EXPECT_LE(static_cast<double>(rewritten), 4.0 * static_cast<double>(written)) << mean;
  }
}

}  // namespace
}  // namespace lamina::catalog
