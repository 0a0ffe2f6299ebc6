// The `lamina` command: options into structures, one function a command. See commands.h.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include <CLI/CLI.hpp>
#include <signal.h>

#include "lamina/base/error_table.h"
#include "lamina/base/near_names.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/dataset_commands.h"
#include "lamina/cli/memory.h"
#include "lamina/cli/output.h"
#include "lamina/cli/tick_commands.h"

namespace lamina::cli {
namespace {

CancelToken g_cancel;  // NOLINT: a signal handler can reach nothing else

void OnSignal(int) {
  if (g_cancel.cancelled()) std::_Exit(130);  // asked twice
  g_cancel.Cancel();
}

void HandleSignals() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like a full disk
}

/// The command that was chosen, run after parsing.
using Action = std::function<Outcome(const Context&)>;

class CommandLine {
 public:
  CommandLine()
      : app_("A local-first store for quantitative research: ticks, bars, features, backtests.") {
    app_.name("lamina");
    app_.set_version_flag("--version", std::string("lamina ") + LAMINA_VERSION);
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.add_option("--store", context_.store, "Store root (default: $LAMINA_STORE)")
        ->envname("LAMINA_STORE");
    app_.add_flag("--json", context_.json, "One JSON document on stdout; errors as JSON on stderr");
    app_.add_flag("--jsonl", context_.json_lines, "Rows as JSON, one object a line");
    app_.add_flag("--quiet,-q", context_.quiet, "No messages and no progress");
    AddStoreCommands();
    AddImport();
    AddIndex();
    AddList();
    AddRank();
    AddReading();
    AddMerge();
    AddEditing();
    AddCalendars();
    AddInstruments();
    AddTickCommands(app_, ticks_, [this](Action action) { action_ = std::move(action); });
    AddDatasetCommands(app_, datasets_, [this](Action action) { action_ = std::move(action); });
    AddMigrateStore();
    AddDemo();
    AddHistory();
    AddUpkeep();
    AddBackups();
    AddTree();
  }

  int Main(int argc, char** argv) {
    try {
      app_.parse(TakeTagChanges(argc, argv));
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) return app_.exit(error);  // help, version
      return RefuseArguments(error, argc, argv);
    }
    context_.cancel = &g_cancel;
    auto outcome = action_(context_);
    if (std::fflush(stdout) != 0 && outcome.ok()) return ExitCodeOf(ErrorCode::kIo);
    if (outcome.ok()) return *outcome;
    PrintError(context_, outcome.error());
    return ExitCodeOf(outcome.error().code());
  }

 private:
  using Arguments = std::vector<std::string>;

  /// The command's own name: the first argument that is neither an option nor an option's value.
  static Arguments::iterator CommandAmong(Arguments& arguments) {
    auto it = arguments.begin();
    while (it != arguments.end() && it->starts_with('-')) {
      it += *it == "--store" && it + 1 != arguments.end() ? 2 : 1;
    }
    return it;
  }

  /// What the parser did not understand, in the form of every other error.
  int RefuseArguments(const CLI::ParseError& error, int argc, char** argv) {
    Arguments arguments(argv + 1, argv + argc);
    for (const std::string& argument : arguments) {  // the parser may not have got so far
      context_.json = context_.json || argument == "--json";
      context_.json_lines = context_.json_lines || argument == "--jsonl";
    }
    std::string message = error.what();
    const auto command = CommandAmong(arguments);
    if (command != arguments.end() && app_.get_subcommands().empty()) {
      Arguments known;
      for (const CLI::App* one : app_.get_subcommands({})) known.push_back(one->get_name());
      if (std::find(known.begin(), known.end(), *command) == known.end()) {
        message = "unknown command '" + *command + "'" + DidYouMean(*command, known);
      }
    }
    if (!context_.structured()) message += "\nRun with --help for more information.";
    PrintError(context_, InvalidArgument(std::move(message)));
    return ExitCodeOf(ErrorCode::kInvalidArgument);
  }

