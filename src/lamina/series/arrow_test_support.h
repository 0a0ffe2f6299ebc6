#pragma once

/// \file lamina/series/arrow_test_support.h
/// Short ways to Arrow columns and tables. For tests only.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace lamina::series {

using Column = std::shared_ptr<arrow::Array>;
using TablePtr = std::shared_ptr<arrow::Table>;

/// Of values; `nulls` are the rows that are NULL.
template <class ArrowType, class Value>
Column MakeColumn(
    const std::vector<Value>& values, const std::vector<std::size_t>& nulls = {},
    const std::shared_ptr<arrow::DataType>& type = arrow::TypeTraits<ArrowType>::type_singleton()) {
  typename arrow::TypeTraits<ArrowType>::BuilderType builder(type, arrow::default_memory_pool());
  for (std::size_t i = 0; i < values.size(); ++i) {
    bool null = false;
    for (const std::size_t row : nulls) null = null || row == i;
    EXPECT_TRUE((null ? builder.AppendNull() : builder.Append(values[i])).ok());
  }
  return *builder.Finish();
}
inline Column Ints(const std::vector<std::int64_t>& values,
                   const std::vector<std::size_t>& nulls = {}) {
  return MakeColumn<arrow::Int64Type>(values, nulls);
}
inline Column Doubles(const std::vector<double>& values,
                      const std::vector<std::size_t>& nulls = {}) {
  return MakeColumn<arrow::DoubleType>(values, nulls);
}
inline Column Texts(const std::vector<std::string>& values,
                    const std::vector<std::size_t>& nulls = {}) {
  return MakeColumn<arrow::StringType>(values, nulls);
}
inline Column Times(const std::vector<std::int64_t>& values, arrow::TimeUnit::type unit,
                    const std::string& zone = "") {
  arrow::TimestampBuilder builder(arrow::timestamp(unit, zone), arrow::default_memory_pool());
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return *builder.Finish();
}

inline TablePtr MakeTable(const std::vector<std::pair<std::string, Column>>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, column] : columns) {
    fields.push_back(arrow::field(name, column->type()));
    arrays.push_back(column);
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

/// A column as text, chunk borders gone: "1 null 3".
inline std::string Show(const arrow::Array& column) {
  std::string text;
  for (std::int64_t row = 0; row < column.length(); ++row) {
    auto scalar = *column.GetScalar(row);
    if (const auto* coded = dynamic_cast<const arrow::DictionaryScalar*>(scalar.get())) {
      if (coded->is_valid) scalar = *coded->GetEncodedValue();
    }
    text += (row > 0 ? " " : "") + (scalar->is_valid ? scalar->ToString() : "null");
  }
  return text;
}
inline std::string Show(const TablePtr& table, const std::string& name) {
  const auto column = table->GetColumnByName(name);
  if (column == nullptr) return "no such column";
  return Show(**arrow::Concatenate(column->chunks()));
}

}  // namespace lamina::series
