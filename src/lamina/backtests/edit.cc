#include <algorithm>

#include "lamina/backtests/backtest_store.h"
#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/import.h"
#include "lamina/backtests/run_deletion.h"
#include "lamina/backtests/text_array.h"
#include "lamina/bundle/bundle_file.h"
#include "lamina/catalog/lost_race.h"

namespace lamina::backtests {
namespace {

/// A commit that lost a race is made again from the new state.
constexpr int kAttempts = 8;

Status Retrying(const std::function<Status()>& attempt) {
  return catalog::RetryLostRaces(kAttempts, attempt);
}

Status CheckStillLive(catalog::Database& database, const BacktestRecord& backtest) {
  LAMINA_ASSIGN(const auto now, FindBacktest(database, backtest.handle, {}));
  if (!now || now->backtest_id != backtest.backtest_id) {
    return Conflict("'" + backtest.handle + "' was changed by another process");
  }
  return Ok();
}

Status CheckTag(std::string_view tag) {
  if (tag.empty() || tag.size() > 256) {
    return InvalidArgument("a tag has 1 to 256 bytes");
  }
  return CheckHandle(tag).ok() ? Ok()
                               : InvalidArgument("'" + std::string(tag) + "' cannot be a tag");
}

}  // namespace

Status BacktestStore::Delete(const std::vector<std::string>& handles) {
  return Retrying([&]() -> Status {
    std::vector<BacktestRecord> backtests;
    std::vector<std::int64_t> ids;
    for (const std::string& handle : handles) {
      LAMINA_ASSIGN(auto backtest, Find(handle));
      if (std::find(ids.begin(), ids.end(), backtest.backtest_id) != ids.end()) continue;
      ids.push_back(backtest.backtest_id);
      backtests.push_back(std::move(backtest));
    }
    if (ids.empty()) return Ok();
    LAMINA_ASSIGN(auto deletion, RunDeletion::Plan(*catalog_, ids));
    LAMINA_ASSIGN(auto commit,
                  catalog_->BeginCommit("delete " + std::to_string(ids.size()) + " backtests",
                                        catalog::SpaceUse::kFrees));
    LAMINA_TRY(deletion.Stage(*commit));
    LAMINA_TRY(
        commit->Finish([&](catalog::Database& database, catalog::LakeWriter& writer) -> Status {
          for (const auto& backtest : backtests) LAMINA_TRY(CheckStillLive(database, backtest));
          return deletion.Apply(database, writer.snapshot_id());
        }));
    return Ok();
  });
}

Status BacktestStore::Undelete(std::string_view handle) {
  std::optional<BacktestRecord> deleted;
  Labels labels;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(const auto live, FindBacktest(database, handle, {}));
    if (live) return AlreadyExists("'" + std::string(handle) + "' is there, not deleted");
    LAMINA_ASSIGN(deleted, FindDeletedBacktest(database, handle));
    if (!deleted) {
      LAMINA_ASSIGN(const auto renamed, FindRenamed(database, handle));
      if (!renamed) return NotFound("no deleted backtest '" + std::string(handle) + "'");
      return NotFound("'" + std::string(handle) + "' was not deleted but renamed to '" + *renamed +
                      "'; there is nothing to bring back");
    }
    LAMINA_ASSIGN(labels, ReadLabels(database, deleted->backtest_id));
    return Ok();
  }));
  LAMINA_ASSIGN(auto document, ReadDocument(*deleted));
  return RestoreBacktest(
      *this, *deleted, std::move(document),
      [&](catalog::Database& database, std::int64_t backtest_id) -> Status {
        LAMINA_TRY(CopyPriceReferences(database, deleted->backtest_id, backtest_id));
        return WriteLabels(database, backtest_id, labels);
      });
}

Status BacktestStore::Rename(std::string_view from, std::string_view to) {
  LAMINA_TRY(CheckHandle(to));
  return Retrying([&]() -> Status {
    LAMINA_ASSIGN(const auto backtest, Find(from));
    if (from == to) return Ok();
    LAMINA_ASSIGN(auto commit, catalog_->BeginCommit("rename " + std::string(from)));
    LAMINA_TRY(commit->Finish([&](catalog::Database& database,
                                  catalog::LakeWriter& writer) -> Status {
      LAMINA_TRY(CheckStillLive(database, backtest));
      LAMINA_ASSIGN(const auto taken, FindBacktest(database, to, {}));
      if (taken) return AlreadyExists("'" + std::string(to) + "' is the handle of another");
      LAMINA_ASSIGN(const auto id, NextBacktestId(database));
      LAMINA_TRY(CopyBacktestRows(database, backtest.backtest_id, id, to, writer.snapshot_id()));
      return EndBacktest(database, backtest.backtest_id, writer.snapshot_id());
    }));
    return Ok();
  });
}

Result<std::vector<std::string>> BacktestStore::Tag(std::string_view handle,
                                                    const std::vector<std::string>& add,
                                                    const std::vector<std::string>& remove) {
  for (const std::string& tag : add) LAMINA_TRY(CheckTag(tag));
  std::vector<std::string> tags;
  LAMINA_TRY(Retrying([&]() -> Status {
    LAMINA_ASSIGN(const auto backtest, Find(handle));
    LAMINA_ASSIGN(auto commit, catalog_->BeginCommit("tag " + std::string(handle)));
    LAMINA_TRY(commit->Finish([&](catalog::Database& database, catalog::LakeWriter&) -> Status {
      LAMINA_TRY(CheckStillLive(database, backtest));
      LAMINA_ASSIGN(Labels labels, ReadLabels(database, backtest.backtest_id));
      tags = ParseTextArray(labels.tags);
      for (const std::string& tag : add) {
        if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
      }
      for (const std::string& tag : remove) std::erase(tags, tag);
      std::sort(tags.begin(), tags.end());
      labels.tags = FormatTextArray(tags);
      return WriteLabels(database, backtest.backtest_id, labels);
    }));
    return Ok();
  }));
  return tags;
}

Status BacktestStore::Note(std::string_view handle, std::string_view text) {
  if (!ValidNote(text)) return InvalidArgument("a note is UTF-8 text of at most 64 KiB");
  return Retrying([&]() -> Status {
    LAMINA_ASSIGN(const auto backtest, Find(handle));
    LAMINA_ASSIGN(auto commit, catalog_->BeginCommit("note on " + std::string(handle)));
    LAMINA_TRY(commit->Finish([&](catalog::Database& database, catalog::LakeWriter&) -> Status {
      LAMINA_TRY(CheckStillLive(database, backtest));
      LAMINA_ASSIGN(Labels labels, ReadLabels(database, backtest.backtest_id));
      labels.note = text.empty() ? std::nullopt : std::optional<std::string>(text);
      return WriteLabels(database, backtest.backtest_id, labels);
    }));
    return Ok();
  });
}

}  // namespace lamina::backtests
