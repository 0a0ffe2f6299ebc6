// Documents with random damage to their contents, not their form: all must come back.

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "lamina/backtests/bundle_fixtures_internal.h"

namespace lamina::backtests {
namespace {

using bundle::Kind;
using bundle::Value;
using Random = std::mt19937_64;

/// A MessagePack value that can be changed.
struct Node {
  Kind kind = Kind::kNil;
  std::string raw;             ///< of scalars
  std::vector<Node> children;  ///< of maps: key, value, key, value, …
};

Node TreeOf(const Value& value) {
  Node node;
  node.kind = value.kind();
  if (value.is_array()) {
    for (const Value item : value.items()) node.children.push_back(TreeOf(item));
  } else if (value.is_map()) {
    for (const auto entry : value.entries()) {
      node.children.push_back(TreeOf(entry.key));
      node.children.push_back(TreeOf(entry.value));
    }
  } else {
    node.raw = std::string(value.raw());
  }
  return node;
}

void Append(const Node& node, std::string& out) {
  bundle::Writer writer(out);
  if (node.kind == Kind::kArray) {
    writer.ArrayHeader(static_cast<std::uint32_t>(node.children.size()));
  } else if (node.kind == Kind::kMap) {
    writer.MapHeader(static_cast<std::uint32_t>(node.children.size() / 2));
  }
  out += node.raw;
  for (const Node& child : node.children) Append(child, out);
}

Node Scalar(std::string raw) {
  Node node;
  node.raw = std::move(raw);
  return node;
}

template <class Write>
Node Written(const Write& write) {
  std::string raw;
  bundle::Writer writer(raw);
  write(writer);
  return Scalar(std::move(raw));
}

Node Odd(Random& random) {
  static const std::vector<Node>* const kPool = [] {
    auto* pool = new std::vector<Node>;
    for (const char* text : {"",
                             "x",
                             "2024-01-01T00:00:00.5Z",
                             "2024-01-01 00:00:00",
                             "2024-13-01T00:00:00+00:00",
                             "2024-01-01T00:00:00.123456789+00:00",
                             "2024-01-01T02:00:00+02:00",
                             "2024-01-01",
                             "2024-01-01T00:00:00.000001+00:00",
                             "2024-01-01T00:00:00Z",
                             "0001-01-01T00:00:00",
                             "9999-12-31T23:59:59.999999+00:00",
                             "NaT",
                             "\xff\xfe",
                             "caf\xc3\xa9",
                             "e0de2adb-ac14-4ac8-a16d-c8c4a24fd4f6",
                             "E0DE2ADB-AC14-4AC8-A16D-C8C4A24FD4F6",
                             "2024-01-01T00:00:00.100000+00:00",
                             "12",
                             "-0"}) {
      pool->push_back(Written([&](bundle::Writer& w) { w.String(text); }));
    }
    for (const double number : {0.0, -0.0, 1.5, -1e300, 5e-324, 1.0 / 0.0, 1000.0}) {
      pool->push_back(Written([&](bundle::Writer& w) { w.Double(number); }));
    }
    for (const std::int64_t number : {std::int64_t{0}, std::int64_t{1000}, std::int64_t{-1},
                                      (std::int64_t{1} << 53) + 1, INT64_MIN, INT64_MAX}) {
      pool->push_back(Written([&](bundle::Writer& w) { w.Int(number); }));
    }
    using namespace std::string_literals;
    for (const std::string& raw : {"\xc0"s,
                                   "\xc2"s,
                                   "\xc3"s,
                                   "\x80"s,
                                   "\x90"s,
                                   "\xcb\x7f\xf8\0\0\0\0\0\0"s,    // NaN
                                   "\xcb\xff\xf8\0\0\0\0\0\x07"s,  // NaN with a payload
                                   "\xcb\x7f\xf0\0\0\0\0\0\x01"s,  // signalling NaN
                                   "\xca\x3f\xc0\0\0"s,            // float32
                                   "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"s,
                                   "\xcd\0\x05"s,
                                   "\xd1\0\x05"s,
                                   "\xd0\x05"s,  // longer than need be
                                   "\xd9\x01z"s,
                                   "\xdb\0\0\0\x01z"s,
                                   "\xdc\0\0"s,
                                   "\xdf\0\0\0\0"s,
                                   "\xc4\x02hi"s,
                                   "\x81\xacorder_reason\xa4sell"s,
                                   "\x81\xacorder_reason\xc0"s,
                                   "\x82\xacorder_reason\xa1x\xa1y\x01"s,
                                   "\x92\x01\x02"s,
                                   "\x81\xa1k\xa1v"s}) {
      pool->push_back(Scalar(raw));
    }
    return pool;
  }();
  return (*kPool)[random() % kPool->size()];
}

/// Some node below `node`, children of containers being as likely as their numbers.
Node& Choose(Node& node, Random& random) {
  Node* at = &node;
  while (!at->children.empty() && random() % 12 != 0) {
    at = &at->children[random() % at->children.size()];
  }
  return *at;
}

void Mutate(Node& root, Random& random) {
  Node& node = Choose(root, random);
  const std::size_t step = node.kind == Kind::kMap ? 2 : 1;
  const std::size_t count = node.children.size() / step;
  if (count == 0 || &node == &root) {
    if (&node != &root) node = Odd(random);
    return;
  }
  const auto at = [&](std::size_t i) {
    return node.children.begin() + static_cast<std::ptrdiff_t>(i * step);
  };
  const auto width = static_cast<std::ptrdiff_t>(step);
  const std::size_t chosen = random() % count;
  switch (random() % 5) {
    case 0:  // drop
      node.children.erase(at(chosen), at(chosen) + width);
      return;
    case 1: {  // repeat
      const std::vector<Node> copy(at(chosen), at(chosen) + width);
      node.children.insert(at(random() % count), copy.begin(), copy.end());
      return;
    }
    case 2:  // change places
      std::swap_ranges(at(chosen), at(chosen) + width, at(random() % count));
      return;
    case 3: {  // something unknown
      std::vector<Node> added = {Written([](bundle::Writer& w) { w.String("unknown key"); }),
                                 Odd(random)};
      if (step == 1) added.erase(added.begin());
      node.children.insert(at(chosen), added.begin(), added.end());
      return;
    }
    default:
      *(at(chosen) + (width - 1)) = Odd(random);
      return;
  }
}

class PropertyTest : public testing::TestWithParam<const char*> {};

TEST_P(PropertyTest, EveryDocumentComesBack) {
  auto original = OpenBundle(SharedBundles() / GetParam());
  ASSERT_TRUE(original.ok());
  auto whole = Decompose(*original->document, *original->layout);
  ASSERT_TRUE(whole.ok());
  const Node tree = TreeOf(original->document->root());
  Random random(20240229);
  std::vector<std::size_t> skeleton_bytes;
  constexpr int kRounds = 150;
  for (int round = 0; round < kRounds; ++round) {
    Node mutated = tree;
    const int changes = round % 3 == 2 ? 40 : 1;
    for (int i = 0; i < changes; ++i) Mutate(mutated, random);
    std::string text;
    Append(mutated, text);
    auto opened = OpenDocument(original->version, text);
    if (!opened.ok()) continue;  // no backtest any more
    auto parts = Decompose(*opened->document, *opened->layout);
    ASSERT_TRUE(parts.ok()) << round << ": " << parts.error().message();
    EXPECT_FALSE(parts->whole_document) << round;
    auto document = Assemble(parts->skeleton, SourceOf(*parts));
    ASSERT_TRUE(document.ok()) << round << ": " << document.error().message();
    ASSERT_TRUE(*document == text) << round;
    if (changes == 1) skeleton_bytes.push_back(parts->skeleton.size());
  }
  ASSERT_GT(skeleton_bytes.size(), 30U);
  // One change costs one cell or record; seldom one part.
  std::sort(skeleton_bytes.begin(), skeleton_bytes.end());
  EXPECT_LT(skeleton_bytes[skeleton_bytes.size() / 2], whole->skeleton.size() + 1500);
}

INSTANTIATE_TEST_SUITE_P(Bundles, PropertyTest,
                         testing::Values("golden/v1_8.10.0/one_run_engine_event.iafbt",
                                         "golden/v1_8.8.0/nonfinite.iafbt",
                                         "golden/v2_8.10.0/run_without_metrics.iafbt",
                                         "golden/v3_synthetic/dup_windows.iafbt",
                                         "golden/v5_9.0.0a6/one_run_engine_event.obtf",
                                         "golden/v5_9.0.0a6/universes.obtf",
                                         "real/v2_8.10.0/test_algorithm_backtest.iafbt"));

}  // namespace
}  // namespace lamina::backtests
