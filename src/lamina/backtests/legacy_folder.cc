#include "lamina/backtests/legacy_folder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "lamina/backtests/json_pack.h"
#include "lamina/backtests/legacy_internal.h"
#include "lamina/backtests/summary_metrics.h"

namespace lamina::backtests {
namespace {

using bundle::Document;
using bundle::Value;
using bundle::Writer;
using Maybe = std::optional<Value>;

constexpr std::array<std::string_view, 3> kRunFolders = {"vector_runs", "event_runs", "runs"};
constexpr std::string_view kPermutationTests = "permutation_tests",
                           kMonteCarloTests = "monte_carlo_tests";
/// Files that a document has the content of, and what the framework makes of it again.
constexpr std::array<std::string_view, 11> kOwnFiles = {
    "algorithm_id.json", "risk_free_rate.json", "metadata.json",
    "parameters.json",   "strategy_ids.json",   "tag.json",
    "summary.json",      "vector_summary.json", "event_summary.json",
    "checkpoints.json",  "index.parquet"};
/// Each value of a document takes memory beyond its bytes; none real is that dense.
constexpr std::size_t kBytesPerNodeMin = 4;

bool Has(const std::vector<io::DirectoryEntry>& entries, std::string_view name, bool is_folder) {
  return std::any_of(entries.begin(), entries.end(), [&](const io::DirectoryEntry& entry) {
    return entry.name == name && entry.is_directory == is_folder;
  });
}

/// The folders in `path` by name, links left out.
Result<std::vector<std::string>> FoldersIn(io::Env& env, const std::string& path,
                                           std::vector<std::string>& warnings) {
  LAMINA_ASSIGN(const auto entries, env.ListDirectory(path));
  std::vector<std::string> names;
  for (const io::DirectoryEntry& entry : entries) {
    if (!entry.is_directory) continue;
    if (entry.is_symlink) {
      AddWarning(warnings, io::JoinPath(path, entry.name) + ": a link to a folder; not followed");
    } else {
      names.push_back(entry.name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The number of `permuted_<n>.json`.
std::optional<std::uint64_t> PermutedNumber(std::string_view name) {
  constexpr std::string_view kPrefix = "permuted_", kSuffix = ".json";
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  if (name.size() <= kSuffix.size()) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  std::uint64_t number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  if (read.ec != std::errc() || read.ptr != name.data() + name.size()) return std::nullopt;
  return number;
}

class Reader {
 public:
  Reader(io::Env& env, std::string root, std::int64_t max_bytes)
      : env_(env),
        root_(std::move(root)),
        bytes_left_(max_bytes),
        series_(std::nullopt, true, &warnings_) {}

  Result<LegacyBacktest> Read() {
    LAMINA_ASSIGN(const auto entries, env_.ListDirectory(root_));
    windowed_ = Has(entries, "vector_runs", true) || Has(entries, "event_runs", true) ||
                Has(entries, kMonteCarloTests, true);
    WarnOfOthers(entries);
    LegacyBacktest backtest;
    backtest.version = windowed_ ? 5 : 2;
    LAMINA_ASSIGN(backtest.document, windowed_ ? Studies() : Flat());
    backtest.warnings = std::move(warnings_);
    return backtest;
  }

 private:
  void WarnOfOthers(const std::vector<io::DirectoryEntry>& entries) {
    for (const io::DirectoryEntry& entry : entries) {
      if (entry.is_directory || !entry.name.ends_with(".json")) continue;
      if (std::find(kOwnFiles.begin(), kOwnFiles.end(), entry.name) == kOwnFiles.end()) {
        AddWarning(warnings_, entry.name + ": no file of a backtest; left out");
      }
    }
  }

  /// One JSON object. The limits count for all files of the folder together.
  Result<Document> Json(const std::string& path) {
    auto text = env_.ReadFile(path, bytes_left_);
    if (!text.ok()) return std::move(text).error();
    bytes_left_ -= static_cast<std::int64_t>(text->size());
    if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
      return Corruption(path + " is empty");
    }
    std::string packed;
    if (auto read = PackJson(*text, packed); !read.ok()) return std::move(read).error().With(path);
    *text = std::string();
    const bundle::DocumentLimits limits{.max_nodes = packed.size() / kBytesPerNodeMin + 4096};
    auto document = Document::Parse(std::move(packed), limits);
    if (!document.ok()) return std::move(document).error().With(path);
    if (!document->root().is_map()) return Corruption(path + " holds no JSON object");
    return document;
  }

  /// The document of a file beside the runs, kept as long as the reader; null when there is none.
  Result<const Document*> Beside(const std::string& name) {
    const std::string path = io::JoinPath(root_, name);
    if (!env_.Exists(path)) return nullptr;
    LAMINA_ASSIGN(auto document, Json(path));
    kept_.push_back(std::make_unique<Document>(std::move(document)));
    return kept_.back().get();
  }

  /// Member `name` of `<name>.json`, encoded; `fallback` where there is none.
  Result<std::string> Member(const std::string& name, std::string_view fallback) {
    LAMINA_ASSIGN(const Document* document, Beside(name + ".json"));
    if (document == nullptr) return std::string(fallback);
    const Maybe value = document->root().Find(name);
    return std::string(value && !value->is_nil() ? value->raw() : fallback);
  }

  /// The whole map of `<name>.json`.
  Result<std::string> Map(const std::string& name) {
    LAMINA_ASSIGN(const Document* document, Beside(name + ".json"));
    return document == nullptr ? std::string("\x80") : std::string(document->root().raw());
  }

  /// Whether the failure of one run or test is that of all: nothing is skipped for want of memory.
  static bool IsFatal(const Error& error) { return error.code() == ErrorCode::kResourceExhausted; }

  /// A run as the target has it, its series still inline.
  Result<std::string> InlineRun(const std::string& path, RunForm form) {
    LAMINA_ASSIGN(const Document run, Json(io::JoinPath(path, "run.json")));
    const std::string metrics_path = io::JoinPath(path, "metrics.json");
    if (!env_.Exists(metrics_path)) return LegacyRun(form, run.root(), std::nullopt);
    LAMINA_ASSIGN(const Document metrics, Json(metrics_path));
    return LegacyRun(form, run.root(), metrics.root());
  }

  /// Reads the runs of one folder behind `runs`; what cannot be read is a warning.
  Status AddRuns(const std::string& folder, std::vector<Document>& runs) {
    const std::string path = io::JoinPath(root_, folder);
    auto info = env_.Stat(path);
    if (!info.ok() || !info->is_directory) return Ok();
    LAMINA_ASSIGN(const auto names, FoldersIn(env_, path, warnings_));
    // Runs of 8.x say nothing of windows: they become windows of 9.0 where those are.
    const RunForm form = folder == "runs" ? RunForm::kFlat : RunForm::kWindowed;
    for (const std::string& name : names) {
      auto run = ReadRun(io::JoinPath(path, name), form);
      if (run.ok()) {
        runs.push_back(*std::move(run));
      } else if (IsFatal(run.error())) {
        return std::move(run).error();
      } else {
        ++skipped_;
        AddWarning(warnings_, "run " + folder + "/" + name +
                                  " is skipped: " + std::string(run.error().message()));
      }
    }
    return Ok();
  }

  Result<Document> ReadRun(const std::string& path, RunForm form) {
    LAMINA_ASSIGN(std::string map, InlineRun(path, form));
    LAMINA_ASSIGN(Document document, Document::Parse(std::move(map)));
    if (form == RunForm::kFlat && windowed_) {
      SeriesMover inline_series(std::nullopt, false, &warnings_);
      RunMover mover(RunForm::kFlat, RunForm::kWindowed, inline_series, warnings_);
      LAMINA_ASSIGN(map, mover.Run(document.root(), "", std::nullopt));
      return Document::Parse(std::move(map));
    }
    return document;
  }

  /// The runs as an array, with their series in blobs.
  Result<std::string> RunArray(const std::vector<Document>& runs, const std::string& prefix) {
    const RunForm form = windowed_ ? RunForm::kWindowed : RunForm::kFlat;
    RunMover mover(form, form, series_, warnings_);
    std::string out;
    Writer(out).ArrayHeader(static_cast<std::uint32_t>(runs.size()));
    for (std::size_t i = 0; i < runs.size(); ++i) {
      LAMINA_ASSIGN(const auto run,
                    mover.Run(runs[i].root(), prefix + std::to_string(i) + "/metrics/", {}));
      out += run;
    }
    return out;
  }

  /// What the framework recomputes from the metrics of the runs; without any, the file's.
  Result<std::string> Summary(const std::vector<Document>& runs,
                              std::initializer_list<const char*> files) {
    std::vector<Value> maps;
    bool measured = false;
    for (const Document& run : runs) {
      maps.push_back(run.root());
      const Maybe metrics = run.root().Find("backtest_metrics");
      measured = measured || (metrics && metrics->is_map());
    }
    for (const std::string file : files) {
      if (measured) break;
      LAMINA_ASSIGN(const Document* document, Beside(file));
      if (document != nullptr) return std::string(document->root().raw());
    }
    if (!measured && windowed_) return std::string("\xc0");
    return EncodeSummaryOf(maps, windowed_ ? ReturnRule::kCapital : ReturnRule::kCompound);
  }

  Result<std::string> Test(const std::string& path) {
    const RunForm form = windowed_ ? RunForm::kWindowed : RunForm::kFlat;
    LAMINA_ASSIGN(const Document real, Json(io::JoinPath(path, "original_metrics.json")));
    const std::string folder = io::JoinPath(path, "permuted_metrics");
    std::vector<std::pair<std::uint64_t, std::string>> permuted;
    if (env_.Exists(folder)) {
      LAMINA_ASSIGN(const auto entries, env_.ListDirectory(folder));
      for (const io::DirectoryEntry& entry : entries) {
        const auto number = PermutedNumber(entry.name);
        if (number) permuted.emplace_back(*number, entry.name);
      }
    }
    std::sort(permuted.begin(), permuted.end());
    bundle::MapWriter out;
    out.Raw("real_metrics", LegacyMetrics(form, real.root()));
    std::string list;
    Writer(list).ArrayHeader(static_cast<std::uint32_t>(permuted.size()));
    for (const auto& [number, name] : permuted) {
      LAMINA_ASSIGN(const Document metrics, Json(io::JoinPath(folder, name)));
      list += LegacyMetrics(form, metrics.root());
    }
    out.Raw("permutated_metrics", list);
    std::string p_values("\x80");
    if (const auto file = io::JoinPath(path, "p_values.json"); env_.Exists(file)) {
      LAMINA_ASSIGN(const Document values, Json(file));
      p_values = values.root().raw();
    }
    out.Raw("p_values", p_values);
    LAMINA_TRY(AddDates(path, out));
    return out.Finish();
  }

  Status AddDates(const std::string& path, bundle::MapWriter& out) {
    constexpr std::string_view kDates[] = {"backtest_start_date", "backtest_end_date",
                                           "backtest_date_range_name"};
    std::optional<Document> file;
    if (const auto name = io::JoinPath(path, "metadata.json"); env_.Exists(name)) {
      LAMINA_ASSIGN(file, Json(name));
    }
    bundle::MapWriter dates;
    for (const std::string_view key : kDates) {
      const Maybe value = file ? file->root().Find(key) : std::nullopt;
      dates.Raw(key, value ? LegacyTime(*value) : std::string("\xc0"));
    }
    LAMINA_ASSIGN(const Document map, Document::Parse(dates.Finish()));
    if (windowed_) out.Raw("backtest_window", TrainingWindow(map.root()));
    for (const std::string_view key : kDates) out.Copy(key, map.root().Find(key));
    return Ok();
  }

  Result<std::string> Tests(std::string_view folder, std::string_view without) {
    const std::string path = io::JoinPath(root_, folder);
    auto info = env_.Stat(path);
    if (!info.ok() || !info->is_directory) return std::string(without);
    LAMINA_ASSIGN(const auto names, FoldersIn(env_, path, warnings_));
    std::string list;
    std::uint32_t count = 0;
    for (const std::string& name : names) {
      const auto test = Test(io::JoinPath(path, name));
      if (test.ok()) {
        list += *test;
        ++count;
      } else if (IsFatal(test.error())) {
        return test.error().Clone();
      } else {
        AddWarning(warnings_, "test " + std::string(folder) + "/" + name +
                                  " is skipped: " + std::string(test.error().message()));
      }
    }
    if (count == 0) return std::string(without);
    std::string out;
    Writer(out).ArrayHeader(count);
    return out + list;
  }

  Status CheckRuns(std::size_t count) const {
    if (count != 0) return Ok();
    return Corruption("none of the " + std::to_string(skipped_) + " run(s) of " + root_ +
                      " can be read" +
                      (warnings_.empty() ? std::string() : "; " + warnings_.back()));
  }

  Status Identity(bundle::MapWriter& out, std::initializer_list<std::string> maps) {
    for (const std::string& name : maps) {
      LAMINA_ASSIGN(const auto map, Map(name));
      out.Raw(name, map);
    }
    return Ok();
  }

  Status Members(bundle::MapWriter& out,
                 std::initializer_list<std::pair<std::string, std::string_view>> members) {
    for (const auto& [name, fallback] : members) {
      LAMINA_ASSIGN(const auto value, Member(name, fallback));
      out.Raw(name, value);
    }
    return Ok();
  }

  /// Version 2, of a backtest whose engine nobody knows.
  Result<std::string> Flat() {
    std::vector<Document> runs;
    LAMINA_TRY(AddRuns("runs", runs));
    LAMINA_TRY(CheckRuns(runs.size()));
    bundle::MapWriter out;
    out.Key("format_version").Int(2);
    out.Key("engine_type").Nil();
    LAMINA_TRY(Members(out, {{"algorithm_id", "\xc0"}}));
    LAMINA_TRY(Identity(out, {"metadata"}));
    LAMINA_TRY(Members(out, {{"risk_free_rate", "\xc0"}, {"strategy_ids", "\x90"}}));
    LAMINA_TRY(Identity(out, {"parameters"}));
    LAMINA_TRY(Members(out, {{"tag", "\xc0"}}));
    LAMINA_ASSIGN(const auto tests, Tests(kPermutationTests, "\xc0"));
    LAMINA_ASSIGN(const auto array, RunArray(runs, "runs/"));
    LAMINA_ASSIGN(const auto summary, Summary(runs, {"summary.json"}));
    out.Raw("backtest_permutation_tests", tests);
    out.Raw("backtest_runs", array);
    out.Raw("backtest_summary", summary);
    if (series_.blobs().pairs() != 0) out.Raw("blobs", series_.blobs().Finish());
    return out.Finish();
  }

  /// Version 5: one study of both engines.
  Result<std::string> Studies() {
    std::vector<Document> vector_runs, event_runs;
    LAMINA_TRY(AddRuns("vector_runs", vector_runs));
    LAMINA_TRY(AddRuns("runs", vector_runs));
    LAMINA_TRY(AddRuns("event_runs", event_runs));
    LAMINA_TRY(CheckRuns(vector_runs.size() + event_runs.size()));
    bundle::MapWriter out;
    LAMINA_TRY(Members(out, {{"algorithm_id", "\xc0"}}));
    out.Key("anchor_algorithm_id").Nil();
    LAMINA_TRY(Identity(out, {"metadata"}));
    LAMINA_TRY(Members(out, {{"strategy_ids", "\x90"}}));
    LAMINA_TRY(Identity(out, {"parameters"}));
    LAMINA_TRY(Members(out, {{"tag", "\xc0"}}));
    LAMINA_ASSIGN(const auto study, Study(vector_runs, event_runs));
    bundle::MapWriter studies;
    studies.Raw("default", study);
    out.Raw("studies", studies.Finish());
    out.Key("format_version").Int(5);
    if (series_.blobs().pairs() != 0) out.Raw("blobs", series_.blobs().Finish());
    return out.Finish();
  }

  Result<std::string> Study(const std::vector<Document>& vector_runs,
                            const std::vector<Document>& event_runs) {
    std::string rate;
    Writer(rate).Double(kDefaultRate);
    LAMINA_ASSIGN(rate, Member("risk_free_rate", rate));
    bundle::MapWriter out;
    out.Key("name").String("default");
    out.Key("description").Nil();
    out.Key("initial_capital").Nil();
    out.Raw("risk_free_rate", rate);
    out.Key("universe").Nil();
    out.Key("backtest_windows").ArrayHeader(0);
    out.Key("metadata").MapHeader(0);
    out.Key("sample_type").Nil();
    out.Key("window_part").String("test");
    out.Key("execution_config").Nil();
    LAMINA_ASSIGN(const auto tests, Tests(kMonteCarloTests, "\x90"));
    for (const std::string engine : {"vector", "event"}) {
      const bool is_vector = engine == "vector";
      const auto& runs = is_vector ? vector_runs : event_runs;
      LAMINA_ASSIGN(const auto array, RunArray(runs, "studies/default/" + engine + "_runs/"));
      std::string summary("\xc0");
      if (!runs.empty()) {
        LAMINA_ASSIGN(summary, is_vector ? Summary(runs, {"vector_summary.json", "summary.json"})
                                         : Summary(runs, {"event_summary.json"}));
      }
      out.Raw(engine + "_runs", array);
      out.Raw(engine + "_summary", summary);
      out.Key(engine + "_summaries_by_universe").MapHeader(0);
      out.Raw(engine + "_monte_carlo_tests", is_vector ? tests : std::string("\x90"));
    }
    return out.Finish();
  }

  /// The framework's own for a study that names none.
  static constexpr double kDefaultRate = 0.027;

  io::Env& env_;
  const std::string root_;
  std::int64_t bytes_left_;
  bool windowed_ = false;
  std::size_t skipped_ = 0;
  std::vector<std::string> warnings_;
  std::vector<std::unique_ptr<Document>> kept_;
  SeriesMover series_;
};

}  // namespace

bool IsLegacyPart(std::string_view folder_name) {
  return std::find(kRunFolders.begin(), kRunFolders.end(), folder_name) != kRunFolders.end() ||
         folder_name == kPermutationTests || folder_name == kMonteCarloTests;
}

bool IsLegacyFolder(io::Env& env, const std::string& path,
                    const std::vector<io::DirectoryEntry>& entries) {
  for (const std::string_view folder : kRunFolders) {
    if (!Has(entries, folder, true)) continue;
    const std::string runs = io::JoinPath(path, folder);
    const auto names = env.ListDirectory(runs);
    if (!names.ok()) continue;
    for (const io::DirectoryEntry& entry : *names) {
      if (!entry.is_directory || entry.is_symlink) continue;
      for (const std::string_view file : {"run.json", "metrics.json"}) {
        if (env.Exists(io::JoinPath(io::JoinPath(runs, entry.name), file))) return true;
      }
    }
  }
  return false;
}

Result<LegacyBacktest> ReadLegacyFolder(io::Env& env, const std::string& path,
                                        std::int64_t max_bytes) {
  return Reader(env, path, max_bytes).Read();
}

}  // namespace lamina::backtests
