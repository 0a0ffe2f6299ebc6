#include "lamina/backtests/derived_cells.h"

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/row_columns.h"
#include "lamina/base/matchers.h"
#include "lamina/base/uuid.h"
#include "lamina/table/lake_type.h"

namespace lamina::backtests {
namespace {

using table::LakeType;
using Number = std::optional<double>;
using Time = std::optional<std::int64_t>;

struct Order {
  int run = 1;
  Number price, amount, fee_rate, fee;
  Time created, updated;
};
struct Trade {
  int run = 1;
  std::vector<std::int32_t> orders;
  const char* status = "CLOSED";
  Number amount, open_price, filled, available, cost, net_gain;
  Time opened, updated, closed;
};

Uuid Run(int number) {
  Uuid id;
  id.bytes[15] = static_cast<char>(number);
  return id;
}

/// Rows of `definition`; `fill` sets the cells that are not NULL.
template <class Row, class Fill>
TablePtr MakeRows(const TableDefinition& definition, const std::vector<Row>& rows,
                  const Fill& fill) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  arrow::ArrayVector arrays;
  for (const auto& column : definition.columns) {
    ColumnBuilder builder(column.type, rows.size());
    std::int32_t seq = 0;
    for (std::size_t i = 0; i < rows.size(); ++i, ++seq) {
      if (i > 0 && rows[i].run != rows[i - 1].run) seq = 0;
      if (column.name == "run_id") {
        builder.SetUuid(i, Run(rows[i].run));
      } else if (column.name == "seq") {
        builder.SetInt(i, seq);
      } else {
        fill(builder, i, column.name, rows[i]);
      }
    }
    auto array = builder.Finish();
    EXPECT_THAT(array, IsOk());
    arrays.push_back(*array);
    fields.push_back(table::MakeField(
        column.name, column.type, static_cast<std::int32_t>(column.column_id), column.nullable));
  }
  return arrow::Table::Make(arrow::schema(fields), arrays, static_cast<std::int64_t>(rows.size()));
}

void Set(ColumnBuilder& builder, std::size_t row, const Number& value) {
  if (value) builder.SetDouble(row, *value);
}
void Set(ColumnBuilder& builder, std::size_t row, const Time& value) {
  if (value) builder.SetInt(row, *value);
}

TablePtr Orders(const std::vector<Order>& rows) {
  return MakeRows(OrdersTable(), rows,
                  [](ColumnBuilder& builder, std::size_t i, std::string_view name, const Order& o) {
                    if (name == "price") Set(builder, i, o.price);
                    if (name == "amount") Set(builder, i, o.amount);
                    if (name == "order_fee_rate") Set(builder, i, o.fee_rate);
                    if (name == "order_fee") Set(builder, i, o.fee);
                    if (name == "created_at") Set(builder, i, o.created);
                    if (name == "updated_at") Set(builder, i, o.updated);
                  });
}

TablePtr Trades(const std::vector<Trade>& rows) {
  return MakeRows(TradesTable(), rows,
                  [](ColumnBuilder& builder, std::size_t i, std::string_view name, const Trade& t) {
                    if (name == "order_positions") builder.SetList(i, t.orders);
                    if (name == "status") builder.SetText(i, t.status);
                    if (name == "amount") Set(builder, i, t.amount);
                    if (name == "open_price") Set(builder, i, t.open_price);
                    if (name == "filled_amount") Set(builder, i, t.filled);
                    if (name == "available_amount") Set(builder, i, t.available);
                    if (name == "cost") Set(builder, i, t.cost);
                    if (name == "net_gain") Set(builder, i, t.net_gain);
                    if (name == "opened_at") Set(builder, i, t.opened);
                    if (name == "updated_at") Set(builder, i, t.updated);
                    if (name == "closed_at") Set(builder, i, t.closed);
                  });
}

std::int64_t NullsOf(const TablePtr& table, const char* column) {
  return table->GetColumnByName(column)->null_count();
}

void ExpectSame(const TablePtr& a, const TablePtr& b) {
  ASSERT_EQ(a->num_columns(), b->num_columns());
  for (int i = 0; i < a->num_columns(); ++i) {
    EXPECT_TRUE(a->column(i)->Equals(*b->GetColumnByName(a->field(i)->name()),
                                     arrow::EqualOptions::Defaults().nans_equal(true)))
        << a->field(i)->name();
  }
}

/// Prices, amounts and fees whose products are inexact; the numbers are the golden vectors.
const double kFee1 = 0.1 * 3.3 * 0.0025, kFee2 = 0.7 * 3.3 * 0.0025;

std::vector<Order> TwoOrders(int run = 1) {
  return {{run, 0.1, 3.3, 0.0025, kFee1, 10, 10}, {run, 0.7, 3.3, 0.0025, kFee2, 20, 20}};
}

Trade ClosedTrade(int run = 1) {
  return {run, {0, 1}, "CLOSED", 3.3, 0.1, 3.3, 3.3, 3.3 * 0.1, 0.7 * 3.3 - kFee2 - 3.3 * 0.1,
          10,  20,     20};
}

TEST(DerivedCells, GoldenVectors) {
  EXPECT_EQ(kFee2, 0x1.7a786c226809cp-8);
  EXPECT_EQ(*ClosedTrade().net_gain, 0x1.f966cf41f212cp+0);
}

TEST(DerivedCells, WhatFollowsIsLeftOutAndComesBack) {
  const auto orders = Orders(TwoOrders());
  auto stored = StripOrders(orders);
  ASSERT_THAT(stored, IsOk());
  EXPECT_EQ(NullsOf(*stored, "updated_at"), 2);
  EXPECT_EQ(NullsOf(*stored, "order_fee"), 2);
  auto filled = FillOrders(*stored);
  ASSERT_THAT(filled, IsOk());
  ExpectSame(orders, *filled);

  const auto trades = Trades({ClosedTrade()});
  auto stored_trades = StripTrades(trades, orders);
  ASSERT_THAT(stored_trades, IsOk());
  for (const char* column : {"amount", "open_price", "opened_at", "updated_at", "closed_at",
                             "filled_amount", "available_amount", "cost", "net_gain"}) {
    EXPECT_EQ(NullsOf(*stored_trades, column), 1) << column;
  }
  auto filled_trades = FillTrades(*stored_trades, *filled);
  ASSERT_THAT(filled_trades, IsOk());
  ExpectSame(trades, *filled_trades);
}

TEST(DerivedCells, AnythingElseIsKept) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  struct Case {
    const char* name;
    std::vector<Order> orders;
    std::vector<Trade> trades;
  };
  Trade next_bit = ClosedTrade(), open = ClosedTrade(), nil = ClosedTrade(), no_orders,
        odd = ClosedTrade(), not_a_number = ClosedTrade(), elsewhere = ClosedTrade(2);
  next_bit.cost = std::nextafter(*next_bit.cost, infinity);
  open.status = "OPEN";
  open.closed = std::nullopt;
  open.net_gain = 0.0;
  nil.amount = nil.cost = nil.opened = std::nullopt;
  odd.orders = {7, -1};
  not_a_number.amount = not_a_number.cost = nan;
  std::vector<Order> strange = TwoOrders();
  strange[0].fee = nan;
  strange[0].price = infinity;
  strange[1].amount = 0.0;
  std::vector<Order> some_nil = TwoOrders();
  some_nil[1].updated = some_nil[1].fee = std::nullopt;
  const std::vector<Case> cases = {
      {"a last bit", TwoOrders(), {next_bit, ClosedTrade()}},
      {"an open trade", TwoOrders(), {open, ClosedTrade()}},
      {"nil beside a value that would follow", TwoOrders(), {nil, ClosedTrade()}},
      {"no orders", {}, {ClosedTrade()}},
      {"orders of another run", TwoOrders(), {elsewhere}},
      {"an empty list", TwoOrders(), {no_orders, ClosedTrade()}},
      {"positions outside", TwoOrders(), {odd, ClosedTrade()}},
      {"NaN", TwoOrders(), {not_a_number, ClosedTrade()}},
      {"NaN and infinity in orders", strange, {ClosedTrade(), not_a_number}},
      {"nil in orders", some_nil, {ClosedTrade()}},
      {"nothing", {}, {}},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    const auto orders = Orders(each.orders);
    const auto trades = Trades(each.trades);
    auto stored = StripOrders(orders);
    ASSERT_THAT(stored, IsOk());
    auto filled = FillOrders(*stored);
    ASSERT_THAT(filled, IsOk());
    ExpectSame(orders, *filled);
    auto stored_trades = StripTrades(trades, orders);
    ASSERT_THAT(stored_trades, IsOk());
    auto filled_trades = FillTrades(*stored_trades, *filled);
    ASSERT_THAT(filled_trades, IsOk());
    ExpectSame(trades, *filled_trades);
  }
}

TEST(DerivedCells, RunsAreChosenOneByOne) {
  auto second = TwoOrders(2);
  second[0].fee = 1.0;
  second[1].fee = 2.0;
  auto all = TwoOrders(1);
  all.insert(all.end(), second.begin(), second.end());
  auto stored = StripOrders(Orders(all));
  ASSERT_THAT(stored, IsOk());
  EXPECT_EQ(NullsOf(*stored, "order_fee"), 2);
  EXPECT_EQ(NullsOf(*stored, "updated_at"), 4);
  auto filled = FillOrders(*stored);
  ASSERT_THAT(filled, IsOk());
  ExpectSame(Orders(all), *filled);
}

TEST(DerivedCells, RowsOfAnotherShapeAreRefused) {
  EXPECT_THAT(FillOrders(Orders(TwoOrders())), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(StripOrders(Trades({ClosedTrade()})), IsError(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace lamina::backtests
