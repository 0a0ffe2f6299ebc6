#include "lamina/backtests/record_schema.h"

namespace lamina::backtests {

namespace {

using table::LakeType;

ColumnRule Seq() { return {"seq", LakeType::kInt32}; }
ColumnRule Double(std::string_view name) {
  return {name, LakeType::kDouble, name, CellCodec::kDouble};
}
ColumnRule Text(std::string_view name) {
  return {name, LakeType::kVarchar, name, CellCodec::kText};
}
ColumnRule Time(std::string_view name, std::string_view key) {
  return {name, LakeType::kTimestampTz, key, CellCodec::kTime};
}
ColumnRule Json(std::string_view name) {
  return {name, LakeType::kVarchar, name, CellCodec::kJson};
}
ColumnRule Second(std::string_view name) { return {name, LakeType::kVarchar}; }

std::vector<ColumnRule> SnapshotRules() {
  return {Seq(),
          Time("ts", "created_at"),
          Text("trading_symbol"),
          Double("pending_value"),
          Double("unallocated"),
          Double("total_net_gain"),
          Double("total_revenue"),
          Double("total_cost"),
          Double("cash_flow"),
          Double("net_size"),
          Double("total_value"),
          Text("portfolio_id"),
          Json("metadata")};
}

std::vector<ColumnRule> TradeRules() {
  ColumnRule is_short{"is_short", LakeType::kBoolean, "is_short", CellCodec::kBool,
                      AbsentValue::kFalse};
  ColumnRule total_fees = Double("total_fees");
  total_fees.absent = AbsentValue::kZero;
  return {Seq(),
          {"id", LakeType::kUuid, "id", CellCodec::kId},
          Second("id_text"),
          {"order_positions", LakeType::kInt32List, "orders", CellCodec::kOrderReferences},
          Text("target_symbol"),
          Text("trading_symbol"),
          is_short,
          Text("status"),
          Double("amount"),
          Double("remaining"),
          Double("open_price"),
          Double("last_reported_price"),
          Time("last_reported_price_datetime", "last_reported_price_datetime"),
          Double("high_water_mark"),
          Time("high_water_mark_datetime", "high_water_mark_datetime"),
          Double("low_water_mark"),
          Time("low_water_mark_datetime", "low_water_mark_datetime"),
          Time("opened_at", "opened_at"),
          Time("closed_at", "closed_at"),
          Time("updated_at", "updated_at"),
          Double("net_gain"),
          total_fees,
          Double("cost"),
          Json("stop_losses"),
          Json("take_profits"),
          Double("filled_amount"),
          Double("available_amount"),
          Json("metadata"),
          Text("strategy_id")};
}

std::vector<ColumnRule> OrderRules() {
  return {Seq(),
          {"id", LakeType::kUuid, "id", CellCodec::kId},
          Second("id_text"),
          Text("external_id"),
          Text("target_symbol"),
          Text("trading_symbol"),
          Text("order_side"),
          Text("order_type"),
          Text("status"),
          Double("price"),
          Double("amount"),
          Time("created_at", "created_at"),
          Time("updated_at", "updated_at"),
          Double("cost"),
          Double("filled"),
          Double("remaining"),
          Text("order_fee_currency"),
          Double("order_fee_rate"),
          Double("order_fee"),
          Double("slippage"),
          Double("stop_price"),
          Time("triggered_at", "triggered_at"),
          {"metadata", LakeType::kVarchar, "metadata", CellCodec::kOrderMetadata},
          Second("order_reason"),
          Text("strategy_id")};
}

std::vector<ColumnRule> PositionRules() {
  return {Seq(), Text("symbol"), Double("amount"), Double("cost"), Text("portfolio_id")};
}

}  // namespace

const std::vector<ColumnRule>& ColumnRules(RecordTable table) {
  static const std::vector<ColumnRule> kRules[kRecordTableCount] = {SnapshotRules(), TradeRules(),
                                                                    OrderRules(), PositionRules()};
  return kRules[static_cast<std::size_t>(table)];
}

std::string_view RecordTableName(RecordTable table) {
  switch (table) {
    case RecordTable::kSnapshots:
      return "portfolio_snapshots";
    case RecordTable::kTrades:
      return "trades";
    case RecordTable::kOrders:
      return "orders";
    case RecordTable::kPositions:
      return "positions";
  }
  return "?";
}

}  // namespace lamina::backtests
