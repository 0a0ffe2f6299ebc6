#include <bit>
#include <cmath>
#include <optional>

#include <arrow/api.h>

#include "lamina/backtests/json_text.h"
#include "lamina/backtests/record_codec.h"
#include "lamina/base/time.h"

namespace lamina::backtests {

namespace {

using bundle::Kind;
using bundle::Value;
using bundle::Writer;

constexpr std::uint64_t kPlainNan = 0x7ff8000000000000;
constexpr std::int64_t kExactInteger = std::int64_t{1} << 53;
constexpr std::string_view kReasonPrefix = "\x81\xacorder_reason";

bool IsShortest(const Value& value, std::int64_t number) {
  std::string text;
  Writer(text).Int(number);
  return text == value.raw();
}

std::size_t StringHeader(std::size_t length) {
  if (length < 32) return 1;
  if (length < 256) return 2;
  return length < 65536 ? 3 : 5;
}

bool IsPlainText(const Value& value) {
  return value.raw().size() - value.size() == StringHeader(value.size()) &&
         IsUtf8(value.AsString());
}

std::size_t ContainerHeader(std::size_t count) { return count < 16 ? 1 : count < 65536 ? 3 : 5; }

bool SubMicrosecond(ByteView text) {
  const std::size_t dot = text.find('.');
  if (dot == ByteView::npos) return false;
  std::size_t digits = 0;
  while (dot + 1 + digits < text.size() && text[dot + 1 + digits] >= '0' &&
         text[dot + 1 + digits] <= '9') {
    ++digits;
  }
  return digits > 6;
}

/// A cell's form, or nothing when its bytes must be kept. Fills the cell in both cases.
using Form = std::optional<std::uint32_t>;

Form TakeDouble(const Value& value, ColumnBuilder& column, std::size_t row) {
  switch (value.kind()) {
    case Kind::kNil:
      return cell_form::kNil;
    case Kind::kFloat64: {
      const double number = value.AsDouble();
      const auto bits = std::bit_cast<std::uint64_t>(number);
      column.SetDouble(row, PlainCell(number));
      if (std::isnan(number)) return bits == kPlainNan ? Form(cell_form::kFloat) : std::nullopt;
      return number == 0 && std::signbit(number) ? cell_form::kMinusZero : cell_form::kFloat;
    }
    case Kind::kInt: {
      const std::int64_t number = value.AsInt();
      column.SetDouble(row, static_cast<double>(number));
      if (number > kExactInteger || number < -kExactInteger) return std::nullopt;
      return IsShortest(value, number) ? Form(cell_form::kInteger) : std::nullopt;
    }
    case Kind::kUint:
    case Kind::kFloat32:
      column.SetDouble(row, PlainCell(value.AsDouble()));
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

Form TakeText(const Value& value, ColumnBuilder& column, std::size_t row, std::uint32_t text_form) {
  if (value.is_nil()) return cell_form::kNil;
  if (value.kind() == Kind::kInt) {
    column.SetOwnedText(row, std::to_string(value.AsInt()));
    return IsShortest(value, value.AsInt()) ? Form(cell_form::kInteger) : std::nullopt;
  }
  if (!value.is_string() || !IsUtf8(value.AsString())) return std::nullopt;
  column.SetText(row, value.AsString());
  return IsPlainText(value) ? Form(text_form) : std::nullopt;
}

std::uint32_t TimeForm(const TimeSpelling& spelling) {
  if (spelling.date_only) return cell_form::kDateOnly;
  return cell_form::kFirstTime + (spelling.separator == ' ' ? 3 : 0) +
         static_cast<std::uint32_t>(spelling.zone);
}

struct TakenTime {
  std::optional<std::int64_t> micros;
  Form form;
};

TakenTime TakeTime(const Value& value) {
  if (value.is_nil()) return {std::nullopt, cell_form::kNil};
  if (!value.is_string()) return {};
  const ByteView text = value.AsString();
  if (const auto spelled = ParseSpelledTime(text)) {
    const bool plain = value.raw().size() - text.size() == StringHeader(text.size());
    return {spelled->instant.value, plain ? Form(TimeForm(spelled->spelling)) : std::nullopt};
  }
  if (SubMicrosecond(text)) return {};
  const Result<Micros> instant = ParseTime(text);
  if (!instant.ok()) return {};
  return {instant->value, std::nullopt};
}

Form TakeJson(const Value& value, ColumnBuilder& column, std::size_t row) {
  if (value.is_nil()) return cell_form::kNil;
  if (value.raw() == "\x80") return cell_form::kEmptyMap;
  std::string text = ToJson(value), again;
  const bool same = AppendMessagePackOfJson(text, again).ok() && again == value.raw();
  column.SetOwnedText(row, std::move(text));
  return same ? Form(cell_form::kJsonText) : std::nullopt;
}

Form TakeOrderMetadata(const Value& value, ColumnBuilder& json, ColumnBuilder& reason,
                       std::size_t row) {
  if (value.raw().starts_with(kReasonPrefix)) {
    const Value text = (*value.entries().begin()).value;
    if (text.is_string() && IsPlainText(text)) {
      reason.SetText(row, text.AsString());
      return cell_form::kOrderReason;
    }
  }
  if (const auto text = value.Find("order_reason");
      text && text->is_string() && IsUtf8(text->AsString())) {
    reason.SetText(row, text->AsString());
  }
  return TakeJson(value, json, row);
}

Form TakeId(const Value& value, ColumnBuilder& id, ColumnBuilder& other, std::size_t row) {
  if (value.is_string()) {
    if (const auto uuid = Uuid::Parse(value.AsString())) {
      id.SetUuid(row, *uuid);
      return value.raw().size() == 38 ? Form(cell_form::kUuid) : std::nullopt;
    }
  }
  return TakeText(value, other, row, cell_form::kIdString);
}

Form TakeReferences(const Value& value, const RecordPositions& orders, ColumnBuilder& column,
                    std::size_t row) {
  if (value.is_nil()) return cell_form::kNil;
  if (!value.is_array()) return std::nullopt;
  std::vector<std::int32_t> positions;
  std::size_t total = ContainerHeader(value.size());
  for (const Value order : value.items()) {
    const auto found = orders.find(order.raw());
    if (found == orders.end()) return std::nullopt;
    positions.push_back(found->second);
    total += order.raw().size();
  }
  column.SetList(row, positions);
  return total == value.raw().size() ? Form(cell_form::kReferences) : std::nullopt;
}

/// One key of the shape while records are taken.
struct FieldTaker {
  FieldPart part;
  ByteView key;  ///< encoded
  std::unordered_map<ByteView, std::uint32_t> raw_index;

  std::uint32_t RawForm(const Value& value) {
    const auto [entry, is_new] =
        raw_index.emplace(value.raw(), static_cast<std::uint32_t>(part.raws.size()));
    if (is_new) part.raws.emplace_back(value.raw());
    return cell_form::kFirstRaw + entry->second;
  }
};

class RecordTaker {
 public:
  RecordTaker(RecordTable table, const RecordPositions& orders, std::size_t rows)
      : rules_(ColumnRules(table)), orders_(orders) {
    builders_.reserve(rules_.size());
    for (const ColumnRule& rule : rules_) builders_.emplace_back(rule.type, rows);
    for (std::size_t row = 0; row < rows; ++row) {
      builders_[0].SetInt(row, static_cast<std::int64_t>(row));
    }
  }

  /// Take the keys of `record` as the shape.
  void SetShape(const Value& record) {
    shape_size_ = record.size();
    std::vector<bool> used(rules_.size());
    for (const auto entry : record.entries()) {
      FieldTaker field;
      field.key = entry.key.raw();
      field.part.key = std::string(field.key);
      if (const auto column = RuleOf(entry.key); column && !used[*column]) {
        used[*column] = true;
        field.part.codec = rules_[*column].codec;
        field.part.column = static_cast<std::uint32_t>(*column);
      }
      fields_.push_back(std::move(field));
    }
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      if (!used[i] && rules_[i].absent != AbsentValue::kNull) absent_.push_back(i);
    }
  }

  void Take(const Value& record, std::size_t row, RecordsShape& shape) {
    if (HasShape(record)) {
      std::size_t i = 0;
      for (const auto entry : record.entries()) {
        FieldTaker& field = fields_[i++];
        const Form form = TakeCell(field.part.codec, field.part.column, entry.value, row);
        field.part.forms.Append(form ? *form : field.RawForm(entry.value));
      }
      for (const std::size_t column : absent_) FillAbsent(column, row);
      return;
    }
    shape.whole.emplace_back(static_cast<std::uint32_t>(row), std::string(record.raw()));
    for (FieldTaker& field : fields_) field.part.forms.AppendAny();
    if (!record.is_map()) return;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      if (rules_[i].key.empty()) continue;
      if (const auto value = record.Find(rules_[i].key)) {
        static_cast<void>(TakeCell(rules_[i].codec, i, *value, row));
      } else if (rules_[i].absent != AbsentValue::kNull) {
        FillAbsent(i, row);
      }
    }
  }

  Result<TakenRecords> Finish(RecordTable table, RecordsShape shape) {
    TakenRecords taken;
    for (FieldTaker& field : fields_) shape.fields.push_back(std::move(field.part));
    taken.shape = std::move(shape);
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    arrays.reserve(builders_.size());
    for (const ColumnBuilder& builder : builders_) {
      LAMINA_ASSIGN(auto array, builder.Finish());
      arrays.push_back(std::move(array));
    }
    LAMINA_ASSIGN(taken.rows, MakeTable(WantedColumns(table), arrays, taken.shape.count));
    return taken;
  }

 private:
  std::optional<std::size_t> RuleOf(const Value& key) const {
    if (!key.is_string()) return std::nullopt;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      if (!rules_[i].key.empty() && rules_[i].key == key.AsString()) return i;
    }
    return std::nullopt;
  }

