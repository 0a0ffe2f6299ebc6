#pragma once

/// \file lamina/cli/commands.h
/// One function per command: parsed options in, exit code out. Data goes to stdout, the rest to
/// stderr. Used by one thread; they start threads of their own.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/backtests/import.h"
#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/market/instrument.h"
#include "lamina/store/store.h"

namespace lamina::cli {

/// Options that every command has.
struct Context {
  std::string store;  ///< --store or LAMINA_STORE; "" when not given
  bool json = false;
  bool json_lines = false;
  bool quiet = false;
  CancelToken* cancel = nullptr;

  bool structured() const { return json || json_lines; }
};

/// Exit code of a command, or what went wrong.
using Outcome = Result<int>;

/// Open the store of `context`, or of `root` when that is not empty.
Result<std::unique_ptr<store::Store>> OpenStore(const Context& context,
                                                const std::string& root = "",
                                                bool read_only = false);

struct ImportArguments {
  std::vector<std::string> paths;
  std::size_t workers = 0;
  bool stop_at_error = false;
  bool replace = false;
  std::uint64_t max_document = backtests::kMaxDocumentBytes;
};

struct IndexArguments {
  std::string folder, output;
  bool rebuild = false, absolute_paths = false, validate = false, progress = true;
  std::size_t workers = 0;
};

struct ListArguments {
  std::string target;  ///< store root, folder of bundles or index file; "" = the context's store
  std::string focus, weights;  ///< of ranks
  bool prune = false, dry_run = false;
  std::string archive;  ///< of prunes; "": delete
  std::string sort, where, columns, engine, study, universe;
  bool ascending = false;
  std::optional<std::int64_t> limit;
  std::string snapshot;  ///< number, pin or time; "": the latest
  std::int64_t offset = 0;
  std::string format = "table";  ///< table, csv
};

struct ExportArguments {
  std::vector<std::string> handles;
  std::string output;  ///< a file; of several a folder
  std::string where;
  std::size_t workers = 0;
  std::optional<std::uint32_t> format_version;
  std::optional<int> level;
  std::string snapshot;  ///< number, pin or time; "": the latest
};

struct MergeArguments {
  std::string handle;
  std::vector<std::string> paths;
  bool replace_windows = false;
};

struct SessionsArguments {
  std::string calendar, first, last, session = "regular";
};

struct InstrumentArguments {
  market::Instrument instrument;
  std::string id, valid_from, valid_to;
  bool replace = false;
};

struct DemoArguments {
  std::string root;
  std::uint64_t seed = 7;
};

struct UpkeepArguments {
  std::string name, snapshot;       ///< of pins
  std::string older_than, grace;    ///< spans of time; "": as lamina.toml says
  std::string source, destination;  ///< of backups
  std::vector<std::string> names;   ///< tables, handles
  bool dry_run = false, yes = false;
};

struct TreeArguments {
  std::string destination, layout, snapshot;  ///< snapshot: number, pin or time; "": the latest
  std::optional<std::int64_t> hours;  ///< of one file; absent: as lamina.toml says; of hive 24
};

struct MigrateArguments {
  std::string from, to;  ///< "local-dir", "local-tiered"
  std::string source, target;
  std::string handles;  ///< separated by commas; empty: all
  std::size_t workers = 0;
  bool replace = false;
};

Outcome Init(const Context& context, const std::string& root);
Outcome Import(const Context& context, const ImportArguments& arguments);
Outcome Index(const Context& context, const IndexArguments& arguments);
Outcome List(const Context& context, const ListArguments& arguments);
Outcome Rank(const Context& context, const ListArguments& arguments);
Outcome Show(const Context& context, const std::string& handle, const std::string& snapshot);
Outcome Compare(const Context& context, const std::vector<std::string>& handles);
Outcome Export(const Context& context, const ExportArguments& arguments);
Outcome Merge(const Context& context, const MergeArguments& arguments);
Outcome Delete(const Context& context, const std::vector<std::string>& handles);
Outcome Undelete(const Context& context, const std::string& handle);
Outcome Tag(const Context& context, const std::string& handle,
            const std::vector<std::string>& changes);
Outcome Note(const Context& context, const std::string& handle, const std::string& text);
Outcome Rename(const Context& context, const std::string& from, const std::string& to);
Outcome Stats(const Context& context);
Outcome Inspect(const Context& context, const std::string& path);
Outcome Verify(const Context& context, bool deep);
Outcome Snapshots(const Context& context);
Outcome Pin(const Context& context, const UpkeepArguments& arguments);
Outcome Unpin(const Context& context, const UpkeepArguments& arguments);
Outcome Expire(const Context& context, const UpkeepArguments& arguments);
Outcome Collect(const Context& context, const UpkeepArguments& arguments);
Outcome Compact(const Context& context, const UpkeepArguments& arguments);
Outcome Purge(const Context& context, const UpkeepArguments& arguments);
Outcome Backup(const Context& context, const UpkeepArguments& arguments);
Outcome Restore(const Context& context, const UpkeepArguments& arguments);
Outcome Repair(const Context& context, const UpkeepArguments& arguments);
Outcome Doctor(const Context& context);
Outcome Calendars(const Context& context, const std::string& name);
Outcome Sessions(const Context& context, const SessionsArguments& arguments);
Outcome AddInstrument(const Context& context, const InstrumentArguments& arguments);
Outcome ImportInstruments(const Context& context, const std::string& path, bool replace);
Outcome ListInstruments(const Context& context, const std::string& name, const std::string& at);
Outcome Validate(const Context& context, const std::vector<std::string>& handles, bool again);
Outcome Tree(const Context& context, const TreeArguments& arguments);
Outcome MigrateStore(const Context& context, const MigrateArguments& arguments);
Outcome Demo(const Context& context, const DemoArguments& arguments);

}  // namespace lamina::cli
