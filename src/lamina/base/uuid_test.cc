#include "lamina/base/uuid.h"

#include <limits>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace lamina {
namespace {

constexpr std::string_view kText = "00112233-4455-6677-8899-aabbccddeeff";

std::int64_t MillisecondsOf(const Uuid& id) {
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | id.bytes[i];
  return ms;
}

bool IsVersion(const Uuid& id, int version) {
  return id.bytes[6] >> 4 == version && (id.bytes[8] & 0xc0) == 0x80;
}

TEST(Uuid, TextRoundTrip) {
  const std::optional<Uuid> id = Uuid::Parse(kText);
  ASSERT_TRUE(id);
  EXPECT_EQ(ToHex(id->View()), "00112233445566778899aabbccddeeff");
  EXPECT_EQ(id->ToString(), kText);
  EXPECT_EQ(Uuid{}.ToString(), "00000000-0000-0000-0000-000000000000");
  for (int round = 0; round < 1000; ++round) {
    const Uuid random = RandomUuid4();
    ASSERT_EQ(Uuid::Parse(random.ToString()), random);
  }
}

TEST(Uuid, ParsesOnlyWhatItWrites) {
  const std::string good(kText);
  EXPECT_FALSE(Uuid::Parse(""));
  EXPECT_FALSE(Uuid::Parse(good.substr(1)));
  EXPECT_FALSE(Uuid::Parse(good + "0"));
  EXPECT_FALSE(Uuid::Parse("{" + good.substr(2) + "}"));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char c : {'g', 'A', '-', ' ', '\0', '\xff', ':', '/', '`'}) {
      if (good[i] == c) continue;
      std::string bad = good;
      bad[i] = c;
      EXPECT_FALSE(Uuid::Parse(bad)) << bad;
    }
  }
}

TEST(RandomUuid4, HasItsVersionAndDoesNotRepeat) {
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid id = RandomUuid4();
    EXPECT_TRUE(IsVersion(id, 4));
    EXPECT_TRUE(seen.insert(id).second);
  }
}

TEST(Uuid7Source, TimeIsInTheId) {
  Uuid7Source source;
  const Uuid id = source.Next(1'700'000'000'123);
  EXPECT_TRUE(IsVersion(id, 7));
  EXPECT_EQ(MillisecondsOf(id), 1'700'000'000'123);
}

TEST(Uuid7Source, RisesWhateverTheClockDoes) {
  Uuid7Source source;
  Uuid last = source.Next(1000);
  const std::int64_t clock[] = {
      1000, 1000, 999, 0, -5, std::numeric_limits<std::int64_t>::min(), 1001, 1001, 5, 2000, 1999};
  for (const std::int64_t ms : clock) {
    const Uuid id = source.Next(ms);
    EXPECT_LT(last, id) << ms;
    EXPECT_TRUE(IsVersion(id, 7));
    last = id;
  }
  EXPECT_EQ(MillisecondsOf(last), 2000);
}

TEST(Uuid7Source, FullCounterRunsAheadOfTheClock) {
  Uuid7Source source;
  Uuid last = source.Next(77);
  for (int i = 1; i < 4096; ++i) {
    const Uuid id = source.Next(77);
    ASSERT_LT(last, id);
    ASSERT_EQ(MillisecondsOf(id), 77);
    last = id;
  }
  const Uuid ahead = source.Next(77);
  EXPECT_LT(last, ahead);
  EXPECT_EQ(MillisecondsOf(ahead), 78);
  const Uuid next = source.Next(78);
  EXPECT_LT(ahead, next);
  EXPECT_EQ(MillisecondsOf(next), 78);
}

TEST(Uuid7Source, AdvancePast) {
  Uuid7Source old_source;
  Uuid floor = old_source.Next(5000);
  for (int i = 0; i < 10; ++i) floor = old_source.Next(5000);
  Uuid7Source source;
  source.AdvancePast(floor);
  const Uuid id = source.Next(100);
  EXPECT_LT(floor, id);
  EXPECT_EQ(MillisecondsOf(id), 5000);
  source.AdvancePast(old_source.Next(0));
  EXPECT_LT(id, source.Next(100)) << "a lower floor does not turn it back";
}

TEST(Uuid7Source, AdvancePastIdsOfOtherVersions) {
  for (const std::string_view text :
       {"00000000-1388-4fff-bfff-ffffffffffff", "00000000-1388-7fff-bfff-ffffffffffff",
        "00000000-1388-8000-8000-000000000000", "00000000-1388-ffff-ffff-ffffffffffff"}) {
    const Uuid floor = *Uuid::Parse(text);
    Uuid7Source source;
    source.AdvancePast(floor);
    EXPECT_LT(floor, source.Next(0)) << text;
  }
}

TEST(Uuid7Source, EndOfTime) {
  Uuid7Source source;
  source.AdvancePast(*Uuid::Parse("ffffffff-ffff-7fff-bfff-ffffffffffff"));
  EXPECT_EQ(MillisecondsOf(source.Next(5)), 0xffffffffffff);
  EXPECT_TRUE(IsVersion(source.Next(std::numeric_limits<std::int64_t>::max()), 7));
}

TEST(Uuid7Source, Threads) {
  Uuid7Source source;
  std::vector<std::vector<Uuid>> ids(4);
  std::vector<std::thread> threads;
  threads.reserve(ids.size());
  for (auto& own : ids) {
    threads.emplace_back([&source, &own] {
      for (int i = 0; i < 2000; ++i) own.push_back(source.Next(i / 100));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<Uuid> all;
  for (const auto& own : ids) {
    EXPECT_TRUE(std::is_sorted(own.begin(), own.end()));
    all.insert(own.begin(), own.end());
  }
  EXPECT_EQ(all.size(), 8000U);
}

}  // namespace
}  // namespace lamina
