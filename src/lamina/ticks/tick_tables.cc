#include "lamina/ticks/tick_tables.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"
#include "lamina/table/lake_type.h"

namespace lamina::ticks {
namespace {

/// Ticks come by hundreds of thousands a file: a trial of more would take a tenth of the time of
/// writing one.
constexpr std::int64_t kTrialRows = 8192;

using table::LakeType;
using tick_log::TextColumn;
using ArrowArray = std::shared_ptr<arrow::Array>;

constexpr std::int64_t kDayNs = 86'400'000'000'000;

struct TextField {
  const char* name;
  TextColumn TickBatch::* column;
};
constexpr std::array kTextFields = {
    TextField{"exchange", &TickBatch::exchange}, TextField{"conditions", &TickBatch::conditions},
    TextField{"source", &TickBatch::source}, TextField{"extra", &TickBatch::extra}};

/// The rows of a batch that are wanted, in their order.
struct Rows {
  const std::uint32_t* numbers = nullptr;  ///< null: all, as they are
  std::size_t count = 0;
  std::size_t at(std::size_t i) const { return numbers == nullptr ? i : numbers[i]; }
  std::int64_t length() const { return static_cast<std::int64_t>(count); }
};

/// One value of each row, by its number.
template <class T, class ValueOf>
Result<ArrowArray> Numbers(std::shared_ptr<arrow::DataType> type, const Rows& rows,
                           const ValueOf& value_of) {
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> values,
                      arrow::AllocateBuffer(rows.length() * static_cast<std::int64_t>(sizeof(T))),
                      "making a column of ticks");
  T* const to = reinterpret_cast<T*>(values->mutable_data());
  for (std::size_t i = 0; i < rows.count; ++i) to[i] = value_of(rows.at(i));
  return arrow::MakeArray(
      arrow::ArrayData::Make(std::move(type), rows.length(), {nullptr, std::move(values)}, 0));
}

Result<ArrowArray> Nulls(const std::shared_ptr<arrow::DataType>& type, const Rows& rows) {
  LAMINA_ARROW_ASSIGN(ArrowArray none, arrow::MakeArrayOfNull(type, rows.length()),
                      "making a column of ticks");
  return none;
}

Result<ArrowArray> TypeNames(const std::vector<TickType>& types, const Rows& rows, TickKind kind) {
  arrow::StringBuilder builder;
  LAMINA_ARROW(builder.Reserve(rows.length()), "making a column of ticks");
  LAMINA_ARROW(builder.ReserveData(rows.length() * 9), "making a column of ticks");
  for (std::size_t i = 0; i < rows.count; ++i) {
    const TickType type = types[rows.at(i)];
    if (type < TickType::kLast || type > TickType::kMidPoint || KindOf(type) != kind)
      return InvalidArgument(std::string("a tick of type ") +
                             std::to_string(static_cast<int>(type)) + " among " +
                             TickTableName(kind));
    builder.UnsafeAppend(TickTypeName(type));
  }
  LAMINA_ARROW_ASSIGN(ArrowArray array, builder.Finish(), "making a column of ticks");
  return array;
}

Result<ArrowArray> Texts(const TextColumn& column, const Rows& rows) {
  if (column.codes.empty()) return Nulls(arrow::utf8(), rows);
  arrow::StringBuilder builder;
  LAMINA_ARROW(builder.Reserve(rows.length()), "making a column of ticks");
  for (std::size_t i = 0; i < rows.count; ++i) {
    const std::uint32_t code = column.codes[rows.at(i)];
    if (code > column.values.size()) return InvalidArgument("a text code without a text");
    if (code == 0) {
      builder.UnsafeAppendNull();
    } else {
      LAMINA_ARROW(builder.Append(column.values[code - 1]), "making a column of ticks");
    }
  }
  LAMINA_ARROW_ASSIGN(ArrowArray array, builder.Finish(), "making a column of ticks");
  return array;
}

Result<ArrowArray> Requests(const std::vector<std::int64_t>& ids, const Rows& rows) {
  if (ids.empty()) return Nulls(arrow::int64(), rows);
  arrow::Int64Builder builder;
  LAMINA_ARROW(builder.Reserve(rows.length()), "making a column of ticks");
  for (std::size_t i = 0; i < rows.count; ++i) {
    const std::int64_t id = ids[rows.at(i)];
    if (id == TickBatch::kNoRequest) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(id);
    }
  }
  LAMINA_ARROW_ASSIGN(ArrowArray array, builder.Finish(), "making a column of ticks");
  return array;
}

