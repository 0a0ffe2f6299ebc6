#include "lamina/store/config.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kId = "0123abcd-89ef-4cde-8123-456789abcdef";

TEST(Config, RoundTrip) {
  StoreConfig config;
  config.store_id = *Uuid::Parse(kId);
  const std::string text = FormatConfig(config);
  EXPECT_THAT(text, HasSubstr(kId));
  const auto parsed = ParseConfig(text, "lamina.toml");
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->store_id, config.store_id);
  EXPECT_EQ(parsed->format_version, kFormatVersion);
}

TEST(Config, PoliciesOfTheLake) {
  const std::string store = "[store]\nid = \"" + std::string(kId) + "\"\n";
  const auto old = ParseConfig(store, "f");  // of a store made before there were any
  ASSERT_THAT(old, IsOk());
  EXPECT_EQ(old->keep_snapshots.value, 604'800'000'000);
  EXPECT_EQ(old->gc_grace.value, 3'600'000'000);
  const auto own = ParseConfig(store + "[lake]\nkeep_snapshots = \"30d\"\ngc_grace=\"0s\"\n", "f");
  ASSERT_THAT(own, IsOk());
  EXPECT_EQ(own->keep_snapshots.value, 30 * 86'400'000'000);
  EXPECT_EQ(own->gc_grace.value, 0);
  EXPECT_EQ(ParseConfig(FormatConfig(*own), "f")->keep_snapshots, own->keep_snapshots);
  for (const char* line : {"keep_snapshots = 7", "keep_snapshots = \"soon\"", "colour = \"1d\"",
                           "gc_grace = \"-1h\""}) {
    EXPECT_THAT(ParseConfig(store + "[lake]\n" + line + "\n", "x.toml"),
                IsError(ErrorCode::kInvalidArgument, HasSubstr("x.toml:4: ")))
        << line;
  }
}

TEST(Config, Ticks) {
  const std::string store = "[store]\nid = \"" + std::string(kId) + "\"\n";
  const auto own = ParseConfig(store +
                                   "[ticks]\nbuffer_duration_minutes = 60\n"
                                   "archive_compression = \"zstd:9\"\nbuffer_format='jsonl'\n",
                               "f");
  ASSERT_THAT(own, IsOk());
  EXPECT_EQ(own->ticks.buffer_duration_minutes, 60);
  EXPECT_EQ(own->ticks.archive_compression, "zstd:9");
  EXPECT_EQ(own->ticks.archive_retention_days, 365);
  EXPECT_EQ(ParseConfig(FormatConfig(*own), "f")->ticks, own->ticks);
  EXPECT_EQ(FormatConfig(StoreConfig()).find("[ticks]"), std::string::npos);
  for (const char* line : {"batch_size = \"many\"", "buffer_format = 1", "colour = 3"}) {
    EXPECT_THAT(ParseConfig(store + "[ticks]\n" + line + "\n", "x.toml"),
                IsError(ErrorCode::kInvalidArgument, HasSubstr("x.toml:4: ")))
        << line;
  }
  EXPECT_THAT(ParseConfig(store + "[ticks]\nbuffer_rotation_minutes = 200\n", "x.toml"),
              IsError(ErrorCode::kInvalidArgument,
                      AllOf(HasSubstr("x.toml:3"), HasSubstr("buffer_duration_minutes"))));
}

TEST(Config, EditedByAPerson) {
  const auto parsed = ParseConfig(
      "# mine\r\n\r\n[store]\r\nformat_version=1\r\nid='" + std::string(kId) + "' # quoted\r\n",
      "f");
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->store_id.ToString(), kId);
}

TEST(Config, FreeSpace) {
  const std::string store = "[store]\nid = \"" + std::string(kId) + "\"\n";
  EXPECT_GT(ParseConfig(store, "f")->min_free_bytes, 0);
  EXPECT_EQ(ParseConfig(store + "min_free_bytes = 0\n", "f")->min_free_bytes, 0);
  EXPECT_EQ(ParseConfig(store + "min_free_bytes = 5_000_000\n", "f")->min_free_bytes, 5'000'000);
  for (const char* wrong : {"-1", "1.5", "'1GB'", "true"}) {
    EXPECT_THAT(ParseConfig(store + "min_free_bytes = " + wrong + "\n", "f"),
                IsError(ErrorCode::kInvalidArgument, testing::HasSubstr("f:3")))
        << wrong;
  }
}

TEST(Config, Refusals) {
  const std::string id = "id = \"" + std::string(kId) + "\"\n";
  struct Case {
    const char* name;
    std::string text;
    ErrorCode code;
    const char* line;
    const char* what;
  };
  const Case cases[] = {
      {"empty", "", ErrorCode::kInvalidArgument, "x.toml", "[store] is missing"},
      {"no id", "[store]\nformat_version = 1\n", ErrorCode::kInvalidArgument, "x.toml",
       "store.id is missing"},
      {"unknown key", "[store]\n" + id + "colour = 3\n", ErrorCode::kInvalidArgument, "x.toml:3",
       "unknown key store.colour"},
      {"unknown top key", "colour = 3\n[store]\n" + id, ErrorCode::kInvalidArgument, "x.toml:1",
       "unknown key colour"},
      {"unknown section", "[store]\n" + id + "[tacks]\n", ErrorCode::kInvalidArgument, "x.toml:3",
       "unknown section [tacks]"},
      {"array of stores", "[[store]]\n" + id, ErrorCode::kInvalidArgument, "x.toml", "store"},
      {"id is a number", "[store]\nid = 7\n", ErrorCode::kInvalidArgument, "x.toml:2",
       "store.id must be a UUID"},
      {"id is no UUID", "[store]\n\nid = \"seven\"\n", ErrorCode::kInvalidArgument, "x.toml:3",
       "store.id must be a UUID"},
      {"version is text", "[store]\n" + id + "format_version = \"1\"\n",
       ErrorCode::kInvalidArgument, "x.toml:3", "store.format_version must be"},
      {"version is a float", "[store]\n" + id + "format_version = 1.0\n",
       ErrorCode::kInvalidArgument, "x.toml:3", "store.format_version must be"},
      {"version 0", "[store]\n" + id + "format_version = 0\n", ErrorCode::kInvalidArgument,
       "x.toml:3", "1 or more"},
      {"newer format", "[store]\n" + id + "format_version = 2\n", ErrorCode::kUnsupported, "x.toml",
       "use a newer lamina"},
      {"not TOML", "[store]\n" + id + "format_version 1\n", ErrorCode::kInvalidArgument, "x.toml:3",
       ""},
      {"not UTF-8", "[store]\n\xff\xfe\n", ErrorCode::kInvalidArgument, "x.toml:1", "utf-8"},
      {"key twice", "[store]\n" + id + id, ErrorCode::kInvalidArgument, "x.toml:3", ""},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(ParseConfig(c.text, "x.toml"),
                IsError(c.code, AllOf(HasSubstr(c.line), HasSubstr(c.what))))
        << c.name;
  }
}

}  // namespace
}  // namespace lamina::store
