#include "lamina/backtests/convert.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/bundle_fixtures_internal.h"
#include "lamina/backtests/index_row.h"

namespace lamina::backtests {
namespace {

namespace fs = std::filesystem;
using bundle::Value;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

fs::path Golden(const std::string& folder) { return SharedBundles() / "golden" / folder; }

OpenedDocument Open(const fs::path& path) {
  auto opened = OpenBundle(path);
  EXPECT_TRUE(opened.ok()) << path << ": " << opened.error().message();
  return *std::move(opened);
}

OpenedDocument OpenText(std::uint32_t version, std::string text) {
  auto opened = OpenDocument(version, std::move(text));
  EXPECT_TRUE(opened.ok()) << opened.error().message();
  return *std::move(opened);
}

Result<std::string> Convert(const OpenedDocument& source, std::uint32_t to,
                            std::vector<std::string>* warnings) {
  return ConvertDocument(source.version, *source.document, *source.layout, to, warnings);
}

std::string Converted(const OpenedDocument& source, std::uint32_t to) {
  std::vector<std::string> warnings;
  auto document = Convert(source, to, &warnings);
  EXPECT_TRUE(document.ok()) << document.error().message();
  return document.ok() ? *std::move(document) : std::string("\x80");
}

std::vector<std::string> HashesOf(const OpenedDocument& document) {
  auto parts = Decompose(*document.document, *document.layout);
  EXPECT_TRUE(parts.ok());
  std::vector<std::string> hashes;
  for (const auto& run : parts->runs) hashes.push_back(run.content_hash.Hex());
  return hashes;
}

std::vector<std::string> KeysOf(const Value& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map.entries()) keys.emplace_back(key.AsString());
  return keys;
}

/// Bundles that both folders hold.
std::vector<std::pair<fs::path, fs::path>> Pairs(const std::string& from, const std::string& to,
                                                 const std::string& suffix) {
  std::vector<std::pair<fs::path, fs::path>> pairs;
  for (const fs::path& path : BundlesBelow(Golden(from))) {
    fs::path twin = Golden(to) / path.stem();
    twin += suffix;
    if (fs::exists(twin)) pairs.emplace_back(path, twin);
  }
  return pairs;
}

std::size_t FirstDifference(const std::string& a, ByteView b) {
  const auto end = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(end), b.begin()).first -
      a.begin());
}

/// Where the framework's two files of one name are not the same backtest.
const std::map<std::string, std::string> kOneToTwo = {
    {"ohlcv_sharedstore", "the two name different folders of price files"},
};
const std::map<std::string, std::string> kTwoToOne = {
    {"ohlcv_sharedstore", "the two name different folders of price files"},
    {"series_times", "version 1 has microseconds, offsets and dates, a blob has milliseconds"},
};

TEST(ConvertDocument, OfVersionOneGivesTheFrameworksVersionTwo) {
  const auto pairs = Pairs("v1_8.10.0", "v2_8.10.0", ".iafbt");
  ASSERT_GE(pairs.size(), 25U);
  for (const auto& [path, twin] : pairs) {
    const std::string document = Converted(Open(path), 2);
    const OpenedDocument expected = Open(twin);
    EXPECT_EQ(document == expected.document->bytes(), !kOneToTwo.contains(path.stem()))
        << path.stem() << " at " << FirstDifference(document, expected.document->bytes());
  }
}

TEST(ConvertDocument, OfVersionTwoGivesTheFrameworksVersionOne) {
  const auto pairs = Pairs("v2_8.10.0", "v1_8.10.0", ".iafbt");
  ASSERT_GE(pairs.size(), 25U);
  for (const auto& [path, twin] : pairs) {
    const std::string document = Converted(Open(path), 1);
    const OpenedDocument expected = Open(twin);
    EXPECT_EQ(document == expected.document->bytes(), !kTwoToOne.contains(path.stem()))
        << path.stem() << " at " << FirstDifference(document, expected.document->bytes());
  }
}

TEST(ConvertDocument, ToVersionFiveHasTheFrameworksShape) {
  const auto pairs = Pairs("v2_8.10.0", "v5_9.0.0a6", ".obtf");
  ASSERT_GE(pairs.size(), 20U);
  for (const auto& [path, twin] : pairs) {
    const OpenedDocument source = Open(path);
    const OpenedDocument converted = OpenText(5, Converted(source, 5));
    const OpenedDocument expected = Open(twin);
    SCOPED_TRACE(path.stem());
    const Value top = converted.document->root(), wanted = expected.document->root();
    EXPECT_EQ(KeysOf(top), KeysOf(wanted));
    const Value study = *top.Find("studies")->Find("default");
    const Value wanted_study = *wanted.Find("studies")->Find("default");
    EXPECT_EQ(KeysOf(study), KeysOf(wanted_study));
    ASSERT_EQ(converted.layout->runs.size(), source.layout->runs.size());
    EXPECT_EQ(HashesOf(converted), HashesOf(source));
    for (std::size_t i = 0; i < converted.layout->runs.size(); ++i) {
      const Value run = converted.layout->runs[i].run, wanted_run = expected.layout->runs[i].run;
      EXPECT_EQ(KeysOf(run), KeysOf(wanted_run));
      EXPECT_EQ(KeysOf(*run.Find("backtest_window")), KeysOf(*wanted_run.Find("backtest_window")));
      const auto metrics = run.Find("backtest_metrics");
      if (!metrics || metrics->is_nil()) continue;
      // The framework computed more metrics in between; the others stand in its order.
      std::vector<std::string> known, keys = KeysOf(*metrics);
      for (const auto& key : KeysOf(*wanted_run.Find("backtest_metrics"))) {
        if (std::find(keys.begin(), keys.end(), key) != keys.end()) known.push_back(key);
      }
      EXPECT_EQ(keys, known);
    }
    if (const auto blobs = top.Find("blobs")) {
      EXPECT_EQ(blobs->size(), source.layout->blobs->size());
    }
  }
}

