#include "lamina/ticks/tick_rows.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include "lamina/base/near_names.h"
#include "lamina/series/join_tables.h"
#include "lamina/series/key_index.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"

namespace lamina::ticks {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;
using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr std::string_view kWhat = "building rows of ticks";
constexpr unsigned kTradesBit = 1, kQuotesBit = 2, kMidpointsBit = 4;
constexpr unsigned kAll = kTradesBit | kQuotesBit | kMidpointsBit;

struct ColumnRule {
  const char* name;
  unsigned kinds;  ///< that have it
  unsigned usual;  ///< given without being asked for when one of these is
  char type;       ///< i int64, d double, f int32, t text, y tick type
};
constexpr std::array kColumns = {
    ColumnRule{"ts_ns", kAll, kAll, 'i'},
    ColumnRule{"recv_ns", kAll, kAll, 'i'},
    ColumnRule{"contract_id", kAll, kAll, 'i'},
    ColumnRule{"tick_type", kAll, kAll, 'y'},
    ColumnRule{"writer", kAll, kAll, 'i'},
    ColumnRule{"seq", kAll, kAll, 'i'},
    ColumnRule{"price", kTradesBit | kMidpointsBit, kAll, 'd'},
    ColumnRule{"size", kTradesBit, kAll, 'd'},
    ColumnRule{"bid_price", kQuotesBit, kAll, 'd'},
    ColumnRule{"bid_size", kQuotesBit, kAll, 'd'},
    ColumnRule{"ask_price", kQuotesBit, kAll, 'd'},
    ColumnRule{"ask_size", kQuotesBit, kAll, 'd'},
    ColumnRule{"exchange", kAll, kTradesBit, 't'},
    ColumnRule{"conditions", kAll, kTradesBit, 't'},
    ColumnRule{"flags", kAll, kAll, 'f'},
    ColumnRule{"request_id", kAll, 0, 'i'},
    ColumnRule{"source", kAll, 0, 't'},
    ColumnRule{"extra", kAll, 0, 't'},
};

unsigned BitOf(TickKind kind) { return 1U << static_cast<unsigned>(kind); }

const ColumnRule* FindRule(std::string_view name) {
  const auto* found = std::find_if(kColumns.begin(), kColumns.end(),
                                   [&](const ColumnRule& rule) { return name == rule.name; });
  return found == kColumns.end() ? nullptr : found;
}

std::shared_ptr<arrow::DataType> TickTypeType() {
  static const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  return type;
}

std::shared_ptr<arrow::DataType> TypeOf(const ColumnRule& rule) {
  switch (rule.type) {
    case 'd':
      return arrow::float64();
    case 'f':
      return arrow::int32();
    case 't':
      return arrow::utf8();
    case 'y':
      return TickTypeType();
    default:
      return arrow::int64();
  }
}

/// The names of all types, so that every dictionary is the same one.
Result<ArrayPtr> TypeNames() {
  arrow::StringBuilder builder;
  for (int type = 1; type <= 4; ++type) {
    LAMINA_ARROW(builder.Append(tick_log::TickTypeName(static_cast<TickType>(type))), kWhat);
  }
  LAMINA_ARROW_ASSIGN(ArrayPtr names, builder.Finish(), kWhat);
  return names;
}

ArrayPtr Plain(std::shared_ptr<arrow::DataType> type, std::int64_t rows,
               std::shared_ptr<arrow::Buffer> values) {
  return arrow::MakeArray(
      arrow::ArrayData::Make(std::move(type), rows, {nullptr, std::move(values)}, 0));
}

Result<ArrayPtr> TypeColumn(std::vector<std::int8_t> codes) {
  LAMINA_ASSIGN(const ArrayPtr names, TypeNames());
  const auto rows = static_cast<std::int64_t>(codes.size());
  const ArrayPtr indices = Plain(arrow::int8(), rows, arrow::Buffer::FromVector(std::move(codes)));
  LAMINA_ARROW_ASSIGN(ArrayPtr column,
                      arrow::DictionaryArray::FromArrays(TickTypeType(), indices, names), kWhat);
  return column;
}

template <class Value>
ArrayPtr Taken(std::shared_ptr<arrow::DataType> type, std::vector<Value> values) {
  const auto rows = static_cast<std::int64_t>(values.size());
  return Plain(std::move(type), rows, arrow::Buffer::FromVector(std::move(values)));
}

Result<ArrayPtr> NullColumn(const std::shared_ptr<arrow::DataType>& type, std::int64_t rows) {
  if (type->id() == arrow::Type::DICTIONARY) {
    return Internal("a run without its tick types");
  }
  LAMINA_ARROW_ASSIGN(ArrayPtr column, arrow::MakeArrayOfNull(type, rows), kWhat);
  return column;
}

Result<ArrayPtr> TextOf(const tick_log::TextColumn& texts, std::size_t rows) {
  if (texts.codes.empty()) return NullColumn(arrow::utf8(), static_cast<std::int64_t>(rows));
  arrow::StringBuilder builder;
  LAMINA_ARROW(builder.Reserve(static_cast<std::int64_t>(rows)), kWhat);
  for (const std::uint32_t code : texts.codes) {
    if (code == 0) {
      builder.UnsafeAppendNull();
    } else {
      LAMINA_ARROW(builder.Append(texts.values[code - 1]), kWhat);
    }
  }
  LAMINA_ARROW_ASSIGN(ArrayPtr column, builder.Finish(), kWhat);
  return column;
}

// `rows` and not ticks.size(): other columns of the batch may have been taken by now.
Result<ArrayPtr> FlagsOf(const TickBatch& ticks, std::size_t rows) {
  std::vector<std::int32_t> flags(rows, 0);
  std::copy(ticks.flags.begin(), ticks.flags.end(), flags.begin());
  return Taken(arrow::int32(), std::move(flags));
}

Result<ArrayPtr> RequestsOf(const TickBatch& ticks, std::size_t row_count) {
  const auto rows = static_cast<std::int64_t>(row_count);
  if (ticks.request_id.empty()) return NullColumn(arrow::int64(), rows);
  arrow::Int64Builder builder;
  LAMINA_ARROW(builder.Reserve(rows), kWhat);
  for (const std::int64_t id : ticks.request_id) {
    id == TickBatch::kNoRequest ? builder.UnsafeAppendNull() : builder.UnsafeAppend(id);
  }
  LAMINA_ARROW_ASSIGN(ArrayPtr column, builder.Finish(), kWhat);
  return column;
}

/// One column of a batch, whose memory is taken where Arrow can have it.
Result<ArrayPtr> ColumnOfBatch(TickBatch& ticks, const std::string& name, std::size_t rows) {
  if (name == "ts_ns") return Taken(arrow::int64(), std::move(ticks.ts_ns));
  if (name == "recv_ns") return Taken(arrow::int64(), std::move(ticks.recv_ns));
  if (name == "contract_id") return Taken(arrow::int64(), std::move(ticks.contract_id));
  if (name == "writer") return Taken(arrow::int64(), std::move(ticks.writer));
  if (name == "seq") return Taken(arrow::int64(), std::move(ticks.seq));
  if (name == "tick_type") {
    std::vector<std::int8_t> codes(rows);
    std::transform(ticks.type.begin(), ticks.type.end(), codes.begin(), [](TickType type) {
      return static_cast<std::int8_t>(static_cast<int>(type) - 1);
    });
    return TypeColumn(std::move(codes));
  }
  if (name == "flags") return FlagsOf(ticks, rows);
  if (name == "request_id") return RequestsOf(ticks, rows);
  if (name == "exchange") return TextOf(ticks.exchange, rows);
  if (name == "conditions") return TextOf(ticks.conditions, rows);
  if (name == "source") return TextOf(ticks.source, rows);
  if (name == "extra") return TextOf(ticks.extra, rows);
  const std::vector<std::string> values = tick_log::ValueNames(ticks.kind);
  const auto found = std::find(values.begin(), values.end(), name);
  if (found == values.end()) return Internal("a run has no column " + name);
  return Taken(arrow::float64(),
               std::move(ticks.values[static_cast<std::size_t>(found - values.begin())]));
}

/// The row numbers in the one order; empty when they are in it.
std::vector<std::int64_t> SortedRows(const TickBatch& ticks) {
  const series::OrderColumns order{ticks.ts_ns, ticks.recv_ns, ticks.writer, ticks.seq};
  bool sorted = true;
  for (std::size_t row = 1; row < ticks.size() && sorted; ++row) {
    sorted = series::CompareRows(order, row - 1, order, row) <= 0;
  }
  if (sorted) return {};
  std::vector<std::int64_t> rows(ticks.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
    return series::CompareRows(order, static_cast<std::size_t>(a), order,
                               static_cast<std::size_t>(b)) < 0;
  });
  return rows;
}

