#include "lamina/backtests/run_facts.h"

#include <arrow/api.h>

#include "lamina/backtests/json_text.h"
#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/record_codec.h"
#include "lamina/backtests/row_columns.h"
#include "lamina/backtests/run_parts.h"
#include "lamina/base/bytes.h"

namespace lamina::backtests {

namespace {

using bundle::Value;

std::string TextOf(const std::optional<Value>& value) {
  if (!value || !value->is_string() || !IsUtf8(value->AsString())) return {};
  return std::string(value->AsString());
}

std::optional<Micros> TimeOf(const std::optional<Value>& value) {
  if (!value || !value->is_string()) return std::nullopt;
  const Result<Micros> instant = ParseTime(value->AsString());
  return instant.ok() ? std::optional(*instant) : std::nullopt;
}

/// A number, or the number that a pair starts with ([count, percent], [value, month]).
std::optional<double> NumberOf(std::optional<Value> value) {
  if (value && value->is_array() && value->size() == 2) value = *value->items().begin();
  if (!value || !value->is_number()) return std::nullopt;
  return PlainCell(value->AsDouble());
}

std::int64_t CountOf(const std::optional<Value>& array) {
  return array && array->is_array() ? array->size() : 0;
}

/// Feeds typed columns to the hash, without ambiguity: every item has its length in front.
class RunHasher {
 public:
  void Text(ByteView text) {
    Number(static_cast<std::int64_t>(text.size()));
    hash_.Update(text);
  }
  void Number(std::int64_t value) {
    std::string bytes;
    AppendLittleEndian(bytes, value);
    hash_.Update(bytes);
  }
  void Time(const std::optional<Micros>& time) {
    Number(time ? 1 : 0);
    Number(time ? time->value : 0);
  }

  Status Table(std::string_view name, const std::shared_ptr<arrow::Table>& table,
               std::span<const TableView::Wanted> wanted) {
    if (table == nullptr) return Internal("run without rows of " + std::string(name));
    LAMINA_ASSIGN(const TableView view, TableView::Of(*table, wanted));
    Text(name);
    Number(view.rows());
    for (std::size_t i = 0; i < wanted.size(); ++i) Column(wanted[i], view.columns()[i]);
    return Ok();
  }

  Sha256Digest Finish() { return hash_.Finish(); }

 private:
  void Column(const TableView::Wanted& wanted, const ColumnView& cells) {
    std::string valid(static_cast<std::size_t>(cells.rows), '\1');
    bool any = false;
    for (std::int64_t row = 0; row < cells.rows; ++row) {
      if (cells.IsNull(row)) {
        valid[static_cast<std::size_t>(row)] = '\0';
      } else {
        any = true;
      }
    }
    if (!any) return;
    Text(wanted.name);
    Text(valid.find('\0') == std::string::npos ? ByteView() : ByteView(valid));
    std::string bytes;
    for (std::int64_t row = 0; row < cells.rows; ++row) {
      if (valid[static_cast<std::size_t>(row)] != '\0') AppendCell(bytes, cells, row);
    }
    Text(bytes);
  }

  static void AppendCell(std::string& out, const ColumnView& cells, std::int64_t row) {
    switch (cells.type) {
      case table::LakeType::kDouble: {
        const double value = PlainCell(cells.doubles[row]);
        std::int64_t bits;
        std::memcpy(&bits, &value, sizeof(bits));
        AppendLittleEndian(out, bits);
        return;
      }
      case table::LakeType::kTimestampTz:
        AppendLittleEndian(out, cells.integers[row]);
        return;
      case table::LakeType::kInt32:
        AppendLittleEndian(out, cells.small_integers[row]);
        return;
      case table::LakeType::kBoolean:
        out.push_back(cells.Bool(row) ? 1 : 0);
        return;
      case table::LakeType::kUuid:
        out += cells.UuidAt(row).View();
        return;
      case table::LakeType::kVarchar: {
        const ByteView text = cells.Text(row);
        AppendLittleEndian(out, static_cast<std::int64_t>(text.size()));
        out += text;
        return;
      }
      case table::LakeType::kInt32List: {
        const auto list = cells.List(row);
        AppendLittleEndian(out, static_cast<std::int64_t>(list.size()));
        for (const std::int32_t value : list) AppendLittleEndian(out, value);
        return;
      }
      default:
        return;
    }
  }

  Sha256Stream hash_;
};

}  // namespace

RunFacts ReadRunFacts(const bundle::Layout& layout, const bundle::RunPart& part) {
  const Value& run = part.run;
  RunFacts facts;
  facts.algorithm_id = TextOf(layout.algorithm_id);
  facts.tag = TextOf(layout.tag);
  facts.engine = part.engine;
  facts.study = part.study;
  facts.window_name = TextOf(run.Find("backtest_date_range_name"));
  facts.trading_symbol = TextOf(run.Find("trading_symbol"));
  if (layout.parameters && layout.parameters->is_map()) {
    facts.parameters_json = ToJson(*layout.parameters);
  }
  facts.start = TimeOf(run.Find("backtest_start_date"));
  facts.end = TimeOf(run.Find("backtest_end_date"));
  facts.created_at = TimeOf(run.Find("created_at"));
  facts.initial_unallocated = NumberOf(run.Find("initial_unallocated"));
  facts.snapshot_count = CountOf(run.Find("portfolio_snapshots"));
  facts.trade_count = CountOf(run.Find("trades"));
  facts.order_count = CountOf(run.Find("orders"));
  facts.position_count = CountOf(run.Find("positions"));
  const std::optional<Value> metrics = run.Find("backtest_metrics");
  facts.metrics.reserve(RunMetricNames().size());
  for (const std::string& name : RunMetricNames()) {
    facts.metrics.push_back(metrics ? NumberOf(metrics->Find(name)) : std::nullopt);
  }
  return facts;
}

Result<Sha256Digest> HashRun(const RunFacts& facts, const RunRows& rows) {
  RunHasher hasher;
  hasher.Text("lamina run 1");
  hasher.Text(facts.algorithm_id);
  hasher.Time(facts.start);
  hasher.Time(facts.end);
  const std::pair<RecordTable, const std::shared_ptr<arrow::Table>*> tables[] = {
      {RecordTable::kSnapshots, &rows.snapshots},
      {RecordTable::kTrades, &rows.trades},
      {RecordTable::kOrders, &rows.orders},
      {RecordTable::kPositions, &rows.positions}};
  for (const auto& [table, held] : tables) {
    LAMINA_TRY(hasher.Table(RecordTableName(table), *held, WantedColumns(table)));
  }
  LAMINA_TRY(hasher.Table("metric_series", rows.series, WantedSeriesColumns()));
  return hasher.Finish();
}

}  // namespace lamina::backtests
