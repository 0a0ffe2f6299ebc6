#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/catalog/catalog.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/catalog/lake_test_support.h"

// Contents at every snapshot, with ranges and deletes: lake_model_test.cc. Here: the edges.

namespace lamina::catalog::test {
namespace {

using table::LakeType;

TEST(ReadTable, Edges) {
  const TempFolder folder;
  ASSERT_OK(Catalog::Create(io::PosixEnv(), folder.path(), RandomUuid4()));
  const auto catalog = *Catalog::Open(io::PosixEnv(), folder.path());
  LakeTable table;
  auto commit = *catalog->BeginCommit("create");
  ASSERT_OK(commit->Finish([&](Database&, LakeWriter& lake) -> Status {
    LAMINA_TRY(lake.CreateSchema("bt"));
    LAMINA_ASSIGN(table, lake.CreateTable("bt", "t", AllColumns()));
    return Ok();
  }));
  const auto empty = catalog->ReadTable(table, 1);
  ASSERT_OK(empty);
  EXPECT_EQ((*empty)->num_rows(), 0);
  EXPECT_TRUE((*empty)->schema()->Equals(*SchemaOf(table.columns)));
  const auto two = catalog->ReadTable(table, 1, {}, std::vector<std::string>{"px", "seq"});
  ASSERT_OK(two);
  EXPECT_EQ((*two)->schema()->field(0)->name(), "px");

  const struct {
    const char* name;
    std::vector<table::ColumnRange> ranges;
    std::optional<std::vector<std::string>> columns;
    ErrorCode code;
  } kCases[] = {
      {"unknown column", {}, {{"zz"}}, ErrorCode::kNotFound},
      {"column twice", {}, {{"px", "px"}}, ErrorCode::kInvalidArgument},
      {"range on an unknown column", {{"zz", arrow::MakeScalar(1.0)}}, {}, ErrorCode::kNotFound},
      {"range of another type", {{"seq", arrow::MakeScalar(1.0)}}, {}, ErrorCode::kInvalidArgument},
  };
  for (const auto& each : kCases)
    EXPECT_THAT(catalog->ReadTable(table, 1, each.ranges, each.columns), IsError(each.code))
        << each.name;
}

}  // namespace
}  // namespace lamina::catalog::test
