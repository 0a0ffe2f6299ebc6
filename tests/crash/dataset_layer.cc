#include "layer.h"
#include <arrow/api.h>

#include "lamina/bars/make_bars.h"
#include "lamina/dataset/dataset_test_support.h"

namespace lamina::crash {

std::unique_ptr<Layer> MakeDatasets(const std::string& folder);
std::unique_ptr<Layer> MakeRegistry(const std::string& folder);

namespace {

using dataset::test::At;
using dataset::test::Bars;
using store::Store;

/// Hours of the last days of one year and the first of the next, and some of a third one: several
/// partitions in one commit.
constexpr std::int64_t kYear = 365 * 24;

StoreLayer::Work Save(const std::string& name, std::vector<std::int64_t> hours, double close,
                      dataset::SaveOptions options) {
  return [=](Store& store) -> Status {
    const auto saved = store.datasets().Save(name, *Bars(hours, close), options);
    return saved.ok() ? Ok() : Status(saved.error().Clone());
  };
}

Status Make(Store& store) { return store.datasets().CreateIfAbsent(dataset::OhlcvDefinition()); }

std::unique_ptr<Layer> OfDatasets(const std::string& folder) {
  auto layer = std::make_unique<StoreLayer>(folder + "/store");
  const auto of = [](const char* name, bool complete = true) {
    return dataset::test::Of(name, complete);
  };
  dataset::SaveOptions replace = of("EUR");
  replace.mode = dataset::WriteMode::kReplace;
  layer->Before(Make);
  layer->Before(Save("ohlcv", {0, 1, kYear, kYear + 1}, 1, of("GBP")));
  layer->Then(Save("ohlcv", {0, 1, 2, kYear, kYear + 1, 2 * kYear}, 1, of("EUR")));
  // Stored rows are replaced, and kept; a file is retired, another gets a delete file.
  layer->Then(Save("ohlcv", {1, 2, 3, kYear}, 9, of("EUR")));
  layer->Then(Save("ohlcv", {1, 5}, 50, of("EUR", false)));
  layer->Then(Save("ohlcv", {kYear, kYear + 2}, 70, replace));
  layer->Then([](Store& store) -> Status {
    const auto gone = store.datasets().Delete("ohlcv", {At(2), At(kYear + 1)},
                                              {{"instrument", {"GBP"}}, {"timeframe", {"1h"}}});
    return gone.ok() ? Ok() : Status(gone.error().Clone());
  });
  layer->Then([](Store& store) -> Status {
    Status added = store.datasets().AddColumns("ohlcv", {{"spread"}});
    // It was there when the answer got lost.
    if (!added.ok() && added.error().code() == ErrorCode::kAlreadyExists) return Ok();
    return added;
  });
  layer->Then([](Store& store) -> Status {
    bars::ResampleRequest request;
    request.shape.rule = "2h";
    const auto made = bars::ResampleStored(store.datasets(), request);
    return made.ok() ? Ok() : Status(made.error().Clone());
  });
  layer->Then([](Store& store) -> Status {
    return store.datasets().CreateIfAbsent(*dataset::LatentsDefinition("latents", 3));
  });
  return layer;
}

dataset::RegistryRow File(const std::string& path, const std::string& checksum) {
  return {{"file_path", path},
          {"instrument", std::string("EUR")},
          {"data_type", std::string("ohlcv")},
          {"start_date", std::string("2022-01-01")},
          {"end_date", std::string("2022-01-02")},
          {"record_count", std::int64_t{3}},
          {"file_size", std::int64_t{100}},
          {"checksum", checksum}};
}

/// A row that has no name of its own: once.
Status PutOnce(Store& store, dataset::RegistryTable table, const dataset::RegistryRow& row) {
  LAMINA_ASSIGN(const auto there, store.registry().Rows(table));
  if (!there.empty()) return Ok();
  const auto made = store.registry().Put(table, row);
  return made.ok() ? Ok() : Status(made.error().Clone());
}

std::unique_ptr<Layer> OfRegistry(const std::string& folder) {
  using dataset::RegistryTable;
  auto layer = std::make_unique<StoreLayer>(folder + "/store");
  const auto put = [](std::vector<dataset::RegistryRow> rows) -> StoreLayer::Work {
    return [rows = std::move(rows)](Store& store) -> Status {
      const auto ids = store.registry().PutAll(RegistryTable::kFiles, rows);
      return ids.ok() ? Ok() : Status(ids.error().Clone());
    };
  };
  layer->Before(Make);
  layer->Then(put({File("a", "1"), File("b", "2"), File("c", "3")}));
  layer->Then(put({File("b", "4"), File("d", "5")}));
  layer->Then([](Store& store) -> Status {
    return PutOnce(store, RegistryTable::kRuns,
                   {{"run_type", std::string("training")},
                    {"config_hash", std::string("h")},
                    {"input_files", std::string("[1, 2]")},
                    {"output_files", std::string("[3]")},
                    {"status", std::string("success")}});
  });
  layer->Then([](Store& store) -> Status {
    return PutOnce(store, RegistryTable::kModels,
                   {{"model_type", std::string("gbdt")},
                    {"version", std::string("1")},
                    {"file_path", std::string("m")},
                    {"config_hash", std::string("h")},
                    {"training_run_id", std::int64_t{1}}});
  });
  layer->Then([](Store& store) {
    return store.registry().AddLineage({{"artifact", "1", "processing_run", "1"},
                                        {"processing_run", "1", "file", "1"},
                                        {"processing_run", "1", "file", "2"}});
  });
  layer->Then([](Store& store) -> Status {
    const auto gone = store.registry().RemoveFiles({"a", "d"});
    return gone.ok() ? Ok() : Status(gone.error().Clone());
  });
  return layer;
}

}  // namespace

std::unique_ptr<Layer> MakeDatasets(const std::string& folder) { return OfDatasets(folder); }
std::unique_ptr<Layer> MakeRegistry(const std::string& folder) { return OfRegistry(folder); }

Status DescribeDatasets(store::Store& store, std::vector<std::string>& lines) {
  LAMINA_ASSIGN(const auto datasets, store.datasets().List());
  for (const dataset::DatasetInfo& info : datasets) {
    const std::string& name = info.definition.name;
    lines.push_back("dataset " + name + " " + std::to_string(info.definition.columns.size()));
    LAMINA_ASSIGN(const auto rows, store.datasets().Load(name, {}));
    for (std::int64_t row = 0; row < rows->num_rows(); ++row) {
      std::string line = name;
      for (const auto& column : rows->columns()) {
        const auto cell = column->GetScalar(row);
        if (!cell.ok()) return Corruption(cell.status().ToString());
        line += " " + (*cell)->ToString();
      }
      lines.push_back(std::move(line));
    }
  }
  using dataset::RegistryTable;
  for (const RegistryTable table :
       {RegistryTable::kFiles, RegistryTable::kRuns, RegistryTable::kModels}) {
    LAMINA_ASSIGN(const auto rows, store.registry().Rows(table));
    for (const dataset::RegistryRow& row : rows) {
      std::string line(dataset::RegistryTableName(table));
      for (const auto& [name, cell] : row) {
        // What the clock and the crash decide.
        if (name == "created_at" || (name == "id" && table == RegistryTable::kFiles)) continue;
        if (const auto* text = std::get_if<std::string>(&cell)) line += " " + *text;
        if (const auto* number = std::get_if<std::int64_t>(&cell)) {
          line += " " + std::to_string(*number);
        }
      }
      lines.push_back(std::move(line));
    }
  }
  LAMINA_ASSIGN(const auto edges, store.registry().NewestEdges());
  for (const dataset::LineageEdge& edge : edges) {
    lines.push_back("lineage " + edge.output_kind + ":" + edge.output_id + " " + edge.input_kind +
                    ":" + edge.input_id);
  }
  return Ok();
}

}  // namespace lamina::crash
