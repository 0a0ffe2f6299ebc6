#include "lamina/market/instrument.h"

#include <charconv>
#include <cmath>

#include "lamina/base/near_names.h"
#include "lamina/market/calendar.h"

namespace lamina::market {
namespace {

constexpr std::size_t kNameBytesMax = 128;

Status CheckText(std::string_view field, std::string_view text) {
  const auto bad = [&](const char* why) {
    return InvalidArgument(std::string(field) + " '" + std::string(text.substr(0, 60)) + "' " +
                           why);
  };
  if (text.empty()) return InvalidArgument(std::string(field) + " is empty");
  if (text.size() > kNameBytesMax) return bad("has more than 128 bytes");
  if (text.front() == ' ' || text.back() == ' ') return bad("begins or ends with a space");
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return bad("has a control character");
  }
  return Ok();
}

Status CheckPositive(std::string_view field, const std::optional<double>& value) {
  if (!value || (std::isfinite(*value) && *value > 0)) return Ok();
  return InvalidArgument(std::string(field) + " must be a number above zero");
}

Status CheckHours(Instrument& instrument) {
  if (!instrument.calendar) {
    if (!instrument.trading_hours && !instrument.time_zone) return Ok();
    return InvalidArgument("trading_hours and time_zone need a calendar, whose days they replace");
  }
  LAMINA_ASSIGN(const auto calendar, Calendar::Get(*instrument.calendar));
  instrument.calendar = calendar->name();
  if (!instrument.trading_hours) {
    if (!instrument.time_zone) return Ok();
    return InvalidArgument("time_zone is the zone of trading_hours, which are absent");
  }
  LAMINA_ASSIGN(const auto zone,
                Zone::Get(instrument.time_zone.value_or(std::string(calendar->zone().name()))));
  LAMINA_ASSIGN(const auto hours, ParseTradingHours(*instrument.trading_hours, *zone));
  LAMINA_ASSIGN(const auto own, calendar->WithTradingHours(hours));
  return Ok();
}

std::string Spell(const std::optional<Micros>& at, const char* absent) {
  return at ? FormatTime(*at, {'T', TimeSpelling::Zone::kZ, false}) : absent;
}

std::vector<std::string> Symbols(const std::vector<Instrument>& rows) {
  std::vector<std::string> symbols;
  for (const auto& row : rows) symbols.push_back(row.symbol);
  return symbols;
}

Error Ambiguous(std::string_view name, const std::vector<const Instrument*>& found) {
  std::string list;
  for (const auto* row : found) list += (list.empty() ? "" : ", ") + DescribeInstrument(*row);
  return InvalidArgument("'" + std::string(name) + "' means several instruments: " + list +
                         "; write SYMBOL@VENUE, or # and the id");
}

}  // namespace

Status CheckInstrument(Instrument& instrument) {
  if (instrument.instrument_id < 0) return InvalidArgument("instrument_id is negative");
  LAMINA_TRY(CheckText("symbol", instrument.symbol));
  if (instrument.symbol.front() == '#' || instrument.symbol.find('@') != std::string::npos) {
    return InvalidArgument("symbol '" + instrument.symbol + "' has a # in front or an @ in it");
  }
  if (instrument.venue) LAMINA_TRY(CheckText("venue", *instrument.venue));
  if (instrument.currency) LAMINA_TRY(CheckText("currency", *instrument.currency));
  LAMINA_TRY(CheckPositive("tick_size", instrument.tick_size));
  LAMINA_TRY(CheckPositive("multiplier", instrument.multiplier));
  if (instrument.valid_from && instrument.valid_to &&
      *instrument.valid_to <= *instrument.valid_from) {
    return InvalidArgument("valid_to " + Spell(instrument.valid_to, "") +
                           " is not after valid_from " + Spell(instrument.valid_from, ""));
  }
  return CheckHours(instrument);
}

Result<std::int64_t> ParseInstrumentId(std::string_view text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error == std::errc() && end == text.data() + text.size() && id >= 0) return id;
  return InvalidArgument("'" + std::string(text.substr(0, 60)) +
                         "' is not an id: a whole number from 0 to 9223372036854775807");
}

Result<InstrumentName> ParseInstrumentName(std::string_view text) {
  if (text.empty()) return InvalidArgument("the name of an instrument is empty");
  InstrumentName name;
  if (text.front() == '#') {
    LAMINA_ASSIGN(name.id, ParseInstrumentId(text.substr(1)));
    return name;
  }
  if (const auto id = ParseInstrumentId(text); id.ok()) name.id = *id;
  const auto at = text.rfind('@');
  name.symbol = std::string(text.substr(0, at));
  if (at != std::string_view::npos) name.venue = std::string(text.substr(at + 1));
  return name;
}

Result<Instrument> ResolveInstrument(const std::vector<Instrument>& rows, std::string_view name,
                                     Micros at) {
  LAMINA_ASSIGN(const InstrumentName asked, ParseInstrumentName(name));
  std::vector<const Instrument*> known, valid;
  for (const auto& row : rows) {
    const bool by_symbol =
        asked.symbol && row.symbol == *asked.symbol && (!asked.venue || row.venue == asked.venue);
    if (!by_symbol && row.instrument_id != asked.id) continue;
    known.push_back(&row);
    if (row.ValidAt(at)) valid.push_back(&row);
  }
  if (valid.size() == 1) return *valid.front();
  if (valid.size() > 1) return Ambiguous(name, valid);
  const std::string quoted = "'" + std::string(name.substr(0, 60)) + "'";
  if (known.empty()) {
    return NotFound("no instrument " + quoted +
                    DidYouMean(asked.symbol.value_or(std::string(name)), Symbols(rows)));
  }
  std::string spans;
  for (const auto* row : known) spans += (spans.empty() ? "" : ", ") + DescribeInstrument(*row);
  return NotFound("instrument " + quoted + " is not valid at " + Spell(at, "") +
                  "; known: " + spans);
}

Status CheckNoOverlap(const std::vector<Instrument>& rows, const Instrument& added) {
  for (const auto& row : rows) {
    if (!row.Overlaps(added)) continue;
    const bool same_id = row.instrument_id == added.instrument_id;
    if (!same_id && (row.symbol != added.symbol || row.venue != added.venue)) continue;
    return AlreadyExists(DescribeInstrument(added) + " overlaps in time with " +
                         DescribeInstrument(row) + ", which has the same " +
                         (same_id ? "id" : "symbol and venue"));
  }
  return Ok();
}

std::string DescribeInstrument(const Instrument& instrument) {
  std::string text = std::to_string(instrument.instrument_id) + " " + instrument.symbol;
  if (instrument.venue) text += "@" + *instrument.venue;
  if (instrument.valid_from || instrument.valid_to) {
    text += " [" + Spell(instrument.valid_from, "always") + ", " +
            Spell(instrument.valid_to, "for ever") + ")";
  }
  return text;
}

}  // namespace lamina::market
