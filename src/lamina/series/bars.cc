#include "lamina/series/bars.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "lamina/series/open_bar_internal.h"
#include "lamina/series/row_scan.h"

namespace lamina::series {

void Bars::Append(Bars more) {
  if (size() == 0) {
    *this = std::move(more);
    return;
  }
  const auto join = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  join(timestamp, more.timestamp);
  join(open, more.open);
  join(high, more.high);
  join(low, more.low);
  join(close, more.close);
  join(volume, more.volume);
  join(vwap, more.vwap);
  join(n_ticks, more.n_ticks);
  join(bid_close, more.bid_close);
  join(ask_close, more.ask_close);
  join(spread_mean, more.spread_mean);
  join(spread_time_weighted, more.spread_time_weighted);
}

/// The part of a builder that all kinds of rows share.
class BarBuilder::Impl {
 public:
  virtual ~Impl() = default;
  virtual Status Add(const TradeColumns&) { return WrongKind("trades"); }
  virtual Status Add(const QuoteColumns&) { return WrongKind("quotes"); }
  virtual Status Add(const CandleColumns&) { return WrongKind("candles"); }
  virtual Status Finish() = 0;

  Bars bars;
  std::int64_t unpriced_rows = 0, rows_outside = 0;

 private:
  static Status WrongKind(const char* kind) {
    return InvalidArgument(std::string("this builder does not take rows of ") + kind);
  }
};

namespace {

constexpr std::int64_t kGapBarsMax = 10'000'000;

template <class OpenBar>
class Builder final : public BarBuilder::Impl {
 public:
  using Columns = typename OpenBar::Columns;
  Builder(BarOptions options, BucketGrid grid)
      : options_(std::move(options)), grid_(std::move(grid)) {}

  using BarBuilder::Impl::Add;
  Status Add(const Columns& rows) override {
    LAMINA_TRY(Check(rows));
    for (std::size_t row = 0; row < rows.ts_ns.size();) {
      if (!bucket_.has_value() || rows.ts_ns[row] > bucket_->last) Enter(rows.ts_ns[row]);
      const std::size_t end = StretchEnd(rows.ts_ns, row, bucket_->last);
      if (!bucket_->inside) {
        rows_outside += static_cast<std::int64_t>(end - row);
      } else if (options_.rule.by_clock()) {
        LAMINA_TRY(AddRows(rows, row, end));
      } else {
        LAMINA_TRY(AddCounted(rows, row, end));
      }
      row = end;
      if (gap_too_wide_) {
        return ResourceExhausted("filling one gap needs more than 10 million bars");
      }
    }
    rows_before_ += rows.ts_ns.size();
    if (!rows.ts_ns.empty()) previous_ts_ = rows.ts_ns.back();
    return Ok();
  }

  Status Finish() override {
    Close(/*full=*/false);
    if (gap_too_wide_) {
      return ResourceExhausted("filling one gap needs more than 10 million bars");
    }
    return Ok();
  }

 private:
  Status Check(const Columns& rows) {
    if (!OpenBar::SameLengths(rows)) {
      return InvalidArgument(OpenBar::kUnevenColumns);
    }
    if (rows.ts_ns.empty()) return Ok();
    if (rows_before_ == 0) has_sizes_ = OpenBar::HasSizes(rows);
    if (OpenBar::HasSizes(rows) != has_sizes_) {
      return InvalidArgument("some batches have sizes and some have none");
    }
    const bool needs_sizes =
        options_.rule.unit == BarUnit::kVolume || options_.rule.unit == BarUnit::kNotional;
    if (needs_sizes && !has_sizes_) {
      return InvalidArgument("rule `" + options_.rule.text + "` needs a column of sizes");
    }
    if (rows_before_ > 0 && rows.ts_ns[0] < previous_ts_) {
      return InvalidArgument("row " + std::to_string(rows_before_) + " is out of order: stamp " +
                             std::to_string(rows.ts_ns[0]) + " is before " +
                             std::to_string(previous_ts_) +
                             " of the row above it; sort the rows first");
    }
    LAMINA_TRY(CheckSorted({.ts_ns = rows.ts_ns}, rows_before_, "input"));
    return Ok();
  }

  void Enter(std::int64_t ts) {
    const Bucket next = grid_.Find(ts);
    if (next.inside && open_.has_value() && next.bar_begin != bar_.bar_begin) Close(false);
    bucket_ = next;
    if (!next.inside) return;
    bar_ = next;
    if (!open_.has_value()) open_.emplace();
  }

  Status AddRows(const Columns& rows, std::size_t begin, std::size_t end) {
    const std::size_t bad = open_->Add(rows, begin, end);
    if (bad == internal::kNoRow) return Ok();
    return InvalidArgument("row " + std::to_string(rows_before_ + bad) + " has a negative size");
  }

