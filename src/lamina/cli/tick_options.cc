#include <limits>
#include <utility>

#include <CLI/CLI.hpp>

#include "lamina/cli/tick_commands.h"

namespace lamina::cli {
namespace {

using Action = std::function<Outcome(const Context&)>;
using Choose = std::function<void(Action)>;
const CLI::Range kAtLeastOne(std::int64_t{1}, std::numeric_limits<std::int64_t>::max());
using Command = Outcome (*)(const Context&, const TickArguments&);

/// The commands below `ticks`, which share their options.
class TickOptions {
 public:
  TickOptions(CLI::App& group, TickArguments& arguments, const Choose& choose)
      : group_(group), arguments_(arguments), choose_(choose) {}

  CLI::App* Add(const std::string& name, const std::string& text, const std::string& examples,
                Command command) {
    CLI::App* added = group_.add_subcommand(name, text);
    added->footer("Examples:\n" + examples);
    added->fallthrough();
    added->callback([choose = choose_, &arguments = arguments_, command] {
      choose([&arguments, command](const Context& c) { return command(c, arguments); });
    });
    return added;
  }

  void Contracts(CLI::App* command) {
    command->add_option("contract", arguments_.contracts, "Ids or symbols of instruments")
        ->required();
  }
  void Contract(CLI::App* command, bool required) {
    command->add_option("contract", arguments_.contract, "Id, or symbol of an instrument")
        ->required(required);
  }
  void Types(CLI::App* command, bool required = true) {
    command
        ->add_option("--types,--type", arguments_.types,
                     "last, all_last, bid_ask, mid_point; several with commas")
        ->required(required);
  }
  void Span(CLI::App* command, bool both = false) {
    command->add_option("--start", arguments_.start, "From then on: ISO-8601, or UTC nanoseconds")
        ->required();
    command
        ->add_option("--end", arguments_.end,
                     both ? "Until then, exclusive" : "Until then, exclusive (default: now)")
        ->required(both);
  }
  void Sessions(CLI::App* command) {
    command->add_option("--session", arguments_.session,
                        "Only within these: regular, extended, overnight, …");
    command->add_option("--calendar", arguments_.calendar,
                        "Of the sessions (default: the instrument's)");
    command->add_option("--zone", arguments_.zone, "The calendar's clock in another zone");
  }
  void Output(CLI::App* command) {
    command->add_option("--columns", arguments_.columns, "Only these, with commas");
    command->add_option("--format", arguments_.format,
                        "table, json, jsonl, csv, parquet, arrow (default: by the file, or table)");
    command->add_option("-o,--output", arguments_.output, "A file (default: stdout)");
  }
  TickArguments& arguments() { return arguments_; }

