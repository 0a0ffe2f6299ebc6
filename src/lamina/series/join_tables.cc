#include "lamina/series/join_tables.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <arrow/api.h>

#include "lamina/series/input_columns.h"
#include "lamina/series/key_index.h"
#include "lamina/series/row_groups_internal.h"
#include "lamina/series/tick_merge.h"
#include "lamina/table/arrow_status.h"

namespace lamina::series {
namespace {

constexpr std::string_view kWhat = "joining";
const std::vector<std::string> kOrderColumns{"recv_ns", "writer", "seq"};

/// Time and the rest of the tick order.
struct Order {
  int time = -1;
  Stamps columns[4];

  OrderColumns View() const {
    return {columns[0].view, columns[1].view, columns[2].view, columns[3].view};
  }
};

Result<Order> ReadOrder(const arrow::Table& table, const std::string& time,
                        const std::vector<std::string>& also) {
  Order order;
  LAMINA_ASSIGN(order.time, ChooseColumn(*table.schema(), time, UsualTimeColumns(), "time", true));
  LAMINA_ASSIGN(const auto stamps, WholeColumn(table, order.time));
  LAMINA_ASSIGN(order.columns[0], ReadStamps(stamps, table.field(order.time)->name()));
  for (std::size_t i = 0; i < kOrderColumns.size(); ++i) {
    if (std::find(also.begin(), also.end(), kOrderColumns[i]) == also.end()) continue;
    LAMINA_ASSIGN(const int column, ColumnIndex(*table.schema(), kOrderColumns[i], "tick order"));
    LAMINA_ASSIGN(const auto values, WholeColumn(table, column));
    LAMINA_ASSIGN(order.columns[i + 1], ReadIntegers(values, kOrderColumns[i]));
  }
  return order;
}

/// The columns of the tick order behind the stamp that all tables have.
std::vector<std::string> CommonOrder(const std::vector<const arrow::Table*>& tables) {
  std::vector<std::string> common;
  for (const std::string& name : kOrderColumns) {
    const bool everywhere = std::all_of(tables.begin(), tables.end(), [&](const auto* table) {
      return FirstColumnOf(*table->schema(), {name}) >= 0;
    });
    if (everywhere) common.push_back(name);
  }
  return common;
}

/// The table with `columns` behind it; `_right` is put behind names that it has.
Result<std::shared_ptr<arrow::Table>> Widen(const arrow::Table& table, arrow::FieldVector fields,
                                            const arrow::ArrayVector& columns) {
  arrow::FieldVector all = table.schema()->fields();
  std::vector<std::shared_ptr<arrow::ChunkedArray>> data = table.columns();
  const auto taken = [&](const std::string& name) {
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& field) { return field->name() == name; });
  };
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::string name = fields[i]->name();
    if (taken(name)) name += "_right";
    if (taken(name)) return InvalidArgument("column `" + name + "` would be there twice");
    all.push_back(arrow::field(name, columns[i]->type()));
    data.push_back(std::make_shared<arrow::ChunkedArray>(columns[i]));
  }
  return arrow::Table::Make(arrow::schema(std::move(all)), std::move(data), table.num_rows());
}

/// Columns of the right side that a join takes along.
Result<std::vector<int>> TakenColumns(const arrow::Table& right, const AsofTableOptions& options,
                                      int time) {
  std::vector<int> columns;
  for (const std::string& name : options.columns) {
    LAMINA_ASSIGN(columns.emplace_back(), ColumnIndex(*right.schema(), name, "right side"));
  }
  if (!options.columns.empty()) return columns;
  for (int i = 0; i < right.num_columns(); ++i) {
    const std::string& name = right.field(i)->name();
    const auto among = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (i != time && !among(options.by) && !among(kOrderColumns)) columns.push_back(i);
  }
  return columns;
}

}  // namespace

Result<AsofDirection> ParseAsofDirection(const std::string& name) {
  if (name == "backward") return AsofDirection::kBackward;
  if (name == "forward") return AsofDirection::kForward;
  if (name == "nearest") return AsofDirection::kNearest;
  return InvalidArgument("unknown direction `" + name + "`; known: backward, forward, nearest");
}

