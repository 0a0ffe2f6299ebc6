#include <algorithm>
#include <filesystem>

#include "layer.h"

#include "lamina/backtests/store_test_support.h"
#include "lamina/base/hash.h"
#include "lamina/folder_index/folder_test_support.h"
#include "lamina/folder_index/prune.h"
#include "lamina/stores/local_dir_store.h"
#include "lamina/stores/local_tiered_store.h"

namespace lamina::crash {

std::unique_ptr<Layer> MakeFolderIndex(const std::string& folder);
std::unique_ptr<Layer> MakeLocalDir(const std::string& folder);
std::unique_ptr<Layer> MakeMigration(const std::string& folder);
std::unique_ptr<Layer> MakeInit(const std::string& folder);

namespace {

namespace fs = std::filesystem;
using backtests::test::SmallDocument;

template <class T>
Status Done(const Result<T>& result) {
  return result.ok() ? Ok() : Status(result.error().Clone());
}

/// The files of `suffix` below a folder, with a hash of their content.
std::vector<std::string> DescribeFiles(const std::string& folder, std::string_view suffix) {
  std::vector<std::string> lines;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    const std::string path = entry.path().string();
    if (!path.ends_with(suffix)) continue;
    const auto bytes = io::PosixEnv().ReadFile(path, 1 << 20);
    lines.push_back(
        fs::relative(path, folder).string() + " " +
        (bytes.ok() ? Sha256(*bytes).Hex().substr(0, 16) : std::string(bytes.error().message())));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

// ---- a folder of bundles with an index, and prunes by it

/// The index may be older than its folder, as it always may; then it is absent or whole, and
/// brought up to date by the next build. Bundles are never lost: each is in the folder or in the
/// archive.
class FolderIndexLayer final : public Layer {
 public:
  explicit FolderIndexLayer(std::string folder) : folder_(std::move(folder)) {}
  Status Prepare() override {
    for (int i = 0; i < 4; ++i) {
      LAMINA_TRY(Write("a" + std::to_string(i), i));
      LAMINA_TRY(Write("sub/b" + std::to_string(i), 10 + i));
    }
    return io::PosixEnv().CreateDirectories(folder_ + "/archive");
  }
  Status Open(bool) override { return Ok(); }
  void Close() override {}
  int steps() const override { return 5; }
  Status Step(int number) override {
    switch (number) {
      case 0:
        return Build({});
      case 1:
        LAMINA_TRY(Write("new", 20));
        return Build({});
      case 2:
        return Prune(6, folder_ + "/archive");
      case 3: {
        folder_index::BuildOptions options;
        options.rebuild = true;
        return Build(options);
      }
      default:
        return Prune(3, "");
    }
  }
  bool in_parts(int number) const override { return number == 2 || number == 4; }
  Result<std::vector<std::string>> Describe() override {
    std::vector<std::string> lines;
    for (const char* part : {"/bundles", "/archive"}) {
      // Moved is neither lost nor gained.
      for (std::string& line : DescribeFiles(folder_ + part, ".iafbt")) {
        if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
      }
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  Status Verify() override {
    const auto index = folder_index::IndexFile::Open(Root() + "/index.sqlite");
    if (!index.ok()) {
      return index.error().code() == ErrorCode::kNotFound ? Ok() : Status(index.error().Clone());
    }
    if ((*index)->kind() == folder_index::IndexFile::Kind::kEmpty) return Ok();
    return Done((*index)->CountRows());
  }
  Status CheckLeftovers() override {
    LAMINA_TRY(Build({}));
    LAMINA_ASSIGN(const auto index, folder_index::IndexFile::Open(Root() + "/index.sqlite"));
    LAMINA_ASSIGN(const auto rows, index->CountRows());
    const auto files = DescribeFiles(Root(), ".iafbt");
    if (rows == std::ssize(files)) return Ok();
    return Corruption("the index has " + std::to_string(rows) + " rows, the folder " +
                      std::to_string(files.size()) + " bundles");
  }

 private:
  std::string Root() const { return folder_ + "/bundles"; }
  Status Write(const std::string& name, double sharpe) const {
    const std::string path = Root() + "/" + name + ".iafbt";
    LAMINA_TRY(io::PosixEnv().CreateDirectories(io::ParentPath(path)));
    return io::PosixEnv().WriteFileAtomically(path, folder_index::test::SmallBundle(name, sharpe));
  }
  /// What the report tells of single files is a failure of the step, as it is of the command.
  static Status FirstOf(const std::vector<folder_index::FileFailure>& failures) {
    if (failures.empty()) return Ok();
    return Error(failures.front().code, failures.front().path + ": " + failures.front().message);
  }
  Status Build(folder_index::BuildOptions options) const {
    options.workers = 1;
    LAMINA_ASSIGN(const auto report, folder_index::BuildIndex(io::PosixEnv(), Root(), options));
    return FirstOf(report.failed);
  }
  Status Prune(std::int64_t keep, const std::string& archive) const {
    LAMINA_TRY(Build({}));
    LAMINA_ASSIGN(const auto index, folder_index::IndexFile::OpenToWrite(Root() + "/index.sqlite"));
    backtests::RankQuery query;
    query.by = "sharpe";
    query.limit = keep;
    folder_index::PruneOptions options;
    options.archive = archive;
    LAMINA_ASSIGN(const auto report, folder_index::Prune(io::PosixEnv(), *index, query, options));
    return FirstOf(report.left);
  }
  std::string folder_;
};

// ---- stores of both kinds behind one face

std::vector<std::string> Sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

Result<std::vector<std::string>> DescribeFace(stores::BacktestStore& store) {
  std::vector<std::string> lines;
  LAMINA_ASSIGN(const auto unreachable, store.Unreachable());
  if (!unreachable.empty()) return Corruption("unreachable: " + unreachable.front().path);
  LAMINA_ASSIGN(const auto handles, store.Handles());
  for (const std::string& handle : handles) {
    LAMINA_ASSIGN(const auto read, store.Read(handle));
    lines.push_back(handle + " " + Sha256(read.document).Hex().substr(0, 16));
  }
  return Sorted(std::move(lines));
}

class LocalDirLayer final : public Layer {
 public:
  explicit LocalDirLayer(std::string root) : root_(std::move(root)) {}
  Status Prepare() override {
    LAMINA_TRY(OpenStore(true));
    return Done(store_->Put("old", 2, SmallDocument("old", {{"w"}}), false));
  }
  Status Open(bool) override { return OpenStore(false); }
  void Close() override { store_.reset(); }
  int steps() const override { return 5; }
  Status Step(int number) override {
    switch (number) {
      case 0:
        return Done(store_->Put("a", 2, SmallDocument("a", {{"w"}}), false));
      case 1:
        return Done(store_->Put("deep/er/b", 2, SmallDocument("b", {{"w"}}), false));
      case 2:
        return Done(store_->Put("old", 2, SmallDocument("new", {{"w"}, {"v"}}), true));
      case 3:
        return store_->Delete("a");
      default:
        return Done(store_->Put("c", 2, SmallDocument("c", {{"w"}}), true));
    }
  }
  Result<std::vector<std::string>> Describe() override { return DescribeFace(*store_); }

 private:
  Status OpenStore(bool create) {
    stores::LocalDirStore::Options options;
    options.create = create;
    options.level = 1;
    LAMINA_ASSIGN(store_, stores::LocalDirStore::Open(io::PosixEnv(), root_, options));
    return Ok();
  }
  std::string root_;
  std::unique_ptr<stores::LocalDirStore> store_;
};

/// A folder of bundles into a store, and the store into another folder.
class MigrationLayer final : public Layer {
 public:
  explicit MigrationLayer(std::string folder) : folder_(std::move(folder)) {}
  Status Prepare() override {
    LAMINA_TRY(OpenAll(true, false));
    for (int i = 0; i < 3; ++i) {
      const std::string name = "m" + std::to_string(i);
      LAMINA_TRY(Done(source_->Put(name, 2, SmallDocument(name, {{"w"}}), false)));
    }
    Close();
    return Ok();
  }
  Status Open(bool read_only) override { return OpenAll(false, read_only); }
  void Close() override {
    source_.reset();
    target_.reset();
    engine_.reset();
  }
  int steps() const override { return 2; }
  bool in_parts(int) const override { return true; }
  Status Step(int number) override {
    stores::LocalTieredStore tiered(engine_->backtests());
    backtests::ImportOptions options;
    options.workers = 1;
    options.batch_rows = 3;
    const auto done = number == 0 ? tiered.CopyFrom(*source_, {}, options)
                                  : target_->CopyFrom(tiered, {}, options);
    if (!done.ok()) return done.error().Clone();
    if (done->failed.empty()) return Ok();
    return Error(done->failed[0].code, done->failed[0].message);
  }
  Result<std::vector<std::string>> Describe() override {
    stores::LocalTieredStore tiered(engine_->backtests());
    std::vector<std::string> lines;
    stores::BacktestStore* const all[] = {source_.get(), &tiered, target_.get()};
    for (int i = 0; i < 3; ++i) {
      LAMINA_ASSIGN(const auto part, DescribeFace(*all[i]));
      for (const std::string& line : part) lines.push_back(std::to_string(i) + " " + line);
    }
    return lines;
  }
  Status Verify() override { return CheckCatalogVerifies(engine_->catalog()); }
  Status CheckLeftovers() override { return CheckCatalogLeftovers(engine_->catalog()); }

 private:
  Status OpenAll(bool create, bool read_only) {
    stores::LocalDirStore::Options options;
    options.create = create;
    options.level = 1;
    LAMINA_ASSIGN(source_, stores::LocalDirStore::Open(io::PosixEnv(), folder_ + "/a", options));
    LAMINA_ASSIGN(target_, stores::LocalDirStore::Open(io::PosixEnv(), folder_ + "/b", options));
    store::StoreOptions store_options;
    store_options.create = create;
    store_options.read_only = read_only;
    LAMINA_ASSIGN(engine_, store::Store::Open(io::PosixEnv(), folder_ + "/store", store_options));
    return Ok();
  }
  std::string folder_;
  std::unique_ptr<stores::LocalDirStore> source_, target_;
  std::unique_ptr<store::Store> engine_;
};

/// Making a store: it is there, whole, or making it again finishes it.
class InitLayer final : public Layer {
 public:
  explicit InitLayer(std::string root) : root_(std::move(root)) {}
  Status Open(bool read_only) override {
    store::StoreOptions options;
    options.read_only = read_only;
    auto opened = store::Store::Open(io::PosixEnv(), root_, options);
    if (!opened.ok() && opened.error().code() == ErrorCode::kNotFound) return Ok();
    if (!opened.ok()) return std::move(opened).error();
    store_ = *std::move(opened);
    return Ok();
  }
  void Close() override { store_.reset(); }
  int steps() const override { return 1; }
  Status Step(int) override {
    store::StoreOptions options;
    options.create = true;
    LAMINA_ASSIGN(store_, store::Store::Open(io::PosixEnv(), root_, options));
    return Ok();
  }
  Result<std::vector<std::string>> Describe() override {
    if (store_ == nullptr) return std::vector<std::string>{"no store"};
    LAMINA_ASSIGN(const auto count, store_->backtests().Count());
    return std::vector<std::string>{"store with " + std::to_string(count)};
  }
  Status Verify() override { return store_ ? CheckCatalogVerifies(store_->catalog()) : Ok(); }
  Status CheckLeftovers() override {
    return store_ ? CheckCatalogLeftovers(store_->catalog()) : Ok();
  }

 private:
  std::string root_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace

std::unique_ptr<Layer> MakeFolderIndex(const std::string& folder) {
  return std::make_unique<FolderIndexLayer>(folder);
}
std::unique_ptr<Layer> MakeLocalDir(const std::string& folder) {
  return std::make_unique<LocalDirLayer>(folder + "/bundles");
}
std::unique_ptr<Layer> MakeMigration(const std::string& folder) {
  return std::make_unique<MigrationLayer>(folder);
}
std::unique_ptr<Layer> MakeInit(const std::string& folder) {
  return std::make_unique<InitLayer>(folder + "/store");
}

}  // namespace lamina::crash
