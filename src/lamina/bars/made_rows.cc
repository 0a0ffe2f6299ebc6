#include <utility>

#include "lamina/bars/made_rows_internal.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"

namespace lamina::bars::internal {
namespace {

Result<std::shared_ptr<arrow::Array>> Text(const std::string& value, std::int64_t rows) {
  const auto scalar = arrow::MakeScalar(value);
  LAMINA_ARROW_ASSIGN(auto column, arrow::MakeArrayFromScalar(*scalar, rows), "naming bars");
  return column;
}

}  // namespace

Result<std::vector<std::int64_t>> StampsOf(const arrow::Table& bars) {
  std::vector<std::int64_t> stamps;
  LAMINA_ASSIGN(const auto column, table::ColumnNamed(bars, "timestamp"));
  for (const auto& chunk : column->chunks()) {
    const auto& values = static_cast<const arrow::TimestampArray&>(*chunk);
    stamps.insert(stamps.end(), values.raw_values(), values.raw_values() + values.length());
  }
  return stamps;
}

Result<ArrowTable> AsRows(const arrow::Table& bars, const std::string& instrument,
                          const std::string& timeframe, const std::vector<bool>& complete,
                          bool quotes) {
  const std::int64_t rows = bars.num_rows();
  arrow::FieldVector fields;
  arrow::ChunkedArrayVector columns;
  const auto add = [&](const std::string& name, std::shared_ptr<arrow::ChunkedArray> column) {
    fields.push_back(arrow::field(name, column->type()));
    columns.push_back(std::move(column));
  };
  LAMINA_ASSIGN(auto symbols, Text(instrument, rows));
  LAMINA_ASSIGN(auto timeframes, Text(timeframe, rows));
  add("instrument", std::make_shared<arrow::ChunkedArray>(std::move(symbols)));
  add("timeframe", std::make_shared<arrow::ChunkedArray>(std::move(timeframes)));
  std::vector<std::string> names = {"timestamp", "open",   "high", "low",
                                    "close",     "volume", "vwap", "n_ticks"};
  if (quotes) names.insert(names.end(), {"bid_close", "ask_close", "spread_mean"});
  for (const std::string& name : names) {
    auto column = bars.GetColumnByName(name);
    if (column == nullptr) {
      LAMINA_ARROW_ASSIGN(auto nothing, arrow::MakeArrayOfNull(arrow::float64(), rows), name);
      column = std::make_shared<arrow::ChunkedArray>(std::move(nothing));
    }
    add(name, std::move(column));
  }
  arrow::BooleanBuilder builder;
  LAMINA_ARROW(builder.AppendValues(complete), "complete");
  LAMINA_ARROW_ASSIGN(auto flags, builder.Finish(), "complete");
  add("complete", std::make_shared<arrow::ChunkedArray>(std::move(flags)));
  return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns), rows);
}

Result<ArrowTable> KnownColumns(const ArrowTable& rows, const dataset::Definition& definition) {
  std::vector<int> known;
  for (int i = 0; i < rows->num_columns(); ++i) {
    if (definition.Find(rows->field(i)->name()) != nullptr) known.push_back(i);
  }
  LAMINA_ARROW_ASSIGN(ArrowTable kept, rows->SelectColumns(known), "saving bars");
  return kept;
}

}  // namespace lamina::bars::internal
