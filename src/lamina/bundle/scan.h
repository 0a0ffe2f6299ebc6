#pragma once

/// \file lamina/bundle/scan.h
/// Identity and summary of a bundle without building the rest: one pass that skips snapshots,
/// trades, orders and blobs. Pure functions; thread-safe.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lamina/bundle/bundle_file.h"

namespace lamina::bundle {

/// One engine of one study.
struct ScannedSummary {
  std::string engine, study, universe;
  std::uint32_t run_count = 0;
  bool present = false;
  std::string summary;         ///< MessagePack map bytes; empty when absent
  std::string risk_free_rate;  ///< MessagePack bytes of the rate that applies; empty when absent
  std::string study_description;
};

/// The window of one run, as its texts say.
struct ScannedRun {
  std::string engine, study, universe;
  std::string start, end;  ///< empty when absent or not a text
};

struct BundleScan {
  std::uint32_t version = 0;
  std::size_t document_bytes = 0;
  /// MessagePack bytes of the identity values; empty when absent.
  std::string algorithm_id, anchor_algorithm_id, tag, parameters, strategy_ids, metadata;
  std::vector<ScannedSummary> summaries;
  std::vector<ScannedRun> runs;
  std::vector<std::string> warnings;
};

/// Errors as ReadBundle, Document::Parse and ReadLayout.
Result<BundleScan> ScanBundle(ByteView file, const BundleLimits& limits = {});
/// The same of a bundle whose container is undone.
Result<BundleScan> ScanDocument(BundleFile bundle);

}  // namespace lamina::bundle
