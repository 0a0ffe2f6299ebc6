#include <filesystem>
#include <optional>

#include "layer.h"

#include "lamina/backtests/import.h"
#include "lamina/backtests/ohlcv_references.h"
#include "lamina/backtests/store_test_support.h"
#include "lamina/catalog/catalog_test_model.h"

namespace lamina::crash {
namespace {

using backtests::test::SmallBundle;
using store::Store;

std::string StoreIn(const std::string& folder) { return folder + "/store"; }

Status WriteFile(const std::string& path, ByteView bytes) {
  LAMINA_TRY(io::PosixEnv().CreateDirectories(io::ParentPath(path)));
  return io::PosixEnv().WriteFileAtomically(path, bytes);
}

// ---- what a commit can hold, without the layers above

class CatalogLayer : public Layer {
 public:
  CatalogLayer(std::string root, int units) : root_(std::move(root)), units_(units) {}
  Status Prepare() override {
    LAMINA_TRY(io::PosixEnv().CreateDirectories(root_));
    return catalog::test::MakeStore(io::PosixEnv(), root_);
  }
  Status Open(bool read_only) override {
    catalog::CatalogOptions options;
    options.read_only = read_only;
    LAMINA_ASSIGN(catalog_, catalog::Catalog::Open(io::PosixEnv(), root_, options));
    return Ok();
  }
  void Close() override { catalog_.reset(); }
  int steps() const override { return units_; }
  Status Step(int number) override {
    LAMINA_ASSIGN(const auto table, catalog::test::FindRows(*catalog_));
    const auto done = catalog::test::PutUnit(*catalog_, table, number);
    return done.ok() ? Ok() : Status(done.error().Clone());
  }
  Result<std::vector<std::string>> Describe() override;
  Status Verify() override { return CheckCatalogVerifies(*catalog_); }
  Status CheckLeftovers() override { return CheckCatalogLeftovers(*catalog_); }

 protected:
  std::string root_;
  int units_;
  std::unique_ptr<catalog::Catalog> catalog_;
};

Result<std::vector<std::string>> CatalogLayer::Describe() {
  std::vector<std::string> lines;
  LAMINA_ASSIGN(const auto table, catalog::test::FindRows(*catalog_));
  LAMINA_ASSIGN(const std::int64_t snapshot, catalog_->LatestSnapshot());
  LAMINA_ASSIGN(const auto rows, catalog_->ReadTable(table, snapshot));
  std::map<std::int64_t, int> counts;
  for (const auto& part : rows->GetColumnByName("unit")->chunks()) {
    const auto& values = static_cast<const arrow::Int64Array&>(*part);
    for (std::int64_t i = 0; i < values.length(); ++i) ++counts[values.Value(i)];
  }
  for (const auto& [unit, count] : counts) {
    lines.push_back("unit " + std::to_string(unit) + " rows " + std::to_string(count));
  }
  std::vector<catalog::ChunkId> chunks;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto find, database.Prepare("SELECT backtest_id, kind, sha256 FROM chunk_ref "
                                              "ORDER BY backtest_id, kind, sha256"));
    for (;;) {
      LAMINA_ASSIGN(const bool row, find.Step());
      if (!row) return Ok();
      LAMINA_ASSIGN(const Sha256Digest sha256, Sha256Digest::FromBytes(find.Blob(2)));
      chunks.push_back({static_cast<catalog::ChunkKind>(find.Int(1)), sha256});
      lines.push_back("unit " + std::to_string(find.Int(0)) + " " + chunks.back().ToString());
    }
  }));
  for (const catalog::ChunkId& id : chunks) {
    const auto content = catalog_->ReadChunk(id);
    if (!content.ok()) return content.error().Clone();
  }
  return lines;
}

std::unique_ptr<Layer> MakeCommits(const std::string& folder) {
  return std::make_unique<CatalogLayer>(StoreIn(folder), 3);
}

/// Small chunks only: all of a commit's bytes go through objects.sqlite.
class ObjectsLayer final : public CatalogLayer {
 public:
  explicit ObjectsLayer(std::string root) : CatalogLayer(std::move(root), 4) {}
  Status Step(int number) override {
    LAMINA_ASSIGN(const auto commit, catalog_->BeginCommit("objects"));
    std::vector<catalog::ChunkId> ids;
    for (int i = 0; i < 6; ++i) {
      const auto seed = static_cast<std::uint64_t>(number * 6 + i);
      LAMINA_ASSIGN(const auto id, commit->PutChunk(catalog::ChunkKind::kSeries,
                                                    catalog::test::Noise(1500 * (seed + 1), seed)));
      ids.push_back(id);
    }
    const auto done = commit->Finish([&](catalog::Database& database, auto& lake) -> Status {
      for (const catalog::ChunkId& id : ids) {
        LAMINA_ASSIGN(auto insert,
                      database.Prepare("INSERT INTO chunk_ref(backtest_id, kind, sha256, "
                                       "begin_snapshot) VALUES(?1, ?2, ?3, ?4)"));
        LAMINA_TRY(insert.Bind(1, number)
                       .Bind(2, static_cast<std::int64_t>(id.kind))
                       .BindBlob(3, id.sha256.View())
                       .Bind(4, lake.snapshot_id())
                       .Run());
      }
      return Ok();
    });
    return done.ok() ? Ok() : Status(done.error().Clone());
  }
};

