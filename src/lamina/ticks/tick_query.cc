#include "lamina/ticks/tick_query.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <arrow/api.h>

#include "lamina/series/bar_rule.h"
#include "lamina/table/columns.h"
#include "lamina/ticks/tick_bars.h"

namespace lamina::ticks {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;

/// The years that ticks may be of (docs/guide/ticks.md), with room on both sides.
constexpr std::int64_t kTimeMin = 0, kTimeMax = std::int64_t{8} * 1'000'000'000'000'000'000;

/// The parts of `span` that lie in sessions.
Result<std::vector<TimeSpan>> StretchesOf(TimeSpan span, const series::ChosenSessions& sessions) {
  std::vector<TimeSpan> stretches;
  if (sessions.ranges.empty()) {
    if (!span.empty()) stretches.push_back(span);
    return stretches;
  }
  auto range =
      std::partition_point(sessions.ranges.begin(), sessions.ranges.end(),
                           [&](const series::SessionRange& one) { return one.end <= span.begin; });
  for (; range != sessions.ranges.end() && range->begin < span.end; ++range) {
    const TimeSpan stretch{std::max(range->begin, span.begin), std::min(range->end, span.end)};
    if (stretch.empty()) continue;
    if (!stretches.empty() && stretches.back().end == stretch.begin) {
      stretches.back().end = stretch.end;
    } else {
      stretches.push_back(stretch);
    }
  }
  return stretches;
}

Status CheckKnown(TimeSpan span, const series::ChosenSessions& sessions) {
  if (sessions.ranges.empty() || span.empty()) return Ok();
  const std::int64_t ends[] = {span.begin, span.end - 1};
  return sessions.known.Check(ends, 0);
}

RowKey KeyOf(const arrow::Table& rows, std::int64_t row, const std::vector<const char*>& names) {
  RowKey key{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto column = rows.GetColumnByName(names[i]);
    std::int64_t at = row;
    for (const auto& chunk : column->chunks()) {
      if (at >= chunk->length()) {
        at -= chunk->length();
        continue;
      }
      if (chunk->type_id() == arrow::Type::DICTIONARY) {
        key[i] = static_cast<const arrow::DictionaryArray&>(*chunk).GetValueIndex(at);
      } else {
        key[i] = static_cast<const arrow::Int64Array&>(*chunk).Value(at);
      }
      break;
    }
  }
  return key;
}

/// The first row behind `key`.
std::int64_t FirstBehind(const arrow::Table& rows, const RowKey& key,
                         const std::vector<const char*>& names) {
  std::int64_t low = 0, high = rows.num_rows();
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (key < KeyOf(rows, middle, names)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

const std::vector<const char*>& TickKeys() {
  static const std::vector<const char*> names = {"ts_ns", "recv_ns", "writer", "seq"};
  return names;
}
const std::vector<const char*>& BarKeys() {
  static const std::vector<const char*> names = {"timestamp", "contract_id", "tick_type"};
  return names;
}

/// `rows` with the columns of `schema` only.
ArrowTable Project(const ArrowTable& rows, const arrow::Schema& schema) {
  arrow::FieldVector fields;
  arrow::ChunkedArrayVector columns;
  for (const auto& field : schema.fields()) {
    fields.push_back(field);
    columns.push_back(rows->GetColumnByName(field->name()));
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns), rows->num_rows());
}

/// `schema` with the columns of `names` that it lacks behind it.
Result<std::shared_ptr<arrow::Schema>> With(const std::shared_ptr<arrow::Schema>& schema,
                                            const std::vector<const char*>& names,
                                            const arrow::Schema& all) {
  arrow::FieldVector fields = schema->fields();
  for (const char* name : names) {
    if (schema->GetFieldIndex(name) < 0) fields.push_back(all.GetFieldByName(name));
  }
  return arrow::schema(std::move(fields));
}

}  // namespace

/// A checked query.
struct TickReader::Plan {
  TickSelection selection;
  TimeSpan span;
  std::vector<TimeSpan> stretches;
  std::optional<series::BarOptions> bars;
  std::shared_ptr<arrow::Schema> result;
  std::string text;  ///< all that decides the rows, as text
};

TickReader::TickReader(catalog::Catalog& catalog, const ReaderOptions& options)
    : source_(catalog, options.workers), cache_(options.cache) {}

Result<TickReader::Plan> TickReader::Prepare(const TickQuery& query) {
  Plan plan;
  plan.selection = {query.contracts, NormalTypes(query.types)};
  std::vector<std::int64_t>& contracts = plan.selection.contracts;
  std::sort(contracts.begin(), contracts.end());
  contracts.erase(std::unique(contracts.begin(), contracts.end()), contracts.end());
  if (plan.selection.types.empty()) return InvalidArgument("no tick types are given");
  const std::int64_t end = query.end_ns.value_or(source_.catalog().env().Now().value);
  if (query.end_ns && query.start_ns > *query.end_ns) {
    return InvalidArgument("the range starts after it ends");
  }
  if (query.limit && *query.limit < 1) return InvalidArgument("the limit must be at least 1");
  plan.span = {std::clamp(query.start_ns, kTimeMin, kTimeMax), std::clamp(end, kTimeMin, kTimeMax)};
  LAMINA_ASSIGN(series::ChosenSessions sessions, series::RangesOf(query.sessions));
  LAMINA_TRY(CheckKnown(plan.span, sessions));
  LAMINA_ASSIGN(plan.stretches, StretchesOf(plan.span, sessions));
  if (!query.resolution.empty() && query.resolution != "tick") {
    LAMINA_ASSIGN(const series::BarRule rule, series::ParseBarRule(query.resolution));
    plan.bars = series::BarOptions{.rule = rule,
                                   .ranges = std::move(sessions.ranges),
                                   .label = query.label,
                                   .fill = query.fill};
    LAMINA_ASSIGN(plan.result, BarSchema(plan.selection.types, query.columns));
  } else {
    LAMINA_ASSIGN(plan.result, ResultSchema(plan.selection.types, query.columns));
  }
  std::string& text = plan.text;
  for (const std::int64_t contract : contracts) text += std::to_string(contract) + ",";
  text += ";";
  for (const TickType type : plan.selection.types)
    text += tick_log::TickTypeName(type), text += ",";
  text += ";" + std::to_string(query.start_ns) + ";" +
          (query.end_ns ? std::to_string(*query.end_ns) : "now") + ";" + query.resolution + ";" +
          query.sessions.calendar + ";" + query.sessions.session + ";" + query.sessions.zone + ";" +
          (query.sessions.own ? "own" : "") + ";" +
          (query.snapshot ? std::to_string(*query.snapshot) : "all") + ";" +
          std::to_string(static_cast<int>(query.label)) + ";" +
          std::to_string(static_cast<int>(query.fill)) + ";";
  for (const std::string& name : plan.result->field_names()) text += name + ",";
  return plan;
}

Result<QueryAnswer> TickReader::AnswerTicks(const TickQuery& query, const Plan& plan,
                                            const ReadPoint& point) {
  QueryAnswer answer;
  if (!query.limit && query.cursor.empty()) {
    std::vector<ArrowTable> parts;
    for (const TimeSpan& stretch : plan.stretches) {
      LAMINA_ASSIGN(parts.emplace_back(),
                    source_.Load(point, plan.selection, stretch, plan.result, answer.counts));
    }
    if (parts.empty()) {
      LAMINA_ASSIGN(parts.emplace_back(), MergeRuns({}, plan.result));
    }
    LAMINA_ASSIGN(answer.rows, table::StackTables(parts));
    return answer;
  }
  std::optional<RowKey> behind;
  std::vector<TimeSpan> stretches = plan.stretches;
  if (!query.cursor.empty()) {
    LAMINA_ASSIGN(behind, ParseRowCursor(query.cursor, plan.text));
    for (TimeSpan& stretch : stretches) stretch.begin = std::max(stretch.begin, (*behind)[0]);
  }
  LAMINA_ASSIGN(const auto all, ResultSchema(plan.selection.types));
  LAMINA_ASSIGN(const auto columns, With(plan.result, TickKeys(), *all));
  const std::int64_t limit = query.limit.value_or(std::numeric_limits<std::int64_t>::max() - 1);
  TickStream stream(
      source_, plan.selection, stretches, columns, query.snapshot,
      {.batch_rows = std::int64_t{1} << 20,
       .slice_rows = std::clamp(limit, std::int64_t{10'000}, std::int64_t{1'000'000})},
      point);
  std::vector<ArrowTable> parts;
  std::int64_t rows = 0;
  while (rows <= limit) {
    LAMINA_ASSIGN(ArrowTable batch, stream.Next());
    if (batch == nullptr) break;
    if (behind) {
      const std::int64_t first = FirstBehind(*batch, *behind, TickKeys());
      batch = batch->Slice(first);
    }
    rows += batch->num_rows();
    parts.push_back(std::move(batch));
  }
  if (parts.empty()) {
    LAMINA_ASSIGN(parts.emplace_back(), MergeRuns({}, columns));
  }
  LAMINA_ASSIGN(ArrowTable stacked, table::StackTables(parts));
  answer.truncated = rows > limit;
  if (answer.truncated) {
    stacked = stacked->Slice(0, limit);
    answer.next_cursor = FormatRowCursor(KeyOf(*stacked, limit - 1, TickKeys()), plan.text);
  }
  answer.rows = Project(stacked, *plan.result);
  answer.counts = stream.counts();
  return answer;
}

Result<QueryAnswer> TickReader::AnswerBars(const TickQuery& query, const Plan& plan,
                                           const ReadPoint& point) {
  QueryAnswer answer;
  const bool pages = query.limit || !query.cursor.empty();
  LAMINA_ASSIGN(const auto all, BarSchema(plan.selection.types));
  auto columns = plan.result;
  if (pages) {
    LAMINA_ASSIGN(columns, With(plan.result, BarKeys(), *all));
  }
  LAMINA_ASSIGN(answer.rows, TickBars(source_, plan.selection, plan.stretches, *plan.bars, columns,
                                      query.snapshot, point, answer.counts));
  if (!pages) return answer;
  ArrowTable rows = answer.rows;
  if (!query.cursor.empty()) {
    LAMINA_ASSIGN(const RowKey behind, ParseRowCursor(query.cursor, plan.text));
    rows = rows->Slice(FirstBehind(*rows, behind, BarKeys()));
  }
  if (query.limit && rows->num_rows() > *query.limit) {
    rows = rows->Slice(0, *query.limit);
    answer.truncated = true;
    answer.next_cursor = FormatRowCursor(KeyOf(*rows, *query.limit - 1, BarKeys()), plan.text);
  }
  answer.rows = Project(rows, *plan.result);
  return answer;
}

Result<QueryAnswer> TickReader::Query(const TickQuery& query) {
  LAMINA_ASSIGN(const Plan plan, Prepare(query));
  const Nanos now = source_.catalog().env().Monotonic();
  for (int attempt = 0;; ++attempt) {
    LAMINA_ASSIGN(const ReadPoint point, source_.Take(plan.selection, plan.span, query.snapshot));
    // With an open end each call asks for another range; a page hangs on its limit and cursor.
    const bool cacheable =
        query.end_ns && !query.limit && query.cursor.empty() && query.sessions.own == nullptr;
    const std::string key = plan.text + point.plan.Fingerprint();
    if (auto kept = cacheable ? cache_.Get(key, now) : nullptr) {
      // With ticks of this range in the logs the answer is another one.
      const auto none = source_.NothingInLogs(point, plan.selection, plan.span);
      if (!none.ok() && !ReadAgain(none.error(), attempt)) return none.error().Clone();
      if (!none.ok()) continue;
      if (*none) {
        QueryAnswer answer;
        answer.rows = std::move(kept);
        answer.snapshot = point.plan.snapshot;
        answer.tail_cursor = FormatLogCursor(point.durable);
        answer.cached = true;
        return answer;
      }
    }
    auto answer = plan.bars ? AnswerBars(query, plan, point) : AnswerTicks(query, plan, point);
    if (!answer.ok()) {
      if (ReadAgain(answer.error(), attempt)) continue;
      return answer;
    }
    answer->snapshot = point.plan.snapshot;
    answer->tail_cursor = FormatLogCursor(point.durable);
    if (cacheable && answer->counts.log_rows == 0) cache_.Put(key, answer->rows, now);
    return answer;
  }
}

Result<TickStream> TickReader::Stream(const TickQuery& query, const StreamOptions& options) {
  LAMINA_ASSIGN(const Plan plan, Prepare(query));
  if (plan.bars || query.limit || !query.cursor.empty()) {
    return InvalidArgument("streams give ticks: no resolution, no limit, no cursor");
  }
  if (options.batch_rows < 1) return InvalidArgument("batches must have at least one row");
  return TickStream(source_, plan.selection, plan.stretches, plan.result, query.snapshot, options);
}

Result<TickTail> TickReader::Tail(const TickSelection& selection, const std::string& cursor,
                                  const std::optional<std::vector<std::string>>& columns) {
  TickSelection wanted{selection.contracts, NormalTypes(selection.types)};
  std::sort(wanted.contracts.begin(), wanted.contracts.end());
  if (wanted.types.empty()) return InvalidArgument("no tick types are given");
  LAMINA_ASSIGN(const auto result, ResultSchema(wanted.types, columns));
  LogCursor seen;
  if (cursor.empty()) {
    LAMINA_ASSIGN(const auto logs, source_.logs().Logs());
    for (const tick_log::WriterLog& log : logs) seen[log.writer] = log.durable_end;
  } else if (cursor != kFromStart) {
    LAMINA_ASSIGN(seen, ParseLogCursor(cursor));
  }
  return TickTail(source_, std::move(wanted), result, std::move(seen));
}

Result<std::int64_t> TickReader::Warm(const std::vector<TickQuery>& queries) {
  std::int64_t kept = 0;
  for (const TickQuery& query : queries) {
    LAMINA_ASSIGN(const QueryAnswer answer, Query(query));
    kept += answer.cached || answer.counts.log_rows == 0 ? 1 : 0;
  }
  return kept;
}

}  // namespace lamina::ticks
