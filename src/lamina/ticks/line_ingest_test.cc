#include "lamina/ticks/line_ingest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/base/uuid.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/tick_log/log_reader.h"

namespace lamina::ticks {
namespace {

class LineIngestTest : public testing::Test {
 protected:
  std::unique_ptr<tick_log::TickWriter> Open(const std::string& producer = {}) {
    tick_log::LogOptions options;
    options.producer = producer;
    auto writer = tick_log::TickWriter::Open(io::PosixEnv(), folder_.path(), id_, 1, options);
    EXPECT_THAT(writer, IsOk());
    return *std::move(writer);
  }
  IngestReport Read(tick_log::TickWriter& writer, const std::string& text, IngestOptions options) {
    const std::string path = folder_.File("lines");
    EXPECT_THAT(io::PosixEnv().WriteFileAtomically(path, text), IsOk());
    LineIngest ingest(io::PosixEnv(), writer, std::move(options));
    std::FILE* const in = std::fopen(path.c_str(), "rb");
    EXPECT_THAT(ingest.ReadAll(in), IsOk());
    std::fclose(in);
    return ingest.report();
  }
  std::size_t Stored() {
    tick_log::LogReader reader(io::PosixEnv(), folder_.path(), id_);
    return tick_log::CountTicks(*reader.Read(1, 0, INT64_MAX));
  }

  io::TemporaryFolder folder_;
  const Uuid id_ = RandomUuid4();
};

std::string Line(std::int64_t ts_s, double price) {
  return R"({"ts_ns": )" + std::to_string(ts_s) +
         R"(000000000, "contract_id": 1, "tick_type": "mid_point", "price": )" +
         std::to_string(price) + "}\n";
}

TEST_F(LineIngestTest, WhatIsNoTickIsToldByItsLineAndTheRestStored) {
  const auto writer = Open();
  // Line 2 is no JSON, 4 is long, 6 is refused by the log only, in one batch with 5 and 7.
  const std::string text = Line(1'700'000'000, 1) + "nonsense\n\n" +
                           std::string((16 << 20) + 1, 'x') + "\n" + Line(1'700'000'001, 2) +
                           Line(5, 3) + "\r\n" + Line(1'700'000'002, 4);
  std::int64_t told = 0;
  const IngestReport report =
      Read(*writer, text,
           {.input = {}, .batch_rows = 3, .progress = [&](std::int64_t now) { told = now; }});
  EXPECT_EQ(report.accepted, 3);
  EXPECT_EQ(told, 3);
  ASSERT_EQ(report.rejected.first.size(), 3U);
  EXPECT_EQ(report.rejected.count, 3);
  EXPECT_EQ(report.rejected.first[0].line, 2);
  EXPECT_EQ(report.rejected.first[1].line, 4);
  EXPECT_EQ(report.rejected.first[2].line, 6);
  EXPECT_THAT(report.rejected.first[2].message,
              testing::StartsWith("ts_ns 5000000000 is not a time"));
  EXPECT_EQ(report.durable, (LogCursor{{1, 3}}));
  EXPECT_EQ(Stored(), 3U);
  EXPECT_THAT(IngestReportJson(report), testing::HasSubstr(R"("rejected_count":3)"));
}

TEST_F(LineIngestTest, NumberedLinesAreStoredOnce) {
  std::string text;
  for (int i = 0; i < 25; ++i) text += i == 7 ? Line(5, 1) : Line(1'700'000'000 + i, i);
  for (int again = 0; again < 2; ++again) {
    const auto writer = Open("file");
    const IngestReport report =
        Read(*writer, text, {.input = {}, .batch_rows = 10, .numbered = true});
    EXPECT_EQ(report.accepted, again == 0 ? 24 : 0);
    EXPECT_EQ(report.repeated, again == 0 ? 0 : 24);
    EXPECT_EQ(report.rejected.count, 1);
  }
  EXPECT_EQ(Stored(), 24U);
}

}  // namespace
}  // namespace lamina::ticks
