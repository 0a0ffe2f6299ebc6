#include "lamina/bundle/describe.h"

#include "lamina/bundle/container_internal.h"
#include "lamina/bundle/layout.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::bundle {
namespace {

std::optional<std::string> TextOf(const std::optional<Value>& value) {
  if (!value.has_value() || !value->is_string()) return std::nullopt;
  return std::string(value->AsString());
}

std::uint32_t SizeOf(const Value& map, ByteView key) {
  const auto value = map.Find(key);
  return value.has_value() ? value->size() : 0;
}

DescribedRun DescribeRun(const RunPart& part, const std::optional<Value>& blobs) {
  DescribedRun run;
  run.study = part.study;
  run.engine = part.engine;
  run.index = part.index;
  run.window_name = TextOf(part.run.Find("backtest_date_range_name")).value_or("");
  run.start = TextOf(part.run.Find("backtest_start_date")).value_or("");
  run.end = TextOf(part.run.Find("backtest_end_date")).value_or("");
  run.snapshots = SizeOf(part.run, "portfolio_snapshots");
  run.trades = SizeOf(part.run, "trades");
  run.orders = SizeOf(part.run, "orders");
  run.positions = SizeOf(part.run, "positions");
  const auto metrics = part.run.Find("backtest_metrics");
  run.has_metrics = metrics.has_value() && metrics->is_map();
  if (blobs.has_value() && !part.blob_prefix.empty()) {
    for (const Value::Entry entry : blobs->entries()) {
      if (entry.key.AsString().starts_with(part.blob_prefix)) ++run.blobs;
    }
  }
  return run;
}

void DescribeFrame(const Container& container, BundleDescription& description) {
  description.frame_bytes = container.frame.frame_bytes;
  description.content_size = *container.frame.content_size;
  description.window_bytes = container.frame.window_bytes;
  description.block_count = container.frame.block_count;
  description.has_checksum = container.frame.has_checksum;
}

void DescribeLayout(const Layout& layout, BundleDescription& description) {
  description.algorithm_id = TextOf(layout.algorithm_id);
  description.tag = TextOf(layout.tag);
  description.engine_type = TextOf(layout.engine_type);
  for (const Value::Entry entry : layout.backtest.entries()) {
    description.keys.push_back({std::string(entry.key.AsString()),
                                std::string(KindName(entry.value.kind())),
                                entry.value.raw().size()});
  }
  for (const RunPart& part : layout.runs) {
    description.runs.push_back(DescribeRun(part, layout.blobs));
  }
  for (const SummaryPart& part : layout.summaries) {
    description.summaries.push_back(
        {part.study, part.engine, part.universe, part.run_count, part.summary.has_value()});
  }
  if (layout.blobs.has_value()) {
    description.blob_count = layout.blobs->size();
    for (const Value::Entry entry : layout.blobs->entries()) {
      description.blob_bytes += entry.value.size();
    }
  }
  if (layout.ohlcv.has_value()) {
    description.ohlcv_store_dir = TextOf(layout.ohlcv->Find("store_dir"));
    description.ohlcv_count = SizeOf(*layout.ohlcv, "manifest");
  }
}

}  // namespace

Result<BundleDescription> DescribeBundle(ByteView file, const BundleLimits& limits) {
  BundleDescription description;
  description.file_bytes = file.size();
  LAMINA_ASSIGN(const Container container, ReadContainer(file, limits));
  DescribeFrame(container, description);
  LAMINA_ASSIGN(BundleFile bundle, ReadBundle(file, limits));
  description.version = bundle.version;
  description.document_bytes = bundle.document.size();
  description.warnings = std::move(bundle.warnings);
  LAMINA_ASSIGN(const Document document, Document::Parse(std::move(bundle.document)));
  description.nodes = document.node_count();
  LAMINA_ASSIGN(const Layout layout, ReadLayout(bundle.version, document));
  DescribeLayout(layout, description);
  description.warnings.insert(description.warnings.end(), layout.warnings.begin(),
                              layout.warnings.end());
  return description;
}

}  // namespace lamina::bundle