  bool HasShape(const Value& record) const {
    if (!record.is_map() || record.size() != shape_size_ || shape_size_ == 0) return false;
    std::size_t i = 0;
    for (const auto entry : record.entries()) {
      if (entry.key.raw() != fields_[i].key) return false;
      if (i == 0 && entry.key.offset() - record.offset() != ContainerHeader(shape_size_)) {
        return false;
      }
      ++i;
    }
    return true;
  }

  Form TakeCell(CellCodec codec, std::size_t column, const Value& value, std::size_t row) {
    if (codec == CellCodec::kRaw) return std::nullopt;
    ColumnBuilder& builder = builders_[column];
    switch (codec) {
      case CellCodec::kRaw:
        break;
      case CellCodec::kDouble:
        return TakeDouble(value, builder, row);
      case CellCodec::kText:
        return TakeText(value, builder, row, cell_form::kString);
      case CellCodec::kTime: {
        const TakenTime time = TakeTime(value);
        if (time.micros) builder.SetInt(row, *time.micros);
        return time.form;
      }
      case CellCodec::kBool:
        if (value.is_nil()) return cell_form::kNil;
        if (value.kind() != Kind::kBool) return std::nullopt;
        builder.SetBool(row, value.AsBool());
        return cell_form::kBoolean;
      case CellCodec::kId:
        return TakeId(value, builder, builders_[column + 1], row);
      case CellCodec::kJson:
        return TakeJson(value, builder, row);
      case CellCodec::kOrderMetadata:
        return TakeOrderMetadata(value, builder, builders_[column + 1], row);
      case CellCodec::kOrderReferences:
        return TakeReferences(value, orders_, builder, row);
    }
    return std::nullopt;
  }

