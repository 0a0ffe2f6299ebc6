#include "lamina/series/key_index.h"

#include "lamina/base/matchers.h"
#include "lamina/series/arrow_test_support.h"

namespace lamina::series {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Column Dictionary(const std::vector<std::string>& values) {
  arrow::DictionaryBuilder<arrow::StringType> builder;
  for (const std::string& value : values) EXPECT_TRUE(builder.Append(value).ok());
  return *builder.Finish();
}

TEST(KeyIndexTest, NumbersTuplesInTheOrderOfTheirFirstRows) {
  KeyIndex index;
  EXPECT_THAT(*index.Number({Texts({"b", "a", "b", "b"}), Ints({1, 1, 1, 2})}),
              ElementsAre(0, 1, 0, 2));
  EXPECT_THAT(*index.Number({Texts({"a", "c"}), Ints({1, 1}, {1})}), ElementsAre(1, 3));
  EXPECT_EQ(index.size(), 4u);
  const std::vector<std::uint32_t> numbers{3, 0, 0};
  const auto columns = *index.Columns(numbers);
  EXPECT_EQ(Show(*columns[0]), "c b b");
  EXPECT_EQ(Show(*columns[1]), "null 1 1");
  EXPECT_EQ(index.Text(2), "b, 2");
}

TEST(KeyIndexTest, TextIsTextHoweverItIsStored) {
  KeyIndex index;
  EXPECT_THAT(*index.Number({Texts({"a", "b"})}), ElementsAre(0, 1));
  EXPECT_THAT(*index.Number({Dictionary({"b", "a"})}), ElementsAre(1, 0));
  EXPECT_THAT(*index.Number({MakeColumn<arrow::LargeStringType>(std::vector<std::string>{"b"})}),
              ElementsAre(1));
  EXPECT_THAT(*index.Number({MakeColumn<arrow::StringViewType>(std::vector<std::string>{"a"})}),
              ElementsAre(0));
}

TEST(KeyIndexTest, EqualValuesAreOneKeyWhateverTheirWidth) {
  KeyIndex index;
  EXPECT_THAT(*index.Number({Ints({7, -1})}), ElementsAre(0, 1));
  EXPECT_THAT(*index.Number({MakeColumn<arrow::Int32Type>(std::vector<std::int32_t>{-1, 7})}),
              ElementsAre(1, 0));
  EXPECT_THAT(*index.Number({MakeColumn<arrow::UInt64Type>(
                  std::vector<std::uint64_t>{7, std::uint64_t{0} - 1})}),
              ElementsAre(0, 2));
  KeyIndex times;
  EXPECT_THAT(*times.Number({Times({5}, arrow::TimeUnit::SECOND, "UTC")}), ElementsAre(0));
  EXPECT_THAT(*times.Number({Times({5, 5000}, arrow::TimeUnit::MILLI, "")}), ElementsAre(1, 0));
}

TEST(KeyIndexTest, RefusesKindsThatAreNeverEqual) {
  KeyIndex index;
  EXPECT_THAT(index.Number({Ints({7})}), IsOk());
  EXPECT_THAT(index.Number({std::make_shared<arrow::NullArray>(2)}), IsOk());
  EXPECT_THAT(index.Number({Texts({"7"})}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("int64 on one side and string")));
}

TEST(KeyIndexTest, RefusesKeysThatAreNotExact) {
  KeyIndex index;
  EXPECT_THAT(index.Number({Doubles({1})}), IsError(ErrorCode::kUnsupported, HasSubstr("double")));
}

TEST(GatherRowsTest, EveryKindOfColumn) {
  const std::vector<std::int64_t> rows{2, -1, 0, 1, 2};
  EXPECT_EQ(Show(**GatherRows(Ints({5, 6, 7}), rows)), "7 null 5 6 7");
  EXPECT_EQ(Show(**GatherRows(Ints({5, 6, 7}, {1}), rows)), "7 null 5 null 7");
  EXPECT_EQ(Show(**GatherRows(Ints({0, 5, 6, 7})->Slice(1), rows)), "7 null 5 6 7");
  EXPECT_EQ(Show(**GatherRows(Texts({"a", "b", "c"}), rows)), "c null a b c");
  EXPECT_EQ(Show(**GatherRows(Dictionary({"a", "b", "a"}), rows)), "a null a b a");
  EXPECT_EQ(Show(**GatherRows(MakeColumn<arrow::BooleanType>(std::vector<bool>{true, false, true}),
                              rows)),
            "true null true false true");
  EXPECT_EQ((*GatherRows(Texts({"a"}), {}))->length(), 0);
  EXPECT_EQ((*GatherRows(std::make_shared<arrow::NullArray>(3), rows))->length(), 5);
  const auto times = *GatherRows(Times({1, 2, 3}, arrow::TimeUnit::SECOND, "UTC"), rows);
  EXPECT_EQ(times->type()->ToString(), "timestamp[s, tz=UTC]");
}

}  // namespace
}  // namespace lamina::series
