#include "lamina/backtests/derived_cells.h"

#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include <arrow/api.h>

#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/row_columns.h"
#include "lamina/backtests/run_id_column.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"
#include "lamina/table/lake_type.h"

namespace lamina::backtests {
namespace {

using table::LakeType;

/// The bits of a double or a time.
using Cell = std::optional<std::uint64_t>;

struct Cells {
  std::vector<std::uint64_t> bits;
  std::vector<std::uint8_t> valid;

  Cell At(std::int64_t row) const {
    const auto i = static_cast<std::size_t>(row);
    return valid[i] != 0 ? Cell(bits[i]) : std::nullopt;
  }
  void Set(std::int64_t row, std::uint64_t value) {
    bits[static_cast<std::size_t>(row)] = value;
    valid[static_cast<std::size_t>(row)] = 1;
  }
};

/// Columns that recipes read or make; the enumerators are positions in kOrderColumns and
/// kTradeColumns.
enum OrderColumn : std::size_t {
  kPrice,
  kOrderAmount,
  kCreatedAt,
  kOrderUpdatedAt,
  kFeeRate,
  kFee,
};
constexpr TableView::Wanted kOrderColumns[] = {
    {"price", LakeType::kDouble},           {"amount", LakeType::kDouble},
    {"created_at", LakeType::kTimestampTz}, {"updated_at", LakeType::kTimestampTz},
    {"order_fee_rate", LakeType::kDouble},  {"order_fee", LakeType::kDouble},
};
enum TradeColumn : std::size_t {
  kAmount,
  kOpenPrice,
  kOpenedAt,
  kUpdatedAt,
  kClosedAt,
  kFilledAmount,
  kAvailableAmount,
  kCost,
  kNetGain,
};
constexpr TableView::Wanted kTradeColumns[] = {
    {"amount", LakeType::kDouble},           {"open_price", LakeType::kDouble},
    {"opened_at", LakeType::kTimestampTz},   {"updated_at", LakeType::kTimestampTz},
    {"closed_at", LakeType::kTimestampTz},   {"filled_amount", LakeType::kDouble},
    {"available_amount", LakeType::kDouble}, {"cost", LakeType::kDouble},
    {"net_gain", LakeType::kDouble},
};

/// What recipes of one table see.
struct Frame {
  std::vector<Cells> own;
  std::vector<std::uint8_t> closed;       ///< trades: status is CLOSED
  std::vector<std::int64_t> first, last;  ///< trades: rows of their orders, -1 for none
  const std::vector<Cells>* orders = nullptr;

  Cell Own(std::size_t column, std::int64_t row) const { return own[column].At(row); }
  Cell First(OrderColumn column, std::int64_t row) const { return OfOrder(first, column, row); }
  Cell Last(OrderColumn column, std::int64_t row) const { return OfOrder(last, column, row); }
  bool Closed(std::int64_t row) const { return closed[static_cast<std::size_t>(row)] != 0; }