Status CheckLengths(const TickBatch& ticks) {
  const std::size_t rows = ticks.size();
  bool equal = ticks.contract_id.size() == rows && ticks.type.size() == rows &&
               ticks.recv_ns.size() == rows && ticks.writer.size() == rows &&
               ticks.seq.size() == rows && (ticks.flags.empty() || ticks.flags.size() == rows) &&
               (ticks.request_id.empty() || ticks.request_id.size() == rows);
  for (std::size_t i = 0; i < ValueCount(ticks.kind); ++i)
    equal = equal && ticks.values[i].size() == rows;
  for (const TextField& field : kTextFields) {
    const TextColumn& column = ticks.*field.column;
    equal = equal && (column.codes.empty() || column.codes.size() == rows);
  }
  if (!equal) return InvalidArgument("columns of ticks with unequal numbers of rows");
  return Ok();
}

Result<std::shared_ptr<arrow::RecordBatch>> MakeBatch(const TickBatch& ticks, const Rows& rows) {
  LAMINA_TRY(CheckLengths(ticks));
  std::vector<ArrowArray> columns;
  const auto add = [&](Result<ArrowArray> array) -> Status {
    LAMINA_ASSIGN(ArrowArray made, std::move(array));
    columns.push_back(std::move(made));
    return Ok();
  };
  const auto add_integers = [&](const std::vector<std::int64_t>& column) {
    return add(
        Numbers<std::int64_t>(arrow::int64(), rows, [&](std::size_t row) { return column[row]; }));
  };
  LAMINA_TRY(add_integers(ticks.contract_id));
  LAMINA_TRY(add(TypeNames(ticks.type, rows, ticks.kind)));
  LAMINA_TRY(add(Numbers<std::int32_t>(
      arrow::date32(), rows, [&](std::size_t row) { return TickDay(ticks.ts_ns[row]); })));
  for (const auto* column : {&ticks.ts_ns, &ticks.recv_ns, &ticks.writer, &ticks.seq})
    LAMINA_TRY(add_integers(*column));
  for (std::size_t i = 0; i < ValueCount(ticks.kind); ++i)
    LAMINA_TRY(add(Numbers<double>(arrow::float64(), rows,
                                   [&](std::size_t row) { return ticks.values[i][row]; })));
  LAMINA_TRY(add(Numbers<std::int32_t>(arrow::int32(), rows, [&](std::size_t row) {
    return ticks.flags.empty() ? 0 : static_cast<std::int32_t>(ticks.flags[row]);
  })));
  LAMINA_TRY(add(Texts(ticks.exchange, rows)));
  LAMINA_TRY(add(Texts(ticks.conditions, rows)));
  LAMINA_TRY(add(Requests(ticks.request_id, rows)));
  LAMINA_TRY(add(Texts(ticks.source, rows)));
  LAMINA_TRY(add(Texts(ticks.extra, rows)));
  return arrow::RecordBatch::Make(TickArrowSchema(ticks.kind), rows.length(), std::move(columns));
}

template <class ArrayType>
Result<std::shared_ptr<ArrayType>> Column(const arrow::Table& table, const std::string& name,
                                          bool may_be_null = false) {
  LAMINA_ASSIGN(const auto chunked, table::ColumnNamed(table, name));
  LAMINA_ASSIGN(const ArrowArray array, table::CombineColumn(*chunked));
  if (array->type_id() != ArrayType::TypeClass::type_id)
    return Corruption("column " + name + " of ticks is of type " + array->type()->ToString());
  if (!may_be_null && array->null_count() > 0)
    return Corruption("column " + name + " of ticks has rows without a value");
  return std::static_pointer_cast<ArrayType>(array);
}

Status TakeIntegers(const arrow::Table& table, const std::string& name,
                    std::vector<std::int64_t>& into) {
  LAMINA_ASSIGN(const auto array, Column<arrow::Int64Array>(table, name));
  into.assign(array->raw_values(), array->raw_values() + array->length());
  return Ok();
}

