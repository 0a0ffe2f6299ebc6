#include "lamina/backtests/import_batch.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include <arrow/api.h>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/derived_cells.h"
#include "lamina/backtests/index_table.h"
#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/price_staging.h"
#include "lamina/backtests/run_batch.h"
#include "lamina/backtests/run_deletion.h"
#include "lamina/catalog/lost_race.h"
#include "lamina/table/parquet_file.h"

namespace lamina::backtests {
namespace {

constexpr int kAttempts = 16;

/// One try at storing a batch: what the catalog said, and what follows from it.
class BatchAttempt {
 public:
  BatchAttempt(BacktestStore& store, const std::vector<PreparedBacktest>& batch, bool replace)
      : store_(store), batch_(batch), replace_(replace), prices_(store.catalog()) {
    report_.outcomes.resize(batch.size(), StoreOutcome::kRefused);
    report_.messages.resize(batch.size());
  }

  Result<BatchReport> Run(const AlsoWrite& also, OnRefusal on_refusal) {
    LAMINA_TRY(Decide());
    if (chosen_.empty() || (on_refusal == OnRefusal::kAbort && AnyRefused())) {
      return std::move(report_);
    }
    LAMINA_TRY(AssignRuns());
    LAMINA_ASSIGN(auto deletion, RunDeletion::Plan(store_.catalog(), replaced_ids_, KeptRuns()));
    LAMINA_ASSIGN(auto commit, store_.catalog().BeginCommit(
                                   "import " + std::to_string(chosen_.size()) + " backtests"));
    LAMINA_TRY(deletion.Stage(*commit));
    LAMINA_TRY(StageRows(*commit));
    LAMINA_TRY(StageChunks(*commit));
    LAMINA_TRY(
        commit->Finish([&](catalog::Database& database, catalog::LakeWriter& writer) -> Status {
          LAMINA_TRY(CheckUnchanged(database));
          LAMINA_TRY(deletion.Apply(database, writer.snapshot_id()));
          return WriteRows(database, writer.snapshot_id(), also);
        }));
    report_.committed = true;
    return std::move(report_);
  }

 private:
  struct Slot {
    Uuid run_id;
    bool is_new = false;
  };

  void Refuse(std::size_t index, std::string message) {
    report_.outcomes[index] = StoreOutcome::kRefused;
    report_.messages[index] = std::move(message);
  }

  bool AnyRefused() const {
    return std::find(report_.outcomes.begin(), report_.outcomes.end(), StoreOutcome::kRefused) !=
           report_.outcomes.end();
  }

  /// Which backtests are stored, by what their handles hold now.
  Status Decide() {
    std::map<std::string, std::size_t> first_with_handle;
    return store_.catalog().Read([&](catalog::Database& database) -> Status {
      for (std::size_t i = 0; i < batch_.size(); ++i) {
        const std::string& handle = batch_[i].provenance.handle;
        const auto [it, inserted] = first_with_handle.emplace(handle, i);
        if (!inserted) {
          if (batch_[it->second].parts.document_sha256 == batch_[i].parts.document_sha256) {
            report_.outcomes[i] = StoreOutcome::kUnchanged;
          } else {
            Refuse(i, "another file of this import has the handle '" + handle + "' too");
          }
          continue;
        }
        LAMINA_ASSIGN(const auto live, FindBacktest(database, handle, {}));
        if (!live) {
          report_.outcomes[i] = StoreOutcome::kImported;
        } else if (live->document_sha256 == batch_[i].parts.document_sha256) {
          report_.outcomes[i] = StoreOutcome::kUnchanged;
          continue;
        } else if (!replace_ && !batch_[i].replace) {
          Refuse(i, "handle '" + handle + "' holds another document; use --replace to replace it");
          continue;
        } else {
          report_.outcomes[i] = StoreOutcome::kReplaced;
          replaced_ids_.push_back(live->backtest_id);
        }
        chosen_.push_back(i);
        live_ids_.push_back(live ? live->backtest_id : 0);
      }
      return Ok();
    });
  }

  /// A run id for every run: that of the same content when the store or this batch has it.
  Status AssignRuns() {
    std::unordered_map<Sha256Digest, Uuid> by_content;
    LAMINA_TRY(store_.catalog().Read([&](catalog::Database& database) -> Status {
      LAMINA_ASSIGN(const auto largest, LargestRunId(database));
      if (largest) ids_.AdvancePast(*largest);
      for (std::size_t i : chosen_) {
        for (const DecomposedRun& run : batch_[i].parts.runs) {
          if (by_content.contains(run.content_hash)) continue;
          LAMINA_ASSIGN(const auto known, FindRunByContent(database, run.content_hash));
          if (known) {
            by_content.emplace(run.content_hash, *known);
            shared_.push_back(*known);
          }
        }
      }
      return Ok();
    }));
    const std::int64_t now_ms = store_.catalog().env().Now().value / 1'000'000;
    for (std::size_t i : chosen_) {
      std::vector<Slot> slots;
      for (const DecomposedRun& run : batch_[i].parts.runs) {
        const auto it = by_content.find(run.content_hash);
        if (it != by_content.end()) {
          slots.push_back({it->second, false});
          ++report_.runs_shared;
          continue;
        }
        const Uuid id = ids_.Next(now_ms);
        by_content.emplace(run.content_hash, id);
        slots.push_back({id, true});
        ++report_.runs_new;
      }
      slots_.push_back(std::move(slots));
    }
    return Ok();
  }

