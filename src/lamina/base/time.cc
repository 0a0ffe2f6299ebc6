#include "lamina/base/time.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "lamina/base/bytes.h"

namespace lamina {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;
constexpr std::int64_t kDaysToYearOne = 719'162;  ///< 0001-01-01 to 1970-01-01

constexpr std::array<std::uint16_t, 13> kDaysBeforeMonth = {0,   0,   31,  59,  90,  120, 151,
                                                            181, 212, 243, 273, 304, 334};
constexpr std::array<std::uint8_t, 13> kDaysInMonth = {0,  31, 28, 31, 30, 31, 30,
                                                       31, 31, 30, 31, 30, 31};

constexpr bool IsLeapYear(unsigned year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/// Days since 1970-01-01, absent unless it is a date of the years 1..9999.
std::optional<std::int64_t> DaysOfDate(unsigned year, unsigned month, unsigned day) {
  if (year < 1 || month - 1 > 11) return std::nullopt;
  const unsigned leap = IsLeapYear(year) ? 1 : 0;
  if (day - 1 >= kDaysInMonth[month] + (month == 2 ? leap : 0)) return std::nullopt;
  const unsigned before = year - 1;
  const unsigned days = before * 365 + before / 4 - before / 100 + before / 400 +
                        kDaysBeforeMonth[month] + (month > 2 ? leap : 0) + day - 1;
  return static_cast<std::int64_t>(days) - kDaysToYearOne;
}

/// Eight characters that must be there: '0' stands for any digit, others for themselves.
struct EightPattern {
  constexpr explicit EightPattern(const char (&text)[9]) {
    for (unsigned i = 0; i < 8; ++i) {
      const std::uint64_t c = static_cast<unsigned char>(text[i]);
      bytes |= c << (8 * i);
      room |= std::uint64_t{c == '0' ? 0x76U : 0x7fU} << (8 * i);
    }
  }
  std::uint64_t bytes = 0;
  std::uint64_t room = 0;  ///< what may be added to a byte's value before its top bit is set
};

/// Eight characters as digits at once.
class EightDigits {
 public:
  EightDigits(const char* text, const EightPattern& pattern)
      : values_(LoadLittleEndian<std::uint64_t>(text) ^ pattern.bytes) {
    // A good digit's byte is now at most 9 and a literal's is 0: adding 0x76 or 0x7f leaves the top
    // bit clear. A carry comes only out of a byte that is refused for its own top bit.
    valid_ = (((values_ + pattern.room) | values_) & 0x8080808080808080) == 0;
    values_ = values_ * 10 + (values_ >> 8);
  }
  bool valid() const { return valid_; }
  /// The number that the characters `index` and `index + 1` write.
  unsigned Pair(unsigned index) const { return (values_ >> (8 * index)) & 0xff; }

 private:
  std::uint64_t values_;
  bool valid_;
};

constexpr EightPattern kDatePattern("00-00-00");
constexpr EightPattern kTimePattern("00:00:00");
constexpr EightPattern kFractionPattern("0.000000");

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// The ten characters of a date.
std::optional<std::int64_t> ParseDate(const char* text) {
  const EightDigits date(text + 2, kDatePattern);
  if (!date.valid() || !IsDigit(text[0]) || !IsDigit(text[1])) return std::nullopt;
  const auto century = static_cast<unsigned>((text[0] - '0') * 10 + (text[1] - '0'));
  return DaysOfDate(century * 100 + date.Pair(0), date.Pair(3), date.Pair(6));
}

/// The eight characters HH:MM:SS, in seconds.
std::optional<std::int64_t> ParseClock(const char* text) {
  const EightDigits clock(text, kTimePattern);
  const unsigned hour = clock.Pair(0);
  const unsigned minute = clock.Pair(3);
  const unsigned second = clock.Pair(6);
  if (!clock.valid() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return hour * 3600 + minute * 60 + second;
}

constexpr std::array<char, 200> MakeTwoDigits() {
  std::array<char, 200> text{};
  for (std::size_t i = 0; i < 100; ++i) {
    text[2 * i] = static_cast<char>('0' + i / 10);
    text[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return text;
}
constexpr std::array<char, 200> kTwoDigits = MakeTwoDigits();

char* PutTwo(char* out, std::size_t value) {
  std::memcpy(out, kTwoDigits.data() + 2 * value, 2);
  return out + 2;
}

/// Room for a year of six digits with a sign, and everything behind it.
constexpr std::size_t kLongestTime = 40;

char* PutDate(char* out, std::int64_t days) {
  const CivilDate date = CivilFromDays(days);
  auto year = static_cast<unsigned>(date.year);
  if (date.year < 0 || date.year > 9999) [[unlikely]] {
    // Outside what any reader of ours takes; ISO 8601 expanded years, so that it is at least clear.
    *out++ = date.year < 0 ? '-' : '+';
    year = date.year < 0 ? -year : year;
    out = PutTwo(out, year / 10000);
    year %= 10000;
  }
  out = PutTwo(out, year / 100);
  out = PutTwo(out, year % 100);
  *out++ = '-';
  out = PutTwo(out, date.month);
  *out++ = '-';
  return PutTwo(out, date.day);
}

char* PutClock(char* out, unsigned seconds) {
  out = PutTwo(out, seconds / 3600);
  *out++ = ':';
  out = PutTwo(out, seconds / 60 % 60);
  *out++ = ':';
  return PutTwo(out, seconds % 60);
}

char* PutFraction(char* out, unsigned micros) {
  *out++ = '.';
  out = PutTwo(out, micros / 10000);
  out = PutTwo(out, micros / 100 % 100);
  return PutTwo(out, micros % 100);
}

struct SplitInstant {
  explicit SplitInstant(Micros instant) : days(instant.value / kMicrosPerDay) {
    std::int64_t rest = instant.value % kMicrosPerDay;
    if (rest < 0) {
      rest += kMicrosPerDay;
      --days;
    }
    seconds = static_cast<unsigned>(rest / kMicrosPerSecond);
    micros = static_cast<unsigned>(rest % kMicrosPerSecond);
  }
  std::int64_t days;
  unsigned seconds;
  unsigned micros;
};

char* PutTime(char* out, Micros instant, TimeSpelling spelling) {
  const SplitInstant split(instant);
  out = PutDate(out, split.days);
  if (spelling.date_only) return out;
  *out++ = spelling.separator;
  out = PutClock(out, split.seconds);
  if (split.micros != 0) out = PutFraction(out, split.micros);
  if (spelling.zone == TimeSpelling::Zone::kPlusZero) {
    return std::copy_n("+00:00", 6, out);
  }
  if (spelling.zone == TimeSpelling::Zone::kZ) *out++ = 'Z';
  return out;
}

/// Reads a liberally spelt time from left to right.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  std::optional<Micros> Read() {
    if (text_.size() < 10) return std::nullopt;
    const char* const start = text_.data();
    const std::optional<std::int64_t> days = ParseDate(start);
    if (!days) return std::nullopt;
    at_ = 10;
    std::int64_t micros = *days * kMicrosPerDay;
    if (AtEnd()) return Micros{micros};
    if (!Take('T') && !Take('t') && !Take(' ')) return std::nullopt;
    if (!ReadClock(micros) || !ReadZone(micros) || !AtEnd()) return std::nullopt;
    return Micros{micros};
  }

 private:
  bool AtEnd() const { return at_ == text_.size(); }
  bool Take(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool ReadTwo(unsigned below, std::int64_t unit, std::int64_t& sum) {
    if (text_.size() - at_ < 2 || !IsDigit(text_[at_]) || !IsDigit(text_[at_ + 1])) return false;
    const auto value = static_cast<unsigned>((text_[at_] - '0') * 10 + (text_[at_ + 1] - '0'));
    at_ += 2;
    sum += value * unit;
    return value < below;
  }
  bool ReadClock(std::int64_t& micros) {
    if (!ReadTwo(24, 3600 * kMicrosPerSecond, micros) || !Take(':') ||
        !ReadTwo(60, 60 * kMicrosPerSecond, micros)) {
      return false;
    }
    if (!Take(':')) return true;
    if (!ReadTwo(60, kMicrosPerSecond, micros)) return false;
    if (!Take('.') && !Take(',')) return true;
    const std::size_t first = at_;
    for (std::int64_t unit = kMicrosPerSecond / 10; !AtEnd() && IsDigit(text_[at_]); unit /= 10) {
      micros += (text_[at_++] - '0') * unit;
    }
    return at_ > first;
  }
  bool ReadZone(std::int64_t& micros) {
    if (AtEnd() || Take('Z') || Take('z')) return true;
    const bool behind = Take('-');
    if (!behind && !Take('+')) return false;
    std::int64_t offset = 0;
    if (!ReadTwo(24, 3600 * kMicrosPerSecond, offset)) return false;
    const bool colon = Take(':');
    if ((colon || !AtEnd()) && !ReadTwo(60, 60 * kMicrosPerSecond, offset)) return false;
    micros += behind ? offset : -offset;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<SpelledTime> ParseSpelledTime(std::string_view text) {
  const std::size_t size = text.size();
  if (size != 10 && size < 19) return std::nullopt;
  const char* const start = text.data();
  const std::optional<std::int64_t> days = ParseDate(start);
  if (!days) return std::nullopt;
  SpelledTime result{Micros{*days * kMicrosPerDay}, {}};
  if (size == 10) {
    result.spelling.date_only = true;
    result.spelling.zone = TimeSpelling::Zone::kNone;
    return result;
  }
  const std::optional<std::int64_t> seconds = ParseClock(start + 11);
  if (!seconds) return std::nullopt;
  result.instant.value += *seconds * kMicrosPerSecond;
  result.spelling.separator = text[10];
  if (text[10] != 'T' && text[10] != ' ') return std::nullopt;

  std::size_t at = 19;
  if (size >= 26 && text[19] == '.') {
    const EightDigits fraction(start + 18, kFractionPattern);
    const unsigned micros = fraction.Pair(2) * 10000 + fraction.Pair(4) * 100 + fraction.Pair(6);
    if (!fraction.valid() || micros == 0) return std::nullopt;
    result.instant.value += micros;
    at = 26;
  }
  switch (size - at) {
    case 0:
      result.spelling.zone = TimeSpelling::Zone::kNone;
      return result;
    case 1:
      result.spelling.zone = TimeSpelling::Zone::kZ;
      return text[at] == 'Z' ? std::optional(result) : std::nullopt;
    case 6:
      result.spelling.zone = TimeSpelling::Zone::kPlusZero;
      return std::memcmp(start + at, "+00:00", 6) == 0 ? std::optional(result) : std::nullopt;
    default:
      return std::nullopt;
  }
}

std::string FormatTime(Micros instant, TimeSpelling spelling) {
  char buffer[kLongestTime];
  return {buffer, PutTime(buffer, instant, spelling)};
}

void AppendTime(std::string& out, Micros instant, TimeSpelling spelling) {
  // Written in place: a copy out of a buffer that was just filled two bytes at a time stalls.
  const std::size_t before = out.size();
  out.resize(before + kLongestTime);
  char* const start = out.data() + before;
  const char* const end = PutTime(start, instant, spelling);
  out.resize(before + static_cast<std::size_t>(end - start));
}

Result<Micros> ParseTime(std::string_view text) {
  if (const std::optional<Micros> instant = TimeReader(text).Read()) return *instant;
  constexpr std::size_t kShown = 60;
  const std::string shown(text.substr(0, kShown));
  return InvalidArgument("`" + shown + (text.size() > kShown ? "…" : "") +
                         "` is not a time: write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS with an "
                         "optional fraction and an optional zone (Z, +00:00)");
}

std::string FormatLakeTime(Micros instant) {
  char buffer[kLongestTime];
  const SplitInstant split(instant);
  char* out = PutDate(buffer, split.days);
  *out++ = ' ';
  out = PutClock(out, split.seconds);
  if (split.micros != 0) {
    out = PutFraction(out, split.micros);
    while (out[-1] == '0') --out;
  }
  return {buffer, std::copy_n("+00", 3, out)};
}

std::int64_t DaysFromCivil(CivilDate date) {
  const std::int64_t year = static_cast<std::int64_t>(date.year) - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year =
      (153 * (date.month > 2 ? date.month - 3 : date.month + 9) + 2) / 5 + date.day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

CivilDate CivilFromDays(std::int64_t days) {
  // Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms"
  // (2023), figure 12, shifted so that 32 bits hold every day that a Micros can name.
  constexpr std::int64_t kEraDays = 146'097;
  constexpr std::int64_t kErasBefore = 3600;
  constexpr std::int64_t kShift = 719'468 + kEraDays * kErasBefore;
  std::int64_t far_eras = 0;
  if (days < -kShift || days >= kShift) [[unlikely]] {
    far_eras = days / kEraDays - (days < 0 ? 1 : 0);
    days -= far_eras * kEraDays;
  }
  const auto quarter_days = static_cast<std::uint32_t>(days + kShift) * 4 + 3;
  const std::uint32_t century = quarter_days / 146'097;
  const std::uint64_t year_product = std::uint64_t{2'939'745} * ((quarter_days % 146'097) | 3);
  const auto year_of_century = static_cast<std::uint32_t>(year_product >> 32);
  const std::uint32_t day_of_year = static_cast<std::uint32_t>(year_product) / 2'939'745 / 4;
  const std::uint32_t month_and_day = 2141 * day_of_year + 197'913;
  const bool next_year = day_of_year >= 306;  // January and February end a year that began in March
  CivilDate date;
  date.day = (month_and_day & 0xffff) / 2141 + 1;
  date.month = (month_and_day >> 16) - (next_year ? 12 : 0);
  date.year = static_cast<int>(century * 100 + year_of_century + (next_year ? 1 : 0)) +
              static_cast<int>((far_eras - kErasBefore) * 400);
  return date;
}

}  // namespace lamina