Result<TextColumn> TakeTexts(const arrow::Table& table, const std::string& name) {
  LAMINA_ASSIGN(const auto array, Column<arrow::StringArray>(table, name, true));
  TextColumn column;
  if (array->null_count() == array->length()) return column;
  column.codes.reserve(static_cast<std::size_t>(array->length()));
  std::map<std::string_view, std::uint32_t> codes;
  for (std::int64_t i = 0; i < array->length(); ++i) {
    if (array->IsNull(i)) {
      column.codes.push_back(0);
      continue;
    }
    const auto [at, added] =
        codes.try_emplace(array->GetView(i), static_cast<std::uint32_t>(codes.size() + 1));
    if (added) column.values.emplace_back(at->first);
    column.codes.push_back(at->second);
  }
  return column;
}

Status TakeTypes(TickKind kind, const arrow::Table& table, std::vector<TickType>& into) {
  LAMINA_ASSIGN(const auto names, Column<arrow::StringArray>(table, "tick_type"));
  into.reserve(static_cast<std::size_t>(names->length()));
  std::string_view known;
  TickType type = TickType::kLast;
  for (std::int64_t i = 0; i < names->length(); ++i) {
    const std::string_view name = names->GetView(i);
    if (name != known || known.empty()) {
      const auto parsed = tick_log::ParseTickType(name);
      if (!parsed.ok() || KindOf(*parsed) != kind)
        return Corruption("row " + std::to_string(i) + " of ticks." + TickTableName(kind) +
                          " is of type '" + std::string(name) + "'");
      type = *parsed;
      known = name;
    }
    into.push_back(type);
  }
  return Ok();
}

}  // namespace

const char* TickTableName(TickKind kind) {
  switch (kind) {
    case TickKind::kTrades:
      return "trades";
    case TickKind::kQuotes:
      return "quotes";
    case TickKind::kMidpoints:
      return "midpoints";
  }
  return "";
}

std::vector<catalog::LakeColumn> TickTableColumns(TickKind kind) {
  std::vector<catalog::LakeColumn> columns;
  const auto add = [&](std::string name, LakeType type, bool nullable = false) {
    columns.push_back(
        {std::move(name), type, nullable, static_cast<std::int64_t>(columns.size() + 1)});
  };
  add("contract_id", LakeType::kInt64);
  add("tick_type", LakeType::kVarchar);
  add("date", LakeType::kDate);
  for (const char* name : {"ts_ns", "recv_ns", "writer", "seq"}) add(name, LakeType::kInt64);
  for (std::string& name : tick_log::ValueNames(kind)) add(std::move(name), LakeType::kDouble);
  add("flags", LakeType::kInt32);
  add("exchange", LakeType::kVarchar, true);
  add("conditions", LakeType::kVarchar, true);
  add("request_id", LakeType::kInt64, true);
  add("source", LakeType::kVarchar, true);
  add("extra", LakeType::kVarchar, true);
  return columns;
}

std::shared_ptr<arrow::Schema> TickArrowSchema(TickKind kind) {
  arrow::FieldVector fields;
  for (const catalog::LakeColumn& column : TickTableColumns(kind))
    fields.push_back(table::MakeField(
        column.name, column.type, static_cast<std::int32_t>(column.column_id), column.nullable));
  return arrow::schema(std::move(fields));
}

const std::vector<std::string>& TickSortKeys() {
  static const std::vector<std::string> kKeys = {"contract_id", "ts_ns", "recv_ns", "writer",
                                                 "seq"};
  return kKeys;
}

table::WriteOptions TickWriteOptions(int zstd_level) {
  table::WriteOptions options;
  options.zstd_level = zstd_level;
  options.sorted_by = TickSortKeys();
  options.trial_rows = kTrialRows;
  return options;
}

Result<catalog::LakeTable> FindOrCreateTickTable(catalog::Database& database,
                                                 catalog::LakeWriter& writer, TickKind kind) {
  catalog::LakeReader reader(database);
  // What this commit makes is live from its own snapshot on.
  auto found = reader.FindTable(kTickSchema, TickTableName(kind), writer.snapshot_id());
  if (found.ok() || found.error().code() != ErrorCode::kNotFound) return found;
  Result<std::int64_t> schema = writer.CreateSchema(kTickSchema);
  if (!schema.ok() && schema.error().code() != ErrorCode::kAlreadyExists)
    return std::move(schema).error();
  return writer.CreateTable(kTickSchema, TickTableName(kind), TickTableColumns(kind), {"date"},
                            TickSortKeys());
}

