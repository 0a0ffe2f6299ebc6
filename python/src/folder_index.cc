#include "folder_index.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backtest_facts.h"
#include "interruptible.h"
#include "rank_query.h"
#include "row_set.h"
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "lamina/backtests/weights.h"
#include "lamina/base/error_table.h"
#include "lamina/folder_index/build.h"
#include "lamina/folder_index/index_file.h"
#include "lamina/io/env.h"
#include "lamina/store/rank_target.h"

namespace lamina::python {
namespace {

using backtests::IndexRow;
using backtests::Number;
using folder_index::IndexedRow;
using folder_index::IndexFile;

nb::list Failures(const std::vector<folder_index::FileFailure>& failures) {
  nb::list list;
  for (const auto& failure : failures) {
    list.append(
        nb::make_tuple(Text(failure.path), Text(ErrorName(failure.code)), Text(failure.message)));
  }
  return list;
}

nb::dict BuildIndex(const nb::object& directory, const nb::object& output, bool rebuild,
                    bool absolute_paths, bool validate, std::size_t workers,
                    const nb::object& progress) {
  const std::string folder = Path(directory);
  folder_index::BuildOptions options;
  if (!output.is_none()) options.output = Path(output);
  options.rebuild = rebuild;
  options.absolute_paths = absolute_paths;
  options.validate = validate;
  options.workers = workers;
  Interruptible work(progress);
  options.cancel = &work.cancel();
  options.progress = [&work](const backtests::ImportProgress& state) {
    work.Progress(state.files_done, state.files_total);
  };
  const auto report =
      work.Run([&] { return folder_index::BuildIndex(io::PosixEnv(), folder, options); });
  nb::dict all;
  all["path"] = Text(report.path);
  all["indexed"] = report.indexed;
  all["skipped"] = report.skipped;
  all["removed"] = report.removed;
  all["failed"] = Failures(report.failed);
  nb::list warnings;
  for (const auto& warning : report.warnings) {
    warnings.append(nb::make_tuple(Text(warning.path), Text(warning.message)));
  }
  all["warnings"] = warnings;
  all["seconds"] = report.seconds;
  return all;
}

/// What `query` gives over the store, folder or index file at `path`.
template <class Query>
ArrowTable QueryTarget(const nb::object& where, Query query) {
  const std::string path = Path(where);
  return ArrowTable(Unlocked([&]() -> Result<std::shared_ptr<arrow::Table>> {
    LAMINA_ASSIGN(const auto target, store::RankTarget::Open(io::PosixEnv(), path));
    backtests::RowSet rows;
    LAMINA_TRY(target->Read([&](const backtests::RankTable& table) -> Status {
      LAMINA_ASSIGN(rows, query(table));
      return Ok();
    }));
    return RowSetToArrow(rows);
  }));
}

ArrowTable ListTarget(const nb::object& path, const std::string& sort, bool descending,
                      std::optional<std::int64_t> limit, std::int64_t offset,
                      const std::string& where, const std::vector<std::string>& columns,
                      std::optional<std::string> engine, std::optional<std::string> study,
                      std::optional<std::string> universe) {
  const auto query =
      ListQueryOf(sort, descending, limit, offset, columns,
                  SelectionOf(where, std::move(engine), std::move(study), std::move(universe)));
  return QueryTarget(
      path, [&](const backtests::RankTable& table) { return backtests::List(table, query); });
}

ArrowTable RankTarget(const nb::object& path, const std::string& by, const std::string& focus,
                      const backtests::Weights& weights, bool descending, std::int64_t limit,
                      const std::string& where, const std::vector<std::string>& columns,
                      std::optional<std::string> engine, std::optional<std::string> study,
                      std::optional<std::string> universe) {
  const auto query =
      RankQueryOf(by, focus, weights, descending, limit, columns,
                  SelectionOf(where, std::move(engine), std::move(study), std::move(universe)));
  return QueryTarget(
      path, [&](const backtests::RankTable& table) { return backtests::Rank(table, query); });
}

// ---- rows ----

nb::dict RowToPython(const IndexedRow& indexed) {
  const IndexRow& row = indexed.row;
  nb::dict one = FactsOf(row);
  one["bundle_path"] = Text(row.bundle_path);
  one["has_summary"] = row.has_summary;
  return one;
}

std::optional<std::string> TextIn(const nb::dict& row, const char* key) {
  if (!row.contains(key) || row[key].is_none()) return std::nullopt;
  return nb::cast<std::string>(row[key]);
}

Number NumberIn(const nb::dict& row, const char* key) {
  if (!row.contains(key) || row[key].is_none()) return {};
  const nb::object value = row[key];
  std::int64_t integer = 0;
  if (PyLong_Check(value.ptr()) && nb::try_cast(value, integer)) return integer;
  return nb::cast<double>(value);
}

IndexedRow RowFromPython(const nb::dict& row) {
  IndexedRow indexed;
  IndexRow& out = indexed.row;
  out.bundle_path = TextIn(row, "bundle_path").value_or("");
  out.algorithm_id = TextIn(row, "algorithm_id");
  out.anchor_algorithm_id = TextIn(row, "anchor_algorithm_id");
  out.tag = TextIn(row, "tag");
  out.framework_version = TextIn(row, "framework_version");
  out.engine = TextIn(row, "engine_type").value_or("");
  out.universe = TextIn(row, "universe_key").value_or("");
  out.study = TextIn(row, "study_name").value_or("default");
  out.study_description = TextIn(row, "study_description");
  out.risk_free_rate = NumberIn(row, "risk_free_rate");
  const Number runs = NumberIn(row, "number_of_runs");
  if (const auto* count = std::get_if<std::int64_t>(&runs)) out.number_of_runs = *count;
  out.parameters_json = TextIn(row, "parameters_json");
  out.strategy_ids_json = TextIn(row, "strategy_ids_json");
  out.extras_json = TextIn(row, "extras_json");
  out.summary_extras_json = TextIn(row, "summary_extras_json");
  const auto whole = [&](const char* key) -> std::optional<std::int64_t> {
    const Number number = NumberIn(row, key);
    const auto* integer = std::get_if<std::int64_t>(&number);
    return integer != nullptr ? std::optional(*integer) : std::nullopt;
  };
  out.bundle_mtime_ns = whole("bundle_mtime_ns");
  out.bundle_size = whole("bundle_size");
  for (std::size_t field = 0; field < backtests::kSummaryFieldCount; ++field) {
    const std::string name = "summary_" + std::string(backtests::kSummaryFields[field].name);
    out.summary[field] = NumberIn(row, name.c_str());
  }
  return indexed;
}

// ---- an open index ----

class OpenIndex {
 public:
  explicit OpenIndex(std::unique_ptr<IndexFile> file) : file_(std::move(file)) {}

