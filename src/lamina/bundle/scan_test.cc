#include "lamina/bundle/scan.h"

#include <random>

#include <gtest/gtest.h>

#include "lamina/bundle/bundle_test_support.h"
#include "lamina/bundle/layout.h"

namespace lamina::bundle {
namespace {

std::string RawOf(const std::optional<Value>& value) {
  return value.has_value() ? std::string(value->raw()) : std::string();
}

/// What the full reader says, in the scan's terms.
Result<BundleScan> FullScan(ByteView file) {
  LAMINA_ASSIGN(auto bundle, ReadBundle(file));
  LAMINA_ASSIGN(const auto document, Document::Parse(bundle.document));
  LAMINA_ASSIGN(const Layout layout, ReadLayout(bundle.version, document));
  BundleScan scan;
  scan.version = bundle.version;
  scan.document_bytes = bundle.document.size();
  scan.algorithm_id = RawOf(layout.algorithm_id);
  scan.anchor_algorithm_id = RawOf(layout.anchor_algorithm_id);
  scan.tag = RawOf(layout.tag);
  scan.parameters = RawOf(layout.parameters);
  scan.strategy_ids = RawOf(layout.strategy_ids);
  scan.metadata = RawOf(layout.metadata);
  for (const SummaryPart& part : layout.summaries) {
    scan.summaries.push_back({part.engine, part.study, part.universe, part.run_count,
                              part.summary.has_value(), RawOf(part.summary),
                              RawOf(part.risk_free_rate), part.study_description});
  }
  scan.warnings = bundle.warnings;
  scan.warnings.insert(scan.warnings.end(), layout.warnings.begin(), layout.warnings.end());
  return scan;
}

void ExpectSame(ByteView file, const std::string& name) {
  const auto scan = ScanBundle(file);
  const auto full = FullScan(file);
  ASSERT_EQ(scan.ok(), full.ok()) << name;
  if (!scan.ok()) {
    EXPECT_EQ(scan.error().code(), full.error().code()) << name;
    EXPECT_EQ(scan.error().message(), full.error().message()) << name;
    return;
  }
  EXPECT_EQ(scan->version, full->version) << name;
  EXPECT_EQ(scan->document_bytes, full->document_bytes) << name;
  EXPECT_EQ(scan->algorithm_id, full->algorithm_id) << name;
  EXPECT_EQ(scan->anchor_algorithm_id, full->anchor_algorithm_id) << name;
  EXPECT_EQ(scan->tag, full->tag) << name;
  EXPECT_EQ(scan->parameters, full->parameters) << name;
  EXPECT_EQ(scan->strategy_ids, full->strategy_ids) << name;
  EXPECT_EQ(scan->metadata, full->metadata) << name;
  EXPECT_EQ(scan->warnings, full->warnings) << name;
  ASSERT_EQ(scan->summaries.size(), full->summaries.size()) << name;
  for (std::size_t i = 0; i < scan->summaries.size(); ++i) {
    const ScannedSummary& a = scan->summaries[i];
    const ScannedSummary& b = full->summaries[i];
    EXPECT_EQ(a.engine, b.engine) << name;
    EXPECT_EQ(a.study, b.study) << name;
    EXPECT_EQ(a.universe, b.universe) << name;
    EXPECT_EQ(a.run_count, b.run_count) << name;
    EXPECT_EQ(a.present, b.present) << name;
    EXPECT_EQ(a.summary, b.summary) << name;
    EXPECT_EQ(a.risk_free_rate, b.risk_free_rate) << name;
    EXPECT_EQ(a.study_description, b.study_description) << name;
  }
}

TEST(ScanTest, AgreesWithTheFullReaderOnEverySharedBundle) {
  std::size_t files = 0;
  for (const char* folder : {"golden", "real", "quirks"}) {
    for (const auto& path : test::BundlesIn(folder)) {
      ExpectSame(test::ReadAll(path), test::NameOf(path));
      ++files;
    }
  }
  EXPECT_EQ(files, 158U + 44U + 49U);
}

TEST(ScanTest, AgreesWithTheFullReaderOnDamage) {
  std::mt19937_64 random(5);
  for (const char* name :
       {"v1_8.10.0/one_run.iafbt", "v2_8.10.0/permutation_tests.iafbt",
        "v3_synthetic/universes.iafbt", "v4_synthetic/zero_runs_empty_summary.iafbt",
        "v5_9.0.0a6/universes.obtf"}) {
    const auto bundle = ReadBundle(test::Golden(name));
    ASSERT_TRUE(bundle.ok());
    for (int i = 0; i < 200; ++i) {
      std::string document = bundle->document;
      const std::size_t reach =
          i % 2 == 0 ? document.size() : std::min<std::size_t>(400, document.size());
      for (int change = 0; change < 1 + i % 3; ++change) {
        document[random() % reach] = static_cast<char>(random());
      }
      const auto file = WriteBundle(bundle->version, document, 1);
      ASSERT_TRUE(file.ok());
      ExpectSame(*file, std::string(name) + " damage " + std::to_string(i));
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(ScanTest, FindsIdentityAndSummary) {
  const auto scan = ScanBundle(test::Golden("v5_9.0.0a6/universes.obtf"));
  ASSERT_TRUE(scan.ok());
  EXPECT_EQ(scan->version, 5U);
  EXPECT_EQ(scan->algorithm_id, "\xa9universes");
  EXPECT_EQ(scan->tag, "");
  EXPECT_EQ(scan->parameters.front(), '\x80');
  ASSERT_EQ(scan->summaries.size(), 3U);
  EXPECT_EQ(scan->summaries[0].run_count, 2U);
  EXPECT_EQ(scan->summaries[2].universe, "alts");
  EXPECT_EQ(scan->summaries[2].run_count, 1U);
  EXPECT_TRUE(scan->summaries[2].present);
  const auto summary = Document::Parse(scan->summaries[2].summary);
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->root().size(), 55U);
}

}  // namespace
}  // namespace lamina::bundle
