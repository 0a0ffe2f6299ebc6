#include "lamina/dataset/bar_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <arrow/api.h>
#include <simdjson.h>

#include "lamina/base/csv.h"
#include "lamina/base/fine_time.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/lake_type.h"

namespace lamina::dataset {
namespace {

constexpr const char* kPriceNames[] = {"open", "high", "low", "close"};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

struct Bar {
  Micros time;
  std::array<double, 4> prices = {};
  std::optional<std::int64_t> volume;
  bool complete = true;
};

class BarRows {
 public:
  Status Add(const Bar& bar) {
    LAMINA_ARROW(times_.Append(bar.time.value), "reading bars");
    for (std::size_t i = 0; i < 4; ++i) {
      LAMINA_ARROW(prices_[i].Append(bar.prices[i]), "reading bars");
    }
    LAMINA_ARROW(bar.volume ? volumes_.Append(*bar.volume) : volumes_.AppendNull(), "reading bars");
    LAMINA_ARROW(complete_.Append(bar.complete), "reading bars");
    return Ok();
  }

  Result<std::shared_ptr<arrow::Table>> Finish() {
    arrow::FieldVector fields;
    arrow::ArrayVector columns;
    const auto add = [&](const char* name, arrow::ArrayBuilder& builder) -> Status {
      LAMINA_ARROW_ASSIGN(auto array, builder.Finish(), "reading bars");
      fields.push_back(arrow::field(name, array->type()));
      columns.push_back(std::move(array));
      return Ok();
    };
    LAMINA_TRY(add("timestamp", times_));
    for (std::size_t i = 0; i < 4; ++i) LAMINA_TRY(add(kPriceNames[i], prices_[i]));
    LAMINA_TRY(add("volume", volumes_));
    LAMINA_TRY(add("complete", complete_));
    return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns));
  }

 private:
  arrow::TimestampBuilder times_{table::ArrowType(table::LakeType::kTimestampTz),
                                 arrow::default_memory_pool()};
  std::array<arrow::DoubleBuilder, 4> prices_;
  arrow::Int64Builder volumes_;
  arrow::BooleanBuilder complete_;
};

Result<double> ReadPrice(std::string_view cell) {
  double value = 0;
  const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (code != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value)) {
    return InvalidArgument("'" + std::string(cell.substr(0, 60)) + "' is no price");
  }
  return value;
}

Result<std::int64_t> ReadVolume(std::string_view cell) {
  std::int64_t whole = 0;
  const char* const last = cell.data() + cell.size();
  const auto [end, code] = std::from_chars(cell.data(), last, whole);
  // `12.0` is what other programs make of a column with holes.
  const bool zeros =
      end != last && *end == '.' && std::all_of(end + 1, last, [](char c) { return c == '0'; });
  if (code != std::errc() || (end != last && !zeros) || whole < 0) {
    return InvalidArgument("'" + std::string(cell.substr(0, 60)) + "' is no volume");
  }
  return whole;
}

Result<bool> ReadFlag(std::string_view cell) {
  const std::string word = Lower(cell);
  if (word == "true" || word == "1") return true;
  if (word == "false" || word == "0") return false;
  return InvalidArgument("'" + word.substr(0, 60) + "' is neither true nor false");
}

class CsvBars {
 public:
  CsvBars(std::string_view text, std::string_view origin, RejectedLineSink on_rejected)
      : reader_(text), origin_(origin), on_rejected_(std::move(on_rejected)) {}

  Result<BarFile> Run() {
    if (reader_.done()) return InvalidArgument(origin_ + ": the file is empty");
    auto header = reader_.Next();
    if (!header.ok()) return std::move(header).error().With(origin_ + ":1");
    LAMINA_TRY(ReadHeader(*header));
    std::int64_t good = 0;
    while (!reader_.done()) {
      const std::int64_t line = reader_.line();
      auto record = reader_.Next();
      if (!record.ok()) {
        reader_.SkipLine();
        Reject(line, record.error().message());
        continue;
      }
      if (record->cells.size() == 1 && record->cells[0].empty()) continue;
      const auto bar = ReadRow(*record);
      if (!bar.ok()) {
        Reject(line, bar.error().message());
        continue;
      }
      LAMINA_TRY(rows_.Add(*bar));
      ++good;
    }
    if (good == 0 && file_.rejected.count > 0) {
      const RejectedLine& first = file_.rejected.first.front();
      return InvalidArgument(origin_ + ":" + std::to_string(first.line) + ": " + first.message +
                             " (no row is good)");
    }
    LAMINA_ASSIGN(file_.rows, rows_.Finish());
    return std::move(file_);
  }

 private:
  void Reject(std::int64_t line, std::string_view message) {
    file_.rejected.Add({line, std::string(message)}, on_rejected_);
  }