  /// The index; raises InvalidArgument when it was closed. Guarded by the GIL: never released here.
  IndexFile& Get() const {
    if (file_ == nullptr) throw Raised(InvalidArgument("this index was closed"));
    return *file_;
  }
  void Close() { file_.reset(); }

 private:
  std::unique_ptr<IndexFile> file_;
};

OpenIndex OpenIndexFile(const nb::object& where, bool create) {
  const std::string path = Path(where);
  if (!create) {
    auto file = OrRaise(IndexFile::Open(path));
    // Writing needs a connection of its own kind; where that is refused, reading still works.
    if (file->kind() == IndexFile::Kind::kOurs) {
      auto writable = IndexFile::OpenToWrite(path);
      if (writable.ok()) return OpenIndex(*std::move(writable));
    }
    return OpenIndex(std::move(file));
  }
  auto file = OrRaise(IndexFile::OpenToWrite(path));
  if (file->kind() == IndexFile::Kind::kEmpty) {
    folder_index::IndexScope scope;
    scope.root = OrRaise(folder_index::RootOf(io::PosixEnv(), io::ParentPath(path)));
    OrRaise(file->Write([&]() -> Status { return file->Recreate(scope); }));
  }
  return OpenIndex(std::move(file));
}

nb::list RowsOf(const OpenIndex& self, const std::string& bundle_path) {
  nb::list rows;
  OrRaise(self.Get().ForEachRow(bundle_path, [&](const IndexedRow& row) -> Status {
    rows.append(RowToPython(row));
    return Ok();
  }));
  return rows;
}

void Upsert(const OpenIndex& self, const nb::sequence& rows) {
  IndexFile& file = self.Get();
  if (file.version() != folder_index::kIndexVersion) {
    throw Raised(InvalidArgument(
        file.path() + " was not made by this lamina; run build_index on its folder first"));
  }
  std::vector<IndexedRow> all;
  for (nb::handle row : rows) {
    all.push_back(RowFromPython(nb::cast<nb::dict>(row)));
    if (all.back().row.bundle_path.empty()) {
      throw Raised(InvalidArgument("a row needs a bundle_path, its key in the index"));
    }
  }
  OrRaise(file.Write([&]() -> Status {
    for (const IndexedRow& row : all) LAMINA_TRY(file.Upsert(row));
    return Ok();
  }));
}

bool IsUpToDate(const OpenIndex& self, const std::string& bundle_path, std::int64_t mtime_ns,
                std::int64_t size) {
  bool any = false;
  bool same = true;
  OrRaise(self.Get().ForEachRow(bundle_path, [&](const IndexedRow& row) -> Status {
    any = true;
    same &= row.row.bundle_mtime_ns == mtime_ns && row.row.bundle_size == size;
    return Ok();
  }));
  return any && same && !bundle_path.empty();
}

/// The keys of the rows that a filter takes, of all universes.
nb::list KeysOf(const OpenIndex& self, const std::string& where) {
  backtests::ListQuery query;
  query.columns = {"bundle_path", "engine_type", "universe_key", "study_name"};
  query.rows.where = where;
  query.rows.all_universes = true;
  backtests::RowSet rows;
  OrRaise(self.Get().Read([&](const backtests::RankTable& table) -> Status {
    LAMINA_ASSIGN(rows, backtests::List(table, query));
    return Ok();
  }));
  nb::list keys;
  for (const auto& row : rows.rows) {
    nb::list key;
    for (const backtests::Cell& cell : row) {
      const auto* text = std::get_if<std::string>(&cell);
      key.append(Text(text != nullptr ? *text : std::string()));
    }
    keys.append(nb::tuple(key));
  }
  return keys;
}

}  // namespace

void BindFolderIndex(nb::module_& module) {
  module.def("build_index", &BuildIndex, nb::arg("directory"), nb::arg("output").none(),
             nb::arg("rebuild"), nb::arg("absolute_paths"), nb::arg("validate"), nb::arg("workers"),
             nb::arg("progress").none(),
             nb::sig("def build_index(directory: object, output: object | None, rebuild: bool, "
                     "absolute_paths: bool, validate: bool, workers: int, progress: object | None) "
                     "-> dict[str, "
                     "object]"));
  module.def("list_target", &ListTarget, nb::arg("path"), nb::arg("sort"), nb::arg("descending"),
             nb::arg("limit").none(), nb::arg("offset"), nb::arg("where"), nb::arg("columns"),
             nb::arg("engine").none(), nb::arg("study").none(), nb::arg("universe").none());
  module.def("rank_target", &RankTarget, nb::arg("path"), nb::arg("by"), nb::arg("focus"),
             nb::arg("weights"), nb::arg("descending"), nb::arg("limit"), nb::arg("where"),
             nb::arg("columns"), nb::arg("engine").none(), nb::arg("study").none(),
             nb::arg("universe").none());
  module.def(
      "summary_fields_in_file_order",
      [] {
        nb::list names;
        for (const auto field : backtests::kSummaryFileOrder) {
          names.append(Text(backtests::kSummaryFields[field].name));
        }
        return names;
      },
      nb::sig("def summary_fields_in_file_order() -> list[str]"),
      "The summary metrics, in the order of bundles and flat rows.");
  nb::class_<OpenIndex>(module, "OpenIndex", "An open index; see lamina.SqliteBacktestIndex.")
      .def("rows", &RowsOf, nb::arg("bundle_path"),
           nb::sig("def rows(self, bundle_path: str) -> list[dict[str, object]]"))
      .def("upsert", &Upsert, nb::arg("rows"),
           nb::sig("def upsert(self, rows: Sequence[dict[str, object]]) -> None"))
      .def("is_up_to_date", &IsUpToDate, nb::arg("bundle_path"), nb::arg("mtime_ns"),
           nb::arg("size"))
      .def("keys", &KeysOf, nb::arg("where"),
           nb::sig("def keys(self, where: str) -> list[tuple[str, str, str, str]]"))
      .def("count", [](const OpenIndex& self) { return OrRaise(self.Get().CountRows()); })
      .def("close", &OpenIndex::Close);
  module.def("open_index", &OpenIndexFile, nb::arg("path"), nb::arg("create"));
}

}  // namespace lamina::python
