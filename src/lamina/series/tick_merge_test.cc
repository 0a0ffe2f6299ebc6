#include "lamina/series/tick_merge.h"

#include <algorithm>
#include <array>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::series {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Row = std::array<std::int64_t, 4>;

struct Source {
  std::vector<Row> rows;
  std::vector<std::int64_t> ts, recv, writer, seq;

  OrderColumns View(bool full) const {
    return full ? OrderColumns{ts, recv, writer, seq} : OrderColumns{.ts_ns = ts};
  }
};

Source RandomSource(std::mt19937_64& random) {
  Source source;
  source.rows.resize(random() % 50);
  for (Row& row : source.rows) {
    for (std::size_t i = 0; i < 4; ++i)
      row[i] = static_cast<std::int64_t>(random() % (i == 0 ? 90 : 3));
    if (random() % 40 == 0) row[0] = std::numeric_limits<std::int64_t>::max();
    if (random() % 40 == 0) row[0] = std::numeric_limits<std::int64_t>::min();
  }
  std::sort(source.rows.begin(), source.rows.end());
  for (const Row& row : source.rows) {
    source.ts.push_back(row[0]);
    source.recv.push_back(row[1]);
    source.writer.push_back(row[2]);
    source.seq.push_back(row[3]);
  }
  return source;
}

TEST(TickMergeTest, EqualsAStableSortHoweverItIsCut) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<Source> sources(1 + random() % 17);
    for (Source& source : sources) source = RandomSource(random);
    const bool full = random() % 2 == 0;
    std::vector<std::pair<Row, MergedRow>> sorted;
    for (std::uint32_t input = 0; input < sources.size(); ++input) {
      for (std::size_t row = 0; row < sources[input].rows.size(); ++row) {
        Row key = sources[input].rows[row];
        if (!full) key[1] = key[2] = key[3] = 0;
        sorted.push_back({key, {input, static_cast<std::int64_t>(row)}});
      }
    }
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<MergedRow> expected, merged;
    for (const auto& [key, row] : sorted) expected.push_back(row);

    TickMerge merge(static_cast<std::uint32_t>(sources.size()));
    std::vector<std::size_t> pushed(sources.size());
    for (;;) {
      std::vector<MergedRow> out(1 + random() % 20);
      const TickMerge::Progress progress = merge.Next(out);
      merged.insert(merged.end(), out.begin(),
                    out.begin() + static_cast<std::ptrdiff_t>(progress.rows));
      if (progress.done) break;
      if (progress.rows == out.size()) continue;
      const Source& source = sources[progress.starved];
      std::size_t& at = pushed[progress.starved];
      if (at == source.rows.size()) {
        merge.Finish(progress.starved);
        continue;
      }
      const std::size_t count = std::min<std::size_t>(1 + random() % 9, source.rows.size() - at);
      ASSERT_THAT(merge.Push(progress.starved, source.View(full).Slice(at, count)), IsOk());
      at += count;
    }
    EXPECT_EQ(merged, expected) << round;
  }
}

TEST(TickMergeTest, NoInputs) {
  std::vector<MergedRow> out(1);
  EXPECT_TRUE(TickMerge(0).Next(out).done);
}

TEST(TickMergeTest, Refuses) {
  const std::vector<std::int64_t> sorted{1, 2}, unsorted{2, 1};
  TickMerge merge(2);
  EXPECT_THAT(merge.Push(2, {sorted}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("no input 2")));
  EXPECT_THAT(merge.Push(0, {unsorted}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("input 0 row 1 is out of order")));
  ASSERT_THAT(merge.Push(0, {sorted}), IsOk());
  EXPECT_THAT(merge.Push(0, {sorted}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("still has")));
  EXPECT_THAT(merge.Push(1, {sorted, sorted}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("differs")));
  merge.Finish(1);
  EXPECT_THAT(merge.Push(1, {sorted}), IsError(ErrorCode::kInvalidArgument, HasSubstr("finished")));
  std::vector<MergedRow> out(5);
  EXPECT_EQ(merge.Next(out).rows, 2u);
  EXPECT_THAT(merge.Push(0, {sorted}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("input 0 row 2 is out of order")));
}

}  // namespace
}  // namespace lamina::series
