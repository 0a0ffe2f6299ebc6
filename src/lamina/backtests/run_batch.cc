#include "lamina/backtests/run_batch.h"

#include <algorithm>
#include <cstring>

#include <arrow/api.h>
#include <arrow/extension_type.h>

#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/row_columns.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/lake_type.h"

namespace lamina::backtests {

namespace {

using TablePtr = std::shared_ptr<arrow::Table>;

std::shared_ptr<arrow::Schema> SchemaOf(const TableDefinition& definition) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (const catalog::LakeColumn& column : definition.columns) {
    fields.push_back(table::MakeField(
        column.name, column.type, static_cast<std::int32_t>(column.column_id), column.nullable));
  }
  return arrow::schema(std::move(fields));
}

/// `counts[i]` times the id of run i.
template <class Items, class Count>
Result<std::shared_ptr<arrow::Array>> RunIds(const Items& runs, const Count& count) {
  std::int64_t total = 0;
  for (const auto& run : runs) total += count(run);
  ColumnBuilder ids(table::LakeType::kUuid, static_cast<std::size_t>(total));
  std::size_t row = 0;
  for (const auto& run : runs) {
    for (std::int64_t i = 0; i < count(run); ++i) ids.SetUuid(row++, run.run_id);
  }
  return ids.Finish();
}

/// The runs' tables one after another, with run_id in front.
template <class Items>
Result<TablePtr> Stack(const TableDefinition& definition, const Items& runs,
                       TablePtr RunRows::* member) {
  const auto schema = SchemaOf(definition);
  LAMINA_ASSIGN(auto ids,
                RunIds(runs, [&](const auto& run) { return (run.rows.*member)->num_rows(); }));
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns = {
      std::make_shared<arrow::ChunkedArray>(ids)};
  for (int i = 1; i < schema->num_fields(); ++i) {
    arrow::ArrayVector chunks;
    for (const auto& run : runs) {
      const auto column = (run.rows.*member)->GetColumnByName(schema->field(i)->name());
      if (column == nullptr) {
        return Internal("rows of " + definition.name + " lack " + schema->field(i)->name());
      }
      for (const auto& chunk : column->chunks()) {
        if (chunk->length() > 0) chunks.push_back(chunk);
      }
    }
    columns.push_back(std::make_shared<arrow::ChunkedArray>(chunks, schema->field(i)->type()));
  }
  return arrow::Table::Make(schema, std::move(columns), ids->length());
}

/// Fills the columns of `runs` in order.
class RunRow {
 public:
  RunRow(std::vector<ColumnBuilder>& columns, std::size_t row) : columns_(columns), row_(row) {}
  void Id(const Uuid& id) { columns_[next_++].SetUuid(row_, id); }
  void Text(ByteView text) { columns_[next_++].SetText(row_, text); }
  void OwnedText(std::string text) { columns_[next_++].SetOwnedText(row_, std::move(text)); }
  /// NULL when empty.
  void TextOrNull(ByteView text) {
    if (!text.empty()) columns_[next_].SetText(row_, text);
    ++next_;
  }
  void Integer(std::int64_t value) { columns_[next_++].SetInt(row_, value); }
  void Time(const std::optional<Micros>& time) {
    if (time) columns_[next_].SetInt(row_, time->value);
    ++next_;
  }
  void Number(const std::optional<double>& value) {
    if (value) columns_[next_].SetDouble(row_, *value);
    ++next_;
  }
  std::size_t filled() const { return next_; }

