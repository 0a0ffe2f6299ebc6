#include "lamina/ticks/tick_bars.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <span>
#include <utility>

#include <arrow/api.h>

#include "lamina/base/near_names.h"
#include "lamina/base/parallel.h"
#include "lamina/series/input_columns.h"
#include "lamina/series/key_index.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"

namespace lamina::ticks {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using ArrowTable = std::shared_ptr<arrow::Table>;

constexpr std::string_view kWhat = "building bars";
constexpr std::int64_t kBatchRows = 1 << 20;

/// The bars of one contract and type.
struct BarSeries {
  std::int64_t contract = 0;
  TickType type = TickType::kLast;
  series::Bars bars;
};

template <class Type>
Result<std::span<const typename Type::c_type>> Plain(const arrow::Table& rows, const char* name,
                                                     std::vector<ArrayPtr>& holder) {
  LAMINA_ASSIGN(const auto column, table::ColumnNamed(rows, name));
  LAMINA_ASSIGN(ArrayPtr whole, table::CombineColumn(*column));
  if (whole->null_count() != 0) return Corruption(std::string(name) + " of a tick is NULL");
  const auto& typed = static_cast<const arrow::NumericArray<Type>&>(*whole);
  holder.push_back(whole);
  return std::span<const typename Type::c_type>(typed.raw_values(),
                                                static_cast<std::size_t>(typed.length()));
}

/// Rows of one contract and kind into the builders of its types.
class KindBars {
 public:
  static Result<KindBars> Make(std::int64_t contract, std::vector<TickType> types,
                               const series::BarOptions& options) {
    KindBars made(contract, std::move(types));
    for (const TickType type : made.types_) {
      auto builder = type == TickType::kBidAsk ? series::BarBuilder::ForQuotes(options)
                                               : series::BarBuilder::ForTrades(options);
      if (!builder.ok()) return std::move(builder).error();
      made.builders_.push_back(*std::move(builder));
    }
    return made;
  }

  std::vector<std::string> columns() const {
    if (kind_ == TickKind::kQuotes) return {"ts_ns", "bid_price", "ask_price"};
    if (kind_ == TickKind::kMidpoints) return {"ts_ns", "price"};
    if (types_.size() == 1) return {"ts_ns", "price", "size"};
    return {"ts_ns", "price", "size", "tick_type"};
  }

  Status Add(const arrow::Table& rows) {
    std::vector<ArrayPtr> holder;
    LAMINA_ASSIGN(const auto ts, Plain<arrow::Int64Type>(rows, "ts_ns", holder));
    if (kind_ == TickKind::kQuotes) {
      LAMINA_ASSIGN(const auto bid, Plain<arrow::DoubleType>(rows, "bid_price", holder));
      LAMINA_ASSIGN(const auto ask, Plain<arrow::DoubleType>(rows, "ask_price", holder));
      return builders_[0].Add(series::QuoteColumns{ts, bid, ask});
    }
    LAMINA_ASSIGN(const auto price, Plain<arrow::DoubleType>(rows, "price", holder));
    if (kind_ == TickKind::kMidpoints) return builders_[0].Add(series::TradeColumns{ts, price, {}});
    LAMINA_ASSIGN(const auto size, Plain<arrow::DoubleType>(rows, "size", holder));
    if (types_.size() == 1) return builders_[0].Add(series::TradeColumns{ts, price, size});
    return AddByType(rows, {ts, price, size});
  }

  Status Finish(std::vector<BarSeries>& out) {
    for (std::size_t i = 0; i < types_.size(); ++i) {
      LAMINA_TRY(builders_[i].Finish());
      out.push_back({contract_, types_[i], builders_[i].Take()});
    }
    return Ok();
  }

 private:
  KindBars(std::int64_t contract, std::vector<TickType> types)
      : contract_(contract), types_(std::move(types)), kind_(tick_log::KindOf(types_.front())) {}