Result<std::shared_ptr<arrow::Table>> AsofTables(const arrow::Table& left,
                                                 const arrow::Table& right,
                                                 const AsofTableOptions& options) {
  std::vector<std::string> common;
  if (options.tick_order) common = CommonOrder({&left, &right});
  LAMINA_ASSIGN(const Order left_order, ReadOrder(left, options.left_time, common));
  LAMINA_ASSIGN(const Order right_order, ReadOrder(right, options.right_time, common));
  LAMINA_ASSIGN(const std::vector<int> taken, TakenColumns(right, options, right_order.time));
  std::vector<std::uint32_t> left_keys, right_keys;
  if (!options.by.empty()) {
    KeyIndex keys;
    LAMINA_ASSIGN(right_keys, NumberKeys(right, options.by, keys));
    LAMINA_ASSIGN(left_keys, NumberKeys(left, options.by, keys));
  }
  const AsofOptions how{.direction = options.direction,
                        .tolerance_ns = options.tolerance_ns,
                        .allow_exact_matches = options.allow_exact_matches};
  std::vector<std::int64_t> matches(static_cast<std::size_t>(left.num_rows()));
  LAMINA_TRY(
      AsofJoin({left_order.View(), left_keys}, {right_order.View(), right_keys}, how, matches));
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (const int column : taken) {
    fields.push_back(right.field(column));
    LAMINA_ASSIGN(const auto values, WholeColumn(right, column));
    LAMINA_ASSIGN(columns.emplace_back(), GatherRows(values, matches));
  }
  return Widen(left, std::move(fields), columns);
}

// ---- windows -----------------------------------------------------------------------------------