  void FillAbsent(std::size_t column, std::size_t row) {
    if (rules_[column].absent == AbsentValue::kFalse) builders_[column].SetBool(row, false);
    if (rules_[column].absent == AbsentValue::kZero) builders_[column].SetDouble(row, 0.0);
  }

  const std::vector<ColumnRule>& rules_;
  const RecordPositions& orders_;
  std::vector<ColumnBuilder> builders_;
  std::vector<FieldTaker> fields_;
  std::vector<std::size_t> absent_;
  std::size_t shape_size_ = 0;
};

}  // namespace

double PlainCell(double value) {
  if (std::isnan(value)) return std::bit_cast<double>(kPlainNan);
  return value == 0 ? 0.0 : value;
}

RecordPositions PositionsOf(const Value& array) {
  RecordPositions positions;
  positions.reserve(array.size());
  std::int32_t next = 0;
  for (const Value record : array.items()) positions.emplace(record.raw(), next++);
  return positions;
}

Result<TakenRecords> TakeRecords(RecordTable table, const Value& array,
                                 const RecordPositions& orders) {
  const std::size_t count = array.is_array() ? array.size() : 0;
  if (count > (std::size_t{1} << 30)) return ResourceExhausted("a run with too many records");
  RecordTaker taker(table, orders, count);
  // The record in the middle speaks for all: first records are the odd ones.
  std::size_t row = 0;
  for (const Value record : array.items()) {
    if (row == count / 2 && record.is_map()) taker.SetShape(record);
    ++row;
  }
  RecordsShape shape;
  shape.count = static_cast<std::uint32_t>(count);
  row = 0;
  for (const Value record : array.items()) taker.Take(record, row++, shape);
  return taker.Finish(table, std::move(shape));
}

