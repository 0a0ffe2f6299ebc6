#include "lamina/backtests/import.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <numeric>
#include <unordered_map>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/import_batch.h"
#include "lamina/backtests/legacy_folder.h"

namespace lamina::backtests {
namespace {

/// What a bundle's file may have beyond its document: header, frame, bytes after the frame.
constexpr std::int64_t kFileOverheadBytes = std::int64_t{1} << 20;
/// Documents from this size on are taken apart one at a time, whatever the workers.
constexpr std::size_t kLargeDocumentBytes = std::size_t{16} << 20;
/// No real document has more values; each takes memory of its own.
constexpr std::size_t kBytesPerValueMin = 8;
constexpr std::size_t kMaxBatchBacktests = 2000;

/// What is to be imported: numbered things that can be prepared in any order, by several threads.
struct Items {
  std::vector<ImportSource> sources;  ///< `path` names the item in the report
  /// Absent: the store holds this very thing under this handle already.
  std::function<Result<std::optional<PreparedBacktest>>(std::size_t)> prepare;
};

/// The state of one import, shared by its workers.
class Import {
 public:
  Import(BacktestStore& store, const Items& items, const ImportOptions& options)
      : store_(store), items_(items), options_(options) {
    for (const ImportSource& source : items.sources) progress_.bytes_total += source.bytes;
    progress_.files_total = static_cast<std::int64_t>(items.sources.size());
  }

  Result<ImportReport> Run() {
    const auto begin = std::chrono::steady_clock::now();
    FindSharedHandles();
    auto status = ParallelFor(items_.sources.size(), options_.workers,
                              [&](std::size_t index, std::size_t) { return ImportOne(index); });
    if (status.ok()) status = CommitPending();
    ReportProgress(true);
    if (!status.ok()) return std::move(status).error();
    const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
    std::sort(report_.failed.begin(), report_.failed.end(), by_path);
    std::sort(report_.warnings.begin(), report_.warnings.end(), by_path);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    report_.seconds = seconds.count();
    return std::move(report_);
  }

 private:
  /// Which of two sources of one handle counts must depend neither on who is faster nor on what
  /// they hold: the first by path does, the others are refused.
  void FindSharedHandles() {
    std::vector<std::size_t> order(items_.sources.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return items_.sources[a].path < items_.sources[b].path;
    });
    std::unordered_map<std::string_view, std::size_t> first_of;
    for (const std::size_t index : order) {
      if (items_.sources[index].kind == ImportSource::Kind::kUnreadable) continue;
      const auto [first, inserted] = first_of.emplace(items_.sources[index].handle, index);
      if (!inserted) taken_by_.emplace(index, first->second);
    }
  }

  Status ImportOne(std::size_t index) {
    const ImportSource& source = items_.sources[index];
    if (const auto taken = taken_by_.find(index); taken != taken_by_.end()) {
      return Fail(source, ErrorCode::kAlreadyExists,
                  "handle '" + source.handle + "' is that of " +
                      items_.sources[taken->second].path +
                      " in this import too; rename one of them, or import it by itself");
    }
    if (options_.cancel != nullptr && options_.cancel->cancelled()) {
      return Cancelled("import interrupted; what was committed stays, run it again to go on");
    }
    auto prepared = items_.prepare(index);
    if (!prepared.ok()) {
      return Fail(source, prepared.error().code(), std::string(prepared.error().message()));
    }
    if (!prepared->has_value()) {
      Done(source, [&] {
        ++report_.unchanged;
        report_.bytes_in += source.bytes;
      });
      return Ok();
    }
    return Add(**std::move(prepared));
  }

  Status Fail(const ImportSource& source, ErrorCode code, std::string message) {
    Done(source, [&] {
      report_.failed.push_back({source.path, code, message});
      report_.bytes_in += source.bytes;
    });
    if (options_.keep_going) return Ok();
    return Error(code, source.path + ": " + message);
  }