namespace {

/// The columns that the aggregates name; `spread` and `mid` from both sides of the quotes.
Result<std::vector<double>> ReadOrDerive(const arrow::Table& table, const std::string& name) {
  const arrow::Schema& schema = *table.schema();
  const auto read = [&](int column) -> Result<std::vector<double>> {
    LAMINA_ASSIGN(const auto values, WholeColumn(table, column));
    LAMINA_ASSIGN(const Numbers numbers, ReadNumbers(values, schema.field(column)->name()));
    return std::vector<double>(numbers.view.begin(), numbers.view.end());
  };
  const bool derived = name == "spread" || name == "mid";
  if (!derived || FirstColumnOf(schema, {name}) >= 0) {
    LAMINA_ASSIGN(const int column, ColumnIndex(schema, name, "right side"));
    return read(column);
  }
  LAMINA_ASSIGN(const int bid, ChooseColumn(schema, "", {"bid_price", "bid"}, "bid", true));
  LAMINA_ASSIGN(const int ask, ChooseColumn(schema, "", {"ask_price", "ask"}, "ask", true));
  LAMINA_ASSIGN(std::vector<double> values, read(ask));
  LAMINA_ASSIGN(const std::vector<double> bids, read(bid));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = name == "mid" ? (bids[i] + values[i]) * 0.5 : values[i] - bids[i];
  }
  return values;
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> WindowJoinTables(const arrow::Table& left,
                                                       const arrow::Table& right,
                                                       const WindowJoinOptions& options) {
  if (options.aggregates.empty()) return InvalidArgument("no aggregates were asked for");
  LAMINA_ASSIGN(const Order left_order, ReadOrder(left, options.left_time, {}));
  LAMINA_ASSIGN(const Order right_order, ReadOrder(right, options.right_time, {}));
  LAMINA_TRY(CheckSorted(left_order.View(), 0, "left"));
  LAMINA_TRY(CheckSorted(right_order.View(), 0, "right"));
  std::vector<std::string> names;
  std::vector<std::vector<double>> inputs;
  std::vector<std::size_t> input_of;
  bool with_variance = false;
  for (const WindowAggregate& aggregate : options.aggregates) {
    with_variance = with_variance || NeedsVariance(aggregate.stat);
    const auto known = std::find(names.begin(), names.end(), aggregate.column);
    input_of.push_back(static_cast<std::size_t>(known - names.begin()));
    if (known != names.end()) continue;
    names.push_back(aggregate.column);
    LAMINA_ASSIGN(inputs.emplace_back(), ReadOrDerive(right, aggregate.column));
  }
  KeyIndex keys;
  LAMINA_ASSIGN(const RowGroups right_rows, GroupRows(right, options.by, keys));
  LAMINA_ASSIGN(const RowGroups left_rows, GroupRows(left, options.by, keys));

  AggregateColumns out(options.aggregates.size(), static_cast<std::size_t>(left.num_rows()));
  for (std::uint32_t key = 0; key < left_rows.groups(); ++key) {
    LAMINA_ASSIGN(WindowJoin join, WindowJoin::Make(options.bounds, inputs.size(), with_variance));
    const auto right_ts = right_rows.Pick(key, right_order.columns[0].view);
    std::vector<std::vector<double>> picked;
    for (const auto& input : inputs) {
      picked.push_back(right_rows.Pick(key, std::span<const double>(input)));
    }
    const std::vector<std::span<const double>> values(picked.begin(), picked.end());
    LAMINA_TRY(join.AddRight(right_ts, values));
    join.FinishRight();
    const auto left_ts = left_rows.Pick(key, left_order.columns[0].view);
    std::vector<WindowRows> windows(left_ts.size());
    LAMINA_TRY(join.Match(left_ts, windows));
    for (std::size_t a = 0; a < options.aggregates.size(); ++a) {
      out.Fill(a, options.aggregates[a].stat, join.column(input_of[a]), windows,
               left_rows.Rows(key));
    }
  }
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (std::size_t a = 0; a < options.aggregates.size(); ++a) {
    LAMINA_ASSIGN(columns.emplace_back(), out.Take(a, options.aggregates[a].stat));
    fields.push_back(arrow::field(options.aggregates[a].name, columns.back()->type()));
  }
  return Widen(left, std::move(fields), columns);
}

// ---- merge -------------------------------------------------------------------------------------

namespace {

/// Every column of any table, in the order they are met.
Result<arrow::FieldVector> UnitedFields(const std::vector<std::shared_ptr<arrow::Table>>& tables) {
  arrow::FieldVector fields;
  for (std::size_t t = 0; t < tables.size(); ++t) {
    for (const auto& field : tables[t]->schema()->fields()) {
      LAMINA_TRY_WITH(ColumnIndex(*tables[t]->schema(), field->name(), "merge"),
                      "table " + std::to_string(t));
      const auto known = std::find_if(fields.begin(), fields.end(), [&](const auto& other) {
        return other->name() == field->name();
      });
      if (known == fields.end()) {
        fields.push_back(arrow::field(field->name(), field->type()));
      } else if (!(*known)->type()->Equals(*field->type())) {
        return InvalidArgument("column `" + field->name() + "` is " + field->type()->ToString() +
                               " in table " + std::to_string(t) + " and " +
                               (*known)->type()->ToString() + " in one before it");
      }
    }
  }
  return fields;
}

/// The column of all tables, one behind the other.
Result<std::shared_ptr<arrow::Array>> StackColumn(
    const std::vector<std::shared_ptr<arrow::Table>>& tables, const arrow::Field& field) {
  arrow::ArrayVector parts;
  for (const auto& table : tables) {
    const int column = FirstColumnOf(*table->schema(), {field.name()});
    if (column < 0) {
      LAMINA_ARROW_ASSIGN(parts.emplace_back(),
                          arrow::MakeArrayOfNull(field.type(), table->num_rows()), kWhat);
      continue;
    }
    for (const auto& chunk : table->column(column)->chunks()) parts.push_back(chunk);
  }
  if (parts.empty()) {
    LAMINA_ARROW_ASSIGN(parts.emplace_back(), arrow::MakeEmptyArray(field.type()), kWhat);
  }
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Array> all, arrow::Concatenate(parts), kWhat);
  return all;
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> MergeTables(
    const std::vector<std::shared_ptr<arrow::Table>>& tables, const std::string& time) {
  if (tables.empty()) return InvalidArgument("no tables to merge");
  std::vector<const arrow::Table*> views;
  for (const auto& table : tables) views.push_back(table.get());
  const std::vector<std::string> common = CommonOrder(views);
  LAMINA_ASSIGN(const arrow::FieldVector fields, UnitedFields(tables));
  std::vector<Order> orders;
  std::vector<std::int64_t> offsets{0};
  TickMerge merge(static_cast<std::uint32_t>(tables.size()));
  for (std::uint32_t t = 0; t < tables.size(); ++t) {
    LAMINA_ASSIGN(Order order, ReadOrder(*tables[t], time, common));
    orders.push_back(std::move(order));
    offsets.push_back(offsets.back() + tables[t]->num_rows());
  }
  for (std::uint32_t t = 0; t < tables.size(); ++t) {
    LAMINA_TRY(merge.Push(t, orders[t].View()));
    merge.Finish(t);
  }
  std::vector<std::int64_t> rows;
  rows.reserve(static_cast<std::size_t>(offsets.back()));
  std::vector<MergedRow> out(4096);
  for (bool done = false; !done;) {
    const TickMerge::Progress progress = merge.Next(out);
    for (std::size_t i = 0; i < progress.rows; ++i) {
      rows.push_back(offsets[out[i].input] + out[i].row);
    }
    done = progress.done;
  }
  arrow::ArrayVector columns;
  for (const auto& field : fields) {
    LAMINA_ASSIGN(const auto stacked, StackColumn(tables, *field));
    LAMINA_ASSIGN(columns.emplace_back(), GatherRows(stacked, rows));
  }
  return arrow::Table::Make(arrow::schema(fields), columns, offsets.back());
}

}  // namespace lamina::series
