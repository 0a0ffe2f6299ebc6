#include "lamina/backtests/merge.h"

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/import.h"
#include "lamina/backtests/import_batch.h"
#include "lamina/backtests/legacy_folder.h"
#include "lamina/backtests/merge_documents.h"
#include "lamina/bundle/bundle_file.h"

namespace lamina::backtests {
namespace {

constexpr std::int64_t kFileBytesMax = std::int64_t{1} << 31;

/// In the transaction: the backtest that was merged into is the one that this commit ends.
Status CheckEndedHere(catalog::Database& database, const BacktestRecord& held, std::int64_t id) {
  LAMINA_ASSIGN(auto statement,
                database.Prepare("SELECT old.end_snapshot IS NULL OR old.end_snapshot = "
                                 "new.begin_snapshot FROM backtest AS old, backtest AS new "
                                 "WHERE old.backtest_id = ?1 AND new.backtest_id = ?2"));
  statement.Bind(1, held.backtest_id).Bind(2, id);
  LAMINA_ASSIGN(const bool found, statement.Step());
  if (found && statement.Int(0) != 0) return Ok();
  return Conflict("'" + held.handle + "' was changed by another process");
}

Status MergeOne(std::uint32_t version, std::string& held, const MergeSource& source,
                bool replace_windows, MergeReport& report) {
  LAMINA_ASSIGN(const auto mine, bundle::Document::Parse(held));
  LAMINA_ASSIGN(const auto my_layout, bundle::ReadLayout(version, mine));
  LAMINA_ASSIGN(const auto theirs, bundle::Document::Parse(source.document));
  LAMINA_ASSIGN(const auto their_layout, bundle::ReadLayout(source.version, theirs));
  LAMINA_ASSIGN(auto merged,
                MergeDocuments({version, mine, my_layout}, {source.version, theirs, their_layout},
                               replace_windows));
  report.runs_added += merged.runs_added;
  report.runs_replaced += merged.runs_replaced;
  report.runs_unchanged += merged.runs_unchanged;
  report.warnings.insert(report.warnings.end(), merged.warnings.begin(), merged.warnings.end());
  report.unchanged = report.unchanged && merged.document == held;
  held = std::move(merged.document);
  return Ok();
}

}  // namespace

Result<MergeReport> MergeInto(std::uint32_t version, std::string& held,
                              const std::vector<MergeSource>& sources, bool replace_windows) {
  MergeReport report;
  report.unchanged = true;
  for (const MergeSource& source : sources) {
    auto merged = MergeOne(version, held, source, replace_windows, report);
    if (merged.ok()) continue;
    return source.path ? std::move(merged).error().With(*source.path) : std::move(merged).error();
  }
  return report;
}

Result<MergeReport> MergeBacktest(BacktestStore& store, std::string_view handle,
                                  const std::vector<MergeSource>& sources, bool replace_windows) {
  io::Env& env = store.catalog().env();
  LAMINA_ASSIGN(const auto held, store.Find(handle));
  LAMINA_ASSIGN(std::string document, store.ReadDocument(held));
  LAMINA_ASSIGN(auto report, MergeInto(held.bundle_version, document, sources, replace_windows));
  if (report.unchanged) return report;
  Provenance provenance;
  provenance.handle = handle;
  provenance.version = held.bundle_version;
  LAMINA_ASSIGN(auto prepared, PrepareDocument(env, std::move(provenance), std::move(document)));
  prepared.provenance.path = held.source_path;
  for (const MergeSource& source : sources) {
    if (!source.path) continue;
    LAMINA_ASSIGN(const auto theirs, bundle::Document::Parse(source.document));
    LAMINA_ASSIGN(const auto layout, bundle::ReadLayout(source.version, theirs));
    LAMINA_TRY(PreparePrices(env, layout, *source.path, prepared));
  }
  report.warnings.insert(report.warnings.end(), prepared.warnings.begin(), prepared.warnings.end());
  std::vector<PreparedBacktest> batch;
  batch.push_back(std::move(prepared));
  const auto keep = [&](catalog::Database& database, std::int64_t id) -> Status {
    LAMINA_TRY(CheckEndedHere(database, held, id));
    LAMINA_TRY(CopyPriceReferences(database, held.backtest_id, id));
    LAMINA_ASSIGN(const Labels labels, ReadLabels(database, held.backtest_id));
    return WriteLabels(database, id, labels);
  };
  LAMINA_ASSIGN(const BatchReport committed, CommitBatch(store, batch, true, keep));
  if (committed.outcomes[0] == StoreOutcome::kUnchanged) report.unchanged = true;
  LAMINA_TRY(store.catalog().CompactSmallFiles());
  return report;
}

Result<MergeSource> ReadMergeSource(io::Env& env, const std::string& path) {
  MergeSource source;
  source.path = path;
  LAMINA_ASSIGN(const auto info, env.Stat(path));
  if (info.is_directory) {
    LAMINA_ASSIGN(auto legacy, ReadLegacyFolder(env, path, kMaxDocumentBytes));
    source.version = legacy.version;
    source.document = std::move(legacy.document);
    return source;
  }
  LAMINA_ASSIGN(const std::string file, env.ReadFile(path, kFileBytesMax));
  auto read = bundle::ReadBundle(file);
  if (!read.ok()) return std::move(read).error().With("reading " + path);
  source.version = read->version;
  source.document = std::move(read->document);
  return source;
}

}  // namespace lamina::backtests