  /// The rows end bars themselves.
  Status AddCounted(const Columns& rows, std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end;) {
      std::size_t cut = row;
      bool full = false;
      if (options_.rule.unit == BarUnit::kTick) {
        const auto wanted = static_cast<std::uint64_t>(options_.rule.count - open_->priced_rows());
        cut = row + static_cast<std::size_t>(std::min<std::uint64_t>(wanted, end - row));
      } else {
        const bool notional = options_.rule.unit == BarUnit::kNotional;
        while (cut < end && !full) {
          weight_ += OpenBar::Weight(rows, cut++, notional);
          full = weight_ >= options_.rule.threshold;
        }
      }
      LAMINA_TRY(AddRows(rows, row, cut));
      row = cut;
      if (full ||
          (options_.rule.unit == BarUnit::kTick && open_->priced_rows() == options_.rule.count)) {
        Close(/*full=*/true);
        open_.emplace();
      }
    }
    return Ok();
  }

  void Close(bool full) {
    if (!open_.has_value()) return;
    const bool by_clock = options_.rule.by_clock();
    unpriced_rows += open_->unpriced_rows();
    weight_ = 0;
    if (open_->priced && (by_clock || full || options_.keep_partial)) {
      if (options_.fill != BarFill::kNone && last_.has_value()) FillGap();
      const bool left = options_.label == BarLabel::kLeft;
      bars.timestamp.push_back(by_clock ? (left ? bar_.bar_begin : bar_.bar_end)
                                        : (left ? open_->first_ts : open_->last_ts));
      open_->Close(bar_, by_clock, has_sizes_, bars);
      if (options_.fill != BarFill::kNone) Remember();
    }
    open_.reset();
  }

  void FillGap() {
    const bool left = options_.label == BarLabel::kLeft;
    std::int64_t gap_bars = 0;
    for (Bucket gap = grid_.Next(*last_); gap.inside && gap.bar_begin < bar_.bar_begin;
         gap = grid_.Next(gap)) {
      if (++gap_bars > kGapBarsMax) {
        gap_too_wide_ = true;
        return;
      }
      bars.timestamp.push_back(left ? gap.bar_begin : gap.bar_end);
      OpenBar::Fill(last_bar_, options_.fill == BarFill::kPrevious, has_sizes_, bars);
    }
  }

  void Remember() {
    last_ = bar_;
    last_bar_ = {};
    last_bar_.close.push_back(bars.close.back());
    if (bars.bid_close.empty()) return;
    last_bar_.bid_close.push_back(bars.bid_close.back());
    last_bar_.ask_close.push_back(bars.ask_close.back());
  }

  BarOptions options_;
  BucketGrid grid_;
  std::optional<Bucket> bucket_;  ///< of the last row
  Bucket bar_;                    ///< of the open bar
  std::optional<OpenBar> open_;
  double weight_ = 0;  ///< of the open bar, for rules of volume and notional
  bool has_sizes_ = false;
  std::size_t rows_before_ = 0;
  std::int64_t previous_ts_ = 0;
  std::optional<Bucket> last_;  ///< the bar that came out last, when gaps are filled
  Bars last_bar_;               ///< its closing values
  bool gap_too_wide_ = false;
};

template <class OpenBar>
Result<std::unique_ptr<BarBuilder::Impl>> MakeImpl(BarOptions options) {
  LAMINA_ASSIGN(BucketGrid grid, BucketGrid::Make(options.rule, options.ranges));
  if (options.fill != BarFill::kNone && !options.rule.by_clock()) {
    return InvalidArgument("rule `" + options.rule.text + "` has no gaps to fill");
  }
  return std::unique_ptr<BarBuilder::Impl>(
      std::make_unique<Builder<OpenBar>>(std::move(options), std::move(grid)));
}

}  // namespace

BarBuilder::BarBuilder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BarBuilder::BarBuilder(BarBuilder&&) noexcept = default;
BarBuilder& BarBuilder::operator=(BarBuilder&&) noexcept = default;
BarBuilder::~BarBuilder() = default;

Result<BarBuilder> BarBuilder::ForTrades(BarOptions options) {
  LAMINA_ASSIGN(auto impl, MakeImpl<internal::OpenTradeBar>(std::move(options)));
  return BarBuilder(std::move(impl));
}

Result<BarBuilder> BarBuilder::ForQuotes(BarOptions options) {
  if (options.rule.unit == BarUnit::kVolume || options.rule.unit == BarUnit::kNotional) {
    return InvalidArgument("rule `" + options.rule.text +
                           "` does not suit quotes: they trade nothing");
  }
  LAMINA_ASSIGN(auto impl, MakeImpl<internal::OpenQuoteBar>(std::move(options)));
  return BarBuilder(std::move(impl));
}

Result<BarBuilder> BarBuilder::ForCandles(BarOptions options) {
  LAMINA_ASSIGN(auto impl, MakeImpl<internal::OpenCandleBar>(std::move(options)));
  return BarBuilder(std::move(impl));
}

Status BarBuilder::Add(const TradeColumns& rows) { return impl_->Add(rows); }
Status BarBuilder::Add(const QuoteColumns& rows) { return impl_->Add(rows); }
Status BarBuilder::Add(const CandleColumns& rows) { return impl_->Add(rows); }
Status BarBuilder::Finish() { return impl_->Finish(); }
Bars BarBuilder::Take() { return std::exchange(impl_->bars, {}); }
std::int64_t BarBuilder::unpriced_rows() const { return impl_->unpriced_rows; }
std::int64_t BarBuilder::rows_outside_ranges() const { return impl_->rows_outside; }

}  // namespace lamina::series
