#include "lamina/ticks/tick_stream.h"

#include <gmock/gmock.h>

#include "lamina/ticks/query_test_support.h"

namespace lamina::ticks {
namespace {

using test::ArchivedTicks;
using test::Fill;
using test::kAllTypes;
using test::kDay;
using test::kStart;
using test::Range;
using test::Tick;
using test::TicksOf;

TEST(TickStreamTest, StreamsEqualQueriesHoweverTheyAreCut) {
  ArchivedTicks ticks;
  Fill(ticks);
  TickReader reader(ticks.catalog(), {});
  const TickQuery query = Range({1, 2, 3}, kAllTypes, kStart, kStart + 3 * kDay);
  const std::vector<Tick> expected = ticks.Expect(query);
  for (const StreamOptions options : {StreamOptions{}, StreamOptions{.batch_rows = 7},
                                      StreamOptions{.batch_rows = 1000, .slice_rows = 500}}) {
    auto stream = reader.Stream(query, options);
    ASSERT_THAT(stream, IsOk());
    std::vector<Tick> seen;
    for (;;) {
      auto batch = stream->Next();
      ASSERT_THAT(batch, IsOk());
      if (*batch == nullptr) break;
      EXPECT_LE((*batch)->num_rows(), options.batch_rows);
      const auto more = TicksOf(**batch);
      seen.insert(seen.end(), more.begin(), more.end());
    }
    EXPECT_EQ(seen, expected);
    if (options.slice_rows == 500) {
      EXPECT_GT(stream->counts().slices, 10);
    }
  }
}

}  // namespace
}  // namespace lamina::ticks
