#include <algorithm>

#include "lamina/market/calendar_data_internal.h"

namespace lamina::market {
namespace {

constexpr int kMinuteMin = -1440, kMinuteMax = 2880;
constexpr std::size_t kTextBytesMax = 1 << 22;
constexpr std::array<std::string_view, 7> kWeekdays = {"Mon", "Tue", "Wed", "Thu",
                                                       "Fri", "Sat", "Sun"};

std::string_view NextWord(std::string_view& rest) {
  const auto begin = rest.find_first_not_of(' ');
  if (begin == std::string_view::npos) return rest = {};
  rest.remove_prefix(begin);
  const auto end = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \r") - begin + 1);
}

Result<Hours> ParseHours(std::string_view text) {
  Hours hours;
  if (text == "closed") return hours;
  const auto bad = [&] {
    return InvalidArgument("'" + std::string(text.substr(0, 80)) +
                           "' is not hours: closed, or 09:00/11:30,12:30/15:00 in order");
  };
  while (true) {
    const auto comma = std::min(text.find(','), text.size());
    const auto pair = text.substr(0, comma);
    const auto slash = pair.find('/');
    if (slash == std::string_view::npos) return bad();
    const auto open = ParseMinute(pair.substr(0, slash));
    const auto close = ParseMinute(pair.substr(slash + 1));
    if (!open || !close || *open >= *close) return bad();
    if (!hours.empty() && hours.back().close >= *open) return bad();
    hours.push_back({*open, *close});
    if (comma == text.size()) return hours;
    text.remove_prefix(comma + 1);
  }
}

Result<SessionEdge> ParseEdge(std::string_view word) {
  if (word == "open") return SessionEdge{SessionEdge::Kind::kOpen, 0};
  if (word == "close") return SessionEdge{SessionEdge::Kind::kClose, 0};
  if (const auto minute = ParseMinute(word)) {
    return SessionEdge{SessionEdge::Kind::kClock, *minute};
  }
  return InvalidArgument("'" + std::string(word.substr(0, 40)) +
                         "' is not open, close or a clock time");
}

Result<SessionRule> ParseSession(std::string_view rest) {
  SessionRule rule;
  rule.name = FoldName(NextWord(rest));
  if (rule.name.empty() || rule.name == Calendar::kRegular) {
    return InvalidArgument("a session needs a name other than regular");
  }
  LAMINA_ASSIGN(rule.open, ParseEdge(NextWord(rest)));
  LAMINA_ASSIGN(rule.close, ParseEdge(NextWord(rest)));
  for (auto word = NextWord(rest); !word.empty(); word = NextWord(rest)) {
    if (word == "within") {
      rule.within = true;
    } else if (word == "early") {
      LAMINA_ASSIGN(rule.early_close, ParseEdge(NextWord(rest)));
    } else {
      return InvalidArgument("'" + std::string(word.substr(0, 40)) +
                             "' behind a session is neither within nor early TIME");
    }
  }
  return rule;
}

/// One line after another into a CalendarData.
class Reader {
 public:
  Status Take(std::string_view line) {
    std::string_view rest = line;
    const auto key = NextWord(rest);
    rest = Trim(rest);
    CalendarInfo& info = data_.info;
    if (key == "calendar") return TakeText(info.name, rest);
    if (key == "title") return TakeText(info.title, rest);
    if (key == "version") return TakeText(info.version, rest);
    if (key == "source") return TakeText(info.source, rest);
    if (key == "alias") return TakeText(info.aliases.emplace_back(), rest);
    if (key == "zone") return TakeZone(rest);
    if (key == "range") return TakeRange(rest);
    if (key == "weekdays") return TakeWeekdays(rest);
    if (key == "hours") return TakeHours(data_.eras, rest, false);
    if (key == "day") return TakeHours(data_.days, rest, true);
    if (key == "session") {
      LAMINA_ASSIGN(SessionRule rule, ParseSession(rest));
      if (Find(rule.name) != nullptr) return InvalidArgument("session " + rule.name + " again");
      data_.sessions.push_back(std::move(rule));
      return Ok();
    }
    return InvalidArgument("'" + std::string(key.substr(0, 40)) + "' is not a line of a calendar");
  }

