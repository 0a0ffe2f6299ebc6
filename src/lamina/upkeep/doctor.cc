#include "lamina/upkeep/doctor.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include <arrow/config.h>
#include <sys/resource.h>

#include "lamina/base/uuid.h"
#include "lamina/catalog/migrations.h"
#include "lamina/store/store.h"

namespace lamina::upkeep {
namespace {

constexpr int kSyncs = 11;
constexpr std::int64_t kMegabyte = std::int64_t{1} << 20;
constexpr std::int64_t kFreeWarn = 2048 * kMegabyte, kFreeBad = 200 * kMegabyte;
constexpr std::int64_t kLogWarn = 64 * kMegabyte, kLogBad = 1024 * kMegabyte;
constexpr std::int64_t kSyncWarnNs = 20'000'000, kSyncBadNs = 200'000'000;
constexpr std::uint64_t kDescriptorsWarn = 1024, kDescriptorsBad = 128;

std::string Number(double value, const char* unit) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, unit);
  return text.data();
}

std::string Megabytes(std::int64_t bytes) {
  return Number(static_cast<double>(bytes) / static_cast<double>(kMegabyte), "MB");
}

template <class Value>
Health Graded(Value value, Value warn, Value bad) {
  if (warn < bad) return value >= bad ? Health::kBad : value >= warn ? Health::kWarn : Health::kOk;
  return value < bad ? Health::kBad : value < warn ? Health::kWarn : Health::kOk;
}

/// `advice` only where something is amiss.
Finding Found(std::string check, Health health, std::string value, std::string advice) {
  if (health == Health::kOk) advice.clear();
  return {std::move(check), health, std::move(value), std::move(advice)};
}

Finding FileSystem(io::Env& env, const std::string& root) {
  const auto kind = env.FileSystemOf(root);
  if (!kind.ok()) {
    return Found("file system", Health::kBad, std::string(kind.error().message()),
                 "look at the disk");
  }
  const bool volatile_memory = kind->name == "tmpfs" || kind->name == "ramfs";
  const Health health = kind->network     ? Health::kBad
                        : volatile_memory ? Health::kWarn
                                          : Health::kOk;
  return Found("file system", health, kind->name,
               kind->network
                   ? "locks of several hosts do not hold there: move the store to a local "
                     "disk"
                   : "it is gone at the next boot: move what is to last to a disk");
}

Finding FreeSpace(io::Env& env, const std::string& root) {
  const auto bytes = env.FreeBytes(root);
  if (!bytes.ok()) {
    return Found("free space", Health::kBad, std::string(bytes.error().message()),
                 "look at the disk");
  }
  return Found("free space", Graded(*bytes, kFreeWarn, kFreeBad), Megabytes(*bytes),
               "make room: `lamina gc --dry-run` says what it would free");
}

Result<std::int64_t> MedianSync(io::Env& env, const std::string& folder) {
  LAMINA_TRY(env.CreateDirectories(folder));
  const std::string path = io::JoinPath(folder, "doctor-" + RandomUuid4().ToString());
  std::vector<std::int64_t> times;
  Status done = [&]() -> Status {
    LAMINA_ASSIGN(const auto file, env.NewWritableFile(path));
    const std::string block(4096, 'x');
    for (int i = 0; i < kSyncs; ++i) {
      const Nanos start = env.Monotonic();
      LAMINA_TRY(file->Append(block));
      LAMINA_TRY(file->Sync());
      times.push_back(env.Monotonic().value - start.value);
    }
    return file->Close();
  }();
  static_cast<void>(env.Unlink(path));
  if (!done.ok()) return std::move(done).error();
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

Finding SyncLatency(io::Env& env, const std::string& root) {
  const auto nanos = MedianSync(env, io::JoinPath(root, "staging"));
  if (!nanos.ok()) {
    return Found("fsync", Health::kWarn, std::string(nanos.error().message()),
                 "the store cannot be written by this user; reading works");
  }
  return Found("fsync", Graded(*nanos, kSyncWarnNs, kSyncBadNs),
               Number(static_cast<double>(*nanos) / 1e6, "ms (median of 11)"),
               "each commit waits for several of these: a local SSD, or imports in larger batches");
}

Finding Descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return Found("descriptors", Health::kWarn, "unknown", "see `ulimit -n`");
  }
  const std::string value =
      limit.rlim_cur == RLIM_INFINITY ? "no limit" : std::to_string(limit.rlim_cur);
  return Found(
      "descriptors",
      Graded(static_cast<std::uint64_t>(limit.rlim_cur), kDescriptorsWarn, kDescriptorsBad), value,
      "raise it with `ulimit -n 4096`");
}

