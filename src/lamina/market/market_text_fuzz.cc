// Any text as trading hours, as a CSV of instruments, as a calendar: an error, or something that
// keeps its promises. The first byte chooses.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lamina/base/check.h"
#include "lamina/market/calendar.h"
#include "lamina/market/instrument_csv.h"

namespace {

using namespace lamina::market;  // NOLINT: a program of its own

void TryTradingHours(std::string_view text) {
  static const auto zone = *Zone::Get("America/New_York");
  const auto hours = ParseTradingHours(text, *zone);
  if (!hours.ok()) return;
  for (const auto& day : hours->days) {
    for (std::size_t i = 0; i < day.spans.size(); ++i) {
      LAMINA_CHECK(day.spans[i].open < day.spans[i].close);
      LAMINA_CHECK(i == 0 || day.spans[i - 1].close <= day.spans[i].open);
    }
  }
}

void TryCalendar(std::string_view text) {
  const auto calendar = Calendar::Parse(text, "fuzz");
  if (!calendar.ok()) return;
  const Day first = (*calendar)->info().first;
  const auto sessions = (*calendar)->Sessions(first, first, "extended");
  LAMINA_CHECK(sessions.ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'h') TryTradingHours(text);
  if (data[0] == 'c') TryCalendar(text);
  if (data[0] == 'i') {
    const auto lines = ParseInstrumentCsv(text, "fuzz");
    if (lines.ok()) {
      for (const auto& line : *lines) LAMINA_CHECK(!line.instrument.symbol.empty());
    }
  }
  return 0;
}
