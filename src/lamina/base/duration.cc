#include "lamina/base/duration.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace lamina {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t micros;
};

constexpr std::array<Unit, 6> kUnits = {{{"w", 604'800'000'000},
                                         {"d", 86'400'000'000},
                                         {"h", 3'600'000'000},
                                         {"m", 60'000'000},
                                         {"s", 1'000'000},
                                         {"ms", 1'000}}};
constexpr std::int64_t kLongest = 365'250LL * 86'400'000'000LL;

Error NotADuration(std::string_view text) {
  return InvalidArgument("'" + std::string(text.substr(0, 60)) +
                         "' is not a span of time such as 7d, 12h, 1h30m or 45s");
}

}  // namespace

Result<Micros> ParseDuration(std::string_view text) {
  if (text.empty()) return NotADuration(text);
  std::int64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc() || number < 0 || rest.front() == '-') return NotADuration(text);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::string_view name = rest.substr(0, rest.find_first_of("0123456789"));
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {
      if (unit.name == name) found = &unit;
    }
    if (found == nullptr || number > kLongest / found->micros) return NotADuration(text);
    total += number * found->micros;
    if (total > kLongest) return NotADuration(text);
    rest.remove_prefix(name.size());
  }
  return Micros{total};
}

std::string FormatDuration(Micros span) {
  std::string text;
  std::int64_t rest = span.value;
  for (const Unit& unit : kUnits) {
    if (unit.name == "w" || rest < unit.micros) continue;
    text += std::to_string(rest / unit.micros) + std::string(unit.name);
    rest %= unit.micros;
  }
  return text.empty() ? "0s" : text;
}

}  // namespace lamina
