#include <random>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "lamina/backtests/bundle_fixtures_internal.h"
#include "lamina/backtests/decompose.h"

namespace lamina::backtests {
namespace {

TEST(AssembleTest, MissingPartsAreNamed) {
  auto opened = OpenBundle(SharedBundles() / "golden" / "v1_8.10.0" / "one_run.iafbt");
  auto parts = Decompose(*opened->document, *opened->layout);
  ASSERT_TRUE(parts.ok());
  const auto code = [&](const PartSource& source) {
    auto document = Assemble(parts->skeleton, source);
    return document.ok() ? std::optional<ErrorCode>() : document.error().code();
  };
  PartSource source = SourceOf(*parts);
  source.run = [&](std::size_t) -> Result<RunRows> {
    RunRows rows = parts->runs[0].rows;
    rows.snapshots = rows.snapshots->Slice(1);
    return rows;
  };
  EXPECT_EQ(code(source), ErrorCode::kCorruption);
  source.run = [&](std::size_t) -> Result<RunRows> {
    RunRows rows = parts->runs[0].rows;
    rows.snapshots = *rows.snapshots->RemoveColumn(1);
    return rows;
  };
  EXPECT_EQ(code(source), ErrorCode::kCorruption);
  source.run = [&](std::size_t) -> Result<RunRows> { return RunRows{}; };
  EXPECT_EQ(code(source), ErrorCode::kCorruption);
}

/// Bytes of a skeleton changed at random: an error or a document, never a crash.
TEST(AssembleTest, DamagedSkeletonsNeverCrash) {
  for (const char* path :
       {"golden/v1_8.10.0/windows3_full.iafbt", "golden/v5_9.0.0a6/one_run_engine_event.obtf"}) {
    auto opened = OpenBundle(SharedBundles() / path);
    ASSERT_TRUE(opened.ok());
    DecomposeOptions options;
    options.chunk_threshold_bytes = 600;
    auto parts = Decompose(*opened->document, *opened->layout, options);
    ASSERT_TRUE(parts.ok());
    std::mt19937_64 random(7);
    std::size_t refused = 0;
    constexpr std::size_t kRounds = 3000;
    for (std::size_t round = 0; round < kRounds; ++round) {
      std::string skeleton = parts->skeleton;
      const std::size_t changes = 1 + random() % 3;
      for (std::size_t i = 0; i < changes; ++i) {
        // The first half holds the part descriptions.
        const std::size_t place = random() % (round % 4 == 0 ? skeleton.size() : 2000);
        if (place < skeleton.size()) skeleton[place] = static_cast<char>(random());
      }
      if (round % 10 == 0) skeleton.resize(random() % skeleton.size());
      auto document = Assemble(skeleton, SourceOf(*parts));
      static_cast<void>(ChunksOfSkeleton(skeleton));
      if (!document.ok()) ++refused;
    }
    EXPECT_GT(refused, kRounds / 4);
  }
}

TEST(AssembleTest, DocumentsKeptWhole) {
  const std::string document = "\x81\xa1k\x01";
  auto same = Assemble(document, {});
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(*same, document);
  EXPECT_TRUE(ChunksOfSkeleton(document)->empty());
  EXPECT_EQ(Assemble("\x91\x01", {}).error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(Assemble("", {}).error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace lamina::backtests
