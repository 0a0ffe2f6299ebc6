#include "lamina/market/trading_hours.h"

#include <algorithm>
#include <optional>

namespace lamina::market {
namespace {

constexpr std::size_t kTextBytesMax = 1 << 20;

struct Part {
  Day day;  ///< trading day
  std::optional<DayHours::Span> span;
};

Error Bad(std::string_view part, std::string_view why) {
  return InvalidArgument("trading hours '" + std::string(part.substr(0, 80)) +
                         "': " + std::string(why));
}

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

/// `HHMM`, up to 2400.
std::optional<int> Clock(std::string_view text) {
  if (text.size() != 4) return {};
  int digits[4];
  for (std::size_t i = 0; i < 4; ++i) {
    if (text[i] < '0' || text[i] > '9') return {};
    digits[i] = text[i] - '0';
  }
  const int hour = 10 * digits[0] + digits[1], minute = 10 * digits[2] + digits[3];
  if (hour > 24 || minute > 59 || (hour == 24 && minute > 0)) return {};
  return 60 * hour + minute;
}

Nanos At(const Zone& zone, Day day, int minute) {
  return {zone.ToUtc(day.value * 86400LL + minute * 60LL) * 1'000'000'000};
}

/// One span behind the date `day`; `text` is `HHMM-HHMM` or `HHMM-YYYYMMDD:HHMM`.
Result<Part> ParseSpan(std::string_view text, Day day, const Zone& zone) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return Bad(text, "no '-' between open and close");
  const auto open = Clock(text.substr(0, dash));
  if (!open) return Bad(text, "the open is not a clock time HHMM");
  std::string_view end = text.substr(dash + 1);
  Day open_day = day, close_day = day;
  if (const auto colon = end.find(':'); colon != std::string_view::npos) {
    LAMINA_ASSIGN(close_day, ParseCompactDay(end.substr(0, colon)));
    end.remove_prefix(colon + 1);
  }
  const auto close = Clock(end);
  if (!close) return Bad(text, "the close is not a clock time HHMM");
  const bool older_form = text.find(':') == std::string_view::npos;
  if (older_form && *close <= *open) open_day = day - 1;
  const DayHours::Span span{At(zone, open_day, *open), At(zone, close_day, *close)};
  if (span.close <= span.open) return Bad(text, "it does not end after it begins");
  // 24:00 and 00:00 end the day before.
  const bool midnight = *close == 0 && !older_form;
  return Part{midnight ? close_day - 1 : close_day, span};
}

Status AddParts(std::string_view entry, const Zone& zone, std::vector<Part>& parts) {
  const auto colon = entry.find(':');
  if (colon == std::string_view::npos) return Bad(entry, "no ':' behind the date");
  LAMINA_ASSIGN(const Day day, ParseCompactDay(entry.substr(0, colon)));
  std::string_view rest = entry.substr(colon + 1);
  if (rest == "CLOSED") {
    parts.push_back({day, {}});
    return Ok();
  }
  while (true) {
    const auto comma = std::min(rest.find(','), rest.size());
    std::string_view span = Trim(rest.substr(0, comma));
    // The newer form may repeat the date behind a comma: 20250110:0930-20250110:1200,20250110:…
    Day span_day = day;
    if (span.size() > 9 && span[8] == ':') {
      LAMINA_ASSIGN(span_day, ParseCompactDay(span.substr(0, 8)));
      span.remove_prefix(9);
    }
    LAMINA_ASSIGN(Part part, ParseSpan(span, span_day, zone));
    parts.push_back(part);
    if (comma == rest.size()) return Ok();
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<TradingHours> ParseTradingHours(std::string_view text, const Zone& zone) {
  if (text.size() > kTextBytesMax) return InvalidArgument("trading hours have at most 1 MiB");
  std::vector<Part> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    const auto entry = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!entry.empty()) LAMINA_TRY(AddParts(entry, zone, parts));
  }
  if (parts.empty()) return InvalidArgument("trading hours name no day");
  std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
    if (a.day != b.day) return a.day < b.day;
    return a.span && b.span && a.span->open < b.span->open;
  });
  TradingHours hours;
  bool closed = false;
  for (const auto& part : parts) {
    const bool again = !hours.days.empty() && hours.days.back().trading_day == part.day;
    if (again && (closed || !part.span)) {
      return InvalidArgument("trading hours: " + FormatDay(part.day) +
                             (closed && !part.span ? " is closed twice" : " is closed and open"));
    }
    if (!again) hours.days.push_back({part.day, {}});
    closed = !part.span;
    if (closed) continue;
    auto& spans = hours.days.back().spans;
    if (!spans.empty() && part.span->open < spans.back().close) {
      return InvalidArgument("trading hours: spans of " + FormatDay(part.day) + " overlap");
    }
    spans.push_back(*part.span);
  }
  return hours;
}

}  // namespace lamina::market