 private:
  Cell OfOrder(const std::vector<std::int64_t>& rows, OrderColumn column, std::int64_t row) const {
    const std::int64_t order = rows[static_cast<std::size_t>(row)];
    return order < 0 ? std::nullopt : (*orders)[column].At(order);
  }
};

/// As cells hold a double: one NaN. (A minus zero equals no cell, so it is never left out.)
Cell CellOf(double value) {
  return std::bit_cast<std::uint64_t>(std::isnan(value) ? std::numeric_limits<double>::quiet_NaN()
                                                        : value);
}
Cell Times(Cell a, Cell b) {
  if (!a || !b) return std::nullopt;
  return CellOf(std::bit_cast<double>(*a) * std::bit_cast<double>(*b));
}
Cell Minus(Cell a, Cell b) {
  if (!a || !b) return std::nullopt;
  return CellOf(std::bit_cast<double>(*a) - std::bit_cast<double>(*b));
}

/// The column that recipe i makes, with the same formula in C++ and SQL. Bit i of `derived` is
/// recipe i. Later ones may use what earlier ones make.
struct Recipe {
  std::size_t column;
  Cell (*cook)(const Frame& frame, std::int64_t row);
  const char* sql;
};

constexpr Recipe kOrderRecipes[] = {
    {kOrderUpdatedAt, [](const Frame& f, std::int64_t row) { return f.Own(kCreatedAt, row); },
     "created_at"},
    {kFee,
     [](const Frame& f, std::int64_t row) {
       return Times(Times(f.Own(kPrice, row), f.Own(kOrderAmount, row)), f.Own(kFeeRate, row));
     },
     "price * amount * order_fee_rate"},
};

/// The first four need orders only; `net_gain` needs `cost`.
constexpr std::size_t kCopiedFromOrders = 4;
constexpr Recipe kTradeRecipes[] = {
    {kAmount, [](const Frame& f, std::int64_t row) { return f.First(kOrderAmount, row); },
     "first_order.amount"},
    {kOpenPrice, [](const Frame& f, std::int64_t row) { return f.First(kPrice, row); },
     "first_order.price"},
    {kOpenedAt, [](const Frame& f, std::int64_t row) { return f.First(kCreatedAt, row); },
     "first_order.created_at"},
    {kUpdatedAt, [](const Frame& f, std::int64_t row) { return f.Last(kOrderUpdatedAt, row); },
     "last_order.updated_at"},
    {kClosedAt,
     [](const Frame& f, std::int64_t row) {
       return f.Closed(row) ? f.Own(kUpdatedAt, row) : std::nullopt;
     },
     "CASE WHEN status = 'CLOSED' THEN updated_at END"},
    {kFilledAmount, [](const Frame& f, std::int64_t row) { return f.Own(kAmount, row); }, "amount"},
    {kAvailableAmount, [](const Frame& f, std::int64_t row) { return f.Own(kAmount, row); },
     "amount"},
    {kCost,
     [](const Frame& f, std::int64_t row) {
       return Times(f.Own(kAmount, row), f.Own(kOpenPrice, row));
     },
     "amount * open_price"},
    {kNetGain,
     [](const Frame& f, std::int64_t row) {
       return Minus(Minus(Times(f.Last(kPrice, row), f.Own(kAmount, row)), f.Last(kFee, row)),
                    f.Own(kCost, row));
     },
     "last_price * amount - last_fee - cost"},
};

/// A recipe is used in a run when it gives at least this part of the cells.
constexpr std::int64_t kWorthOneIn = 4;

Result<std::vector<Cells>> Load(const arrow::Table& table,
                                std::span<const TableView::Wanted> wanted) {
  LAMINA_ASSIGN(const TableView view, TableView::Of(table, wanted));
  const auto rows = static_cast<std::size_t>(table.num_rows());
  std::vector<Cells> all;
  for (const ColumnView& column : view.columns()) {
    Cells& cells = all.emplace_back();
    cells.bits.resize(rows);
    cells.valid.resize(rows);
    for (std::int64_t row = 0; row < table.num_rows(); ++row) {
      if (column.IsNull(row)) continue;
      cells.Set(row, column.type == LakeType::kDouble
                         ? std::bit_cast<std::uint64_t>(column.doubles[row])
                         : std::bit_cast<std::uint64_t>(column.integers[row]));
    }
  }
  return all;
}

/// The rows of each run.
Result<std::map<Uuid, table::RowRange>> RunsOf(const arrow::Table& table) {
  LAMINA_ASSIGN(const auto ranges, table::EqualRuns(table, "run_id"));
  LAMINA_ASSIGN(const RunIdColumn ids, RunIdColumn::Of(table));
  std::map<Uuid, table::RowRange> runs;
  for (const auto& range : ranges) {
    if (!runs.emplace(ids.At(range.begin), range).second) {
      return Corruption("rows of run " + ids.At(range.begin).ToString() + " are not side by side");
    }
  }
  return runs;
}

/// For each trade the rows of its first and last order.
Status FindOrders(const arrow::Table& trades, const arrow::Table& orders, Frame& frame) {
  const TableView::Wanted wanted[] = {{"order_positions", LakeType::kInt32List},
                                      {"status", LakeType::kVarchar}};
  const TableView::Wanted sequence[] = {{"seq", LakeType::kInt32}};
  LAMINA_ASSIGN(const TableView view, TableView::Of(trades, wanted));
  LAMINA_ASSIGN(const TableView order_view, TableView::Of(orders, sequence));
  LAMINA_ASSIGN(const auto runs, RunsOf(trades));
  LAMINA_ASSIGN(const auto order_runs, RunsOf(orders));
  const auto& lists = view.columns()[0];
  const auto& status = view.columns()[1];
  const auto& seq = order_view.columns()[0];
  const auto rows = static_cast<std::size_t>(trades.num_rows());
  frame.first.assign(rows, -1);
  frame.last.assign(rows, -1);
  frame.closed.assign(rows, 0);
  for (const auto& [run, range] : runs) {
    const auto found = order_runs.find(run);
    const auto row_of = [&](std::int32_t position) -> std::int64_t {
      if (found == order_runs.end() || position < 0) return -1;
      const std::int64_t row = found->second.begin + position;
      return row < found->second.end && seq.small_integers[row] == position ? row : -1;
    };
    for (std::int64_t row = range.begin; row < range.end; ++row) {
      const auto i = static_cast<std::size_t>(row);
      frame.closed[i] = !status.IsNull(row) && status.Text(row) == "CLOSED" ? 1 : 0;
      if (lists.IsNull(row)) continue;
      const std::int64_t begin = lists.offsets[row], end = lists.offsets[row + 1];
      if (begin < 0 || end < begin || end > lists.list_value_count) {
        return Corruption("a trade's list of orders is damaged");
      }
      if (begin == end) continue;
      frame.first[i] = row_of(lists.list_values[begin]);
      frame.last[i] = row_of(lists.list_values[end - 1]);
    }
  }
  return Ok();
}

Result<TablePtr> WithCells(TablePtr table, const TableView::Wanted& column, const Cells& cells) {
  ColumnBuilder builder(column.type, cells.bits.size());
  for (std::size_t row = 0; row < cells.bits.size(); ++row) {
    if (cells.valid[row] == 0) continue;
    if (column.type == LakeType::kDouble) {
      builder.SetDouble(row, std::bit_cast<double>(cells.bits[row]));
    } else {
      builder.SetInt(row, std::bit_cast<std::int64_t>(cells.bits[row]));
    }
  }
  LAMINA_ASSIGN(auto array, builder.Finish());
  const int index = table->schema()->GetFieldIndex(std::string(column.name));
  LAMINA_ARROW_ASSIGN(TablePtr changed,
                      table->SetColumn(index, table->schema()->field(index),
                                       std::make_shared<arrow::ChunkedArray>(std::move(array))),
                      "putting a column into rows");
  return changed;
}

/// Leave out of `stored` what recipe `k` gives in these rows; whether it did.
bool LeaveOut(const Frame& frame, const Recipe& recipe, const table::RowRange& range,
              Cells& stored) {
  std::vector<std::int64_t> given;
  for (std::int64_t row = range.begin; row < range.end; ++row) {
    const Cell cell = frame.Own(recipe.column, row);
    const Cell cooked = recipe.cook(frame, row);
    if (!cell && cooked) return false;  // NULL would come back as a value
    if (cell && cell == cooked) given.push_back(row);
  }
  const auto count = static_cast<std::int64_t>(given.size());
  if (count == 0 || count * kWorthOneIn < range.size()) return false;
  for (const std::int64_t row : given) stored.valid[static_cast<std::size_t>(row)] = 0;
  return true;
}

Result<TablePtr> Strip(const TablePtr& table, const TableDefinition& stored_definition,
                       std::span<const TableView::Wanted> columns, std::span<const Recipe> recipes,
                       const Frame& frame) {
  std::vector<Cells> stored = frame.own;
  ColumnBuilder derived(LakeType::kInt32, static_cast<std::size_t>(table->num_rows()));
  LAMINA_ASSIGN(const auto runs, RunsOf(*table));
  for (const auto& [run, range] : runs) {
    std::int64_t mask = 0;
    for (std::size_t k = 0; k < recipes.size(); ++k) {
      if (LeaveOut(frame, recipes[k], range, stored[recipes[k].column])) mask |= 1LL << k;
    }
    for (std::int64_t row = range.begin; row < range.end; ++row) {
      derived.SetInt(static_cast<std::size_t>(row), mask);
    }
  }
  TablePtr result = table;
  for (const Recipe& recipe : recipes) {
    LAMINA_ASSIGN(result, WithCells(result, columns[recipe.column], stored[recipe.column]));
  }
  LAMINA_ASSIGN(auto mask, derived.Finish());
  const auto& column = stored_definition.columns.back();
  LAMINA_ARROW_ASSIGN(
      result,
      result->AddColumn(
          result->num_columns(),
          table::MakeField(column.name, column.type, static_cast<std::int32_t>(column.column_id),
                           column.nullable),
          std::make_shared<arrow::ChunkedArray>(std::move(mask))),
      "adding the mask of derived cells");
  return result;
}

Result<TablePtr> Fill(const TablePtr& stored, std::span<const TableView::Wanted> columns,
                      std::span<const Recipe> recipes, Frame& frame) {
  const TableView::Wanted mask_column[] = {{kDerivedColumn, LakeType::kInt32}};
  LAMINA_ASSIGN(const TableView masks, TableView::Of(*stored, mask_column));
  const ColumnView& mask = masks.columns()[0];
  TablePtr result = stored;
  for (std::size_t k = 0; k < recipes.size(); ++k) {
    bool changed = false;
    for (std::int64_t row = 0; row < stored->num_rows(); ++row) {
      if (mask.IsNull(row)) return Corruption("a mask of derived cells is NULL");
      if ((mask.small_integers[row] & (1 << k)) == 0) continue;
      if (frame.Own(recipes[k].column, row)) continue;
      const Cell cooked = recipes[k].cook(frame, row);
      if (!cooked) continue;
      frame.own[recipes[k].column].Set(row, *cooked);
      changed = true;
    }
    if (!changed) continue;
    LAMINA_ASSIGN(result,
                  WithCells(result, columns[recipes[k].column], frame.own[recipes[k].column]));
  }
  const int index = result->schema()->GetFieldIndex(std::string(kDerivedColumn));
  LAMINA_ARROW_ASSIGN(result, result->RemoveColumn(index), "dropping the mask of derived cells");
  return result;
}

/// Rows whose runs all came back as they were.
Result<TablePtr> Checked(const TablePtr& table, TablePtr stored, Result<TablePtr> attempt) {
  LAMINA_ASSIGN(const TablePtr filled, std::move(attempt));
  for (int i = 0; i < table->num_columns(); ++i) {
    const auto& name = table->schema()->field(i)->name();
    const auto other = filled->GetColumnByName(name);
    // NaN are alike in cells; there is no minus zero.
    if (other == nullptr ||
        !table->column(i)->Equals(*other, arrow::EqualOptions::Defaults().nans_equal(true))) {
      return Internal("column " + name + " does not come back from the cells that are stored");
    }
  }
  return stored;
}

std::string CellSql(std::string_view table, std::string_view column, std::size_t bit,
                    std::string_view formula) {
  const std::string cell = std::string(table) + "." + std::string(column);
  return "coalesce(" + cell + ", CASE WHEN " + std::string(table) + "." +
         std::string(kDerivedColumn) + " & " + std::to_string(1 << bit) + " <> 0 THEN " +
         std::string(formula) + " END)";
}

std::string ReplacedSql(std::string_view table, std::span<const TableView::Wanted> columns,
                        std::span<const Recipe> recipes, std::size_t begin, std::size_t end) {
  std::string sql;
  for (std::size_t k = begin; k < end; ++k) {
    const auto name = columns[recipes[k].column].name;
    if (!sql.empty()) sql += ",\n    ";
    sql += CellSql(table, name, k, recipes[k].sql) + " AS " + std::string(name);
  }
  return sql;
}

}  // namespace

Result<TablePtr> StripOrders(const TablePtr& orders) {
  Frame frame;
  LAMINA_ASSIGN(frame.own, Load(*orders, kOrderColumns));
  LAMINA_ASSIGN(auto stored, Strip(orders, StoredDefinition(OrdersTable()), kOrderColumns,
                                   kOrderRecipes, frame));
  return Checked(orders, stored, FillOrders(stored));
}

Result<TablePtr> StripTrades(const TablePtr& trades, const TablePtr& orders) {
  Frame frame;
  LAMINA_ASSIGN(frame.own, Load(*trades, kTradeColumns));
  LAMINA_ASSIGN(const auto order_cells, Load(*orders, kOrderColumns));
  frame.orders = &order_cells;
  LAMINA_TRY(FindOrders(*trades, *orders, frame));
  LAMINA_ASSIGN(auto stored, Strip(trades, StoredDefinition(TradesTable()), kTradeColumns,
                                   kTradeRecipes, frame));
  return Checked(trades, stored, FillTrades(stored, orders));
}

Result<TablePtr> FillOrders(const TablePtr& stored) {
  Frame frame;
  LAMINA_ASSIGN(frame.own, Load(*stored, kOrderColumns));
  return Fill(stored, kOrderColumns, kOrderRecipes, frame);
}

Result<TablePtr> FillTrades(const TablePtr& stored, const TablePtr& orders) {
  Frame frame;
  LAMINA_ASSIGN(frame.own, Load(*stored, kTradeColumns));
  LAMINA_ASSIGN(const auto order_cells, Load(*orders, kOrderColumns));
  frame.orders = &order_cells;
  LAMINA_TRY(FindOrders(*stored, *orders, frame));
  return Fill(stored, kTradeColumns, kTradeRecipes, frame);
}

std::string OrdersViewSql() {
  std::string sql = "SELECT o.* EXCLUDE (derived) REPLACE (\n    ";
  sql += ReplacedSql("o", kOrderColumns, kOrderRecipes, 0, std::size(kOrderRecipes));
  return sql + ")\nFROM {DUCKLAKE_CATALOG}.backtests.stored_orders o";
}

std::string TradesViewSql() {
  const std::size_t all = std::size(kTradeRecipes);
  // `cost` and what is copied within a trade use columns of the first step, `net_gain` uses `cost`.
  return "WITH orders AS (" + OrdersViewSql() + "), opened AS (\n  SELECT t.* REPLACE (\n    " +
         ReplacedSql("t", kTradeColumns, kTradeRecipes, 0, kCopiedFromOrders) +
         "),\n    last_order.price AS last_price, last_order.order_fee AS last_fee\n"
         "  FROM {DUCKLAKE_CATALOG}.backtests.stored_trades t\n"
         "  LEFT JOIN orders first_order ON first_order.run_id = t.run_id\n"
         "    AND first_order.seq = t.order_positions[1]\n"
         "  LEFT JOIN orders last_order ON last_order.run_id = t.run_id\n"
         "    AND last_order.seq = t.order_positions[-1]\n"
         "), costed AS (\n  SELECT t.* REPLACE (\n    " +
         ReplacedSql("t", kTradeColumns, kTradeRecipes, kCopiedFromOrders, all - 1) +
         ")\n  FROM opened t\n)\nSELECT t.* EXCLUDE (derived, last_price, last_fee) REPLACE (\n   "
         " " +
         ReplacedSql("t", kTradeColumns, kTradeRecipes, all - 1, all) + ")\nFROM costed t";
}

}  // namespace lamina::backtests