  template <class Change>
  void Done(const ImportSource& source, Change change) {
    {
      const std::lock_guard lock(mutex_);
      change();
      ++progress_.files_done;
      progress_.bytes_done += source.bytes;
    }
    ReportProgress(false);
  }

  /// Put it into the batch; whoever fills the batch commits it while the others go on.
  Status Add(PreparedBacktest backtest) {
    std::vector<PreparedBacktest> full;
    {
      const std::lock_guard lock(mutex_);
      pending_rows_ += backtest.snapshot_rows();
      pending_.push_back(std::move(backtest));
      if (pending_rows_ < options_.batch_rows && pending_.size() < kMaxBatchBacktests) return Ok();
      full = std::exchange(pending_, {});
      pending_rows_ = 0;
    }
    return CommitOne(std::move(full));
  }

  Status CommitPending() { return CommitOne(std::exchange(pending_, {})); }

  Status CommitOne(std::vector<PreparedBacktest> batch) {
    if (batch.empty()) return Ok();
    // Which of two files of one handle wins must not depend on who was faster.
    std::sort(batch.begin(), batch.end(), [](const PreparedBacktest& a, const PreparedBacktest& b) {
      return a.provenance.path < b.provenance.path;
    });
    LAMINA_ASSIGN(const BatchReport report, CommitBatch(store_, batch, options_.replace));
    Status refused = Ok();
    {
      const std::lock_guard lock(mutex_);
      report_.runs_new += report.runs_new;
      report_.runs_shared += report.runs_shared;
      report_.bytes_stored += report.bytes_stored;
      report_.commits += report.committed ? 1 : 0;
      for (std::size_t i = 0; i < batch.size(); ++i) Count(batch[i], report, i);
      if (!options_.keep_going && !report_.failed.empty()) {
        refused = Error(report_.failed.back().code,
                        report_.failed.back().path + ": " + report_.failed.back().message);
      }
    }
    ReportProgress(false);
    return refused;
  }

  /// REQUIRES mutex_.
  void Count(const PreparedBacktest& backtest, const BatchReport& report, std::size_t i) {
    const std::string path = backtest.provenance.path.value_or(backtest.provenance.handle);
    ++progress_.files_done;
    progress_.bytes_done += backtest.provenance.file_bytes;
    report_.bytes_in += backtest.provenance.file_bytes;
    switch (report.outcomes[i]) {
      case StoreOutcome::kImported:
        ++report_.imported;
        break;
      case StoreOutcome::kUnchanged:
        ++report_.unchanged;
        return;
      case StoreOutcome::kReplaced:
        ++report_.replaced;
        break;
      case StoreOutcome::kRefused:
        report_.failed.push_back({path, ErrorCode::kAlreadyExists, report.messages[i]});
        return;
    }
    for (const std::string& warning : backtest.warnings) {
      report_.warnings.push_back({path, warning});
    }
  }

