#include "lamina/backtests/run_parts.h"

#include <algorithm>

#include <arrow/api.h>

#include "lamina/backtests/lake_schema.h"

namespace lamina::backtests {

namespace {

Error Misfit(std::string_view what) { return Corruption("backtest rows: " + std::string(what)); }

ColumnView TimesView(const std::vector<std::int64_t>& values) {
  ColumnView view;
  view.type = table::LakeType::kTimestampTz;
  view.rows = static_cast<std::int64_t>(values.size());
  view.integers = values.data();
  return view;
}

ColumnView ValuesView(const std::vector<double>& values) {
  ColumnView view;
  view.type = table::LakeType::kDouble;
  view.rows = static_cast<std::int64_t>(values.size());
  view.doubles = values.data();
  return view;
}

ColumnView Slice(ColumnView view, std::int64_t begin, std::int64_t end) {
  view.rows = end - begin;
  view.validity_offset += begin;
  if (view.integers != nullptr) view.integers += begin;
  if (view.doubles != nullptr) view.doubles += begin;
  return view;
}

std::vector<std::uint8_t> ValidBytes(const ColumnView& view) {
  std::vector<std::uint8_t> valid;
  if (view.validity == nullptr) return valid;
  valid.reserve(static_cast<std::size_t>(view.rows));
  for (std::int64_t i = 0; i < view.rows; ++i) valid.push_back(view.IsNull(i) ? 0 : 1);
  return valid;
}

std::size_t ColumnOf(RecordTable table, std::string_view name) {
  const auto& rules = ColumnRules(table);
  return static_cast<std::size_t>(
      std::find_if(rules.begin(), rules.end(),
                   [&](const ColumnRule& rule) { return rule.column == name; }) -
      rules.begin());
}

}  // namespace

std::span<const TableView::Wanted> WantedSeriesColumns() {
  static constexpr TableView::Wanted kWanted[] = {{"metric", table::LakeType::kVarchar},
                                                  {"seq", table::LakeType::kInt32},
                                                  {"ts", table::LakeType::kTimestampTz},
                                                  {"value", table::LakeType::kDouble}};
  return kWanted;
}

Result<const TableView*> RunParts::View(RecordTable table) {
  auto& view = views_[static_cast<std::size_t>(table)];
  if (!view) {
    const std::shared_ptr<arrow::Table>* rows[] = {&rows_.snapshots, &rows_.trades, &rows_.orders,
                                                   &rows_.positions};
    const auto& held = *rows[static_cast<std::size_t>(table)];
    if (held == nullptr) return Misfit("no rows of " + std::string(RecordTableName(table)));
    LAMINA_ASSIGN(view, TableView::Of(*held, WantedColumns(table)));
  }
  return &*view;
}

Result<const RecordBytes*> RunParts::Records(RecordTable table) {
  const auto index = static_cast<std::size_t>(table);
  if (!records_[index]) {
    if (shapes_[index] == nullptr) {
      return Misfit("the skeleton has no " + std::string(RecordTableName(table)) + " of the run");
    }
    const RecordBytes* orders = nullptr;
    if (table == RecordTable::kTrades && shapes_[static_cast<std::size_t>(RecordTable::kOrders)]) {
      LAMINA_ASSIGN(orders, Records(RecordTable::kOrders));
    }
    LAMINA_ASSIGN(const TableView* view, View(table));
    RecordBytes bytes;
    LAMINA_TRY_WITH(WriteRecords(*shapes_[index], view->columns(), orders, bytes),
                    RecordTableName(table));
    records_[index] = std::move(bytes);
  }
  return &*records_[index];
}

Status RunParts::AppendRecords(RecordTable table, std::string& out) {
  LAMINA_ASSIGN(const RecordBytes* records, Records(table));
  AppendArrayHeader(out, static_cast<std::uint32_t>(records->size()));
  out += records->bytes;
  return Ok();
}

Status RunParts::AppendTrade(std::uint32_t trade, std::string& out) {
  LAMINA_ASSIGN(const RecordBytes* trades, Records(RecordTable::kTrades));
  if (trade >= trades->size()) return Misfit("a copy names a trade that is not there");
  out += trades->Record(trade);
  return Ok();
}

Result<const SeriesPoints*> RunParts::Cooked(std::uint32_t series, std::uint32_t recipe) {
  const auto found = cooked_.find({series, recipe});
  if (found != cooked_.end()) return found->second ? &*found->second : nullptr;
  if (!snapshots_) {
    LAMINA_ASSIGN(const TableView* view, View(RecordTable::kSnapshots));
    const auto& columns = view->columns();
    snapshots_ = SnapshotSeriesOf(columns[ColumnOf(RecordTable::kSnapshots, "ts")],
                                  columns[ColumnOf(RecordTable::kSnapshots, "total_value")],
                                  columns[ColumnOf(RecordTable::kSnapshots, "cash_flow")]);
  }
  auto& points = cooked_[{series, recipe}];
  points = CookSeries(series, recipe, *snapshots_);
  return points ? &*points : nullptr;
}

Result<StoredPoints> RunParts::Stored(std::uint32_t series) {
  if (!series_) {
    if (rows_.series == nullptr) return Misfit("no rows of metric_series");
    LAMINA_ASSIGN(series_, TableView::Of(*rows_.series, WantedSeriesColumns()));
    const ColumnView& metric = series_->columns()[0];
    std::int64_t begin = 0;
    while (begin < series_->rows()) {
      const ByteView name = metric.IsNull(begin) ? ByteView() : metric.Text(begin);
      std::int64_t end = begin + 1;
      while (end < series_->rows() && !metric.IsNull(end) && metric.Text(end) == name) ++end;
      const auto known = std::find(kSeriesNames.begin(), kSeriesNames.end(), name);
      if (known == kSeriesNames.end()) return Misfit("unknown metric in metric_series");
      auto& range = series_ranges_[static_cast<std::size_t>(known - kSeriesNames.begin())];
      if (range.first != range.second) return Misfit("metric_series is not sorted");
      range = {begin, end};
      begin = end;
    }
  }
  const auto& [begin, end] = series_ranges_[series];
  return StoredPoints{Slice(series_->columns()[2], begin, end),
                      Slice(series_->columns()[3], begin, end)};
}

Status RunParts::AppendInlineSeries(const InlineSeriesPart& part, std::string& out) {
  StoredPoints points;
  if (part.recipe == 0) {
    LAMINA_ASSIGN(points, Stored(part.series));
  } else {
    LAMINA_ASSIGN(const SeriesPoints* cooked, Cooked(part.series, part.recipe));
    if (cooked == nullptr) return Misfit("a series' recipe does not apply");
    points = {TimesView(cooked->times), ValuesView(cooked->values)};
  }
  const ColumnView columns[] = {points.times, points.values};
  RecordBytes bytes;
  bytes.bytes.swap(out);
  AppendArrayHeader(bytes.bytes, part.shape.count);
  const Status written = WriteRecords(part.shape, columns, nullptr, bytes);
  out.swap(bytes.bytes);
  LAMINA_TRY_WITH(Status(written.ok() ? Ok() : Status(written.error().Clone())),
                  kSeriesNames[part.series]);
  return Ok();
}

Status RunParts::AppendBlobSeries(const BlobSeriesPart& part, const BlobWriter& writer,
                                  BlobEncoder& encoder, std::string& out) {
  BlobPoints points;
  if (part.recipe == 0) {
    LAMINA_ASSIGN(const StoredPoints stored, Stored(part.series));
    const auto rows = static_cast<std::size_t>(stored.times.rows);
    points.values.assign(stored.values.doubles, stored.values.doubles + rows);
    points.times.assign(stored.times.integers, stored.times.integers + rows);
    points.value_valid = ValidBytes(stored.values);
    points.time_valid = ValidBytes(stored.times);
  } else {
    LAMINA_ASSIGN(const SeriesPoints* cooked, Cooked(part.series, part.recipe));
    if (cooked == nullptr) return Misfit("a series' recipe does not apply");
    points.times = cooked->times;
    points.values = cooked->values;
  }
  for (std::int64_t& time : points.times) time /= 1000;  // toward zero, as the framework does
  LAMINA_ASSIGN(const std::string blob, encoder.Encode(points, writer));
  bundle::Writer(out).Binary(blob);
  return Ok();
}

}  // namespace lamina::backtests
