#include <utility>

#include <CLI/CLI.hpp>

#include "lamina/cli/dataset_commands.h"

namespace lamina::cli {
namespace {

using Action = std::function<Outcome(const Context&)>;
using Choose = std::function<void(Action)>;

class Adding {
 public:
  Adding(CLI::App& app, DatasetArguments& arguments, const Choose& choose)
      : app_(app), arguments_(arguments), choose_(choose) {}

  void Run() {
    auto* const args = &arguments_;
    AddBars();
    AddFeatures();
    AddRegistry();
    auto* lineage = Below(&app_, "lineage", "What something was made from, as a tree",
                          "  lamina --store mystore lineage artifact:3\n"
                          "  lamina --store mystore --json lineage dataset:splits\n",
                          [args](const Context& c) { return ShowLineage(c, *args); });
    lineage->add_option("id", arguments_.names, "kind:id")->required()->expected(1);
    Below(&app_, "stale", "What was made from datasets that have changed since",
          "  lamina --store mystore stale\n",
          [args](const Context& c) { return ShowStale(c, *args); });
  }

 private:
  CLI::App* Group(const char* name, const char* text, const char* examples) {
    auto* group = app_.add_subcommand(name, text);
    group->footer(std::string("Examples:\n") + examples);
    group->require_subcommand(1);
    group->fallthrough();
    return group;
  }

  CLI::App* Below(CLI::App* parent, const std::string& name, const std::string& text,
                  const std::string& examples, Action action) {
    CLI::App* command = parent->add_subcommand(name, text);
    command->footer("Examples:\n" + examples);
    command->fallthrough();
    command->callback([choose = choose_, action = std::move(action)] { choose(action); });
    return command;
  }

  void Dataset(CLI::App* command, const char* usual) {
    auto* const args = &arguments_;
    command->add_option_function<std::string>(
        "--dataset", [args](const std::string& name) { args->dataset = name; },
        std::string("Name of the dataset (default: ") + usual + ")");
    command->preparse_callback([args, usual](std::size_t) { args->dataset = usual; });
  }

  void Range(CLI::App* command) {
    command->add_option("--start", arguments_.start, "First time (ISO 8601; UTC unless it says)");
    command->add_option("--end", arguments_.end, "The time behind the last one");
  }

  void Reading(CLI::App* command) {
    Range(command);
    command->add_option("--columns", arguments_.columns, "Names, separated by commas");
    command->add_option("--snapshot", arguments_.snapshot, "As of a snapshot, pin or time");
    command->add_option("--format", arguments_.format, "table, jsonl, csv, parquet, arrow");
    command->add_option("-o,--output", arguments_.output, "Write to this file");
  }

  void AddBars() {
    auto* const args = &arguments_;
    auto* group = Group("bars", "Bars by instrument and timeframe: import, load, make, delete",
                        "  lamina --store mystore bars import EUR_USD_3years_H1.csv\n"
                        "  lamina --store mystore bars load EUR_USD --start 2024-01-01\n");
    auto* import = Below(group, "import",
                         "Import CSV, Parquet and OANDA candles; doing it again changes nothing",
                         "  lamina --store mystore bars import EUR_USD_3years_H1.csv\n"
                         "  lamina --store mystore bars import folder/ --timeframe 1h\n"
                         "  lamina --store mystore bars import x.csv --instrument SPY\n"
                         "  lamina --store mystore bars import folder/ --rejects refused.csv\n"
                         "Rows that are no bars are refused and told, the others stored; exit "
                         "status 1 then.\n",
                         [args](const Context& c) { return BarsImport(c, *args); });
    import->add_option("paths", arguments_.names, "Files, or folders of them")->required();
    import->add_option("--instrument", arguments_.instrument,
                       "Of all rows (default: what the file or its name says)");
    import->add_option("--timeframe", arguments_.timeframe,
                       "Of all rows (default: what the file or its name says, else 1h)");
    import->add_option("--price", arguments_.price, "Of candles: mid, bid, ask");
    import->add_option("--rejects", arguments_.rejects,
                       "Write all refused rows to this file, as CSV: file, line, reason");
    Dataset(import, "ohlcv");
    auto* load = Below(group, "load", "Show bars, or write them to a file",
                       "  lamina --store mystore bars load EUR_USD --start 2024-01-01 --end "
                       "2024-02-01\n"
                       "  lamina --store mystore bars load -o all.parquet\n",
                       [args](const Context& c) { return BarsLoad(c, *args); });
    load->add_option("instruments", arguments_.names, "Instruments (default: all)");
    load->add_option("--timeframe", arguments_.timeframe, "Only this one");
    load->add_flag("--by-time", arguments_.by_time, "By time first, then by instrument");
    Reading(load);
    Dataset(load, "ohlcv");
    auto* remove = Below(group, "delete", "Delete bars of an instrument; older snapshots keep them",
                         "  lamina --store mystore bars delete EUR_USD --start 2024-01-01 --end "
                         "2024-01-02\n",
                         [args](const Context& c) { return BarsDelete(c, *args); });
    remove->add_option("instrument", arguments_.instrument, "Instrument")->required();
    remove->add_option("--timeframe", arguments_.timeframe, "Only this one");
    remove->add_flag("--yes", arguments_.yes, "All times, when neither --start nor --end is named");
    Range(remove);
    Dataset(remove, "ohlcv");
    AddMaking(group);
  }