  void ReportProgress(bool last) {
    if (!options_.progress) return;
    const std::lock_guard lock(progress_mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (!last && now - last_progress_ < std::chrono::milliseconds(100)) return;
    last_progress_ = now;
    ImportProgress progress;
    {
      const std::lock_guard state_lock(mutex_);
      progress = progress_;
    }
    options_.progress(progress);
  }

  BacktestStore& store_;
  const Items& items_;
  const ImportOptions& options_;
  std::unordered_map<std::size_t, std::size_t> taken_by_;  ///< source: the one that has its handle

  std::mutex mutex_;  ///< guards what follows
  ImportReport report_;
  ImportProgress progress_;
  std::vector<PreparedBacktest> pending_;
  std::int64_t pending_rows_ = 0;

  std::mutex progress_mutex_;
  std::chrono::steady_clock::time_point last_progress_{};
};

Result<PutReport> StorePrepared(BacktestStore& store, PreparedBacktest prepared, bool replace,
                                const AlsoWrite& also) {
  PutReport put;
  put.warnings = prepared.warnings;
  std::vector<PreparedBacktest> batch;
  batch.push_back(std::move(prepared));
  LAMINA_ASSIGN(const BatchReport report, CommitBatch(store, batch, replace, also));
  put.unchanged = report.outcomes[0] == StoreOutcome::kUnchanged;
  put.replaced = report.outcomes[0] == StoreOutcome::kReplaced;
  if (report.outcomes[0] == StoreOutcome::kRefused) return AlreadyExists(report.messages[0]);
  return put;
}

/// What a worker may do with a file, and how it takes turns with the others.
struct FileRules {
  std::int64_t max_document_bytes;
  std::mutex large_documents;
};

/// The backtest of a legacy folder. That it is unchanged shows when its document is stored.
Result<std::optional<PreparedBacktest>> PrepareLegacyFolder(BacktestStore& store,
                                                            const ImportSource& source,
                                                            FileRules& rules) {
  io::Env& env = store.catalog().env();
  LAMINA_TRY(CheckHandle(source.handle));
  LAMINA_ASSIGN(const auto info, env.Stat(source.path));
  // Its size is known only when it is read, so it is read in turn.
  const std::unique_lock<std::mutex> turn(rules.large_documents);
  LAMINA_ASSIGN(auto legacy, ReadLegacyFolder(env, source.path, rules.max_document_bytes));
  Provenance provenance;
  provenance.handle = source.handle;
  provenance.path = source.path;
  provenance.mtime_ns = info.mtime_ns;
  provenance.version = legacy.version;
  const auto limit = static_cast<std::size_t>(rules.max_document_bytes);
  LAMINA_ASSIGN(auto prepared,
                PrepareDocument(env, std::move(provenance), std::move(legacy.document),
                                std::move(legacy.warnings),
                                {.max_bytes = limit, .max_nodes = limit / kBytesPerValueMin}));
  return std::optional<PreparedBacktest>(std::move(prepared));
}

Result<std::optional<PreparedBacktest>> PrepareFile(BacktestStore& store,
                                                    const ImportSource& source, FileRules& rules) {
  io::Env& env = store.catalog().env();
  if (source.kind == ImportSource::Kind::kUnreadable) return UnreadableSource(env, source);
  if (source.kind == ImportSource::Kind::kLegacyFolder) {
    return PrepareLegacyFolder(store, source, rules);
  }
  Provenance provenance;
  provenance.handle = source.handle;
  provenance.path = source.path;
  LAMINA_ASSIGN(const auto info, env.Stat(source.path));
  provenance.mtime_ns = info.mtime_ns;
  LAMINA_ASSIGN(const std::string file,
                env.ReadFile(source.path, rules.max_document_bytes + kFileOverheadBytes));
  LAMINA_TRY(CheckHandle(source.handle));
  bool unchanged = false;
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(const auto live, FindBacktest(database, source.handle, {}));
    unchanged = live && live->file_bytes == static_cast<std::int64_t>(file.size()) &&
                live->file_sha256 == Sha256(file);
    return Ok();
  }));
  if (unchanged) return std::optional<PreparedBacktest>();
  const auto limit = static_cast<std::size_t>(rules.max_document_bytes);
  LAMINA_ASSIGN(auto bundle, bundle::ReadBundle(file, {.max_document_bytes = limit}));
  std::unique_lock<std::mutex> turn(rules.large_documents, std::defer_lock);
  if (bundle.document.size() >= kLargeDocumentBytes) turn.lock();
  LAMINA_ASSIGN(auto prepared,
                PrepareBundle(env, std::move(provenance), file, std::move(bundle),
                              {.max_bytes = limit, .max_nodes = limit / kBytesPerValueMin}));
  return std::optional<PreparedBacktest>(std::move(prepared));
}

