#include "lamina/backtests/skeleton.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/shape_list.h"

namespace lamina::backtests {
namespace {

using testing::ElementsAre;

Skeleton Sample() {
  Skeleton skeleton;
  skeleton.writers.push_back({1, "someone", {{"key", "value"}, {"", ""}}});
  RecordsPart records;
  records.slot = 3;
  records.table = RecordTable::kOrders;
  records.shape.count = 5;
  FieldPart price;
  price.key = "\xa5price";
  price.codec = CellCodec::kDouble;
  price.column = 9;
  price.forms.Append(cell_form::kInteger);
  price.forms.Append(cell_form::kFloat, 3);
  price.forms.Append(cell_form::kFirstRaw);
  price.raws.push_back("\xca\x3f\x80");
  FieldPart other;
  other.key = "\xa1x";
  other.forms.Append(cell_form::kNil, 5);
  records.shape.fields = {price, other};
  records.shape.whole = {{0, "\x80"}, {4, "\xc0"}};
  InlineSeriesPart series;
  series.series = 7;
  series.recipe = 2;
  series.shape.arrays = true;
  ChunkPart chunk;
  chunk.id = {catalog::ChunkKind::kSeries, Sha256("content")};
  chunk.length = 7;
  skeleton.parts = {records, series, BlobSeriesPart{1, 2, 1, 0}, TradeCopyPart{0, 70000}, chunk};
  bundle::Writer writer(skeleton.body);
  writer.MapHeader(2);
  writer.String("a");
  AppendPartReference(skeleton.body, 3);
  writer.String("b");
  writer.ArrayHeader(2);
  AppendPartReference(skeleton.body, 0);
  AppendPartReference(skeleton.body, 70000);
  return skeleton;
}

Result<Skeleton> Decode(const EncodedSkeleton& encoded) {
  return DecodeSkeleton(encoded.bytes, [&](const catalog::ChunkId& id) -> Result<std::string> {
    EXPECT_EQ(id.kind, catalog::ChunkKind::kSchema);
    EXPECT_EQ(id.sha256, Sha256(encoded.shapes));
    return encoded.shapes;
  });
}

TEST(SkeletonTest, ReadsWhatItWrote) {
  const Skeleton skeleton = Sample();
  const EncodedSkeleton encoded = *EncodeSkeleton(skeleton);
  EXPECT_TRUE(IsSkeleton(encoded.bytes));
  EXPECT_TRUE(encoded.shapes.empty());  // short ones are within
  auto read = Decode(encoded);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(EncodeSkeleton(*read)->bytes, encoded.bytes);
  EXPECT_EQ(read->writers, skeleton.writers);
  EXPECT_EQ(read->body, skeleton.body);
  const auto& records = std::get<RecordsPart>(read->parts[0]);
  EXPECT_EQ(records.slot, 3U);
  EXPECT_EQ(records.table, RecordTable::kOrders);
  FormCursor forms(records.shape.fields[0].forms);
  std::vector<std::uint32_t> all;
  for (int i = 0; i < 5; ++i) all.push_back(forms.Next());
  EXPECT_THAT(all, ElementsAre(2, 1, 1, 1, 16));
}

TEST(SkeletonTest, LongKeyListsAreAChunk) {
  Skeleton skeleton = Sample();
  skeleton.body.clear();
  bundle::Writer writer(skeleton.body);
  writer.ArrayHeader(2);
  for (int map = 0; map < 2; ++map) {
    writer.MapHeader(40);
    for (int i = 0; i < 40; ++i) {
      writer.String("a_key_of_the_framework_" + std::to_string(i));
      writer.Int(i * map);
    }
  }
  const EncodedSkeleton encoded = *EncodeSkeleton(skeleton);
  EXPECT_GT(encoded.shapes.size(), 900U);
  EXPECT_LT(encoded.bytes.size(), 500U);
  auto read = Decode(encoded);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->body, skeleton.body);
  auto chunks = NamedChunks(encoded.bytes);
  ASSERT_TRUE(chunks.ok());
  EXPECT_THAT(*chunks,
              ElementsAre(catalog::ChunkId{catalog::ChunkKind::kSchema, Sha256(encoded.shapes)},
                          catalog::ChunkId{catalog::ChunkKind::kSeries, Sha256("content")}));
  EncodedSkeleton wrong = encoded;
  wrong.shapes = ShapeList().Encode();
  EXPECT_FALSE(DecodeSkeleton(wrong.bytes, [&](const catalog::ChunkId&) -> Result<std::string> {
                 return wrong.shapes;
               }).ok());
}

TEST(SkeletonTest, PartsOfTheBody) {
  auto body = bundle::Document::Parse(Sample().body);
  ASSERT_TRUE(body.ok());
  auto places = FindParts(*body);
  ASSERT_TRUE(places.ok());
  ASSERT_EQ(places->size(), 3U);
  EXPECT_EQ((*places)[0].part, 3U);
  EXPECT_EQ((*places)[1].part, 0U);
  EXPECT_EQ((*places)[2].part, 70000U);
  EXPECT_EQ((*places)[0].offset, 3U);
}

TEST(SkeletonTest, Refusals) {
  using namespace std::string_literals;
  EXPECT_FALSE(IsSkeleton("\x80"));
  EXPECT_FALSE(IsSkeleton(""));
  const std::string good = EncodeSkeleton(Sample())->bytes;
  std::string newer = good;
  newer[17] = 2;
  EXPECT_EQ(DecodeSkeleton(newer, {}).error().code(), ErrorCode::kUnsupported);
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(DecodeSkeleton(ByteView(good).substr(0, length), {}).ok()) << length;
  }
  Skeleton forms = Sample();
  std::get<RecordsPart>(forms.parts[0]).shape.count = 6;
  EXPECT_EQ(Decode(*EncodeSkeleton(forms)).error().code(), ErrorCode::kCorruption);
  Skeleton raw = Sample();
  std::get<RecordsPart>(raw.parts[0]).shape.fields[0].raws.clear();
  EXPECT_EQ(Decode(*EncodeSkeleton(raw)).error().code(), ErrorCode::kCorruption);
  Skeleton whole = Sample();
  std::get<RecordsPart>(whole.parts[0]).shape.whole = {{4, "\x80"}, {4, "\x80"}};
  EXPECT_EQ(Decode(*EncodeSkeleton(whole)).error().code(), ErrorCode::kCorruption);
  Skeleton writer = Sample();
  writer.writers.clear();
  EXPECT_EQ(Decode(*EncodeSkeleton(writer)).error().code(), ErrorCode::kCorruption);
  auto foreign = bundle::Document::Parse("\xd4\x05\x00"s);
  ASSERT_TRUE(foreign.ok());
  EXPECT_EQ(FindParts(*foreign).error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace lamina::backtests
