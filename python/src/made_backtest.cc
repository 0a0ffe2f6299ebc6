#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backtest_facts.h"
#include "document.h"
#include "store.h"
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include "lamina/backtests/metrics_document.h"
#include "lamina/backtests/ohlcv_manifest.h"
#include "lamina/backtests/price_files.h"
#include "lamina/backtests/put_batch.h"
#include "lamina/backtests/row_columns.h"
#include "lamina/backtests/run_metrics.h"
#include "lamina/io/env.h"
#include "lamina/stores/backtest_store.h"
#include "lamina/stores/bundle_backtest.h"

namespace lamina::python {
namespace {

using backtests::ColumnView;
using backtests::TableView;
using stores::BundleBacktest;
using table::LakeType;

constexpr TableView::Wanted kEquityColumns[] = {{"ts", LakeType::kTimestampTz},
                                                {"total_value", LakeType::kDouble},
                                                {"cash_flow", LakeType::kDouble}};
constexpr TableView::Wanted kTradeColumns[] = {
    {"opened_at", LakeType::kTimestampTz}, {"closed_at", LakeType::kTimestampTz},
    {"amount", LakeType::kDouble},         {"open_price", LakeType::kDouble},
    {"last_price", LakeType::kDouble},     {"cost", LakeType::kDouble},
    {"net_gain", LakeType::kDouble}};

double NumberAt(const ColumnView& column, std::int64_t row) {
  return column.IsNull(row) ? 0 : column.doubles[row];
}

Status ReadEquity(const arrow::Table& table, backtests::RunInput& run) {
  LAMINA_ASSIGN(const TableView view, TableView::Of(table, kEquityColumns));
  const auto& columns = view.columns();
  for (std::int64_t row = 0; row < view.rows(); ++row) {
    run.equity.push_back(
        {Micros{columns[0].integers[row]}, NumberAt(columns[1], row), NumberAt(columns[2], row)});
  }
  return Ok();
}

Status ReadTrades(const arrow::Table& table, backtests::RunInput& run) {
  LAMINA_ASSIGN(const TableView view, TableView::Of(table, kTradeColumns));
  const auto& columns = view.columns();
  for (std::int64_t row = 0; row < view.rows(); ++row) {
    backtests::TradeResult trade;
    trade.opened = Micros{columns[0].integers[row]};
    if (!columns[1].IsNull(row)) trade.closed = Micros{columns[1].integers[row]};
    trade.amount = NumberAt(columns[2], row);
    trade.open_price = NumberAt(columns[3], row);
    trade.last_price = NumberAt(columns[4], row);
    trade.cost = NumberAt(columns[5], row);
    trade.net_gain = NumberAt(columns[6], row);
    run.trades.push_back(trade);
  }
  return Ok();
}

/// Runs as Python gives them.
struct GivenRuns {
  std::vector<backtests::RunInput> inputs;
  std::vector<backtests::MetricsFrame> frames;
  std::vector<std::shared_ptr<arrow::Table>> equity, trades;  ///< trades: null when not given
};

GivenRuns RunsFrom(const nb::sequence& runs) {
  GivenRuns given;
  for (nb::handle run : runs) {
    const auto facts = nb::cast<nb::dict>(run);
    backtests::MetricsFrame frame;
    frame.start = Micros{nb::cast<std::int64_t>(facts["start"])};
    frame.end = Micros{nb::cast<std::int64_t>(facts["end"])};
    frame.window = nb::cast<std::optional<std::string>>(facts["window"]);
    frame.trading_symbol = nb::cast<std::string>(facts["trading_symbol"]);
    frame.initial_unallocated = nb::cast<double>(facts["initial"]);
    const auto rate = nb::cast<std::optional<double>>(facts["risk_free_rate"]);
    frame.known.risk_free_rate = rate.has_value();
    frame.known.trades = !facts["trades"].is_none();
    frame.known.gains = nb::cast<bool>(facts["gains"]);
    frame.known.marks = nb::cast<bool>(facts["marks"]);
    frame.known.costs = nb::cast<bool>(facts["costs"]);
    backtests::RunInput input;
    input.start = frame.start;
    input.end = frame.end;
    input.initial_unallocated = frame.initial_unallocated;
    input.risk_free_rate = rate.value_or(std::numeric_limits<double>::quiet_NaN());
    given.equity.push_back(ImportTable(facts["equity"]));
    given.trades.push_back(frame.known.trades ? ImportTable(facts["trades"]) : nullptr);
    given.inputs.push_back(std::move(input));
    given.frames.push_back(std::move(frame));
  }
  return given;
}

struct Computed {
  std::vector<backtests::RunMetrics> metrics;
  std::vector<std::string> maps;
  std::string summary, blobs;
};

Result<Computed> Compute(GivenRuns& given) {
  Computed computed;
  backtests::KnownParts all;
  for (std::size_t i = 0; i < given.inputs.size(); ++i) {
    backtests::RunInput& input = given.inputs[i];
    LAMINA_TRY(ReadEquity(*given.equity[i], input));
    if (given.trades[i] != nullptr) LAMINA_TRY(ReadTrades(*given.trades[i], input));
    computed.metrics.push_back(backtests::ComputeRunMetrics(input));
    computed.maps.push_back(backtests::MetricsMap(given.frames[i], i, computed.metrics.back()));
    const backtests::KnownParts& known = given.frames[i].known;
    all = {all.risk_free_rate && known.risk_free_rate, all.trades && known.trades,
           all.gains && known.gains, all.marks && known.marks, all.costs && known.costs};
  }
  const auto summary =
      backtests::SummarizeRuns(given.inputs, computed.metrics, backtests::SummaryRules::kSound);
  computed.summary = backtests::SummaryMap(summary, all);
  LAMINA_ASSIGN(computed.blobs, backtests::BlobsMap(computed.metrics));
  return computed;
}

/// Metrics maps, the summary and the embedded series of runs given as tables. Places of the best
/// and the worst trade are beside them: the maps have nil there.
nb::dict RunMetricsOf(const nb::sequence& runs) {
  GivenRuns given = RunsFrom(runs);
  const Computed computed = Unlocked([&] { return Compute(given); });
  nb::list metrics;
  nb::list days;
  nb::list best;
  nb::list worst;
  for (std::size_t i = 0; i < computed.metrics.size(); ++i) {
    const backtests::RunMetrics& one = computed.metrics[i];
    const auto place = [&](const std::optional<std::size_t>& trade) -> nb::object {
      const bool known = given.frames[i].known.gains && given.frames[i].known.marks;
      return trade && known ? nb::cast(*trade) : nb::none();
    };
    metrics.append(DocumentToPython(computed.maps[i]));
    days.append(one.days);
    best.append(place(one.best_trade));
    worst.append(place(one.worst_trade));
  }
  nb::dict all;
  all["metrics"] = metrics;
  all["days"] = days;
  all["best_trade"] = best;
  all["worst_trade"] = worst;
  all["summary"] = DocumentToPython(computed.summary);
  all["blobs"] = DocumentToPython(computed.blobs);
  return all;
}

std::unique_ptr<BundleBacktest> BacktestOf(std::uint32_t version, const nb::bytes& document,
                                           const std::string& handle) {
  std::string bytes(document.c_str(), document.size());
  return Unlocked([&] { return BundleBacktest::Of(version, std::move(bytes), handle); });
}

nb::dict Export(const BundleBacktest& self, const nb::object& path,
                std::optional<std::uint32_t> format_version, std::optional<int> level) {
  const std::string target = Path(path);
  backtests::ExportOptions options;
  options.format_version = format_version;
  options.level = level;
  return ReportOf(Unlocked([&] { return self.Export(io::PosixEnv(), target, options); }));
}

/// The bytes of the price file of `key`, from where the bundle has it.
nb::bytes PriceFileOf(const BundleBacktest& self, const std::string& key, const std::string&) {
  const std::string bytes = Unlocked([&]() -> Result<std::string> {
    LAMINA_ASSIGN(const auto parsed, bundle::Document::Parse(self.document()));
    LAMINA_ASSIGN(const auto layout, bundle::ReadLayout(self.record().bundle_version, parsed));
    const std::string path = self.record().source_path.value_or("");
    LAMINA_ASSIGN(const auto references, backtests::ReadOhlcvManifest(layout, path));
    for (const auto& reference : references) {
      if (reference.key == key && !path.empty()) {
        return backtests::ReadPriceFile(io::PosixEnv(), path, reference);
      }
    }
    return NotFound("no prices '" + key + "': the backtest is in no file");
  });
  return nb::bytes(bytes.data(), bytes.size());
}

/// Puts of one store that become one commit.
class OpenBatch {
 public:
  explicit OpenBatch(const OpenStore& store) : engine_(store.Get()), batch_(engine_->backtests()) {}