  std::vector<Uuid> KeptRuns() const {
    std::vector<Uuid> kept;
    for (const auto& slots : slots_) {
      for (const Slot& slot : slots) kept.push_back(slot.run_id);
    }
    return kept;
  }

  Status StageRows(catalog::Commit& commit) {
    RunBatch rows;
    for (std::size_t k = 0; k < chosen_.size(); ++k) {
      const auto& runs = batch_[chosen_[k]].parts.runs;
      for (std::size_t r = 0; r < runs.size(); ++r) {
        if (slots_[k][r].is_new) LAMINA_TRY(rows.Append(slots_[k][r].run_id, runs[r]));
      }
    }
    if (report_.runs_new == 0) return Ok();
    LAMINA_ASSIGN(const LakeRows tables, rows.Finish());
    const std::array<std::pair<const TableDefinition*, std::shared_ptr<arrow::Table>>, 6> all = {{
        {&RunsTable(), tables.runs},
        {&SnapshotsTable(), tables.snapshots},
        {&TradesTable(), tables.trades},
        {&OrdersTable(), tables.orders},
        {&PositionsTable(), tables.positions},
        {&SeriesTable(), tables.series},
    }};
    std::vector<StoredTable> lake_tables;
    LAMINA_TRY(store_.catalog().Read([&](catalog::Database& database) -> Status {
      catalog::LakeReader reader(database);
      LAMINA_ASSIGN(const auto snapshot, reader.LatestSnapshot());
      for (const auto& [definition, table] : all) {
        LAMINA_ASSIGN(auto lake_table, FindStoredTable(reader, *definition, snapshot));
        lake_tables.push_back(std::move(lake_table));
      }
      return Ok();
    }));
    for (std::size_t t = 0; t < all.size(); ++t) {
      const auto& [definition, whole] = all[t];
      if (whole->num_rows() == 0) continue;
      LAMINA_ASSIGN(const auto table, StoredRows(*definition, lake_tables[t], whole, tables));
      LAMINA_ASSIGN(const std::string path, commit.StageLakeFile());
      table::WriteOptions options;
      options.sorted_by = definition->sorted_by;
      LAMINA_ASSIGN(auto written,
                    table::WriteParquet(store_.catalog().env(), path, *table, options));
      report_.bytes_stored += written.size_bytes;
      LAMINA_TRY(commit.AddLakeFile(lake_tables[t].table, path, std::move(written)));
    }
    return Ok();
  }

  /// Rows without the cells that follow from others, where the store's tables allow it.
  static Result<TablePtr> StoredRows(const TableDefinition& definition, const StoredTable& stored,
                                     const TablePtr& whole, const LakeRows& tables) {
    if (!stored.has_derived_cells) return whole;
    if (&definition == &OrdersTable()) return StripOrders(whole);
    return StripTrades(whole, tables.orders);
  }

  Status StageChunks(catalog::Commit& commit) {
    for (std::size_t i : chosen_) {
      const PreparedBacktest& backtest = batch_[i];
      for (const auto& chunk : backtest.parts.chunks) LAMINA_TRY(StageChunk(commit, chunk));
      for (const auto& file : backtest.prices) {
        LAMINA_ASSIGN(const std::int64_t bytes, prices_.Stage(commit, file));
        report_.bytes_stored += bytes;
      }
      LAMINA_TRY(StageChunk(commit, backtest.skeleton));
    }
    return Ok();
  }

  Status StageChunk(catalog::Commit& commit, const catalog::PreparedChunk& chunk) {
    report_.bytes_stored += static_cast<std::int64_t>(chunk.stored.size());
    return commit.PutPreparedChunk(chunk);
  }

  /// In the transaction: what Decide and AssignRuns saw must still be so.
  Status CheckUnchanged(catalog::Database& database) const {
    for (std::size_t k = 0; k < chosen_.size(); ++k) {
      const PreparedBacktest& backtest = batch_[chosen_[k]];
      LAMINA_ASSIGN(const auto live, FindBacktest(database, backtest.provenance.handle, {}));
      if ((live ? live->backtest_id : 0) != live_ids_[k]) {
        return Conflict("handle '" + backtest.provenance.handle + "' was taken meanwhile");
      }
      for (std::size_t r = 0; r < slots_[k].size(); ++r) {
        if (!slots_[k][r].is_new) continue;
        LAMINA_ASSIGN(const auto known,
                      FindRunByContent(database, backtest.parts.runs[r].content_hash));
        if (known) return Conflict("a run of this batch was stored meanwhile");
      }
    }
    for (const Uuid& run : shared_) {
      LAMINA_ASSIGN(const bool live, RunIsLive(database, run));
      if (!live) return Conflict("a shared run was deleted meanwhile");
    }
    return Ok();
  }

