#include "lamina/table/lake_type.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/table/random_table.h"

namespace lamina::table {
namespace {

TEST(LakeType, EveryTypeHasOneNameAndOneArrowType) {
  for (const LakeType type : kAllLakeTypes) {
    auto by_name = LakeTypeFromName(LakeTypeName(type));
    ASSERT_THAT(by_name, IsOk());
    EXPECT_EQ(*by_name, type);
    auto by_arrow = LakeTypeOf(*ArrowType(type));
    ASSERT_THAT(by_arrow, IsOk());
    EXPECT_EQ(*by_arrow, type);
    const auto field = MakeField("x", type, 12);
    EXPECT_EQ(*LakeTypeOf(*field->type()), type);
    EXPECT_EQ(*FieldId(*field), 12);
  }
}

TEST(LakeType, RefusesOtherTypes) {
  for (const auto& type :
       {arrow::float32(), arrow::int16(), arrow::uint64(), arrow::large_utf8(),
        arrow::fixed_size_binary(16), arrow::timestamp(arrow::TimeUnit::NANO),
        arrow::timestamp(arrow::TimeUnit::MICRO, "Europe/Paris"), arrow::list(arrow::int64())}) {
    EXPECT_THAT(LakeTypeOf(*type), IsError(ErrorCode::kUnsupported)) << type->ToString();
  }
  EXPECT_THAT(LakeTypeFromName("decimal(18,4)"), IsError(ErrorCode::kUnsupported));
}

TEST(LakeType, FieldIds) {
  const auto list = MakeField("l", LakeType::kInt32List, 5);
  EXPECT_EQ(*FieldId(*static_cast<const arrow::ListType&>(*list->type()).value_field()), 6);
  EXPECT_THAT(FieldId(*arrow::field("x", arrow::int32())), IsError(ErrorCode::kInvalidArgument));
  for (const char* text : {"", "x", "1x", "-1", "99999999999"}) {
    const auto field = arrow::field("x", arrow::int32(), true,
                                    arrow::key_value_metadata({"PARQUET:field_id"}, {text}));
    EXPECT_THAT(FieldId(*field), IsError(ErrorCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace lamina::table
