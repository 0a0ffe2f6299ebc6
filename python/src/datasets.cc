#include "datasets.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store.h"
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "lamina/dataset/bar_files.h"
#include "lamina/dataset/registry.h"
#include "lamina/io/env.h"
#include "lamina/store/lineage.h"

namespace lamina::python {

dataset::TimeRange RangeOf(std::optional<std::int64_t> start, std::optional<std::int64_t> end) {
  dataset::TimeRange range;
  if (start) range.start = Micros{*start};
  if (end) range.end = Micros{*end};
  return range;
}

nb::dict ToDict(const dataset::SaveReport& report) {
  nb::dict made;
  made["rows"] = report.rows;
  made["added"] = report.added;
  made["replaced"] = report.replaced;
  made["unchanged"] = report.unchanged;
  made["kept"] = report.kept;
  made["duplicates"] = report.duplicates;
  made["removed"] = report.removed;
  made["nulls"] = report.nulls;
  made["nans"] = report.nans;
  made["files"] = report.files;
  made["sorted"] = report.sorted;
  made["folder"] = Text(report.folder);
  nb::list partitions;
  for (const std::string& partition : report.partitions) partitions.append(Text(partition));
  made["partitions"] = partitions;
  const auto micros = [](const std::optional<Micros>& at) -> std::optional<std::int64_t> {
    if (!at) return {};
    return at->value;
  };
  made["first_us"] = micros(report.first);
  made["last_us"] = micros(report.last);
  made["snapshot"] = report.snapshot;
  return made;
}

nb::list ToList(const std::vector<dataset::LineageEdge>& edges) {
  nb::list made;
  for (const dataset::LineageEdge& edge : edges) {
    made.append(nb::make_tuple(Text(edge.output_kind), Text(edge.output_id), Text(edge.input_kind),
                               Text(edge.input_id), edge.input_snapshot));
  }
  return made;
}

namespace {

using dataset::Definition;

std::vector<dataset::Column> ColumnsOf(const nb::list& columns) {
  std::vector<dataset::Column> made;
  for (const nb::handle each : columns) {
    const auto column = nb::cast<nb::tuple>(each);
    made.push_back({nb::cast<std::string>(column[0]),
                    OrRaise(table::LakeTypeFromName(nb::cast<std::string>(column[1]))),
                    nb::cast<bool>(column[2])});
  }
  return made;
}

nb::dict DefinitionDict(const Definition& definition) {
  nb::dict made;
  made["name"] = Text(definition.name);
  made["kind"] = Text(definition.kind);
  made["table"] = Text(definition.lake_schema + "." + definition.name);
  nb::list columns;
  for (const dataset::Column& column : definition.columns) {
    columns.append(
        nb::make_tuple(Text(column.name), Text(table::LakeTypeName(column.type)), column.required));
  }
  made["columns"] = columns;
  nb::list keys;
  for (const std::string& key : definition.keys) keys.append(Text(key));
  made["keys"] = keys;
  made["partition"] = Text(dataset::PartitionName(definition.partition));
  made["parameters"] = Text(definition.parameters);
  return made;
}

Definition FromDict(const nb::dict& given) {
  Definition definition;
  definition.name = nb::cast<std::string>(given["name"]);
  definition.kind = nb::cast<std::string>(given["kind"]);
  definition.lake_schema = nb::cast<std::string>(given["schema"]);
  definition.columns = ColumnsOf(nb::cast<nb::list>(given["columns"]));
  definition.time_column = nb::cast<std::string>(given["time_column"]);
  definition.keys = nb::cast<std::vector<std::string>>(given["keys"]);
  definition.partition =
      OrRaise(dataset::PartitionFromName(nb::cast<std::string>(given["partition"])));
  definition.complete_column = nb::cast<std::optional<std::string>>(given["complete_column"]);
  definition.parameters = nb::cast<std::string>(given["parameters"]);
  return definition;
}

void CreateDataset(const OpenStore& self, const nb::dict& given, bool if_absent) {
  const auto engine = self.Get();
  const Definition definition = FromDict(given);
  Unlocked([&] {
    return if_absent ? engine->datasets().CreateIfAbsent(definition)
                     : engine->datasets().Create(definition);
  });
}

/// The predefined one of a kind.
void CreatePredefined(const OpenStore& self, const std::string& kind, const std::string& name,
                      std::int64_t size, const std::optional<std::vector<std::string>>& indicators,
                      const std::vector<std::string>& context, bool if_absent) {
  const auto engine = self.Get();
  Unlocked([&]() -> Status {
    Definition definition = dataset::OhlcvDefinition(name);
    if (kind == "splits") {
      definition = dataset::SplitsDefinition(name);
    } else if (kind == "latents") {
      LAMINA_ASSIGN(definition, dataset::LatentsDefinition(name, size));
    } else if (kind != "ohlcv") {
      dataset::FeatureShape shape{.instruments = size, .context = context};
      if (indicators) shape.indicators = *indicators;
      LAMINA_ASSIGN(definition, dataset::FeaturesDefinition(name, kind, shape));
    }
    return if_absent ? engine->datasets().CreateIfAbsent(definition)
                     : engine->datasets().Create(definition);
  });
}

/// A wide dataset with the columns of `rows`; one of that name is left as it is.
void CreateWide(const OpenStore& self, const std::string& name, const std::string& kind,
                const ArrowTable& rows) {
  const auto engine = self.Get();
  Unlocked([&]() -> Status {
    LAMINA_ASSIGN(auto columns, dataset::InferColumns(*rows.table(), "timestamp"));
    return engine->datasets().CreateIfAbsent(
        dataset::WideDefinition(name, kind, std::move(columns)));
  });
}

nb::dict Save(
    const OpenStore& self, const std::string& name, const ArrowTable& rows, const std::string& mode,
    const nb::dict& constants, bool assume_utc,
    std::optional<std::pair<std::optional<std::int64_t>, std::optional<std::int64_t>>> replace) {
  const auto engine = self.Get();
  dataset::SaveOptions options;
  options.mode = OrRaise(dataset::WriteModeFromName(mode));
  options.prepare.assume_utc = assume_utc;
  for (const auto [key, value] : constants) {
    dataset::Constant constant{.column = nb::cast<std::string>(key), .value = false};
    if (nb::isinstance<nb::bool_>(value)) {
      constant.value = nb::cast<bool>(value);
    } else if (nb::isinstance<nb::int_>(value)) {
      constant.value = nb::cast<std::int64_t>(value);
    } else {
      constant.value = nb::cast<std::string>(value);
    }
    options.prepare.constants.push_back(std::move(constant));
  }
  if (replace) options.replace = RangeOf(replace->first, replace->second);
  return ToDict(Unlocked([&] { return engine->datasets().Save(name, *rows.table(), options); }));
}

using Filters = std::vector<std::pair<std::string, std::vector<std::string>>>;

std::vector<dataset::KeyFilter> KeysOf(const Filters& filters) {
  std::vector<dataset::KeyFilter> keys;
  for (const auto& [column, values] : filters) keys.push_back({column, values});
  return keys;
}

ArrowTable Load(const OpenStore& self, const std::string& name, std::optional<std::int64_t> start,
                std::optional<std::int64_t> end, const Filters& keys,
                const std::optional<std::vector<std::string>>& columns,
                std::optional<std::int64_t> snapshot, bool by_time) {
  const auto engine = self.Get();
  dataset::LoadRequest request{.time = RangeOf(start, end),
                               .keys = KeysOf(keys),
                               .columns = columns,
                               .snapshot = snapshot,
                               .by_time = by_time};
  return ArrowTable(Unlocked([&] { return engine->datasets().Load(name, request); }));
}

nb::list List(const OpenStore& self, std::optional<std::int64_t> snapshot) {
  const auto engine = self.Get();
  const auto infos = Unlocked([&] { return engine->datasets().List(snapshot); });
  nb::list made;
  for (const dataset::DatasetInfo& info : infos) {
    nb::dict one = DefinitionDict(info.definition);
    one["rows"] = info.rows;
    one["files"] = info.files;
    one["bytes"] = info.bytes;
    made.append(one);
  }
  return made;
}

dataset::RegistryTable TableNamed(const std::string& name) {
  using dataset::RegistryTable;
  for (const RegistryTable each : {RegistryTable::kFiles, RegistryTable::kFetches,
                                   RegistryTable::kRuns, RegistryTable::kModels}) {
    if (dataset::RegistryTableName(each) == name) return each;
  }
  throw Raised(InvalidArgument("the registry has no table '" + name + "'"));
}

dataset::RegistryRow RowOf(const nb::dict& given) {
  dataset::RegistryRow row;
  for (const auto [key, value] : given) {
    dataset::RegistryCell cell;
    if (nb::isinstance<nb::int_>(value)) {
      cell = nb::cast<std::int64_t>(value);
    } else if (nb::isinstance<nb::float_>(value)) {
      cell = nb::cast<double>(value);
    } else if (!value.is_none()) {
      cell = nb::cast<std::string>(value);
    }
    row.emplace_back(nb::cast<std::string>(key), std::move(cell));
  }
  return row;
}

nb::list RegistryRows(const OpenStore& self, const std::string& table, const nb::dict& where) {
  const auto engine = self.Get();
  const auto which = TableNamed(table);
  const auto condition = RowOf(where);
  const auto rows = Unlocked([&] { return engine->registry().Rows(which, condition); });
  nb::list made;
  for (const dataset::RegistryRow& row : rows) {
    nb::dict one;
    for (const auto& [name, cell] : row) {
      const nb::str key = Text(name);
      if (const auto* whole = std::get_if<std::int64_t>(&cell)) {
        one[key] = *whole;
      } else if (const auto* number = std::get_if<double>(&cell)) {
        one[key] = *number;
      } else if (const auto* text = std::get_if<std::string>(&cell)) {
        one[key] = Text(*text);
      } else {
        one[key] = nb::none();
      }
    }
    made.append(one);
  }
  return made;
}

void BindRegistry(nb::class_<OpenStore>& store) {
  store
      .def(
          "registry_put",
          [](const OpenStore& self, const std::string& table, const nb::list& given) {
            const auto engine = self.Get();
            const auto which = TableNamed(table);
            std::vector<dataset::RegistryRow> rows;
            for (const nb::handle row : given) rows.push_back(RowOf(nb::cast<nb::dict>(row)));
            return Unlocked([&] { return engine->registry().PutAll(which, rows); });
          },
          nb::arg("table"), nb::arg("rows"),
          nb::sig("def registry_put(self, table: str, rows: list[dict[str, object]]) -> list[int]"))
      .def("registry_rows", &RegistryRows, nb::arg("table"), nb::arg("where"),
           nb::sig("def registry_rows(self, table: str, where: dict[str, object])"
                   " -> list[dict[str, object]]"))
      .def(
          "registry_remove_files",
          [](const OpenStore& self, const std::vector<std::string>& paths) {
            const auto engine = self.Get();
            return Unlocked([&] { return engine->registry().RemoveFiles(paths); });
          },
          nb::arg("paths"))
      .def(
          "registry_verified",
          [](const OpenStore& self, const std::vector<std::string>& paths) {
            const auto engine = self.Get();
            Unlocked([&] { return engine->registry().MarkVerified(paths); });
          },
          nb::arg("paths"))
      .def(
          "lineage_add",
          [](const OpenStore& self, const nb::list& given) {
            const auto engine = self.Get();
            std::vector<dataset::LineageEdge> edges;
            for (const nb::handle each : given) {
              const auto edge = nb::cast<nb::tuple>(each);
              edges.push_back({nb::cast<std::string>(edge[0]), nb::cast<std::string>(edge[1]),
                               nb::cast<std::string>(edge[2]), nb::cast<std::string>(edge[3]),
                               nb::cast<std::optional<std::int64_t>>(edge[4])});
            }
            Unlocked([&] { return engine->registry().AddLineage(edges); });
          },
          nb::arg("edges"),
          nb::sig("def lineage_add(self, edges: list[tuple[str, str, str, str, int | None]])"
                  " -> None"))
      .def(
          "lineage_of",
          [](const OpenStore& self, const std::string& kind, const std::string& id) {
            const auto engine = self.Get();
            return ToList(Unlocked([&] { return store::LineageOf(*engine, kind, id); }));
          },
          nb::arg("kind"), nb::arg("id"),
          nb::sig("def lineage_of(self, kind: str, id: str)"
                  " -> list[tuple[str, str, str, str, int | None]]"))
      .def(
          "lineage_stale",
          [](const OpenStore& self) {
            const auto engine = self.Get();
            return ToList(Unlocked([&] { return store::StaleEdges(*engine); }));
          },
          nb::sig("def lineage_stale(self) -> list[tuple[str, str, str, str, int | None]]"));
}

nb::dict ReadBarCsv(const nb::object& path) {
  const std::string file = Path(path);
  const dataset::BarFile bars = Unlocked([&]() -> Result<dataset::BarFile> {
    LAMINA_ASSIGN(const std::string text, io::PosixEnv().ReadFile(file, std::int64_t{4} << 30));
    return dataset::ParseBarCsv(text, file);
  });
  const dataset::BarFileName name = dataset::ReadBarFileName(file);
  nb::dict made;
  made["rows"] = ArrowTable(bars.rows);
  made["instrument"] = Text(bars.instrument.value_or(name.instrument));
  made["timeframe"] = name.timeframe;
  nb::list rejected;
  for (const dataset::RejectedRow& row : bars.rejected) {
    rejected.append(nb::make_tuple(row.line, Text(row.message)));
  }
  made["rejected"] = rejected;
  return made;
}

}  // namespace

void BindBarFiles(nb::module_& module) {
  module.def("read_bar_csv", &ReadBarCsv, nb::arg("path"),
             nb::sig("def read_bar_csv(path: object) -> dict[str, object]"),
             "Bars of a CSV file: rows, instrument, timeframe, rejected.");
}

void BindDatasets(nb::class_<OpenStore>& store) {
  store
      .def("dataset_create", &CreateDataset, nb::arg("definition"), nb::arg("if_absent"),
           nb::sig("def dataset_create(self, definition: dict[str, object], if_absent: bool)"
                   " -> None"))
      .def("dataset_create_predefined", &CreatePredefined, nb::arg("kind"), nb::arg("name"),
           nb::arg("size"), nb::arg("indicators").none(), nb::arg("context"), nb::arg("if_absent"))
      .def("dataset_create_wide", &CreateWide, nb::arg("name"), nb::arg("kind"), nb::arg("rows"))
      .def("dataset_list", &List, nb::arg("snapshot").none(),
           nb::sig("def dataset_list(self, snapshot: int | None) -> list[dict[str, object]]"))
      .def(
          "dataset_add_columns",
          [](const OpenStore& self, const std::string& name, const nb::list& columns) {
            const auto engine = self.Get();
            const auto added = ColumnsOf(columns);
            Unlocked([&] { return engine->datasets().AddColumns(name, added); });
          },
          nb::arg("name"), nb::arg("columns"),
          nb::sig("def dataset_add_columns(self, name: str, columns: list[tuple[str, str, bool]])"
                  " -> None"))
      .def("dataset_save", &Save, nb::arg("name"), nb::arg("rows"), nb::arg("mode"),
           nb::arg("constants"), nb::arg("assume_utc"), nb::arg("replace").none(),
           nb::sig("def dataset_save(self, name: str, rows: ArrowTable, mode: str, constants: "
                   "dict[str, object], assume_utc: bool, replace: tuple[int | None, int | None] | "
                   "None) -> dict[str, object]"))
      .def(
          "dataset_delete",
          [](const OpenStore& self, const std::string& name, std::optional<std::int64_t> start,
             std::optional<std::int64_t> end, const Filters& keys) {
            const auto engine = self.Get();
            return ToDict(Unlocked([&] {
              return engine->datasets().Delete(name, RangeOf(start, end), KeysOf(keys));
            }));
          },
          nb::arg("name"), nb::arg("start").none(), nb::arg("end").none(), nb::arg("keys"),
          nb::sig("def dataset_delete(self, name: str, start: int | None, end: int | None, keys: "
                  "list[tuple[str, list[str]]]) -> dict[str, object]"))
      .def("dataset_load", &Load, nb::arg("name"), nb::arg("start").none(), nb::arg("end").none(),
           nb::arg("keys"), nb::arg("columns").none(), nb::arg("snapshot").none(),
           nb::arg("by_time"));
  BindRegistry(store);
}

}  // namespace lamina::python
