#include "lamina/backtests/validate_stored.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/import_batch.h"
#include "lamina/backtests/index_table.h"
#include "lamina/catalog/lost_race.h"
#include "lamina/metrics/metric.h"

namespace lamina::backtests {
namespace {

constexpr std::size_t kBacktestsACommit = 256;
constexpr int kAttempts = 8;

struct Computed {
  std::int64_t backtest_id = 0;
  std::vector<IndexRow> rows;
};

class Validation {
 public:
  Validation(BacktestStore& store, const ValidateOptions& options)
      : store_(store), options_(options) {}

  Result<ValidateReport> Run() {
    LAMINA_TRY(Choose());
    LAMINA_TRY(ParallelFor(chosen_.size(), options_.workers,
                           [&](std::size_t index, std::size_t) { return Compute(index); }));
    LAMINA_TRY(Commit(std::exchange(pending_, {})));
    LAMINA_TRY(CountDisagreements());
    return report_;
  }

 private:
  Status Choose() {
    std::vector<std::string> handles = options_.handles;
    if (handles.empty()) {
      LAMINA_ASSIGN(handles, store_.Handles());
    }
    std::sort(handles.begin(), handles.end());
    handles.erase(std::unique(handles.begin(), handles.end()), handles.end());
    for (const std::string& handle : handles) {
      LAMINA_ASSIGN(auto record, store_.Find(handle));
      asked_.push_back(record.backtest_id);
      bool current = false;
      LAMINA_TRY(store_.catalog().Read([&](catalog::Database& database) -> Status {
        LAMINA_ASSIGN(auto find,
                      database.Prepare("SELECT 1 FROM backtest_index WHERE backtest_id = ?1 AND "
                                       "coalesce(validated_definitions, 0) <> ?2 LIMIT 1"));
        LAMINA_ASSIGN(const bool stale,
                      find.Bind(1, record.backtest_id).Bind(2, metrics::kDefinitions).Step());
        current = !stale;
        return Ok();
      }));
      if (current && !options_.again) {
        ++report_.up_to_date;
      } else {
        chosen_.push_back(std::move(record));
      }
    }
    return Ok();
  }

  Status Compute(std::size_t index) {
    if (options_.cancel != nullptr && options_.cancel->cancelled()) {
      return Cancelled("interrupted; what was computed stays, run it again to go on");
    }
    const BacktestRecord& record = chosen_[index];
    LAMINA_ASSIGN(std::string document, store_.ReadDocument(record));
    Provenance provenance;
    provenance.handle = record.handle;
    provenance.version = record.bundle_version;
    bundle::DocumentLimits limits;  // import may have been allowed more
    limits.max_bytes = std::max(limits.max_bytes, document.size());
    limits.max_nodes = std::max(limits.max_nodes, document.size());
    LAMINA_ASSIGN(auto prepared, PrepareDocument(store_.catalog().env(), std::move(provenance),
                                                 std::move(document), {}, limits));
    std::vector<Computed> full;
    {
      const std::lock_guard lock(mutex_);
      pending_.push_back({record.backtest_id, std::move(prepared.index_rows)});
      ++done_;
      if (options_.progress) {
        options_.progress(done_, static_cast<std::int64_t>(chosen_.size()));
      }
      if (pending_.size() < kBacktestsACommit) return Ok();
      full = std::exchange(pending_, {});
    }
    return Commit(std::move(full));
  }

  Status Commit(const std::vector<Computed>& batch) {
    if (batch.empty()) return Ok();
    return catalog::RetryLostRaces(kAttempts, [&] { return TryCommit(batch); });
  }

  Status TryCommit(const std::vector<Computed>& batch) {
    LAMINA_ASSIGN(auto commit, store_.catalog().BeginCommit(
                                   "validate " + std::to_string(batch.size()) + " backtests"));
    std::int64_t written = 0;
    LAMINA_TRY(commit->Finish([&](catalog::Database& database, catalog::LakeWriter&) -> Status {
      written = 0;
      for (const Computed& one : batch) {
        LAMINA_ASSIGN(const bool live, IsLive(database, one.backtest_id));
        if (!live) continue;
        for (const IndexRow& row : one.rows) {
          LAMINA_TRY(UpdateValidated(database, one.backtest_id, row));
        }
        ++written;
      }
      return Ok();
    }));
    const std::lock_guard lock(mutex_);
    report_.validated += written;
    return Ok();
  }

  static Result<bool> IsLive(catalog::Database& database, std::int64_t backtest_id) {
    LAMINA_ASSIGN(auto find, database.Prepare("SELECT 1 FROM backtest WHERE backtest_id = ?1 AND "
                                              "end_snapshot IS NULL"));
    return find.Bind(1, backtest_id).Step();
  }

  Status CountDisagreements() {
    return store_.catalog().Read([&](catalog::Database& database) -> Status {
      for (const std::int64_t id : asked_) {
        LAMINA_ASSIGN(auto sum,
                      database.Prepare("SELECT coalesce(sum(validated_disagreements), 0) FROM "
                                       "backtest_index WHERE backtest_id = ?1 AND end_snapshot "
                                       "IS NULL AND universe_key = ''"));
        LAMINA_ASSIGN(const bool row, sum.Bind(1, id).Step());
        const std::int64_t count = row ? sum.Int(0) : 0;
        report_.disagreements += count;
        report_.with_disagreements += count > 0 ? 1 : 0;
      }
      return Ok();
    });
  }

  BacktestStore& store_;
  const ValidateOptions& options_;
  ValidateReport report_;
  std::vector<std::int64_t> asked_;
  std::vector<BacktestRecord> chosen_;

  std::mutex mutex_;  ///< guards what follows, and report_ while threads run
  std::vector<Computed> pending_;
  std::int64_t done_ = 0;
};

}  // namespace

Result<ValidateReport> ValidateStored(BacktestStore& store, const ValidateOptions& options) {
  return Validation(store, options).Run();
}

}  // namespace lamina::backtests
