#include "lamina/dataset/rows.h"

#include <algorithm>
#include <utility>

#include <arrow/api.h>

#include "lamina/base/near_names.h"
#include "lamina/dataset/convert_column.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"

namespace lamina::dataset {
namespace {

using table::LakeType;
using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr std::int64_t kDayMicros = 86'400'000'000;

Result<ArrayPtr> Fill(const Constant& constant, LakeType type, std::int64_t rows) {
  std::shared_ptr<arrow::Scalar> scalar;
  if (const auto* text = std::get_if<std::string>(&constant.value)) {
    scalar = arrow::MakeScalar(*text);
  } else if (const auto* flag = std::get_if<bool>(&constant.value)) {
    scalar = arrow::MakeScalar(*flag);
  } else {
    scalar = arrow::MakeScalar(std::get<std::int64_t>(constant.value));
  }
  if (!scalar->type->Equals(*table::ArrowType(type))) {
    return InvalidArgument("column '" + constant.column + "' is " +
                           std::string(table::LakeTypeName(type)) + ", not " +
                           scalar->type->ToString());
  }
  LAMINA_ARROW_ASSIGN(ArrayPtr array, arrow::MakeArrayFromScalar(*scalar, rows), "filling");
  return array;
}

class Preparation {
 public:
  Preparation(const Definition& definition, const arrow::Table& input,
              const PrepareOptions& options)
      : definition_(definition), input_(input), options_(options) {}

  Result<PreparedRows> Run() {
    LAMINA_TRY(CheckNames());
    arrow::ArrayVector columns;
    for (const Column& column : definition_.columns) {
      LAMINA_ASSIGN(ArrayPtr array, Take(column));
      if (column.name == definition_.time_column) times_ = array;
      columns.push_back(std::move(array));
    }
    LAMINA_TRY(AddTimeParts(columns));
    arrow::FieldVector fields;
    for (const catalog::LakeColumn& column : LakeColumns(definition_)) {
      fields.push_back(arrow::field(column.name, table::ArrowType(column.type), column.nullable));
    }
    auto rows = arrow::Table::Make(arrow::schema(std::move(fields)), columns, input_.num_rows());
    LAMINA_ASSIGN(auto sorted, table::SortRows(rows, definition_.keys));
    made_.sorted = sorted == rows;
    LAMINA_ASSIGN(made_.rows, table::Combine(*sorted));
    return std::move(made_);
  }

 private:
  const Constant* ConstantOf(const std::string& column) const {
    for (const Constant& constant : options_.constants) {
      if (constant.column == column) return &constant;
    }
    return nullptr;
  }

  Status CheckNames() const {
    const std::vector<std::string> parts = TimeParts(definition_.partition);
    std::vector<std::string> known = parts;
    for (const Column& column : definition_.columns) known.push_back(column.name);
    std::vector<std::string> seen;
    for (const auto& field : input_.schema()->fields()) {
      const std::string& name = field->name();
      if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
        return InvalidArgument("the rows have two columns '" + name + "'");
      }
      seen.push_back(name);
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      return InvalidArgument("dataset '" + definition_.name + "' has no column '" + name + "'" +
                             DidYouMean(name, known) +
                             "; leave it out, or add it to the dataset first");
    }
    std::string missing;
    for (const Column& column : definition_.columns) {
      if (!column.required || ConstantOf(column.name) != nullptr) continue;
      if (std::find(seen.begin(), seen.end(), column.name) != seen.end()) continue;
      missing += (missing.empty() ? "'" : ", '") + column.name + "'";
    }
    if (missing.empty()) return Ok();
    std::string have;
    for (const std::string& name : seen) have += (have.empty() ? "" : ", ") + name;
    return InvalidArgument("the rows lack " + missing + ", which dataset '" + definition_.name +
                           "' needs; they have " + (have.empty() ? "no columns" : have));
  }

