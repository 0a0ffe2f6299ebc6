#include "lamina/folder_index/build.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

#include "lamina/backtests/decompose.h"
#include "lamina/backtests/validated_metrics.h"
#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/layout.h"
#include "lamina/bundle/scan.h"

namespace lamina::folder_index {
namespace {

constexpr std::int64_t kMaxBundleBytes = std::int64_t{2} << 30;
constexpr int kReadAttempts = 3;
constexpr std::size_t kBatchFiles = 256;  ///< read between two writes of rows

constexpr std::int64_t kProgressStep = 16;  ///< files

/// What a walk and an index say together.
struct Changes {
  std::vector<const BundleFile*> to_read;
  std::vector<std::string> gone;  ///< paths as in the index
  std::int64_t unchanged = 0;
  std::vector<FileFailure> still_bad;  ///< refused before and not changed since
  std::vector<std::string> forgotten;  ///< refused before, and gone

  bool none() const { return to_read.empty() && gone.empty() && forgotten.empty(); }
};

std::string IndexPath(const IndexScope& scope, const std::string& relative) {
  return scope.absolute_paths ? io::JoinPath(scope.root, relative) : relative;
}

/// For searches that meet both kinds of elements.
std::string PathIn(const IndexScope& scope, const BundleFile& file) {
  return IndexPath(scope, file.path);
}
std::string PathIn(const IndexScope& /*scope*/, const std::string& path) { return path; }

bool IsBelow(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// What an index knows, sorted by path.
struct Known {
  std::vector<IndexedFile> files;
  std::vector<KnownFailure> failures;
};

Result<Known> ReadKnown(IndexFile& index) {
  Known known;
  if (index.version() != kIndexVersion) return known;
  LAMINA_ASSIGN(known.files, index.Files());
  LAMINA_ASSIGN(known.failures, index.Failures());
  return known;
}

const KnownFailure* FindFailure(const Known& known, const std::string& path) {
  const auto found = std::lower_bound(
      known.failures.begin(), known.failures.end(), path,
      [](const auto& failure, const auto& wanted) { return failure.path < wanted; });
  return found != known.failures.end() && found->path == path ? &*found : nullptr;
}

/// Both sides are sorted by path; an absolute path sorts as its relative one does.
Changes Compare(const BundleFiles& found, const Known& index, const IndexScope& scope, bool rebuild,
                bool validate) {
  const std::vector<IndexedFile>& indexed = index.files;
  // What could not be looked at may still be there: its rows stay.
  const auto unseen = [&](const std::string& path) {
    return std::any_of(found.failures.begin(), found.failures.end(), [&](const auto& failure) {
      return IsBelow(path, IndexPath(scope, failure.path));
    });
  };
  Changes changes;
  auto known = indexed.begin();
  const auto pass_gone = [&](const std::string* until) {
    for (; known != indexed.end() && (until == nullptr || known->path < *until); ++known) {
      if (!unseen(known->path)) changes.gone.push_back(known->path);
    }
  };
  for (const BundleFile& file : found.files) {
    const std::string path = IndexPath(scope, file.path);
    pass_gone(&path);
    const bool same = known != indexed.end() && known->path == path;
    const bool current = same && known->complete && known->mtime_ns == file.mtime_ns &&
                         known->size == file.size && (known->validated || !validate);
    const KnownFailure* bad = same ? nullptr : FindFailure(index, path);
    if (current && !rebuild) {
      ++changes.unchanged;
    } else if (bad != nullptr && !rebuild && bad->mtime_ns == file.mtime_ns &&
               bad->size == file.size) {
      changes.still_bad.push_back({file.path, bad->code, bad->message});
    } else {
      changes.to_read.push_back(&file);
    }
    if (same) ++known;
  }
  pass_gone(nullptr);
  for (const KnownFailure& failure : index.failures) {
    const bool there = std::binary_search(
        found.files.begin(), found.files.end(), failure.path,
        [&](const auto& x, const auto& y) { return PathIn(scope, x) < PathIn(scope, y); });
    if (!there && !unseen(failure.path)) changes.forgotten.push_back(failure.path);
  }
  return changes;
}

/// Reads bundles in parallel and writes their rows in the order of paths.
class Reader {
 public:
  Reader(io::Env& env, IndexFile& index, const IndexScope& scope, const BuildOptions& options,
         BuildReport& report)
      : env_(env), index_(index), scope_(scope), options_(options), report_(report) {}

  Status ReadAll(const std::vector<const BundleFile*>& files) {
    state_.files_total = std::ssize(files);
    for (const BundleFile* file : files) state_.bytes_total += file->size;
    for (std::size_t begin = 0; begin < files.size(); begin += kBatchFiles) {
      const std::size_t count = std::min(kBatchFiles, files.size() - begin);
      std::vector<std::optional<Result<ReadRows>>> batch(count);
      LAMINA_TRY(ParallelFor(count, options_.workers, [&](std::size_t i, std::size_t) -> Status {
        if (options_.cancel != nullptr && options_.cancel->cancelled()) {
          return Error(ErrorCode::kCancelled, "indexing was interrupted; the index is as it was");
        }
        const BundleFile& file = *files[begin + i];
        batch[i].emplace(ReadBundleRows(env_, io::JoinPath(scope_.root, file.path),
                                        IndexPath(scope_, file.path), options_.validate));
        Tell(file);
        return Ok();
      }));
      for (std::size_t i = 0; i < count; ++i) LAMINA_TRY(Write(*files[begin + i], *batch[i]));
    }
    return Ok();
  }

 private:
  void Tell(const BundleFile& file) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++state_.files_done;
    state_.bytes_done += file.size;
    const bool due = state_.files_done % kProgressStep == 0;
    if (options_.progress && (due || state_.files_done == state_.files_total)) {
      options_.progress(state_);
    }
  }

  Status Write(const BundleFile& file, Result<ReadRows>& read) {
    LAMINA_TRY(index_.RemoveFile(IndexPath(scope_, file.path)));
    if (!read.ok()) {
      if (read.error().code() == ErrorCode::kNotFound) {  // removed since the walk
        ++report_.removed;
        return Ok();
      }
      const Error& error = read.error();
      report_.failed.push_back({file.path, error.code(), std::string(error.message())});
      const bool lasting = error.code() == ErrorCode::kCorruption ||
                           error.code() == ErrorCode::kInvalidArgument ||
                           error.code() == ErrorCode::kUnsupported;
      if (!lasting) return Ok();
      return index_.AddFailure({IndexPath(scope_, file.path), file.mtime_ns, file.size,
                                error.code(), std::string(error.message())});
    }
    for (std::string& warning : read->warnings) {
      report_.warnings.push_back({file.path, std::move(warning)});
    }
    for (const IndexedRow& row : read->rows) LAMINA_TRY(index_.Upsert(row));
    ++report_.indexed;
    return Ok();
  }

  io::Env& env_;
  IndexFile& index_;
  const IndexScope& scope_;
  const BuildOptions& options_;
  BuildReport& report_;
  std::mutex mutex_;
  backtests::ImportProgress state_;
};

/// A tiered store of the framework keeps bare handles in an index.sqlite of its own, which is its
/// truth: it must not become an index of files.
Status CheckNoFrameworkStore(io::Env& env, IndexFile& index, const std::string& root) {
  bool bare = false;
  LAMINA_TRY(index.ForEachRow("", [&](const IndexedRow& row) -> Status {
    bare |= !row.row.bundle_path.ends_with(".iafbt") && !row.row.bundle_path.ends_with(".obtf");
    return Ok();
  }));
  if (!bare) return Ok();
  std::string message = index.path() + " belongs to a store of another program: its rows name no " +
                        "bundle files; index into another file with -o";
  const auto bundles = env.Stat(io::JoinPath(root, "bundles"));
  if (bundles.ok() && bundles->is_directory) {
    message += ", or index the folder " + io::JoinPath(root, "bundles");
  }
  return InvalidArgument(std::move(message));
}

/// Whether the tables must be made anew for `scope`.
Result<bool> MustRecreate(io::Env& env, IndexFile& index, const IndexScope& scope, bool rebuild) {
  switch (index.kind()) {
    case IndexFile::Kind::kEmpty:
      return true;
    case IndexFile::Kind::kFramework:
      LAMINA_TRY(CheckNoFrameworkStore(env, index, scope.root));
      return true;
    case IndexFile::Kind::kOurs:
      break;
  }
  if (rebuild || index.version() != kIndexVersion) return true;
  if (index.scope()->root != scope.root) {
    return AlreadyExists(index.path() + " is the index of " + index.scope()->root +
                         "; choose another file with -o, or make it the index of " + scope.root +
                         " with --rebuild");
  }
  return index.scope()->absolute_paths != scope.absolute_paths;
}

Status Apply(io::Env& env, IndexFile& index, const IndexScope& scope, const BuildOptions& options,
             const BundleFiles& found, BuildReport& report) {
  LAMINA_ASSIGN(const bool recreate, MustRecreate(env, index, scope, options.rebuild));
  LAMINA_ASSIGN(const Known known, ReadKnown(index));
  Changes changes = Compare(found, known, scope, recreate, options.validate);
  if (recreate) LAMINA_TRY(index.Recreate(scope));
  for (const std::string& path : changes.gone) LAMINA_TRY(index.RemoveFile(path));
  for (const std::string& path : changes.forgotten) LAMINA_TRY(index.RemoveFile(path));
  report.failed = std::move(changes.still_bad);
  report.skipped = changes.unchanged;
  report.removed += std::ssize(changes.gone);
  return Reader(env, index, scope, options, report).ReadAll(changes.to_read);
}

/// Whether an index is already as it should be; then nobody needs the lock.
Result<bool> IsCurrent(IndexFile& index, const IndexScope& scope, const BuildOptions& options,
                       const BundleFiles& found, BuildReport& report) {
  const auto& now = index.scope();
  if (options.rebuild || index.version() != kIndexVersion || now->root != scope.root ||
      now->absolute_paths != scope.absolute_paths) {
    return false;
  }
  Known known;
  LAMINA_TRY(index.ReadState([&]() -> Status {
    LAMINA_ASSIGN(known, ReadKnown(index));
    return Ok();
  }));
  Changes changes = Compare(found, known, scope, false, options.validate);
  if (!changes.none()) return false;
  report.skipped = changes.unchanged;
  report.failed = std::move(changes.still_bad);
  return true;
}

/// Metrics of our own for the rows of a document, as an import computes them.
Status Validate(std::uint32_t version, std::string document,
                std::vector<backtests::IndexRow>& rows) {
  const auto limit = static_cast<std::size_t>(backtests::kMaxDocumentBytes);
  LAMINA_ASSIGN(
      const auto parsed,
      bundle::Document::Parse(std::move(document), {.max_bytes = limit, .max_nodes = limit / 8}));
  LAMINA_ASSIGN(const auto layout, bundle::ReadLayout(version, parsed));
  LAMINA_ASSIGN(const auto parts, backtests::Decompose(parsed, layout));
  return backtests::FillValidatedMetrics(layout, parts.runs, rows);
}

}  // namespace

Result<ReadRows> ReadBundleRows(io::Env& env, const std::string& path,
                                const std::string& bundle_path, bool validate) {
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    LAMINA_ASSIGN(const io::FileInfo before, env.Stat(path));
    LAMINA_ASSIGN(const std::string bytes, env.ReadFile(path, kMaxBundleBytes));
    LAMINA_ASSIGN(const io::FileInfo after, env.Stat(path));
    if (before.size != after.size || before.mtime_ns != after.mtime_ns ||
        std::ssize(bytes) != after.size) {
      continue;
    }
    ReadRows read;
    bundle::BundleLimits limits;
    limits.max_document_bytes = backtests::kMaxDocumentBytes;  // what an import takes
    LAMINA_ASSIGN(auto bundle, bundle::ReadBundle(bytes, limits));
    const Sha256Digest digest = Sha256(bundle.document);
    const std::uint32_t version = bundle.version;
    std::string document = validate ? bundle.document : std::string();
    LAMINA_ASSIGN(auto scan, bundle::ScanDocument(std::move(bundle)));
    LAMINA_ASSIGN(auto rows, backtests::IndexRowsOf(scan, bundle_path));
    if (validate) {
      const Status validated = Validate(version, std::move(document), rows);
      if (!validated.ok()) {
        scan.warnings.push_back("not validated: " + std::string(validated.error().message()));
      }
    }
    for (backtests::IndexRow& row : rows) {
      row.bundle_mtime_ns = after.mtime_ns;
      row.bundle_size = after.size;
      read.rows.push_back({std::move(row), digest});
    }
    read.warnings = std::move(scan.warnings);
    return read;
  }
  return Conflict(path + " changed each time it was read; index again when its writer is done");
}