  Status WriteRows(catalog::Database& database, std::int64_t snapshot_id, const AlsoWrite& also) {
    LAMINA_TRY(prices_.WriteRows(database));
    LAMINA_ASSIGN(std::int64_t id, NextBacktestId(database));
    const Micros now{store_.catalog().env().Now().value / 1000};
    for (std::size_t k = 0; k < chosen_.size(); ++k, ++id) {
      const PreparedBacktest& backtest = batch_[chosen_[k]];
      LAMINA_TRY(WriteBacktest(database, backtest, id, snapshot_id, now));
      for (std::size_t r = 0; r < slots_[k].size(); ++r) {
        LAMINA_TRY(WriteRun(database, backtest.parts.runs[r], id, static_cast<std::int64_t>(r),
                            slots_[k][r], snapshot_id));
      }
      for (const auto& chunk : backtest.parts.chunks) {
        LAMINA_TRY(InsertChunkRef(database, id, chunk.id, snapshot_id));
      }
      for (const auto& file : backtest.prices) {
        LAMINA_TRY(InsertChunkRef(database, id, prices_.ReferenceOf(file.id), snapshot_id));
      }
      LAMINA_TRY(InsertChunkRef(database, id, backtest.skeleton.id, snapshot_id));
      if (also) LAMINA_TRY(also(database, id));
    }
    return Ok();
  }

  static Status WriteBacktest(catalog::Database& database, const PreparedBacktest& backtest,
                              std::int64_t id, std::int64_t snapshot_id, Micros now) {
    BacktestRecord record;
    record.backtest_id = id;
    record.handle = backtest.provenance.handle;
    record.begin_snapshot = snapshot_id;
    record.document_sha256 = backtest.parts.document_sha256;
    record.skeleton_sha256 = backtest.skeleton.id.sha256;
    record.file_sha256 = backtest.provenance.file_sha256;
    record.document_bytes = backtest.parts.document_bytes;
    record.file_bytes = backtest.provenance.file_bytes;
    record.bundle_version = backtest.provenance.version;
    record.algorithm_id = backtest.algorithm_id;
    record.tag = backtest.tag;
    record.source_path = backtest.provenance.path;
    record.imported_at = now;
    record.warnings = backtest.warnings;
    LAMINA_TRY(InsertBacktest(database, record, backtest.parts.whole_document));
    IndexPlace place;
    place.backtest_id = id;
    place.begin_snapshot = snapshot_id;
    place.document_sha256 = backtest.parts.document_sha256;
    place.imported_at = now;
    for (const IndexRow& row : backtest.index_rows) {
      LAMINA_TRY(InsertIndexRow(database, row, place));
    }
    return Ok();
  }

  static Status WriteRun(catalog::Database& database, const DecomposedRun& run,
                         std::int64_t backtest_id, std::int64_t slot, const Slot& assigned,
                         std::int64_t snapshot_id) {
    const RunRecord record = RecordOf(run, slot, assigned.run_id);
    if (assigned.is_new) {
      LAMINA_TRY(InsertRun(database, record, run.content_hash, snapshot_id));
      LAMINA_ASSIGN(auto statement, database.Prepare("UPDATE run SET derived_series_mask = ?2 "
                                                     "WHERE run_id = ?1"));
      LAMINA_TRY(statement.BindBlob(1, assigned.run_id.View())
                     .Bind(2, static_cast<std::int64_t>(run.facts.derived_series_mask))
                     .Run());
    }
    return InsertBacktestRun(database, backtest_id, record, snapshot_id);
  }

  BacktestStore& store_;
  const std::vector<PreparedBacktest>& batch_;
  bool replace_;
  BatchReport report_;
  std::vector<std::size_t> chosen_;     ///< indices into batch_
  std::vector<std::int64_t> live_ids_;  ///< per chosen: what its handle held, 0 = nothing
  std::vector<std::int64_t> replaced_ids_;
  std::vector<std::vector<Slot>> slots_;  ///< per chosen, per run
  std::vector<Uuid> shared_;
  Uuid7Source ids_;
  PriceStaging prices_;
};

}  // namespace

std::int64_t PreparedBacktest::snapshot_rows() const {
  std::int64_t rows = 0;
  for (const DecomposedRun& run : parts.runs) rows += run.rows.snapshots->num_rows();
  return rows;
}

Result<BatchReport> CommitBatch(BacktestStore& store, const std::vector<PreparedBacktest>& batch,
                                bool replace, const AlsoWrite& also, OnRefusal on_refusal) {
  return catalog::RetryLostRaces(
      kAttempts, [&] { return BatchAttempt(store, batch, replace).Run(also, on_refusal); });
}

}  // namespace lamina::backtests