/// Types of trades in a file, from their text.
Result<std::vector<std::int8_t>> TradeTypes(const arrow::ChunkedArray& column) {
  constexpr std::string_view kLast = "last", kAllLast = "all_last";
  std::vector<std::int8_t> codes;
  codes.reserve(static_cast<std::size_t>(column.length()));
  for (const ArrayPtr& chunk : column.chunks()) {
    const auto& texts = static_cast<const arrow::StringArray&>(*chunk);
    for (std::int64_t row = 0; row < texts.length(); ++row) {
      const std::string_view text = texts.IsNull(row) ? std::string_view() : texts.GetView(row);
      if (text != kLast && text != kAllLast) {
        return Corruption("a trade of the type '" + std::string(text) + "'");
      }
      codes.push_back(text == kLast ? 0 : 1);
    }
  }
  return codes;
}

Result<std::int64_t> IntAt(const arrow::ChunkedArray& column, std::int64_t row) {
  for (const ArrayPtr& chunk : column.chunks()) {
    if (row < chunk->length()) return static_cast<const arrow::Int64Array&>(*chunk).Value(row);
    row -= chunk->length();
  }
  return Internal("a row outside its run");
}

constexpr std::array kOrderNames = {"ts_ns", "recv_ns", "writer", "seq"};
using OrderKey = std::array<std::int64_t, 4>;

