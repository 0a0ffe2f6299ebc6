#include <algorithm>

#include "lamina/backtests/backtest_store.h"
#include "lamina/backtests/convert.h"
#include "lamina/backtests/price_files.h"
#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/layout.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {
namespace {

constexpr int kDefaultLevel = 19;

struct Encoded {
  std::string file;
  int level = 0;
};

/// The file at the asked level; without one, at the level that gives back the original.
/// The cheap levels are tried first: a miss there costs little beside level 19.
Result<Encoded> Encode(const BacktestRecord& backtest, std::uint32_t version, ByteView document,
                       std::optional<int> level) {
  Encoded encoded;
  if (level) {
    encoded.level = *level;
    LAMINA_ASSIGN(encoded.file, bundle::WriteBundle(version, document, *level));
    return encoded;
  }
  // What came in as a document never was a file that could be found again.
  const bool reproducible =
      version == backtest.bundle_version && backtest.file_sha256 != backtest.document_sha256;
  for (int candidate : {3, 7, kDefaultLevel}) {
    if (candidate != kDefaultLevel && !reproducible) continue;
    encoded.level = candidate;
    LAMINA_ASSIGN(encoded.file, bundle::WriteBundle(version, document, candidate));
    if (reproducible && static_cast<std::int64_t>(encoded.file.size()) == backtest.file_bytes &&
        Sha256(encoded.file) == backtest.file_sha256) {
      break;
    }
  }
  return encoded;
}

}  // namespace

Result<ExportReport> BacktestStore::Export(std::string_view handle, const std::string& path,
                                           const ExportOptions& options, AsOf as_of) {
  if (options.level && (*options.level < 1 || *options.level > 22)) {
    return InvalidArgument("zstd level " + std::to_string(*options.level) + " is outside 1..22");
  }
  const auto version = options.format_version;
  if (version && *version != 1 && *version != 2 && *version != 5) {
    return InvalidArgument("bundle version " + std::to_string(*version) +
                           " is not written; choose 1, 2 or 5");
  }
  LAMINA_ASSIGN(const auto backtest, Find(handle, as_of));
  LAMINA_ASSIGN(std::string document, ReadDocument(backtest));
  ExportReport report;
  report.path = path;
  report.format_version = options.format_version.value_or(backtest.bundle_version);
  LAMINA_ASSIGN(const auto parsed, bundle::Document::Parse(std::move(document)));
  LAMINA_ASSIGN(const auto layout, bundle::ReadLayout(backtest.bundle_version, parsed));
  std::string converted;
  ByteView written = parsed.bytes();
  if (report.format_version != backtest.bundle_version) {
    LAMINA_ASSIGN(converted, ConvertDocument(backtest.bundle_version, parsed, layout,
                                             report.format_version, &report.warnings));
    written = converted;
    report.converted = true;
  }
  report.document_sha256 = report.converted ? Sha256(written) : backtest.document_sha256;
  LAMINA_ASSIGN(auto encoded, Encode(backtest, report.format_version, written, options.level));
  report.level = encoded.level;
  report.bytes = static_cast<std::int64_t>(encoded.file.size());
  report.sha256 = Sha256(encoded.file);
  report.identical_to_original = report.sha256 == backtest.file_sha256;
  LAMINA_TRY(WritePriceFiles(*catalog_, layout, path, report.warnings));
  LAMINA_TRY(catalog_->env().WriteFileAtomically(path, encoded.file));
  return report;
}

}  // namespace lamina::backtests
