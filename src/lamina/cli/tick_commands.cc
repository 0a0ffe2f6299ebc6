#include "lamina/cli/tick_commands.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <thread>
#include <utility>

#include <arrow/api.h>

#include "lamina/base/json.h"
#include "lamina/catalog/pins.h"
#include "lamina/cli/output.h"
#include "lamina/cli/rows_output.h"
#include "lamina/cli/tick_arguments.h"
#include "lamina/series/resample.h"
#include "lamina/store/contract_names.h"
#include "lamina/table/columns.h"
#include "lamina/ticks/tick_query.h"

namespace lamina::cli {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;

Result<ticks::TickQuery> QueryOf(store::Store& store, const TickArguments& arguments) {
  ticks::TickQuery query;
  LAMINA_ASSIGN(query.contracts, ContractsOf(store, arguments));
  LAMINA_ASSIGN(query.types, ticks::ParseTickTypes(SplitAtCommas(arguments.types)));
  LAMINA_ASSIGN(query.start_ns, TimeOf(arguments.start));
  if (!arguments.end.empty()) {
    LAMINA_ASSIGN(query.end_ns, TimeOf(arguments.end));
  }
  query.resolution = arguments.resolution;
  LAMINA_ASSIGN(query.sessions, store::SessionsOf(store.instruments(), query.contracts,
                                                  {.calendar = arguments.calendar,
                                                   .session = arguments.session,
                                                   .zone = arguments.zone}));
  if (!arguments.snapshot.empty()) {
    LAMINA_ASSIGN(query.snapshot, catalog::ResolveSnapshot(store.catalog(), arguments.snapshot));
  }
  if (!arguments.columns.empty()) query.columns = SplitAtCommas({arguments.columns});
  query.limit = arguments.limit;
  query.cursor = arguments.cursor;
  LAMINA_ASSIGN(query.fill, series::ParseBarFill(arguments.fill));
  return query;
}

/// What the output is: the format asked for, or what the file's name or --json says.
Result<RowFormat> FormatOf(const Context& context, const TickArguments& arguments) {
  if (!arguments.format.empty()) return ParseRowFormat(arguments.format);
  if (context.json_lines) return RowFormat::kJsonLines;
  if (context.json) return RowFormat::kJson;
  const std::string& path = arguments.output;
  const std::size_t dot = path.rfind('.');
  if (!path.empty() && dot != std::string::npos) return ParseRowFormat(path.substr(dot + 1));
  return RowFormat::kTable;
}

void Explain(const ticks::QueryAnswer& answer) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  WriteFields(json, {{"snapshot", answer.snapshot},
                     {"files_live", answer.counts.files_live},
                     {"files_planned", answer.counts.files_planned},
                     {"row_groups", answer.counts.row_groups},
                     {"row_groups_read", answer.counts.row_groups_read},
                     {"bytes_read", answer.counts.bytes_read},
                     {"archive_rows", answer.counts.archive_rows},
                     {"log_rows", answer.counts.log_rows},
                     {"slices", answer.counts.slices},
                     {"rows", answer.rows->num_rows()}});
  json.EndObject();
  Print(out + "\n");
}

/// Rows of a stream, as they come.
Outcome WriteStream(const Context& context, const TickArguments& arguments, store::Store& store,
                    const ticks::TickQuery& query) {
  LAMINA_ASSIGN(const RowFormat format, FormatOf(context, arguments));
  LAMINA_ASSIGN(auto stream, store.tick_reader().Stream(query));
  LAMINA_ASSIGN(const auto schema,
                ticks::ResultSchema(ticks::NormalTypes(query.types), query.columns));
  LAMINA_ASSIGN(const auto writer, RowsWriter::Make(format, arguments.output, schema));
  for (;;) {
    if (context.cancel->cancelled()) return Cancelled("interrupted");
    LAMINA_ASSIGN(const ArrowTable rows, stream.Next());
    if (rows == nullptr) break;
    LAMINA_TRY(writer->Write(*rows));
  }
  LAMINA_TRY(writer->Finish());
  return 0;
}

/// Sleep, but not when asked to stop. False then.
bool Wait(const Context& context, std::chrono::nanoseconds time) {
  constexpr std::chrono::milliseconds kStep(20);
  const auto until = std::chrono::steady_clock::now() + time;
  while (!context.cancel->cancelled()) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds(0)) return true;
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(left, kStep));
  }
  return false;
}

}  // namespace