 private:
  CLI::App& group_;
  TickArguments& arguments_;
  Choose choose_;
};

void AddReading(TickOptions& options) {
  TickArguments& arguments = options.arguments();
  CLI::App* query = options.Add(
      "query", "Ticks of a range, or bars of them, archived or still in a log",
      "  lamina --store mystore ticks query AAPL --types last,bid_ask "
      "--start 2025-01-10T14:30:00Z --end 2025-01-10T15:00:00Z\n"
      "  lamina --store mystore ticks query 265598 --types last --start 2025-01-06 "
      "--resolution 1m --session regular --calendar XNYS -o week.parquet\n"
      "The end is exclusive. Bars begin at multiples since 1970 UTC, or at the session's open.\n",
      TicksQuery);
  options.Contracts(query);
  options.Types(query);
  options.Span(query);
  query->add_option("--resolution", arguments.resolution, "tick (default), 1s, 5m, 1h, 1d, …");
  options.Sessions(query);
  query->add_option("--as-of", arguments.snapshot, "A snapshot, pin or time: the archive then");
  query->add_option("--fill", arguments.fill, "Bars without ticks: none (default), previous, null");
  query->add_option("--limit", arguments.limit, "So many rows at most")->check(kAtLeastOne);
  query->add_option("--cursor", arguments.cursor, "Go on behind the last row of this query before");
  query->add_flag("--explain", arguments.explain, "Not the rows, but what was touched, as JSON");
  options.Output(query);

  CLI::App* tail = options.Add(
      "tail", "Ticks as they become durable, of all writers; ends at Ctrl-C",
      "  lamina --store mystore ticks tail AAPL --types last\n"
      "  lamina --store mystore --jsonl ticks tail 265598 --types last,bid_ask --from start "
      "--limit 100\n",
      TicksTail);
  options.Contracts(tail);
  options.Types(tail);
  tail->add_option("--from", arguments.cursor,
                   "A cursor, or start: all that is stored first (default: from now on)");
  tail->add_option("--limit", arguments.limit, "End after so many")->check(kAtLeastOne);
  tail->add_option("--wait", arguments.wait, "End when nothing came for so many seconds");
  options.Output(tail);

  CLI::App* replay =
      options.Add("replay", "Ticks of a range at the pace at which they came",
                  "  lamina --store mystore --jsonl ticks replay AAPL --types last "
                  "--start 2025-01-10T14:30:00Z --end 2025-01-10T14:35:00Z --speed 10\n",
                  TicksReplay);
  options.Contracts(replay);
  options.Types(replay);
  options.Span(replay);
  options.Sessions(replay);
  replay->add_option("--speed", arguments.speed, "Times as fast (default: without waiting)");
  replay->add_option("--as-of", arguments.snapshot, "A snapshot, pin or time: the archive then");
  options.Output(replay);
}

void AddFacts(TickOptions& options) {
  TickArguments& arguments = options.arguments();
  CLI::App* stats = options.Add("stats", "Counts, volume, VWAP, high and low by type and UTC day",
                                "  lamina --store mystore ticks stats AAPL\n"
                                "  lamina --store mystore --json ticks stats --date 2025-01-10\n"
                                "  lamina --store mystore ticks stats --storage\n",
                                TicksStats);
  options.Contract(stats, false);
  stats->add_option("--date", arguments.date, "One UTC day (default: all)");
  stats->add_flag("--storage", arguments.storage,
                  "What logs and archive take instead, what waits, the compression");
  CLI::App* coverage = options.Add(
      "coverage", "What is known of a span: present, known_empty, market_closed, gap, unknown",
      "  lamina --store mystore ticks coverage AAPL --types last --start 2025-01-10\n",
      TicksCoverage);
  options.Contract(coverage, true);
  options.Types(coverage);
  options.Span(coverage);
  coverage->add_option("--calendar", arguments.calendar, "(default: the instrument's)");
}

void AddUpkeep(TickOptions& options) {
  TickArguments& arguments = options.arguments();
  CLI::App* ingest =
      options.Add("ingest", "Store ticks from stdin or a file; durable when it returns",
                  "  recorder | lamina --store mystore ticks ingest\n"
                  "  lamina --store mystore --json ticks ingest ticks.parquet\n"
                  "Columns: ts_ns (or timestamp), contract_id (or symbol), tick_type, price, size, "
                  "bid_price, …\n"
                  "JSON lines may also be messages of the IB-Stream recorder, versions 2 and 3.\n"
                  "Lines that are no ticks are refused and told; exit status 1 then.\n",
                  TicksIngest);
  ingest->add_option("file", arguments.input, "A file, or - for stdin (default)");
  ingest->add_option("--format", arguments.format,
                     "jsonl, csv, parquet, arrow (default: by the file's name, or jsonl)");
  ingest->add_option("--source", arguments.source, "Into `source` of ticks that name none");
  ingest->add_option("--rejects", arguments.rejects,
                     "Write all refused lines to this file, as CSV: file, line, reason");
  CLI::App* archive = options.Add("archive", "Move what is durable in the logs into the archive",
                                  "  lamina --store mystore ticks archive\n", TicksArchive);
  archive->add_flag("--sealed", arguments.sealed_only, "Only segments that are finished");
  CLI::App* retention =
      options.Add("retention", "Let go what the policy in [ticks] of lamina.toml says is due",
                  "  lamina --store mystore ticks retention --dry-run\n", TicksRetention);
  retention->add_flag("--dry-run", arguments.dry_run, "Only say what would go");
  CLI::App* take_out = options.Add(
      "void", "Take bad prints out, with a reason; older snapshots keep them",
      "  lamina --store mystore ticks void AAPL --types last --start 2025-01-10T14:30:00Z "
      "--end 2025-01-10T14:31:00Z --above 500 --reason 'fat finger'\n",
      TicksVoid);
  options.Contract(take_out, true);
  options.Types(take_out, false);
  options.Span(take_out, true);
  take_out->add_option("--reason", arguments.reason, "Why")->required();
  take_out->add_option("--below", arguments.below, "Only prints with a lower price");
  take_out->add_option("--above", arguments.above, "Only prints with a higher price");
  take_out->add_flag("--dry-run", arguments.dry_run, "Only say how many");
}

}  // namespace

void AddTickCommands(CLI::App& app, TickArguments& arguments, const Choose& choose) {
  CLI::App* group = app.add_subcommand("ticks", "Market ticks: record, query, follow, keep");
  group->footer(
      "Examples:\n  lamina --store mystore ticks ingest ticks.jsonl\n"
      "  lamina --store mystore ticks query AAPL --types last --start 2025-01-10\n");
  group->require_subcommand(1);
  group->fallthrough();
  TickOptions options(*group, arguments, choose);
  AddReading(options);
  AddFacts(options);
  AddUpkeep(options);
}

}  // namespace lamina::cli
