#pragma once

/// \file tests/crash/harness.h
/// Runs a Layer, and then again and again what a crash or a fault at some point leaves of it.
/// One at a time in a process.

#include <cstdint>
#include <string>
#include <vector>

#include "disk_model.h"
#include "layer.h"

namespace lamina::crash {

struct Tally {
  std::int64_t points = 0;   ///< changes in the log, or calls that can fail
  std::int64_t checked = 0;  ///< different states, or faults, that were tried
  std::int64_t refused = 0;  ///< of faults: those that a step reported
  std::vector<std::string> failures;
};

/// Which state: after `at` changes; of kSome the `draw`-th.
struct CrashPoint {
  std::size_t at = 0;
  Loss loss = Loss::kNothing;
  int draw = 0;
};

class Harness {
 public:
  /// `folder` is made anew.
  Harness(const NamedLayer& layer, const std::string& folder, std::uint64_t seed);

  /// Prepare the layer, run its steps, keep what each leaves. RETURNS what went wrong in it.
  Status Learn();
  /// About `states` different states, spread over all points and losses.
  Tally RunCrashes(std::int64_t states);
  Status RunCrash(const CrashPoint& point);
  /// About `faults` calls that fail, spread over all calls and kinds of error.
  Tally RunFaults(std::int64_t faults);
  std::size_t changes() const { return log_.size(); }
  /// Flip one bit of about `flips` bytes, one at a time, in every file of what is prepared.
  Tally RunFlips(std::int64_t flips);
  void PrintLog(std::size_t begin, std::size_t end) const;

 private:
  using Lines = std::vector<std::string>;
  struct FaultKind;
  static const std::vector<FaultKind>& FaultKinds();

  std::unique_ptr<Layer> Make() const { return named_.make(folder_); }
  Image ImageAt(const CrashPoint& point, const DiskModel& disk) const;
  std::size_t StepsDone(std::size_t at) const;
  /// `thorough`: verify before the first writer, too.
  Status CheckState(std::size_t done, bool thorough);
  /// The recovery of what a crash left is itself cut short somewhere, and then done.
  Status CheckRecovery(const Image& image, std::size_t done, std::uint64_t draw);
  Status CheckSeen(const Lines& seen, std::size_t done) const;
  Status GoOn(Layer& layer, std::size_t done);
  Result<std::int64_t> CountCalls(const FaultKind& kind);
  Status RunFault(const FaultKind& kind, std::int64_t at, bool& refused);
  Status CheckFlip(const std::string& path, bool& found);
  Status FaultySteps(Layer& layer, bool reading, bool& refused);
  void StartOver() const;

  const NamedLayer& named_;
  std::string folder_;
  std::uint64_t seed_;
  Image base_;
  std::vector<Change> log_;
  std::vector<Lines> expected_;  ///< before the first step, after each
};

}  // namespace lamina::crash