Outcome TicksQuery(const Context& context, const TickArguments& arguments) {
  LAMINA_ASSIGN(const auto store, OpenStore(context, "", true));
  LAMINA_ASSIGN(const ticks::TickQuery query, QueryOf(*store, arguments));
  const bool plain = query.resolution.empty() || query.resolution == "tick";
  if (plain && !query.limit && query.cursor.empty() && !arguments.explain) {
    return WriteStream(context, arguments, *store, query);
  }
  LAMINA_ASSIGN(const ticks::QueryAnswer answer, store->tick_reader().Query(query));
  if (arguments.explain) {
    Explain(answer);
    return 0;
  }
  LAMINA_ASSIGN(const RowFormat format, FormatOf(context, arguments));
  LAMINA_ASSIGN(const auto writer,
                RowsWriter::Make(format, arguments.output, answer.rows->schema()));
  LAMINA_TRY(writer->Write(*answer.rows));
  LAMINA_TRY(writer->Finish());
  if (answer.truncated) Say(context, "more with --cursor " + answer.next_cursor);
  return 0;
}

Outcome TicksTail(const Context& context, const TickArguments& arguments) {
  LAMINA_ASSIGN(const auto store, OpenStore(context, "", true));
  ticks::TickSelection selection;
  LAMINA_ASSIGN(selection.contracts, ContractsOf(*store, arguments));
  LAMINA_ASSIGN(selection.types, ticks::ParseTickTypes(SplitAtCommas(arguments.types)));
  std::optional<std::vector<std::string>> columns;
  if (!arguments.columns.empty()) columns = SplitAtCommas({arguments.columns});
  LAMINA_ASSIGN(const auto schema,
                ticks::ResultSchema(ticks::NormalTypes(selection.types), columns));
  LAMINA_ASSIGN(auto tail, store->tick_reader().Tail(selection, arguments.cursor, columns));
  LAMINA_ASSIGN(RowFormat format, FormatOf(context, arguments));
  if (format == RowFormat::kJson) format = RowFormat::kJsonLines;  // there is no end
  LAMINA_ASSIGN(const auto writer, RowsWriter::Make(format, arguments.output, schema));
  std::int64_t left = arguments.limit.value_or(std::numeric_limits<std::int64_t>::max());
  const auto patience = std::chrono::duration<double>(arguments.wait.value_or(1e9));
  auto last = std::chrono::steady_clock::now();
  while (left > 0 && !context.cancel->cancelled()) {
    LAMINA_ASSIGN(ArrowTable rows, tail.Poll());
    if (rows->num_rows() == 0) {
      if (std::chrono::steady_clock::now() - last >= patience) break;
      if (!Wait(context, std::chrono::milliseconds(5))) break;
      continue;
    }
    last = std::chrono::steady_clock::now();
    rows = rows->Slice(0, std::min(left, rows->num_rows()));
    left -= rows->num_rows();
    LAMINA_TRY(writer->Write(*rows));
  }
  LAMINA_TRY(writer->Finish());
  if (!arguments.limit) Say(context, "cursor " + tail.cursor());
  return 0;
}

Outcome TicksReplay(const Context& context, const TickArguments& arguments) {
  if (arguments.speed && !(*arguments.speed > 0 && *arguments.speed < 1e12)) {
    return InvalidArgument("--speed must be above 0");
  }
  LAMINA_ASSIGN(const auto store, OpenStore(context, "", true));
  LAMINA_ASSIGN(const ticks::TickQuery query, QueryOf(*store, arguments));
  if (!arguments.speed) return WriteStream(context, arguments, *store, query);
  LAMINA_ASSIGN(RowFormat format, FormatOf(context, arguments));
  if (format == RowFormat::kJson) format = RowFormat::kJsonLines;
  LAMINA_ASSIGN(auto stream, store->tick_reader().Stream(query));
  LAMINA_ASSIGN(const auto schema,
                ticks::ResultSchema(ticks::NormalTypes(query.types), query.columns));
  if (schema->GetFieldIndex("ts_ns") < 0) return InvalidArgument("a replay needs column ts_ns");
  LAMINA_ASSIGN(const auto writer, RowsWriter::Make(format, arguments.output, schema));
  std::optional<std::int64_t> first;
  const auto began = std::chrono::steady_clock::now();
  for (;;) {
    LAMINA_ASSIGN(const ArrowTable batch, stream.Next());
    if (batch == nullptr) break;
    LAMINA_ASSIGN(const auto column, table::ColumnNamed(*batch, "ts_ns"));
    LAMINA_ASSIGN(const auto whole, table::CombineColumn(*column));
    const auto& stamps = static_cast<const arrow::Int64Array&>(*whole);
    for (std::int64_t row = 0; row < stamps.length();) {
      if (!first) first = stamps.Value(0);
      std::int64_t end = row + 1;  // all that is due at the same time
      while (end < stamps.length() && stamps.Value(end) == stamps.Value(row)) ++end;
      const auto due =
          began + std::chrono::nanoseconds(static_cast<std::int64_t>(
                      static_cast<double>(stamps.Value(row) - *first) / *arguments.speed));
      if (!Wait(context, due - std::chrono::steady_clock::now())) return Cancelled("interrupted");
      LAMINA_TRY(writer->Write(*batch->Slice(row, end - row)));
      row = end;
    }
  }
  LAMINA_TRY(writer->Finish());
  return 0;
}

}  // namespace lamina::cli