  /// `tag H +a -b`: the parser would take -b for an option, so the changes are taken out before.
  /// Gives the remaining arguments in the parser's order, last first.
  std::vector<std::string> TakeTagChanges(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto tag = CommandAmong(arguments);
    if (tag != arguments.end() && *tag == "tag") {
      const auto is_change = [](const std::string& text) {
        if (text.size() < 2 || text == "-q" || text == "-h") return false;
        return text[0] == '+' || (text[0] == '-' && text[1] != '-');
      };
      std::copy_if(tag, arguments.end(), std::back_inserter(tag_changes_), is_change);
      arguments.erase(std::remove_if(tag, arguments.end(), is_change), arguments.end());
    }
    std::reverse(arguments.begin(), arguments.end());
    return arguments;
  }

  CLI::App* Command(const std::string& name, const std::string& text, const std::string& examples,
                    Action action) {
    CLI::App* command = app_.add_subcommand(name, text);
    command->footer("Examples:\n" + examples);
    command->fallthrough();
    command->callback([this, action = std::move(action)] { action_ = action; });
    return command;
  }

  void AddStoreCommands() {
    auto* init =
        Command("init", "Make an empty store in a new or empty folder", "  lamina init mystore\n",
                [this](const Context& c) { return Init(c, root_); });
    init->add_option("root", root_, "Folder of the store")->required();
    Command("stats", "What the store holds and what it weighs",
            "  lamina --store mystore stats\n  lamina --store mystore --json stats\n",
            [](const Context& c) { return Stats(c); });
    Command("snapshots", "Lake snapshots with time, author, changes and pins",
            "  lamina --store mystore snapshots\n", [](const Context& c) { return Snapshots(c); });
    auto* verify =
        Command("verify", "Check files, chunks, counts and references",
                "  lamina --store mystore verify\n  lamina --store mystore verify --deep\n",
                [this](const Context& c) { return Verify(c, deep_); });
    verify->add_flag("--deep", deep_, "Read every byte and put every document together");
    auto* validate = Command(
        "validate", "Compute metrics from snapshots and trades where they are missing",
        "  lamina --store mystore validate\n  lamina --store mystore validate run1 --again\n"
        "Import does it too; this is for stores made by earlier versions.\n"
        "  lamina --store mystore list --where 'validated_disagreements > 0'\n",
        [this](const Context& c) { return Validate(c, handles_, again_); });
    validate->add_option("handles", handles_, "Backtests (default: all)");
    validate->add_flag("--again", again_, "Also those that have them");
    auto* inspect =
        Command("inspect", "Structure of a bundle or Parquet file", "  lamina inspect run.iafbt\n",
                [this](const Context& c) { return Inspect(c, path_); });
    inspect->add_option("file", path_, "File to look into")->required();
  }

