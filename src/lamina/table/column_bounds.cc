#include "lamina/table/column_bounds.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include <parquet/statistics.h>
#include <parquet/types.h>

#include "lamina/base/json.h"
#include "lamina/base/time.h"
#include "lamina/base/uuid.h"

namespace lamina::table {
namespace {

constexpr std::size_t kLongestTextBound = 256;
constexpr std::int64_t kFirstDay = -719'162;  ///< 0001-01-01
constexpr std::int64_t kLastDay = 2'932'896;  ///< 9999-12-31
constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

std::string Bytes(const parquet::ByteArray& value) {
  return {reinterpret_cast<const char*>(value.ptr), value.len};
}

template <class Typed>
const Typed* As(const parquet::Statistics& statistics, parquet::Type::type type) {
  return statistics.physical_type() == type ? static_cast<const Typed*>(&statistics) : nullptr;
}

std::string SpellDate(std::int64_t days) {
  // FormatLakeTime writes the date, a space, the clock and "+00".
  return FormatLakeTime(Micros{days * kMicrosPerDay}).substr(0, 10);
}

std::optional<std::string> SpellInteger(std::int64_t value, LakeType type) {
  switch (type) {
    case LakeType::kBoolean:
      return value != 0 ? "1" : "0";
    case LakeType::kDate:
      if (value < kFirstDay || value > kLastDay) return std::nullopt;
      return SpellDate(value);
    case LakeType::kTimestamp:
    case LakeType::kTimestampTz: {
      if (value < kFirstDay * kMicrosPerDay || value >= (kLastDay + 1) * kMicrosPerDay) {
        return std::nullopt;
      }
      std::string text = FormatLakeTime(Micros{value});
      if (type == LakeType::kTimestamp) text.resize(text.size() - 3);
      return text;
    }
    default:
      return std::to_string(value);
  }
}

std::optional<std::string> SpellBytes(const std::string& bytes, LakeType type) {
  if (type == LakeType::kUuid && bytes.size() == 16) {
    Uuid uuid;
    std::memcpy(uuid.bytes.data(), bytes.data(), 16);
    return uuid.ToString();
  }
  if (type != LakeType::kVarchar || bytes.size() > kLongestTextBound || !ValidUtf8(bytes) ||
      bytes.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  return bytes;
}

}  // namespace

void ColumnBounds::Widen(const ColumnBounds& other) {
  if (other.low < low) low = other.low;
  if (high < other.high) high = other.high;
}

std::optional<ColumnBounds> BoundsOf(const parquet::Statistics& statistics, LakeType type) {
  if (!statistics.HasMinMax()) return std::nullopt;
  using parquet::Type;
  switch (type) {
    case LakeType::kBoolean:
      if (const auto* typed = As<parquet::BoolStatistics>(statistics, Type::BOOLEAN)) {
        return ColumnBounds{std::int64_t{typed->min()}, std::int64_t{typed->max()}};
      }
      break;
    case LakeType::kInt32:
    case LakeType::kDate:
    case LakeType::kInt32List:
      if (const auto* typed = As<parquet::Int32Statistics>(statistics, Type::INT32)) {
        return ColumnBounds{std::int64_t{typed->min()}, std::int64_t{typed->max()}};
      }
      break;
    case LakeType::kInt64:
    case LakeType::kTimestamp:
    case LakeType::kTimestampTz:
      if (const auto* typed = As<parquet::Int64Statistics>(statistics, Type::INT64)) {
        return ColumnBounds{typed->min(), typed->max()};
      }
      break;
    case LakeType::kDouble:
      if (const auto* typed = As<parquet::DoubleStatistics>(statistics, Type::DOUBLE)) {
        double low = typed->min();
        double high = typed->max();
        if (std::isnan(low) || std::isnan(high)) return std::nullopt;
        if (low == 0) low = -0.0;  // both zeros lie inside, whoever compares and however
        if (high == 0) high = 0.0;
        return ColumnBounds{low, high};
      }
      break;
    case LakeType::kVarchar:
    case LakeType::kBlob:
      if (const auto* typed = As<parquet::ByteArrayStatistics>(statistics, Type::BYTE_ARRAY)) {
        return ColumnBounds{Bytes(typed->min()), Bytes(typed->max())};
      }
      break;
    case LakeType::kUuid:
      if (const auto* typed = As<parquet::FLBAStatistics>(statistics, Type::FIXED_LEN_BYTE_ARRAY)) {
        if (statistics.descr()->type_length() != 16) break;
        const auto* low = reinterpret_cast<const char*>(typed->min().ptr);
        const auto* high = reinterpret_cast<const char*>(typed->max().ptr);
        return ColumnBounds{std::string(low, 16), std::string(high, 16)};
      }
      break;
  }
  return std::nullopt;
}

std::optional<std::string> LakeSpelling(const BoundValue& value, LakeType type) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return SpellInteger(*integer, type);
  if (const auto* number = std::get_if<double>(&value)) {
    if (!std::isfinite(*number)) return std::nullopt;
    return SpellDouble(*number);
  }
  return SpellBytes(std::get<std::string>(value), type);
}

std::string SpellDouble(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  std::string text(buffer, error == std::errc() ? end : buffer);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

}  // namespace lamina::table
