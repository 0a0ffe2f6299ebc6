#include "row_set.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <arrow/api.h>

#include "lamina/base/time.h"
#include "lamina/table/arrow_status.h"

namespace lamina::python {
namespace {

using backtests::Cell;
using backtests::ColumnType;

std::string CellText(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* truth = std::get_if<bool>(&cell)) return *truth ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return std::to_string(*integer);
  const auto scalar = arrow::DoubleScalar(std::get<double>(cell));
  return scalar.ToString();
}

/// The Arrow type that holds every cell of one column.
std::shared_ptr<arrow::DataType> TypeOf(const backtests::RowSet& rows, std::size_t column) {
  switch (rows.types[column]) {
    case ColumnType::kInteger:
      return arrow::int64();
    case ColumnType::kReal:
      return arrow::float64();
    case ColumnType::kTime:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case ColumnType::kDigest:
      return arrow::utf8();
    case ColumnType::kText:
      break;
  }
  bool integers = false, reals = false, truths = false, texts = false;
  for (const auto& row : rows.rows) {
    integers = integers || std::holds_alternative<std::int64_t>(row[column]);
    reals = reals || std::holds_alternative<double>(row[column]);
    truths = truths || std::holds_alternative<bool>(row[column]);
    texts = texts || std::holds_alternative<std::string>(row[column]);
  }
  if (texts || (truths && (integers || reals))) return arrow::utf8();
  if (truths) return arrow::boolean();
  if (reals) return arrow::float64();
  return integers ? arrow::int64() : arrow::utf8();
}

double Number(const Cell& cell) {
  const auto* integer = std::get_if<std::int64_t>(&cell);
  return integer != nullptr ? static_cast<double>(*integer) : std::get<double>(cell);
}

Status AppendCell(arrow::ArrayBuilder& builder, const Cell& cell) {
  constexpr std::string_view kWhat = "building a list";
  if (std::holds_alternative<std::monostate>(cell)) {
    LAMINA_ARROW(builder.AppendNull(), kWhat);
    return Ok();
  }
  switch (builder.type()->id()) {
    case arrow::Type::INT64:
      LAMINA_ARROW(static_cast<arrow::Int64Builder&>(builder).Append(std::get<std::int64_t>(cell)),
                   kWhat);
      return Ok();
    case arrow::Type::DOUBLE:
      LAMINA_ARROW(static_cast<arrow::DoubleBuilder&>(builder).Append(Number(cell)), kWhat);
      return Ok();
    case arrow::Type::BOOL:
      LAMINA_ARROW(static_cast<arrow::BooleanBuilder&>(builder).Append(std::get<bool>(cell)),
                   kWhat);
      return Ok();
    case arrow::Type::TIMESTAMP: {
      LAMINA_ASSIGN(const Micros instant, ParseTime(std::get<std::string>(cell)));
      LAMINA_ARROW(static_cast<arrow::TimestampBuilder&>(builder).Append(instant.value), kWhat);
      return Ok();
    }
    default:
      LAMINA_ARROW(static_cast<arrow::StringBuilder&>(builder).Append(CellText(cell)), kWhat);
      return Ok();
  }
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> RowSetToArrow(const backtests::RowSet& rows) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (std::size_t column = 0; column < rows.columns.size(); ++column) {
    fields.push_back(arrow::field(rows.columns[column], TypeOf(rows, column)));
    LAMINA_ARROW_ASSIGN(auto builder, arrow::MakeBuilder(fields.back()->type()), "building a list");
    for (const auto& row : rows.rows) LAMINA_TRY(AppendCell(*builder, row[column]));
    LAMINA_ARROW_ASSIGN(arrays.emplace_back(), builder->Finish(), "building a list");
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(arrays),
                            static_cast<std::int64_t>(rows.rows.size()));
}

}  // namespace lamina::python
