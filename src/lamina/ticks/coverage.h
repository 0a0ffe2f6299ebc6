#pragma once

/// \file lamina/ticks/coverage.h
/// What is known of any span of time of a contract and type: ticks, none although someone looked,
/// closed market, a gap, or nothing. Rules: docs/format/ticks.md. Values and pure functions;
/// thread-safe.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/market/calendar.h"
#include "lamina/tick_log/tick.h"

namespace lamina::ticks {

enum class CoverageState : std::uint8_t { kPresent, kEmpty, kClosed, kGap, kUnknown };
/// `present`, `known_empty`, `market_closed`, `gap`, `unknown`.
std::string_view CoverageStateName(CoverageState state);

struct CoverageSpan {
  std::int64_t begin_ns = 0, end_ns = 0;  ///< [begin, end)
  CoverageState state = CoverageState::kUnknown;
  std::string reason;  ///< of a gap; of kUnknown when something is known
  bool operator==(const CoverageSpan&) const = default;
};

/// Two ticks further apart than this do not make what is between them present.
inline constexpr std::int64_t kCoverageSilenceNs = 300'000'000'000;

/// What a recorder tells. Kinds with a meaning: subscribed, unsubscribed (from when on ticks of the
/// contract would come), disconnected, connected (a gap from one to the other), gap (from start to
/// end, with its reason). Other kinds are kept and told.
struct TickEvent {
  std::int64_t event_id = 0;                     ///< given
  std::optional<std::int64_t> writer = {};       ///< whose recording it is about
  std::optional<std::int64_t> contract_id = {};  ///< absent: all of the recording
  std::optional<tick_log::TickType> type = {};   ///< absent: all
  std::string kind;
  std::int64_t start_ns = 0;
  std::optional<std::int64_t> end_ns = {};
  std::string reason;
  std::string details = {};     ///< JSON, or empty
  std::int64_t created_at = 0;  ///< microseconds; given
};

/// When a log was open for writing.
struct Recording {
  std::int64_t writer = 0;
  std::int64_t opened_ns = 0;
  std::optional<std::int64_t> closed_ns = {};  ///< absent: still open, or its writer died
  bool alive = false;
  std::int64_t last_seen_ns = 0;  ///< of a dead one: when it last stored a tick
};

/// A span with ticks, first and last included.
struct PresentSpan {
  std::int64_t first_ns = 0, last_ns = 0;
};

struct CoverageEvidence {
  std::vector<PresentSpan> present;
  std::vector<Recording> recordings;
  std::vector<TickEvent> events;  ///< of this contract and type, or of all
  const market::Calendar* calendar = nullptr;
  std::int64_t now_ns = INT64_MAX;  ///< nothing is known of the future
};

/// Spans that touch, of alternating state or reason, from `begin_ns` to `end_ns`. Ticks count
/// before gaps, gaps before a closed market, that before known emptiness. RETURNS kInvalidArgument
/// for an empty span.
Result<std::vector<CoverageSpan>> Cover(const CoverageEvidence& evidence, std::int64_t begin_ns,
                                        std::int64_t end_ns);

}  // namespace lamina::ticks
