#include <algorithm>
#include <cmath>

#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <arrow/util/base64.h>
#include <parquet/properties.h>

#include "lamina/backtests/convert_internal.h"
#include "lamina/base/time.h"
#include "lamina/table/arrow_status.h"

namespace lamina::backtests {
namespace {

using bundle::Kind;
using bundle::Value;
using bundle::Writer;

constexpr std::string_view kBlobReference = "@blob";

/// The framework's arithmetic: seconds as double, times 1000, truncated.
std::int64_t Milliseconds(Micros time) {
  const auto seconds = static_cast<double>(static_cast<long double>(time.value) / 1e6L);
  return static_cast<std::int64_t>(seconds * 1000.0);
}

std::optional<std::int64_t> TimeOf(const Value& value) {
  switch (value.kind()) {
    case Kind::kInt:
      return value.AsInt();
    case Kind::kFloat64: {
      const double number = value.AsDouble();
      if (!(std::fabs(number) < 9.2e18)) return std::nullopt;
      return static_cast<std::int64_t>(number);
    }
    case Kind::kString: {
      const auto time = ParseTime(value.AsString());
      if (!time.ok()) return std::nullopt;
      return Milliseconds(*time);
    }
    default:
      return std::nullopt;
  }
}

/// Whether `time` milliseconds are all that `value` says.
bool HoldsTime(const Value& value, std::int64_t time) {
  if (value.kind() == Kind::kInt) return true;
  if (value.kind() == Kind::kFloat64) return value.AsDouble() == static_cast<double>(time);
  return ParseTime(value.AsString())->value == time * 1000;
}

/// Whether the double that stands for `value` is the same number.
bool HoldsNumber(const Value& value) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  if (value.kind() == Kind::kInt) return value.AsInt() >= -kExact && value.AsInt() <= kExact;
  return value.kind() != Kind::kUint && value.kind() != Kind::kBool;
}

/// The points when the framework would take the list out, else absent. Clears `exact` when a point
/// is not all that its pair says.
std::optional<BlobPoints> PointsOf(const Value& list, bool& exact) {
  if (!list.is_array() || list.size() == 0) return std::nullopt;
  BlobPoints points;
  points.times.reserve(list.size());
  points.values.reserve(list.size());
  std::vector<std::uint8_t> valid;
  valid.reserve(list.size());
  for (const Value pair : list.items()) {
    if (!pair.is_array() || pair.size() != 2) return std::nullopt;
    auto item = pair.items().begin();
    const Value value = *item;
    ++item;
    const auto time = TimeOf(*item);
    if (!time) return std::nullopt;
    points.times.push_back(*time);
    exact = exact && HoldsTime(*item, *time) && HoldsNumber(value);
    if (value.kind() == Kind::kBool) {
      points.values.push_back(value.AsBool() ? 1.0 : 0.0);
    } else if (value.is_number()) {
      points.values.push_back(value.AsDouble());
    } else if (value.is_nil()) {
      points.values.push_back(0.0);
    } else {
      return std::nullopt;
    }
    valid.push_back(value.is_nil() ? 0 : 1);
  }
  if (std::find(valid.begin(), valid.end(), 0) != valid.end())
    points.value_valid = std::move(valid);
  return points;
}

/// Base64 of the Arrow schema, as pyarrow stores it beside the columns.
Result<std::string> StoredSchema() {
  const auto schema =
      arrow::schema({arrow::field("ts", arrow::int64()), arrow::field("value", arrow::float64())});
  LAMINA_ARROW_ASSIGN(const auto buffer, arrow::ipc::SerializeSchema(*schema),
                      "describing a series");
  return arrow::util::base64_encode(std::string_view(*buffer));
}

/// The same bytes as pyarrow with this Arrow gives.
Result<BlobWriter> WriterOf(const BlobPoints& points) {
  LAMINA_ASSIGN(auto schema, StoredSchema());
  return BlobWriter{
      BlobLayoutFor(points), parquet::DEFAULT_CREATED_BY, {{"ARROW:schema", std::move(schema)}}};
}

/// Integers in the equity curve: a point repeats the total value of the snapshot at its place.
class IntegerPoints {
 public:
  explicit IntegerPoints(const std::optional<Value>& snapshots) {
    if (!snapshots || !snapshots->is_array()) return;
    for (const Value snapshot : snapshots->items()) {
      std::optional<Value> value = snapshot.Find("total_value");
      if (value && value->kind() == Kind::kInt) {
        const auto time = snapshot.Find("created_at");
        entries_.push_back({index_, *value, time ? TimeOf(*time) : std::nullopt});
      }
      ++index_;
    }
  }