TakenPoints TakePoints(const Value& array) {
  TakenPoints points;
  const std::size_t count = array.size();
  points.shape.count = static_cast<std::uint32_t>(count);
  points.shape.arrays = true;
  points.times.resize(count);
  points.values.resize(count);
  points.time_valid.resize(count);
  points.value_valid.resize(count);
  FieldTaker value_field, time_field;
  value_field.part.codec = CellCodec::kDouble;
  value_field.part.column = static_cast<std::uint32_t>(PointColumn::kValue);
  time_field.part.codec = CellCodec::kTime;
  time_field.part.column = static_cast<std::uint32_t>(PointColumn::kTime);
  ColumnBuilder values(table::LakeType::kDouble, 1);
  std::size_t row = 0;
  for (const Value point : array.items()) {
    if (!point.is_array() || point.size() != 2 || point.raw()[0] != '\x92') {
      points.shape.whole.emplace_back(static_cast<std::uint32_t>(row), std::string(point.raw()));
      value_field.part.forms.AppendAny();
      time_field.part.forms.AppendAny();
      ++row;
      continue;
    }
    auto item = point.items().begin();
    const Value value = *item;
    ++item;
    const Value time = *item;
    Form form;
    if (value.kind() == Kind::kFloat64 && !std::isnan(value.AsDouble())) [[likely]] {
      const double number = value.AsDouble();
      form = number == 0 && std::signbit(number) ? cell_form::kMinusZero : cell_form::kFloat;
      points.values[row] = PlainCell(number);
      points.value_valid[row] = 1;
    } else {
      form = TakeDouble(value, values, 0);
      if (value.is_number()) {
        points.values[row] = PlainCell(value.AsDouble());
        points.value_valid[row] = 1;
      }
    }
    value_field.part.forms.Append(form ? *form : value_field.RawForm(value));
    const TakenTime taken = TakeTime(time);
    points.times[row] = taken.micros.value_or(0);
    points.time_valid[row] = taken.micros ? 1 : 0;
    time_field.part.forms.Append(taken.form ? *taken.form : time_field.RawForm(time));
    ++row;
  }
  points.shape.fields.push_back(std::move(value_field.part));
  points.shape.fields.push_back(std::move(time_field.part));
  return points;
}

std::vector<TableView::Wanted> WantedColumns(RecordTable table) {
  std::vector<TableView::Wanted> wanted;
  for (const ColumnRule& rule : ColumnRules(table)) wanted.push_back({rule.column, rule.type});
  return wanted;
}

}  // namespace lamina::backtests
