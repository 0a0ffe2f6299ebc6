#include "lamina/bars/changed_inputs.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include <arrow/api.h>

#include "lamina/bars/origin.h"

namespace lamina::bars {
namespace {

/// The ticks of a stream, so many at a time as both streams have.
class Side {
 public:
  explicit Side(ticks::TickStream stream) : stream_(std::move(stream)) {}

  /// Make sure that there are rows; false at the end.
  Result<bool> Fill() {
    while (rows_ == nullptr || rows_->num_rows() == 0) {
      LAMINA_ASSIGN(rows_, stream_.Next());
      if (rows_ == nullptr) return false;
    }
    return true;
  }
  std::int64_t count() const { return rows_->num_rows(); }
  std::shared_ptr<arrow::Table> Take(std::int64_t count) {
    auto taken = rows_->Slice(0, count);
    rows_ = rows_->Slice(count);
    return taken;
  }

 private:
  ticks::TickStream stream_;
  std::shared_ptr<arrow::Table> rows_;
};

/// Writer and seq tell a tick; its values never change.
Result<bool> SameTicks(ticks::TickReader& reader, ticks::TickQuery query, std::int64_t snapshot) {
  query.columns = {"ts_ns", "writer", "seq"};
  LAMINA_ASSIGN(auto now_stream, reader.Stream(query));
  query.snapshot = snapshot;
  LAMINA_ASSIGN(auto then_stream, reader.Stream(query));
  Side now(std::move(now_stream)), then(std::move(then_stream));
  for (;;) {
    LAMINA_ASSIGN(const bool more_now, now.Fill());
    LAMINA_ASSIGN(const bool more_then, then.Fill());
    if (more_now != more_then) return false;
    if (!more_now) return true;
    const std::int64_t count = std::min(now.count(), then.count());
    if (!now.Take(count)->Equals(*then.Take(count))) return false;
  }
}

Result<bool> TicksChanged(ticks::TickReader& reader, const TickOrigin& origin,
                          std::int64_t snapshot) {
  ticks::TickQuery query;
  query.contracts = {origin.contract};
  query.types = {origin.type};
  query.start_ns = origin.range.start ? origin.range.start->value * 1000 : 0;
  query.end_ns =
      origin.range.end ? origin.range.end->value * 1000 : std::numeric_limits<std::int64_t>::max();
  const ticks::TickSelection selection{query.contracts, query.types};
  const ticks::TimeSpan span{query.start_ns, *query.end_ns};
  ticks::TickSource& source = reader.source();
  const auto then = source.Take(selection, span, snapshot);
  if (!then.ok() && then.error().code() == ErrorCode::kNotFound) return true;
  if (!then.ok()) return then.error().Clone();
  for (int attempt = 0;; ++attempt) {
    LAMINA_ASSIGN(const ticks::ReadPoint now, source.Take(selection, span, {}));
    const auto none = source.NothingInLogs(now, selection, span);
    if (!none.ok() && ticks::ReadAgain(none.error(), attempt)) continue;
    if (!none.ok()) return none.error().Clone();
    if (*none && now.plan.Fingerprint() == then->plan.Fingerprint()) return false;
    LAMINA_ASSIGN(const bool same, SameTicks(reader, query, snapshot));
    return !same;
  }
}

}  // namespace

Result<bool> InputChanged(dataset::Datasets& datasets, ticks::TickReader& reader,
                          const dataset::LineageEdge& edge) {
  if (!edge.input_snapshot) return false;
  if (edge.input_kind == "ticks") {
    const auto origin = ParseTickOrigin(edge.input_id);
    return origin ? TicksChanged(reader, *origin, *edge.input_snapshot) : false;
  }
  if (edge.input_kind != "dataset") return false;
  const auto origin = ParseSeriesOrigin(edge.input_id);
  if (!origin) return false;
  auto changed =
      datasets.Changed(origin->dataset, origin->range,
                       {{"instrument", {origin->instrument}}, {"timeframe", {origin->timeframe}}},
                       *edge.input_snapshot);
  // The dataset has gone, or is another one.
  if (!changed.ok() && changed.error().code() == ErrorCode::kNotFound) return true;
  return changed;
}

}  // namespace lamina::bars
