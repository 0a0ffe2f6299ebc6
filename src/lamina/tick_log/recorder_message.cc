#include "lamina/tick_log/recorder_message.h"

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include <simdjson.h>

#include "lamina/base/json.h"
#include "lamina/tick_log/tick.h"
#include "lamina/tick_log/tick_check.h"

namespace lamina::tick_log {
namespace {

using simdjson::dom::element;
using Names = std::pair<std::string_view, std::string_view>;

/// Keys of either version that only have another name here.
constexpr std::array kRenamed = {
    Names{"cid", "contract_id"}, Names{"rid", "request_id"}, Names{"p", "price"},
    Names{"s", "size"},          Names{"bp", "bid_price"},   Names{"bs", "bid_size"},
    Names{"ap", "ask_price"},    Names{"as", "ask_size"},    Names{"mp", "price"},
    Names{"mid_price", "price"}, Names{"midpoint", "price"}, Names{"mid_point", "price"},
};
constexpr std::array<std::pair<std::string_view, std::uint32_t>, 7> kFlagKeys = {{
    {"past_limit", kPastLimit},
    {"unreported", kUnreported},
    {"upt", kUnreported},
    {"bid_past_low", kBidPastLow},
    {"bpl", kBidPastLow},
    {"ask_past_high", kAskPastHigh},
    {"aph", kAskPastHigh},
}};

Result<std::int64_t> Stamp(std::string_view key, element value, std::int64_t unit_ns,
                           std::string_view unit) {
  std::int64_t number = 0;
  const bool whole = value.get(number) == simdjson::SUCCESS;
  if (whole && number >= kFirstStampNs / unit_ns && number < kEndStampNs / unit_ns) {
    return number * unit_ns;
  }
  return InvalidArgument(std::string(key) + " is " + simdjson::minify(value) + ": not a time in " +
                         std::string(unit) + " from 1971 to 2199");
}

class Message {
 public:
  Message() { json_.BeginObject(); }

  void Stamps(std::int64_t ts_ns, std::int64_t recv_ns) {
    Int("ts_ns", ts_ns);
    Int("recv_ns", recv_ns);
  }
  Status Field(std::string_view key, element value) {
    for (const auto& [name, bit] : kFlagKeys) {
      bool set = false;
      if (key != name) continue;
      if (value.get(set) != simdjson::SUCCESS) {
        return InvalidArgument(std::string(key) + " must be true or false");
      }
      if (set) flags_ |= bit;
      return Ok();
    }
    if (key == "tick_type" || key == "tt") return Type(value);
    for (const auto& [old, name] : kRenamed) {
      if (key == old) key = name;
    }
    json_.Key(key);
    std::string_view text;
    if (key == "request_id" && value.get(text) == simdjson::SUCCESS) {
      json_.Raw(text.empty() || text.find_first_not_of("0123456789") != text.npos ? "null" : text);
    } else if (key == "conditions" && value.is_array()) {
      json_.String(simdjson::minify(value));
    } else {
      json_.Raw(simdjson::minify(value));
    }
    return Ok();
  }
  /// What has a column, and in one object what has none. Contract and type are told twice.
  Status Metadata(simdjson::dom::object metadata) {
    std::string rest;
    JsonWriter json(rest);
    json.BeginObject();
    for (const auto& [key, value] : metadata) {
      if (key == "contract_id" || key == "tick_type") continue;
      if (key == "source" || key == "request_id") {
        LAMINA_TRY(Field(key, value));
      } else {
        json.Key(key);
        json.Raw(simdjson::minify(value));
      }
    }
    json.EndObject();
    if (rest == "{}") return Ok();
    json_.Key("metadata");
    json_.Raw(rest);
    return Ok();
  }
  std::string Take() {
    if (flags_ != 0) Int("flags", flags_);
    json_.EndObject();
    return std::move(line_);
  }

 private:
  void Int(std::string_view key, std::int64_t value) {
    json_.Key(key);
    json_.Int(value);
  }
  Status Type(element value) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return InvalidArgument("tick_type is no text");
    LAMINA_ASSIGN(const TickType type, ParseTickType(text));
    json_.Key("tick_type");
    json_.String(TickTypeName(type));
    return Ok();
  }

  std::string line_;
  JsonWriter json_{line_};
  std::uint32_t flags_ = 0;
};

Result<std::string> FromVersion3(simdjson::dom::object object) {
  constexpr std::int64_t kMicro = 1000;
  element stamp;
  if (object.at_key("ts").get(stamp) != simdjson::SUCCESS) return InvalidArgument("ts is missing");
  LAMINA_ASSIGN(const std::int64_t ts_ns, Stamp("ts", stamp, kMicro, "microseconds"));
  if (object.at_key("st").get(stamp) != simdjson::SUCCESS) return InvalidArgument("st is missing");
  LAMINA_ASSIGN(const std::int64_t recv_ns, Stamp("st", stamp, kMicro, "microseconds"));
  Message message;
  message.Stamps(ts_ns, recv_ns);
  for (const auto& [key, value] : object) {
    if (key != "ts" && key != "st") LAMINA_TRY(message.Field(key, value));
  }
  return message.Take();
}

Result<std::string> FromVersion2(simdjson::dom::object object) {
  std::string_view type, timestamp;
  simdjson::dom::object data, metadata;
  if (object.at_key("type").get(type) != simdjson::SUCCESS || type != "tick" ||
      object.at_key("data").get(data) != simdjson::SUCCESS ||
      object.at_key("timestamp").get(timestamp) != simdjson::SUCCESS) {
    return InvalidArgument("not a tick of the recorder");
  }
  auto received = StampOfText(timestamp);
  if (!received.ok()) return std::move(received).error().With("timestamp");
  const std::int64_t recv_ns = *received;
  std::int64_t ts_ns = recv_ns;
  element unix_time;
  if (data.at_key("unix_time").get(unix_time) == simdjson::SUCCESS) {
    LAMINA_ASSIGN(ts_ns, Stamp("unix_time", unix_time, 1'000'000'000, "seconds"));
  }
  Message message;
  message.Stamps(ts_ns, recv_ns);
  for (const auto& [key, value] : data) {
    if (key != "unix_time") LAMINA_TRY(message.Field(key, value));
  }
  if (object.at_key("metadata").get(metadata) == simdjson::SUCCESS) {
    LAMINA_TRY(message.Metadata(metadata));
  }
  for (const auto& [key, value] : object) {
    const bool told = key == "type" || key == "timestamp" || key == "data" || key == "metadata";
    if (!told) LAMINA_TRY(message.Field(key, value));
  }
  return message.Take();
}

}  // namespace

Result<std::string> FromRecorderMessage(std::string_view line) {
  if (line.size() > kMessageBytesMax) {
    return InvalidArgument("a line of " + std::to_string(line.size()) +
                           " bytes is no message: the limit is 10 MiB");
  }
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(line.data(), line.size()).get(object) != simdjson::SUCCESS) {
    return InvalidArgument("no JSON object");
  }
  return object.at_key("data").error() == simdjson::SUCCESS ? FromVersion2(object)
                                                            : FromVersion3(object);
}

}  // namespace lamina::tick_log
