#pragma once

/// \file lamina/catalog/lost_race.h
/// Conflicts that are worth another attempt, and making it. Thread-safe.

#include "lamina/base/result.h"

namespace lamina::catalog {

/// Whether `error` is a kConflict with work that was committed meanwhile. False when the write lock
/// could not be had: whoever holds it may hold it for ever, and the wait is over.
bool LostRace(const Error& error);

/// The answer of `work`, which is done again, from the new state, while it loses races: at most
/// `attempts` times.
template <class Work>
auto RetryLostRaces(int attempts, const Work& work) -> decltype(work()) {
  for (int attempt = 1;; ++attempt) {
    auto done = work();
    if (done.ok() || attempt == attempts || !LostRace(done.error())) return done;
  }
}

}  // namespace lamina::catalog