std::unique_ptr<Layer> MakeObjects(const std::string& folder) {
  return std::make_unique<ObjectsLayer>(StoreIn(folder));
}

// ---- backtests

Status Imported(const Result<backtests::ImportReport>& report) {
  if (!report.ok()) return report.error().Clone();
  if (report->failed.empty()) return Ok();
  return Error(report->failed[0].code, report->failed[0].message);
}

StoreLayer::Work Import(const std::string& path, std::int64_t batch_rows = 400000,
                        bool keep_going = true) {
  return [=](Store& store) -> Status {
    LAMINA_ASSIGN(const auto sources, backtests::FindBundles(io::PosixEnv(), {path}));
    backtests::ImportOptions options;
    options.workers = 1;
    options.batch_rows = batch_rows;
    options.keep_going = keep_going;
    return Imported(backtests::ImportBundles(store.backtests(), sources, options));
  };
}

StoreLayer::Work Put(const std::string& handle, const std::string& tag, bool replace = false) {
  return [=](Store& store) -> Status {
    const auto done =
        backtests::PutBundle(store.backtests(), handle, SmallBundle(tag, {{"w"}}), replace);
    return done.ok() ? Ok() : Status(done.error().Clone());
  };
}

/// Files beside the store, before it is recorded.
StoreLayer::Work Beside(const std::string& path, const std::string& bytes) {
  return [=](Store&) { return WriteFile(path, bytes); };
}

std::unique_ptr<Layer> MakeImport(const std::string& folder) {
  auto layer = std::make_unique<StoreLayer>(StoreIn(folder));
  for (int i = 0; i < 6; ++i) {
    const std::string name = std::to_string(i);
    layer->Before(Beside(folder + (i < 3 ? "/one/" : "/many/") + name + ".iafbt",
                         SmallBundle(name, {{"a", 3, 1000.0 + i}, {"b", 4, 2000.0 + i}})));
  }
  layer->Then(Import(folder + "/one", 400000, /*keep_going=*/false));
  layer->Then(Import(folder + "/many", 1), /*in_parts=*/true);
  return layer;
}

Status RenameOnce(Store& store, std::string_view from, std::string_view to) {
  LAMINA_ASSIGN(const bool there, store.backtests().Exists(from));
  return there ? store.backtests().Rename(from, to) : Ok();
}

Status DeleteOnce(Store& store, const std::string& handle) {
  LAMINA_ASSIGN(const bool there, store.backtests().Exists(handle));
  return there ? store.backtests().Delete({handle}) : Ok();
}

std::unique_ptr<Layer> MakeEdit(const std::string& folder) {
  auto layer = std::make_unique<StoreLayer>(StoreIn(folder));
  layer->Before(Put("a", "1")).Before(Put("b", "2"));
  layer->Then(Put("c", "3"));
  layer->Then(Put("a", "4", true));
  layer->Then([](Store& store) { return RenameOnce(store, "b", "d/e"); });
  layer->Then([](Store& store) -> Status {
    const auto tags = store.backtests().Tag("c", {"good", "ü"}, {});
    return tags.ok() ? Ok() : Status(tags.error().Clone());
  });
  layer->Then([](Store& store) { return store.backtests().Note("c", "seen"); });
  layer->Then([](Store& store) { return DeleteOnce(store, "a"); });
  layer->Then([](Store& store) -> Status {
    LAMINA_ASSIGN(const bool there, store.backtests().Exists("a"));
    return there ? Ok() : store.backtests().Undelete("a");
  });
  return layer;
}

market::Instrument Traded(std::int64_t id, const std::string& symbol) {
  market::Instrument row;
  row.instrument_id = id;
  row.symbol = symbol;
  row.venue = "XNAS";
  row.currency = "USD";
  return row;
}

std::unique_ptr<Layer> MakeInstruments(const std::string& folder) {
  auto layer = std::make_unique<StoreLayer>(StoreIn(folder));
  const auto add = [](std::vector<market::Instrument> rows, bool replace) -> StoreLayer::Work {
    return [=](Store& store) -> Status {
      const auto done = store.instruments().Add(rows, replace);
      return done.ok() ? Ok() : Status(done.error().Clone());
    };
  };
  layer->Then(add({Traded(1, "AAPL"), Traded(2, "MSFT")}, false));
  layer->Then(add({Traded(3, "TSLA")}, false));
  layer->Then(add({Traded(2, "MSFX")}, true));
  return layer;
}

