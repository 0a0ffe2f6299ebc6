#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <simdjson.h>

#include "lamina/base/json.h"
#include "lamina/tick_log/recorder_message.h"
#include "lamina/tick_log/tick_check.h"
#include "lamina/ticks/tick_input.h"

namespace lamina::ticks {
namespace {

using tick_log::TickBatch;
using tick_log::TickKind;
using tick_log::TickType;

constexpr std::array kValues = {"price", "size", "bid_price", "bid_size", "ask_price", "ask_size"};
constexpr std::array kTexts = {"exchange", "conditions", "source", "extra"};
constexpr std::int64_t kNoStamp = std::numeric_limits<std::int64_t>::min();
/// A longer line is refused before it is parsed.
constexpr std::size_t kLineBytesMax = std::size_t{16} << 20;

template <class Value>
Result<Value> Number(std::string_view name, std::string_view text, bool quoted) {
  Value value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (quoted || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return InvalidArgument(std::string(name) + " is " + (quoted ? "text " : "") + "'" +
                           std::string(text.substr(0, 40)) + "', not a number" +
                           (std::is_integral_v<Value> ? " without fraction" : ""));
  }
  return value;
}

/// Whether a number without a fraction is one that a double holds.
bool IsKept(std::string_view text, double value) {
  constexpr double kWholeMax = 9007199254740992.0;  // 2^53: below it all are
  if (std::abs(value) < kWholeMax || text.find_first_of(".eE") != std::string_view::npos)
    return true;
  std::int64_t whole = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), whole);
  return parsed.ec == std::errc() && std::abs(value) < 9.2e18 &&
         static_cast<std::int64_t>(value) == whole;
}

/// What is told twice must be the same: which of two is meant is not for us to say.
template <class Value>
Status Put(std::string_view name, std::optional<Value>& into, Value value) {
  if (into && *into != value)
    return InvalidArgument(std::string(name) + " contradicts what the line says before it");
  into = value;
  return Ok();
}

/// A batch without any receive time gets it from its writer; one with some, where it is missing,
/// now.
void StampMissing(TickBatch& batch, Nanos now) {
  std::vector<std::int64_t>& recv = batch.recv_ns;
  if (std::count(recv.begin(), recv.end(), kNoStamp) == std::ssize(recv)) {
    recv.clear();
  } else {
    std::replace(recv.begin(), recv.end(), kNoStamp, now.value);
  }
}

}  // namespace

struct TickLines::Row {
  std::optional<std::int64_t> ts, recv, contract, request;
  std::optional<TickType> type;
  std::array<std::optional<double>, kValues.size()> values;
  std::uint32_t flags = 0;
  std::array<std::string, kTexts.size()> texts;
  std::vector<std::pair<std::string, std::string>> unknown;  ///< keys and JSON values

  /// Of version 2 (the tick is below `data`) or 3 (short keys) of the recorder.
  bool IsRecorderMessage(bool has_own_stamp) const {
    const auto has = [&](std::string_view key) {
      return std::any_of(unknown.begin(), unknown.end(),
                         [&](const auto& each) { return each.first == key; });
    };
    if (unknown.empty() || has_own_stamp) return false;
    return has("ts") || has("st") || (has("data") && !contract && !type);
  }
};

struct TickLines::Parser {
  /// Room for the longest line from the start. (It must not grow: libparquet has a simdjson of its
  /// own, whose parsers a program that links both may get, and they grow in another way.)
  Parser() : ready(parser.allocate(kLineBytesMax + simdjson::SIMDJSON_PADDING)) {}

  simdjson::ondemand::parser parser;
  simdjson::error_code ready;
  std::string padded;
};

TickLines::TickLines(InputOptions options)
    : options_(std::move(options)), parser_(std::make_unique<Parser>()) {
  for (std::size_t kind = 0; kind < 3; ++kind) {
    rows_.ticks[kind].kind = static_cast<TickKind>(kind);
  }
}

TickLines::~TickLines() = default;

