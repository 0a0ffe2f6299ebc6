#include "lamina/series/resample.h"

#include <optional>
#include <utility>

#include <arrow/api.h>

#include "lamina/series/input_columns.h"
#include "lamina/series/key_index.h"
#include "lamina/table/arrow_status.h"

namespace lamina::series {
namespace {

constexpr std::string_view kWhat = "resampling";

/// Where each column of the input stands; -1: not there.
struct Roles {
  RowKind kind = RowKind::kTrades;
  int time = -1;
  std::vector<int> needed;    ///< price; bid, ask; open, high, low, close
  std::vector<int> optional;  ///< size; volume, vwap
  int n_ticks = -1;
  std::vector<int> by;
};

Result<RowKind> KindOf(const arrow::Schema& schema, const ResampleOptions& options) {
  if (options.kind != RowKind::kAny) return options.kind;
  if (!options.price.empty()) return RowKind::kTrades;
  if (!options.bid.empty() || !options.ask.empty()) return RowKind::kQuotes;
  const auto has = [&](const std::vector<std::string>& names) {
    return FirstColumnOf(schema, names) >= 0;
  };
  if (has({"open"}) && has({"high"}) && has({"low"}) && has({"close"})) return RowKind::kCandles;
  const bool trades = has({"price", "last"});
  const bool quotes = has({"bid_price", "bid"}) && has({"ask_price", "ask"});
  if (trades && quotes) {
    return InvalidArgument("rows have a price and also bid and ask: say kind `trades` or `quotes`");
  }
  if (trades) return RowKind::kTrades;
  if (quotes) return RowKind::kQuotes;
  std::string all;
  for (const auto& field : schema.fields()) all += (all.empty() ? "" : ", ") + field->name();
  return InvalidArgument(
      "no columns of trades (price), quotes (bid_price, ask_price) or bars (open, high, low, "
      "close); name them; there are: " +
      all);
}

Result<Roles> FindRoles(const arrow::Schema& schema, const ResampleOptions& options) {
  Roles roles;
  LAMINA_ASSIGN(roles.kind, KindOf(schema, options));
  LAMINA_ASSIGN(roles.time, ChooseColumn(schema, options.time, UsualTimeColumns(), "time", true));
  const auto need = [&](const std::string& name, const std::vector<std::string>& usual) -> Status {
    LAMINA_ASSIGN(roles.needed.emplace_back(), ChooseColumn(schema, name, usual, usual[0], true));
    return Ok();
  };
  const auto take = [&](const std::string& name, const std::vector<std::string>& usual) -> Status {
    LAMINA_ASSIGN(roles.optional.emplace_back(),
                  ChooseColumn(schema, name, usual, usual[0], false));
    return Ok();
  };
  if (roles.kind == RowKind::kTrades) {
    LAMINA_TRY(need(options.price, {"price", "last"}));
    LAMINA_TRY(take(options.size, {"size", "quantity", "qty", "volume", "amount"}));
  } else if (roles.kind == RowKind::kQuotes) {
    LAMINA_TRY(need(options.bid, {"bid_price", "bid"}));
    LAMINA_TRY(need(options.ask, {"ask_price", "ask"}));
  } else {
    for (const char* name : {"open", "high", "low", "close"}) LAMINA_TRY(need("", {name}));
    LAMINA_TRY(take(options.size, {"volume"}));
    LAMINA_TRY(take("", {"vwap"}));
    LAMINA_ASSIGN(roles.n_ticks, ChooseColumn(schema, "", {"n_ticks"}, "n_ticks", false));
  }
  for (const std::string& name : options.by) {
    LAMINA_ASSIGN(roles.by.emplace_back(), ColumnIndex(schema, name, "key"));
  }
  return roles;
}

/// The columns of one batch as the kernels take them, possibly only the rows of one key.
struct Rows {
  std::span<const std::int64_t> ts;
  std::vector<std::span<const double>> needed = {}, optional = {};
  std::span<const std::int64_t> n_ticks;

  Status AddTo(BarBuilder& builder, RowKind kind) const {
    if (kind == RowKind::kTrades) return builder.Add(TradeColumns{ts, needed[0], optional[0]});
    if (kind == RowKind::kQuotes) return builder.Add(QuoteColumns{ts, needed[0], needed[1]});
    return builder.Add(CandleColumns{ts, needed[0], needed[1], needed[2], needed[3], optional[0],
                                     optional[1], n_ticks});
  }
};

/// Rows of one key, put one behind the other.
struct KeyRows {
  std::vector<std::int64_t> ts, n_ticks;
  std::vector<std::vector<double>> needed, optional;
};

Result<BarBuilder> MakeBuilder(RowKind kind, const BarOptions& options) {
  if (kind == RowKind::kTrades) return BarBuilder::ForTrades(options);
  if (kind == RowKind::kQuotes) return BarBuilder::ForQuotes(options);
  return BarBuilder::ForCandles(options);
}

class Resampler {
 public:
  Resampler(Roles roles, BarOptions options, KnownTime known, const arrow::Schema& schema)
      : roles_(std::move(roles)), options_(std::move(options)), known_(known) {
    for (const int column : roles_.by) key_fields_.push_back(schema.field(column));
    for (const arrow::FieldVector::value_type& field : schema.fields())
      names_.push_back(field->name());
  }

