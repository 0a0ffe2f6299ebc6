#include "lamina/bars/make_bars.h"

#include <algorithm>
#include <utility>

#include <arrow/api.h>

#include "lamina/bars/made_rows_internal.h"
#include "lamina/bars/origin.h"
#include "lamina/dataset/key_values.h"
#include "lamina/series/bar_rule.h"
#include "lamina/series/resample.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"

namespace lamina::bars {
namespace {

using dataset::Datasets;
using dataset::LineageEdge;
using internal::ArrowTable;
using series::BarRule;

Result<BarRule> ClockRule(const std::string& text) {
  LAMINA_ASSIGN(BarRule rule, series::ParseBarRule(text));
  if (rule.by_clock()) return rule;
  return InvalidArgument("bars of '" + text +
                         "' end with a row and may share a stamp; only bars of time (1m, 1h, 1d, "
                         "1month) are kept");
}

/// Of a timeframe, in nanoseconds; 0 when it is no rule of a fixed length.
std::int64_t LengthOf(const std::string& timeframe) {
  const auto rule = series::ParseBarRule(timeframe);
  return rule.ok() && rule->by_clock() ? rule->period_ns : 0;
}

/// Save rows and edges in one commit.
Status Keep(Datasets& datasets, const std::string& into, MadeBars& made) {
  LAMINA_TRY(datasets.CreateIfAbsent(dataset::OhlcvDefinition(into)));
  LAMINA_ASSIGN(const auto target, datasets.Find(into));
  LAMINA_ASSIGN(const ArrowTable rows, internal::KnownColumns(made.rows, target.definition));
  catalog::Catalog& catalog = datasets.catalog();
  dataset::SaveOptions options;
  options.also = [&](catalog::Database& database, std::int64_t) {
    return dataset::Registry::InsertEdges(database, made.edges, catalog.env().Now());
  };
  auto saved = datasets.Save(into, *rows, options);
  if (!saved.ok()) {
    return std::move(saved).error().With("saving the bars into dataset '" + into + "'");
  }
  made.saved = *std::move(saved);
  if (made.saved.snapshot) return Ok();
  return dataset::Registry(catalog).AddLineage(made.edges);
}

// ---- from stored bars

struct SourceSeries {
  std::string timeframe;
  ArrowTable rows;
};

std::string TextAt(const arrow::Table& rows, const char* column, std::int64_t row) {
  const auto at = rows.GetColumnByName(column)->Slice(row, 1);
  for (const auto& chunk : at->chunks()) {
    if (chunk->length() > 0) return std::string(table::BytesAt(*chunk, 0));
  }
  return "";
}

/// The series of one instrument with the finest timeframe.
Result<SourceSeries> FinestSeries(const arrow::Table& rows) {
  LAMINA_ASSIGN(const auto runs, table::EqualRuns(rows, "timeframe"));
  SourceSeries best;
  std::int64_t length = 0;
  for (const table::RowRange& run : runs) {
    std::string timeframe = TextAt(rows, "timeframe", run.begin);
    const std::int64_t its = LengthOf(timeframe);
    if (best.rows != nullptr && (its == 0 || (length > 0 && its >= length))) continue;
    length = its;
    best = {std::move(timeframe), rows.Slice(run.begin, run.end - run.begin)};
  }
  return best;
}

bool HasValues(const arrow::Table& rows, const char* column) {
  const auto values = rows.GetColumnByName(column);
  return values != nullptr && values->null_count() < values->length();
}

Result<ArrowTable> RunKernel(const arrow::Table& source, const BarShape& shape,
                             series::BarLabel label) {
  std::vector<int> columns;
  for (const char* name : {"timestamp", "open", "high", "low", "close"}) {
    columns.push_back(source.schema()->GetFieldIndex(name));
  }
  for (const char* name : {"volume", "vwap", "n_ticks"}) {
    if (HasValues(source, name)) columns.push_back(source.schema()->GetFieldIndex(name));
  }
  LAMINA_ARROW_ASSIGN(const ArrowTable rows, source.SelectColumns(columns), "resampling");
  arrow::TableBatchReader reader(*rows);
  series::ResampleOptions options;
  options.rule = shape.rule;
  options.kind = series::RowKind::kCandles;
  options.time = "timestamp";
  options.sessions = shape.sessions;
  options.label = label;
  return series::Resample(reader, options);
}

/// A bar is complete when its stretch is covered by complete rows.
Result<std::vector<bool>> Completeness(const SourceSeries& source,
                                       const std::vector<std::int64_t>& begins,
                                       const std::vector<std::int64_t>& ends,
                                       const dataset::TimeRange& range) {
  std::vector<bool> complete(begins.size(), true);
  if (begins.empty()) return complete;
  LAMINA_ASSIGN(const auto stamps, table::ColumnNamed(*source.rows, "timestamp"));
  LAMINA_ASSIGN(const auto whole, table::CombineColumn(*stamps));
  const auto& times = static_cast<const arrow::TimestampArray&>(*whole);
  if (const auto flags = source.rows->GetColumnByName("complete"); flags != nullptr) {
    LAMINA_ASSIGN(const auto joined, table::CombineColumn(*flags));
    const auto& values = static_cast<const arrow::BooleanArray&>(*joined);
    std::size_t bar = 0;
    for (std::int64_t row = 0; row < times.length(); ++row) {
      const std::int64_t at = times.Value(row) * 1000;
      while (bar < ends.size() && at >= ends[bar]) ++bar;
      if (bar == ends.size()) break;
      if (at >= begins[bar] && values.IsValid(row) && !values.Value(row)) complete[bar] = false;
    }
  }
  const std::int64_t length = LengthOf(source.timeframe);
  if (times.Value(times.length() - 1) * 1000 + length < ends.back()) complete.back() = false;
  if (range.start && range.start->value * 1000 > begins.front()) complete.front() = false;
  return complete;
}

Status CheckRule(const BarRule& rule, const SourceSeries& source, const std::string& instrument) {
  const std::int64_t length = LengthOf(source.timeframe);
  const bool fits = length == 0 || rule.period_ns == 0 ||
                    (rule.period_ns % length == 0 && rule.period_ns > length);
  if (fits && source.timeframe != rule.text) return Ok();
  return InvalidArgument("bars of " + source.timeframe + " (" + instrument +
                         ") do not make bars of " + rule.text);
}

/// Add the bars of one instrument.
Status MakeSeries(const ResampleRequest& request, const BarRule& rule,
                  const std::string& instrument, const SourceSeries& source, std::int64_t snapshot,
                  std::vector<ArrowTable>& parts, std::vector<LineageEdge>& edges) {
  LAMINA_TRY(CheckRule(rule, source, instrument));
  LAMINA_ASSIGN(const ArrowTable left,
                RunKernel(*source.rows, request.shape, series::BarLabel::kLeft));
  LAMINA_ASSIGN(const ArrowTable right,
                RunKernel(*source.rows, request.shape, series::BarLabel::kRight));
  LAMINA_ASSIGN(const auto begins, internal::StampsOf(*left));
  LAMINA_ASSIGN(const auto ends, internal::StampsOf(*right));
  LAMINA_ASSIGN(const auto complete, Completeness(source, begins, ends, request.time));
  const ArrowTable& bars = request.shape.label == series::BarLabel::kLeft ? left : right;
  LAMINA_ASSIGN(parts.emplace_back(),
                internal::AsRows(*bars, instrument, rule.text, complete, false));
  edges.push_back(
      {"dataset", FormatOrigin(SeriesOrigin{request.into, instrument, rule.text}), "dataset",
       FormatOrigin(SeriesOrigin{request.dataset, instrument, source.timeframe, request.time}),
       snapshot});
  return Ok();
}

std::vector<dataset::KeyFilter> KeysOf(const ResampleRequest& request) {
  std::vector<dataset::KeyFilter> keys;
  if (!request.instruments.empty()) keys.push_back({"instrument", request.instruments});
  if (!request.timeframe.empty()) keys.push_back({"timeframe", {request.timeframe}});
  return keys;
}

/// Rows with what bars are made from.
Result<ArrowTable> LoadSource(Datasets& datasets, const ResampleRequest& request,
                              std::int64_t snapshot) {
  LAMINA_ASSIGN(const auto found, datasets.Find(request.dataset, snapshot));
  dataset::LoadRequest load{.time = request.time, .snapshot = snapshot};
  load.columns.emplace();
  for (const char* name :
       {"instrument", "timeframe", "timestamp", "open", "high", "low", "close"}) {
    if (found.definition.Find(name) == nullptr) {
      return InvalidArgument("dataset '" + request.dataset + "' holds no bars: it lacks '" + name +
                             "'");
    }
    load.columns->push_back(name);
  }
  for (const char* name : {"volume", "vwap", "n_ticks", "complete"}) {
    if (found.definition.Find(name) != nullptr) load.columns->push_back(name);
  }
  load.keys = KeysOf(request);
  return datasets.Load(request.dataset, load);
}

}  // namespace

Result<MadeBars> ResampleStored(Datasets& datasets, const ResampleRequest& given) {
  ResampleRequest request = given;
  if (request.into.empty()) request.into = request.dataset;
  LAMINA_ASSIGN(const BarRule rule, ClockRule(request.shape.rule));
  std::int64_t snapshot = 0;
  if (request.snapshot) {
    snapshot = *request.snapshot;
  } else {
    LAMINA_ASSIGN(snapshot, datasets.catalog().LatestSnapshot());
  }
  LAMINA_ASSIGN(const ArrowTable rows, LoadSource(datasets, request, snapshot));
  LAMINA_ASSIGN(const auto runs, table::EqualRuns(*rows, "instrument"));
  std::vector<std::string> found;
  std::vector<ArrowTable> parts;
  MadeBars made;
  for (const table::RowRange& run : runs) {
    found.push_back(TextAt(*rows, "instrument", run.begin));
    const ArrowTable its = rows->Slice(run.begin, run.end - run.begin);
    LAMINA_ASSIGN(const SourceSeries source, FinestSeries(*its));
    LAMINA_TRY(MakeSeries(request, rule, found.back(), source, snapshot, parts, made.edges));
  }
  const auto absent = std::find_if(
      request.instruments.begin(), request.instruments.end(), [&](const std::string& name) {
        return std::find(found.begin(), found.end(), name) == found.end();
      });
  if (absent != request.instruments.end() || parts.empty()) {
    LAMINA_TRY(dataset::CheckKeysKnown(datasets, request.dataset,
                                       {.keys = KeysOf(request), .snapshot = snapshot}, *rows));
    return NotFound("dataset '" + request.dataset + "' has no bars" +
                    (absent == request.instruments.end() ? "" : " of '" + *absent + "'") +
                    (request.timeframe.empty() ? "" : " of " + request.timeframe) +
                    (request.time.start || request.time.end ? " in the range" : ""));
  }
  LAMINA_ASSIGN(made.rows, table::StackTables(parts));
  LAMINA_TRY(Keep(datasets, request.into, made));
  return made;
}

// ---- from ticks

std::string TickBarsDataset(tick_log::TickType type) {
  if (type == tick_log::TickType::kLast) return "ohlcv";
  return "ohlcv_" + std::string(tick_log::TickTypeName(type));
}

Result<MadeBars> BarsFromTicks(Datasets& datasets, ticks::TickStore& ticks,
                               ticks::TickReader& reader, const TickBarsRequest& request) {
  LAMINA_ASSIGN(const BarRule rule, ClockRule(request.shape.rule));
  catalog::Catalog& catalog = datasets.catalog();
  const Micros end = request.end.value_or(Micros{catalog.env().Now().value / 1000});
  LAMINA_TRY(ticks.ArchiveAll(/*open_segments=*/true));
  ticks::TickQuery query;
  query.contracts = {request.contract};
  query.types = {request.type};
  query.start_ns = request.start.value * 1000;
  query.end_ns = end.value * 1000;
  query.resolution = request.shape.rule;
  query.sessions = request.shape.sessions;
  LAMINA_ASSIGN(query.snapshot, catalog.LatestSnapshot());
  LAMINA_ASSIGN(const ticks::QueryAnswer left, reader.Query(query));
  const TickOrigin origin{request.contract, request.type, {request.start, end}};
  if (left.rows->num_rows() == 0) return NotFound("there are no ticks " + FormatOrigin(origin));
  query.label = series::BarLabel::kRight;
  LAMINA_ASSIGN(const ticks::QueryAnswer right, reader.Query(query));
  LAMINA_ASSIGN(const auto begins, internal::StampsOf(*left.rows));
  LAMINA_ASSIGN(const auto ends, internal::StampsOf(*right.rows));
  std::vector<bool> complete(begins.size());
  for (std::size_t i = 0; i < complete.size(); ++i) {
    complete[i] = begins[i] >= query.start_ns && ends[i] <= *query.end_ns;
  }
  MadeBars made;
  const bool quotes = request.type == tick_log::TickType::kBidAsk;
  const auto& bars = request.shape.label == series::BarLabel::kLeft ? left.rows : right.rows;
  LAMINA_ASSIGN(made.rows,
                internal::AsRows(*bars, request.instrument, rule.text, complete, quotes));
  const std::string into = request.into.empty() ? TickBarsDataset(request.type) : request.into;
  made.edges = {{"dataset", FormatOrigin(SeriesOrigin{into, request.instrument, rule.text}),
                 "ticks", FormatOrigin(origin), query.snapshot}};
  LAMINA_TRY(Keep(datasets, into, made));
  return made;
}

}  // namespace lamina::bars
