#include "lamina/market/zone.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>

#include "lamina/base/near_names.h"
#include "lamina/base/time.h"
#include "lamina/market/embedded_internal.h"

namespace lamina::market {
namespace {

/// What Interactive Brokers writes before a name in brackets, where IANA means another thing.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kBrokerNames = {{
    {"EST", "America/New_York"},
    {"EST5EDT", "America/New_York"},
    {"CST", "America/Chicago"},
    {"MST", "America/Denver"},
    {"PST", "America/Los_Angeles"},
    {"GMT", "Europe/London"},
    {"BST", "Europe/London"},
    {"MET", "Europe/Berlin"},
    {"JST", "Asia/Tokyo"},
    {"HKT", "Asia/Hong_Kong"},
}};

std::string_view NextLine(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view NextWord(std::string_view& rest) {
  const auto end = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

std::optional<std::int64_t> Integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// The lines of the zone that has `name`, without its first.
std::optional<std::string_view> FindZone(std::string_view name) {
  std::string_view text = ZoneFile();
  while (!text.empty()) {
    std::string_view line = NextLine(text);
    if (!line.starts_with("zone ")) continue;
    line.remove_prefix(5);
    while (!line.empty()) {
      if (NextWord(line) == name) {
        return text.substr(0, std::min(text.find("\nzone "), text.size()));
      }
    }
  }
  return {};
}

std::string CanonicalName(std::string_view name) {
  const auto bracket = name.find(" (");
  if (bracket == std::string_view::npos) return std::string(name);
  name = name.substr(0, bracket);
  for (const auto& [broker, iana] : kBrokerNames) {
    if (broker == name) return std::string(iana);
  }
  return std::string(name);
}

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// A yearly rule's day, as seconds of local time since 1970.
std::int64_t RuleSecond(int year, unsigned month, unsigned week, unsigned weekday,
                        std::int64_t second) {
  const std::int64_t first = DaysFromCivil({year, month, 1});
  const auto of_first = static_cast<unsigned>(((first + 4) % 7 + 7) % 7);  // 0: Sunday
  std::int64_t day = first + (weekday + 7 - of_first) % 7 + 7 * (static_cast<int>(week) - 1);
  const std::int64_t next =
      month == 12 ? DaysFromCivil({year + 1, 1, 1}) : DaysFromCivil({year, month + 1, 1});
  if (day >= next) day -= 7;
  return day * 86400 + second;
}

}  // namespace

std::string Zone::DatabaseVersion() {
  std::string_view text = ZoneFile();
  while (!text.empty()) {
    const auto line = NextLine(text);
    if (line.starts_with("version ")) return std::string(line.substr(8));
  }
  return "unknown";
}

std::vector<std::string> Zone::Names() {
  std::vector<std::string> names;
  std::string_view text = ZoneFile();
  while (!text.empty()) {
    std::string_view line = NextLine(text);
    if (!line.starts_with("zone ")) continue;
    line.remove_prefix(5);
    while (!line.empty()) names.emplace_back(NextWord(line));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<Zone::YearlyDay> Zone::ParseYearlyDay(std::string_view text) {
  const auto dot = text.find('.'), second_dot = text.find('.', dot + 1), slash = text.find('/');
  if (dot == text.npos || second_dot == text.npos || slash == text.npos || slash < second_dot) {
    return Internal("the built-in time zones are damaged");
  }
  const auto month = Integer(text.substr(0, dot));
  const auto week = Integer(text.substr(dot + 1, second_dot - dot - 1));
  const auto weekday = Integer(text.substr(second_dot + 1, slash - second_dot - 1));
  const auto second = Integer(text.substr(slash + 1));
  if (!month || !week || !weekday || !second) {
    return Internal("the built-in time zones are damaged");
  }
  return YearlyDay{static_cast<unsigned>(*month), static_cast<unsigned>(*week),
                   static_cast<unsigned>(*weekday), *second};
}

Result<Zone> Zone::Parse(std::string_view lines) {
  Zone zone;
  while (!lines.empty()) {
    std::string_view line = NextLine(lines);
    const auto key = NextWord(line);
    if (key == "first") {
      zone.first_offset_ = Integer(line).value_or(0);
    } else if (key == "until") {
      while (!line.empty()) {
        const auto word = NextWord(line);
        const auto colon = std::min(word.find(':'), word.size());
        const auto at = Integer(word.substr(0, colon));
        const auto offset = Integer(word.substr(std::min(colon + 1, word.size())));
        if (!at || !offset) return Internal("the built-in time zones are damaged");
        zone.changes_.push_back({*at, *offset});
      }
    } else if (key == "rule") {
      zone.has_rule_ = true;
      zone.rule_.standard = Integer(NextWord(line)).value_or(0);
      zone.rule_.summer = Integer(NextWord(line)).value_or(0);
      LAMINA_ASSIGN(zone.rule_.begin, ParseYearlyDay(NextWord(line)));
      LAMINA_ASSIGN(zone.rule_.end, ParseYearlyDay(NextWord(line)));
    }
  }
  return zone;
}

Result<std::shared_ptr<const Zone>> Zone::Get(std::string_view name) {
  const auto lines = FindZone(CanonicalName(name));
  if (!lines) {
    return InvalidArgument("no time zone '" + std::string(name.substr(0, 60)) +
                           "' in the IANA database " + DatabaseVersion() +
                           DidYouMean(name.substr(0, 60), Names()));
  }
  LAMINA_ASSIGN(Zone zone, Parse(*lines));
  zone.name_ = std::string(name);
  return std::shared_ptr<const Zone>(new Zone(std::move(zone)));
}

std::int64_t Zone::RuleOffsetAt(std::int64_t utc) const {
  const int year = CivilFromDays(FloorDivide(utc + rule_.standard, 86400)).year;
  const auto instant = [&](const YearlyDay& day, std::int64_t offset) {
    return RuleSecond(year, day.month, day.week, day.weekday, day.second) - offset;
  };
  const std::int64_t begin = instant(rule_.begin, rule_.standard);
  const std::int64_t end = instant(rule_.end, rule_.summer);
  const bool summer = begin < end ? begin <= utc && utc < end : utc < end || begin <= utc;
  return summer ? rule_.summer : rule_.standard;
}

std::int64_t Zone::OffsetAt(std::int64_t utc) const {
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), utc,
                                      [](std::int64_t at, const Change& c) { return at < c.at; });
  if (after == changes_.end() && has_rule_) return RuleOffsetAt(utc);
  return after == changes_.begin() ? first_offset_ : std::prev(after)->offset;
}

std::int64_t Zone::ToUtc(std::int64_t local) const {
  const std::int64_t before = OffsetAt(local - 86400), after = OffsetAt(local + 86400);
  if (before == after && OffsetAt(local - before) == before) return local - before;
  const bool early = OffsetAt(local - before) == before, late = OffsetAt(local - after) == after;
  if (early && late) return std::min(local - before, local - after);
  return local - (late && !early ? after : before);
}

}  // namespace lamina::market
