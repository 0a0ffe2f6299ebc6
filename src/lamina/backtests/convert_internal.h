#pragma once

/// \file lamina/backtests/convert_internal.h
/// Parts of ConvertDocument: maps written pair by pair; the series of metrics, moved between
/// inline lists and Parquet blobs; one run in the form of another version. Thread-compatible.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/backtests/series_blob.h"
#include "lamina/base/result.h"
#include "lamina/bundle/map_writer.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {

/// Each text once, in order of first appearance.
void AddWarning(std::vector<std::string>& warnings, std::string text);

/// Where the series of the metrics go. Borrows the source's blobs and the warnings.
class SeriesMover {
 public:
  SeriesMover(std::optional<bundle::Value> blobs, bool to_blobs, std::vector<std::string>* warnings)
      : source_(blobs), to_blobs_(to_blobs), warnings_(warnings) {}

  /// Where series in blobs are from now on.
  void SetSource(std::optional<bundle::Value> blobs) { source_ = blobs; }
  /// The encoded value of the series field `name` in the target. `prefix`: of its blob key.
  Result<std::string> Move(std::string_view name, const bundle::Value& value,
                           const std::string& prefix,
                           const std::optional<bundle::Value>& snapshots);
  const bundle::MapWriter& blobs() const { return blobs_; }
  std::uint32_t blobs_used() const { return used_; }

 private:
  Result<std::string> ToBlob(std::string_view name, const std::string& key,
                             const bundle::Value& list);
  Result<std::string> ToInline(std::string_view name, ByteView blob,
                               const std::optional<bundle::Value>& snapshots);

  std::optional<bundle::Value> source_;
  bool to_blobs_;
  std::vector<std::string>* warnings_;
  BlobEncoder encoder_;
  bundle::MapWriter blobs_;
  std::uint32_t used_ = 0;
};

/// The two forms of a run: of versions 1 and 2, and of 3 to 5.
enum class RunForm : std::uint8_t { kFlat, kWindowed };

/// A key of a run and what stands for it where it is missing, encoded.
struct RunKey {
  std::string_view name, fallback;
};
/// In the order of the document.
std::span<const RunKey> RunKeys(RunForm form);

/// As framework 9.0 makes it of a run that has only dates: all of it is the training range. Nil
/// when it has no start.
std::string TrainingWindow(const bundle::Value& run);

/// Writes runs and tests of one form in another.
class RunMover {
 public:
  RunMover(RunForm from, RunForm to, SeriesMover& series, std::vector<std::string>& warnings)
      : from_(from), to_(to), series_(series), warnings_(warnings) {}

  /// `trading_symbol`: for a flat run whose records tell none.
  Result<std::string> Run(const bundle::Value& run, const std::string& blob_prefix,
                          const std::optional<bundle::Value>& trading_symbol);
  /// A permutation (Monte-Carlo) test; its series stay inline.
  Result<std::string> Test(const bundle::Value& test,
                           const std::optional<bundle::Value>& trading_symbol);

 private:
  Result<std::string> Metrics(const bundle::Value& metrics, const std::string& blob_prefix,
                              const std::optional<bundle::Value>& snapshots);
  Result<std::string> CopyRun(const bundle::Value& run, const std::string& blob_prefix);
  Result<std::string> WindowedRun(const bundle::Value& run, const std::string& blob_prefix);
  Result<std::string> FlatRun(const bundle::Value& run, const std::string& blob_prefix);
  Result<std::string> MetricsOf(const bundle::Value& run, const std::string& blob_prefix);
  void CheckWindow(const bundle::Value& run);
  void WarnOfWindow(const bundle::Value& run);

  RunForm from_, to_;
  SeriesMover& series_;
  std::vector<std::string>& warnings_;
  std::string window_;          ///< encoded, of the run being written
  std::string trading_symbol_;  ///< encoded
};

}  // namespace lamina::backtests