/// A bundle with two price files, a small and a large one, beside it.
void AddPriced(StoreLayer& layer, const std::string& folder, const std::string& name) {
  backtests::test::Prices prices{"ohlcv", {}};
  for (const std::size_t bytes : {std::size_t{300}, std::size_t{70'000}}) {
    const std::string content = catalog::test::Noise(bytes, std::hash<std::string>()(name));
    const std::string file = Sha256(content).Hex() + ".parquet";
    prices.files.emplace_back("K" + std::to_string(bytes), file);
    layer.Before(Beside(folder + "/in/ohlcv/" + file, content));
  }
  const std::string path = folder + "/in/" + name + ".iafbt";
  layer.Before(Beside(path, SmallBundle(name, {{"w"}}, 3, prices)));
}

std::unique_ptr<Layer> MakePrices(const std::string& folder) {
  auto layer = std::make_unique<StoreLayer>(StoreIn(folder));
  for (const char* name : {"a", "b", "c"}) AddPriced(*layer, folder, name);
  layer->Before(Import(folder + "/in"));
  const auto collect = [](Store& store) -> Status {
    const auto gone = backtests::CollectOhlcv(store.backtests(), {});
    return gone.ok() ? Ok() : Status(gone.error().Clone());
  };
  layer->Then([](Store& store) { return DeleteOnce(store, "a"); });
  layer->Then(collect, /*in_parts=*/true);
  layer->Then([](Store& store) { return DeleteOnce(store, "b"); });
  layer->Then(collect, /*in_parts=*/true);
  layer->Then(Import(folder + "/in"), /*in_parts=*/true);
  return layer;
}

std::unique_ptr<Layer> MakeCompaction(const std::string& folder) {
  auto layer = std::make_unique<StoreLayer>(StoreIn(folder));
  for (const char* name : {"a", "b", "c"}) layer->Before(Put(name, name));
  layer->Before([](Store& store) { return store.backtests().Delete({"b"}); });
  const auto compact = [](Store& store) -> Status {
    const auto done = store.catalog().CompactSmallFiles(2);
    return done.ok() ? Ok() : Status(done.error().Clone());
  };
  layer->Then(compact).Then(Put("d", "d")).Then(compact);
  return layer;
}

/// Only a root: what is beside it is not the store's to keep.
std::unique_ptr<Layer> MakeDamaged(const std::string& folder) {
  class Damaged final : public StoreLayer {
   public:
    explicit Damaged(const std::string& where)
        : StoreLayer(StoreIn(where)), beside_(where + "-beside") {
      AddPriced(*this, beside_, "a");
      Before(Import(beside_ + "/in")).Before(Put("b", "2")).Before(Put("c", "3"));
      Before([](Store& store) { return DeleteOnce(store, "c"); });
      Before([](Store& store) -> Status {
        const auto added = store.instruments().Add({Traded(1, "AAPL")});
        return added.ok() ? store.backtests().Note("b", "seen") : Status(added.error().Clone());
      });
    }
    Status Prepare() override {
      LAMINA_TRY(StoreLayer::Prepare());
      std::error_code ignored;
      std::filesystem::remove_all(beside_, ignored);
      return Ok();
    }

   private:
    std::string beside_;
  };
  return std::make_unique<Damaged>(folder);
}

}  // namespace

const NamedLayer kDamaged = {"damage", &MakeDamaged};

std::unique_ptr<Layer> MakeFolderIndex(const std::string& folder);
std::unique_ptr<Layer> MakeLocalDir(const std::string& folder);
std::unique_ptr<Layer> MakeMigration(const std::string& folder);
std::unique_ptr<Layer> MakeInit(const std::string& folder);
std::unique_ptr<Layer> MakeDatasets(const std::string& folder);
std::unique_ptr<Layer> MakeRegistry(const std::string& folder);
std::unique_ptr<Layer> MakeTickLog(const std::string& folder);
std::unique_ptr<Layer> MakeReadableTickLog(const std::string& folder);
std::unique_ptr<Layer> MakeTickArchive(const std::string& folder);

const std::vector<NamedLayer>& Layers() {
  static const std::vector<NamedLayer> layers = {
      {"commits", &MakeCommits},
      {"objects", &MakeObjects},
      {"import", &MakeImport},
      {"edit", &MakeEdit},
      {"instruments", &MakeInstruments},
      {"prices", &MakePrices},
      {"compaction", &MakeCompaction},
      {"folder_index", &MakeFolderIndex},
      {"local_dir", &MakeLocalDir},
      {"migration", &MakeMigration},
      {"init", &MakeInit},
      {"datasets", &MakeDatasets},
      {"registry", &MakeRegistry},
      {"tick_log", &MakeTickLog},
      {"tick_log_jsonl", &MakeReadableTickLog},
      {"archive", &MakeTickArchive},
  };
  return layers;
}

}  // namespace lamina::crash
