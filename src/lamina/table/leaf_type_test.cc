#include "lamina/table/leaf_type.h"

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <parquet/arrow/schema.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "lamina/table/random_table.h"

namespace lamina::table {
namespace {

std::optional<LakeType> TypeOfFirstLeaf(const std::shared_ptr<arrow::DataType>& type) {
  std::shared_ptr<parquet::SchemaDescriptor> leaves;
  const arrow::Schema schema({arrow::field("x", type)});
  EXPECT_TRUE(
      parquet::arrow::ToParquetSchema(&schema, *parquet::default_writer_properties(), &leaves)
          .ok());
  return LeafLakeType(*leaves->Column(0));
}

TEST(LeafType, KnowsWhatWeWrite) {
  for (const LakeType type : kAllLakeTypes) {
    EXPECT_EQ(TypeOfFirstLeaf(ArrowType(type)), type) << LakeTypeName(type);
  }
}

TEST(LeafType, KnowsNothingElse) {
  const auto number = arrow::field("n", arrow::int32());
  for (const auto& type :
       {arrow::int8(), arrow::uint32(), arrow::uint64(), arrow::float32(), arrow::decimal128(9, 2),
        arrow::timestamp(arrow::TimeUnit::NANO), arrow::timestamp(arrow::TimeUnit::MILLI),
        arrow::time64(arrow::TimeUnit::MICRO), arrow::fixed_size_binary(16),
        arrow::struct_({number}), arrow::list(arrow::int64()), arrow::list(arrow::date32()),
        arrow::list(arrow::list(arrow::int32())), arrow::list(arrow::struct_({number})),
        arrow::map(arrow::int32(), arrow::int32())}) {
    EXPECT_EQ(TypeOfFirstLeaf(type), std::nullopt) << type->ToString();
  }
}

}  // namespace
}  // namespace lamina::table
