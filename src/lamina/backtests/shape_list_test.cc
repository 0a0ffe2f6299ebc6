#include "lamina/backtests/shape_list.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::backtests {
namespace {

using bundle::Document;
using bundle::Writer;

/// A document with maps of `keys` keys, one in the other and side by side.
std::string Nested(std::uint32_t keys, const std::string& prefix = "key_") {
  std::string out;
  Writer writer(out);
  writer.ArrayHeader(3);
  for (int i = 0; i < 2; ++i) {
    writer.MapHeader(keys);
    for (std::uint32_t key = 0; key < keys; ++key) {
      writer.String(prefix + std::to_string(key));
      if (key == 1) {
        writer.MapHeader(1);
        writer.String("inner");
        writer.ArrayHeader(2);
        writer.Int(i);
        writer.Nil();
      } else {
        writer.Double(key * 0.5);
      }
    }
  }
  writer.String("end");
  return out;
}

std::string Packed(const std::string& document, ShapeList& shapes) {
  const auto parsed = Document::Parse(document);
  EXPECT_THAT(parsed, IsOk());
  std::string out;
  PackMaps(parsed->root(), shapes, out);
  return out;
}

Result<std::string> Unpacked(const std::string& packed, const ShapeList& shapes) {
  LAMINA_ASSIGN(const Document parsed, Document::Parse(packed));
  std::string out;
  LAMINA_TRY(UnpackMaps(parsed.root(), shapes, out));
  return out;
}

TEST(ShapeListTest, MapsComeBackByteForByte) {
  // Eight keys are the fewest, 15 and 16 have headers of other sizes; the last are no plain keys.
  const std::string documents[] = {
      Nested(1),          Nested(7),        Nested(8),
      Nested(15),         Nested(16),       Nested(300),
      Nested(9, "Upper"), Nested(9, "a b"), Nested(9, std::string(70, 'k'))};
  for (const std::string& document : documents) {
    ShapeList made;
    const std::string packed = Packed(document, made);
    const auto shapes = ShapeList::Decode(made.Encode());
    ASSERT_THAT(shapes, IsOk());
    const auto back = Unpacked(packed, *shapes);
    ASSERT_THAT(back, IsOk());
    EXPECT_EQ(*back, document);
  }
}

TEST(ShapeListTest, LikeMapsShareAnEntryAndSmallOnesStay) {
  ShapeList shapes;
  const std::string packed = Packed(Nested(20), shapes);
  EXPECT_LT(packed.size(), Nested(20).size());
  EXPECT_EQ(ShapeList::Decode(shapes.Encode())->size(), 1U);
  ShapeList none;
  EXPECT_EQ(Packed(Nested(7), none), Nested(7));
  EXPECT_EQ(ShapeList::Decode(none.Encode())->size(), 0U);
}

TEST(ShapeListTest, FieldsComeBackWithoutForms) {
  FieldPart price;
  price.key = "\xa5price";
  price.codec = CellCodec::kDouble;
  price.column = 9;
  price.forms.Append(cell_form::kFloat, 3);
  FieldPart name = price;
  name.key = "\xa4name";
  name.codec = CellCodec::kText;
  ShapeList made;
  EXPECT_EQ(made.AddFields({price, name}), 0U);
  EXPECT_EQ(made.AddFields({name}), 1U);
  EXPECT_EQ(made.AddFields({price, name}), 0U);
  const auto shapes = ShapeList::Decode(made.Encode());
  ASSERT_THAT(shapes, IsOk());
  const auto fields = shapes->Fields(0);
  ASSERT_THAT(fields, IsOk());
  ASSERT_EQ(fields->size(), 2U);
  EXPECT_EQ((*fields)[0].key, price.key);
  EXPECT_EQ((*fields)[0].column, 9U);
  EXPECT_EQ((*fields)[1].codec, CellCodec::kText);
  EXPECT_THAT(shapes->Fields(2), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(shapes->Keys(0), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(shapes->Keys(2), IsError(ErrorCode::kCorruption));
}

TEST(ShapeListTest, WrongListsAreDamage) {
  const auto list = [](const std::function<void(Writer&)>& entry) {
    std::string out;
    Writer writer(out);
    writer.ArrayHeader(1);
    entry(writer);
    return out;
  };
  const auto numbers = [](std::initializer_list<std::int64_t> values) {
    return [values](Writer& writer) {
      writer.ArrayHeader(static_cast<std::uint32_t>(values.size()));
      for (const std::int64_t value : values) writer.Int(value);
    };
  };
  const auto field = [](std::int64_t codec, std::int64_t column) {
    return [=](Writer& writer) {
      writer.ArrayHeader(4);
      writer.Int(1);
      writer.Binary("\xa1x");
      writer.Int(codec);
      writer.Int(column);
    };
  };
  EXPECT_THAT(ShapeList::Decode(list(field(0, 0))), IsOk());
  const std::string wrong[] = {"",
                               "\x01",
                               list([](Writer& writer) { writer.Nil(); }),
                               list(numbers({})),
                               list(numbers({2})),
                               list(numbers({1, 2})),
                               list(numbers({1, 2, 3, 4})),
                               list(field(-1, 0)),
                               list(field(1000, 0)),
                               list(field(0, -1)),
                               list(field(0, 1001))};
  for (const std::string& bytes : wrong) {
    EXPECT_THAT(ShapeList::Decode(bytes), IsError(ErrorCode::kCorruption)) << bytes;
  }
}

TEST(ShapeListTest, FlippedBytesAreDamageOrAnotherDocument) {
  ShapeList made;
  const std::string document = Nested(12), packed = Packed(document, made), list = made.Encode();
  std::mt19937_64 random(5);
  const auto flipped = [&](std::string bytes) {
    bytes[random() % bytes.size()] ^= static_cast<char>(1U << (random() % 8));
    return bytes;
  };
  const ShapeList good = *ShapeList::Decode(list);
  for (int i = 0; i < 3000; ++i) {
    const auto body = Unpacked(flipped(packed), good);
    if (body.ok()) {
      EXPECT_NE(*body, document);
    }
    const auto shapes = ShapeList::Decode(flipped(list));
    if (!shapes.ok()) continue;
    const auto other = Unpacked(packed, *shapes);
    if (other.ok()) {
      EXPECT_NE(*other, document);
    }
  }
}

}  // namespace
}  // namespace lamina::backtests
