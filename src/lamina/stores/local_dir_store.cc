#include "lamina/stores/local_dir_store.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <system_error>

#include "lamina/backtests/legacy_folder.h"
#include "lamina/backtests/price_files.h"
#include "lamina/base/uuid.h"
#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/layout.h"
#include "lamina/stores/local_tiered_store.h"

namespace lamina::stores {
namespace {

using backtests::ExportOptions;
using backtests::ExportReport;
using backtests::ImportFailure;
using backtests::ImportOptions;
using backtests::ImportReport;
using backtests::ImportSource;
using backtests::PutReport;

constexpr std::int64_t kBundleBytesMax = std::int64_t{1} << 31;
/// A file name has 255 bytes; the rest is for suffixes, of files being written too.
constexpr std::size_t kPartBytesMax = 210;
constexpr std::string_view kSuffixes[] = {".iafbt", ".obtf"};

/// The suffix that a bundle's file had, or that the framework gives to its version.
std::string_view SuffixOf(std::uint32_t version, std::string_view former_path = {}) {
  for (const std::string_view suffix : kSuffixes) {
    if (former_path.ends_with(suffix)) return suffix;
  }
  return kSuffixes[version < 5 ? 0 : 1];
}

Result<std::string> RealPath(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  if (!error) return real.string();
  if (error == std::errc::no_such_file_or_directory) return NotFound("no file " + path);
  return IoError("resolving " + path + ": " + error.message());
}

Status CheckHandle(std::string_view handle) {
  LAMINA_TRY(backtests::CheckHandle(handle));
  for (std::size_t begin = 0; begin < handle.size();) {
    const std::size_t end = std::min(handle.find('/', begin), handle.size());
    if (end - begin > kPartBytesMax) {
      return InvalidArgument("a part of handle '" + std::string(handle.substr(0, 80)) +
                             "…' is longer than " + std::to_string(kPartBytesMax) +
                             " bytes, too long for a file's name");
    }
    begin = end + 1;
  }
  return Ok();
}

/// A bundle in memory, found good.
struct OpenBundle {
  explicit OpenBundle(bundle::Document parsed) : document(std::move(parsed)) {}
  bundle::Document document;
  std::optional<bundle::Layout> layout;
};

Result<std::unique_ptr<OpenBundle>> Open(std::uint32_t version, std::string document) {
  LAMINA_ASSIGN(auto parsed, bundle::Document::Parse(std::move(document)));
  auto open = std::make_unique<OpenBundle>(std::move(parsed));
  LAMINA_ASSIGN(open->layout, bundle::ReadLayout(version, open->document));
  return open;
}

/// Make `temporary` the file `path`, for good. RETURNS kAlreadyExists unless `replace`.
Status MoveIntoPlace(io::Env& env, const std::string& temporary, const std::string& path,
                     bool replace) {
  Status moved = replace ? env.Rename(temporary, path) : env.RenameToNew(temporary, path);
  if (!moved.ok()) {
    (void)env.Unlink(temporary);
    return moved;
  }
  return env.SyncDirectory(io::ParentPath(path));
}

std::string TemporaryName(const std::string& path) {
  return path + "." + RandomUuid4().ToString().substr(0, 13) + ".tmp";
}

Status WriteBundleFile(io::Env& env, const std::string& path, ByteView bytes, bool replace) {
  if (replace) return env.WriteFileAtomically(path, bytes);
  const std::string temporary = TemporaryName(path);
  LAMINA_TRY(env.WriteFileAtomically(temporary, bytes));
  return MoveIntoPlace(env, temporary, path, false);
}

Error Occupied(std::string_view handle) {
  return AlreadyExists("'" + std::string(handle) +
                       "' holds another document; replace it to overwrite");
}

}  // namespace

struct LocalDirStore::Listing {
  std::vector<ImportSource> sources;
  std::vector<ImportFailure> unreachable;
};

Result<std::unique_ptr<LocalDirStore>> LocalDirStore::Open(io::Env& env, const std::string& root,
                                                           const Options& options) {
  if (options.level < 1 || options.level > 22) {
    return InvalidArgument("zstd level " + std::to_string(options.level) + " is outside 1..22");
  }
  auto info = env.Stat(root);
  if (!info.ok() && info.error().code() == ErrorCode::kNotFound && options.create) {
    LAMINA_TRY(env.CreateDirectories(root));
    info = env.Stat(root);
  }
  if (!info.ok()) return std::move(info).error();
  if (!info->is_directory) return InvalidArgument(root + " is not a folder");
  for (const std::string_view name : {"lamina.toml", "catalog.sqlite"}) {
    if (env.Exists(io::JoinPath(root, name))) {
      return InvalidArgument(root + " is a Lamina store, not a folder of bundles; open it as " +
                             "local-tiered");
    }
  }
  LAMINA_ASSIGN(std::string real, RealPath(root));
  return std::unique_ptr<LocalDirStore>(new LocalDirStore(env, std::move(real), options.level));
}

Status LocalDirStore::CheckInside(const std::string& path) {
  LAMINA_ASSIGN(const std::string real, RealPath(path));
  if (real == root_ || real.starts_with(root_ == "/" ? root_ : root_ + "/")) return Ok();
  return InvalidArgument(path + " is reached by a link that leads out of " + root_);
}

Result<LocalDirStore::Listing> LocalDirStore::List() {
  LAMINA_ASSIGN(auto found, backtests::FindBundles(env_, {root_}));
  Listing listing;
  std::map<std::string, int> files_of;
  for (const ImportSource& source : found) {
    if (source.kind == ImportSource::Kind::kBundle) ++files_of[source.handle];
  }
  for (ImportSource& source : found) {
    if (source.kind == ImportSource::Kind::kUnreadable) {
      const Error error = backtests::UnreadableSource(env_, source);
      listing.unreachable.push_back({source.path, error.code(), std::string(error.message())});
      continue;
    }
    // Two files of one name are told apart by their suffixes.
    if (files_of[source.handle] > 1) source.handle = source.path.substr(root_.size() + 1);
    Status usable = CheckHandle(source.handle);
    if (usable.ok()) usable = CheckInside(source.path);
    if (usable.ok()) {
      listing.sources.push_back(std::move(source));
    } else {
      listing.unreachable.push_back(
          {source.path, usable.error().code(), std::string(usable.error().message())});
    }
  }
  std::sort(listing.sources.begin(), listing.sources.end(),
            [](const ImportSource& a, const ImportSource& b) { return a.handle < b.handle; });
  return listing;
}

Result<std::vector<ImportSource>> LocalDirStore::Sources() {
  LAMINA_ASSIGN(auto listing, List());
  return std::move(listing.sources);
}

Result<std::vector<std::string>> LocalDirStore::Handles() {
  LAMINA_ASSIGN(const auto sources, Sources());
  std::vector<std::string> handles;
  for (const ImportSource& source : sources) handles.push_back(source.handle);
  return handles;
}

Result<std::vector<ImportFailure>> LocalDirStore::Unreachable() {
  LAMINA_ASSIGN(auto listing, List());
  return std::move(listing.unreachable);
}

Result<std::optional<std::string>> LocalDirStore::FindPath(std::string_view handle) {
  LAMINA_TRY(CheckHandle(handle));
  std::vector<std::string> found;
  const auto look = [&](const std::string& path) {
    const auto info = env_.Stat(path);
    if (info.ok() && info->is_regular) found.push_back(path);
  };
  const std::string path = io::JoinPath(root_, handle);
  if (HasBundleSuffix(handle)) look(path);
  if (found.empty()) {
    const std::string bare = io::JoinPath(root_, WithoutBundleSuffix(handle));
    for (const std::string_view suffix : kSuffixes) look(bare + std::string(suffix));
  }
  if (found.empty()) return std::optional<std::string>();
  if (found.size() > 1) {
    return Conflict("'" + std::string(handle) + "' is two files, " + io::BaseName(found[0]) +
                    " and " + io::BaseName(found[1]) + "; say which one by its suffix");
  }
  LAMINA_TRY(CheckInside(found[0]));
  return std::optional<std::string>(found[0]);
}

Result<std::string> LocalDirStore::PathOf(std::string_view handle) {
  LAMINA_ASSIGN(auto path, FindPath(handle));
  if (path) return *std::move(path);
  LAMINA_ASSIGN(const auto handles, Handles());
  return NoSuchBacktest(handle, handles);
}

Result<bool> LocalDirStore::Exists(std::string_view handle) {
  auto path = FindPath(handle);
  if (path.ok()) return path->has_value();
  if (path.error().code() == ErrorCode::kInvalidArgument) return false;
  return std::move(path).error();
}

Result<StoredDocument> LocalDirStore::Read(std::string_view handle) {
  LAMINA_ASSIGN(const std::string path, PathOf(handle));
  LAMINA_ASSIGN(const std::string file, env_.ReadFile(path, kBundleBytesMax));
  auto read = bundle::ReadBundle(file);
  if (!read.ok()) return std::move(read).error().With("reading " + path);
  return StoredDocument{read->version, std::move(read->document)};
}

Result<std::vector<backtests::IndexRow>> LocalDirStore::IndexRows(std::string_view handle) {
  LAMINA_ASSIGN(const std::string path, PathOf(handle));
  LAMINA_ASSIGN(const auto info, env_.Stat(path));
  LAMINA_ASSIGN(StoredDocument stored, Read(handle));
  auto open = stores::Open(stored.version, std::move(stored.document));
  if (!open.ok()) return std::move(open).error().With("reading " + path);
  auto rows = backtests::IndexRowsOf(*(*open)->layout, handle);
  for (backtests::IndexRow& row : rows) {
    row.bundle_mtime_ns = info.mtime_ns;
    row.bundle_size = info.size;
  }
  return rows;
}

Result<PutReport> LocalDirStore::Put(std::string_view handle, std::uint32_t version,
                                     std::string document, bool replace) {
  LAMINA_ASSIGN(auto path, FindPath(handle));
  PutReport report;
  LAMINA_ASSIGN(const auto open, stores::Open(version, std::move(document)));
  report.warnings = open->layout->warnings;
  if (path) {
    LAMINA_ASSIGN(const StoredDocument held, Read(handle));
    report.unchanged = held.version == version && held.document == open->document.bytes();
    if (report.unchanged) return report;
    if (!replace) return Occupied(handle);
    report.replaced = true;
  } else {
    path = io::JoinPath(root_, handle);
    if (!HasBundleSuffix(handle)) *path += SuffixOf(version);
    LAMINA_TRY(env_.CreateDirectories(io::ParentPath(*path)));
    LAMINA_TRY(CheckInside(io::ParentPath(*path)));
  }
  LAMINA_ASSIGN(const std::string file,
                bundle::WriteBundle(version, open->document.bytes(), level_));
  auto written = WriteBundleFile(env_, *path, file, replace);
  if (!written.ok() && written.error().code() == ErrorCode::kAlreadyExists) return Occupied(handle);
  LAMINA_TRY(std::move(written));
  return report;
}

Result<PutReport> LocalDirStore::TakeFolder(const ImportSource& source,
                                            const ImportOptions& options) {
  LAMINA_ASSIGN(auto legacy,
                backtests::ReadLegacyFolder(env_, source.path, options.max_document_bytes));
  LAMINA_ASSIGN(auto report,
                Put(source.handle, legacy.version, std::move(legacy.document), options.replace));
  report.warnings.insert(report.warnings.begin(), legacy.warnings.begin(), legacy.warnings.end());
  return report;
}

/// A bundle file of elsewhere, byte for byte, and its prices.
Result<PutReport> LocalDirStore::Take(const ImportSource& source, const ImportOptions& options) {
  const bool replace = options.replace;
  LAMINA_ASSIGN(const std::string file, env_.ReadFile(source.path, kBundleBytesMax));
  bundle::BundleLimits limits;
  limits.max_document_bytes = static_cast<std::size_t>(options.max_document_bytes);
  LAMINA_ASSIGN(auto read, bundle::ReadBundle(file, limits));
  LAMINA_ASSIGN(const auto open, stores::Open(read.version, std::move(read.document)));
  PutReport report;
  report.warnings = std::move(read.warnings);
  report.warnings.insert(report.warnings.end(), open->layout->warnings.begin(),
                         open->layout->warnings.end());
  LAMINA_ASSIGN(auto path, FindPath(source.handle));
  if (path) {
    LAMINA_ASSIGN(const StoredDocument held, Read(source.handle));
    report.unchanged = held.version == read.version && held.document == open->document.bytes();
    if (!report.unchanged && !replace) return Occupied(source.handle);
    report.replaced = !report.unchanged;
  } else {
    path = io::JoinPath(root_, source.handle);
    if (!HasBundleSuffix(source.handle)) *path += SuffixOf(read.version, source.path);
    LAMINA_TRY(env_.CreateDirectories(io::ParentPath(*path)));
    LAMINA_TRY(CheckInside(io::ParentPath(*path)));
  }
  const auto prices = [&](const backtests::OhlcvReference& reference) -> Result<std::string> {
    LAMINA_ASSIGN(const auto at_source, backtests::ReadOhlcvManifest(*open->layout, source.path));
    for (const auto& original : at_source) {
      if (original.name != reference.name) continue;
      auto content = backtests::ReadPriceFile(env_, source.path, original);
      if (content.ok()) return content;
      report.warnings.push_back("prices '" + reference.key +
                                "': " + std::string(content.error().message()) + "; not stored");
    }
    return NotFound("no prices " + reference.name);
  };
  LAMINA_TRY(backtests::WritePriceFiles(env_, prices, *open->layout, *path, report.warnings));
  if (report.unchanged) return report;
  auto written = WriteBundleFile(env_, *path, file, replace);
  if (!written.ok() && written.error().code() == ErrorCode::kAlreadyExists) {
    return Occupied(source.handle);
  }
  LAMINA_TRY(std::move(written));
  return report;
}

/// What several threads say of what they stored.
class LocalDirStore::Writer {
 public:
  explicit Writer(const ImportOptions& options, std::size_t count) : options_(options) {
    progress_.files_total = static_cast<std::int64_t>(count);
  }