Result<ImportReport> ImportItems(BacktestStore& store, const Items& items,
                                 const ImportOptions& options) {
  LAMINA_ASSIGN(auto report, Import(store, items, options).Run());
  if (report.commits > 0) LAMINA_TRY(store.catalog().CompactSmallFiles());
  return report;
}

}  // namespace

Result<ImportReport> ImportBundles(BacktestStore& store, const std::vector<ImportSource>& sources,
                                   const ImportOptions& options) {
  if (options.max_document_bytes < 1) {
    return InvalidArgument("max_document_bytes must be at least 1");
  }
  FileRules rules{.max_document_bytes = options.max_document_bytes, .large_documents = {}};
  const auto prepare = [&](std::size_t index) -> Result<std::optional<PreparedBacktest>> {
    auto prepared = PrepareFile(store, sources[index], rules);
    if (prepared.ok() || prepared.error().code() != ErrorCode::kResourceExhausted) return prepared;
    return ResourceExhausted(std::string(prepared.error().message()) +
                             "; a larger max_document allows more");
  };
  return ImportItems(store, {sources, prepare}, options);
}

Result<ImportReport> ImportDocuments(BacktestStore& store, const std::vector<std::string>& handles,
                                     std::uint32_t version, const DocumentSource& document_of,
                                     const ImportOptions& options) {
  Items items;
  for (const std::string& handle : handles) items.sources.push_back({handle, handle, 0});
  items.prepare = [&](std::size_t index) -> Result<std::optional<PreparedBacktest>> {
    LAMINA_ASSIGN(std::string document, document_of(index));
    Provenance provenance;
    provenance.handle = handles[index];
    provenance.version = version;
    LAMINA_ASSIGN(auto prepared, PrepareDocument(store.catalog().env(), std::move(provenance),
                                                 std::move(document)));
    return std::optional<PreparedBacktest>(std::move(prepared));
  };
  return ImportItems(store, items, options);
}

Result<PutReport> PutBundle(BacktestStore& store, std::string_view handle, ByteView file,
                            bool replace) {
  Provenance provenance;
  provenance.handle = handle;
  LAMINA_ASSIGN(auto bundle, bundle::ReadBundle(file));
  LAMINA_ASSIGN(auto prepared, PrepareBundle(store.catalog().env(), std::move(provenance), file,
                                             std::move(bundle)));
  LAMINA_ASSIGN(auto put, StorePrepared(store, std::move(prepared), replace, {}));
  LAMINA_TRY(store.catalog().CompactSmallFiles());
  return put;
}

Result<PutReport> PutDocument(BacktestStore& store, std::string_view handle, std::uint32_t version,
                              std::string document, bool replace) {
  Provenance provenance;
  provenance.handle = handle;
  provenance.version = version;
  LAMINA_ASSIGN(auto prepared,
                PrepareDocument(store.catalog().env(), std::move(provenance), std::move(document)));
  LAMINA_ASSIGN(auto put, StorePrepared(store, std::move(prepared), replace, {}));
  LAMINA_TRY(store.catalog().CompactSmallFiles());
  return put;
}

Status RestoreBacktest(
    BacktestStore& store, const BacktestRecord& deleted, std::string document,
    const std::function<Status(catalog::Database&, std::int64_t backtest_id)>& also) {
  Provenance provenance;
  provenance.handle = deleted.handle;
  provenance.path = deleted.source_path;
  provenance.version = deleted.bundle_version;
  provenance.file_sha256 = deleted.file_sha256;
  provenance.file_bytes = deleted.file_bytes;
  LAMINA_ASSIGN(auto prepared, PrepareDocument(store.catalog().env(), std::move(provenance),
                                               std::move(document), deleted.warnings));
  LAMINA_ASSIGN(const auto put, StorePrepared(store, std::move(prepared), false, also));
  if (put.unchanged) return Conflict("'" + deleted.handle + "' was stored again meanwhile");
  return Ok();
}

}  // namespace lamina::backtests
