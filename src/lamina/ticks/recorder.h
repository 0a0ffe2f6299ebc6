#pragma once

/// \file lamina/ticks/recorder.h
/// TickRecorder: a writer of ticks with its place in the catalog, and a thread that archives.
/// Thread-safe.

#include <cstdint>
#include <memory>
#include <string>

#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"
#include "lamina/tick_log/tick_writer.h"
#include "lamina/ticks/coverage.h"
#include "lamina/ticks/tick_config.h"

namespace lamina::ticks {

struct RecorderOptions {
  tick_log::LogOptions log;  ///< TickStore::DefaultRecorder fills it from the configuration
  bool archive_in_background = true;
};

class TickRecorder {
 public:
  /// See TickStore::OpenRecorder. Borrows the catalog.
  static Result<std::unique_ptr<TickRecorder>> Open(catalog::Catalog& catalog,
                                                    const TickConfig& config,
                                                    const RecorderOptions& options);
  /// As Close; errors are lost.
  ~TickRecorder();

  tick_log::TickWriter& writer();
  const tick_log::TickWriter& writer() const;
  /// Durable when this returns. `writer` is filled in.
  Result<std::int64_t> Event(TickEvent event);
  /// Of the background archiver: the last error that was not a lost race, in words; empty: none.
  std::string archive_error() const;
  /// Flush, seal, and say in the catalog that the recording ended.
  Status Close();

 private:
  struct State;
  explicit TickRecorder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// One round of upkeep of ticks, as the thread of a recorder does it: archive what is sealed when
/// it is due, fold days, take old segments away. Does nothing while another process is at it.
struct UpkeepRound {
  bool due = false;  ///< false: only when archive_max_bytes wait
};
Status RunTickUpkeep(catalog::Catalog& catalog, const TickConfig& config, const UpkeepRound& round);

}  // namespace lamina::ticks
