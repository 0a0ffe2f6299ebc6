#include "lamina/catalog/lake_value.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "lamina/base/time.h"
#include "lamina/base/uuid.h"
#include "lamina/table/column_bounds.h"

namespace lamina::catalog {
namespace {

using table::LakeType;

template <class T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (text.empty() || result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

std::optional<std::int64_t> ParseBoolean(std::string_view text) {
  if (text == "0" || text == "false") return 0;
  if (text == "1" || text == "true") return 1;
  return std::nullopt;
}

bool IsUuidText(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

std::optional<std::int64_t> ParseInstant(std::string_view text) {
  // More digits than a microsecond has would be cut: then the text bounds something else.
  if (const std::size_t dot = text.find('.'); dot != std::string_view::npos) {
    const std::size_t end = text.find_first_not_of("0123456789", dot + 1);
    if ((end == std::string_view::npos ? text.size() : end) - dot - 1 > 6) return std::nullopt;
  }
  const Result<Micros> instant = ParseTime(text);
  if (!instant.ok()) return std::nullopt;
  return instant->value;
}

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr std::int64_t kFirstDay = -719'162;  // 0001-01-01: years that everybody spells alike
constexpr std::int64_t kEndDay = 2'932'897;   // 10000-01-01

std::optional<std::string> DateText(std::int64_t days) {
  if (days < kFirstDay || days >= kEndDay) return std::nullopt;
  return FormatLakeTime(Micros{days * kMicrosPerDay}).substr(0, 10);
}

std::optional<std::string> TimeText(Micros instant, bool zone) {
  if (instant.value < kFirstDay * kMicrosPerDay || instant.value >= kEndDay * kMicrosPerDay)
    return std::nullopt;
  std::string text = FormatLakeTime(instant);
  if (!zone) text.resize(text.size() - 3);
  return text;
}

std::string DoubleText(double value) {
  char buffer[40];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return std::string(buffer, result.ptr);
}

std::string HexText(std::string_view bytes) {
  std::string text = ToHex(bytes);
  for (char& c : text)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

Result<std::string_view> BinaryOf(const arrow::Scalar& value) {
  const arrow::Scalar* storage = &value;
  if (value.type->id() == arrow::Type::EXTENSION)
    storage = static_cast<const arrow::ExtensionScalar&>(value).value.get();
  if (!arrow::is_base_binary_like(storage->type->id()) &&
      storage->type->id() != arrow::Type::FIXED_SIZE_BINARY)
    return InvalidArgument("a bound of type " + value.type->ToString() + " is not binary");
  return static_cast<const arrow::BaseBinaryScalar&>(*storage).view();
}

Result<std::string> UuidText(const arrow::Scalar& value) {
  LAMINA_ASSIGN(const std::string_view bytes, BinaryOf(value));
  Uuid uuid;
  if (bytes.size() != uuid.bytes.size()) return InvalidArgument("a uuid bound is not 16 bytes");
  std::memcpy(uuid.bytes.data(), bytes.data(), bytes.size());
  return uuid.ToString();
}

}  // namespace

std::optional<LakeValue> LakeValue::Parse(LakeType type, std::string_view text) {
  LakeValue parsed;
  const auto set = [&](const auto& value) -> std::optional<LakeValue> {
    if (!value) return std::nullopt;
    parsed.value_ = *value;
    return parsed;
  };
  switch (type) {
    case LakeType::kBoolean:
      return set(ParseBoolean(text));
    case LakeType::kInt32:
    case LakeType::kInt64:
      return set(ParseNumber<std::int64_t>(text));
    case LakeType::kDouble: {
      const std::optional<double> number = ParseNumber<double>(text);
      if (!number || !std::isfinite(*number)) return std::nullopt;
      return set(number);
    }
    case LakeType::kDate:
    case LakeType::kTimestamp:
    case LakeType::kTimestampTz:
      return set(ParseInstant(text));
    case LakeType::kUuid:
      // Lower-case text of one length sorts as the bytes do.
      if (!IsUuidText(text)) return std::nullopt;
      return set(std::optional(text));
    case LakeType::kVarchar:
    case LakeType::kBlob:  // upper-case hexadecimal sorts as the bytes do
      return set(std::optional(text));
    case LakeType::kInt32List:
      return std::nullopt;
  }
  return std::nullopt;
}

std::strong_ordering LakeValue::Compare(const LakeValue& other) const {
  if (const auto* number = std::get_if<std::int64_t>(&value_))
    return *number <=> std::get<std::int64_t>(other.value_);
  if (const auto* number = std::get_if<double>(&value_)) {
    const double right = std::get<double>(other.value_);
    if (*number < right) return std::strong_ordering::less;
    return *number > right ? std::strong_ordering::greater : std::strong_ordering::equal;
  }
  return std::get<std::string_view>(value_) <=> std::get<std::string_view>(other.value_);
}

Result<std::optional<std::string>> LakeText(LakeType type, const arrow::Scalar& value) {
  using Text = std::optional<std::string>;
  if (!value.is_valid) return Text();
  const auto wrong = [&] {
    return InvalidArgument("a bound of type " + value.type->ToString() + " for a column of type " +
                           std::string(table::LakeTypeName(type)));
  };
  if (type != LakeType::kUuid && value.type->id() != table::ArrowType(type)->id()) return wrong();
  switch (type) {
    case LakeType::kBoolean:
      return Text(static_cast<const arrow::BooleanScalar&>(value).value ? "1" : "0");
    case LakeType::kInt32:
      return Text(std::to_string(static_cast<const arrow::Int32Scalar&>(value).value));
    case LakeType::kInt64:
      return Text(std::to_string(static_cast<const arrow::Int64Scalar&>(value).value));
    case LakeType::kDouble: {
      const double number = static_cast<const arrow::DoubleScalar&>(value).value;
      return std::isfinite(number) ? Text(DoubleText(number)) : Text();
    }
    case LakeType::kDate:
      return DateText(static_cast<const arrow::Date32Scalar&>(value).value);
    case LakeType::kTimestamp:
    case LakeType::kTimestampTz: {
      if (static_cast<const arrow::TimestampType&>(*value.type).unit() != arrow::TimeUnit::MICRO)
        return wrong();
      const Micros instant{static_cast<const arrow::TimestampScalar&>(value).value};
      return TimeText(instant, type == LakeType::kTimestampTz);
    }
    case LakeType::kVarchar: {
      LAMINA_ASSIGN(const std::string_view text, BinaryOf(value));
      return Text(std::string(text));
    }
    case LakeType::kBlob: {
      LAMINA_ASSIGN(const std::string_view bytes, BinaryOf(value));
      return Text(HexText(bytes));
    }
    case LakeType::kUuid: {
      LAMINA_ASSIGN(std::string text, UuidText(value));
      return Text(std::move(text));
    }
    case LakeType::kInt32List:
      return wrong();
  }
  return wrong();
}

std::optional<std::string> StoredBound(LakeType type, const std::optional<std::string>& text,
                                       bool low) {
  if (type != LakeType::kDouble || !text) return text;
  std::optional<double> value = ParseNumber<double>(*text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  constexpr double kLargest = std::numeric_limits<double>::max();
  for (int i = 0; i < kDoubleBoundMargin; ++i)
    value = std::nextafter(*value, low ? -kLargest : kLargest);
  return table::SpellDouble(*value);
}

}  // namespace lamina::catalog