  Status AddByType(const arrow::Table& rows, const series::TradeColumns& all) {
    LAMINA_ASSIGN(const auto column, table::ColumnNamed(rows, "tick_type"));
    std::vector<std::int8_t> codes;
    for (const ArrayPtr& chunk : column->chunks()) {
      const auto& words = static_cast<const arrow::DictionaryArray&>(*chunk);
      const auto& indices = static_cast<const arrow::Int8Array&>(*words.indices());
      for (std::int64_t row = 0; row < indices.length(); ++row) codes.push_back(indices.Value(row));
    }
    for (std::size_t i = 0; i < types_.size(); ++i) {
      const int code = static_cast<int>(types_[i]) - 1;
      std::vector<std::int64_t> ts;
      std::vector<double> price, size;
      for (std::size_t row = 0; row < codes.size(); ++row) {
        if (codes[row] != code) continue;
        ts.push_back(all.ts_ns[row]);
        price.push_back(all.price[row]);
        size.push_back(all.size[row]);
      }
      LAMINA_TRY(builders_[i].Add(series::TradeColumns{ts, price, size}));
    }
    return Ok();
  }

  std::int64_t contract_;
  std::vector<TickType> types_;
  TickKind kind_;
  std::vector<series::BarBuilder> builders_;
};

Result<ArrayPtr> TypeColumn(const std::vector<std::int8_t>& codes) {
  arrow::StringBuilder names;
  for (int type = 1; type <= 4; ++type) {
    LAMINA_ARROW(names.Append(tick_log::TickTypeName(static_cast<TickType>(type))), kWhat);
  }
  LAMINA_ARROW_ASSIGN(const ArrayPtr dictionary, names.Finish(), kWhat);
  arrow::Int8Builder indices;
  LAMINA_ARROW(indices.AppendValues(codes), kWhat);
  LAMINA_ARROW_ASSIGN(const ArrayPtr index, indices.Finish(), kWhat);
  LAMINA_ARROW_ASSIGN(ArrayPtr column,
                      arrow::DictionaryArray::FromArrays(
                          arrow::dictionary(arrow::int8(), arrow::utf8()), index, dictionary),
                      kWhat);
  return column;
}

/// All bars, unsorted, column by column.
class Gathered {
 public:
  explicit Gathered(const std::vector<BarSeries>& all) {
    for (const BarSeries& one : all) Append(one);
  }

  /// In the order of (timestamp, contract, type).
  std::vector<std::int64_t> Order() const {
    std::vector<std::int64_t> rows(timestamp_.size());
    std::iota(rows.begin(), rows.end(), 0);
    std::sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
      const auto key = [&](std::int64_t row) {
        const auto i = static_cast<std::size_t>(row);
        return std::tuple(timestamp_[i], contract_[i], type_[i], i);
      };
      return key(a) < key(b);
    });
    return rows;
  }

  Result<ArrayPtr> Column(const std::string& name) const {
    if (name == "timestamp") return series::IntegerColumn(timestamp_, true);
    if (name == "contract_id") return series::IntegerColumn(contract_, false);
    if (name == "n_ticks") return series::IntegerColumn(n_ticks_, false);
    if (name == "tick_type") return TypeColumn(type_);
    for (std::size_t i = 0; i < kNumbers.size(); ++i) {
      if (name == kNumbers[i]) return series::NumberColumn(numbers_[i]);
    }
    return Internal("bars have no column " + name);
  }

 private:
  static constexpr std::array kNumbers = {"open", "high",      "low",       "close",      "volume",
                                          "vwap", "bid_close", "ask_close", "spread_mean"};

  void Append(const BarSeries& one) {
    const series::Bars& bars = one.bars;
    const std::size_t rows = bars.size();
    timestamp_.insert(timestamp_.end(), bars.timestamp.begin(), bars.timestamp.end());
    contract_.insert(contract_.end(), rows, one.contract);
    type_.insert(type_.end(), rows, static_cast<std::int8_t>(static_cast<int>(one.type) - 1));
    n_ticks_.insert(n_ticks_.end(), bars.n_ticks.begin(), bars.n_ticks.end());
    const std::array parts = {&bars.open,      &bars.high,      &bars.low,
                              &bars.close,     &bars.volume,    &bars.vwap,
                              &bars.bid_close, &bars.ask_close, &bars.spread_mean};
    for (std::size_t i = 0; i < parts.size(); ++i) {
      numbers_[i].insert(numbers_[i].end(), parts[i]->begin(), parts[i]->end());
      numbers_[i].resize(timestamp_.size(), std::numeric_limits<double>::quiet_NaN());
    }
  }

  std::vector<std::int64_t> timestamp_, contract_, n_ticks_;
  std::vector<std::int8_t> type_;
  std::array<std::vector<double>, 9> numbers_;
};

}  // namespace