  Status Add(const arrow::RecordBatch& batch) {
    const auto number = [&](int column) {
      return ReadNumbers(batch.column(column), names_[static_cast<std::size_t>(column)], rows_);
    };
    LAMINA_ASSIGN(const Stamps ts,
                  ReadStamps(batch.column(roles_.time),
                             names_[static_cast<std::size_t>(roles_.time)], rows_));
    std::vector<Numbers> needed, optional;
    for (const int column : roles_.needed) {
      LAMINA_ASSIGN(needed.emplace_back(), number(column));
    }
    for (const int column : roles_.optional) {
      optional.emplace_back();
      if (column < 0) continue;
      LAMINA_ASSIGN(optional.back(), number(column));
    }
    Stamps n_ticks;
    if (roles_.n_ticks >= 0) {
      LAMINA_ASSIGN(n_ticks, ReadIntegers(batch.column(roles_.n_ticks), "n_ticks", rows_));
    }
    Rows rows{.ts = ts.view, .n_ticks = n_ticks.view};
    for (const Numbers& column : needed) rows.needed.push_back(column.view);
    for (const Numbers& column : optional) rows.optional.push_back(column.view);
    if (roles_.by.empty()) {
      LAMINA_TRY(AddRows(0, rows));
    } else {
      LAMINA_TRY(AddByKey(batch, rows));
    }
    rows_ += batch.num_rows();
    return Ok();
  }

  Result<std::shared_ptr<arrow::Table>> Finish() {
    if (roles_.by.empty() && builders_.empty()) LAMINA_TRY(AddRows(0, EmptyRows()));
    Bars all;
    std::vector<std::uint32_t> keys;
    for (std::uint32_t key = 0; key < builders_.size(); ++key) {
      LAMINA_TRY(builders_[key].Finish());
      Bars bars = builders_[key].Take();
      keys.insert(keys.end(), bars.size(), key);
      all.Append(std::move(bars));
    }
    return ToTable(std::move(all), keys);
  }

 private:
  Rows EmptyRows() const {
    Rows rows;
    rows.needed.resize(roles_.needed.size());
    rows.optional.resize(roles_.optional.size());
    return rows;
  }

  Status AddRows(std::uint32_t key, const Rows& rows) {
    while (builders_.size() <= key) {
      LAMINA_ASSIGN(BarBuilder builder, MakeBuilder(roles_.kind, options_));
      builders_.push_back(std::move(builder));
    }
    LAMINA_TRY(known_.Check(rows.ts, rows_));
    return rows.AddTo(builders_[key], roles_.kind);
  }

  Status AddByKey(const arrow::RecordBatch& batch, const Rows& rows) {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const int column : roles_.by) columns.push_back(batch.column(column));
    LAMINA_ASSIGN(const std::vector<std::uint32_t> keys, index_.Number(columns));
    std::vector<KeyRows> parts(index_.size());
    const auto spread = [&](auto& part_columns, const auto& input, std::size_t row) {
      part_columns.resize(input.size());
      for (std::size_t i = 0; i < input.size(); ++i) {
        if (!input[i].empty()) part_columns[i].push_back(input[i][row]);
      }
    };
    for (std::size_t row = 0; row < keys.size(); ++row) {
      KeyRows& part = parts[keys[row]];
      part.ts.push_back(rows.ts[row]);
      spread(part.needed, rows.needed, row);
      spread(part.optional, rows.optional, row);
      if (!rows.n_ticks.empty()) part.n_ticks.push_back(rows.n_ticks[row]);
    }
    for (std::uint32_t key = 0; key < parts.size(); ++key) {
      const KeyRows& part = parts[key];
      if (part.ts.empty()) continue;
      Rows view{.ts = part.ts, .n_ticks = part.n_ticks};
      for (const auto& column : part.needed) view.needed.emplace_back(column);
      for (const auto& column : part.optional) view.optional.emplace_back(column);
      LAMINA_TRY_WITH(AddRows(key, view), "rows of " + index_.Text(key));
    }
    return Ok();
  }

