#include "lamina/bundle/scan.h"

#include "lamina/bundle/layout.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::bundle {
namespace {

std::string RawOf(const std::optional<Value>& value) {
  return value.has_value() ? std::string(value->raw()) : std::string();
}

ScannedSummary Scanned(const SummaryPart& part) {
  ScannedSummary summary;
  summary.engine = part.engine;
  summary.study = part.study;
  summary.universe = part.universe;
  summary.run_count = part.run_count;
  summary.present = part.summary.has_value();
  summary.summary = RawOf(part.summary);
  summary.risk_free_rate = RawOf(part.risk_free_rate);
  summary.study_description = part.study_description;
  return summary;
}

std::string TextOf(const Value& map, std::string_view key) {
  const auto text = map.Find(key);
  return text && text->is_string() ? std::string(text->AsString()) : std::string();
}

ScannedRun Scanned(const RunPart& part) {
  ScannedRun run;
  run.engine = part.engine;
  run.study = part.study;
  if (const auto metadata = part.run.Find("metadata")) {
    run.universe = TextOf(*metadata, "universe_key");
  }
  run.start = TextOf(part.run, "backtest_start_date");
  run.end = TextOf(part.run, "backtest_end_date");
  return run;
}

}  // namespace

Result<BundleScan> ScanBundle(ByteView file, const BundleLimits& limits) {
  LAMINA_ASSIGN(BundleFile bundle, ReadBundle(file, limits));
  return ScanDocument(std::move(bundle));
}

Result<BundleScan> ScanDocument(BundleFile bundle) {
  BundleScan scan;
  scan.version = bundle.version;
  scan.document_bytes = bundle.document.size();
  scan.warnings = std::move(bundle.warnings);
  LAMINA_ASSIGN(const Document document, Document::ParseOutline(std::move(bundle.document)));
  LAMINA_ASSIGN(Layout layout, ReadLayout(bundle.version, document));
  scan.algorithm_id = RawOf(layout.algorithm_id);
  scan.anchor_algorithm_id = RawOf(layout.anchor_algorithm_id);
  scan.tag = RawOf(layout.tag);
  scan.parameters = RawOf(layout.parameters);
  scan.strategy_ids = RawOf(layout.strategy_ids);
  scan.metadata = RawOf(layout.metadata);
  scan.summaries.reserve(layout.summaries.size());
  for (const SummaryPart& part : layout.summaries) scan.summaries.push_back(Scanned(part));
  scan.runs.reserve(layout.runs.size());
  for (const RunPart& part : layout.runs) scan.runs.push_back(Scanned(part));
  for (std::string& warning : layout.warnings) scan.warnings.push_back(std::move(warning));
  return scan;
}

}  // namespace lamina::bundle
