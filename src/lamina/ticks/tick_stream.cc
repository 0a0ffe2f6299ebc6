#include "lamina/ticks/tick_stream.h"

#include <algorithm>
#include <utility>

#include <arrow/table.h>

namespace lamina::ticks {
namespace {

constexpr std::int64_t kFirstLength = 3'600'000'000'000;  // an hour
constexpr std::int64_t kLengthMax = std::int64_t{1} << 60;
constexpr std::int64_t kLengthMin = 1'000'000;
/// A slice may hold so many times the wanted rows before it is halved.
constexpr std::int64_t kTooMany = 4;
constexpr std::int64_t kGrowth = 8;

}  // namespace

TickStream::TickStream(TickSource& source, TickSelection selection, std::vector<TimeSpan> stretches,
                       std::shared_ptr<arrow::Schema> result, std::optional<std::int64_t> snapshot,
                       StreamOptions options, std::optional<ReadPoint> point)
    : source_(&source),
      selection_(std::move(selection)),
      stretches_(std::move(stretches)),
      result_(std::move(result)),
      snapshot_(snapshot),
      options_(options),
      point_(std::move(point)),
      length_(kFirstLength) {
  std::erase_if(stretches_, [](TimeSpan stretch) { return stretch.empty(); });
  if (!stretches_.empty()) position_ = stretches_.front().begin;
}

Status TickStream::TakePoint() {
  const TimeSpan rest{position_, stretches_.back().end};
  LAMINA_ASSIGN(point_, source_->Take(selection_, rest, snapshot_));
  return Ok();
}

Result<std::shared_ptr<arrow::Table>> TickStream::LoadWithin(TimeSpan& slice) {
  std::int64_t before = -1;
  while (slice.end - slice.begin > kLengthMin) {
    LAMINA_ASSIGN(const std::int64_t most, source_->Candidates(*point_, selection_, slice));
    if (most <= kTooMany * options_.slice_rows) break;
    // Pages are read whole: when half the time does not mean fewer of them, halving is in vain.
    if (before >= 0 && most > before - before / 8) break;
    before = most;
    slice.end = slice.begin + (slice.end - slice.begin) / 2;
  }
  return source_->Load(*point_, selection_, slice, result_, counts_);
}

Status TickStream::LoadSlice() {
  for (int attempt = 0;; ++attempt) {
    if (!point_) {
      LAMINA_TRY(TakePoint());
    }
    const std::int64_t stretch_end = stretches_[stretch_].end;
    const auto rest = static_cast<std::uint64_t>(stretch_end) -
                      static_cast<std::uint64_t>(position_);  // may be more than an int64 holds
    TimeSpan slice{position_,
                   static_cast<std::uint64_t>(length_) < rest ? position_ + length_ : stretch_end};
    auto loaded = LoadWithin(slice);
    if (!loaded.ok()) {
      if (!ReadAgain(loaded.error(), attempt)) return std::move(loaded).error();
      point_.reset();
      continue;
    }
    slice_ = *std::move(loaded);
    offset_ = 0;
    const std::int64_t rows = slice_->num_rows(), length = slice.end - slice.begin;
    const std::int64_t growth =
        rows == 0 ? kGrowth : std::clamp(options_.slice_rows / rows, std::int64_t{0}, kGrowth);
    length_ = growth == 0
                  ? std::max(kLengthMin,
                             static_cast<std::int64_t>(static_cast<double>(length) *
                                                       static_cast<double>(options_.slice_rows) /
                                                       static_cast<double>(rows)))
                  : std::min(kLengthMax / growth, std::max(length, kLengthMin)) * growth;
    position_ = slice.end;
    if (position_ == stretch_end && ++stretch_ < stretches_.size()) {
      position_ = stretches_[stretch_].begin;
    }
    return Ok();
  }
}

Result<std::shared_ptr<arrow::Table>> TickStream::Next() {
  while (slice_ == nullptr || offset_ == slice_->num_rows()) {
    if (stretch_ >= stretches_.size()) return std::shared_ptr<arrow::Table>();
    LAMINA_TRY(LoadSlice());
  }
  const std::int64_t rows = std::min(options_.batch_rows, slice_->num_rows() - offset_);
  auto batch = slice_->Slice(offset_, rows);
  offset_ += rows;
  return batch;
}

}  // namespace lamina::ticks
