#pragma once

/// \file lamina/backtests/import.h
/// Import of bundles: found, decoded, taken apart and checked in parallel, committed in batches.
/// Free functions; the BacktestStore may be used by others meanwhile.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lamina/backtests/backtest_store.h"
#include "lamina/base/parallel.h"

namespace lamina::backtests {

struct ImportProgress {
  std::int64_t files_total = 0, files_done = 0;
  std::int64_t bytes_total = 0, bytes_done = 0;
};

/// Eight times the largest document seen in practice. Importing one takes up to ten times as much.
inline constexpr std::int64_t kMaxDocumentBytes = std::int64_t{64} << 20;

struct ImportOptions {
  std::size_t workers = 0;  ///< 0: all cores
  bool replace = false;     ///< another document under a known handle replaces it
  bool keep_going = true;   ///< false: stop at the first bad file
  const CancelToken* cancel = nullptr;
  /// Called from worker threads, one at a time, at most ten times a second and once at the end.
  std::function<void(const ImportProgress&)> progress;
  /// A bundle that unpacks to more, or to more values than an eighth of it, is refused
  /// (kResourceExhausted): a small hostile file must not take all memory.
  std::int64_t max_document_bytes = kMaxDocumentBytes;
  /// Snapshot rows that make a batch (one commit). Bounds memory.
  std::int64_t batch_rows = 400000;
};

struct ImportFailure {
  std::string path;
  ErrorCode code;
  std::string message;
};

struct ImportReport {
  std::int64_t imported = 0, unchanged = 0, replaced = 0;
  std::vector<ImportFailure> failed;  ///< sorted by path
  struct Warning {
    std::string path, message;
  };
  std::vector<Warning> warnings;  ///< sorted by path
  std::int64_t runs_new = 0, runs_shared = 0;
  std::int64_t bytes_in = 0, bytes_stored = 0;
  double seconds = 0;
  std::int64_t commits = 0;
};

/// A backtest to import: where it is and the handle it gets.
struct ImportSource {
  enum class Kind : std::uint8_t {
    kBundle,
    kLegacyFolder,  ///< a folder of JSON files (legacy_folder.h)
    kUnreadable,    ///< a folder that cannot be listed: what is in it is not known
  };
  std::string path, handle;
  std::int64_t bytes = 0;
  Kind kind = Kind::kBundle;
};

/// The bundles (`*.iafbt`, `*.obtf`) of files and folders (recursive, sorted; links to folders are
/// not followed). Handle: path relative to the given folder, or the file's name, without suffix.
/// RETURNS kNotFound for a path that does not exist.
Result<std::vector<ImportSource>> FindBundles(io::Env& env, const std::vector<std::string>& paths);

/// The same, and legacy backtest folders: the handle is the path of the folder, or the name of the
/// given folder when it is one itself. Bundles inside such a folder are found too, but not among
/// its runs.
Result<std::vector<ImportSource>> FindBacktests(io::Env& env,
                                                const std::vector<std::string>& paths);

/// Why a source of kind kUnreadable is one.
Error UnreadableSource(io::Env& env, const ImportSource& source);

/// Of several sources with one handle the first by path is imported, the others are refused
/// (kAlreadyExists, also with `replace`). Errors of single files are in the report; RETURNS an
/// error when the store itself fails, or kCancelled (batches committed before stay; run it again to
/// go on).
Result<ImportReport> ImportBundles(BacktestStore& store, const std::vector<ImportSource>& sources,
                                   const ImportOptions& options = {});

/// The document of number `index`; called from several threads.
using DocumentSource = std::function<Result<std::string>(std::size_t index)>;

/// The same for documents that are in no file: made, taken apart and checked in parallel.
Result<ImportReport> ImportDocuments(BacktestStore& store, const std::vector<std::string>& handles,
                                     std::uint32_t version, const DocumentSource& document_of,
                                     const ImportOptions& options = {});

struct PutReport {
  bool unchanged = false;
  bool replaced = false;
  std::vector<std::string> warnings;
};

/// One bundle already in memory. RETURNS kAlreadyExists when the handle holds another document and
/// `replace` is false; errors of bundle::ReadBundle for bytes that are not a bundle.
Result<PutReport> PutBundle(BacktestStore& store, std::string_view handle, ByteView file,
                            bool replace = false);

/// One document that is in no file yet; it is stored as a bundle of `version` would be.
Result<PutReport> PutDocument(BacktestStore& store, std::string_view handle, std::uint32_t version,
                              std::string document, bool replace = false);

/// Store a deleted backtest's document again under its handle; `also` runs in the same transaction.
Status RestoreBacktest(
    BacktestStore& store, const BacktestRecord& deleted, std::string document,
    const std::function<Status(catalog::Database&, std::int64_t backtest_id)>& also);

}  // namespace lamina::backtests