  Result<std::shared_ptr<arrow::Table>> ToTable(Bars bars, std::span<const std::uint32_t> keys) {
    const auto rows = static_cast<std::int64_t>(bars.size());
    arrow::FieldVector fields = key_fields_;
    std::vector<std::shared_ptr<arrow::Array>> columns;
    LAMINA_ASSIGN(columns, index_.Columns(keys));
    for (std::size_t i = columns.size(); i < key_fields_.size(); ++i) {
      LAMINA_ARROW_ASSIGN(columns.emplace_back(),
                          arrow::MakeArrayOfNull(key_fields_[i]->type(), rows), kWhat);
    }
    const auto add = [&](const char* name, std::shared_ptr<arrow::Array> column) {
      fields.push_back(arrow::field(name, column->type()));
      columns.push_back(std::move(column));
    };
    const auto number = [&](const char* name, std::vector<double>& values) -> Status {
      LAMINA_ASSIGN(auto column, NumberColumn(std::move(values)));
      add(name, std::move(column));
      return Ok();
    };
    add("timestamp", IntegerColumn(std::move(bars.timestamp), /*stamps=*/true));
    LAMINA_TRY(number("open", bars.open));
    LAMINA_TRY(number("high", bars.high));
    LAMINA_TRY(number("low", bars.low));
    LAMINA_TRY(number("close", bars.close));
    if (roles_.kind != RowKind::kQuotes && roles_.optional[0] >= 0) {
      LAMINA_TRY(number("volume", bars.volume));
      LAMINA_TRY(number("vwap", bars.vwap));
    }
    add("n_ticks", IntegerColumn(std::move(bars.n_ticks), /*stamps=*/false));
    if (roles_.kind == RowKind::kQuotes) {
      LAMINA_TRY(number("bid_close", bars.bid_close));
      LAMINA_TRY(number("ask_close", bars.ask_close));
      LAMINA_TRY(number("spread_mean", bars.spread_mean));
      LAMINA_TRY(number("spread_time_weighted", bars.spread_time_weighted));
    }
    return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns), rows);
  }

  Roles roles_;
  BarOptions options_;
  KnownTime known_;
  arrow::FieldVector key_fields_;
  std::vector<std::string> names_;
  KeyIndex index_;
  std::vector<BarBuilder> builders_;  ///< by key
  std::int64_t rows_ = 0;
};

template <class Value>
Result<Value> ParseName(const char* what, const std::string& name,
                        const std::vector<std::pair<std::string, Value>>& known) {
  std::string list;
  for (const auto& [spelling, value] : known) {
    if (spelling == name) return value;
    if (!spelling.empty()) list += (list.empty() ? "" : ", ") + spelling;
  }
  return InvalidArgument(std::string("unknown ") + what + " `" + name + "`; known: " + list);
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> Resample(arrow::RecordBatchReader& input,
                                               const ResampleOptions& options) {
  BarOptions bars{
      .label = options.label, .fill = options.fill, .keep_partial = options.keep_partial};
  LAMINA_ASSIGN(bars.rule, ParseBarRule(options.rule));
  LAMINA_ASSIGN(ChosenSessions sessions, RangesOf(options.sessions));
  bars.ranges = std::move(sessions.ranges);
  LAMINA_ASSIGN(Roles roles, FindRoles(*input.schema(), options));
  LAMINA_TRY(MakeBuilder(roles.kind, bars));
  Resampler resampler(std::move(roles), std::move(bars), sessions.known, *input.schema());
  for (;;) {
    LAMINA_ARROW_ASSIGN(const std::shared_ptr<arrow::RecordBatch> batch, input.Next(), kWhat);
    if (batch == nullptr) return resampler.Finish();
    LAMINA_TRY(resampler.Add(*batch));
  }
}

Result<RowKind> ParseRowKind(const std::string& name) {
  return ParseName<RowKind>("kind", name,
                            {{"", RowKind::kAny},
                             {"trades", RowKind::kTrades},
                             {"quotes", RowKind::kQuotes},
                             {"candles", RowKind::kCandles},
                             {"bars", RowKind::kCandles}});
}

Result<BarLabel> ParseBarLabel(const std::string& name) {
  return ParseName<BarLabel>("label", name,
                             {{"left", BarLabel::kLeft}, {"right", BarLabel::kRight}});
}

Result<BarFill> ParseBarFill(const std::string& name) {
  return ParseName<BarFill>("fill", name,
                            {{"", BarFill::kNone},
                             {"none", BarFill::kNone},
                             {"previous", BarFill::kPrevious},
                             {"null", BarFill::kNull}});
}

}  // namespace lamina::series
