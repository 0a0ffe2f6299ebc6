#pragma once

/// \file lamina/backtests/import_batch.h
/// From bundle bytes to a backtest ready to be stored, and many of those into the store in one
/// commit. PrepareBacktest is thread-safe; a batch is committed by one thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lamina/backtests/backtest_store.h"
#include "lamina/backtests/decompose.h"
#include "lamina/backtests/index_row.h"

namespace lamina::backtests {

/// Where a document came from.
struct Provenance {
  std::string handle;
  std::optional<std::string> path;
  std::int64_t mtime_ns = 0;
  std::uint32_t version = 0;
  /// Of the bundle file; left at zero they become those of the document, which then came in itself.
  Sha256Digest file_sha256;
  std::int64_t file_bytes = 0;
};

/// All that a commit needs of one backtest; nothing slow is left to do.
struct PreparedBacktest {
  Provenance provenance;
  DecomposedBacktest parts;
  std::vector<IndexRow> index_rows;
  catalog::PreparedChunk skeleton;
  std::vector<catalog::PreparedChunk> prices;  ///< ohlcv files found beside the bundle
  std::optional<std::string> algorithm_id, tag;
  std::vector<std::string> warnings;
  bool replace = false;  ///< another document under its handle is replaced

  std::int64_t snapshot_rows() const;
};

/// Take apart and check one bundle. `file` is its bytes, `bundle` what ReadBundle made of them.
Result<PreparedBacktest> PrepareBundle(io::Env& env, Provenance provenance, ByteView file,
                                       bundle::BundleFile bundle,
                                       const bundle::DocumentLimits& limits = {});
/// The same for a document without its container.
Result<PreparedBacktest> PrepareDocument(io::Env& env, Provenance provenance, std::string document,
                                         std::vector<std::string> warnings = {},
                                         const bundle::DocumentLimits& limits = {});

/// The price files beside the bundle at `bundle_path` become chunks of `backtest`; what is missing
/// or does not match its name is a warning: the document names it all the same.
Status PreparePrices(io::Env& env, const bundle::Layout& layout, const std::string& bundle_path,
                     PreparedBacktest& backtest);

enum class StoreOutcome : std::uint8_t { kImported, kUnchanged, kReplaced, kRefused };

struct BatchReport {
  std::vector<StoreOutcome> outcomes;  ///< one per backtest given
  std::vector<std::string> messages;   ///< why refused; empty otherwise
  std::int64_t runs_new = 0, runs_shared = 0, bytes_stored = 0;
  bool committed = false;
};

enum class OnRefusal : std::uint8_t {
  kGoOn,   ///< the others are stored
  kAbort,  ///< nothing is
};

/// Runs in the transaction after the rows of a backtest were written.
using AlsoWrite = std::function<Status(catalog::Database&, std::int64_t backtest_id)>;

/// Store them all in one commit; those whose handle holds another document are refused unless
/// `replace`. Made again from the new state when another process gets in between.
Result<BatchReport> CommitBatch(BacktestStore& store, const std::vector<PreparedBacktest>& batch,
                                bool replace, const AlsoWrite& also = {},
                                OnRefusal on_refusal = OnRefusal::kGoOn);

}  // namespace lamina::backtests
