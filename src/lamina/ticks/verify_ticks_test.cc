#include "lamina/ticks/verify_ticks.h"

#include <fstream>

#include <gmock/gmock.h>

#include "lamina/tick_log/log_reader.h"
#include "lamina/tick_log/tick_writer.h"
#include "lamina/ticks/archive.h"
#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using test::OneKind;
using test::RandomTicks;
using test::TestCatalog;
using testing::IsEmpty;

TEST(VerifyTicks, FindsWhatDoesNotFit) {
  TestCatalog store;
  EXPECT_THAT(*VerifyTicks(*store, true), IsEmpty());
  for (std::uint64_t part = 0; part < 3; ++part)
    ASSERT_THAT(ArchiveTicks(*store, OneKind(RandomTicks(TickKind::kTrades, 50, part)), {}),
                IsOk());
  EXPECT_THAT(*VerifyTicks(*store, true), IsEmpty());
  const struct {
    const char* sql;
    const char* kind;
  } cases[] = {
      {"DELETE FROM tick_archives WHERE data_file_id = (SELECT min(data_file_id) FROM "
       "tick_archives)",
       "tick-archive"},
      {"UPDATE tick_archives SET tick_count = tick_count + 1 WHERE id = (SELECT max(id) FROM "
       "tick_archives)",
       "tick-archive"},
      {"UPDATE tick_archives SET end_snapshot = 99 WHERE data_file_id = (SELECT max(data_file_id) "
       "FROM tick_archives) ",
       "tick-archive"},
      {"UPDATE data_statistics SET vwap = vwap + 1", "tick-statistics"}};
  std::size_t found = 0;
  for (const auto& test : cases) {
    ASSERT_THAT(
        store->Transact([&](catalog::Database& database) { return database.Execute(test.sql); }),
        IsOk());
    const auto problems = VerifyTicks(*store, true);
    ASSERT_THAT(problems, IsOk());
    EXPECT_GT(problems->size(), found) << test.sql;
    EXPECT_TRUE(std::any_of(problems->begin(), problems->end(),
                            [&](const TickProblem& problem) { return problem.kind == test.kind; }));
    found = problems->size();
  }
}

TEST(VerifyTicks, NamesADamagedLog) {
  TestCatalog store;
  {
    tick_log::LogOptions options;
    options.background = false;
    auto writer =
        *tick_log::TickWriter::Open(io::PosixEnv(), store->root(), store->store_id(), 1, options);
    for (int i = 0; i < 4; ++i)
      ASSERT_THAT(writer->Append(OneKind(RandomTicks(TickKind::kTrades, 100, 1))), IsOk());
    ASSERT_THAT(writer->Close(), IsOk());
  }
  EXPECT_THAT(*VerifyTicks(*store, false), IsEmpty());
  tick_log::LogReader logs(io::PosixEnv(), store->root(), store->store_id());
  const tick_log::SegmentInfo segment = logs.Logs()->front().segments.front();
  {
    std::fstream file(segment.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(segment.bytes / 2);
    file.put('\x5a');
    file.put('\xa5');
  }
  const auto problems = VerifyTicks(*store, false);
  ASSERT_THAT(problems, IsOk());
  ASSERT_EQ(problems->size(), 1u);
  EXPECT_EQ((*problems)[0].kind, "tick-log");
}

}  // namespace
}  // namespace lamina::ticks
