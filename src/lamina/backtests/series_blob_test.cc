#include "lamina/backtests/series_blob.h"

#include <bit>
#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/bundle_fixtures_internal.h"
#include "lamina/backtests/series_blob_internal.h"
#include "lamina/base/hash.h"

namespace lamina::backtests {
namespace {

BlobWriter SomeWriter(std::uint32_t layout) {
  BlobWriter writer;
  writer.layout = layout;
  writer.created_by = "parquet-cpp-arrow version 26.0.1";
  writer.key_values = {{"ARROW:schema", "abc"}, {"other", ""}};
  return writer;
}

std::uint64_t Bits(double value) { return std::bit_cast<std::uint64_t>(value); }

void ExpectSamePoints(const BlobPoints& a, const BlobPoints& b) {
  ASSERT_EQ(a.times.size(), b.times.size());
  EXPECT_EQ(a.time_valid, b.time_valid);
  EXPECT_EQ(a.value_valid, b.value_valid);
  for (std::size_t i = 0; i < a.times.size(); ++i) {
    if (a.time_valid.empty() || a.time_valid[i] != 0) {
      EXPECT_EQ(a.times[i], b.times[i]);
    }
    if (a.value_valid.empty() || a.value_valid[i] != 0) {
      EXPECT_EQ(Bits(a.values[i]), Bits(b.values[i]));
    }
  }
}

/// Columns of every kind that changes how pages are made.
std::vector<BlobPoints> Shapes() {
  std::vector<BlobPoints> all;
  std::mt19937_64 random(5);
  for (const std::size_t rows :
       {1U, 2U, 7U, 8U, 9U, 16U, 63U, 64U, 503U, 504U, 505U, 2192U, 8762U, 16384U}) {
    for (const int distinct : {1, 2, 3, 9, 300, 1 << 30}) {
      for (const bool nulls : {false, true}) {
        BlobPoints points;
        for (std::size_t i = 0; i < rows; ++i) {
          // Stretches of one value, then noise.
          const auto pick = static_cast<int>(random() % 100 < 50 && i > 0
                                                 ? std::lround(points.values.back() * 8)
                                                 : static_cast<long>(random() % distinct));
          points.values.push_back(pick / 8.0);
          points.times.push_back(static_cast<std::int64_t>(i / 3) * 3'600'000 - 86'400'000);
        }
        if (nulls && rows > 2) {
          for (std::size_t i = 0; i < rows; ++i) {
            points.value_valid.push_back(random() % 5 != 0 ? 1 : 0);
            points.time_valid.push_back(i == 0 || i % 100 != 0 ? 1 : 0);
          }
          points.value_valid[0] = 1;
          points.value_valid[1] = 0;
          if (rows <= 100) points.time_valid.clear();
        }
        all.push_back(std::move(points));
      }
    }
  }
  return all;
}

TEST(SeriesBlobTest, OwnLayoutIsWhatTheLibraryWrites) {
  BlobEncoder encoder;
  for (BlobPoints& points : Shapes()) {
    auto own = encoder.Encode(points, SomeWriter(kOwnBlobLayout));
    auto library = EncodeWithLibrary(points, SomeWriter(kLibraryBlobLayout));
    ASSERT_TRUE(own.ok() && library.ok());
    EXPECT_TRUE(*own == *library) << points.times.size() << " rows";
    auto decoded = DecodeBlob(*own);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message();
    ExpectSamePoints(points, decoded->points);
    EXPECT_EQ(decoded->writer, SomeWriter(kOwnBlobLayout));
  }
}

TEST(SeriesBlobTest, OddDoubles) {
  const double nan = std::nan("");
  const double infinity = HUGE_VAL;
  const std::vector<std::vector<double>> kCases = {{0.0},           {-0.0},
                                                   {0.0, -0.0},     {nan},
                                                   {nan, nan, 1.0}, {nan, nan},
                                                   {-1.0, 0.0},     {0.0, 1.0},
                                                   {-0.0, -1.0},    {infinity, -infinity},
                                                   {5e-324, -0.0},  {1.0, nan, -0.0, 0.0, nan}};
  BlobEncoder encoder;
  for (const auto& values : kCases) {
    BlobPoints points;
    points.values = values;
    points.times.resize(values.size());
    auto own = encoder.Encode(points, SomeWriter(kOwnBlobLayout));
    auto library = EncodeWithLibrary(points, SomeWriter(kLibraryBlobLayout));
    ASSERT_TRUE(own.ok() && library.ok());
    EXPECT_TRUE(*own == *library) << testing::PrintToString(values);
  }
}

// The bytes of layout 1 are part of the skeleton format. When this fails after a change of the
// linked Arrow, its zstd is another one, and stored documents would not come out as they went in.
TEST(SeriesBlobTest, GoldenBytes) {
  BlobPoints points;
  for (int i = 0; i < 3000; ++i) {
    points.times.push_back(1'704'067'200'000 + i * 3'600'000LL);
    points.values.push_back(1000.0 + ((i * 7919) % 1009) / 16.0 + (i / 100) * 3);
  }
  BlobEncoder encoder;
  auto blob = encoder.Encode(points, SomeWriter(kOwnBlobLayout));
  ASSERT_TRUE(blob.ok());
  EXPECT_EQ(Sha256(*blob).Hex(),
            "2c8db6bf539624126e2d48574e0e6bf4f07674952d4a5cdf00edcf449fce08d8");
}

TEST(SeriesBlobTest, WhatTheLayoutsDoNotTake) {
  BlobEncoder encoder;
  BlobPoints none;
  EXPECT_EQ(BlobLayoutFor(none), kLibraryBlobLayout);
  EXPECT_EQ(encoder.Encode(none, SomeWriter(kOwnBlobLayout)).error().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_TRUE(encoder.Encode(none, SomeWriter(kLibraryBlobLayout)).ok());
  BlobPoints many;
  many.times.resize(kMaxBlobRows + 1);
  many.values.resize(kMaxBlobRows + 1);
  EXPECT_EQ(BlobLayoutFor(many), kLibraryBlobLayout);
  auto blob = encoder.Encode(many, SomeWriter(kLibraryBlobLayout));
  ASSERT_TRUE(blob.ok());
  EXPECT_EQ(DecodeBlob(*blob)->points.times.size(), kMaxBlobRows + 1);
  EXPECT_EQ(encoder.Encode(many, SomeWriter(9)).error().code(), ErrorCode::kUnsupported);
}

TEST(SeriesBlobTest, DamagedBlobsAreRefused) {
  BlobEncoder encoder;
  BlobPoints points;
  for (int i = 0; i < 100; ++i) {
    points.times.push_back(i);
    points.values.push_back(i * 0.5);
  }
  const std::string blob = *encoder.Encode(points, SomeWriter(kOwnBlobLayout));
  std::mt19937_64 random(11);
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = blob;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    if (round % 10 == 0) damaged.resize(random() % damaged.size());
    static_cast<void>(DecodeBlob(damaged));
  }
  EXPECT_FALSE(DecodeBlob("").ok());
  EXPECT_FALSE(DecodeBlob("PAR1PAR1").ok());
}

TEST(SeriesBlobTest, EveryBlobOfTheFrameworkComesBack) {
  std::size_t count = 0;
  for (const char* folder : {"golden/v2_8.10.0", "golden/v5_9.0.0a6", "real/v2_8.10.0"}) {
    BlobEncoder encoder;
    std::size_t bundles = 0;
    for (const auto& path : BundlesBelow(SharedBundles() / folder)) {
      if (++bundles > 12) break;
      auto opened = OpenBundle(path);
      ASSERT_TRUE(opened.ok()) << path;
      if (!opened->layout->blobs) continue;
      for (const auto entry : opened->layout->blobs->entries()) {
        auto decoded = DecodeBlob(entry.value.AsBinary());
        ASSERT_TRUE(decoded.ok()) << path << decoded.error().message();
        EXPECT_EQ(decoded->writer.layout, kOwnBlobLayout);
        auto again = encoder.Encode(decoded->points, decoded->writer);
        ASSERT_TRUE(again.ok());
        EXPECT_TRUE(*again == entry.value.AsBinary()) << path;
        ++count;
      }
    }
  }
  EXPECT_GT(count, 200U);
}

}  // namespace
}  // namespace lamina::backtests