Result<std::optional<catalog::LakeTable>> FindTickTable(catalog::LakeReader& reader, TickKind kind,
                                                        std::int64_t snapshot) {
  auto found = reader.FindTable(kTickSchema, TickTableName(kind), snapshot);
  if (!found.ok() && found.error().code() == ErrorCode::kNotFound)
    return std::optional<catalog::LakeTable>();
  LAMINA_ASSIGN(catalog::LakeTable table, std::move(found));
  return std::optional<catalog::LakeTable>(std::move(table));
}

std::int32_t TickDay(std::int64_t ts_ns) {
  return static_cast<std::int32_t>(ts_ns / kDayNs - (ts_ns % kDayNs < 0 ? 1 : 0));
}

Result<std::shared_ptr<arrow::RecordBatch>> ToArrow(const TickBatch& ticks) {
  return MakeBatch(ticks, {nullptr, ticks.size()});
}

Result<std::shared_ptr<arrow::RecordBatch>> ToArrow(const TickBatch& ticks,
                                                    std::span<const std::uint32_t> rows) {
  return MakeBatch(ticks, {rows.data(), rows.size()});
}

Result<TickBatch> FromArrow(TickKind kind, const arrow::Table& table) {
  TickBatch ticks;
  ticks.kind = kind;
  LAMINA_TRY(TakeIntegers(table, "contract_id", ticks.contract_id));
  LAMINA_TRY(TakeTypes(kind, table, ticks.type));
  LAMINA_TRY(TakeIntegers(table, "ts_ns", ticks.ts_ns));
  LAMINA_TRY(TakeIntegers(table, "recv_ns", ticks.recv_ns));
  LAMINA_TRY(TakeIntegers(table, "writer", ticks.writer));
  LAMINA_TRY(TakeIntegers(table, "seq", ticks.seq));
  const std::vector<std::string> names = tick_log::ValueNames(kind);
  for (std::size_t i = 0; i < names.size(); ++i) {
    LAMINA_ASSIGN(const auto array, Column<arrow::DoubleArray>(table, names[i]));
    ticks.values[i].assign(array->raw_values(), array->raw_values() + array->length());
  }
  LAMINA_ASSIGN(const auto flags, Column<arrow::Int32Array>(table, "flags"));
  const std::int32_t* flag = flags->raw_values();
  if (std::any_of(flag, flag + flags->length(), [](std::int32_t bits) { return bits != 0; }))
    ticks.flags.assign(flag, flag + flags->length());
  for (const TextField& field : kTextFields) {
    LAMINA_ASSIGN(ticks.*field.column, TakeTexts(table, field.name));
  }
  LAMINA_ASSIGN(const auto requests, Column<arrow::Int64Array>(table, "request_id", true));
  if (requests->null_count() < requests->length()) {
    ticks.request_id.assign(requests->raw_values(), requests->raw_values() + requests->length());
    for (std::int64_t i = 0; requests->null_count() > 0 && i < requests->length(); ++i)
      if (requests->IsNull(i))
        ticks.request_id[static_cast<std::size_t>(i)] = TickBatch::kNoRequest;
  }
  const auto bad = std::find_if(ticks.contract_id.begin(), ticks.contract_id.end(),
                                [](std::int64_t id) { return id < 1; });
  if (bad != ticks.contract_id.end())
    return Corruption("ticks." + std::string(TickTableName(kind)) + " has a tick of contract " +
                      std::to_string(*bad));
  return ticks;
}

Result<std::vector<Watermark>> ReadWatermarks(catalog::Database& database) {
  LAMINA_ASSIGN(auto read,
                database.Prepare("SELECT writer, watermark FROM tick_log ORDER BY writer"));
  std::vector<Watermark> marks;
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return marks;
    marks.push_back({read.Int(0), read.Int(1)});
  }
}

}  // namespace lamina::ticks