  Result<CalendarData> Finish() && {
    if (data_.info.name.empty()) return InvalidArgument("no line 'calendar NAME'");
    if (data_.zone == nullptr) return InvalidArgument("no line 'zone NAME'");
    if (!has_range_) return InvalidArgument("no line 'range FIRST LAST'");
    if (data_.eras.empty() || data_.eras.front().day > data_.info.first) {
      return InvalidArgument("no line 'hours DATE …' from the first day on");
    }
    using Kind = SessionEdge::Kind;
    if (Find("extended") == nullptr) {
      data_.sessions.push_back({"extended", {Kind::kOpen, 0}, {Kind::kClose, 0}, {}, false});
    }
    if (Find("overnight") == nullptr) {
      data_.sessions.push_back({"overnight", {Kind::kClock, 0}, {Kind::kClock, 1440}, {}, false});
    }
    data_.info.sessions.emplace_back(Calendar::kRegular);
    for (const auto& rule : data_.sessions) data_.info.sessions.push_back(rule.name);
    return std::move(data_);
  }

 private:
  const SessionRule* Find(std::string_view name) const {
    for (const auto& rule : data_.sessions) {
      if (rule.name == name) return &rule;
    }
    return nullptr;
  }

  static Status TakeText(std::string& into, std::string_view rest) {
    if (rest.empty()) return InvalidArgument("a name is missing");
    into = std::string(rest);
    return Ok();
  }

  Status TakeZone(std::string_view rest) {
    LAMINA_ASSIGN(data_.zone, Zone::Get(rest));
    data_.info.zone = data_.zone->name();
    return Ok();
  }

  Status TakeRange(std::string_view rest) {
    LAMINA_ASSIGN(data_.info.first, ParseDay(NextWord(rest)));
    LAMINA_ASSIGN(data_.info.last, ParseDay(NextWord(rest)));
    if (data_.info.last < data_.info.first) return InvalidArgument("the range is empty");
    has_range_ = true;
    return Ok();
  }

  Status TakeWeekdays(std::string_view rest) {
    for (auto word = NextWord(rest); !word.empty(); word = NextWord(rest)) {
      const auto found = std::find(kWeekdays.begin(), kWeekdays.end(), word);
      if (found == kWeekdays.end()) {
        return InvalidArgument("'" + std::string(word.substr(0, 40)) + "' is not Mon … Sun");
      }
      data_.weekdays[static_cast<std::size_t>(found - kWeekdays.begin())] = true;
    }
    return Ok();
  }

  static Status TakeHours(std::vector<DatedHours>& into, std::string_view rest, bool may_close) {
    LAMINA_ASSIGN(const Day day, ParseDay(NextWord(rest)));
    LAMINA_ASSIGN(Hours hours, ParseHours(Trim(rest)));
    if (hours.empty() && !may_close) return InvalidArgument("usual hours cannot be closed");
    if (!into.empty() && into.back().day >= day) {
      return InvalidArgument(FormatDay(day) + " does not come after the line before");
    }
    into.push_back({day, std::move(hours)});
    return Ok();
  }

  CalendarData data_;
  bool has_range_ = false;
};

}  // namespace

std::string FoldName(std::string_view name) {
  std::string folded(name);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-' || c == ' ') c = '_';
  }
  return folded;
}

std::optional<int> ParseMinute(std::string_view text) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 5 && text.size() != 7) return {};
  if (!digit(0) || !digit(1) || text[2] != ':' || !digit(3) || !digit(4)) return {};
  const int hour = 10 * (text[0] - '0') + (text[1] - '0');
  const int minute = 10 * (text[3] - '0') + (text[4] - '0');
  if (hour > 24 || minute > 59 || (hour == 24 && minute > 0)) return {};
  int value = 60 * hour + minute;
  if (text.size() == 7) {
    if ((text[5] != '-' && text[5] != '+') || text[6] != '1') return {};
    value += text[5] == '-' ? -1440 : 1440;
  }
  if (value < kMinuteMin || value > kMinuteMax) return {};
  return value;
}

Result<CalendarData> ParseCalendar(std::string_view text, std::string_view origin) {
  if (text.size() > kTextBytesMax) {
    return InvalidArgument(std::string(origin) + ": a calendar has at most 4 MiB");
  }
  Reader reader;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('#')) continue;
    line = Trim(line.substr(0, line.find("  #")));
    if (line.empty()) continue;
    LAMINA_TRY_WITH(reader.Take(line), std::string(origin) + ":" + std::to_string(number));
  }
  auto data = std::move(reader).Finish();
  if (!data.ok()) return std::move(data).error().With(origin);
  return data;
}

}  // namespace lamina::market
