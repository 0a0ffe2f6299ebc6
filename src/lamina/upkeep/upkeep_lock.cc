#include "lamina/upkeep/upkeep_lock.h"

#include <string>

namespace lamina::upkeep {

Result<std::unique_ptr<io::FileLock>> LockUpkeep(catalog::Catalog& catalog) {
  const std::string folder = io::JoinPath(catalog.root(), "staging");
  LAMINA_TRY(catalog.env().CreateDirectories(folder));
  auto lock = catalog.env().TryLock(io::JoinPath(folder, "upkeep.lock"));
  if (!lock.ok() && lock.error().code() == ErrorCode::kConflict) {
    return Conflict("another gc, expire, purge, backup or repair works on " + catalog.root() +
                    "; try again when it is done");
  }
  return lock;
}

}  // namespace lamina::upkeep
