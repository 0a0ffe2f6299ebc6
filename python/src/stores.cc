#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backtest_facts.h"
#include "document.h"
#include "interruptible.h"
#include "store.h"
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/ohlcv_references.h"
#include "lamina/backtests/rebuild_index.h"
#include "lamina/stores/bundle_backtest.h"
#include "lamina/stores/local_dir_store.h"
#include "lamina/stores/local_tiered_store.h"

namespace lamina::python {
namespace {

using stores::BundleBacktest;
using stores::LocalDirStore;
using stores::LocalTieredStore;

/// A folder of bundles as Python holds it.
class OpenFolder {
 public:
  explicit OpenFolder(std::unique_ptr<LocalDirStore> store) : store_(std::move(store)) {}
  LocalDirStore& store() const { return *store_; }

 private:
  std::unique_ptr<LocalDirStore> store_;
};

void OpenTheFolder(OpenFolder* self, const nb::object& root, bool create, int level) {
  const std::string path = Path(root);
  LocalDirStore::Options options;
  options.create = create;
  options.level = level;
  new (self)
      OpenFolder(Unlocked([&] { return LocalDirStore::Open(io::PosixEnv(), path, options); }));
}

/// Work on an OpenFolder or an OpenStore through the face they share.
template <class Work>
auto WithStore(const nb::object& store, Work work) {
  if (nb::isinstance<OpenFolder>(store)) return work(nb::cast<OpenFolder&>(store).store());
  const auto engine = nb::cast<OpenStore&>(store).Get();
  LocalTieredStore tiered(engine->backtests());
  return work(static_cast<stores::BacktestStore&>(tiered));
}

backtests::ImportOptions OptionsOf(Interruptible& work, std::size_t workers, bool keep_going,
                                   bool replace) {
  backtests::ImportOptions options;
  options.workers = workers;
  options.keep_going = keep_going;
  options.replace = replace;
  options.cancel = &work.cancel();
  options.progress = [&work](const backtests::ImportProgress& state) {
    work.Progress(state.files_done, state.files_total);
  };
  return options;
}

nb::dict Copy(const nb::object& source, const nb::object& target,
              const std::vector<std::string>& handles, bool replace, std::size_t workers,
              const nb::object& progress) {
  return WithStore(source, [&](stores::BacktestStore& from) {
    return WithStore(target, [&](stores::BacktestStore& to) {
      Interruptible work(progress);
      const auto options = OptionsOf(work, workers, true, replace);
      return ReportOf(work.Run([&] { return to.CopyFrom(from, handles, options); }));
    });
  });
}

nb::dict Import(const nb::object& store, const nb::sequence& paths, std::size_t workers,
                bool keep_going, bool replace, const nb::object& progress) {
  std::vector<std::string> where;
  for (nb::handle path : paths) where.push_back(Path(path));
  return WithStore(store, [&](stores::BacktestStore& to) {
    Interruptible work(progress);
    const auto options = OptionsOf(work, workers, keep_going, replace);
    return ReportOf(work.Run([&]() -> Result<backtests::ImportReport> {
      LAMINA_ASSIGN(const auto sources, backtests::FindBacktests(io::PosixEnv(), where));
      return to.Import(sources, options);
    }));
  });
}

/// RETURNS kAlreadyExists as a report would say it.
void ImportFile(const nb::object& store, const nb::object& path, const std::string& handle,
                bool replace) {
  const std::string where = Path(path);
  WithStore(store, [&](stores::BacktestStore& to) {
    Unlocked([&]() -> Status {
      LAMINA_ASSIGN(const auto info, io::PosixEnv().Stat(where));
      backtests::ImportOptions options;
      options.replace = replace;
      options.workers = 1;
      // A folder tells two files of one name apart by their suffixes.
      const std::string name(to.kind() == "local-dir" ? std::string_view(handle)
                                                      : stores::WithoutBundleSuffix(handle));
      LAMINA_ASSIGN(const auto report, to.Import({{where, name, info.size}}, options));
      if (report.failed.empty()) return Ok();
      return Error(report.failed[0].code, report.failed[0].path + ": " + report.failed[0].message);
    });
  });
}

void Put(const nb::object& store, const std::string& handle, std::uint32_t version,
         const nb::bytes& document, bool replace) {
  std::string bytes(document.c_str(), document.size());
  WithStore(store, [&](stores::BacktestStore& to) {
    Unlocked([&]() -> Status {
      LAMINA_TRY(to.Put(handle, version, std::move(bytes), replace));
      return Ok();
    });
  });
}

/// `sources`: paths, or pairs of version and document.
nb::dict Merge(const nb::object& store, const std::string& handle, const nb::sequence& sources,
               bool replace_windows) {
  std::vector<backtests::MergeSource> given;
  for (nb::handle source : sources) {
    backtests::MergeSource one;
    if (nb::isinstance<nb::tuple>(source)) {
      const auto pair = nb::cast<std::pair<std::uint32_t, nb::bytes>>(source);
      one.version = pair.first;
      one.document.assign(pair.second.c_str(), pair.second.size());
    } else {
      one.path = Path(source);
    }
    given.push_back(std::move(one));
  }
  const auto report = WithStore(store, [&](stores::BacktestStore& to) {
    return Unlocked([&]() -> Result<backtests::MergeReport> {
      for (backtests::MergeSource& source : given) {
        if (!source.path) continue;
        LAMINA_ASSIGN(source, backtests::ReadMergeSource(io::PosixEnv(), *source.path));
      }
      return to.Merge(handle, given, replace_windows);
    });
  });
  nb::dict all;
  all["unchanged"] = report.unchanged;
  all["runs_added"] = report.runs_added;
  all["runs_replaced"] = report.runs_replaced;
  all["runs_unchanged"] = report.runs_unchanged;
  all["warnings"] = Texts(report.warnings);
  return all;
}

nb::dict Export(const OpenFolder& self, const std::string& handle, const nb::object& path,
                std::optional<std::uint32_t> format_version, std::optional<int> level) {
  const std::string target = Path(path);
  backtests::ExportOptions options;
  options.format_version = format_version;
  options.level = level;
  return ReportOf(Unlocked([&] { return self.store().Export(handle, target, options); }));
}

std::unique_ptr<BundleBacktest> Find(const OpenFolder& self, const std::string& handle) {
  return Unlocked([&]() -> Result<std::unique_ptr<BundleBacktest>> {
    LAMINA_ASSIGN(const std::string path, self.store().PathOf(handle));
    return BundleBacktest::Read(io::PosixEnv(), path, handle);
  });
}

nb::list IndexRowsOf(const BundleBacktest& self) {
  nb::list all;
  for (const backtests::IndexRow& row : self.index_rows()) all.append(FactsOf(row, {}));
  return all;
}

ArrowTable RowsOf(BundleBacktest& self, const std::string& name,
                  const std::vector<std::string>& run_ids) {
  return ArrowTable(Unlocked([&]() -> Result<std::shared_ptr<arrow::Table>> {
    LAMINA_ASSIGN(const auto table, TableNamed(name));
    LAMINA_ASSIGN(const auto ids, RunIds(run_ids));
    return self.ReadRows(table, ids);
  }));
}

ArrowTable SeriesOf(BundleBacktest& self, const std::string& run_id, const std::string& name) {
  return ArrowTable(Unlocked([&]() -> Result<std::shared_ptr<arrow::Table>> {
    LAMINA_ASSIGN(const Uuid id, RunId(run_id));
    return self.ReadSeries(id, name);
  }));
}

nb::list Unreachable(const OpenFolder& self) {
  const auto found = Unlocked([&] { return self.store().Unreachable(); });
  nb::list all;
  for (const auto& one : found) {
    all.append(nb::make_tuple(Text(one.path), Text(one.message)));
  }
  return all;
}

/// Rows of a lake table over all runs, in the order of run_id.
ArrowTable Scan(const OpenStore& self, const std::string& name,
                const std::optional<std::vector<std::string>>& columns) {
  const auto engine = self.Get();
  return ArrowTable(Unlocked([&]() -> Result<std::shared_ptr<arrow::Table>> {
    LAMINA_ASSIGN(const auto table, TableNamed(name));
    return engine->backtests().Scan(table, columns);
  }));
}

nb::list Hashes(const std::vector<Sha256Digest>& hashes) {
  nb::list all;
  for (const Sha256Digest& hash : hashes) all.append(hash.Hex());
  return all;
}

nb::list OhlcvUses(const OpenStore& self) {
  const auto engine = self.Get();
  nb::list all;
  for (const auto& use : Unlocked([&] { return backtests::OhlcvUses(engine->backtests()); })) {
    if (use.sha256) all.append(use.sha256->Hex());
  }
  return all;
}

nb::list OhlcvBlobs(const OpenStore& self) {
  const auto engine = self.Get();
  std::vector<Sha256Digest> hashes;
  for (const auto& blob : Unlocked([&] { return backtests::OhlcvBlobs(engine->backtests()); })) {
    hashes.push_back(blob.sha256);
  }
  return Hashes(hashes);
}

nb::dict OhlcvStatsOf(const OpenStore& self) {
  const auto engine = self.Get();
  const auto stats = Unlocked([&] { return backtests::ReadOhlcvStats(engine->backtests()); });
  nb::dict all;
  all["stored_blobs"] = stats.stored_blobs;
  all["stored_bytes"] = stats.stored_bytes;
  all["referenced_blobs"] = stats.referenced_blobs;
  all["orphan_blobs"] = stats.orphan_blobs;
  all["missing_blobs"] = stats.missing_blobs;
  return all;
}

nb::list CollectOhlcv(const OpenStore& self, bool dry_run, bool keep_deleted) {
  const auto engine = self.Get();
  return Hashes(Unlocked([&] {
    return backtests::CollectOhlcv(engine->backtests(),
                                   {.dry_run = dry_run, .keep_deleted = keep_deleted});
  }));
}

std::int64_t RebuildTheIndex(const OpenStore& self) {
  const auto engine = self.Get();
  Interruptible work{nb::none()};
  return work.Run([&] { return backtests::RebuildIndex(engine->backtests(), &work.cancel()); });
}

void BindFolder(nb::module_& module) {
  nb::class_<BundleBacktest> bundle_backtest(module, "BundleBacktest",
                                             "A backtest in a bundle; see lamina.Backtest.");
  BindMadeBacktests(module, bundle_backtest);
  bundle_backtest.def("record", [](const BundleBacktest& self) { return FactsOf(self.record()); })
      .def("runs",
           [](BundleBacktest& self) { return FactsOf(Unlocked([&] { return self.Runs(); })); })
      .def("index_rows", &IndexRowsOf)
      .def("document", [](const BundleBacktest& self) { return DocumentToPython(self.document()); })
      .def("document_bytes",
           [](const BundleBacktest& self) {
             return nb::bytes(self.document().data(), self.document().size());
           })
      .def("series", &SeriesOf, nb::arg("run_id"), nb::arg("name"))
      .def("rows", &RowsOf, nb::arg("table"), nb::arg("run_ids"));

  nb::class_<OpenFolder>(module, "OpenFolder", "A folder of bundles; see lamina.LocalDirStore.")
      .def("__init__", &OpenTheFolder, nb::arg("root"), nb::arg("create"), nb::arg("level"))
      .def_prop_ro("root", [](const OpenFolder& self) { return Text(self.store().root()); })
      .def("handles",
           [](const OpenFolder& self) {
             return Texts(Unlocked([&] { return self.store().Handles(); }));
           })
      .def("unreachable", &Unreachable)
      .def("path_of",
           [](const OpenFolder& self, const std::string& handle) {
             return Text(Unlocked([&] { return self.store().PathOf(handle); }));
           })
      .def("find", &Find, nb::arg("handle"))
      .def("export_bundle", &Export, nb::arg("handle"), nb::arg("path"),
           nb::arg("format_version").none(), nb::arg("level").none());
}

}  // namespace

void BindStores(nb::module_& module, nb::class_<OpenStore>& open_store) {
  BindFolder(module);
  open_store.def("rebuild_index", &RebuildTheIndex)
      .def("scan", &Scan, nb::arg("name"), nb::arg("columns").none())
      .def("ohlcv_uses", &OhlcvUses, nb::sig("def ohlcv_uses(self) -> list[str]"))
      .def("ohlcv_blobs", &OhlcvBlobs, nb::sig("def ohlcv_blobs(self) -> list[str]"))
      .def("ohlcv_stats", &OhlcvStatsOf, nb::sig("def ohlcv_stats(self) -> dict[str, int]"))
      .def("collect_ohlcv", &CollectOhlcv, nb::arg("dry_run"), nb::arg("keep_deleted"),
           nb::sig("def collect_ohlcv(self, dry_run: bool, keep_deleted: bool) -> list[str]"));
  module.def("copy_backtests", &Copy, nb::arg("source"), nb::arg("target"), nb::arg("handles"),
             nb::arg("replace"), nb::arg("workers"), nb::arg("progress").none());
  module.def("import_bundles", &Import, nb::arg("store"), nb::arg("paths"), nb::arg("workers"),
             nb::arg("keep_going"), nb::arg("replace"), nb::arg("progress").none());
  module.def("import_file", &ImportFile, nb::arg("store"), nb::arg("path"), nb::arg("handle"),
             nb::arg("replace"));
  module.def("merge_backtest", &Merge, nb::arg("store"), nb::arg("handle"), nb::arg("sources"),
             nb::arg("replace_windows"));
  module.def("put_document", &Put, nb::arg("store"), nb::arg("handle"), nb::arg("version"),
             nb::arg("document"), nb::arg("replace"));
  module.def(
      "delete_backtest",
      [](const nb::object& store, const std::string& handle) {
        WithStore(store, [&](stores::BacktestStore& from) {
          Unlocked([&] { return from.Delete(handle); });
        });
      },
      nb::arg("store"), nb::arg("handle"));
  module.def(
      "has_backtest",
      [](const nb::object& store, const std::string& handle) {
        return WithStore(store, [&](stores::BacktestStore& in) {
          return Unlocked([&] { return in.Exists(handle); });
        });
      },
      nb::arg("store"), nb::arg("handle"));
  module.def(
      "check_handle", [](const std::string& handle) { OrRaise(backtests::CheckHandle(handle)); },
      nb::arg("handle"));
  module.def(
      "encode_document",
      [](nb::handle document) {
        const std::string bytes = DocumentFromPython(document);
        return nb::bytes(bytes.data(), bytes.size());
      },
      nb::arg("document"));
}

}  // namespace lamina::python
