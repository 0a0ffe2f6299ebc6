#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backtest_facts.h"
#include "document.h"
#include "interruptible.h"
#include "rank_query.h"
#include "row_set.h"
#include "store.h"
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "lamina/backtests/backtest_store.h"
#include "lamina/backtests/export_batch.h"
#include "lamina/backtests/import.h"
#include "lamina/backtests/index_table.h"
#include "lamina/backtests/ranking.h"
#include "lamina/backtests/run_series.h"
#include "lamina/backtests/validate_stored.h"
#include "lamina/base/uuid.h"
#include "lamina/catalog/read_lease.h"
#include "lamina/store/prune_store.h"

namespace lamina::python {
namespace {

using backtests::BacktestRecord;

/// A backtest as it is at one snapshot: what Backtest objects read from.
class OpenBacktest {
 public:
  OpenBacktest(std::shared_ptr<store::Store> engine, BacktestRecord record)
      : engine_(std::move(engine)), record_(std::move(record)) {}
  backtests::BacktestStore& store() const { return engine_->backtests(); }
  const BacktestRecord& record() const { return record_; }

 private:
  std::shared_ptr<store::Store> engine_;
  BacktestRecord record_;
};

nb::dict Import(const OpenStore& self, const nb::sequence& paths, std::size_t workers,
                bool keep_going, bool replace, std::optional<std::int64_t> max_document_bytes,
                const nb::object& progress) {
  const auto engine = self.Get();
  std::vector<std::string> where;
  for (nb::handle path : paths) where.push_back(Path(path));
  Interruptible work(progress);
  backtests::ImportOptions options;
  options.workers = workers;
  options.keep_going = keep_going;
  options.replace = replace;
  if (max_document_bytes) options.max_document_bytes = *max_document_bytes;
  options.cancel = &work.cancel();
  options.progress = [&work](const backtests::ImportProgress& state) {
    work.Progress(state.files_done, state.files_total);
  };
  const auto report = work.Run([&]() -> Result<backtests::ImportReport> {
    LAMINA_ASSIGN(const auto sources, backtests::FindBacktests(engine->catalog().env(), where));
    return backtests::ImportBundles(engine->backtests(), sources, options);
  });
  return ReportOf(report);
}

nb::dict Validate(const OpenStore& self, const std::vector<std::string>& handles, bool again,
                  std::size_t workers, const nb::object& progress) {
  const auto engine = self.Get();
  Interruptible work(progress);
  backtests::ValidateOptions options;
  options.handles = handles;
  options.again = again;
  options.workers = workers;
  options.cancel = &work.cancel();
  options.progress = [&work](std::int64_t done, std::int64_t total) { work.Progress(done, total); };
  const auto report =
      work.Run([&] { return backtests::ValidateStored(engine->backtests(), options); });
  nb::dict all;
  all["validated"] = report.validated;
  all["up_to_date"] = report.up_to_date;
  all["with_disagreements"] = report.with_disagreements;
  all["disagreements"] = report.disagreements;
  return all;
}

nb::dict Export(const OpenStore& self, const std::string& handle, const nb::object& path,
                std::optional<std::uint32_t> format_version, std::optional<int> level,
                std::optional<std::int64_t> snapshot) {
  const auto engine = self.Get();
  const std::string target = Path(path);
  backtests::ExportOptions options;
  options.format_version = format_version;
  options.level = level;
  const auto report =
      Unlocked([&] { return engine->backtests().Export(handle, target, options, snapshot); });
  return ReportOf(report);
}

nb::dict ExportMany(const OpenStore& self, const std::vector<std::string>& handles,
                    const nb::object& folder, std::optional<std::uint32_t> format_version,
                    std::optional<int> level, std::optional<std::int64_t> snapshot,
                    std::size_t workers, const nb::object& progress) {
  const auto engine = self.Get();
  const std::string target = Path(folder);
  Interruptible work(progress);
  backtests::ExportBatchOptions options;
  options.file = {format_version, level};
  options.as_of = snapshot;
  options.workers = workers;
  options.cancel = &work.cancel();
  options.progress = [&work](const backtests::ImportProgress& state) {
    work.Progress(state.files_done, state.files_total);
  };
  const auto report = work.Run(
      [&] { return backtests::ExportBatch(engine->backtests(), handles, target, options); });
  nb::list exported;
  for (const backtests::ExportReport& one : report.exported) exported.append(ReportOf(one));
  nb::dict all;
  all["exported"] = exported;
  all["failed"] = FailuresOf(report.failed);
  all["bytes"] = report.bytes;
  return all;
}

OpenBacktest Find(const OpenStore& self, const std::string& handle,
                  std::optional<std::int64_t> snapshot) {
  auto engine = self.Get();
  auto record = Unlocked([&] { return engine->backtests().Find(handle, snapshot); });
  return {std::move(engine), std::move(record)};
}

nb::dict RecordOf(const OpenBacktest& self) { return FactsOf(self.record()); }

nb::list RunsOf(const OpenBacktest& self) {
  return FactsOf(Unlocked([&] { return self.store().Runs(self.record()); }));
}

nb::object DocumentOf(const OpenBacktest& self) {
  return DocumentToPython(Unlocked([&] { return self.store().ReadDocument(self.record()); }));
}

nb::bytes DocumentBytesOf(const OpenBacktest& self) {
  const std::string bytes = Unlocked([&] { return self.store().ReadDocument(self.record()); });
  return nb::bytes(bytes.data(), bytes.size());
}

/// The bytes of a price file by the SHA-256 that names it.
nb::bytes PriceFileOf(const OpenBacktest& self, const std::string& key, const std::string& name) {
  const std::string bytes = Unlocked([&]() -> Result<std::string> {
    const auto hash = Sha256Digest::FromHex(name.substr(0, name.find('.')));
    if (!hash.ok()) {
      return NotFound("prices '" + key + "': '" + name + "' is not named by its SHA-256");
    }
    auto content = self.store().catalog().ReadChunk({catalog::ChunkKind::kOhlcv, *hash});
    if (!content.ok()) return std::move(content).error().With("prices '" + key + "'");
    return content;
  });
  return nb::bytes(bytes.data(), bytes.size());
}

nb::list IndexRowsOf(const OpenBacktest& self) {
  const auto rows = Unlocked([&] { return self.store().Summaries(self.record()); });
  nb::list all;
  for (const backtests::StoredIndexRow& stored : rows) {
    all.append(FactsOf(stored.row, stored.place));
  }
  return all;
}

/// Run `query` on a connection of the store, as a table.
template <class Query>
ArrowTable QueryRows(const OpenStore& self, Query query) {
  const auto engine = self.Get();
  return ArrowTable(Unlocked([&]() -> Result<std::shared_ptr<arrow::Table>> {
    backtests::RowSet rows;
    LAMINA_TRY(engine->catalog().Read([&](catalog::Database& database) -> Status {
      LAMINA_ASSIGN(rows, query(database));
      return Ok();
    }));
    return RowSetToArrow(rows);
  }));
}

ArrowTable List(const OpenStore& self, const std::string& sort, bool descending,
                std::optional<std::int64_t> limit, std::int64_t offset, const std::string& where,
                const std::vector<std::string>& columns, std::optional<std::string> engine,
                std::optional<std::string> study, std::optional<std::string> universe,
                std::optional<std::int64_t> snapshot) {
  const auto query = ListQueryOf(
      sort, descending, limit, offset, columns,
      SelectionOf(where, std::move(engine), std::move(study), std::move(universe), snapshot));
  return QueryRows(self,
                   [&](catalog::Database& database) { return backtests::List(database, query); });
}

ArrowTable Rank(const OpenStore& self, const std::string& by, const std::string& focus,
                const backtests::Weights& weights, bool descending, std::int64_t limit,
                const std::string& where, const std::vector<std::string>& columns,
                std::optional<std::string> engine, std::optional<std::string> study,
                std::optional<std::string> universe, std::optional<std::int64_t> snapshot) {
  const auto query = RankQueryOf(
      by, focus, weights, descending, limit, columns,
      SelectionOf(where, std::move(engine), std::move(study), std::move(universe), snapshot));
  return QueryRows(self,
                   [&](catalog::Database& database) { return backtests::Rank(database, query); });
}

nb::dict PruneExcept(const OpenStore& self, const std::vector<std::string>& keep,
                     const nb::object& archive_dir, bool dry_run) {
  const auto engine = self.Get();
  folder_index::PruneOptions options;
  if (!archive_dir.is_none()) options.archive = Path(archive_dir);
  options.dry_run = dry_run;
  Interruptible work{nb::none()};
  options.cancel = &work.cancel();
  const auto report = work.Run(
      [&] { return store::PruneStoreExcept(engine->catalog().env(), *engine, keep, options); });
  nb::dict all;
  all["kept"] = Texts(report.kept);
  all["pruned"] = Texts(report.pruned);
  all["dry_run"] = report.dry_run;
  return all;
}

ArrowTable RowsOf(const OpenBacktest& self, const std::string& name,
                  const std::vector<std::string>& run_ids) {
  return ArrowTable(Unlocked([&]() -> Result<std::shared_ptr<arrow::Table>> {
    LAMINA_ASSIGN(const backtests::RunTable table, TableNamed(name));
    LAMINA_ASSIGN(const auto ids, RunIds(run_ids));
    return self.store().ReadRows(self.record(), table, ids);
  }));
}

ArrowTable SeriesOf(const OpenBacktest& self, const std::string& run_id, const std::string& name) {
  return ArrowTable(Unlocked([&]() -> Result<std::shared_ptr<arrow::Table>> {
    LAMINA_ASSIGN(const Uuid id, RunId(run_id));
    return backtests::ReadRunSeries(self.store(), self.record(), id, name);
  }));
}

ArrowTable SeriesOfMany(const OpenStore& self, const std::vector<std::string>& handles,
                        const std::string& name, std::optional<std::int64_t> snapshot) {
  const auto engine = self.Get();
  return ArrowTable(Unlocked([&]() -> Result<std::shared_ptr<arrow::Table>> {
    std::int64_t at = 0;
    LAMINA_ASSIGN(at,
                  snapshot ? Result<std::int64_t>(*snapshot) : engine->catalog().LatestSnapshot());
    const auto lease = catalog::ReadLease::Start(engine->catalog(), at);
    return backtests::ReadSeriesOfMany(engine->backtests(), handles, name, at);
  }));
}

}  // namespace

void BindBacktests(nb::module_& module, nb::class_<OpenStore>& store) {
  nb::class_<OpenBacktest>(module, "OpenBacktest",
                           "A backtest of an open store; see lamina.Backtest.")
      .def("record", &RecordOf, nb::sig("def record(self) -> dict[str, object]"))
      .def("runs", &RunsOf, nb::sig("def runs(self) -> list[dict[str, object]]"))
      .def("index_rows", &IndexRowsOf, nb::sig("def index_rows(self) -> list[dict[str, object]]"))
      .def("document", &DocumentOf, nb::sig("def document(self) -> dict[str, object]"))
      .def("document_bytes", &DocumentBytesOf)
      .def("price_file", &PriceFileOf, nb::arg("key"), nb::arg("name"))
      .def("series", &SeriesOf, nb::arg("run_id"), nb::arg("name"))
      .def("rows", &RowsOf, nb::arg("table"), nb::arg("run_ids"));

  module.def(
      "summary_fields",
      [] {
        nb::list names;
        for (const auto& field : backtests::kSummaryFields) names.append(Text(field.name));
        return names;
      },
      nb::sig("def summary_fields() -> list[str]"),
      "The summary metrics, in the order of the index.");

  store
      .def("import_bundles", &Import, nb::arg("paths"), nb::arg("workers"), nb::arg("keep_going"),
           nb::arg("replace"), nb::arg("max_document_bytes").none(), nb::arg("progress").none(),
           nb::sig("def import_bundles(self, paths: Sequence[object], workers: int, keep_going: "
                   "bool, replace: bool, max_document_bytes: int | None, progress: object | None) "
                   "-> dict[str, object]"))
      .def("validate", &Validate, nb::arg("handles"), nb::arg("again"), nb::arg("workers"),
           nb::arg("progress").none(),
           nb::sig("def validate(self, handles: Sequence[str], again: bool, workers: int, "
                   "progress: object | None) -> dict[str, int]"))
      .def("export_bundle", &Export, nb::arg("handle"), nb::arg("path"),
           nb::arg("format_version").none(), nb::arg("level").none(), nb::arg("snapshot").none(),
           nb::sig("def export_bundle(self, handle: str, path: object, format_version: int | None, "
                   "level: int | None, snapshot: int | None) -> dict[str, object]"))
      .def("export_many", &ExportMany, nb::arg("handles"), nb::arg("folder"),
           nb::arg("format_version").none(), nb::arg("level").none(), nb::arg("snapshot").none(),
           nb::arg("workers"), nb::arg("progress").none(),
           nb::sig("def export_many(self, handles: Sequence[str], folder: object, format_version: "
                   "int | None, level: int | None, snapshot: int | None, workers: int, progress: "
                   "object | None) -> dict[str, object]"))
      .def("list_backtests", &List, nb::arg("sort"), nb::arg("descending"), nb::arg("limit").none(),
           nb::arg("offset"), nb::arg("where"), nb::arg("columns"), nb::arg("engine").none(),
           nb::arg("study").none(), nb::arg("universe").none(), nb::arg("snapshot").none())
      .def("rank_backtests", &Rank, nb::arg("by"), nb::arg("focus"), nb::arg("weights"),
           nb::arg("descending"), nb::arg("limit"), nb::arg("where"), nb::arg("columns"),
           nb::arg("engine").none(), nb::arg("study").none(), nb::arg("universe").none(),
           nb::arg("snapshot").none())
      .def("series_of_many", &SeriesOfMany, nb::arg("handles"), nb::arg("name"),
           nb::arg("snapshot").none())
      .def("prune_except", &PruneExcept, nb::arg("keep"), nb::arg("archive_dir").none(),
           nb::arg("dry_run"),
           nb::sig("def prune_except(self, keep: Sequence[str], archive_dir: object | None, "
                   "dry_run: bool) -> dict[str, object]"))
      .def("find", &Find, nb::arg("handle"), nb::arg("snapshot").none())
      .def(
          "handles",
          [](const OpenStore& self, std::optional<std::int64_t> snapshot) {
            const auto engine = self.Get();
            return Texts(Unlocked([&] { return engine->backtests().Handles(snapshot); }));
          },
          nb::arg("snapshot").none(),
          nb::sig("def handles(self, snapshot: int | None) -> list[str]"))
      .def("count",
           [](const OpenStore& self) {
             const auto engine = self.Get();
             return Unlocked([&] { return engine->backtests().Count(); });
           })
      .def(
          "exists",
          [](const OpenStore& self, const std::string& handle) {
            const auto engine = self.Get();
            return Unlocked([&] { return engine->backtests().Exists(handle); });
          },
          nb::arg("handle"))
      .def(
          "delete",
          [](const OpenStore& self, const std::vector<std::string>& handles) {
            const auto engine = self.Get();
            Unlocked([&] { return engine->backtests().Delete(handles); });
          },
          nb::arg("handles"))
      .def(
          "undelete",
          [](const OpenStore& self, const std::string& handle) {
            const auto engine = self.Get();
            Unlocked([&] { return engine->backtests().Undelete(handle); });
          },
          nb::arg("handle"))
      .def(
          "rename",
          [](const OpenStore& self, const std::string& handle, const std::string& to) {
            const auto engine = self.Get();
            Unlocked([&] { return engine->backtests().Rename(handle, to); });
          },
          nb::arg("handle"), nb::arg("to"))
      .def(
          "tag",
          [](const OpenStore& self, const std::string& handle, const std::vector<std::string>& add,
             const std::vector<std::string>& remove) {
            const auto engine = self.Get();
            return Texts(Unlocked([&] { return engine->backtests().Tag(handle, add, remove); }));
          },
          nb::arg("handle"), nb::arg("add"), nb::arg("remove"),
          nb::sig(
              "def tag(self, handle: str, add: Sequence[str], remove: Sequence[str]) -> list[str]"))
      .def(
          "note",
          [](const OpenStore& self, const std::string& handle, const std::string& text) {
            const auto engine = self.Get();
            Unlocked([&] { return engine->backtests().Note(handle, text); });
          },
          nb::arg("handle"), nb::arg("text"));
}

}  // namespace lamina::python
