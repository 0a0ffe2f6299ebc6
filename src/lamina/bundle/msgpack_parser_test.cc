#include <gtest/gtest.h>

#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/bundle_test_support.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::bundle {
namespace {

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

TEST(DocumentTest, DamageIsNamedByItsByte) {
  struct Case {
    const char* name;
    std::string bytes;
    ErrorCode code;
    const char* message;
  };
  std::string deep(10'000, '\x91');
  deep.push_back('\xc0');
  std::string deep_maps;
  for (int i = 0; i < 10'000; ++i) deep_maps += Bytes({0x81, 0xa1, 'k'});
  deep_maps.push_back('\xc0');
  const Case cases[] = {
      {"nothing", "", ErrorCode::kCorruption, "empty"},
      {"reserved byte", Bytes({0xc1}), ErrorCode::kCorruption, "byte 0: reserved byte 0xc1"},
      {"reserved byte inside", Bytes({0x92, 0x01, 0xc1}), ErrorCode::kCorruption,
       "byte 2: reserved"},
      {"trailing", Bytes({0xc0, 0xc0}), ErrorCode::kCorruption,
       "byte 1: 1 bytes after the document"},
      {"array cut", Bytes({0x92, 0x01}), ErrorCode::kCorruption,
       "byte 0: an array goes past the end"},
      {"array cut inside", Bytes({0x92, 0x92, 0xc0, 0xc0}), ErrorCode::kCorruption,
       "byte 4: a value goes past the end"},
      {"map cut", Bytes({0x81, 0x01}), ErrorCode::kCorruption, "a map goes past the end"},
      {"string cut", Bytes({0xa5, 'a', 'b'}), ErrorCode::kCorruption,
       "a payload goes past the end"},
      {"float cut", Bytes({0xcb, 0, 0}), ErrorCode::kCorruption, "a payload goes past the end"},
      {"length cut", Bytes({0xdb, 0, 0}), ErrorCode::kCorruption, "a length goes past the end"},
      {"extension type cut", Bytes({0xd4}), ErrorCode::kCorruption, "a length goes past the end"},
      {"uint64 cut", Bytes({0xcf, 0xff, 0}), ErrorCode::kCorruption, "a payload goes past the end"},
      {"huge array", Bytes({0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0}), ErrorCode::kCorruption,
       "an array"},
      {"huge map", Bytes({0xdf, 0xff, 0xff, 0xff, 0xff, 0xc0}), ErrorCode::kCorruption, "a map"},
      {"map of 2^31", Bytes({0xdf, 0x80, 0, 0, 0, 0xc0}), ErrorCode::kCorruption, "a map"},
      {"huge string", Bytes({0xdb, 0xff, 0xff, 0xff, 0xff}), ErrorCode::kCorruption, "a payload"},
      {"huge binary", Bytes({0xc6, 0x7f, 0xff, 0xff, 0xff}), ErrorCode::kCorruption, "a payload"},
      {"huge extension", Bytes({0xc9, 0xff, 0xff, 0xff, 0xff, 1}), ErrorCode::kCorruption,
       "a payload"},
      {"deep arrays", deep, ErrorCode::kResourceExhausted, "byte 128: nested deeper than 128"},
      {"deep maps", deep_maps, ErrorCode::kResourceExhausted, "byte 384: nested deeper than 128"},
  };
  for (const Case& c : cases) {
    for (const auto parse : {&Document::Parse, &Document::ParseOutline}) {
      const auto document = parse(c.bytes, {});
      ASSERT_FALSE(document.ok()) << c.name;
      EXPECT_EQ(document.error().code(), c.code) << c.name;
      EXPECT_NE(document.error().message().find(c.message), std::string::npos)
          << c.name << ": " << document.error().message();
    }
  }
}

TEST(DocumentTest, LimitsHold) {
  const std::string ten = Bytes({0x9a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  const std::string nested = Bytes({0x91, 0x91, 0x91, 0x90});
  for (const auto parse : {&Document::Parse, &Document::ParseOutline}) {
    EXPECT_TRUE(parse(ten, {.max_nodes = 11}).ok());
    EXPECT_EQ(parse(ten, {.max_nodes = 10}).error().code(), ErrorCode::kResourceExhausted);
    EXPECT_TRUE(parse(ten, {.max_bytes = 11}).ok());
    EXPECT_EQ(parse(ten, {.max_bytes = 10}).error().code(), ErrorCode::kResourceExhausted);
    EXPECT_TRUE(parse(nested, {.max_depth = 3}).ok()) << "an empty array opens nothing";
    EXPECT_EQ(parse(nested, {.max_depth = 2}).error().code(), ErrorCode::kResourceExhausted);
  }
}

TEST(DocumentTest, TheTapeGrowsPastItsFirstGuess) {
  constexpr std::uint32_t kCount = 300'000;
  std::string bytes;
  Writer writer(bytes);
  writer.ArrayHeader(kCount);
  bytes.append(kCount, '\x05');
  const auto document = Document::Parse(bytes);
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(document->node_count(), kCount + 1);
  std::int64_t sum = 0;
  for (const Value item : document->root().items()) sum += item.AsInt();
  EXPECT_EQ(sum, 5 * std::int64_t{kCount});
}

TEST(DocumentTest, HugeClaimsTakeNoMemory) {
  const long before = test::PeakKilobytes();
  for (const int lead : {0xdd, 0xdf, 0xdb, 0xc6}) {
    std::string bytes = Bytes({0x81, 0xa1, 'k', lead, 0xff, 0xff, 0xff, 0xff});
    bytes.append(1000, '\0');
    EXPECT_FALSE(Document::Parse(bytes).ok());
    EXPECT_FALSE(Document::ParseOutline(bytes).ok());
  }
  EXPECT_LT(test::PeakKilobytes() - before, 8 << 10);
}

TEST(DocumentTest, AGoldenDocumentCutAtAnyByteIsRefused) {
  auto file = ReadBundle(test::Golden("v2_8.10.0/one_run.iafbt"));
  ASSERT_TRUE(file.ok());
  const std::string& whole = file->document;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto document = Document::Parse(whole.substr(0, size));
    ASSERT_FALSE(document.ok()) << size;
    ASSERT_EQ(document.error().code(), ErrorCode::kCorruption) << size;
  }
}

}  // namespace
}  // namespace lamina::bundle