Finding LogSize(io::Env& env, const std::string& root) {
  std::int64_t bytes = 0;
  for (const char* name : {"catalog.sqlite-wal", "objects.sqlite-wal"}) {
    const auto info = env.Stat(io::JoinPath(root, name));
    if (info.ok()) bytes += info->size;
  }
  return Found("write-ahead log", Graded(bytes, kLogWarn, kLogBad), Megabytes(bytes),
               "a reader that holds a transaction for long keeps it from shrinking: close other "
               "programs that have the store attached");
}

Status AddSessions(catalog::Catalog& catalog, std::vector<Finding>& findings) {
  LAMINA_ASSIGN(const auto sessions, catalog.OpenSessions());
  std::string alive, dead;
  for (const catalog::WriterSessionInfo& session : sessions) {
    std::string& list = session.alive ? alive : dead;
    if (!list.empty()) list += ", ";
    list += session.host + ":" + std::to_string(session.process_id);
  }
  findings.push_back(Found("writers", Health::kOk, alive.empty() ? "none" : alive, ""));
  if (!dead.empty()) {
    findings.push_back(
        Found("dead writers", Health::kWarn, dead, "the next write cleans up after them"));
  }
  return Ok();
}

Status AddClock(io::Env& env, catalog::Database& database, std::vector<Finding>& findings) {
  LAMINA_ASSIGN(const auto snapshots, catalog::LakeReader(database).Snapshots());
  const Micros now{env.Now().value / 1000};
  const bool ahead = !snapshots.empty() && snapshots.back().time > now;
  findings.push_back(
      Found("clock", ahead ? Health::kWarn : Health::kOk,
            ahead ? "the last snapshot is of " + FormatTime(snapshots.back().time) : "goes forward",
            "the clock was set back: new snapshots get the time of the last one until it has "
            "caught up"));
  return Ok();
}

Status AddVersions(catalog::Database& database, std::vector<Finding>& findings) {
  LAMINA_ASSIGN(const std::int64_t version, catalog::ReadCatalogVersion(database));
  LAMINA_ASSIGN(auto read, database.Prepare("SELECT sqlite_version()"));
  LAMINA_ASSIGN(const bool row, read.Step());
  findings.push_back(Found("versions", Health::kOk,
                           "catalog " + std::to_string(version) + ", SQLite " +
                               (row ? std::string(read.Text(0)) : "?") + ", Arrow " +
                               arrow::GetBuildInfo().version_string,
                           ""));
  return Ok();
}

}  // namespace

std::string_view HealthName(Health health) {
  switch (health) {
    case Health::kOk:
      return "ok";
    case Health::kWarn:
      return "warn";
    case Health::kBad:
      return "bad";
  }
  return "bad";
}

Result<std::vector<Finding>> Examine(io::Env& env, const std::string& root) {
  LAMINA_ASSIGN(const io::FileInfo info, env.Stat(root));
  if (!info.is_directory) return NotFound(root + " is not a folder");
  std::vector<Finding> findings;
  const auto opened = store::Store::OpenToRead(env, root);
  if (opened.ok()) {
    catalog::Catalog& catalog = (*opened)->catalog();
    findings.push_back(Found("store", Health::kOk, (*opened)->config().store_id.ToString(), ""));
    const Status looked = catalog.Read([&](catalog::Database& database) -> Status {
      LAMINA_TRY(AddVersions(database, findings));
      return AddClock(env, database, findings);
    });
    const Status sessions = looked.ok() ? AddSessions(catalog, findings) : Ok();
    for (const Status* status : {&looked, &sessions}) {
      if (status->ok()) continue;
      findings.push_back(Found("catalog", Health::kBad, std::string(status->error().message()),
                               "run `lamina verify`"));
    }
  } else {
    findings.push_back(Found("store", Health::kBad, std::string(opened.error().message()),
                             "run `lamina verify`, or restore a backup"));
  }
  findings.push_back(FileSystem(env, root));
  findings.push_back(FreeSpace(env, root));
  findings.push_back(SyncLatency(env, root));
  findings.push_back(LogSize(env, root));
  findings.push_back(Descriptors());
  return findings;
}

}  // namespace lamina::upkeep
