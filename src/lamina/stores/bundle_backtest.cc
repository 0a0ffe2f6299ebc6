#include "lamina/stores/bundle_backtest.h"

#include <algorithm>
#include <utility>

#include <arrow/api.h>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/convert.h"
#include "lamina/backtests/decompose.h"
#include "lamina/backtests/run_selection.h"
#include "lamina/backtests/run_series.h"
#include "lamina/bundle/bundle_file.h"

namespace lamina::stores {
namespace {

using backtests::RunTable;

constexpr std::int64_t kBundleBytesMax = std::int64_t{1} << 31;
constexpr int kLevel = 19;

std::optional<std::string> TextOf(const std::optional<bundle::Value>& value) {
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(value->AsString());
}

/// A UUID of version 8 that sorts as the runs stand in the bundle.
Uuid IdOf(std::size_t slot, const Sha256Digest& content) {
  Uuid id;
  for (std::size_t i = 0; i < 16; ++i) id.bytes[i] = content.bytes[i];
  for (std::size_t i = 0; i < 6; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(slot >> (8 * (5 - i)));
  }
  id.bytes[6] = static_cast<std::uint8_t>(0x80 | (id.bytes[6] & 0x0f));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

}  // namespace

struct BundleBacktest::Parts {
  std::vector<backtests::RunRecord> runs;
  backtests::LakeRows rows;
};

Result<std::unique_ptr<BundleBacktest>> BundleBacktest::Make(bundle::BundleFile read,
                                                             std::string_view handle) {
  LAMINA_ASSIGN(const auto parsed, bundle::Document::Parse(std::move(read.document)));
  LAMINA_ASSIGN(const auto layout, bundle::ReadLayout(read.version, parsed));
  std::unique_ptr<BundleBacktest> backtest(new BundleBacktest());
  auto& record = backtest->record_;
  record.handle = handle;
  record.document_sha256 = Sha256(parsed.bytes());
  record.document_bytes = static_cast<std::int64_t>(parsed.bytes().size());
  record.file_sha256 = record.document_sha256;
  record.file_bytes = record.document_bytes;
  record.bundle_version = read.version;
  record.algorithm_id = TextOf(layout.algorithm_id);
  record.tag = TextOf(layout.tag);
  record.warnings = std::move(read.warnings);
  record.warnings.insert(record.warnings.end(), layout.warnings.begin(), layout.warnings.end());
  backtest->index_rows_ = backtests::IndexRowsOf(layout, handle);
  backtest->document_ = parsed.bytes();
  return backtest;
}

Result<std::unique_ptr<BundleBacktest>> BundleBacktest::Read(io::Env& env, const std::string& path,
                                                             std::string_view handle) {
  LAMINA_ASSIGN(const auto info, env.Stat(path));
  LAMINA_ASSIGN(const std::string file, env.ReadFile(path, kBundleBytesMax));
  const auto open = [&]() -> Result<std::unique_ptr<BundleBacktest>> {
    LAMINA_ASSIGN(auto read, bundle::ReadBundle(file));
    return Make(std::move(read), handle);
  };
  auto opened = open();
  if (!opened.ok()) return std::move(opened).error().With("reading " + path);
  BundleBacktest& backtest = **opened;
  backtest.record_.file_sha256 = Sha256(file);
  backtest.record_.file_bytes = static_cast<std::int64_t>(file.size());
  backtest.record_.source_path = path;
  backtest.record_.imported_at = Micros{info.mtime_ns / 1000};
  for (auto& row : backtest.index_rows_) {
    row.bundle_mtime_ns = info.mtime_ns;
    row.bundle_size = info.size;
  }
  return opened;
}

Result<std::unique_ptr<BundleBacktest>> BundleBacktest::Of(std::uint32_t version,
                                                           std::string document,
                                                           std::string_view handle) {
  bundle::BundleFile read;
  read.version = version;
  read.document = std::move(document);
  return Make(std::move(read), handle);
}

Result<backtests::ExportReport> BundleBacktest::Export(
    io::Env& env, const std::string& path, const backtests::ExportOptions& options) const {
  backtests::ExportReport report;
  report.path = path;
  report.level = options.level.value_or(kLevel);
  report.format_version = options.format_version.value_or(record_.bundle_version);
  if (report.level < 1 || report.level > 22) {
    return InvalidArgument("zstd level " + std::to_string(report.level) + " is outside 1..22");
  }
  LAMINA_ASSIGN(const auto parsed, bundle::Document::Parse(document_));
  LAMINA_ASSIGN(const auto layout, bundle::ReadLayout(record_.bundle_version, parsed));
  std::string converted;
  ByteView written = parsed.bytes();
  if (report.format_version != record_.bundle_version) {
    LAMINA_ASSIGN(converted, backtests::ConvertDocument(record_.bundle_version, parsed, layout,
                                                        report.format_version, &report.warnings));
    written = converted;
    report.converted = true;
  }
  LAMINA_ASSIGN(const std::string file,
                bundle::WriteBundle(report.format_version, written, report.level));
  report.document_sha256 = Sha256(written);
  report.bytes = static_cast<std::int64_t>(file.size());
  report.sha256 = Sha256(file);
  report.identical_to_original = report.sha256 == record_.file_sha256;
  LAMINA_TRY(env.WriteFileAtomically(path, file));
  return report;
}

Result<std::shared_ptr<const BundleBacktest::Parts>> BundleBacktest::TakeApart() {
  const std::lock_guard lock(mutex_);
  if (parts_ != nullptr) return parts_;
  LAMINA_ASSIGN(const auto parsed, bundle::Document::Parse(document_));
  LAMINA_ASSIGN(const auto layout, bundle::ReadLayout(record_.bundle_version, parsed));
  LAMINA_ASSIGN(const auto decomposed, backtests::Decompose(parsed, layout));
  auto parts = std::make_shared<Parts>();
  backtests::RunBatch batch;
  for (std::size_t slot = 0; slot < decomposed.runs.size(); ++slot) {
    const auto& run = decomposed.runs[slot];
    parts->runs.push_back(
        backtests::RecordOf(run, static_cast<std::int64_t>(slot), IdOf(slot, run.content_hash)));
    LAMINA_TRY(batch.Append(parts->runs.back().run_id, run));
  }
  LAMINA_ASSIGN(parts->rows, batch.Finish());
  parts_ = std::move(parts);
  return parts_;
}

Result<std::vector<backtests::RunRecord>> BundleBacktest::Runs() {
  LAMINA_ASSIGN(const auto parts, TakeApart());
  return parts->runs;
}

Result<std::shared_ptr<arrow::Table>> BundleBacktest::ReadRows(RunTable table,
                                                               const std::vector<Uuid>& run_ids) {
  LAMINA_ASSIGN(const auto parts, TakeApart());
  const auto& rows = parts->rows;
  const std::shared_ptr<arrow::Table> all = [&] {
    switch (table) {
      case RunTable::kRuns:
        return rows.runs;
      case RunTable::kSnapshots:
        return rows.snapshots;
      case RunTable::kTrades:
        return rows.trades;
      case RunTable::kOrders:
        return rows.orders;
      case RunTable::kPositions:
        return rows.positions;
      case RunTable::kSeries:
        return rows.series;
    }
    return rows.runs;
  }();
  if (run_ids.empty()) return all;
  std::vector<Uuid> ids = run_ids;
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return backtests::SelectRuns({all}, ids);
}

Result<std::shared_ptr<arrow::Table>> BundleBacktest::ReadSeries(const Uuid& run_id,
                                                                 std::string_view name) {
  return backtests::ReadRunSeries(
      [&](RunTable table, const std::vector<std::string>&) { return ReadRows(table, {run_id}); },
      "backtest '" + record_.handle + "' has no run " + run_id.ToString(), name);
}

}  // namespace lamina::stores
