#include "lamina/backtests/validate_stored.h"

#include "lamina/backtests/index_table.h"
#include "lamina/backtests/store_test_support.h"
#include "lamina/backtests/validated_metrics.h"

namespace lamina::backtests {
namespace {

using test::SmallBundle;
using test::TestStore;
using ::testing::HasSubstr;

/// As a store of catalog version 1 is after its migration.
constexpr const char* kForget =
    "UPDATE backtest_index SET validated_cagr = NULL, validated_max_drawdown = NULL, "
    "validated_disagreements = NULL, validated_number_of_windows = NULL, "
    "validated_definitions = NULL, validated_details_json = NULL";

std::string StoredJson(TestStore& store, std::string_view handle) {
  std::string json;
  EXPECT_THAT(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(const auto rows, ReadIndexRows(database, handle));
    json = ValidatedJson(rows[0].row);
    return Ok();
  }),
              IsOk());
  return json;
}

void Fill(TestStore& store) {
  for (const char* handle : {"a", "b", "c"}) {
    ASSERT_THAT(PutBundle(*store, handle, SmallBundle(handle, {{"w", 5, 1000}, {"v", 3, 500}})),
                IsOk());
  }
}

TEST(ValidateStored, ComputesWhatIsMissing) {
  TestStore store;
  Fill(store);
  const std::string imported = StoredJson(store, "b");
  EXPECT_THAT(imported, HasSubstr("\"number_of_windows\":2"));
  auto report = ValidateStored(*store);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->validated, 0);
  EXPECT_EQ(report->up_to_date, 3);
  store.Falsify(kForget);
  EXPECT_EQ(StoredJson(store, "b"), "null");
  std::int64_t last = 0;
  ValidateOptions options;
  options.progress = [&](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(total, 2);
    last = done;
  };
  options.handles = {"b", "c", "b"};
  report = ValidateStored(*store, options);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->validated, 2);
  EXPECT_EQ(last, 2);
  EXPECT_EQ(StoredJson(store, "b"), imported);
  EXPECT_EQ(StoredJson(store, "a"), "null");
  EXPECT_EQ(ValidateStored(*store)->validated, 1);
  EXPECT_EQ(StoredJson(store, "a"), imported) << "the same runs";
}

TEST(ValidateStored, OtherDefinitionsAreComputedAnewAndSoIsAll) {
  TestStore store;
  Fill(store);
  store.Falsify("UPDATE backtest_index SET validated_definitions = 0 WHERE bundle_path = 'a'");
  EXPECT_EQ(ValidateStored(*store)->validated, 1);
  ValidateOptions options;
  options.again = true;
  const auto report = ValidateStored(*store, options);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->validated, 3);
  EXPECT_EQ(report->up_to_date, 0);
}

TEST(ValidateStored, UnknownHandleAndCancel) {
  TestStore store;
  Fill(store);
  ValidateOptions options;
  options.handles = {"a", "nope"};
  EXPECT_THAT(ValidateStored(*store, options), IsError(ErrorCode::kNotFound, HasSubstr("nope")));
  store.Falsify(kForget);
  CancelToken cancel;
  cancel.Cancel();
  options.handles.clear();
  options.cancel = &cancel;
  EXPECT_THAT(ValidateStored(*store, options),
              IsError(ErrorCode::kCancelled, HasSubstr("run it again")));
  EXPECT_EQ(ValidateStored(*store)->validated, 3);
}

TEST(ValidateStored, TagsNotesAndNamesStay) {
  TestStore store;
  Fill(store);
  ASSERT_THAT(store->Tag("a", {"best"}, {}), IsOk());
  store.Falsify(kForget);
  ASSERT_THAT(ValidateStored(*store), IsOk());
  ASSERT_THAT(store->Rename("a", "z"), IsOk());
  EXPECT_NE(StoredJson(store, "z"), "null");
  EXPECT_EQ(store.Ask("SELECT count(*) FROM backtest_index WHERE bundle_path = 'z' AND "
                      "tags LIKE '%best%' AND end_snapshot IS NULL"),
            1);
}

TEST(ValidateStored, EmptyStore) {
  TestStore store;
  const auto report = ValidateStored(*store);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->validated + report->up_to_date + report->disagreements, 0);
}

}  // namespace
}  // namespace lamina::backtests
