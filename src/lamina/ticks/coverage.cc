#include "lamina/ticks/coverage.h"

#include <algorithm>
#include <map>
#include <utility>

namespace lamina::ticks {
namespace {

// A stretch with a claim about it. Of several claims about an instant the strongest counts.
struct Claim {
  std::int64_t begin_ns = 0, end_ns = 0;
  CoverageState state = CoverageState::kUnknown;
  std::string reason = {};
};

// By strength: ticks are a fact, and a reported gap says more than a calendar.
int Strength(CoverageState state) {
  switch (state) {
    case CoverageState::kPresent:
      return 4;
    case CoverageState::kGap:
      return 3;
    case CoverageState::kClosed:
      return 2;
    case CoverageState::kEmpty:
      return 1;
    case CoverageState::kUnknown:
      return 0;
  }
  return 0;
}

bool IsAbout(const TickEvent& event, std::int64_t writer) {
  return !event.writer || *event.writer == writer;
}

std::int64_t EndOf(const Recording& recording, std::int64_t now_ns) {
  if (recording.closed_ns) return *recording.closed_ns;
  return recording.alive ? now_ns : std::max(recording.opened_ns, recording.last_seen_ns);
}

// From when to when the recording would have stored a tick of the contract: subscribed and
// connected. What lies between a disconnection and the next connection is a gap.
void ClaimRecording(const CoverageEvidence& evidence, const Recording& recording,
                    std::vector<Claim>& claims) {
  const std::int64_t end = EndOf(recording, evidence.now_ns);
  std::optional<std::int64_t> subscribed, lost;
  std::string why;
  const auto close = [&](std::int64_t at) {
    if (subscribed && *subscribed < at) claims.push_back({*subscribed, at, CoverageState::kEmpty});
    if (lost && *lost < at) claims.push_back({*lost, at, CoverageState::kGap, why});
    lost.reset();
  };
  for (const TickEvent& event : evidence.events) {
    if (!IsAbout(event, recording.writer)) continue;
    const std::int64_t at = std::clamp(event.start_ns, recording.opened_ns, end);
    if (event.start_ns > end) break;
    if (event.kind == "subscribed") {
      if (!subscribed) subscribed = at;
    } else if (event.kind == "unsubscribed") {
      close(at);
      subscribed.reset();
    } else if (event.kind == "disconnected" && subscribed && !lost) {
      lost = at;
      why = event.reason.empty() ? "disconnected" : event.reason;
    } else if (event.kind == "connected" && lost) {
      claims.push_back({*lost, at, CoverageState::kGap, why});
      lost.reset();
    }
  }
  close(end);
  const bool died = !recording.closed_ns && !recording.alive;
  if (!died || !subscribed) return;
  // Until another recording took over, or now.
  std::int64_t next = evidence.now_ns;
  for (const Recording& other : evidence.recordings)
    if (other.opened_ns >= end) next = std::min(next, other.opened_ns);
  if (end < next) claims.push_back({end, next, CoverageState::kGap, "the recorder died"});
}

Status ClaimCalendar(const market::Calendar& calendar, std::int64_t begin_ns, std::int64_t end_ns,
                     std::vector<Claim>& claims) {
  const market::Interval known = calendar.Known();
  std::int64_t at = std::max(begin_ns, known.open.value);
  const std::int64_t end = std::min(end_ns, known.close.value);
  // Closed until the next opening, open until that session's close.
  while (at < end) {
    LAMINA_ASSIGN(const bool open, calendar.IsOpen(Nanos{at}));
    if (open) {
      LAMINA_ASSIGN(const market::Interval session, calendar.CurrentSession(Nanos{at}));
      if (session.close.value <= at) return Ok();
      at = session.close.value;
      continue;
    }
    auto next = calendar.NextOpen(Nanos{at});
    if (!next.ok() && next.error().code() != ErrorCode::kNotFound) return std::move(next).error();
    const std::int64_t until = next.ok() ? std::min(end, next->value) : end;
    claims.push_back({at, until, CoverageState::kClosed});
    at = until;
  }
  return Ok();
}

void ClaimGaps(const CoverageEvidence& evidence, std::vector<Claim>& claims) {
  for (const TickEvent& event : evidence.events) {
    if (event.kind != "gap") continue;
    const std::int64_t end = event.end_ns.value_or(event.start_ns + 1);
    claims.push_back({event.start_ns, end, CoverageState::kGap,
                      event.reason.empty() ? "reported by the recorder" : event.reason});
  }
}

}  // namespace

std::string_view CoverageStateName(CoverageState state) {
  switch (state) {
    case CoverageState::kPresent:
      return "present";
    case CoverageState::kEmpty:
      return "known_empty";
    case CoverageState::kClosed:
      return "market_closed";
    case CoverageState::kGap:
      return "gap";
    case CoverageState::kUnknown:
      return "unknown";
  }
  return "unknown";
}

Result<std::vector<CoverageSpan>> Cover(const CoverageEvidence& evidence, std::int64_t begin_ns,
                                        std::int64_t end_ns) {
  if (begin_ns >= end_ns)
    return InvalidArgument("coverage needs a span of time: its begin must be before its end");
  std::vector<Claim> claims;
  for (const PresentSpan& span : evidence.present)
    claims.push_back({span.first_ns, span.last_ns + 1, CoverageState::kPresent});
  for (const Recording& recording : evidence.recordings)
    ClaimRecording(evidence, recording, claims);
  ClaimGaps(evidence, claims);
  if (evidence.calendar != nullptr)
    LAMINA_TRY(ClaimCalendar(*evidence.calendar, begin_ns, end_ns, claims));
  // A sweep over where claims begin and end; claims that hold now, by strength.
  std::map<std::int64_t, std::pair<std::vector<std::size_t>, std::vector<std::size_t>>> edges;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const std::int64_t from = std::max(begin_ns, claims[i].begin_ns);
    const std::int64_t to = std::min(end_ns, claims[i].end_ns);
    if (from >= to) continue;
    edges[from].first.push_back(i);
    edges[to].second.push_back(i);
  }
  edges[begin_ns];
  edges[end_ns];
  const auto order = [&](std::size_t a, std::size_t b) {
    const int x = Strength(claims[a].state), y = Strength(claims[b].state);
    return x != y ? x > y : a < b;
  };
  std::vector<std::size_t> held;
  std::vector<CoverageSpan> spans;
  for (auto edge = edges.begin(); edge != edges.end() && edge->first < end_ns; ++edge) {
    for (const std::size_t i : edge->second.second) std::erase(held, i);
    for (const std::size_t i : edge->second.first)
      held.insert(std::upper_bound(held.begin(), held.end(), i, order), i);
    CoverageSpan span;
    span.begin_ns = edge->first;
    span.end_ns = std::next(edge)->first;
    if (!held.empty()) {
      span.state = claims[held.front()].state;
      span.reason = claims[held.front()].reason;
    }
    if (!spans.empty() && spans.back().state == span.state && spans.back().reason == span.reason) {
      spans.back().end_ns = span.end_ns;
    } else {
      spans.push_back(std::move(span));
    }
  }
  return spans;
}

}  // namespace lamina::ticks
