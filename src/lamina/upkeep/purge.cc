#include "lamina/upkeep/purge.h"

#include <algorithm>

#include "lamina/upkeep/collection.h"
#include "lamina/upkeep/history.h"
#include "lamina/upkeep/upkeep_lock.h"

namespace lamina::upkeep {
namespace {

using catalog::Database;
using catalog::Statement;

/// The first snapshot that saw `handle`, or its document under another handle that has ended.
Result<std::int64_t> FirstSeen(Database& database, const std::string& handle) {
  LAMINA_ASSIGN(Statement read,
                database.Prepare("SELECT min(begin_snapshot) FROM backtest WHERE handle = ?1 OR "
                                 "(end_snapshot IS NOT NULL AND document_sha256 IN (SELECT "
                                 "document_sha256 FROM backtest WHERE handle = ?1))"));
  LAMINA_ASSIGN(const bool row, read.Bind(1, handle).Step());
  if (row && !read.IsNull(0)) return read.Int(0);
  return NotFound("no backtest '" + handle + "', neither live nor in a kept snapshot");
}

Status CheckPins(Database& database, std::int64_t first, Micros now) {
  LAMINA_ASSIGN(const auto pins, catalog::ReadPins(database, now));
  for (const catalog::Pin& pin : pins) {
    if (pin.snapshot < first) continue;
    if (pin.expires_at) {
      return Conflict("process " + pin.holder + " reads snapshot " + std::to_string(pin.snapshot) +
                      ", whose files may hold what is to be purged; try again later");
    }
    return Conflict("'" + pin.name + "' pins snapshot " + std::to_string(pin.snapshot) +
                    ", whose files may hold what is to be purged; `lamina unpin` it first");
  }
  return Ok();
}

}  // namespace

Result<PurgeReport> PurgeBacktests(store::Store& store, const std::vector<std::string>& handles,
                                   const CancelToken* cancel) {
  catalog::Catalog& catalog = store.catalog();
  if (handles.empty()) return InvalidArgument("no backtest is named");
  LAMINA_ASSIGN(const auto lock, LockUpkeep(catalog));
  const Micros now{catalog.env().Now().value / 1000};
  std::int64_t first = 0;
  LAMINA_TRY(catalog.Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(first, catalog::LakeReader(database).LatestSnapshot());
    for (const std::string& handle : handles) {
      LAMINA_ASSIGN(const std::int64_t seen, FirstSeen(database, handle));
      first = std::min(first, seen);
    }
    return CheckPins(database, first, now);
  }));
  std::vector<std::string> live;
  for (const std::string& handle : handles) {
    LAMINA_ASSIGN(const bool exists, store.backtests().Exists(handle));
    if (exists) live.push_back(handle);
  }
  LAMINA_TRY(store.backtests().Delete(live));
  catalog::CompactionRequest folding;
  folding.cancel = cancel;
  LAMINA_ASSIGN(const auto folded, catalog.Compact(folding));
  static_cast<void>(folded);

  ExpireOptions expiry;
  LAMINA_ASSIGN(const std::int64_t latest, catalog.LatestSnapshot());
  expiry.range = {first, latest};
  LAMINA_ASSIGN(const ExpireReport expired, ExpireLocked(catalog, expiry, {}));
  if (!expired.pins.empty()) {
    return Conflict("'" + expired.pins.front().name +
                    "' was pinned meanwhile; unpin it and purge again");
  }
  CollectOptions collection;
  collection.keep_snapshots = Micros{365'250LL * 86'400'000'000LL};  // no other snapshot goes
  collection.grace = Micros{0};
  collection.price_grace = store.config().gc_grace;
  collection.cancel = cancel;
  LAMINA_ASSIGN(const CollectReport collected, CollectLocked(store, collection));
  PurgeReport report;
  report.purged = handles;
  report.expired_snapshots = static_cast<std::int64_t>(expired.expired.size());
  report.removed_files = collected.removed_files;
  report.removed_chunks = collected.removed_chunks;
  report.freed_bytes = collected.freed_bytes;
  return report;
}

}  // namespace lamina::upkeep