  Result<ArrayPtr> Take(const Column& column) {
    const Constant* constant = ConstantOf(column.name);
    ArrayPtr filled;
    if (constant != nullptr) {
      LAMINA_ASSIGN(filled, Fill(*constant, column.type, input_.num_rows()));
    }
    const auto given = input_.GetColumnByName(column.name);
    if (given == nullptr) {
      if (filled != nullptr) return filled;
      LAMINA_ARROW_ASSIGN(ArrayPtr nulls,
                          arrow::MakeArrayOfNull(table::ArrowType(column.type), input_.num_rows()),
                          "filling");
      return nulls;
    }
    LAMINA_ASSIGN(ArrayPtr array,
                  ConvertColumn(*given, column.name, column.type, options_.assume_utc));
    made_.nulls += array->null_count();
    made_.nans += CountNans(*array);
    if (column.required && array->null_count() > 0) {
      std::int64_t row = 0;
      while (array->IsValid(row)) ++row;
      return InvalidArgument("column '" + column.name + "', row " + std::to_string(row) +
                             ": there is no value, and dataset '" + definition_.name +
                             "' needs one");
    }
    if (filled == nullptr) return array;
    for (std::int64_t row = 0; row < array->length(); ++row) {
      if (array->RangeEquals(*filled, row, row + 1, row)) continue;
      return InvalidArgument("column '" + column.name + "', row " + std::to_string(row) +
                             " holds another value than the one that was named for all rows");
    }
    return array;
  }

  /// Columns made from the time; those that were given must agree.
  Status AddTimeParts(arrow::ArrayVector& columns) {
    const auto& times = static_cast<const arrow::TimestampArray&>(*times_);
    arrow::Int32Builder years, months;
    arrow::Date32Builder dates;
    std::int64_t day = 0;
    CivilDate civil;
    std::int64_t first = 0, last = 0;
    for (std::int64_t row = 0; row < times.length(); ++row) {
      const std::int64_t at = times.Value(row);
      first = row == 0 ? at : std::min(first, at);
      last = row == 0 ? at : std::max(last, at);
      const std::int64_t today = (at >= 0 ? at : at - kDayMicros + 1) / kDayMicros;
      if (row == 0 || today != day) {
        day = today;
        civil = CivilFromDays(day);
      }
      LAMINA_ARROW(years.Append(civil.year), "dating");
      LAMINA_ARROW(months.Append(static_cast<std::int32_t>(civil.month)), "dating");
      LAMINA_ARROW(dates.Append(static_cast<std::int32_t>(day)), "dating");
    }
    made_.first = Micros{first};
    made_.last = Micros{last};
    for (const std::string& part : TimeParts(definition_.partition)) {
      arrow::ArrayBuilder& builder =
          part == "year" ? static_cast<arrow::ArrayBuilder&>(years)
                         : (part == "month" ? static_cast<arrow::ArrayBuilder&>(months) : dates);
      LAMINA_ARROW_ASSIGN(ArrayPtr array, builder.Finish(), "dating");
      LAMINA_TRY(CheckAgrees(part, *array));
      columns.push_back(std::move(array));
    }
    return Ok();
  }

  Status CheckAgrees(const std::string& part, const arrow::Array& made) const {
    const auto given = input_.GetColumnByName(part);
    if (given == nullptr) return Ok();
    LAMINA_ASSIGN(const LakeType type, table::LakeTypeOf(*made.type()));
    LAMINA_ASSIGN(const ArrayPtr array, ConvertColumn(*given, part, type, false));
    for (std::int64_t row = 0; row < array->length(); ++row) {
      if (array->RangeEquals(made, row, row + 1, row)) continue;
      return InvalidArgument("column '" + part + "', row " + std::to_string(row) +
                             " does not agree with column '" + definition_.time_column + "'");
    }
    return Ok();
  }

  const Definition& definition_;
  const arrow::Table& input_;
  const PrepareOptions& options_;
  PreparedRows made_;
  ArrayPtr times_;
};

}  // namespace

Result<PreparedRows> PrepareRows(const Definition& definition, const arrow::Table& input,
                                 const PrepareOptions& options) {
  for (const Constant& constant : options.constants) {
    if (definition.Find(constant.column) == nullptr) {
      return InvalidArgument("dataset '" + definition.name + "' has no column '" + constant.column +
                             "'");
    }
  }
  return Preparation(definition, input, options).Run();
}

Result<std::vector<Column>> InferColumns(const arrow::Table& input,
                                         const std::string& time_column) {
  std::vector<Column> columns;
  for (const auto& field : input.schema()->fields()) {
    const std::string& name = field->name();
    if (name == time_column || name == "year" || name == "month" || name == "date") continue;
    LAMINA_ASSIGN(const LakeType type, InferType(*field->type(), name));
    columns.push_back({name, type});
  }
  return columns;
}

}  // namespace lamina::dataset