Result<bool> TickLines::Set(Row& row, std::string_view name, std::string_view text, bool quoted) {
  const auto whole = [&](std::optional<std::int64_t>& into) -> Result<bool> {
    LAMINA_ASSIGN(const auto value, Number<std::int64_t>(name, text, quoted));
    LAMINA_TRY(Put(name, into, value));
    return true;
  };
  if (name == "ts_ns") return whole(row.ts);
  if (name == "recv_ns") return whole(row.recv);
  if (name == "contract_id") return whole(row.contract);
  if (name == "request_id") return whole(row.request);
  if (name == "writer" || name == "seq") return true;
  if (name == "timestamp") {
    LAMINA_ASSIGN(const std::int64_t nanos, tick_log::StampOfText(text));
    LAMINA_TRY(Put(name, row.ts, nanos));
    return true;
  }
  if (name == "tick_type") {
    LAMINA_ASSIGN(const TickType type, tick_log::ParseTickType(text));
    LAMINA_TRY(Put(name, row.type, type));
    return true;
  }
  if (name == "symbol") {
    auto known = symbols_.find(text);
    if (known == symbols_.end()) {
      if (!options_.resolve) return InvalidArgument("symbols are not known here: give contract_id");
      LAMINA_ASSIGN(const std::int64_t id, options_.resolve(text));
      known = symbols_.emplace(std::string(text), id).first;
    }
    LAMINA_TRY(Put(name, row.contract, known->second));
    return true;
  }
  if (name == "flags") {
    LAMINA_ASSIGN(row.flags, Number<std::uint32_t>(name, text, quoted));
    return true;
  }
  for (std::size_t i = 0; i < kValues.size(); ++i) {
    if (name != kValues[i]) continue;
    LAMINA_ASSIGN(const double value, Number<double>(name, text, quoted));
    if (!IsKept(text, value)) {
      return InvalidArgument(std::string(name) + " is " + std::string(text) +
                             ", which a double does not hold exactly");
    }
    LAMINA_TRY(Put(name, row.values[i], value));
    return true;
  }
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    if (name != kTexts[i]) continue;
    row.texts[i] = text;
    return true;
  }
  return false;
}

Status TickLines::Add(Row row) {
  if (!row.contract) row.contract = options_.contract_id;
  if (!row.type) row.type = options_.type;
  if (!row.ts) return InvalidArgument("no ts_ns and no timestamp");
  if (!row.contract) return InvalidArgument("no contract_id and no symbol");
  if (!row.type) return InvalidArgument("no tick_type");
  const TickKind kind = tick_log::KindOf(*row.type);
  const std::string type(tick_log::TickTypeName(*row.type));
  const std::vector<std::string> names = tick_log::ValueNames(kind);
  for (std::size_t i = 0; i < kValues.size(); ++i) {
    const bool has = std::find(names.begin(), names.end(), kValues[i]) != names.end();
    if (has && !row.values[i]) return InvalidArgument("a " + type + " tick needs " + kValues[i]);
    if (!has && row.values[i]) return InvalidArgument("a " + type + " tick has no " + kValues[i]);
  }
  TickBatch& batch = rows_.ticks[static_cast<std::size_t>(kind)];
  batch.contract_id.push_back(*row.contract);
  batch.type.push_back(*row.type);
  batch.ts_ns.push_back(*row.ts);
  batch.recv_ns.push_back(row.recv.value_or(kNoStamp));
  std::size_t value = 0;
  for (std::size_t i = 0; i < kValues.size(); ++i) {
    if (row.values[i]) batch.values[value++].push_back(*row.values[i]);
  }
  batch.flags.push_back(row.flags);
  batch.request_id.push_back(row.request.value_or(TickBatch::kNoRequest));
  if (!row.unknown.empty()) {
    std::string& extra = row.texts[3];
    if (!extra.empty()) return InvalidArgument("both extra and unknown keys");
    JsonWriter json(extra);
    json.BeginObject();
    for (const auto& [key, text] : row.unknown) {
      json.Key(key);
      json.Raw(text);
    }
    json.EndObject();
  }
  const std::array columns = {&batch.exchange, &batch.conditions, &batch.source, &batch.extra};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::uint32_t code = 0;
    if (!row.texts[i].empty()) {
      auto& words = words_[static_cast<std::size_t>(kind)][i];
      auto known = words.find(row.texts[i]);
      if (known == words.end()) {
        columns[i]->values.push_back(row.texts[i]);
        known = words.emplace(row.texts[i], static_cast<std::uint32_t>(columns[i]->values.size()))
                    .first;
      }
      code = known->second;
    }
    columns[i]->codes.push_back(code);
  }
  rows_.order.push_back({kind, static_cast<std::uint32_t>(batch.size() - 1)});
  ++rows_.rows;
  return Ok();
}

Status TickLines::AddJson(std::string_view line) {
  LAMINA_ASSIGN(const std::optional<std::string> own_keys, AddObject(line, true));
  if (!own_keys) return Ok();
  LAMINA_TRY(AddObject(*own_keys, false));
  return Ok();
}