Result<std::shared_ptr<arrow::Schema>> BarSchema(
    const std::vector<TickType>& types, const std::optional<std::vector<std::string>>& names) {
  arrow::FieldVector all = {
      arrow::field("timestamp", arrow::timestamp(arrow::TimeUnit::NANO, "UTC")),
      arrow::field("contract_id", arrow::int64()),
      arrow::field("tick_type", arrow::dictionary(arrow::int8(), arrow::utf8()))};
  for (const char* name : {"open", "high", "low", "close", "volume", "vwap"}) {
    all.push_back(arrow::field(name, arrow::float64()));
  }
  all.push_back(arrow::field("n_ticks", arrow::int64()));
  if (std::find(types.begin(), types.end(), TickType::kBidAsk) != types.end()) {
    for (const char* name : {"bid_close", "ask_close", "spread_mean"}) {
      all.push_back(arrow::field(name, arrow::float64()));
    }
  }
  if (!names) return arrow::schema(std::move(all));
  const auto known = arrow::schema(std::move(all));
  arrow::FieldVector chosen;
  for (const std::string& name : *names) {
    const auto field = known->GetFieldByName(name);
    if (field == nullptr) {
      return InvalidArgument("these bars have no column '" + name + "'" +
                             DidYouMean(name, known->field_names()));
    }
    for (const auto& before : chosen) {
      if (before->name() == name) {
        return InvalidArgument("column '" + name + "' is asked for twice");
      }
    }
    chosen.push_back(field);
  }
  if (chosen.empty()) return InvalidArgument("no columns are asked for");
  return arrow::schema(std::move(chosen));
}

Result<ArrowTable> TickBars(TickSource& source, const TickSelection& selection,
                            const std::vector<TimeSpan>& stretches,
                            const series::BarOptions& options,
                            const std::shared_ptr<arrow::Schema>& result,
                            std::optional<std::int64_t> snapshot, const ReadPoint& point,
                            ScanCounts& counts) {
  std::vector<KindBars> work;
  std::vector<TickSelection> selections;
  for (const std::int64_t contract : selection.contracts) {
    for (const TickKind kind : tick_log::kTickKinds) {
      const std::vector<TickType> types = TypesOfKind(selection.types, kind);
      if (types.empty()) continue;
      LAMINA_ASSIGN(KindBars bars, KindBars::Make(contract, types, options));
      work.push_back(std::move(bars));
      selections.push_back({{contract}, types});
    }
  }
  std::vector<std::vector<BarSeries>> made(work.size());
  std::mutex mutex;
  LAMINA_TRY(ParallelFor(work.size(), source.workers(), [&](std::size_t i, std::size_t) -> Status {
    LAMINA_ASSIGN(const auto columns, ResultSchema(selections[i].types, work[i].columns()));
    TickStream stream(source, selections[i], stretches, columns, snapshot,
                      {.batch_rows = kBatchRows}, point);
    for (;;) {
      LAMINA_ASSIGN(const ArrowTable rows, stream.Next());
      if (rows == nullptr) break;
      LAMINA_TRY(work[i].Add(*rows));
    }
    LAMINA_TRY(work[i].Finish(made[i]));
    const std::lock_guard<std::mutex> lock(mutex);
    counts.Add(stream.counts());
    return Ok();
  }));
  std::vector<BarSeries> all;
  for (auto& some : made) std::move(some.begin(), some.end(), std::back_inserter(all));
  const Gathered gathered(all);
  const std::vector<std::int64_t> order = gathered.Order();
  arrow::ArrayVector columns;
  for (const auto& field : result->fields()) {
    LAMINA_ASSIGN(const ArrayPtr column, gathered.Column(field->name()));
    LAMINA_ASSIGN(columns.emplace_back(), series::GatherRows(column, order));
  }
  return arrow::Table::Make(result, std::move(columns), static_cast<std::int64_t>(order.size()));
}

}  // namespace lamina::ticks
