#include "lamina/series/rolling_table.h"

#include <utility>

#include <arrow/api.h>

#include "lamina/series/bar_rule.h"
#include "lamina/series/input_columns.h"
#include "lamina/series/row_groups_internal.h"
#include "lamina/series/row_scan.h"
#include "lamina/series/volume_profile.h"
#include "lamina/table/arrow_status.h"

namespace lamina::series {
namespace {

Result<Stamps> ReadTime(const arrow::Table& table, const std::string& name) {
  LAMINA_ASSIGN(const int column,
                ChooseColumn(*table.schema(), name, UsualTimeColumns(), "time", true));
  LAMINA_ASSIGN(const auto values, WholeColumn(table, column));
  return ReadStamps(values, table.field(column)->name());
}

Result<Numbers> ReadColumn(const arrow::Table& table, const std::string& name,
                           const std::vector<std::string>& usual) {
  LAMINA_ASSIGN(const int column, ChooseColumn(*table.schema(), name, usual, usual[0], true));
  LAMINA_ASSIGN(const auto values, WholeColumn(table, column));
  return ReadNumbers(values, table.field(column)->name());
}

const std::vector<std::string> kPriceNames{"price", "last"};
const std::vector<std::string> kSizeNames{"size", "quantity", "qty", "volume", "amount"};

Result<std::shared_ptr<arrow::Table>> Add(std::shared_ptr<arrow::Table> table,
                                          const std::string& name,
                                          const std::shared_ptr<arrow::Array>& column) {
  if (FirstColumnOf(*table->schema(), {name}) >= 0) {
    return InvalidArgument("the table has a column `" + name + "` already");
  }
  LAMINA_ARROW_ASSIGN(table,
                      table->AddColumn(table->num_columns(), arrow::field(name, column->type()),
                                       std::make_shared<arrow::ChunkedArray>(column)),
                      "adding a column");
  return table;
}

Result<RollingOptions> ParseWindow(const std::string& text) {
  RollingOptions options;
  if (text.ends_with("tick")) {
    LAMINA_ASSIGN(const BarRule rule, ParseBarRule(text));
    options.rows = rule.count;
  } else {
    LAMINA_ASSIGN(options.span_ns, ParseSpan(text));
  }
  return options;
}

std::shared_ptr<arrow::Table> Same(const arrow::Table& table) {
  return arrow::Table::Make(table.schema(), table.columns(), table.num_rows());
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> RollingTable(const arrow::Table& table,
                                                   const RollingTableOptions& options) {
  LAMINA_ASSIGN(const RollingOptions window, ParseWindow(options.window));
  if (options.columns.empty() || options.stats.empty()) {
    return InvalidArgument("name at least one column and one statistic");
  }
  if (options.values_min < 0) {
    return InvalidArgument("the least number of values is " + std::to_string(options.values_min) +
                           "; it must be 0 or more");
  }
  std::vector<WindowStat> stats;
  bool with_variance = false;
  for (const std::string& name : options.stats) {
    LAMINA_ASSIGN(stats.emplace_back(), ParseWindowStat(name));
    with_variance = with_variance || NeedsVariance(stats.back());
  }
  LAMINA_ASSIGN(const Stamps ts, ReadTime(table, options.time));
  LAMINA_TRY(CheckSorted({.ts_ns = ts.view}, 0, "input"));
  std::vector<Numbers> inputs;
  for (const std::string& name : options.columns) {
    LAMINA_ASSIGN(inputs.emplace_back(), ReadColumn(table, name, {name}));
  }
  KeyIndex keys;
  LAMINA_ASSIGN(const RowGroups groups, GroupRows(table, options.by, keys));
  AggregateColumns out(inputs.size() * stats.size(), static_cast<std::size_t>(table.num_rows()));
  for (std::uint32_t key = 0; key < groups.groups(); ++key) {
    LAMINA_ASSIGN(Rolling rolling, Rolling::Make(window, inputs.size(), with_variance));
    const auto group_ts = groups.Pick(key, ts.view);
    std::vector<std::vector<double>> picked;
    for (const Numbers& input : inputs) picked.push_back(groups.Pick(key, input.view));
    const std::vector<std::span<const double>> values(picked.begin(), picked.end());
    std::vector<WindowRows> windows(group_ts.size());
    LAMINA_TRY(rolling.Add(group_ts, values, windows));
    for (std::size_t i = 0; i < inputs.size() * stats.size(); ++i) {
      out.Fill(i, stats[i % stats.size()], rolling.column(i / stats.size()), windows,
               groups.Rows(key), options.values_min);
    }
  }
  std::shared_ptr<arrow::Table> result = Same(table);
  for (std::size_t i = 0; i < inputs.size() * stats.size(); ++i) {
    const WindowStat stat = stats[i % stats.size()];
    LAMINA_ASSIGN(const auto column, out.Take(i, stat));
    const std::string name = options.columns[i / stats.size()] + "_" + std::string(StatName(stat));
    LAMINA_ASSIGN(result, Add(std::move(result), name, column));
  }
  return result;
}

Result<std::shared_ptr<arrow::Table>> RunningVwapTable(const arrow::Table& table,
                                                       const TradeTableOptions& options) {
  LAMINA_ASSIGN(const ChosenSessions sessions, RangesOf(options.sessions));
  LAMINA_ASSIGN(RunningVwap running, RunningVwap::Make(sessions.ranges));
  LAMINA_ASSIGN(const Stamps ts, ReadTime(table, options.time));
  LAMINA_ASSIGN(const Numbers price, ReadColumn(table, options.price, kPriceNames));
  LAMINA_ASSIGN(const Numbers size, ReadColumn(table, options.size, kSizeNames));
  LAMINA_TRY(sessions.known.Check(ts.view, 0));
  std::vector<double> vwap(ts.view.size());
  LAMINA_TRY(running.Add({ts.view, price.view, size.view}, vwap));
  LAMINA_ASSIGN(const auto column, NumberColumn(std::move(vwap)));
  return Add(Same(table), "vwap", column);
}

Result<std::shared_ptr<arrow::Table>> VolumeProfileTable(const arrow::Table& table, double width,
                                                         const TradeTableOptions& options) {
  LAMINA_ASSIGN(VolumeProfile profile, VolumeProfile::Make(width));
  LAMINA_ASSIGN(const Numbers price, ReadColumn(table, options.price, kPriceNames));
  LAMINA_ASSIGN(const Numbers size, ReadColumn(table, options.size, kSizeNames));
  LAMINA_TRY(profile.Add({{}, price.view, size.view}));
  std::vector<double> prices, volumes;
  std::vector<std::int64_t> counts;
  for (const VolumeProfile::Level& level : profile.Levels()) {
    prices.push_back(level.price);
    volumes.push_back(level.volume);
    counts.push_back(level.n_ticks);
  }
  const auto rows = static_cast<std::int64_t>(counts.size());
  LAMINA_ASSIGN(auto price_column, NumberColumn(std::move(prices)));
  LAMINA_ASSIGN(auto volume_column, NumberColumn(std::move(volumes)));
  return arrow::Table::Make(
      arrow::schema({arrow::field("price", arrow::float64()),
                     arrow::field("volume", arrow::float64()),
                     arrow::field("n_ticks", arrow::int64())}),
      {std::move(price_column), std::move(volume_column), IntegerColumn(std::move(counts), false)},
      rows);
}

}  // namespace lamina::series
