#include <gtest/gtest.h>

#include "lamina/dataset/dataset_test_support.h"
#include "lamina/dataset/stored_rows_internal.h"

namespace lamina::dataset::internal {
namespace {

TEST(StoredRows, AreFoundWithTheirPlaces) {
  test::TestStore store;
  ASSERT_THAT(store.datasets().Save("ohlcv", *test::Bars({0, 1, 2, 3}), test::Of("EUR_USD")),
              IsOk());
  ASSERT_THAT(store.datasets().Delete("ohlcv", {test::At(1), test::At(2)}), IsOk());
  const auto dataset = store.datasets().Find("ohlcv");
  ASSERT_THAT(dataset, IsOk());
  std::vector<catalog::LakeFile> files;
  ASSERT_THAT(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(files, catalog::LakeReader(database).Plan(dataset->table, dataset->snapshot));
    return Ok();
  }),
              IsOk());
  const auto ranges = MakeRanges(dataset->definition, {test::At(1), test::At(9)}, {});
  const auto stored = ReadStored(store.catalog(), *dataset, files, *ranges);
  ASSERT_THAT(stored, IsOk());
  ASSERT_EQ(stored->size(), 1U);
  EXPECT_THAT((*stored)[0].positions, testing::ElementsAre(2, 3));
  EXPECT_EQ((*stored)[0].rows->num_rows(), 2);
  // Row 3 again as it is, row 4 new.
  const auto prepared =
      PrepareRows(dataset->definition, *test::Bars({3, 4}), test::Of("EUR_USD").prepare);
  ASSERT_THAT(prepared, IsOk());
  const auto made = Resolve(dataset->definition, WriteMode::kMerge, *stored, prepared->rows);
  ASSERT_THAT(made, IsOk());
  EXPECT_THAT(made->write, testing::ElementsAre(1));
  EXPECT_THAT(made->remove[0], testing::IsEmpty());
  EXPECT_EQ(made->report.unchanged, 1);
}

}  // namespace
}  // namespace lamina::dataset::internal