  Status Run(std::size_t count, const std::function<Result<PutReport>(std::size_t)>& put,
             const std::function<std::pair<std::string, std::int64_t>(std::size_t)>& name) {
    return ParallelFor(count, options_.workers, [&](std::size_t index, std::size_t) -> Status {
      if (options_.cancel != nullptr && options_.cancel->cancelled()) {
        return Cancelled("interrupted; what was stored stays, run it again to go on");
      }
      auto done = put(index);
      return Note(name(index), std::move(done));
    });
  }

  ImportReport Finish() {
    const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
    std::sort(report_.failed.begin(), report_.failed.end(), by_path);
    std::sort(report_.warnings.begin(), report_.warnings.end(), by_path);
    return std::move(report_);
  }

 private:
  Status Note(const std::pair<std::string, std::int64_t>& item, Result<PutReport> done) {
    const std::lock_guard lock(mutex_);
    ++progress_.files_done;
    progress_.bytes_done += item.second;
    report_.bytes_in += item.second;
    if (!done.ok()) {
      report_.failed.push_back(
          {item.first, done.error().code(), std::string(done.error().message())});
      if (!options_.keep_going) return std::move(done).error().With(item.first);
    } else {
      (done->unchanged ? report_.unchanged
                       : (done->replaced ? report_.replaced : report_.imported)) += 1;
      if (!done->unchanged) {
        report_.bytes_stored += item.second;
        for (std::string& text : done->warnings) {
          report_.warnings.push_back({item.first, std::move(text)});
        }
      }
    }
    if (options_.progress) options_.progress(progress_);
    return Ok();
  }