Result<std::string> RootOf(io::Env& env, const std::string& folder) {
  LAMINA_ASSIGN(const io::FileInfo info, env.Stat(folder));
  if (!info.is_directory) return InvalidArgument(folder + " is not a folder");
  std::error_code error;
  const auto root = std::filesystem::canonical(folder, error);
  if (error) return IoError("resolving " + folder + ": " + error.message());
  return root.string();
}

Result<BuildReport> RefreshIndex(io::Env& env, IndexFile& index, const IndexScope& scope,
                                 const BuildOptions& options) {
  const Nanos begin = env.Monotonic();
  BuildReport report;
  report.path = index.path();
  LAMINA_ASSIGN(BundleFiles found, FindBundleFiles(env, scope.root));
  LAMINA_ASSIGN(const bool current, IsCurrent(index, scope, options, found, report));
  if (!current) {
    LAMINA_TRY(index.Write([&] { return Apply(env, index, scope, options, found, report); }));
  }
  std::move(found.failures.begin(), found.failures.end(), std::back_inserter(report.failed));
  std::sort(report.failed.begin(), report.failed.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  report.seconds = static_cast<double>(env.Monotonic().value - begin.value) / 1e9;
  return report;
}

Result<BuildReport> BuildIndex(io::Env& env, const std::string& folder,
                               const BuildOptions& options) {
  IndexScope scope;
  LAMINA_ASSIGN(scope.root, RootOf(env, folder));
  scope.absolute_paths = options.absolute_paths;
  if (env.Exists(io::JoinPath(scope.root, "lamina.toml"))) {
    return InvalidArgument(folder +
                           " is a store: `lamina list` and `lamina rank` read it directly");
  }
  const std::string output =
      options.output.empty() ? io::JoinPath(scope.root, kIndexName) : options.output;
  LAMINA_ASSIGN(const auto index, IndexFile::OpenToWrite(output));
  return RefreshIndex(env, *index, scope, options);
}

}  // namespace lamina::folder_index