  void Shape(CLI::App* command) {
    command->add_option("--rule", arguments_.rule, "Of the bars: 5m, 1h, 1d, 1w, 1month")
        ->required();
    command->add_option("--session", arguments_.session, "Only rows within: regular, extended, …");
    command->add_option("--calendar", arguments_.calendar,
                        "Of the sessions (default: the instrument's)");
    command->add_option("--zone", arguments_.zone,
                        "Days of this zone, or the calendar's clock in it");
    command->add_option("--label", arguments_.label,
                        "Stamps are the begin (left, default) or the end (right) of bars");
  }

  void AddMaking(CLI::App* group) {
    auto* const args = &arguments_;
    auto* resample = Below(group, "resample", "Make coarser bars of stored ones, and save them",
                           "  lamina --store mystore bars resample EUR_USD --rule 1d\n"
                           "  lamina --store mystore bars resample --rule 4h --into ohlcv_4h\n"
                           "What was made from what: lamina lineage dataset:ohlcv/EUR_USD/1d\n",
                           [args](const Context& c) { return BarsResample(c, *args); });
    resample->add_option("instruments", arguments_.names, "Instruments (default: all)");
    resample->add_option("--timeframe", arguments_.timeframe,
                         "Of the bars they are made from (default: the finest)");
    resample->add_option("--snapshot", arguments_.snapshot,
                         "From bars as of a snapshot, pin, time");
    resample->add_option("--into", arguments_.into, "Another dataset to save them in");
    Shape(resample);
    Range(resample);
    Dataset(resample, "ohlcv");
    auto* ticks = Below(group, "from-ticks", "Make bars of stored ticks, and save them",
                        "  lamina --store mystore bars from-ticks AAPL --rule 1m --start "
                        "2025-01-10 --end 2025-01-11\n",
                        [args](const Context& c) { return BarsFromTicks(c, *args); });
    ticks->add_option("contract", arguments_.instrument, "Id, or symbol of an instrument")
        ->required();
    ticks->add_option_function<std::string>(
        "--type", [args](const std::string& type) { args->tick_type = type; },
        "last (default), all_last, bid_ask, mid_point");
    arguments_.tick_type = "last";
    ticks->add_option("--into", arguments_.into,
                      "The dataset to save them in (default: ohlcv, of quotes ohlcv_bid_ask)");
    Shape(ticks);
    Range(ticks);
  }

  void AddFeatures() {
    auto* const args = &arguments_;
    auto* group =
        Group("features", "Wide tables by time: save, load",
              "  lamina --store mystore features save features.parquet\n"
              "  lamina --store mystore features load --columns timestamp,slope_high_0\n");
    auto* save = Below(group, "save", "Save a Parquet file with a timestamp column",
                       "  lamina --store mystore features save latents.parquet --dataset latents\n",
                       [args](const Context& c) { return FeaturesSave(c, *args); });
    save->add_option("file", arguments_.names, "Parquet")->required()->expected(1);
    arguments_.mode = "merge";
    save->add_option("--mode", arguments_.mode, "merge, append, replace");
    Dataset(save, "features");
    auto* load = Below(group, "load", "Show features, or write them to a file",
                       "  lamina --store mystore features load --start 2024-01-01 -o f.parquet\n",
                       [args](const Context& c) { return FeaturesLoad(c, *args); });
    Reading(load);
    Dataset(load, "features");
  }

  void AddRegistry() {
    auto* const args = &arguments_;
    auto* group = Group("registry", "Files, fetches, processing runs, model artifacts",
                        "  lamina --store mystore registry files\n");
    for (const char* table : {"files", "fetches", "runs", "models"}) {
      const std::string name = table;
      auto* command =
          Below(group, name, "List the " + name, "  lamina --store mystore registry " + name + "\n",
                [args, name](const Context& c) { return ListRegistry(c, name, *args); });
      if (name == "files" || name == "fetches") {
        command->add_option("--instrument", arguments_.instrument, "Only of this one");
      }
    }
  }

  CLI::App& app_;
  DatasetArguments& arguments_;
  const Choose choose_;
};

}  // namespace

void AddDatasetCommands(CLI::App& app, DatasetArguments& arguments, const Choose& choose) {
  Adding(app, arguments, choose).Run();
}

}  // namespace lamina::cli
