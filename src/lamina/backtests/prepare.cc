#include "lamina/backtests/import_batch.h"
#include "lamina/backtests/ohlcv_manifest.h"
#include "lamina/backtests/validated_metrics.h"
#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/layout.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {
namespace {

constexpr std::int64_t kMaxPriceFileBytes = std::int64_t{1} << 30;

std::optional<std::string> TextOf(const std::optional<bundle::Value>& value) {
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(value->AsString());
}

/// Whether a price file is not there, or too large to be one, after reading it failed.
bool IsAbsent(io::Env& env, const std::string& path, const Error& failure) {
  if (failure.code() == ErrorCode::kNotFound) return true;
  const auto info = env.Stat(path);
  if (!info.ok()) return info.error().code() == ErrorCode::kNotFound;
  return !info->is_regular || info->size > kMaxPriceFileBytes;
}

}  // namespace

Status PreparePrices(io::Env& env, const bundle::Layout& layout, const std::string& bundle_path,
                     PreparedBacktest& backtest) {
  LAMINA_ASSIGN(const auto references, ReadOhlcvManifest(layout, bundle_path));
  for (const OhlcvReference& reference : references) {
    const std::string what = "prices '" + reference.key + "' (" + reference.path + ")";
    if (!reference.sha256) {
      backtest.warnings.push_back(what + ": the name is not a SHA-256; not stored");
      continue;
    }
    auto content = env.ReadFile(reference.path, kMaxPriceFileBytes);
    if (!content.ok()) {
      // Where an export puts the files of a bundle that keeps them elsewhere (price_files.h).
      const std::string beside = io::JoinPath(io::ParentPath(bundle_path), reference.name);
      auto other = env.ReadFile(beside, kMaxPriceFileBytes);
      if (other.ok()) content = std::move(other);
    }
    if (!content.ok()) {
      // A disk or a process in trouble is no reason to store the backtest without its prices.
      if (!IsAbsent(env, reference.path, content.error())) {
        return std::move(content).error().With(what);
      }
      backtest.warnings.push_back(what + ": " + std::string(content.error().message()) +
                                  "; not stored");
      continue;
    }
    LAMINA_ASSIGN(auto chunk, catalog::PrepareChunk(catalog::ChunkKind::kOhlcv, *content));
    if (chunk.id.sha256 != *reference.sha256) {
      backtest.warnings.push_back(what + ": content does not match its name; not stored");
      continue;
    }
    bool known = false;
    for (const auto& other : backtest.prices) known = known || other.id == chunk.id;
    if (!known) backtest.prices.push_back(std::move(chunk));
  }
  return Ok();
}

Result<PreparedBacktest> PrepareBundle(io::Env& env, Provenance provenance, ByteView file,
                                       bundle::BundleFile bundle,
                                       const bundle::DocumentLimits& limits) {
  provenance.version = bundle.version;
  provenance.file_bytes = static_cast<std::int64_t>(file.size());
  provenance.file_sha256 = Sha256(file);
  return PrepareDocument(env, std::move(provenance), std::move(bundle.document),
                         std::move(bundle.warnings), limits);
}

Result<PreparedBacktest> PrepareDocument(io::Env& env, Provenance provenance, std::string document,
                                         std::vector<std::string> warnings,
                                         const bundle::DocumentLimits& limits) {
  LAMINA_TRY(CheckHandle(provenance.handle));
  if (provenance.file_bytes == 0) {
    provenance.file_bytes = static_cast<std::int64_t>(document.size());
    provenance.file_sha256 = Sha256(document);
  }
  PreparedBacktest backtest;
  backtest.provenance = std::move(provenance);
  backtest.warnings = std::move(warnings);
  LAMINA_ASSIGN(const auto parsed, bundle::Document::Parse(std::move(document), limits));
  LAMINA_ASSIGN(const auto layout, bundle::ReadLayout(backtest.provenance.version, parsed));
  LAMINA_ASSIGN(backtest.parts, Decompose(parsed, layout));
  LAMINA_ASSIGN(backtest.skeleton,
                catalog::PrepareChunk(catalog::ChunkKind::kDocument, backtest.parts.skeleton));
  backtest.parts.skeleton.clear();
  backtest.algorithm_id = TextOf(layout.algorithm_id);
  backtest.tag = TextOf(layout.tag);
  for (const std::vector<std::string>* more :
       {&layout.warnings, &std::as_const(backtest.parts.warnings)}) {
    backtest.warnings.insert(backtest.warnings.end(), more->begin(), more->end());
  }
  if (backtest.provenance.path) {
    LAMINA_TRY(PreparePrices(env, layout, *backtest.provenance.path, backtest));
  }
  backtest.index_rows = IndexRowsOf(layout, backtest.provenance.handle);
  LAMINA_TRY(FillValidatedMetrics(layout, backtest.parts.runs, backtest.index_rows));
  for (IndexRow& row : backtest.index_rows) {
    row.bundle_mtime_ns = backtest.provenance.mtime_ns;
    row.bundle_size = backtest.provenance.file_bytes;
  }
  return backtest;
}

}  // namespace lamina::backtests
