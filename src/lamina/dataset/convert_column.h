#pragma once

/// \file lamina/dataset/convert_column.h
/// One column of a user's table as the type its dataset has, each value kept exactly or refused.
/// Pure functions; thread-safe.

#include <cstdint>
#include <memory>
#include <string>

#include "lamina/base/result.h"
#include "lamina/table/lake_type.h"

namespace arrow {
class Array;
class ChunkedArray;
class DataType;
}  // namespace arrow

namespace lamina::dataset {

/// RETURNS kInvalidArgument naming `name` and the row whose value would not be kept, or the type
/// that cannot be taken. `assume_utc`: times without a zone are UTC.
Result<std::shared_ptr<arrow::Array>> ConvertColumn(const arrow::ChunkedArray& column,
                                                    const std::string& name, table::LakeType type,
                                                    bool assume_utc);

/// What a column of `type` becomes in a table made for it; absent: cannot be taken.
Result<table::LakeType> InferType(const arrow::DataType& type, const std::string& name);

/// How many are NaN; 0 for other types than DOUBLE.
std::int64_t CountNans(const arrow::Array& column);

}  // namespace lamina::dataset
