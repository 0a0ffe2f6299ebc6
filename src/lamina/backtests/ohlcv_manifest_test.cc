#include "lamina/backtests/ohlcv_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {
namespace {

const std::string kHash(64, 'a');

/// A version 2 document whose `ohlcv` is what `write` writes.
template <class Write>
std::string DocumentWith(Write write) {
  std::string out;
  bundle::Writer writer(out);
  writer.MapHeader(2);
  writer.String("format_version");
  writer.Int(2);
  writer.String("ohlcv");
  write(writer);
  return out;
}

void WriteManifest(bundle::Writer& writer, std::string_view store_dir,
                   const std::vector<std::pair<std::string, std::string>>& files) {
  writer.MapHeader(2);
  writer.String("store_dir");
  writer.String(store_dir);
  writer.String("manifest");
  writer.MapHeader(static_cast<std::uint32_t>(files.size()));
  for (const auto& [key, name] : files) {
    writer.String(key);
    writer.String(name);
  }
}

Result<std::vector<OhlcvReference>> Read(std::string bytes, const std::string& bundle_path) {
  LAMINA_ASSIGN(const auto document, bundle::Document::Parse(std::move(bytes)));
  LAMINA_ASSIGN(const auto layout, bundle::ReadLayout(2, document));
  return ReadOhlcvManifest(layout, bundle_path);
}

TEST(OhlcvManifest, PathsAreBesideTheBundle) {
  struct Case {
    const char* store_dir;
    const char* bundle;
    std::string path;
  };
  const std::string name = kHash + ".parquet";
  const Case cases[] = {
      {"ohlcv", "a/b/x.iafbt", "a/b/ohlcv/" + name},
      {"ohlcv/deeper", "/abs/x.iafbt", "/abs/ohlcv/deeper/" + name},
      {"../shared", "a/b/x.iafbt", "a/b/../shared/" + name},
      {"ohlcv", "x.iafbt", "./ohlcv/" + name},
      {"", "a/x.iafbt", "a/" + name},
      {"/somebody/elses/disk", "a/x.iafbt", "a/" + name},
  };
  for (const Case& c : cases) {
    const auto references = Read(DocumentWith([&](bundle::Writer& writer) {
                                   WriteManifest(writer, c.store_dir, {{"BTC/EUR:1h", name}});
                                 }),
                                 c.bundle);
    ASSERT_THAT(references, IsOk()) << c.store_dir;
    ASSERT_EQ(references->size(), 1U);
    EXPECT_EQ(references->front().key, "BTC/EUR:1h");
    EXPECT_EQ(references->front().path, c.path);
    ASSERT_TRUE(references->front().sha256);
    EXPECT_EQ(references->front().sha256->Hex(), kHash);
  }
}

TEST(OhlcvManifest, NamesThatAreNoHash) {
  const auto references = Read(DocumentWith([](bundle::Writer& writer) {
                                 WriteManifest(writer, "o",
                                               {{"a", "prices.parquet"},
                                                {"b", kHash},
                                                {"c", kHash.substr(1) + ".parquet"},
                                                {"d", "../" + kHash + ".parquet"},
                                                {"e", kHash + ".parquet"}});
                               }),
                               "x.iafbt");
  ASSERT_THAT(references, IsOk());
  ASSERT_EQ(references->size(), 5U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_FALSE((*references)[i].sha256) << i;
  EXPECT_TRUE((*references)[4].sha256);
}

TEST(OhlcvManifest, NothingNamed) {
  std::string without;
  bundle::Writer writer(without);
  writer.MapHeader(1);
  writer.String("format_version");
  writer.Int(2);
  EXPECT_TRUE(Read(without, "x")->empty());
  EXPECT_TRUE(Read(DocumentWith([](bundle::Writer& w) { w.MapHeader(0); }), "x")->empty());
  EXPECT_TRUE(
      Read(DocumentWith([](bundle::Writer& w) { WriteManifest(w, "o", {}); }), "x")->empty());
  EXPECT_TRUE(Read(DocumentWith([](bundle::Writer& w) {
                     w.MapHeader(1);
                     w.String("manifest");
                     w.Nil();
                   }),
                   "x")
                  ->empty());
}

TEST(OhlcvManifest, OfImpossibleTypes) {
  EXPECT_THAT(Read(DocumentWith([](bundle::Writer& w) {
                     w.MapHeader(1);
                     w.String("manifest");
                     w.Int(3);
                   }),
                   "x"),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Read(DocumentWith([](bundle::Writer& w) {
                     w.MapHeader(1);
                     w.String("manifest");
                     w.MapHeader(1);
                     w.String("BTC");
                     w.Int(3);
                   }),
                   "x"),
              IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::backtests
