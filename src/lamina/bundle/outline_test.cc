#include <gtest/gtest.h>

#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/bundle_test_support.h"
#include "lamina/bundle/layout.h"

namespace lamina::bundle {
namespace {

TEST(OutlineTest, PassesOverWhatTheLayoutDoesNotLookAt) {
  auto bundle = ReadBundle(test::Golden("v2_8.10.0/windows3_full.iafbt"));
  ASSERT_TRUE(bundle.ok());
  const auto full = Document::Parse(bundle->document);
  const auto outline = Document::ParseOutline(bundle->document);
  ASSERT_TRUE(full.ok() && outline.ok());
  EXPECT_LT(outline->node_count() * 50, full->node_count());

  const Value run = *full->root().Find("vector_runs")->items().begin();
  const Value outlined = *outline->root().Find("vector_runs")->items().begin();
  EXPECT_EQ(run.raw(), outlined.raw());
  const Value snapshots = *outlined.Find("portfolio_snapshots");
  EXPECT_EQ(snapshots.kind(), Kind::kArray);
  EXPECT_EQ(snapshots.size(), run.Find("portfolio_snapshots")->size());
  EXPECT_EQ(snapshots.raw(), run.Find("portfolio_snapshots")->raw());
  EXPECT_TRUE(snapshots.items().begin() == snapshots.items().end());
  EXPECT_EQ(outline->root().Find("parameters")->raw(), full->root().Find("parameters")->raw());
}

TEST(OutlineTest, AContainerAsAKeyOrAnArrayForAMapIsPassedOver) {
  std::string bytes;
  Writer w(bytes);
  w.MapHeader(3);
  w.ArrayHeader(2), w.Int(1), w.MapHeader(1), w.Int(1), w.Int(2), w.Int(3);
  w.String("studies"), w.ArrayHeader(1), w.MapHeader(1), w.Int(1), w.Int(2);
  w.String("vector_runs"), w.MapHeader(1), w.Int(1), w.ArrayHeader(1), w.Nil();
  const auto outline = Document::ParseOutline(bytes);
  ASSERT_TRUE(outline.ok());
  EXPECT_EQ(outline->node_count(), 7U);
  EXPECT_EQ(outline->root().size(), 3U);
  EXPECT_EQ(outline->root().raw(), bytes);
  EXPECT_EQ(ReadLayout(5, *outline).error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace lamina::bundle
