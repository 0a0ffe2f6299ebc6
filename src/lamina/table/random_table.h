#pragma once

/// \file lamina/table/random_table.h
/// Tables of every LakeType for tests: random, with NULLs and odd values, the same for the same
/// seed. For tests only; aborts when Arrow fails.

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>

#include "lamina/base/check.h"
#include "lamina/table/lake_type.h"

namespace lamina::table {

inline constexpr std::array<LakeType, 11> kAllLakeTypes = {
    LakeType::kBoolean,     LakeType::kInt32, LakeType::kInt64,    LakeType::kDouble,
    LakeType::kVarchar,     LakeType::kBlob,  LakeType::kDate,     LakeType::kTimestamp,
    LakeType::kTimestampTz, LakeType::kUuid,  LakeType::kInt32List};

/// How the values of a random column look.
enum class Shape : std::uint8_t { kConstant, kFew, kRising, kNoise, kAllNull };
inline constexpr std::array<Shape, 5> kAllShapes = {Shape::kConstant, Shape::kFew, Shape::kRising,
                                                    Shape::kNoise, Shape::kAllNull};

class RandomTable {
 public:
  explicit RandomTable(std::uint64_t seed) : random_(seed) {}

  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }

  std::shared_ptr<arrow::Array> Column(LakeType type, Shape shape, std::int64_t rows,
                                       double null_share) {
    std::unique_ptr<arrow::ArrayBuilder> builder;
    const auto storage = type == LakeType::kUuid ? arrow::fixed_size_binary(16) : ArrowType(type);
    Must(arrow::MakeBuilder(arrow::default_memory_pool(), storage, &builder));
    for (std::int64_t row = 0; row < rows; ++row) {
      const bool null =
          shape == Shape::kAllNull || static_cast<double>(Below(1000)) < null_share * 1000;
      if (null) {
        Must(builder->AppendNull());
      } else {
        AppendValue(*builder, type, Number(shape, row));
      }
    }
    std::shared_ptr<arrow::Array> array;
    Must(builder->Finish(&array));
    if (type == LakeType::kUuid) {
      return arrow::ExtensionType::WrapArray(arrow::extension::uuid(), array);
    }
    return array;
  }

  /// One column of every type; `split` gives columns of several chunks.
  std::shared_ptr<arrow::Table> All(Shape shape, std::int64_t rows, double null_share,
                                    bool split = false) {
    arrow::FieldVector fields;
    arrow::ChunkedArrayVector columns;
    std::int32_t id = 1;
    for (const LakeType type : kAllLakeTypes) {
      fields.push_back(MakeField("c_" + std::string(LakeTypeName(type)), type, id));
      id += type == LakeType::kInt32List ? 2 : 1;
      arrow::ArrayVector chunks;
      const auto first = split && rows > 1
                             ? static_cast<std::int64_t>(Below(static_cast<std::uint64_t>(rows)))
                             : rows;
      chunks.push_back(Column(type, shape, first, null_share));
      if (first < rows) chunks.push_back(Column(type, shape, rows - first, null_share));
      columns.push_back(std::make_shared<arrow::ChunkedArray>(chunks, fields.back()->type()));
    }
    return arrow::Table::Make(arrow::schema(fields), columns, rows);
  }

 private:
  static void Must(const arrow::Status& status) { LAMINA_CHECK(status.ok()); }

  std::int64_t Number(Shape shape, std::int64_t row) {
    switch (shape) {
      case Shape::kConstant:
        return 7;
      case Shape::kFew:
        return static_cast<std::int64_t>(Below(5));
      case Shape::kRising:
        return row * 10 + static_cast<std::int64_t>(Below(3));
      default:
        return static_cast<std::int64_t>(random_());
    }
  }

  void AppendValue(arrow::ArrayBuilder& builder, LakeType type, std::int64_t number) {
    // Years 1..9999, as DuckDB and Python can show them.
    const std::int64_t day = number % 1'000'000;
    const std::int64_t micros = number % 100'000'000'000'000'000;
    switch (type) {
      case LakeType::kBoolean:
        return Must(static_cast<arrow::BooleanBuilder&>(builder).Append(number % 2 == 0));
      case LakeType::kInt32:
        return Must(
            static_cast<arrow::Int32Builder&>(builder).Append(static_cast<std::int32_t>(number)));
      case LakeType::kInt64:
        return Must(static_cast<arrow::Int64Builder&>(builder).Append(number));
      case LakeType::kDouble:
        return Must(
            static_cast<arrow::DoubleBuilder&>(builder).Append(static_cast<double>(number) / 8));
      case LakeType::kVarchar:
        return Must(static_cast<arrow::StringBuilder&>(builder).Append("t\xC3\xA9xt " +
                                                                       std::to_string(number)));
      case LakeType::kBlob: {
        std::string bytes = std::to_string(number);
        bytes[0] = static_cast<char>(number & 0xFF);
        return Must(static_cast<arrow::BinaryBuilder&>(builder).Append(bytes));
      }
      case LakeType::kDate:
        return Must(static_cast<arrow::Date32Builder&>(builder).Append(
            static_cast<std::int32_t>(day % 700'000)));
      case LakeType::kTimestamp:
      case LakeType::kTimestampTz:
        return Must(
            static_cast<arrow::TimestampBuilder&>(builder).Append(micros % 60'000'000'000'000'000));
      case LakeType::kUuid: {
        std::string bytes(16, '\0');
        for (int i = 0; i < 8; ++i)
          bytes[static_cast<std::size_t>(i)] = static_cast<char>(number >> (56 - 8 * i));
        return Must(static_cast<arrow::FixedSizeBinaryBuilder&>(builder).Append(bytes));
      }
      case LakeType::kInt32List: {
        auto& list = static_cast<arrow::ListBuilder&>(builder);
        auto& elements = static_cast<arrow::Int32Builder&>(*list.value_builder());
        Must(list.Append());
        const auto length = static_cast<std::uint64_t>(number) % 4;
        for (std::uint64_t i = 0; i < length; ++i) {
          Must(Below(8) == 0 ? elements.AppendNull()
                             : elements.Append(static_cast<std::int32_t>(
                                   number + static_cast<std::int64_t>(i))));
        }
        return;
      }
    }
  }

  std::mt19937_64 random_;
};

}  // namespace lamina::table
