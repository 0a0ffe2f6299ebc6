#pragma once

/// \file lamina/backtests/merge.h
/// Merging into a backtest of a store: an explicit call, for everything else replaces. Free
/// function; the BacktestStore may be used by others meanwhile.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/backtests/backtest_store.h"

namespace lamina::backtests {

/// What is merged in.
struct MergeSource {
  std::uint32_t version = 0;
  std::string document;             ///< MessagePack
  std::optional<std::string> path;  ///< of its bundle; the prices it names are looked for there
};

struct MergeReport {
  bool unchanged = false;  ///< all was there before
  std::int64_t runs_added = 0, runs_replaced = 0, runs_unchanged = 0;
  std::vector<std::string> warnings;
};

/// Add the runs of the sources, in their order, to those of `handle` in one commit
/// (merge_documents.h); tags and note stay, and the prices of all. Nothing changes when it fails.
/// RETURNS kNotFound, and the errors of MergeDocuments; kConflict also when another process changed
/// the backtest meanwhile.
Result<MergeReport> MergeBacktest(BacktestStore& store, std::string_view handle,
                                  const std::vector<MergeSource>& sources, bool replace_windows);

/// `held` becomes the merged document of all; without a store.
Result<MergeReport> MergeInto(std::uint32_t version, std::string& held,
                              const std::vector<MergeSource>& sources, bool replace_windows);

/// A bundle file, or a legacy backtest folder.
Result<MergeSource> ReadMergeSource(io::Env& env, const std::string& path);

}  // namespace lamina::backtests
