#pragma once

/// \file lamina/bundle/map_writer.h
/// MapWriter: a MessagePack map whose size is known when it is closed. Thread-compatible.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lamina/base/time.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::bundle {

class MapWriter {
 public:
  /// The value of `key` is written next.
  Writer& Key(std::string_view key) {
    writer_.String(key);
    ++pairs_;
    return writer_;
  }
  void Text(std::string_view key, std::string_view value) { Key(key).String(value); }
  void Number(std::string_view key, double value) { Key(key).Double(value); }
  void Integer(std::string_view key, std::int64_t value) { Key(key).Int(value); }
  void Nil(std::string_view key) { Key(key).Nil(); }
  void Time(std::string_view key, Micros value) { Key(key).String(FormatTime(value)); }
  void EmptyMap(std::string_view key) { Key(key).MapHeader(0); }
  void EmptyArray(std::string_view key) { Key(key).ArrayHeader(0); }
  void Raw(std::string_view key, ByteView value) { Key(key).Raw(value); }
  /// The value as it stands, nil when absent.
  void Copy(std::string_view key, const std::optional<Value>& value) {
    if (value) {
      Raw(key, value->raw());
    } else {
      Nil(key);
    }
  }
  std::uint32_t pairs() const { return pairs_; }

  /// The map so far.
  std::string Finish() const {
    std::string out;
    out.reserve(body_.size() + 5);
    Writer(out).MapHeader(pairs_);
    return out += body_;
  }

 private:
  std::string body_;
  Writer writer_{body_};
  std::uint32_t pairs_ = 0;
};

}  // namespace lamina::bundle
