#include "lamina/series/open_bar_internal.h"

namespace lamina::series::internal {
namespace {

void PushPrices(Bars& bars, double open, double high, double low, double close) {
  bars.open.push_back(open);
  bars.high.push_back(high);
  bars.low.push_back(low);
  bars.close.push_back(close);
}

void FillPrices(const Bars& bars, bool previous, Bars& filled) {
  const double price = previous ? bars.close.back() : kNone;
  PushPrices(filled, price, price, price, price);
  filled.n_ticks.push_back(0);
}

void FillSized(const Bars& bars, bool previous, bool has_sizes, Bars& filled) {
  FillPrices(bars, previous, filled);
  if (!has_sizes) return;
  filled.volume.push_back(0);
  filled.vwap.push_back(kNone);
}

/// From `a` to a later `b` in nanoseconds; the whole int64 range does not overflow.
double Elapsed(std::int64_t a, std::int64_t b) {
  return static_cast<double>(static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a));
}

double CandlePrice(const CandleColumns& rows, std::size_t row) {
  if (!rows.vwap.empty() && rows.vwap[row] == rows.vwap[row]) return rows.vwap[row];
  return (rows.high[row] + rows.low[row] + rows.close[row]) / 3;
}

bool CandlePriced(const CandleColumns& rows, std::size_t row) {
  return rows.open[row] == rows.open[row] && rows.high[row] == rows.high[row] &&
         rows.low[row] == rows.low[row] && rows.close[row] == rows.close[row];
}

}  // namespace

// ---- trades ------------------------------------------------------------------------------------

std::size_t OpenTradeBar::Add(const Columns& rows, std::size_t begin, std::size_t end) {
  const double* size = rows.size.empty() ? nullptr : rows.size.data() + begin;
  AddTrades(sums_, rows.price.data() + begin, size, end - begin);
  if (sums_.negative) {
    for (std::size_t row = begin; row < end; ++row) {
      if (rows.size[row] < 0) return row;
    }
  }
  const auto unpriced = [&](std::size_t row) { return rows.price[row] != rows.price[row]; };
  std::size_t first = begin, last = end;
  while (first < end && unpriced(first)) ++first;
  if (first == end) return kNoRow;
  while (unpriced(last - 1)) --last;
  Note(rows.ts_ns[first], rows.price[first], rows.price[first]);
  Note(rows.ts_ns[last - 1], rows.price[last - 1], rows.price[last - 1]);
  return kNoRow;
}

void OpenTradeBar::Close(const Bucket&, bool, bool has_sizes, Bars& bars) const {
  PushPrices(bars, open, LaneMax(sums_.high), LaneMin(sums_.low), close);
  bars.n_ticks.push_back(priced_rows());
  if (!has_sizes) return;
  const double volume = LaneSum(sums_.volume);
  bars.volume.push_back(volume);
  bars.vwap.push_back(volume == 0 ? kNone : LaneSum(sums_.notional) / volume);
}

void OpenTradeBar::Fill(const Bars& bars, bool previous, bool has_sizes, Bars& filled) {
  FillSized(bars, previous, has_sizes, filled);
}

// ---- quotes ------------------------------------------------------------------------------------

std::size_t OpenQuoteBar::Add(const Columns& rows, std::size_t begin, std::size_t end) {
  for (std::size_t row = begin; row < end; ++row) {
    const double bid = rows.bid[row], ask = rows.ask[row];
    if (bid != bid || ask != ask) {
      ++unpriced_;
      continue;
    }
    const double mid = (bid + ask) * 0.5;
    if (priced) spread_time_ += spread_ * Elapsed(last_ts, rows.ts_ns[row]);
    high_ = mid > high_ ? mid : high_;
    low_ = mid < low_ ? mid : low_;
    bid_ = bid;
    ask_ = ask;
    spread_ = ask - bid;
    spread_sum_ += spread_;
    ++priced_;
    Note(rows.ts_ns[row], mid, mid);
  }
  return kNoRow;
}

void OpenQuoteBar::Close(const Bucket& bucket, bool by_clock, bool, Bars& bars) const {
  PushPrices(bars, open, high_ + 0.0, low_ + 0.0, close);
  bars.n_ticks.push_back(priced_);
  bars.bid_close.push_back(bid_);
  bars.ask_close.push_back(ask_);
  bars.spread_mean.push_back(spread_sum_ / static_cast<double>(priced_));
  const std::int64_t end = by_clock ? bucket.bar_end : last_ts;
  const double elapsed = Elapsed(first_ts, end);
  bars.spread_time_weighted.push_back(
      elapsed > 0 ? (spread_time_ + spread_ * Elapsed(last_ts, end)) / elapsed : spread_);
}

void OpenQuoteBar::Fill(const Bars& bars, bool previous, bool, Bars& filled) {
  FillPrices(bars, previous, filled);
  filled.bid_close.push_back(previous ? bars.bid_close.back() : kNone);
  filled.ask_close.push_back(previous ? bars.ask_close.back() : kNone);
  filled.spread_mean.push_back(kNone);
  filled.spread_time_weighted.push_back(kNone);
}

// ---- candles -----------------------------------------------------------------------------------

bool OpenCandleBar::SameLengths(const Columns& rows) {
  const std::size_t size = rows.ts_ns.size();
  const auto fits = [&](std::size_t length) { return length == size || length == 0; };
  return rows.open.size() == size && rows.high.size() == size && rows.low.size() == size &&
         rows.close.size() == size && fits(rows.volume.size()) && fits(rows.vwap.size()) &&
         fits(rows.n_ticks.size());
}

double OpenCandleBar::Weight(const Columns& rows, std::size_t row, bool notional) {
  if (rows.volume.empty() || !CandlePriced(rows, row)) return 0;
  const double weight = rows.volume[row] * (notional ? CandlePrice(rows, row) : 1.0);
  return weight == weight ? weight : 0;
}

std::size_t OpenCandleBar::Add(const Columns& rows, std::size_t begin, std::size_t end) {
  for (std::size_t row = begin; row < end; ++row) {
    const double volume = rows.volume.empty() ? 0 : rows.volume[row];
    if (volume < 0 || (!rows.n_ticks.empty() && rows.n_ticks[row] < 0)) return row;
    if (!CandlePriced(rows, row)) {
      ++unpriced_;
      continue;
    }
    high_ = rows.high[row] > high_ ? rows.high[row] : high_;
    low_ = rows.low[row] < low_ ? rows.low[row] : low_;
    ++priced_;
    ticks_ += rows.n_ticks.empty() ? 1 : rows.n_ticks[row];
    Note(rows.ts_ns[row], rows.open[row], rows.close[row]);
    if (volume != volume || volume == 0) continue;
    volume_ += volume;
    notional_ += volume * CandlePrice(rows, row);
  }
  return kNoRow;
}

void OpenCandleBar::Close(const Bucket&, bool, bool has_sizes, Bars& bars) const {
  PushPrices(bars, open, high_ + 0.0, low_ + 0.0, close);
  bars.n_ticks.push_back(ticks_);
  if (!has_sizes) return;
  bars.volume.push_back(volume_);
  bars.vwap.push_back(volume_ == 0 ? kNone : notional_ / volume_);
}

void OpenCandleBar::Fill(const Bars& bars, bool previous, bool has_sizes, Bars& filled) {
  FillSized(bars, previous, has_sizes, filled);
}

}  // namespace lamina::series::internal
