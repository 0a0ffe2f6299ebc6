#include "lamina/bundle/msgpack.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/bundle_test_support.h"

namespace lamina::bundle {
namespace {

using test::Rewrite;

std::string Hex(const std::string& bytes) { return ToHex(bytes); }

template <class Write>
std::string Written(Write write) {
  std::string out;
  Writer writer(out);
  write(writer);
  return out;
}

TEST(WriterTest, IntegersTakeTheShortestForm) {
  struct Case {
    std::int64_t value;
    const char* hex;
  };
  constexpr Case kCases[] = {
      {0, "00"},
      {127, "7f"},
      {128, "cc80"},
      {255, "ccff"},
      {256, "cd0100"},
      {65535, "cdffff"},
      {65536, "ce00010000"},
      {4294967295, "ceffffffff"},
      {4294967296, "cf0000000100000000"},
      {std::numeric_limits<std::int64_t>::max(), "cf7fffffffffffffff"},
      {-1, "ff"},
      {-32, "e0"},
      {-33, "d0df"},
      {-128, "d080"},
      {-129, "d1ff7f"},
      {-32768, "d18000"},
      {-32769, "d2ffff7fff"},
      {-2147483648LL, "d280000000"},
      {-2147483649LL, "d3ffffffff7fffffff"},
      {std::numeric_limits<std::int64_t>::min(), "d38000000000000000"},
  };
  for (const Case& c : kCases) {
    const std::string out = Written([&](Writer& writer) { writer.Int(c.value); });
    EXPECT_EQ(Hex(out), c.hex) << c.value;
    const auto document = Document::Parse(out);
    ASSERT_TRUE(document.ok()) << c.value;
    ASSERT_EQ(document->root().kind(), Kind::kInt) << c.value;
    EXPECT_EQ(document->root().AsInt(), c.value);
    EXPECT_EQ(document->root().AsDouble(), static_cast<double>(c.value));
  }
  const std::uint64_t large = std::uint64_t{1} << 63;
  const auto document = Document::Parse(Written([&](Writer& writer) { writer.Uint(large); }));
  ASSERT_TRUE(document.ok());
  ASSERT_EQ(document->root().kind(), Kind::kUint);
  EXPECT_EQ(document->root().AsUint(), large);
  EXPECT_EQ(document->root().AsDouble(), 9223372036854775808.0);
}

TEST(WriterTest, EveryFormOfAnIntegerIsRead) {
  struct Case {
    std::string bytes;
    std::int64_t value;
  };
  const Case cases[] = {
      {std::string("\xcc\x05", 2), 5},
      {std::string("\xcd\x00\x05", 3), 5},
      {std::string("\xce\x00\x00\x00\x05", 5), 5},
      {std::string("\xcf\x00\x00\x00\x00\x00\x00\x00\x05", 9), 5},
      {std::string("\xd0\xfb", 2), -5},
      {std::string("\xd1\xff\xfb", 3), -5},
      {std::string("\xd2\xff\xff\xff\xfb", 5), -5},
      {std::string("\xd3\xff\xff\xff\xff\xff\xff\xff\xfb", 9), -5},
  };
  for (const Case& c : cases) {
    const auto document = Document::Parse(c.bytes);
    ASSERT_TRUE(document.ok());
    EXPECT_EQ(document->root().AsInt(), c.value) << Hex(c.bytes);
    EXPECT_EQ(document->root().raw(), c.bytes);
  }
}

TEST(WriterTest, FloatsKeepEveryBit) {
  const std::uint64_t cases[] = {0,
                                 0x8000000000000000,
                                 0x7ff0000000000000,
                                 0xfff0000000000000,
                                 0x7ff8000000000000,
                                 0xfff8000000000000,
                                 0x7ff0000000000001,
                                 0x7ff8dead0000beef,
                                 0x3ff8000000000000};
  for (const std::uint64_t bits : cases) {
    const std::string out =
        Written([&](Writer& writer) { writer.Double(std::bit_cast<double>(bits)); });
    ASSERT_EQ(out.size(), 9U);
    const auto document = Document::Parse(out);
    ASSERT_TRUE(document.ok());
    ASSERT_EQ(document->root().kind(), Kind::kFloat64);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(document->root().AsDouble()), bits);
    EXPECT_EQ(Written([&](Writer& writer) { writer.Double(document->root().AsDouble()); }), out);
  }
  const auto small = Document::Parse(std::string("\xca\x3f\xc0\x00\x00", 5));
  ASSERT_TRUE(small.ok());
  ASSERT_EQ(small->root().kind(), Kind::kFloat32);
  EXPECT_EQ(small->root().AsDouble(), 1.5);
  EXPECT_EQ(small->root().Float32Bits(), 0x3fc00000U);
}

TEST(WriterTest, LengthsTakeTheShortestForm) {
  struct Case {
    std::size_t length;
    const char *string, *binary, *array, *map, *extension;
  };
  constexpr Case kCases[] = {
      {0, "a0", "c400", "90", "80", "c70007"},
      {1, "a1", "c401", "91", "81", "d407"},
      {15, "af", "c40f", "9f", "8f", "c70f07"},
      {16, "b0", "c410", "dc0010", "de0010", "d807"},
      {31, "bf", "c41f", "dc001f", "de001f", "c71f07"},
      {32, "d920", "c420", "dc0020", "de0020", "c72007"},
      {255, "d9ff", "c4ff", "dc00ff", "de00ff", "c7ff07"},
      {256, "da0100", "c50100", "dc0100", "de0100", "c8010007"},
      {65535, "daffff", "c5ffff", "dcffff", "deffff", "c8ffff07"},
      {65536, "db00010000", "c600010000", "dd00010000", "df00010000", "c90001000007"},
  };
  for (const Case& c : kCases) {
    const std::string payload(c.length, 'x');
    const auto count = static_cast<std::uint32_t>(c.length);
    const std::string tail = Hex(payload);
    EXPECT_EQ(Hex(Written([&](Writer& w) { w.String(payload); })), c.string + tail) << c.length;
    EXPECT_EQ(Hex(Written([&](Writer& w) { w.Binary(payload); })), c.binary + tail) << c.length;
    EXPECT_EQ(Hex(Written([&](Writer& w) { w.ArrayHeader(count); })), c.array) << c.length;
    EXPECT_EQ(Hex(Written([&](Writer& w) { w.MapHeader(count); })), c.map) << c.length;
    const std::string extension = Written([&](Writer& w) { w.Extension(7, payload); });
    EXPECT_EQ(Hex(extension), c.extension + tail) << c.length;
    const auto document = Document::Parse(extension);
    ASSERT_TRUE(document.ok());
    EXPECT_EQ(document->root().extension_type(), 7);
    EXPECT_EQ(document->root().AsBinary(), payload);
  }
}

TEST(ValueTest, MapsAreWalkedAndSearched) {
  const std::string bytes = Written([](Writer& w) {
    w.MapHeader(5);
    w.String("a"), w.Int(1);
    w.String("list"), w.ArrayHeader(2), w.Nil(), w.Bool(true);
    w.Int(7), w.String("seven");
    w.String("a"), w.Int(2);
    w.String("empty"), w.MapHeader(0);
  });
  const auto document = Document::Parse(bytes);
  ASSERT_TRUE(document.ok());
  const Value root = document->root();
  EXPECT_EQ(root.size(), 5U);
  EXPECT_EQ(root.raw(), bytes);
  EXPECT_EQ(root.Find("a")->AsInt(), 2) << "of equal keys the last wins";
  EXPECT_FALSE(root.Find("7").has_value()) << "only string keys match";
  EXPECT_FALSE(root.Find("").has_value());
  EXPECT_FALSE(root.Find("a")->Find("a").has_value());
  const Value list = *root.Find("list");
  std::string kinds;
  for (const Value item : list.items()) kinds += std::string(KindName(item.kind())) + " ";
  EXPECT_EQ(kinds, "nil bool ");
  EXPECT_TRUE((*++list.items().begin()).AsBool());
  const Value empty = *root.Find("empty");
  EXPECT_EQ(empty.entries().begin() == empty.entries().end(), true);
  EXPECT_EQ(empty.raw(), "\x80");
  EXPECT_EQ(empty.offset(), bytes.size() - 1);
  std::size_t pairs = 0;
  for (const Value::Entry entry : root.entries()) pairs += entry.key.raw().empty() ? 0 : 1;
  EXPECT_EQ(pairs, 5U);
}

/// A random value, deep enough to cross every length form.
void WriteRandom(Writer& writer, std::mt19937_64& random, int depth) {
  const auto length = [&] {
    constexpr std::uint32_t kLengths[] = {0, 1, 2, 15, 16, 31, 32, 200, 255, 256, 300};
    return kLengths[random() % std::size(kLengths)];
  };
  switch (random() % (depth > 4 ? 8 : 10)) {
    case 0:
      return writer.Nil();
    case 1:
      return writer.Bool(random() % 2 == 0);
    case 2:
      return writer.Int(static_cast<std::int64_t>(random()) >> (random() % 64));
    case 3:
      return writer.Uint(random() >> (random() % 64));
    case 4:
      return writer.Double(std::bit_cast<double>(random()));
    case 5:
      return writer.String(std::string(length(), 's'));
    case 6:
      return writer.Binary(std::string(length(), '\0'));
    case 7:
      return writer.Extension(static_cast<std::int8_t>(random()), std::string(length(), 'e'));
    case 8: {
      const std::uint32_t count = depth == 0 ? length() : static_cast<std::uint32_t>(random() % 5);
      writer.ArrayHeader(count);
      for (std::uint32_t i = 0; i < count; ++i) WriteRandom(writer, random, depth + 1);
      return;
    }
    default: {
      const std::uint32_t count = depth == 0 ? length() : static_cast<std::uint32_t>(random() % 5);
      writer.MapHeader(count);
      for (std::uint32_t i = 0; i < 2 * count; ++i) WriteRandom(writer, random, depth + 1);
      return;
    }
  }
}

TEST(WriterTest, WhatIsReadIsWrittenAgain) {
  std::mt19937_64 random(20240501);
  for (int i = 0; i < 3000; ++i) {
    const std::string bytes =
        Written([&](Writer& writer) { WriteRandom(writer, random, i % 3 == 0 ? 0 : 2); });
    const auto document = Document::Parse(bytes);
    ASSERT_TRUE(document.ok()) << document.error().message();
    ASSERT_EQ(Written([&](Writer& writer) { Rewrite(writer, document->root()); }), bytes) << i;
    ASSERT_EQ(document->root().raw(), bytes);
  }
}

TEST(WriterTest, EveryDocumentOfTheGoldenAndRealBundlesIsRewrittenToItsBytes) {
  std::size_t files = 0;
  for (const char* folder : {"golden", "real"}) {
    for (const auto& path : test::BundlesIn(folder)) {
      auto file = ReadBundle(test::ReadAll(path));
      ASSERT_TRUE(file.ok()) << path;
      const auto document = Document::Parse(std::move(file->document));
      ASSERT_TRUE(document.ok()) << path;
      std::string again;
      again.reserve(document->bytes().size());
      Writer writer(again);
      Rewrite(writer, document->root());
      EXPECT_TRUE(again == document->bytes()) << path;
      ++files;
    }
  }
  EXPECT_EQ(files, 158U + 44U);
}

TEST(DocumentTest, TheGoldenDocumentsAreTheirTruth) {
  std::size_t compared = 0, raw = 0;
  for (const auto& path : test::BundlesIn("golden")) {
    auto file = ReadBundle(test::ReadAll(path));
    ASSERT_TRUE(file.ok()) << path;
    auto with_suffix = [&](const char* suffix) {
      return std::filesystem::path(path).replace_extension(suffix);
    };
    if (std::filesystem::exists(with_suffix(".msgpack"))) {
      EXPECT_TRUE(test::ReadAll(with_suffix(".msgpack")) == file->document) << path;
      ++raw;
    }
    const auto document = Document::Parse(std::move(file->document));
    ASSERT_TRUE(document.ok()) << path;
    std::string json;
    JsonWriter writer(json);
    test::WriteTruth(writer, document->root());
    std::string truth = test::ReadAll(with_suffix(".json"));
    while (!truth.empty() && truth.back() == '\n') truth.pop_back();
    if (json != truth) {
      const auto difference =
          std::mismatch(json.begin(), json.end(), truth.begin(), truth.end()).first - json.begin();
      const std::size_t from = difference < 60 ? 0 : static_cast<std::size_t>(difference) - 60;
      ADD_FAILURE() << path << " differs at " << difference << "\n  " << json.substr(from, 160)
                    << "\n  " << truth.substr(from, 160);
    }
    ++compared;
  }
  EXPECT_EQ(compared, 158U);
  EXPECT_EQ(raw, 125U);
}

}  // namespace
}  // namespace lamina::bundle