Result<OrderKey> KeyAt(const arrow::Table& run, std::int64_t row) {
  OrderKey key{};
  for (std::size_t i = 0; i < kOrderNames.size(); ++i) {
    LAMINA_ASSIGN(const auto column, table::ColumnNamed(run, kOrderNames[i]));
    LAMINA_ASSIGN(key[i], IntAt(*column, row));
  }
  return key;
}

/// `run` with the columns of `result`, those it lacks as NULL.
Result<ArrowTable> Conform(const arrow::Table& run, const std::shared_ptr<arrow::Schema>& result) {
  arrow::ChunkedArrayVector columns;
  for (const auto& field : result->fields()) {
    const int at = run.schema()->GetFieldIndex(field->name());
    if (at >= 0) {
      columns.push_back(run.column(at));
      continue;
    }
    LAMINA_ASSIGN(ArrayPtr nulls, NullColumn(field->type(), run.num_rows()));
    columns.push_back(std::make_shared<arrow::ChunkedArray>(std::move(nulls)));
  }
  return arrow::Table::Make(result, std::move(columns), run.num_rows());
}

/// Runs of one after another, behind each other.
Result<ArrowTable> Stacked(const std::vector<ArrowTable>& runs,
                           const std::shared_ptr<arrow::Schema>& result) {
  std::vector<ArrowTable> parts;
  for (const ArrowTable& run : runs) {
    LAMINA_ASSIGN(parts.emplace_back(), Conform(*run, result));
  }
  LAMINA_ARROW_ASSIGN(ArrowTable all, arrow::ConcatenateTables(parts), kWhat);
  return all;
}

}  // namespace

std::vector<TickType> NormalTypes(std::vector<TickType> types) {
  std::sort(types.begin(), types.end());
  types.erase(std::unique(types.begin(), types.end()), types.end());
  return types;
}

Result<std::vector<TickType>> ParseTickTypes(const std::vector<std::string>& names) {
  std::vector<TickType> types;
  for (const std::string& name : names) {
    LAMINA_ASSIGN(types.emplace_back(), tick_log::ParseTickType(name));
  }
  if (types.empty()) {
    return InvalidArgument("no tick types are given: last, all_last, bid_ask, mid_point");
  }
  return NormalTypes(std::move(types));
}

std::vector<TickType> TypesOfKind(const std::vector<TickType>& types, TickKind kind) {
  std::vector<TickType> found;
  for (const TickType type : types) {
    if (tick_log::KindOf(type) == kind) found.push_back(type);
  }
  return found;
}

Result<std::shared_ptr<arrow::Schema>> ResultSchema(
    const std::vector<TickType>& types, const std::optional<std::vector<std::string>>& names) {
  unsigned kinds = 0;
  for (const TickType type : types) kinds |= BitOf(tick_log::KindOf(type));
  arrow::FieldVector fields;
  if (!names) {
    for (const ColumnRule& rule : kColumns) {
      if ((rule.usual & kinds) != 0 && (rule.kinds & kinds) != 0) {
        fields.push_back(arrow::field(rule.name, TypeOf(rule)));
      }
    }
    return arrow::schema(std::move(fields));
  }
  for (const std::string& name : *names) {
    const ColumnRule* rule = FindRule(name);
    if (rule == nullptr) {
      std::vector<std::string> known;
      for (const ColumnRule& one : kColumns) known.emplace_back(one.name);
      return InvalidArgument("ticks have no column '" + name + "'" + DidYouMean(name, known));
    }
    for (const auto& field : fields) {
      if (field->name() == name) return InvalidArgument("column '" + name + "' is asked for twice");
    }
    fields.push_back(arrow::field(name, TypeOf(*rule)));
  }
  if (fields.empty()) return InvalidArgument("no columns are asked for");
  return arrow::schema(std::move(fields));
}

std::vector<std::string> RunColumns(TickKind kind, const arrow::Schema& result) {
  std::vector<std::string> columns(kOrderNames.begin(), kOrderNames.end());
  for (const ColumnRule& rule : kColumns) {
    const bool has = (rule.kinds & BitOf(kind)) != 0;
    if (has && result.GetFieldIndex(rule.name) >= 0 &&
        std::find(columns.begin(), columns.end(), rule.name) == columns.end()) {
      columns.emplace_back(rule.name);
    }
  }
  return columns;
}

