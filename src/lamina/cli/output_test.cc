#include "lamina/cli/output.h"

#include <cstdlib>
#include <limits>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace lamina::cli {
namespace {

TEST(Output, HumanBytes) {
  const std::pair<std::int64_t, const char*> cases[] = {
      {0, "0 B"},
      {1, "1 B"},
      {999, "999 B"},
      {1000, "1.0 kB"},
      {1049, "1.0 kB"},
      {1250, "1.2 kB"},
      {999'940, "999.9 kB"},
      {999'960, "1.0 MB"},  // not 1000.0 kB
      {25'400'000, "25.4 MB"},
      {3'000'000'000, "3.0 GB"},
      {7'100'000'000'000, "7.1 TB"},
      {12'000'000'000'000'000, "12.0 PB"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(HumanBytes(bytes), text) << bytes;
}

TEST(Output, HumanCount) {
  const std::pair<std::int64_t, const char*> cases[] = {
      {0, "0"},
      {999, "999"},
      {1000, "1,000"},
      {12'500, "12,500"},
      {123'456'789, "123,456,789"},
      {-1, "-1"},
      {-999, "-999"},
      {-1'000'000, "-1,000,000"},
      {std::numeric_limits<std::int64_t>::max(), "9,223,372,036,854,775,807"},
      {std::numeric_limits<std::int64_t>::min(), "-9,223,372,036,854,775,808"},
  };
  for (const auto& [count, text] : cases) EXPECT_EQ(HumanCount(count), text) << count;
}

TEST(Output, HumanSeconds) {
  const std::pair<double, const char*> cases[] = {
      {0, "0 ms"},  {0.0014, "1 ms"}, {0.25, "250 ms"},
      {1, "1.0 s"}, {2.149, "2.1 s"}, {75, "75.0 s"},
  };
  for (const auto& [seconds, text] : cases) EXPECT_EQ(HumanSeconds(seconds), text) << seconds;
}

TEST(Output, OneDecimal) {
  EXPECT_EQ(OneDecimal(0), "0.0");
  EXPECT_EQ(OneDecimal(-1.25), "-1.2");
  EXPECT_EQ(OneDecimal(1e6), "1000000.0");
}

TEST(Output, LongWorkIsSeenOnATerminal) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(grantpt(terminal) | unlockpt(terminal), 0);
  const int screen = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  ASSERT_GE(screen, 0);
  const int before = dup(STDERR_FILENO);
  dup2(screen, STDERR_FILENO);
  std::string seen;
  {
    WorkLine line(Context(), "copying");
    line.Update({.files_done = 3, .files_total = 1200, .bytes_done = 10, .bytes_total = 20});
    while (seen.find(" s\033[K") == std::string::npos &&
           seen.find(" ms\033[K") == std::string::npos) {
      char buffer[256];
      const ssize_t count = read(terminal, buffer, sizeof(buffer));
      ASSERT_GT(count, 0);
      seen.append(buffer, static_cast<std::size_t>(count));
    }
  }
  std::fflush(stderr);
  dup2(before, STDERR_FILENO);
  for (const int file : {before, screen, terminal}) close(file);
  EXPECT_TRUE(seen.starts_with("\rcopying, 3 of 1,200 files, 10 B of 20 B, ")) << seen;
}

TEST(Output, MessagesGoToStderr) {
  Context context;
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  Say(context, "a message");
  PrintError(context, NotFound("no such thing"));
  context.json = true;
  PrintError(context, NotFound("no \"such\" thing"));
  context.quiet = true;
  Say(context, "not said");
  Print("data");
  std::fflush(stdout);
  const std::string err = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "data");
  EXPECT_TRUE(err.starts_with(
      "a message\nlamina: no such thing\n"
      R"({"code":"kNotFound","message":"no \"such\" thing","where":"output_test.cc:)"))
      << err;
  EXPECT_EQ(err.find("not said"), std::string::npos);
}

}  // namespace
}  // namespace lamina::cli
