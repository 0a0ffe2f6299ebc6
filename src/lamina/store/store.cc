#include "lamina/store/store.h"

#include <algorithm>
#include <utility>

namespace lamina::store {
namespace {

constexpr std::string_view kConfigName = "lamina.toml";
constexpr std::string_view kCreateLock = ".create.lock";
constexpr std::int64_t kMaxConfigBytes = 1 << 20;

/// An empty folder, or one where an earlier creation was cut short before lamina.toml was there.
Status CheckFolderIsFree(io::Env& env, const std::string& root) {
  LAMINA_ASSIGN(const auto entries, env.ListDirectory(root));
  bool unfinished = false;
  for (const auto& entry : entries) unfinished = unfinished || entry.name == kCreateLock;
  if (entries.empty() || unfinished) return Ok();
  return AlreadyExists(root +
                       " is a folder with other things in it; choose an empty or new folder");
}

/// lamina.toml is written last: a root that has it is a whole store.
Result<StoreConfig> CreateStore(io::Env& env, const std::string& root,
                                const StoreOptions& options) {
  LAMINA_TRY(env.CreateDirectories(root));
  LAMINA_TRY(CheckFolderIsFree(env, root));
  LAMINA_ASSIGN(const auto lock, env.TryLock(io::JoinPath(root, kCreateLock)));
  const std::string config_path = io::JoinPath(root, kConfigName);
  if (env.Exists(config_path)) {  // another process was faster
    LAMINA_ASSIGN(const std::string text, env.ReadFile(config_path, kMaxConfigBytes));
    return ParseConfig(text, config_path);
  }
  StoreConfig config;
  config.store_id = RandomUuid4();
  catalog::CatalogOptions catalog_options;
  catalog_options.allow_network_filesystem = options.allow_network_filesystem;
  auto made = catalog::Catalog::Create(env, root, config.store_id, catalog_options);
  if (!made.ok() && made.error().code() != ErrorCode::kAlreadyExists)
    return std::move(made).error();
  LAMINA_ASSIGN(auto catalog, catalog::Catalog::Open(env, root, catalog_options));
  config.store_id = catalog->store_id();
  LAMINA_TRY(backtests::BacktestStore::CreateTables(*catalog));
  LAMINA_TRY(env.WriteFileAtomically(config_path, FormatConfig(config)));
  LAMINA_TRY(env.Unlink(io::JoinPath(root, kCreateLock)));
  return config;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::OpenToRead(io::Env& env, const std::string& root) {
  StoreOptions options;
  options.read_only = true;
  auto opened = Open(env, root, options);
  if (opened.ok() || opened.error().code() != ErrorCode::kUnsupported) return opened;
  if (!Open(env, root).ok()) return opened;
  return Open(env, root, options);
}

Result<std::unique_ptr<Store>> Store::Open(io::Env& env, const std::string& root,
                                           const StoreOptions& options) {
  const std::string config_path = io::JoinPath(root, kConfigName);
  StoreConfig config;
  bool created = false;
  if (!env.Exists(config_path)) {
    if (!options.create || options.read_only) {
      return NotFound("no store at '" + root +
                      "' (no lamina.toml there); make one with `lamina init " + root + "`");
    }
    LAMINA_ASSIGN(config, CreateStore(env, root, options));
    created = true;
  } else {
    LAMINA_ASSIGN(const std::string text, env.ReadFile(config_path, kMaxConfigBytes));
    LAMINA_ASSIGN(config, ParseConfig(text, config_path));
  }
  catalog::CatalogOptions catalog_options;
  catalog_options.read_only = options.read_only;
  catalog_options.allow_network_filesystem = options.allow_network_filesystem;
  catalog_options.min_free_bytes = config.min_free_bytes;
  auto opened = catalog::Catalog::Open(env, root, catalog_options);
  if (!opened.ok() && opened.error().code() == ErrorCode::kNotFound) {
    // lamina.toml is written last: what it is beside was whole once.
    return Corruption(std::string(opened.error().message()) + ", but " + config_path + " does");
  }
  LAMINA_ASSIGN(auto catalog, std::move(opened));
  const Uuid store_id = catalog->store_id();
  if (store_id != config.store_id) {
    return Corruption(config_path + " names store " + config.store_id.ToString() +
                      " but its catalog belongs to store " + store_id.ToString());
  }
  std::unique_ptr<Store> store(new Store(root, config, std::move(catalog)));
  store->created_ = created;
  return store;
}

Store::Store(std::string root, StoreConfig config, std::unique_ptr<catalog::Catalog> catalog)
    : root_(std::move(root)),
      config_(config),
      catalog_(std::move(catalog)),
      backtests_(*catalog_),
      instruments_(*catalog_),
      ticks_(*catalog_, config_.ticks),
      tick_reader_(*catalog_, {.cache = {.entries = config_.ticks.query_cache_size,
                                         .ttl_seconds = config_.ticks.query_cache_ttl_seconds}}),
      datasets_(*catalog_),
      registry_(*catalog_) {}

Store::~Store() = default;

Result<std::vector<catalog::LakeSnapshot>> Store::Snapshots() {
  std::vector<catalog::LakeSnapshot> snapshots;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(snapshots, catalog::LakeReader(database).Snapshots());
    return Ok();
  }));
  return snapshots;
}

Result<std::vector<catalog::TableCompaction>> Store::Compact(
    const catalog::CompactionRequest& request) {
  std::vector<std::pair<std::string, ticks::FoldReport>> folded;
  for (const auto kind : tick_log::kTickKinds) {
    const std::string name = ticks::TickTableName(kind);
    const std::string full = std::string(ticks::kTickSchema) + "." + name;
    const auto& asked = request.tables;
    if (!asked.empty() && std::find(asked.begin(), asked.end(), name) == asked.end() &&
        std::find(asked.begin(), asked.end(), full) == asked.end())
      continue;
    ticks::FoldOptions options;
    options.tables = {full};
    options.min_files = 2;
    options.cancel = request.cancel;
    LAMINA_ASSIGN(const ticks::FoldReport report, ticks_.FoldDays(std::move(options)));
    folded.emplace_back(full, report);
  }
  LAMINA_ASSIGN(auto tables, catalog_->Compact(request));
  for (catalog::TableCompaction& table : tables) {
    for (const auto& [name, report] : folded) {
      if (name != table.table) continue;
      table.files_before += report.files_before - report.files_after;
      table.bytes_before += report.bytes_before - report.bytes_after;
    }
  }
  return tables;
}

}  // namespace lamina::store
