#include "lamina/bars/origin.h"

#include <charconv>

namespace lamina::bars {
namespace {

std::string FormatRange(const dataset::TimeRange& range) {
  if (!range.start && !range.end) return "";
  return "[" + (range.start ? FormatTime(*range.start) : "") + "," +
         (range.end ? FormatTime(*range.end) : "") + ")";
}

/// The range behind `id`, which loses it; nothing when it is malformed.
std::optional<dataset::TimeRange> TakeRange(std::string_view& id) {
  dataset::TimeRange range;
  const auto bracket = id.rfind('[');
  if (!id.ends_with(')') || bracket == std::string_view::npos) return range;
  const std::string_view inside = id.substr(bracket + 1, id.size() - bracket - 2);
  const auto comma = inside.find(',');
  if (comma == std::string_view::npos) return {};
  const auto take = [](std::string_view text, std::optional<Micros>& end) {
    if (text.empty()) return true;
    const auto time = ParseTime(text);
    if (time.ok()) end = *time;
    return time.ok();
  };
  if (!take(inside.substr(0, comma), range.start)) return {};
  if (!take(inside.substr(comma + 1), range.end)) return {};
  id = id.substr(0, bracket);
  return range;
}

}  // namespace

std::string FormatOrigin(const SeriesOrigin& origin) {
  return origin.dataset + "/" + origin.instrument + "/" + origin.timeframe +
         FormatRange(origin.range);
}

std::optional<SeriesOrigin> ParseSeriesOrigin(std::string_view id) {
  const auto range = TakeRange(id);
  if (!range) return {};
  // An instrument may have slashes, a dataset and a timeframe have none.
  const auto first = id.find('/'), last = id.rfind('/');
  if (first == std::string_view::npos || first == last) return {};
  return SeriesOrigin{std::string(id.substr(0, first)),
                      std::string(id.substr(first + 1, last - first - 1)),
                      std::string(id.substr(last + 1)), *range};
}

std::string FormatOrigin(const TickOrigin& origin) {
  return std::to_string(origin.contract) + "/" + std::string(tick_log::TickTypeName(origin.type)) +
         FormatRange(origin.range);
}

std::optional<TickOrigin> ParseTickOrigin(std::string_view id) {
  const auto range = TakeRange(id);
  const auto slash = id.find('/');
  if (!range || slash == std::string_view::npos) return {};
  TickOrigin origin;
  origin.range = *range;
  const std::string_view number = id.substr(0, slash);
  const auto read = std::from_chars(number.data(), number.data() + number.size(), origin.contract);
  if (read.ec != std::errc() || read.ptr != number.data() + number.size()) return {};
  const auto type = tick_log::ParseTickType(id.substr(slash + 1));
  if (!type.ok()) return {};
  origin.type = *type;
  return origin;
}

}  // namespace lamina::bars
