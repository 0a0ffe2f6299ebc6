#include "lamina/base/json.h"
#include "lamina/catalog/pins.h"
#include "lamina/cli/commands.h"
#include "lamina/cli/output.h"
#include "lamina/ticks/tick_tree.h"

namespace lamina::cli {

Outcome Tree(const Context& context, const TreeArguments& arguments) {
  LAMINA_ASSIGN(const ticks::TreeLayout layout, ticks::ParseTreeLayout(arguments.layout));
  LAMINA_ASSIGN(const auto store, OpenStore(context, "", true));
  ticks::TickTreeOptions options;
  options.layout = layout;
  options.partition_hours = arguments.hours.value_or(
      layout == ticks::TreeLayout::kHive ? 24 : store->ticks().config().archive_partition_hours);
  options.zstd_level = ticks::ZstdLevelOf(store->ticks().config());
  options.cancel = context.cancel;
  if (!arguments.snapshot.empty()) {
    LAMINA_ASSIGN(options.snapshot, catalog::ResolveSnapshot(store->catalog(), arguments.snapshot));
  }
  ProgressLine line(context, "days");
  options.progress = [&](std::int64_t done, std::int64_t total) {
    line.Update({.files_total = total, .files_done = done});
  };
  LAMINA_ASSIGN(const auto made,
                ticks::WriteTickTree(store->catalog(), arguments.destination, options));
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    WriteFields(json, {{"contracts", made.contracts},
                       {"days", made.days},
                       {"files", made.files},
                       {"ticks", made.ticks},
                       {"bytes", made.bytes},
                       {"removed", made.removed},
                       {"snapshot", made.snapshot}});
    json.EndObject();
    Print(out + "\n");
  } else {
    Say(context, HumanCount(made.ticks) + " ticks of " + HumanCount(made.contracts) +
                     " contracts in " + HumanCount(made.files) + " files, " +
                     HumanBytes(made.bytes));
  }
  return 0;
}

}  // namespace lamina::cli
