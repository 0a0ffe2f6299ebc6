#include "lamina/upkeep/manifest.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::upkeep {
namespace {

BackupManifest Example() {
  BackupManifest manifest;
  manifest.store_id = *Uuid::Parse("018f0000-0000-7000-8000-000000000001");
  manifest.state = "018f0000-0000-7000-8000-000000000002";
  manifest.snapshot = 17;
  manifest.files = 3;
  manifest.bytes = 4096;
  manifest.catalog_crc32c = 0xDEADBEEF;
  manifest.objects_crc32c = 1;
  manifest.config_crc32c = 0;
  manifest.made_at = Micros{1'700'000'000'000'000};
  return manifest;
}

TEST(Manifest, RoundTrip) {
  const auto parsed = ParseManifest(FormatManifest(Example()));
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(*parsed, Example());
}

TEST(Manifest, EveryFlippedByteIsNoticed) {
  const std::string text = FormatManifest(Example());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(ParseManifest(damaged).ok()) << "byte " << i;
    EXPECT_FALSE(ParseManifest(text.substr(0, i)).ok()) << "cut at " << i;
  }
}

TEST(Manifest, ALaterOneIsRefused) {
  EXPECT_THAT(ParseManifest("lamina-backup 2\nend 0\n"), IsError(ErrorCode::kUnsupported));
}

}  // namespace
}  // namespace lamina::upkeep