Result<std::optional<std::string>> TickLines::AddObject(std::string_view line, bool foreign) {
  if (line.size() > kLineBytesMax) {
    return InvalidArgument("the line has " + std::to_string(line.size()) + " bytes, more than " +
                           std::to_string(kLineBytesMax));
  }
  if (parser_->ready != simdjson::SUCCESS) return ResourceExhausted("no memory for a JSON parser");
  parser_->padded.assign(line);
  parser_->padded.reserve(line.size() + simdjson::SIMDJSON_PADDING);
  Row row;
  bool has_own_stamp = false;
  const auto bad = [](simdjson::error_code code) {
    return InvalidArgument(std::string("not a JSON object: ") + simdjson::error_message(code));
  };
  simdjson::ondemand::document document;
  if (auto code = parser_->parser
                      .iterate(simdjson::padded_string_view(parser_->padded.data(), line.size(),
                                                            parser_->padded.capacity()))
                      .get(document)) {
    return bad(code);
  }
  simdjson::ondemand::object object;
  if (auto code = document.get_object().get(object)) return bad(code);
  for (auto field : object) {
    std::string_view key;
    simdjson::ondemand::value value;
    if (auto code = field.unescaped_key().get(key)) return bad(code);
    const std::string name(key);
    if (auto code = field.value().get(value)) return bad(code);
    simdjson::ondemand::json_type type{};
    if (auto code = value.type().get(type)) return bad(code);
    if (type == simdjson::ondemand::json_type::null) {
      bool null = false;
      if (auto code = value.is_null().get(null)) return bad(code);
      continue;
    }
    std::string text;
    const bool quoted = type == simdjson::ondemand::json_type::string;
    if (quoted) {
      std::string_view view;
      if (auto code = value.get_string().get(view)) return bad(code);
      text = view;
    } else {
      const bool nested = type == simdjson::ondemand::json_type::array ||
                          type == simdjson::ondemand::json_type::object;
      std::string_view raw;
      if (!nested) {
        raw = value.raw_json_token();
      } else if (auto code = simdjson::to_json_string(value).get(raw)) {
        return bad(code);
      }
      while (!raw.empty() && (raw.back() == ' ' || raw.back() == '\t' || raw.back() == '\r'))
        raw.remove_suffix(1);
      text = raw;
    }
    LAMINA_ASSIGN(const bool known, Set(row, name, text, quoted));
    if (!known) row.unknown.emplace_back(name, quoted ? JsonQuoted(text) : text);
    has_own_stamp = has_own_stamp || name == "ts_ns";
  }
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS &&
      std::string_view(rest, static_cast<std::size_t>(parser_->padded.data() + line.size() - rest))
              .find_first_not_of(" \t\r") != std::string_view::npos) {
    return InvalidArgument("more than one JSON value in the line");
  }
  if (foreign && row.IsRecorderMessage(has_own_stamp)) {
    LAMINA_ASSIGN(std::string own_keys, tick_log::FromRecorderMessage(line));
    return std::optional(std::move(own_keys));
  }
  LAMINA_TRY(Add(std::move(row)));
  return std::optional<std::string>();
}

namespace {

/// The fields of one line of CSV (RFC 4180, without line ends in fields).
Result<std::vector<std::string>> Fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c != '\r' || i + 1 != line.size()) {
      fields.back() += c;
    }
  }
  if (quoted) return InvalidArgument("a quote is not closed");
  return fields;
}

}  // namespace

Status TickLines::SetCsvHeader(std::string_view line) {
  LAMINA_ASSIGN(header_, Fields(line));
  return Ok();
}

Status TickLines::AddCsv(std::string_view line) {
  if (line.size() > kLineBytesMax) return InvalidArgument("the line is longer than 16 MiB");
  LAMINA_ASSIGN(const std::vector<std::string> fields, Fields(line));
  if (fields.size() != header_.size()) {
    return InvalidArgument(std::to_string(fields.size()) + " fields, the header has " +
                           std::to_string(header_.size()));
  }
  Row row;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].empty()) continue;
    LAMINA_ASSIGN(const bool known, Set(row, header_[i], fields[i], false));
    if (!known) return InvalidArgument("unknown column '" + header_[i] + "'");
  }
  return Add(std::move(row));
}

TickRows TickLines::Take(Nanos now) {
  TickRows taken = std::exchange(rows_, {});
  for (TickBatch& batch : taken.ticks) StampMissing(batch, now);
  for (std::size_t kind = 0; kind < 3; ++kind) {
    rows_.ticks[kind].kind = static_cast<TickKind>(kind);
    for (auto& words : words_[kind]) words.clear();
  }
  return taken;
}

Result<TickRows> TicksOfJsonLines(std::string_view text, const InputOptions& options) {
  TickLines lines(options);
  std::int64_t number = 1;
  for (std::size_t begin = 0; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    LAMINA_TRY_WITH(lines.AddJson(line), "line " + std::to_string(number));
  }
  return lines.Take(options.now);
}

}  // namespace lamina::ticks
