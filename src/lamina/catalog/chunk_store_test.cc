#include "lamina/catalog/chunk_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog_test_model.h"
#include "lamina/catalog/migrations.h"

namespace lamina::catalog {
namespace {

using test::Make;
using test::Noise;
using test::TempFolder;
using testing::HasSubstr;

ChunkRow RowOf(const PreparedChunk& chunk) {
  ChunkRow row;
  row.content_bytes = chunk.content_bytes;
  row.stored_bytes = static_cast<std::int64_t>(chunk.stored.size());
  row.compressed = chunk.compressed;
  return row;
}

TEST(ChunkKind, NamesAndNumbers) {
  for (int number = 1; number <= 7; ++number) {
    const auto kind = ChunkKindFromNumber(number);
    ASSERT_TRUE(kind.has_value());
    EXPECT_EQ(static_cast<int>(*kind), number);
    EXPECT_EQ(ChunkKindFromName(ChunkKindName(*kind)), kind);
  }
  EXPECT_EQ(ChunkKindName(ChunkKind::kOhlcv), "ohlcv");
  EXPECT_EQ(ChunkKindName(ChunkKind::kDocument), "document");
  for (const std::int64_t number : {-1, 0, 8, 300}) EXPECT_FALSE(ChunkKindFromNumber(number));
  for (const char* name : {"", "Code", "codex"}) EXPECT_FALSE(ChunkKindFromName(name));
}

TEST(ChunkId, PathsAreFixed) {
  const ChunkId code{ChunkKind::kCode, Sha256("abc")};
  const std::string hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(ChunkPath(code), "chunks/code/ba/" + hex);
  EXPECT_EQ(ChunkPath({ChunkKind::kOhlcv, code.sha256}), "chunks/ohlcv/ba/" + hex + ".parquet");
  EXPECT_EQ(code.ToString(), "code/" + hex);
}

TEST(PrepareChunk, RoundTripsEveryShape) {
  const std::string repeated(3'000'000, 'r');
  const struct {
    const char* name;
    ChunkKind kind;
    std::string content;
    bool compressed;
  } cases[] = {{"empty", ChunkKind::kCode, "", false},
               {"one byte", ChunkKind::kCode, "x", false},
               {"text", ChunkKind::kParams, std::string(500, 'a'), true},
               {"noise", ChunkKind::kSeries, Noise(100'000, 1), false},
               {"large", ChunkKind::kDocument, repeated, true},
               {"ohlcv stays", ChunkKind::kOhlcv, repeated, false}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    const auto chunk = PrepareChunk(each.kind, each.content);
    ASSERT_THAT(chunk, IsOk());
    EXPECT_EQ(chunk->id.sha256, Sha256(each.content));
    EXPECT_EQ(chunk->compressed, each.compressed);
    EXPECT_LE(chunk->stored.size(), each.content.size());
    EXPECT_EQ(PrepareChunk(each.kind, each.content)->stored, chunk->stored) << "deterministic";
    const auto content = DecodeChunk(chunk->id, RowOf(*chunk), chunk->stored, "here");
    ASSERT_THAT(content, IsOk());
    EXPECT_EQ(*content, each.content);
  }
  EXPECT_THAT(PrepareChunk(static_cast<ChunkKind>(0), "x"), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(PrepareChunk(static_cast<ChunkKind>(99), "x"), IsError(ErrorCode::kInvalidArgument));
}

TEST(DecodeChunk, EveryFlippedByteAndEveryCutIsFound) {
  for (const bool noise : {false, true}) {
    const std::string content = noise ? Noise(300, 2) : std::string(300, 'z') + Noise(40, 3);
    const PreparedChunk chunk = *PrepareChunk(ChunkKind::kCode, content);
    EXPECT_EQ(chunk.compressed, !noise);
    for (std::size_t i = 0; i < chunk.stored.size(); ++i) {
      for (int bit = 1; bit < 256; bit *= 2) {
        std::string damaged = chunk.stored;
        damaged[i] = static_cast<char>(damaged[i] ^ bit);
        EXPECT_THAT(
            DecodeChunk(chunk.id, RowOf(chunk), damaged, "objects.sqlite"),
            IsError(ErrorCode::kCorruption, HasSubstr(chunk.id.ToString() + " in objects.sqlite")))
            << "bit " << bit << " of byte " << i;
      }
      EXPECT_THAT(DecodeChunk(chunk.id, RowOf(chunk), chunk.stored.substr(0, i), "x"),
                  IsError(ErrorCode::kCorruption));
    }
    for (const std::int64_t bytes :
         {std::int64_t{-1}, std::int64_t{0}, chunk.content_bytes + 1, std::int64_t{1} << 40}) {
      ChunkRow row = RowOf(chunk);
      row.content_bytes = bytes;
      EXPECT_THAT(DecodeChunk(chunk.id, row, chunk.stored, "x"), IsError(ErrorCode::kCorruption));
    }
  }
}

TEST(Objects, WrittenOnceAndComparedAgain) {
  const TempFolder folder;
  const auto objects = Make(folder.File("objects.sqlite"));
  ASSERT_THAT(MigrateObjects(*objects, "store"), IsOk());
  const PreparedChunk small = *PrepareChunk(ChunkKind::kCode, "small");
  const PreparedChunk empty = *PrepareChunk(ChunkKind::kSymbols, "");
  EXPECT_FALSE(*HasObject(*objects, small.id));
  EXPECT_THAT(ReadObject(*objects, small.id), IsError(ErrorCode::kNotFound));
  ASSERT_THAT(WriteObjects(*objects, {&small, &empty}), IsOk());
  const std::int64_t changes = objects->total_changes();
  ASSERT_THAT(WriteObjects(*objects, {&small, &empty}), IsOk());
  EXPECT_EQ(objects->total_changes(), changes);
  EXPECT_EQ(*ReadObject(*objects, small.id), small.stored);
  EXPECT_EQ(*ReadObject(*objects, empty.id), "");
  ASSERT_THAT(objects->Execute("UPDATE object SET stored = x'00'"), IsOk());
  ASSERT_THAT(WriteObjects(*objects, {&small}), IsOk());
  EXPECT_EQ(*ReadObject(*objects, small.id), small.stored) << "bytes without a row are not trusted";
}

TEST(ChunkRows, UpsertBringsBackWhatEnded) {
  const TempFolder folder;
  const auto catalog = Make(folder.File("catalog.sqlite"));
  ASSERT_THAT(MigrateCatalog(*catalog, "test", Micros{1}), IsOk());
  const ChunkId id{ChunkKind::kSeries, Sha256("x")};
  EXPECT_FALSE((*FindChunk(*catalog, id)).has_value());
  ChunkRow row;
  row.content_bytes = 10;
  row.stored_bytes = 7;
  row.compressed = true;
  ASSERT_THAT(WriteChunkRow(*catalog, id, row, 3), IsOk());
  ASSERT_THAT(catalog->Execute("UPDATE chunk SET end_snapshot = 4"), IsOk());
  EXPECT_FALSE((*FindChunk(*catalog, id))->live());
  row.in_file = true;
  row.stored_bytes = 9;
  ASSERT_THAT(WriteChunkRow(*catalog, id, row, 5), IsOk());
  const ChunkRow found = **FindChunk(*catalog, id);
  EXPECT_TRUE(found.live() && found.in_file && found.compressed);
  EXPECT_EQ(found.stored_bytes, 9);
  EXPECT_EQ(found.content_bytes, 10);
}

}  // namespace
}  // namespace lamina::catalog