  const ImportOptions& options_;
  std::mutex mutex_;
  ImportReport report_;
  backtests::ImportProgress progress_;
};

Result<ImportReport> LocalDirStore::Import(const std::vector<ImportSource>& sources,
                                           const ImportOptions& options) {
  Writer writer(options, sources.size());
  std::map<std::string_view, std::string_view> first;  // by path, of those with one handle
  for (const ImportSource& source : sources) {
    if (source.kind == ImportSource::Kind::kUnreadable) continue;
    const auto [place, fresh] = first.try_emplace(source.handle, source.path);
    if (!fresh && source.path < place->second) place->second = source.path;
  }
  const auto take = [&](std::size_t i) -> Result<PutReport> {
    if (sources[i].kind == ImportSource::Kind::kUnreadable) {
      return backtests::UnreadableSource(env_, sources[i]);
    }
    const std::string_view owner = first.at(sources[i].handle);
    if (owner != sources[i].path) {
      return AlreadyExists("'" + sources[i].handle + "' is the handle of " + std::string(owner) +
                           " as well");
    }
    return sources[i].kind == ImportSource::Kind::kLegacyFolder ? TakeFolder(sources[i], options)
                                                                : Take(sources[i], options);
  };
  LAMINA_TRY(writer.Run(sources.size(), take, [&](std::size_t i) {
    return std::pair(sources[i].path, sources[i].bytes);
  }));
  return writer.Finish();
}

Result<backtests::MergeReport> LocalDirStore::Merge(
    std::string_view handle, const std::vector<backtests::MergeSource>& sources,
    bool replace_windows) {
  LAMINA_ASSIGN(const std::string path, PathOf(handle));
  LAMINA_ASSIGN(StoredDocument held, Read(handle));
  LAMINA_ASSIGN(auto report,
                backtests::MergeInto(held.version, held.document, sources, replace_windows));
  if (report.unchanged) return report;
  LAMINA_ASSIGN(const auto open, stores::Open(held.version, std::move(held.document)));
  const auto prices = [&](const backtests::OhlcvReference& reference) -> Result<std::string> {
    for (const backtests::MergeSource& source : sources) {
      if (!source.path) continue;
      LAMINA_ASSIGN(auto document, stores::Open(source.version, source.document));
      LAMINA_ASSIGN(const auto theirs,
                    backtests::ReadOhlcvManifest(*document->layout, *source.path));
      for (const auto& original : theirs) {
        if (original.name == reference.name) {
          return backtests::ReadPriceFile(env_, *source.path, original);
        }
      }
    }
    return NotFound("no prices " + reference.name);
  };
  LAMINA_TRY(backtests::WritePriceFiles(env_, prices, *open->layout, path, report.warnings));
  LAMINA_ASSIGN(const std::string file,
                bundle::WriteBundle(held.version, open->document.bytes(), level_));
  LAMINA_TRY(WriteBundleFile(env_, path, file, true));
  return report;
}

Result<ExportReport> LocalDirStore::Export(std::string_view handle, const std::string& path,
                                           const ExportOptions& options) {
  LAMINA_ASSIGN(const std::string from, PathOf(handle));
  LAMINA_ASSIGN(std::string file, env_.ReadFile(from, kBundleBytesMax));
  auto read = bundle::ReadBundle(file);
  if (!read.ok()) return std::move(read).error().With("reading " + from);
  ExportReport report;
  report.path = path;
  report.format_version = read->version;
  report.document_sha256 = Sha256(read->document);
  if (options.format_version && *options.format_version != read->version) {
    return Unsupported("'" + std::string(handle) + "' is a bundle of version " +
                       std::to_string(read->version) +
                       "; import it into a Lamina store to write it as another one");
  }
  if (options.level) {
    LAMINA_ASSIGN(std::string again,
                  bundle::WriteBundle(read->version, read->document, *options.level));
    report.identical_to_original = again == file;
    report.level = *options.level;
    file = std::move(again);
  } else {
    report.identical_to_original = true;
  }
  LAMINA_ASSIGN(const auto open, stores::Open(read->version, std::move(read->document)));
  const auto prices = [&](const backtests::OhlcvReference& reference) -> Result<std::string> {
    LAMINA_ASSIGN(const auto here, backtests::ReadOhlcvManifest(*open->layout, from));
    for (const auto& original : here) {
      if (original.name == reference.name) return backtests::ReadPriceFile(env_, from, original);
    }
    return NotFound("no prices " + reference.name);
  };
  LAMINA_TRY(backtests::WritePriceFiles(env_, prices, *open->layout, path, report.warnings));
  LAMINA_TRY(env_.WriteFileAtomically(path, file));
  report.bytes = static_cast<std::int64_t>(file.size());
  report.sha256 = Sha256(file);
  return report;
}

Status LocalDirStore::Delete(std::string_view handle) {
  auto path = FindPath(handle);
  if (!path.ok() && path.error().code() == ErrorCode::kInvalidArgument) return Ok();
  if (!path.ok()) return std::move(path).error();
  if (!*path) return Ok();
  Status gone = env_.Unlink(**path);
  if (!gone.ok() && gone.error().code() != ErrorCode::kNotFound) return gone;
  return env_.SyncDirectory(io::ParentPath(**path));
}

Result<ImportReport> LocalDirStore::CopySlice(BacktestStore& source,
                                              const std::vector<std::string>& handles,
                                              const ImportOptions& options) {
  Writer writer(options, handles.size());
  const auto tiered = dynamic_cast<LocalTieredStore*>(&source);
  const auto folder = dynamic_cast<LocalDirStore*>(&source);
  const auto put = [&](std::size_t i) -> Result<PutReport> {
    const std::string& handle = handles[i];
    if (folder != nullptr) {
      LAMINA_ASSIGN(const std::string path, folder->PathOf(handle));
      return Take({path, handle, 0}, options);
    }
    if (tiered == nullptr) {
      LAMINA_ASSIGN(StoredDocument stored, source.Read(handle));
      return Put(handle, stored.version, std::move(stored.document), options.replace);
    }
    return Receive(*tiered, handle, options.replace);
  };
  LAMINA_TRY(writer.Run(handles.size(), put,
                        [&](std::size_t i) { return std::pair(handles[i], std::int64_t{0}); }));
  return writer.Finish();
}

Result<PutReport> LocalDirStore::Receive(LocalTieredStore& source, const std::string& handle,
                                         bool replace) {
  LAMINA_ASSIGN(const auto record, source.Find(handle));
  LAMINA_ASSIGN(auto path, FindPath(handle));
  PutReport report;
  if (path) {
    LAMINA_ASSIGN(const std::string file, env_.ReadFile(*path, kBundleBytesMax));
    report.unchanged = static_cast<std::int64_t>(file.size()) == record.file_bytes &&
                       Sha256(file) == record.file_sha256;
    if (!report.unchanged) {
      auto held = bundle::ReadBundle(file);
      report.unchanged = held.ok() && held->version == record.bundle_version &&
                         Sha256(held->document) == record.document_sha256;
    }
    if (report.unchanged) return report;
    if (!replace) return Occupied(handle);
    report.replaced = true;
  } else {
    path = io::JoinPath(root_, handle);
    if (!HasBundleSuffix(handle)) {
      *path += SuffixOf(record.bundle_version, record.source_path.value_or(""));
    }
    LAMINA_TRY(env_.CreateDirectories(io::ParentPath(*path)));
    LAMINA_TRY(CheckInside(io::ParentPath(*path)));
  }
  const std::string temporary = TemporaryName(*path);
  LAMINA_ASSIGN(const auto exported, source.Export(handle, temporary, {}));
  report.warnings = exported.warnings;
  auto moved = MoveIntoPlace(env_, temporary, *path, replace);
  if (!moved.ok() && moved.error().code() == ErrorCode::kAlreadyExists) return Occupied(handle);
  LAMINA_TRY(std::move(moved));
  return report;
}

}  // namespace lamina::stores