  Status ReadHeader(const CsvRecord& header) {
    cells_ = header.cells.size();
    std::vector<std::string> names;
    for (const std::string& cell : header.cells) names.push_back(Lower(Trim(cell)));
    const auto find = [&](std::string_view name) -> Result<int> {
      const auto at = std::find(names.begin(), names.end(), name);
      if (at == names.end()) return -1;
      if (std::find(at + 1, names.end(), name) != names.end()) {
        return InvalidArgument(origin_ + ":1: column '" + std::string(name) + "' is there twice");
      }
      return static_cast<int>(at - names.begin());
    };
    for (const char* name : {"timestamp", "time", "datetime", "date"}) {
      if (time_ >= 0) break;
      LAMINA_ASSIGN(time_, find(name));
    }
    std::string missing = time_ < 0 ? "timestamp (or time)" : "";
    for (std::size_t i = 0; i < 4; ++i) {
      LAMINA_ASSIGN(prices_[i], find(kPriceNames[i]));
      if (prices_[i] < 0) missing += (missing.empty() ? "" : ", ") + std::string(kPriceNames[i]);
    }
    if (!missing.empty()) {
      return InvalidArgument(origin_ + ":1: the header lacks " + missing);
    }
    LAMINA_ASSIGN(volume_, find("volume"));
    LAMINA_ASSIGN(complete_, find("complete"));
    LAMINA_ASSIGN(instrument_, find("instrument"));
    for (std::size_t i = 0; i < names.size(); ++i) {
      const int at = static_cast<int>(i);
      const bool used = at == time_ || at == volume_ || at == complete_ || at == instrument_ ||
                        std::find(prices_.begin(), prices_.end(), at) != prices_.end();
      if (!used) file_.ignored_columns.push_back(header.cells[i]);
    }
    return Ok();
  }

  Result<Bar> ReadRow(const CsvRecord& record) {
    if (record.cells.size() != cells_) {
      return InvalidArgument(std::to_string(record.cells.size()) + " cells, the header has " +
                             std::to_string(cells_));
    }
    const auto cell = [&](int column) {
      return Trim(record.cells[static_cast<std::size_t>(column)]);
    };
    Bar bar;
    if (cell(time_).empty()) return InvalidArgument("there is no time");
    LAMINA_ASSIGN(bar.time, ParseWholeMicros(cell(time_)));
    for (std::size_t i = 0; i < 4; ++i) {
      auto price = ReadPrice(cell(prices_[i]));
      if (!price.ok()) return std::move(price).error().With(kPriceNames[i]);
      bar.prices[i] = *price;
    }
    if (volume_ >= 0 && !cell(volume_).empty()) {
      LAMINA_ASSIGN(bar.volume, ReadVolume(cell(volume_)));
    }
    if (complete_ >= 0 && !cell(complete_).empty()) {
      LAMINA_ASSIGN(bar.complete, ReadFlag(cell(complete_)));
    }
    if (instrument_ >= 0) {
      const std::string name(cell(instrument_));
      if (file_.instrument && *file_.instrument != name) {
        return InvalidArgument("instrument '" + name + "' in a file of '" + *file_.instrument +
                               "'");
      }
      if (!name.empty()) file_.instrument = name;
    }
    return bar;
  }

  CsvReader reader_;
  std::string origin_;
  RejectedLineSink on_rejected_;
  BarFile file_;
  BarRows rows_;
  std::size_t cells_ = 0;
  int time_ = -1, volume_ = -1, complete_ = -1, instrument_ = -1;
  std::array<int, 4> prices_ = {-1, -1, -1, -1};
};

/// RFC 3339, or UNIX seconds with a fraction.
Result<Micros> ReadCandleTime(std::string_view text) {
  const bool unix_time =
      !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
  if (!unix_time) return ParseWholeMicros(text);
  const auto dot = std::min(text.find('.'), text.size());
  std::int64_t seconds = 0, micros = 0;
  const auto whole = std::from_chars(text.data(), text.data() + dot, seconds);
  std::string fraction(dot < text.size() ? text.substr(dot + 1) : "");
  while (fraction.size() > 6 && fraction.back() == '0') fraction.pop_back();
  if (whole.ec != std::errc() || fraction.size() > 6 || seconds > 9'000'000'000) {
    return InvalidArgument("'" + std::string(text.substr(0, 60)) + "' is no time");
  }
  fraction.resize(6, '0');
  std::from_chars(fraction.data(), fraction.data() + 6, micros);
  return Micros{seconds * 1'000'000 + micros};
}

using Json = simdjson::dom::element;

