#include "lamina/backtests/put_batch.h"

#include <utility>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/import.h"
#include "lamina/bundle/bundle_file.h"

namespace lamina::backtests {

Status PutBatch::AddDocument(std::string_view handle, std::uint32_t version, std::string document,
                             bool replace) {
  Provenance provenance;
  provenance.handle = handle;
  provenance.version = version;
  LAMINA_ASSIGN(auto prepared, PrepareDocument(store_->catalog().env(), std::move(provenance),
                                               std::move(document)));
  return Add(std::move(prepared), replace);
}

Status PutBatch::AddFile(std::string_view handle, const std::string& path, bool replace) {
  io::Env& env = store_->catalog().env();
  Provenance provenance;
  provenance.handle = handle;
  provenance.path = path;
  LAMINA_ASSIGN(const auto info, env.Stat(path));
  provenance.mtime_ns = info.mtime_ns;
  LAMINA_ASSIGN(const std::string file, env.ReadFile(path, 2 * kMaxDocumentBytes));
  const auto prepare = [&]() -> Result<PreparedBacktest> {
    LAMINA_ASSIGN(auto bundle,
                  bundle::ReadBundle(file, {.max_document_bytes = std::size_t{kMaxDocumentBytes}}));
    return PrepareBundle(env, std::move(provenance), file, std::move(bundle));
  };
  auto prepared = prepare();
  if (!prepared.ok()) return std::move(prepared).error().With("reading " + path);
  return Add(*std::move(prepared), replace);
}

Status PutBatch::Add(PreparedBacktest backtest, bool replace) {
  const std::string handle = backtest.provenance.handle;
  backtest.replace = replace;
  if (!replace) {  // so that most refusals come where the put stands
    bool refused = false;
    LAMINA_TRY(store_->catalog().Read([&](catalog::Database& database) -> Status {
      LAMINA_ASSIGN(const auto live, FindBacktest(database, handle, {}));
      refused = live && live->document_sha256 != backtest.parts.document_sha256;
      return Ok();
    }));
    if (refused) {
      return AlreadyExists("handle '" + handle +
                           "' holds another document; put it with replace to replace it");
    }
  }
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = places_.emplace(handle, pending_.size());
  if (is_new) {
    pending_.push_back(std::move(backtest));
    return Ok();
  }
  PreparedBacktest& before = pending_[place->second];
  if (before.parts.document_sha256 == backtest.parts.document_sha256) {
    before.replace = before.replace || replace;
    return Ok();
  }
  if (!replace) {
    return AlreadyExists("handle '" + handle + "' holds another document of this batch");
  }
  before = std::move(backtest);
  return Ok();
}

std::size_t PutBatch::size() const {
  const std::lock_guard lock(mutex_);
  return pending_.size();
}

Result<BatchReport> PutBatch::Commit() {
  std::vector<PreparedBacktest> batch;
  {
    const std::lock_guard lock(mutex_);
    batch = std::exchange(pending_, {});
    places_.clear();
  }
  if (batch.empty()) return BatchReport{};
  LAMINA_ASSIGN(auto report, CommitBatch(*store_, batch, false, {}, OnRefusal::kAbort));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (report.outcomes[i] != StoreOutcome::kRefused) continue;
    return AlreadyExists(report.messages[i] + "; nothing of the batch was stored");
  }
  if (report.committed) LAMINA_TRY(store_->catalog().CompactSmallFiles());
  return report;
}

}  // namespace lamina::backtests