  void AddImport() {
    auto* command = Command(
        "import",
        "Store bundles (.iafbt, .obtf) and legacy backtest folders: files, or folders with all "
        "below",
        "  lamina --store mystore import bundles/\n"
        "  lamina --store mystore --json import run.iafbt other/\n"
        "Exit status 1 when some files were refused; what was good is stored all the same.\n"
        "Interrupt it when you like and run it again: what is stored is not stored twice.\n"
        "Links to folders are not followed.\n",
        [this](const Context& c) {
          import_.stop_at_error = !keep_going_;
          return Import(c, import_);
        });
    command->add_option("paths", import_.paths, "Bundles and folders")->required();
    command->add_option("--workers", import_.workers, "Threads (default: all cores)")
        ->check(CLI::Range(1, 256));
    command
        ->add_option("--max-document", import_.max_document,
                     "Refuse bundles that unpack to more (default 64MB)")
        ->transform(CLI::AsSizeValue(false))
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 30));
    command->add_flag("--replace", import_.replace,
                      "Another document under a known handle replaces it");
    command->add_flag("--keep-going,!--stop-at-error", keep_going_,
                      "Go on after a refused file (default), or stop at the first");
  }

  void AddSelection(CLI::App* command) {
    command->add_option("target", list_.target,
                        "Store root, folder of bundles or index file (default: --store)");
    command->add_option("--where,--filter", list_.where,
                        "Filter, e.g. 'tag LIKE \"sweep_%\" AND trades > 30'");
    command->add_option("--columns", list_.columns, "Columns, separated by commas");
    command->add_option("--limit,-n", list_.limit, "At most so many rows")
        ->check(CLI::NonNegativeNumber);
    command->add_option("--offset", list_.offset, "Leave out the first rows")
        ->check(CLI::NonNegativeNumber);
    command->add_flag("--asc", list_.ascending, "Smallest first");
    command->add_option("--engine", list_.engine, "Only this engine: vector or event");
    command->add_option("--study", list_.study, "Only this study");
    command->add_option("--universe", list_.universe, "Rows of this universe, not the pooled ones");
    command->add_option("--snapshot", list_.snapshot,
                        "As of a snapshot: its number, a pin, or a time");
    command->add_option("--format", list_.format, "table or csv")
        ->check(CLI::IsMember({"table", "csv"}));
  }

  void AddIndex() {
    auto* command = Command(
        "index", "Bring the index of a folder of bundles up to date: FOLDER/index.sqlite",
        "  lamina index results/\n"
        "  lamina index results/ -o results.sqlite --rebuild\n"
        "  lamina index results/ --validate\n"
        "Bundles that have not changed are not read again; those that have gone leave the index.\n"
        "Exit status 1 when some bundles could not be read; the others are indexed all the same.\n",
        [this](const Context& c) {
          index_.progress = !no_progress_;
          return Index(c, index_);
        });
    command->add_option("folder", index_.folder, "Folder of bundles, with all below it")
        ->required();
    command->add_option("-o,--output", index_.output, "Index file (default: FOLDER/index.sqlite)");
    command->add_flag("--rebuild", index_.rebuild, "Read every bundle again");
    command->add_flag("--validate", index_.validate,
                      "Compute metrics from snapshots and trades too (slow: as an import)");
    command->add_flag("--absolute-paths", index_.absolute_paths,
                      "Absolute paths as handles; the folder can then not be moved");
    command->add_flag("--no-progress", no_progress_, "No progress line");
    command->add_option("--workers", index_.workers, "Threads (default: all cores)")
        ->check(CLI::Range(1, 256));
  }

  void AddList() {
    auto* command = Command(
        "list", "Backtests with chosen columns, sorted and filtered",
        "  lamina --store mystore list --sort sharpe_ratio --limit 20\n"
        "  lamina list mystore --where 'max_drawdown < 0.1' --columns handle,cagr,max_drawdown\n",
        [this](const Context& c) { return List(c, list_); });
    command->add_option("--sort", list_.sort, "Metric or column to sort by");
    AddSelection(command);
  }

  void AddRank() {
    auto* command = Command("rank", "The best backtests by one metric, or by several with weights",
                            "  lamina --store mystore rank --by sortino --filter 'tag LIKE "
                            "\"sweep_%\" AND trades > 30'\n"
                            "  lamina rank results/ --focus risk_adjusted\n"
                            "  lamina rank results/ --weights sharpe=2,max_drawdown=-1\n"
                            "  lamina rank results/ --by sharpe -n 100 --prune --archive-dir old "
                            "--dry-run\n",
                            [this](const Context& c) { return Rank(c, list_); });
    command->add_option("--by,--sort", list_.sort, "Metric to rank by");
    command->add_option("--focus", list_.focus,
                        "Weights of a preset: balanced, profit, frequency, risk_adjusted");
    command->add_option("--weights", list_.weights,
                        "METRIC=WEIGHT,…: own weights, on top of those of --focus");
    command->add_flag("--prune", list_.prune,
                      "Remove what was ranked and is not among the --limit best");
    command->add_option("--archive-dir", list_.archive, "Move there what --prune would delete");
    command->add_flag("--dry-run", list_.dry_run, "Only say what --prune would do");
    AddSelection(command);
  }

  void AddReading() {
    auto* show = Command("show", "Identity, parameters, summary and runs of one backtest",
                         "  lamina --store mystore show sweep_a/run_1\n",
                         [this](const Context& c) { return Show(c, handle_, snapshot_); });
    show->add_option("handle", handle_, "Backtest")->required();
    show->add_option("--snapshot", snapshot_, "As of a snapshot: its number, a pin, or a time");

    auto* compare = Command("compare", "Parameters that differ, metrics side by side",
                            "  lamina --store mystore compare run_1 run_2 run_3\n",
                            [this](const Context& c) { return Compare(c, handles_); });
    compare->add_option("handles", handles_, "Two or more backtests")
        ->required()
        ->expected(2, 1000);

    auto* exporter = Command("export", "Write backtests as bundle files",
                             "  lamina --store mystore export sweep_a/run_1 -o run_1.iafbt\n"
                             "  lamina --store mystore export run_1 -o run_1.iafbt --level 3\n"
                             "  lamina --store mystore export run_1 -o run_1.obtf --format 5\n"
                             "  lamina --store mystore export run_1 run_2 -o bundles/\n"
                             "  lamina --store mystore export --where 'sharpe > 1' -o best/\n",
                             [this](const Context& c) { return Export(c, export_); });
    exporter->add_option("handle", export_.handles, "Backtests");
    exporter
        ->add_option("-o,--output", export_.output,
                     "File to write; of several, or where a folder is: the folder for them")
        ->required();
    exporter->add_option("--where", export_.where, "Those that an expression selects");
    exporter->add_option("--workers", export_.workers, "Threads (default: all cores)");
    exporter
        ->add_option("--format", export_.format_version,
                     "Bundle version: 1, 2 or 5 (default: the one it came in)")
        ->check(CLI::IsMember({1, 2, 5}));
    exporter
        ->add_option("--level", export_.level,
                     "zstd level (default: the one that gives the original file, else 19)")
        ->check(CLI::Range(1, 22));
    exporter->add_option("--snapshot", export_.snapshot,
                         "As of a snapshot: its number, a pin, or a time");
  }

  void AddMerge() {
    auto* command = Command(
        "merge", "Add the runs of bundles to those of a backtest",
        "  lamina --store mystore merge sweep_a/run_1 run_1_2025.iafbt\n"
        "  lamina --store mystore merge run_1 january.iafbt february.iafbt --replace-windows\n"
        "Summaries are made anew over all runs. A window that is there with another result is an\n"
        "error unless --replace-windows; then nothing changes. Legacy backtest folders will do "
        "too.\n",
        [this](const Context& c) { return Merge(c, merge_); });
    command->add_option("handle", merge_.handle, "Backtest to merge into")->required();
    command->add_option("bundles", merge_.paths, "Bundles, in the order they are merged")
        ->required();
    command->add_flag("--replace-windows", merge_.replace_windows,
                      "Take the new result of a window that is there");
  }

  void AddEditing() {
    auto* remove = Command("delete", "Delete backtests (older snapshots keep them)",
                           "  lamina --store mystore delete run_1 run_2\n",
                           [this](const Context& c) { return Delete(c, handles_); });
    remove->add_option("handles", handles_, "Backtests")->required();
    auto* restore = Command("undelete", "Bring back a deleted backtest",
                            "  lamina --store mystore undelete run_1\n",
                            [this](const Context& c) { return Undelete(c, handle_); });
    restore->add_option("handle", handle_, "Backtest")->required();

    auto* tag = Command("tag", "Add (+name) and remove (-name) tags",
                        "  lamina --store mystore tag run_1 +candidate -draft\n",
                        [this](const Context& c) { return Tag(c, handle_, tag_changes_); });
    tag->add_option("handle", handle_, "Backtest")->required();

    auto* note = Command("note", "Write a note on a backtest (an empty text removes it)",
                         "  lamina --store mystore note run_1 'best so far'\n",
                         [this](const Context& c) { return Note(c, handle_, text_); });
    note->add_option("handle", handle_, "Backtest")->required();
    note->add_option("text", text_, "The note")->required();

    auto* rename = Command("rename", "Give a backtest another handle",
                           "  lamina --store mystore rename run_1 best/run_1\n",
                           [this](const Context& c) { return Rename(c, handle_, text_); });
    rename->add_option("handle", handle_, "Backtest")->required();
    rename->add_option("new", text_, "New handle")->required();
  }

  void AddCalendars() {
    auto* calendars = Command("calendars", "Trading calendars: names, zones, sessions, versions",
                              "  lamina calendars\n  lamina calendars NYSE\n",
                              [this](const Context& c) { return Calendars(c, text_); });
    calendars->add_option("name", text_, "One calendar, by name or alias");
    auto* sessions = Command(
        "sessions", "When a market is open, in UTC; a day with a break has two rows",
        "  lamina sessions XNYS --from 2024-11-27 --to 2024-12-02\n"
        "  lamina --json sessions CME_Equity --from 2025-01-06 --to 2025-01-10 --session rth\n",
        [this](const Context& c) { return Sessions(c, sessions_); });
    sessions->add_option("calendar", sessions_.calendar, "Name or alias (see `lamina calendars`)")
        ->required();
    sessions->add_option("--from", sessions_.first, "First trading day (default: today, UTC)");
    sessions->add_option("--to", sessions_.last, "Last trading day (default: six days later)");
    sessions->add_option("--session", sessions_.session,
                         "regular, extended, overnight, or another of the calendar");
  }

  CLI::App* Below(CLI::App* parent, const std::string& name, const std::string& text,
                  const std::string& examples, Action action) {
    CLI::App* command = parent->add_subcommand(name, text);
    command->footer("Examples:\n" + examples);
    command->fallthrough();
    command->callback([this, action = std::move(action)] { action_ = action; });
    return command;
  }

  void AddInstruments() {
    auto* group = app_.add_subcommand("instruments", "What is traded: ids and symbols over time");
    group->footer(
        "Examples:\n  lamina --store mystore instruments import contracts.csv\n"
        "  lamina --store mystore instruments list\n");
    group->require_subcommand(1);
    group->fallthrough();
    auto& one = instrument_.instrument;
    auto* add =
        Below(group, "add", "Add one instrument",
              "  lamina --store mystore instruments add 265598 AAPL --venue NASDAQ "
              "--currency USD --tick-size 0.01 --calendar XNYS\n"
              "  lamina --store mystore instruments add 563947726 MNQ --calendar CME_Equity "
              "--multiplier 2 --to 2024-12-20\n",
              [this](const Context& c) { return AddInstrument(c, instrument_); });
    add->add_option("id", instrument_.id, "Contract id, a 64-bit number")->required();
    add->add_option("symbol", one.symbol, "Symbol")->required();
    add->add_option("--venue", one.venue, "Where it trades");
    add->add_option("--currency", one.currency, "Of its prices");
    add->add_option("--tick-size", one.tick_size, "Smallest step of the price");
    add->add_option("--multiplier", one.multiplier, "Value of one point of price");
    add->add_option("--calendar", one.calendar, "See `lamina calendars`");
    add->add_option("--trading-hours", one.trading_hours,
                    "Days of the calendar replaced: 20250110:0930-20250110:1600;20250111:CLOSED");
    add->add_option("--time-zone", one.time_zone, "Of --trading-hours (default: the calendar's)");
    add->add_option("--from", instrument_.valid_from, "Valid from then on (default: always)");
    add->add_option("--to", instrument_.valid_to, "Valid until then (default: for ever)");
    add->add_flag("--replace", instrument_.replace, "Replace the row of that id and --from");
    auto* list = Below(group, "list", "List instruments, or find the one that a name means",
                       "  lamina --store mystore instruments list\n"
                       "  lamina --store mystore instruments list MNQ --at 2025-01-10\n",
                       [this](const Context& c) { return ListInstruments(c, text_, path_); });
    list->add_option("name", text_, "Symbol, SYMBOL@VENUE, id, or # and id");
    list->add_option("--at", path_, "As valid at this time");
    auto* import = Below(
        group, "import", "Add the rows of a CSV file, all or none",
        "  lamina --store mystore instruments import contracts.csv\n",
        [this](const Context& c) { return ImportInstruments(c, path_, instrument_.replace); });
    import->add_option("file", path_, "CSV with a header: instrument_id,symbol,venue,…")
        ->required();
    import->add_flag("--replace", instrument_.replace,
                     "Replace rows of the same id and valid_from");
  }

  void AddMigrateStore() {
    auto* command = Command(
        "migrate-store", "Copy backtests between a folder of bundles and a Lamina store",
        "  lamina migrate-store --from local-dir --to local-tiered bundles/ mystore\n"
        "  lamina migrate-store --from local-tiered --to local-dir mystore out/ "
        "--handles sweep/run_1,sweep/run_2\n"
        "Price files go with their bundles. Interrupt it when you like and run it again: what is\n"
        "there already is left alone. Exit status 1 when some backtests could not be copied.\n",
        [this](const Context& c) { return MigrateStore(c, migrate_); });
    const auto kinds = CLI::IsMember({"local-dir", "local-tiered"});
    command->add_option("--from", migrate_.from, "Kind of the source: local-dir, local-tiered")
        ->required()
        ->check(kinds);
    command->add_option("--to", migrate_.to, "Kind of the target: local-dir, local-tiered")
        ->required()
        ->check(kinds);
    command->add_option("--src,src", migrate_.source, "Folder of the source");
    command->add_option("--dst,dst", migrate_.target, "Folder of the target; made when absent");
    command->add_option("--handles", migrate_.handles, "Only these, separated by commas")
        ->join(',');
    command->add_option("--workers", migrate_.workers, "Threads (default: all cores)")
        ->check(CLI::Range(1, 256));
    command->add_flag("--replace", migrate_.replace,
                      "Another document under a handle of the target is replaced");
  }

  void AddDemo() {
    auto* demo =
        Command("demo", "A parameter sweep on a made-up market, stored and ranked",
                "  lamina demo demo-store\n", [this](const Context& c) { return Demo(c, demo_); });
    demo->add_option("root", demo_.root, "Folder of the store (default: lamina-demo)");
    demo->add_option("--seed", demo_.seed, "Seed of the market");
  }

  void AddHistory() {
    auto* pin = Command("pin", "Name a snapshot, so that it is kept for as long as the name is",
                        "  lamina --store mystore pin paper_v1\n"
                        "  lamina --store mystore pin before_cleanup --snapshot 2025-01-31\n",
                        [this](const Context& c) { return Pin(c, upkeep_); });
    pin->add_option("name", upkeep_.name, "Name of the pin")->required();
    pin->add_option("--snapshot", upkeep_.snapshot, "A number, a pin or a time (default: latest)");
    auto* unpin = Command("unpin", "Take a pin away; expire may then forget its snapshot",
                          "  lamina --store mystore unpin paper_v1\n",
                          [this](const Context& c) { return Unpin(c, upkeep_); });
    unpin->add_option("name", upkeep_.name, "Name of the pin")->required();
    auto* expire = Command(
        "expire", "Forget old snapshots, apart from the latest and pinned ones",
        "  lamina --store mystore expire --dry-run\n"
        "  lamina --store mystore expire --older-than 30d\n"
        "Deleted backtests that only forgotten snapshots held cannot be brought back any more.\n",
        [this](const Context& c) { return Expire(c, upkeep_); });
    expire->add_option("--older-than", upkeep_.older_than,
                       "A span such as 7d or 12h (default: keep_snapshots of lamina.toml)");
    expire->add_flag("--dry-run", upkeep_.dry_run, "Only say what would go");
    auto* purge = Command(
        "purge", "Take backtests out for good, from older snapshots too",
        "  lamina --store mystore purge run_1 run_2 --yes\n"
        "All snapshots since the first that held one of them are forgotten. Backups keep theirs.\n",
        [this](const Context& c) { return Purge(c, upkeep_); });
    purge->add_option("handles", upkeep_.names, "Backtests")->required();
    purge->add_flag("--yes", upkeep_.yes, "Needed: this cannot be undone");
  }

  void AddUpkeep() {
    auto* collect =
        Command("gc", "Forget snapshots by policy and remove what nothing needs any more",
                "  lamina --store mystore gc --dry-run\n  lamina --store mystore gc\n"
                "The policy: keep_snapshots and gc_grace in section [lake] of lamina.toml.\n",
                [this](const Context& c) { return Collect(c, upkeep_); });
    collect->add_flag("--dry-run", upkeep_.dry_run, "Only say what would go");
    collect->add_option("--grace", upkeep_.grace,
                        "Spare what was retired less long ago (default: gc_grace)");
    auto* compact = Command(
        "compact", "Merge small lake files and fold deleted rows out of them",
        "  lamina --store mystore compact\n  lamina --store mystore compact backtests.trades\n",
        [this](const Context& c) { return Compact(c, upkeep_); });
    compact->add_option("tables", upkeep_.names, "Tables (default: all)");
    auto* repair =
        Command("repair", "Make again what can be derived; set damaged files aside in quarantine/",
                "  lamina --store mystore repair --dry-run\n"
                "  lamina --store mystore repair --backup /backups/mystore\n",
                [this](const Context& c) { return Repair(c, upkeep_); });
    repair->add_flag("--dry-run", upkeep_.dry_run, "Only say what would be done");
    repair->add_option("--backup", upkeep_.source, "Fetch damaged files from this backup");
    Command("doctor", "File system, disk, limits, versions, writers: is the ground good?",
            "  lamina --store mystore doctor\n", [](const Context& c) { return Doctor(c); });
  }

  void AddTree() {
    auto* tree = Command(
        "tree", "Lay the archived ticks out as plain folders, for tools that walk them",
        "  lamina --store mystore tree out --layout seed\n"
        "  lamina --store mystore --json tree out --layout seed --as-of paper_v1 --hours 4\n"
        "  lamina --store mystore tree out --layout hive\n"
        "seed: contracts/<contract>/YYYY/MM/DD/<tick_type>_<HH>.parquet, with a metadata.json a "
        "day.\n"
        "hive: trades|quotes|midpoints/contract_id=<contract>/date=YYYY-MM-DD/"
        "<tick_type>_<HH>.parquet.\n"
        "Made again into the same folder, it is brought up to date.\n",
        [this](const Context& c) { return Tree(c, tree_); });
    tree->add_option("destination", tree_.destination, "Folder of the tree")->required();
    tree->add_option("--layout", tree_.layout, "seed, hive")->required();
    tree->add_option("--as-of", tree_.snapshot, "A snapshot, pin or time (default: the latest)");
    tree->add_option("--hours", tree_.hours,
                     "Of one file (default: archive_partition_hours in lamina.toml; of hive 24)");
  }

  void AddBackups() {
    auto* backup = Command(
        "backup", "Copy the store while it is used; again into the same folder copies what is new",
        "  lamina --store mystore backup /backups/mystore\n",
        [this](const Context& c) { return Backup(c, upkeep_); });
    backup->add_option("destination", upkeep_.destination, "Folder of the backup")->required();
    auto* restore = Command("restore", "Make a store from a backup, in a new or empty folder",
                            "  lamina restore /backups/mystore restored\n",
                            [this](const Context& c) { return Restore(c, upkeep_); });
    restore->add_option("source", upkeep_.source, "Folder of the backup")->required();
    restore->add_option("root", upkeep_.destination, "Folder of the new store")->required();
  }

  CLI::App app_;
  Context context_;
  Action action_;
  std::string root_, path_, handle_, text_;
  std::vector<std::string> handles_, tag_changes_;
  std::string snapshot_;
  bool deep_ = false, again_ = false, keep_going_ = true, no_progress_ = false;
  ImportArguments import_;
  IndexArguments index_;
  ListArguments list_;
  ExportArguments export_;
  SessionsArguments sessions_;
  InstrumentArguments instrument_;
  DatasetArguments datasets_;
  DemoArguments demo_;
  MigrateArguments migrate_;
  MergeArguments merge_;
  TickArguments ticks_;
  TreeArguments tree_;
  UpkeepArguments upkeep_;
};

}  // namespace
}  // namespace lamina::cli

int main(int argc, char** argv) {
  lamina::cli::PrepareMemory();
  lamina::cli::HandleSignals();
  return lamina::cli::CommandLine().Main(argc, argv);
}
