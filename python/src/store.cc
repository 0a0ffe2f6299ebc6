#include "store.h"

#include <cstdint>
#include <optional>

#include "ticks.h"
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "lamina/catalog/snapshot_export.h"
#include "lamina/store/stats.h"

namespace lamina::python {
namespace {

void Open(OpenStore* self, const nb::object& root, bool create, bool read_only) {
  store::StoreOptions options;
  options.create = create;
  options.read_only = read_only;
  const std::string path = Path(root);
  auto opened = Unlocked([&] { return store::Store::Open(io::PosixEnv(), path, options); });
  new (self) OpenStore(std::move(opened));
}

nb::list Snapshots(const OpenStore& self) {
  const auto engine = self.Get();
  const auto snapshots = Unlocked([&] { return engine->Snapshots(); });
  nb::list rows;
  for (const catalog::LakeSnapshot& snapshot : snapshots) {
    nb::dict row;
    row["snapshot_id"] = snapshot.snapshot_id;
    row["time_us"] = snapshot.time.value;
    row["schema_version"] = snapshot.schema_version;
    row["changes"] = Text(snapshot.changes);
    row["author"] = Text(snapshot.author);
    row["message"] = Text(snapshot.message);
    rows.append(row);
  }
  return rows;
}

nb::tuple ExportSnapshot(const OpenStore& self, const nb::object& path,
                         std::optional<std::int64_t> snapshot) {
  const auto engine = self.Get();
  const std::string target = Path(path);
  const std::int64_t exported =
      Unlocked([&] { return catalog::ExportSnapshotCatalog(engine->catalog(), snapshot, target); });
  return nb::make_tuple(exported, Text(target));
}

nb::dict CheckLakeBytes(const OpenStore& self, std::int64_t snapshot,
                        const std::vector<std::string>& tables, std::optional<std::int64_t> limit) {
  const auto engine = self.Get();
  const auto report =
      Unlocked([&] { return self.lake_bytes().Check(engine->catalog(), snapshot, tables, limit); });
  nb::dict row;
  row["checked"] = report.checked;
  row["known"] = report.known;
  row["left"] = report.left;
  return row;
}

std::int64_t LatestSnapshot(const OpenStore& self) {
  const auto engine = self.Get();
  return Unlocked([&]() -> Result<std::int64_t> {
    std::int64_t latest = 0;
    LAMINA_TRY(engine->catalog().Read([&](catalog::Database& database) -> Status {
      LAMINA_ASSIGN(latest, catalog::LakeReader(database).LatestSnapshot());
      return Ok();
    }));
    return latest;
  });
}

nb::dict Stats(const OpenStore& self) {
  const auto engine = self.Get();
  const store::StoreStats stats = Unlocked([&] { return store::ReadStats(*engine); });
  nb::dict all;
  all["root"] = Text(stats.root);
  all["store_id"] = Text(stats.store_id);
  all["format_version"] = stats.format_version;
  all["snapshot"] = stats.snapshot;
  all["backtests"] = stats.backtests;
  all["runs"] = stats.runs;
  all["run_references"] = stats.run_references;
  all["document_bytes"] = stats.document_bytes;
  all["file_bytes"] = stats.file_bytes;
  all["catalog_bytes"] = stats.catalog_bytes;
  all["objects_bytes"] = stats.objects_bytes;
  all["total_bytes"] = stats.total_bytes;
  nb::list tables;
  for (const store::TableStats& table : stats.tables) {
    nb::dict one;
    one["table"] = Text(table.name);
    one["rows"] = table.rows;
    one["files"] = table.files;
    one["bytes"] = table.bytes;
    tables.append(one);
  }
  all["tables"] = tables;
  nb::list chunks;
  for (const store::ChunkStats& chunk : stats.chunks) {
    nb::dict one;
    one["kind"] = Text(chunk.kind);
    one["chunks"] = chunk.chunks;
    one["references"] = chunk.references;
    one["content_bytes"] = chunk.content_bytes;
    one["stored_bytes"] = chunk.stored_bytes;
    chunks.append(one);
  }
  all["chunks"] = chunks;
  return all;
}

}  // namespace

void BindStore(nb::module_& module) {
  nb::class_<OpenStore> store(module, "OpenStore", "An open store; see lamina.Store.");
  store
      .def("__init__", &Open, nb::arg("root"), nb::arg("create") = false,
           nb::arg("read_only") = false)
      .def_prop_ro("root", [](const OpenStore& self) { return Text(self.Get()->root()); })
      .def_prop_ro("store_id",
                   [](const OpenStore& self) { return self.Get()->config().store_id.ToString(); })
      .def("close",
           [](OpenStore& self) {
             auto engine = self.Take();
             nb::gil_scoped_release release;
             engine.reset();
           })
      .def("latest_snapshot", &LatestSnapshot)
      .def("snapshots", &Snapshots, nb::sig("def snapshots(self) -> list[dict[str, object]]"))
      .def("export_snapshot", &ExportSnapshot, nb::arg("path"), nb::arg("snapshot").none(),
           nb::sig(
               "def export_snapshot(self, path: object, snapshot: int | None) -> tuple[int, str]"))
      .def("check_lake_bytes", &CheckLakeBytes, nb::arg("snapshot"), nb::arg("tables"),
           nb::arg("limit").none(),
           nb::sig("def check_lake_bytes(self, snapshot: int, tables: list[str], "
                   "limit: int | None) -> dict[str, int]"))
      .def("stats", &Stats, nb::sig("def stats(self) -> dict[str, object]"));
  BindBacktests(module, store);
  BindInstruments(store);
  BindTicks(module, store);
  BindDatasets(store);
  BindBarFiles(module);
  BindMadeBars(store);
  BindStores(module, store);
  BindUpkeep(module, store);
}

}  // namespace lamina::python