  /// REQUIRES ascending `index`.
  std::optional<std::int64_t> At(std::size_t index, double value, std::int64_t time) {
    while (next_ < entries_.size() && entries_[next_].index < index) ++next_;
    if (next_ == entries_.size() || entries_[next_].index != index) return std::nullopt;
    const Entry& entry = entries_[next_];
    if (entry.time != time || entry.value.AsDouble() != value) return std::nullopt;
    return entry.value.AsInt();
  }

 private:
  struct Entry {
    std::size_t index;
    Value value;
    std::optional<std::int64_t> time;
  };
  std::vector<Entry> entries_;
  std::size_t index_ = 0, next_ = 0;
};

bool Holds(const std::vector<std::uint8_t>& valid, std::size_t row) {
  return valid.empty() || valid[row] != 0;
}

}  // namespace

void AddWarning(std::vector<std::string>& warnings, std::string text) {
  if (std::find(warnings.begin(), warnings.end(), text) == warnings.end()) {
    warnings.push_back(std::move(text));
  }
}

Result<std::string> SeriesMover::Move(std::string_view name, const Value& value,
                                      const std::string& prefix,
                                      const std::optional<Value>& snapshots) {
  const std::string key = prefix + std::string(name) + ".parquet";
  const auto reference = value.Find(kBlobReference);
  if (!reference || !reference->is_string()) {
    return to_blobs_ ? ToBlob(name, key, value) : Result<std::string>(std::string(value.raw()));
  }
  const auto blob = source_ ? source_->Find(reference->AsString()) : std::nullopt;
  if (!blob) {
    AddWarning(*warnings_, "the document lacks the blob " + std::string(reference->AsString()) +
                               "; the series is written empty");
    return std::string("\x90");
  }
  ++used_;
  if (!to_blobs_) return ToInline(name, blob->AsBinary(), snapshots);
  blobs_.Key(key).Binary(blob->AsBinary());
  bundle::MapWriter target;
  target.Key(kBlobReference).String(key);
  return target.Finish();
}

Result<std::string> SeriesMover::ToBlob(std::string_view name, const std::string& key,
                                        const Value& list) {
  bool exact = true;
  const auto points = PointsOf(list, exact);
  if (!points) return std::string(list.raw());
  if (!exact) {
    AddWarning(*warnings_, std::string(name) +
                               " has times finer than a millisecond or values that no double "
                               "holds; a blob has them rounded");
  }
  LAMINA_ASSIGN(const auto writer, WriterOf(*points));
  LAMINA_ASSIGN(const std::string blob, encoder_.Encode(*points, writer));
  blobs_.Key(key).Binary(blob);
  bundle::MapWriter target;
  target.Key(kBlobReference).String(key);
  return target.Finish();
}

Result<std::string> SeriesMover::ToInline(std::string_view name, ByteView blob,
                                          const std::optional<Value>& snapshots) {
  auto decoded = DecodeBlob(blob);
  if (!decoded.ok()) {
    return Unsupported("the blob of " + std::string(name) +
                       " cannot be written inline: " + std::string(decoded.error().message()));
  }
  const BlobPoints& points = decoded->points;
  IntegerPoints integers(name == "equity_curve" ? snapshots : std::nullopt);
  std::string out;
  Writer writer(out);
  writer.ArrayHeader(static_cast<std::uint32_t>(points.times.size()));
  for (std::size_t row = 0; row < points.times.size(); ++row) {
    writer.ArrayHeader(2);
    if (!Holds(points.value_valid, row)) {
      writer.Nil();
    } else if (const auto integer = integers.At(row, points.values[row], points.times[row])) {
      writer.Int(*integer);
    } else {
      writer.Double(points.values[row]);
    }
    if (!Holds(points.time_valid, row)) {
      writer.Nil();
      continue;
    }
    Micros time;
    if (__builtin_mul_overflow(points.times[row], std::int64_t{1000}, &time.value)) {
      return Unsupported("a time of " + std::string(name) + " is beyond any calendar");
    }
    writer.String(FormatTime(time));
  }
  return out;
}

}  // namespace lamina::backtests
