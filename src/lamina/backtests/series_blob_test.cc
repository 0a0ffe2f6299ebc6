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

}  // namespace
}  // namespace lamina::backtests