  void AddDocument(const std::string& handle, std::uint32_t version, const nb::bytes& document,
                   bool replace) {
    std::string bytes(document.c_str(), document.size());
    const std::string bare(stores::WithoutBundleSuffix(handle));
    Unlocked([&] { return batch_.AddDocument(bare, version, std::move(bytes), replace); });
  }
  void AddFile(const std::string& handle, const nb::object& path, bool replace) {
    const std::string where = Path(path);
    const std::string bare(stores::WithoutBundleSuffix(handle));
    Unlocked([&] { return batch_.AddFile(bare, where, replace); });
  }
  std::size_t size() const { return batch_.size(); }
  void Commit() {
    Unlocked([&]() -> Status {
      LAMINA_TRY(batch_.Commit());
      return Ok();
    });
  }

 private:
  std::shared_ptr<store::Store> engine_;
  backtests::PutBatch batch_;
};

}  // namespace

void BindMadeBacktests(nb::module_& module, nb::class_<BundleBacktest>& backtest) {
  backtest
      .def("export_bundle", &Export, nb::arg("path"), nb::arg("format_version").none(),
           nb::arg("level").none(),
           nb::sig("def export_bundle(self, path: object, format_version: int | None, "
                   "level: int | None) -> dict[str, object]"))
      .def("price_file", &PriceFileOf, nb::arg("key"), nb::arg("name"));
  module.def("run_metrics", &RunMetricsOf, nb::arg("runs"),
             nb::sig("def run_metrics(runs: Sequence[dict[str, object]]) -> dict[str, object]"),
             "Metrics, summary and embedded series of runs; see lamina.Backtest.from_frames.");
  module.def("document_backtest", &BacktestOf, nb::arg("version"), nb::arg("document"),
             nb::arg("handle"));
  nb::class_<OpenBatch>(module, "OpenBatch", "Puts that become one commit; see lamina.Batch.")
      .def(nb::init<const OpenStore&>(), nb::arg("store"))
      .def("add_document", &OpenBatch::AddDocument, nb::arg("handle"), nb::arg("version"),
           nb::arg("document"), nb::arg("replace"))
      .def("add_file", &OpenBatch::AddFile, nb::arg("handle"), nb::arg("path"), nb::arg("replace"))
      .def("commit", &OpenBatch::Commit)
      .def("__len__", &OpenBatch::size);
}

}  // namespace lamina::python