TEST(ConvertDocument, ToVersionFiveAndBackIsTheSameDocument) {
  // The engine of a backtest without runs has no place in version 5, nor has an unknown engine.
  const std::map<std::string, std::string> exceptions = {{"zero_runs", "engine_type"},
                                                         {"one_run_engine_none", "engine_type"}};
  std::size_t checked = 0;
  for (const std::string folder : {"v2_8.10.0", "v1_8.10.0"}) {
    for (const fs::path& path : BundlesBelow(Golden(folder))) {
      const OpenedDocument source = Open(path);
      const OpenedDocument five = OpenText(5, Converted(source, 5));
      const std::string back = Converted(five, source.version);
      SCOPED_TRACE(path);
      if (source.version == 2) {
        EXPECT_EQ(back == source.document->bytes(), !exceptions.contains(path.stem()))
            << " at " << FirstDifference(back, source.document->bytes());
      }
      EXPECT_EQ(HashesOf(OpenText(source.version, back)).size(), source.layout->runs.size());
      ++checked;
    }
  }
  EXPECT_GE(checked, 50U);
}

TEST(ConvertDocument, KeepsIdentityAndSummary) {
  const OpenedDocument source = Open(Golden("v2_8.10.0") / "windows3_full.iafbt");
  for (const std::uint32_t to : {1U, 5U}) {
    const OpenedDocument made = OpenText(to, Converted(source, to));
    EXPECT_EQ(made.layout->parameters->raw(), source.layout->parameters->raw());
    EXPECT_EQ(made.layout->algorithm_id->raw(), source.layout->algorithm_id->raw());
    EXPECT_EQ(made.layout->tag->raw(), source.layout->tag->raw());
    ASSERT_EQ(made.layout->summaries.size(), 1U);
    const IndexRow row = IndexRowsOf(*made.layout, "x")[0];
    EXPECT_TRUE(SameRow(row, IndexRowsOf(*source.layout, "x")[0])) << to;
    EXPECT_EQ(made.layout->summaries[0].summary->raw(), source.layout->summaries[0].summary->raw());
    EXPECT_EQ(made.layout->summaries[0].risk_free_rate->AsDouble(), 0.027);
    EXPECT_THAT(made.layout->warnings, IsEmpty());
  }
}

TEST(ConvertDocument, EveryBundleConvertsOrSaysWhyNot) {
  for (const fs::path& path : BundlesBelow(SharedBundles() / "golden")) {
    const OpenedDocument source = Open(path);
    for (const std::uint32_t to : {1U, 2U, 5U}) {
      std::vector<std::string> warnings;
      const auto document = Convert(source, to, &warnings);
      SCOPED_TRACE(path.string() + " to " + std::to_string(to));
      if (!document.ok()) {
        EXPECT_EQ(document.error().code(), ErrorCode::kUnsupported);
        EXPECT_THAT(
            document.error().message(),
            AnyOf(HasSubstr("several studies"), HasSubstr("both engines"), HasSubstr("universe")));
        continue;
      }
      const OpenedDocument made = OpenText(to, *document);
      EXPECT_THAT(made.layout->warnings, IsEmpty());
      EXPECT_EQ(made.layout->runs.size(), source.layout->runs.size());
    }
  }
}

TEST(ConvertDocument, SaysWhatIsLeftOut) {
  const OpenedDocument source = Open(Golden("v5_9.0.0a6") / "one_run.obtf");
  std::vector<std::string> warnings;
  ASSERT_TRUE(Convert(source, 2, &warnings).ok());
  EXPECT_THAT(warnings, Contains(HasSubstr("training range")));
}

TEST(ConvertDocument, RefusesOtherTargets) {
  const OpenedDocument source = Open(Golden("v2_8.10.0") / "one_run.iafbt");
  for (const std::uint32_t to : {0U, 3U, 4U, 6U}) {
    std::vector<std::string> warnings;
    const auto document = Convert(source, to, &warnings);
    ASSERT_FALSE(document.ok());
    EXPECT_EQ(document.error().code(), ErrorCode::kInvalidArgument);
  }
}

TEST(ConvertDocument, RefusesADocumentOfAnotherShapeThanItsHeader) {
  const OpenedDocument two = Open(Golden("v2_8.10.0") / "one_run.iafbt");
  const OpenedDocument source = OpenText(1, std::string(two.document->bytes()));
  std::vector<std::string> warnings;
  const auto document = Convert(source, 5, &warnings);
  ASSERT_FALSE(document.ok());
  EXPECT_THAT(document.error().message(), HasSubstr("shape of version 2"));
}

}  // namespace
}  // namespace lamina::backtests
