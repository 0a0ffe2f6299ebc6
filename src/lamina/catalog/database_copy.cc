#include "lamina/catalog/database_copy.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lamina/catalog/database.h"
#include "lamina/catalog/page_checksum_internal.h"

namespace lamina::catalog {
namespace {

constexpr std::size_t kWriteVersionPlace = 18, kReadVersionPlace = 19;

/// SQLite leaves the copy in rollback mode; ours are in WAL mode for ever, and the first page is
/// where that is said.
Status MarkAsWal(int file, const std::string& path) {
  std::array<char, internal::kPageBytes> page;
  if (pread(file, page.data(), page.size(), 0) != static_cast<ssize_t>(page.size())) {
    return IoError(path + ": reading the first page: " + std::strerror(errno));
  }
  if (internal::CheckPage({page.data(), page.size()}, 1) == internal::PageState::kDamaged) {
    return Corruption(path + ": the first page of the copy fails its check");
  }
  page[kWriteVersionPlace] = page[kReadVersionPlace] = 2;
  internal::StampPage(page.data(), 1);
  if (pwrite(file, page.data(), page.size(), 0) != static_cast<ssize_t>(page.size())) {
    return IoError(path + ": writing the first page: " + std::strerror(errno));
  }
  if (fsync(file) != 0) return IoError("syncing " + path + ": " + std::strerror(errno));
  return Ok();
}

}  // namespace

Status CopyDatabase(const std::string& from, const std::string& to) {
  LAMINA_ASSIGN(const auto source, Database::Open(from, OpenMode::kReadOnly));
  LAMINA_ASSIGN(Statement copy, source->Prepare("VACUUM INTO ?1"));
  LAMINA_TRY_WITH(copy.Bind(1, to).Run(), "copying " + from + " to " + to);
  const int file = open(to.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return IoError(to + ": " + std::strerror(errno));
  Status marked = MarkAsWal(file, to);
  close(file);
  return marked;
}

}  // namespace lamina::catalog