Result<Bar> ReadCandle(const Json& candle, const BarFileOptions& options) {
  Bar bar;
  std::string_view time;
  if (candle["time"].get(time) != simdjson::SUCCESS) return InvalidArgument("there is no time");
  LAMINA_ASSIGN(bar.time, ReadCandleTime(time));
  simdjson::dom::object prices;
  bool found = false;
  for (const char* component : {"mid", "bid", "ask"}) {
    if (found || (!options.price.empty() && options.price != component)) continue;
    found = candle[component].get(prices) == simdjson::SUCCESS;
  }
  if (!found) {
    return InvalidArgument("there is no " + (options.price.empty() ? "price" : options.price));
  }
  constexpr const char* kKeys[] = {"o", "h", "l", "c"};
  for (std::size_t i = 0; i < 4; ++i) {
    std::string_view text;
    double number = 0;
    if (prices[kKeys[i]].get(text) == simdjson::SUCCESS) {
      LAMINA_ASSIGN(bar.prices[i], ReadPrice(text));
    } else if (prices[kKeys[i]].get(number) == simdjson::SUCCESS) {
      bar.prices[i] = number;
    } else {
      return InvalidArgument("there is no price '" + std::string(kKeys[i]) + "'");
    }
  }
  std::int64_t volume = 0;
  if (candle["volume"].get(volume) == simdjson::SUCCESS) bar.volume = volume;
  bool complete = true;
  if (candle["complete"].get(complete) == simdjson::SUCCESS) bar.complete = complete;
  return bar;
}

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// `3years`, `6m`, `2022`, `20220101`.
bool IsSpanWord(std::string_view word) {
  const std::string lower = Lower(word);
  const auto letters = lower.find_first_not_of("0123456789");
  if (letters == 0) return false;
  if (letters == std::string::npos) return lower.size() == 4 || lower.size() == 8;
  const std::string unit = lower.substr(letters);
  constexpr const char* kUnits[] = {"y",      "year", "years", "mo",   "month",
                                    "months", "week", "weeks", "days", "day"};
  return std::find(std::begin(kUnits), std::end(kUnits), unit) != std::end(kUnits);
}

}  // namespace

Result<BarFile> ParseBarCsv(std::string_view text, std::string_view origin,
                            const BarFileOptions& options) {
  return CsvBars(text, origin, options.on_rejected).Run();
}

Result<BarFile> ParseCandles(std::string_view text, std::string_view origin,
                             const BarFileOptions& options) {
  if (!options.price.empty() && options.price != "mid" && options.price != "bid" &&
      options.price != "ask") {
    return InvalidArgument("'" + options.price + "' is no price; there are mid, bid, ask");
  }
  simdjson::dom::parser parser;
  Json root;
  const auto parsed = parser.parse(simdjson::padded_string(text)).get(root);
  if (parsed != simdjson::SUCCESS) {
    return InvalidArgument(std::string(origin) + ": no JSON: " + simdjson::error_message(parsed));
  }
  simdjson::dom::array candles;
  if (root["candles"].get(candles) != simdjson::SUCCESS) {
    return InvalidArgument(std::string(origin) + ": there is no array 'candles'");
  }
  BarFile file;
  std::string_view word;
  if (root["instrument"].get(word) == simdjson::SUCCESS) file.instrument = std::string(word);
  if (root["granularity"].get(word) == simdjson::SUCCESS) file.timeframe = TimeframeFromWord(word);
  BarRows rows;
  std::int64_t number = 0;
  for (const Json candle : candles) {
    ++number;
    const auto bar = ReadCandle(candle, options);
    if (bar.ok()) {
      LAMINA_TRY(rows.Add(*bar));
      continue;
    }
    file.rejected.Add({number, std::string(bar.error().message())}, options.on_rejected);
  }
  if (number > 0 && file.rejected.count == number) {
    return InvalidArgument(std::string(origin) + ": candle 1: " +
                           file.rejected.first.front().message + " (no candle is good)");
  }
  LAMINA_ASSIGN(file.rows, rows.Finish());
  return file;
}

std::optional<std::string> TimeframeFromWord(std::string_view word) {
  const std::string lower = Lower(word);
  if (lower == "d") return "1d";
  if (lower == "w") return "1w";
  if (word == "M") return "1month";
  if (lower.size() < 2) return std::nullopt;
  constexpr std::string_view kUnits = "smhd";
  const std::string_view behind = std::string_view(lower).substr(1);
  if (kUnits.find(lower.front()) != std::string_view::npos && IsDigits(behind) &&
      behind.size() <= 2) {
    return std::string(behind) + lower.front();
  }
  const std::string_view before = std::string_view(lower).substr(0, lower.size() - 1);
  if (kUnits.find(lower.back()) != std::string_view::npos && IsDigits(before)) return lower;
  return std::nullopt;
}

BarFileName ReadBarFileName(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  path = path.substr(0, path.find('.'));
  BarFileName made;
  bool named = true;
  std::string_view rest = path;
  for (;;) {
    const auto end = std::min(rest.find('_'), rest.size());
    const std::string_view word = rest.substr(0, end);
    const auto timeframe = TimeframeFromWord(word);
    // The first word is the instrument's, whatever it looks like.
    if (!made.instrument.empty() && (timeframe || IsSpanWord(word))) named = false;
    if (!named && timeframe && !made.timeframe) made.timeframe = timeframe;
    if (named) {
      if (!made.instrument.empty()) made.instrument += '_';
      for (const char c : word) {
        made.instrument += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      }
    }
    if (end == rest.size()) return made;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace lamina::dataset