 private:
  std::vector<ColumnBuilder>& columns_;
  std::size_t row_, next_ = 0;
};

template <class Items>
Result<TablePtr> MakeRuns(const Items& runs) {
  const TableDefinition& definition = RunsTable();
  std::vector<ColumnBuilder> columns;
  columns.reserve(definition.columns.size());
  for (const auto& column : definition.columns) columns.emplace_back(column.type, runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunFacts& facts = runs[i].facts;
    RunRow row(columns, i);
    row.Id(runs[i].run_id);
    row.OwnedText(runs[i].content_hash.Hex());
    row.TextOrNull(facts.algorithm_id);
    row.TextOrNull(facts.tag);
    row.TextOrNull(facts.engine);
    row.TextOrNull(facts.study);
    row.TextOrNull(facts.window_name);
    row.Time(facts.start);
    row.Time(facts.end);
    row.TextOrNull(facts.trading_symbol);
    row.Number(facts.initial_unallocated);
    row.TextOrNull(facts.parameters_json);
    row.Integer(facts.snapshot_count);
    row.Integer(facts.trade_count);
    row.Integer(facts.order_count);
    row.Integer(facts.position_count);
    row.Integer(facts.derived_series_mask);
    row.Time(facts.created_at);
    for (const auto& metric : facts.metrics) row.Number(metric);
    if (row.filled() != columns.size()) return Internal("a run's row has another width");
  }
  arrow::ArrayVector arrays;
  for (const ColumnBuilder& column : columns) {
    LAMINA_ASSIGN(auto array, column.Finish());
    arrays.push_back(std::move(array));
  }
  return arrow::Table::Make(SchemaOf(definition), arrays, static_cast<std::int64_t>(runs.size()));
}

/// Rows [first, second) that hold `run_id`, in a column sorted by it.
Result<std::pair<std::int64_t, std::int64_t>> RowsOf(const arrow::ChunkedArray& ids,
                                                     const Uuid& run_id) {
  const auto bound = [&](bool upper) -> Result<std::int64_t> {
    std::int64_t base = 0;
    for (const auto& chunk : ids.chunks()) {
      const arrow::Array* storage = chunk.get();
      if (chunk->type_id() == arrow::Type::EXTENSION) {
        storage = static_cast<const arrow::ExtensionArray&>(*chunk).storage().get();
      }
      const auto* bytes = dynamic_cast<const arrow::FixedSizeBinaryArray*>(storage);
      if (bytes == nullptr || bytes->byte_width() != 16 || bytes->null_count() != 0) {
        return Corruption("run_id is not a column of ids");
      }
      const auto before = [&](std::int64_t row) {
        const int order = std::memcmp(bytes->GetValue(row), run_id.bytes.data(), 16);
        return upper ? order <= 0 : order < 0;
      };
      std::int64_t low = 0, high = bytes->length();
      while (low < high) {
        const std::int64_t middle = low + (high - low) / 2;
        if (before(middle)) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      if (low < bytes->length()) return base + low;
      base += bytes->length();
    }
    return base;
  };
  LAMINA_ASSIGN(const std::int64_t begin, bound(false));
  LAMINA_ASSIGN(const std::int64_t end, bound(true));
  return std::pair(begin, end);
}

Result<TablePtr> SliceTable(const TablePtr& table, const TableDefinition& definition,
                            const Uuid& run_id) {
  if (table == nullptr) return Corruption("no rows of " + definition.name);
  const int index = table->schema()->GetFieldIndex("run_id");
  if (index < 0) return Corruption("rows of " + definition.name + " lack run_id");
  LAMINA_ASSIGN(const auto range, RowsOf(*table->column(index), run_id));
  const TablePtr slice = table->Slice(range.first, range.second - range.first);
  LAMINA_ARROW_ASSIGN(TablePtr rest, slice->RemoveColumn(index), "dropping run_id");
  return rest;
}

}  // namespace

Status RunBatch::Append(const Uuid& run_id, const DecomposedRun& run) {
  for (const Item& item : runs_) {
    if (item.run_id == run_id) return AlreadyExists("run " + run_id.ToString() + " twice");
  }
  runs_.push_back({run_id, run.facts, run.rows, run.content_hash});
  return Ok();
}

Result<LakeRows> RunBatch::Finish() {
  std::sort(runs_.begin(), runs_.end(),
            [](const Item& a, const Item& b) { return a.run_id < b.run_id; });
  LakeRows rows;
  LAMINA_ASSIGN(rows.runs, MakeRuns(runs_));
  LAMINA_ASSIGN(rows.snapshots, Stack(SnapshotsTable(), runs_, &RunRows::snapshots));
  LAMINA_ASSIGN(rows.trades, Stack(TradesTable(), runs_, &RunRows::trades));
  LAMINA_ASSIGN(rows.orders, Stack(OrdersTable(), runs_, &RunRows::orders));
  LAMINA_ASSIGN(rows.positions, Stack(PositionsTable(), runs_, &RunRows::positions));
  LAMINA_ASSIGN(rows.series, Stack(SeriesTable(), runs_, &RunRows::series));
  runs_.clear();
  return rows;
}

Result<RunRows> SliceRun(const LakeRows& tables, const Uuid& run_id) {
  RunRows rows;
  LAMINA_ASSIGN(rows.snapshots, SliceTable(tables.snapshots, SnapshotsTable(), run_id));
  LAMINA_ASSIGN(rows.trades, SliceTable(tables.trades, TradesTable(), run_id));
  LAMINA_ASSIGN(rows.orders, SliceTable(tables.orders, OrdersTable(), run_id));
  LAMINA_ASSIGN(rows.positions, SliceTable(tables.positions, PositionsTable(), run_id));
  LAMINA_ASSIGN(rows.series, SliceTable(tables.series, SeriesTable(), run_id));
  return rows;
}

}  // namespace lamina::backtests
