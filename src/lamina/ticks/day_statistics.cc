#include "lamina/ticks/day_statistics.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lamina/market/day.h"
#include "lamina/ticks/varint.h"

namespace lamina::ticks {
namespace {

constexpr std::uint64_t kVersion = 1;

bool HasTrades(TickType type) { return KindOf(type) == TickKind::kTrades; }

std::string DateText(std::int32_t day) { return market::FormatDay(market::Day{day}); }

Result<std::optional<DayStatistics>> ReadEvidence(catalog::Database& database,
                                                  const StatisticsKey& key) {
  LAMINA_ASSIGN(auto read, database.Prepare("SELECT evidence FROM data_statistics WHERE "
                                            "contract_id=?1 AND tick_type=?2 AND date=?3"));
  const std::string date = DateText(key.day);
  read.Bind(1, key.contract_id).Bind(2, tick_log::TickTypeName(key.type)).Bind(3, date);
  LAMINA_ASSIGN(const bool row, read.Step());
  if (!row) return std::optional<DayStatistics>();
  auto decoded = DayStatistics::Decode(read.Blob(0));
  if (!decoded.ok())
    return std::move(decoded).error().With("data_statistics of contract " +
                                           std::to_string(key.contract_id) + " on " + date);
  return std::optional<DayStatistics>(*std::move(decoded));
}

}  // namespace

void DayStatistics::Add(TickType type, std::int64_t ts_ns, const double* values) {
  ++ticks_;
  first_ns_ = std::min(first_ns_, ts_ns);
  last_ns_ = std::max(last_ns_, ts_ns);
  prices_.Add(values[0]);
  if (type == TickType::kBidAsk) prices_.Add(values[2]);
  if (!HasTrades(type)) return;
  const double price = values[0], size = std::isnan(values[1]) ? 0.0 : values[1];
  volume_.Add(size);
  if (std::isnan(price)) return;
  priced_volume_.Add(size);
  notional_.Add(price * size);
}

void DayStatistics::Merge(const DayStatistics& other) {
  ticks_ += other.ticks_;
  first_ns_ = std::min(first_ns_, other.first_ns_);
  last_ns_ = std::max(last_ns_, other.last_ns_);
  prices_.Merge(other.prices_);
  volume_.Merge(other.volume_);
  priced_volume_.Merge(other.priced_volume_);
  notional_.Merge(other.notional_);
}

std::optional<double> DayStatistics::total_volume(TickType type) const {
  if (!HasTrades(type)) return {};
  return volume_.Value();
}

std::optional<double> DayStatistics::vwap(TickType type) const {
  if (!HasTrades(type)) return {};
  const double vwap = notional_.Value() / priced_volume_.Value();
  if (std::isnan(vwap) || std::isinf(vwap)) return {};
  return vwap;
}

std::optional<double> DayStatistics::high_price() const { return prices_.high(); }
std::optional<double> DayStatistics::low_price() const { return prices_.low(); }

std::string DayStatistics::Encode() const {
  std::string out;
  AppendVarint(out, kVersion);
  AppendVarint(out, static_cast<std::uint64_t>(ticks_));
  AppendVarint(out, Zigzag(first_ns_));
  AppendVarint(out, Zigzag(last_ns_));
  prices_.Encode(out);
  volume_.Encode(out);
  priced_volume_.Encode(out);
  notional_.Encode(out);
  return out;
}

Result<DayStatistics> DayStatistics::Decode(ByteView bytes) {
  DayStatistics day;
  LAMINA_ASSIGN(const std::uint64_t version, TakeVarint(bytes));
  if (version != kVersion)
    return Corruption("evidence of statistics of version " + std::to_string(version));
  LAMINA_ASSIGN(const std::uint64_t ticks, TakeVarint(bytes));
  LAMINA_ASSIGN(const std::uint64_t first, TakeVarint(bytes));
  LAMINA_ASSIGN(const std::uint64_t last, TakeVarint(bytes));
  day.ticks_ = static_cast<std::int64_t>(ticks);
  day.first_ns_ = Unzigzag(first);
  day.last_ns_ = Unzigzag(last);
  if (day.ticks_ < 0) return Corruption("evidence of statistics counts too many ticks");
  LAMINA_ASSIGN(day.prices_, PriceSet::Decode(bytes));
  LAMINA_ASSIGN(day.volume_, ExactSum::Decode(bytes));
  LAMINA_ASSIGN(day.priced_volume_, ExactSum::Decode(bytes));
  LAMINA_ASSIGN(day.notional_, ExactSum::Decode(bytes));
  if (!bytes.empty()) return Corruption("evidence of statistics with bytes after its end");
  return day;
}

Status MergeStatistics(catalog::Database& database, std::int64_t snapshot, const StatisticsKey& key,
                       const DayStatistics& added) {
  LAMINA_ASSIGN(std::optional<DayStatistics> known, ReadEvidence(database, key));
  if (!known) return ReplaceStatistics(database, snapshot, key, added);
  known->Merge(added);
  return ReplaceStatistics(database, snapshot, key, *known);
}

Status ReplaceStatistics(catalog::Database& database, std::int64_t snapshot,
                         const StatisticsKey& key, const DayStatistics& counted) {
  const std::string date = DateText(key.day);
  const std::string_view type = tick_log::TickTypeName(key.type);
  if (counted.total_ticks() == 0) {
    LAMINA_ASSIGN(auto drop, database.Prepare("DELETE FROM data_statistics WHERE contract_id=?1 "
                                              "AND tick_type=?2 AND date=?3"));
    return drop.Bind(1, key.contract_id).Bind(2, type).Bind(3, date).Run();
  }
  LAMINA_ASSIGN(
      auto put,
      database.Prepare(
          "INSERT INTO data_statistics(contract_id, tick_type, date, total_ticks, unique_prices, "
          "total_volume, vwap, high_price, low_price, first_time, last_time, evidence, "
          "updated_snapshot) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13) "
          "ON CONFLICT(contract_id, tick_type, date) DO UPDATE SET total_ticks=?4, "
          "unique_prices=?5, total_volume=?6, vwap=?7, high_price=?8, low_price=?9, "
          "first_time=?10, last_time=?11, evidence=?12, updated_snapshot=?13"));
  const std::string evidence = counted.Encode();
  put.Bind(1, key.contract_id)
      .Bind(2, type)
      .Bind(3, date)
      .Bind(4, counted.total_ticks())
      .Bind(5, counted.unique_prices())
      .Bind(6, counted.total_volume(key.type))
      .Bind(7, counted.vwap(key.type))
      .Bind(8, counted.high_price())
      .Bind(9, counted.low_price())
      .Bind(10, counted.first_ns())
      .Bind(11, counted.last_ns())
      .BindBlob(12, evidence)
      .Bind(13, snapshot);
  return put.Run();
}

Result<std::vector<StatisticsRow>> ReadStatistics(catalog::Database& database,
                                                  const std::string& where) {
  LAMINA_ASSIGN(auto read,
                database.Prepare("SELECT contract_id, tick_type, date, total_ticks, unique_prices, "
                                 "total_volume, vwap, high_price, low_price, first_time, last_time "
                                 "FROM data_statistics WHERE " +
                                 where + " ORDER BY contract_id, date, tick_type"));
  const auto number = [&](int column) -> std::optional<double> {
    if (read.IsNull(column)) return {};
    return read.Double(column);
  };
  std::vector<StatisticsRow> rows;
  for (;;) {
    LAMINA_ASSIGN(const bool found, read.Step());
    if (!found) return rows;
    StatisticsRow& row = rows.emplace_back();
    row.contract_id = read.Int(0);
    LAMINA_ASSIGN(row.type, tick_log::ParseTickType(read.Text(1)));
    LAMINA_ASSIGN(const market::Day day, market::ParseDay(read.Text(2)));
    row.day = day.value;
    row.total_ticks = read.Int(3);
    row.unique_prices = read.Int(4);
    row.total_volume = number(5);
    row.vwap = number(6);
    row.high_price = number(7);
    row.low_price = number(8);
    row.first_ns = read.Int(9);
    row.last_ns = read.Int(10);
  }
}

}  // namespace lamina::ticks