Result<ArrowTable> RunOfBatch(TickBatch ticks, const std::vector<std::string>& columns) {
  const std::size_t rows = ticks.size();
  const std::vector<std::int64_t> order = SortedRows(ticks);
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const std::string& name : columns) {
    LAMINA_ASSIGN(ArrayPtr column, ColumnOfBatch(ticks, name, rows));
    if (!order.empty()) {
      LAMINA_ASSIGN(column, series::GatherRows(column, order));
    }
    fields.push_back(arrow::field(name, column->type()));
    arrays.push_back(std::move(column));
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(arrays),
                            static_cast<std::int64_t>(rows));
}

Result<ArrowTable> RunOfFile(std::int64_t contract, const std::vector<TickType>& types,
                             const std::vector<std::string>& columns, const ArrowTable& rows) {
  const auto count = static_cast<std::size_t>(rows->num_rows());
  std::vector<std::int8_t> codes;
  if (types.size() > 1) {
    LAMINA_ASSIGN(const auto texts, table::ColumnNamed(*rows, "tick_type"));
    LAMINA_ASSIGN(codes, TradeTypes(*texts));
  } else {
    codes.assign(count, static_cast<std::int8_t>(static_cast<int>(types.front()) - 1));
  }
  arrow::FieldVector fields;
  arrow::ChunkedArrayVector arrays;
  for (const std::string& name : columns) {
    std::shared_ptr<arrow::ChunkedArray> column;
    if (name == "contract_id") {
      column = std::make_shared<arrow::ChunkedArray>(
          Taken(arrow::int64(), std::vector<std::int64_t>(count, contract)));
    } else if (name == "tick_type") {
      LAMINA_ASSIGN(ArrayPtr typed, TypeColumn(codes));
      column = std::make_shared<arrow::ChunkedArray>(std::move(typed));
    } else {
      LAMINA_ASSIGN(column, table::ColumnNamed(*rows, name));
    }
    fields.push_back(arrow::field(name, column->type()));
    arrays.push_back(std::move(column));
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(arrays), rows->num_rows());
}

Result<ArrowTable> MergeRuns(std::vector<ArrowTable> runs,
                             const std::shared_ptr<arrow::Schema>& result) {
  std::erase_if(runs, [](const ArrowTable& run) { return run->num_rows() == 0; });
  if (runs.empty()) {
    LAMINA_ARROW_ASSIGN(ArrowTable empty, arrow::Table::MakeEmpty(result), kWhat);
    return empty;
  }
  struct Ends {
    OrderKey first, last;
    std::size_t run;
  };
  std::vector<Ends> ends;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    LAMINA_ASSIGN(const OrderKey first, KeyAt(*runs[i], 0));
    LAMINA_ASSIGN(const OrderKey last, KeyAt(*runs[i], runs[i]->num_rows() - 1));
    ends.push_back({first, last, i});
  }
  std::sort(ends.begin(), ends.end(),
            [](const Ends& a, const Ends& b) { return a.first < b.first; });
  // Groups of runs that overlap are merged; the groups follow each other.
  std::vector<ArrowTable> parts;
  for (std::size_t begin = 0; begin < ends.size();) {
    OrderKey last = ends[begin].last;
    std::size_t end = begin + 1;
    for (; end < ends.size() && ends[end].first <= last; ++end) {
      last = std::max(last, ends[end].last);
    }
    std::vector<ArrowTable> group;
    for (std::size_t i = begin; i < end; ++i) group.push_back(runs[ends[i].run]);
    if (group.size() == 1) {
      parts.push_back(group.front());
    } else {
      auto merged = series::MergeTables(group, "ts_ns");
      if (!merged.ok()) {
        return Corruption("ticks are not stored in their order: " +
                          std::string(merged.error().message()));
      }
      parts.push_back(*std::move(merged));
    }
    begin = end;
  }
  return Stacked(parts, result);
}

Result<series::OrderColumns> OrderOf(const arrow::Table& rows,
                                     std::vector<std::shared_ptr<const void>>& holder) {
  std::array<std::span<const std::int64_t>, 4> views;
  for (std::size_t i = 0; i < kOrderNames.size(); ++i) {
    LAMINA_ASSIGN(const auto column, table::ColumnNamed(rows, kOrderNames[i]));
    LAMINA_ASSIGN(const ArrayPtr whole, table::CombineColumn(*column));
    const auto& typed = static_cast<const arrow::Int64Array&>(*whole);
    views[i] = {typed.raw_values(), static_cast<std::size_t>(typed.length())};
    holder.push_back(whole);
  }
  return series::OrderColumns{views[0], views[1], views[2], views[3]};
}

}  // namespace lamina::ticks
