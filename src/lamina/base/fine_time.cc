#include "lamina/base/fine_time.h"

#include <string>

namespace lamina {
namespace {

Error BadTime(std::string_view text, std::string_view why) {
  constexpr std::size_t kShown = 60;
  return InvalidArgument("'" + std::string(text.substr(0, kShown)) + "' " + std::string(why));
}

}  // namespace

Result<FineTime> ParseFineTime(std::string_view text) {
  FineTime time;
  LAMINA_ASSIGN(time.micros, ParseTime(text));
  const std::size_t mark = text.find_first_of(".,");
  if (mark == std::string_view::npos) return time;
  int unit = 100;
  for (std::size_t i = mark + 1; i < text.size() && '0' <= text[i] && text[i] <= '9'; ++i) {
    if (i < mark + 7) continue;
    const int digit = text[i] - '0';
    time.nanos += digit * unit;
    time.is_finer = time.is_finer || (unit == 0 && digit != 0);
    unit /= 10;
  }
  return time;
}

Result<Nanos> ParseNanos(std::string_view text) {
  LAMINA_ASSIGN(const FineTime time, ParseFineTime(text));
  if (time.is_finer) return BadTime(text, "is finer than nanoseconds");
  // Before 1970 the microsecond behind the time is the one whose nanoseconds surely fit.
  const bool early = time.micros.value < 0;
  Nanos nanos;
  if (__builtin_mul_overflow(time.micros.value + (early ? 1 : 0), std::int64_t{1000},
                             &nanos.value) ||
      __builtin_add_overflow(nanos.value, std::int64_t{time.nanos} - (early ? 1000 : 0),
                             &nanos.value)) {
    return BadTime(text, "is outside the years 1677 to 2262");
  }
  return nanos;
}

Result<Micros> ParseWholeMicros(std::string_view text) {
  LAMINA_ASSIGN(const FineTime time, ParseFineTime(text));
  if (time.nanos != 0 || time.is_finer) return BadTime(text, "has parts of a microsecond");
  return time.micros;
}

Result<Micros> ParseFirstMicros(std::string_view text) {
  LAMINA_ASSIGN(const FineTime time, ParseFineTime(text));
  return Micros{time.micros.value + (time.nanos != 0 || time.is_finer ? 1 : 0)};
}

}  // namespace lamina
