#include "lamina/ticks/tick_config.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::ticks {
namespace {

TEST(TickConfig, DefaultsAreSoundAndBecomeOptions) {
  const TickConfig config;
  EXPECT_THAT(CheckTickConfig(config), IsOk());
  const tick_log::LogOptions options = LogOptionsOf(config);
  EXPECT_EQ(options.segment_seconds, 900);
  EXPECT_EQ(options.segment_bytes, 64 << 20);
  EXPECT_EQ(options.buffer_minutes, 120);
  EXPECT_EQ(options.queue_ticks, 100'000);
  EXPECT_EQ(options.concurrent_appends, 10);
  EXPECT_EQ(options.durability, tick_log::Durability::kFsync);
  EXPECT_EQ(ZstdLevelOf(config), 3);
}

TEST(TickConfig, WhatCannotBeIsNamed) {
  const struct {
    const char* name;
    std::function<void(TickConfig&)> change;
    const char* says;
  } cases[] = {
      {"rotation", [](auto& c) { c.buffer_rotation_minutes = 121; }, "buffer_duration_minutes"},
      {"zero", [](auto& c) { c.buffer_duration_minutes = 0; }, "buffer_duration_minutes = 0"},
      {"buffer retention", [](auto& c) { c.buffer_retention_hours = 1; }, "outlast"},
      {"no buffer retention", [](auto& c) { c.buffer_retention_hours = 0; }, nullptr},
      {"archive retention", [](auto& c) { c.archive_retention_days = 0; }, nullptr},
      {"short archive",
       [](auto& c) {
         c.archive_retention_days = 1;
         c.buffer_retention_hours = 25;
       },
       "leave the archive"},
      {"snappy", [](auto& c) { c.archive_compression = "snappy"; }, "zstd"},
      {"level", [](auto& c) { c.archive_compression = "zstd:20"; }, "zstd:19"},
      {"level 12", [](auto& c) { c.archive_compression = "zstd:12"; }, nullptr},
      {"hours", [](auto& c) { c.archive_partition_hours = 5; }, "divide a day"},
      {"hours 6", [](auto& c) { c.archive_partition_hours = 6; }, nullptr},
      {"no writes", [](auto& c) { c.max_concurrent_writes = 0; }, "max_concurrent_writes = 0"},
      {"path", [](auto& c) { c.buffer_path = "/tmp/x"; }, "cannot be elsewhere"},
      {"the seed's path", [](auto& c) { c.index_path = "storage/index.db"; }, nullptr},
      {"format", [](auto& c) { c.buffer_format = "csv"; }, "jsonl"},
      {"archiving", [](auto& c) { c.archive_max_bytes = std::int64_t{16} << 30; }, "refused"},
  };
  for (const auto& test : cases) {
    TickConfig config;
    test.change(config);
    if (test.says == nullptr) {
      EXPECT_THAT(CheckTickConfig(config), IsOk()) << test.name;
    } else {
      EXPECT_THAT(CheckTickConfig(config),
                  IsError(ErrorCode::kInvalidArgument, testing::HasSubstr(test.says)))
          << test.name;
    }
  }
}

}  // namespace
}  // namespace lamina::ticks
