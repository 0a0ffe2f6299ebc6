#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include <sqlite3.h>

#include "lamina/base/hash.h"
#include "lamina/catalog/page_checksum_internal.h"

// Only the database file is dealt with: the write-ahead log has checksums of its own. Pages are
// handed to SQLite with zeros for the stamp, so its log holds unstamped pages; whichever program
// copies them from the log into the file, they are then either stamped (by us) or unstamped, and
// never bear the stamp of an older page.

namespace lamina::catalog::internal {
namespace {

constexpr std::uint32_t kStampMagic = 0x314D414C;  // "LAM1"
constexpr std::size_t kStampedBytes = kPageBytes - kPageReservedBytes;

thread_local std::uint32_t last_damaged_page = 0;

sqlite3_vfs* base_vfs = nullptr;

/// SQLite allots szOsFile bytes for a file: ours, then the base layer's.
struct CheckedFile {
  sqlite3_file base;
  sqlite3_file* real;
};
constexpr int kCheckedFileBytes = (sizeof(CheckedFile) + 15) / 16 * 16;

sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<CheckedFile*>(file)->real; }

bool IsPage(int amount, sqlite3_int64 offset) {
  return amount == kPageBytes && offset % kPageBytes == 0;
}

std::uint32_t PageNumber(sqlite3_int64 offset) {
  return static_cast<std::uint32_t>(offset / kPageBytes + 1);
}

std::uint32_t Checksum(ByteView page, std::uint32_t page_number) {
  std::string number;
  AppendLittleEndian(number, page_number);
  return Crc32c(number, Crc32c(page.substr(0, kStampedBytes)));
}

int CloseFile(sqlite3_file* file) { return Real(file)->pMethods->xClose(Real(file)); }

int ReadFile(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
  const int code = Real(file)->pMethods->xRead(Real(file), out, amount, offset);
  if (code == SQLITE_IOERR_SHORT_READ && IsPage(amount, offset)) {
    // Nothing of a page behind the end of the file is read as zeros; a part of one was cut off.
    sqlite3_int64 size = 0;
    const int sized = Real(file)->pMethods->xFileSize(Real(file), &size);
    if (sized != SQLITE_OK || size <= offset) return sized != SQLITE_OK ? sized : code;
    last_damaged_page = PageNumber(offset);
    return SQLITE_IOERR_DATA;
  }
  if (code != SQLITE_OK || !IsPage(amount, offset)) return code;
  char* const page = static_cast<char*>(out);
  if (CheckPage({page, kPageBytes}, PageNumber(offset)) == PageState::kDamaged) {
    last_damaged_page = PageNumber(offset);
    return SQLITE_IOERR_DATA;
  }
  std::memset(page + kStampedBytes, 0, kPageReservedBytes);
  return SQLITE_OK;
}

int WriteFile(sqlite3_file* file, const void* data, int amount, sqlite3_int64 offset) {
  if (!IsPage(amount, offset)) {
    return Real(file)->pMethods->xWrite(Real(file), data, amount, offset);
  }
  std::array<char, kPageBytes> page;
  std::memcpy(page.data(), data, kPageBytes);
  StampPage(page.data(), PageNumber(offset));
  return Real(file)->pMethods->xWrite(Real(file), page.data(), kPageBytes, offset);
}

int TruncateFile(sqlite3_file* file, sqlite3_int64 size) {
  return Real(file)->pMethods->xTruncate(Real(file), size);
}
int SyncFile(sqlite3_file* file, int flags) {
  return Real(file)->pMethods->xSync(Real(file), flags);
}
int SizeOfFile(sqlite3_file* file, sqlite3_int64* size) {
  return Real(file)->pMethods->xFileSize(Real(file), size);
}
int LockFile(sqlite3_file* file, int level) {
  return Real(file)->pMethods->xLock(Real(file), level);
}
int UnlockFile(sqlite3_file* file, int level) {
  return Real(file)->pMethods->xUnlock(Real(file), level);
}
int CheckReservedLock(sqlite3_file* file, int* held) {
  return Real(file)->pMethods->xCheckReservedLock(Real(file), held);
}
int ControlFile(sqlite3_file* file, int operation, void* argument) {
  return Real(file)->pMethods->xFileControl(Real(file), operation, argument);
}
int SectorSize(sqlite3_file* file) { return Real(file)->pMethods->xSectorSize(Real(file)); }
int DeviceCharacteristics(sqlite3_file* file) {
  return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
}
int MapShared(sqlite3_file* file, int region, int size, int extend, volatile void** out) {
  return Real(file)->pMethods->xShmMap(Real(file), region, size, extend, out);
}
int LockShared(sqlite3_file* file, int offset, int count, int flags) {
  return Real(file)->pMethods->xShmLock(Real(file), offset, count, flags);
}
void BarrierShared(sqlite3_file* file) { Real(file)->pMethods->xShmBarrier(Real(file)); }
int UnmapShared(sqlite3_file* file, int remove) {
  return Real(file)->pMethods->xShmUnmap(Real(file), remove);
}

/// Version 2: without xFetch, so pages are never read past the check through a mapping.
constexpr sqlite3_io_methods kMethods = {2,
                                         &CloseFile,
                                         &ReadFile,
                                         &WriteFile,
                                         &TruncateFile,
                                         &SyncFile,
                                         &SizeOfFile,
                                         &LockFile,
                                         &UnlockFile,
                                         &CheckReservedLock,
                                         &ControlFile,
                                         &SectorSize,
                                         &DeviceCharacteristics,
                                         &MapShared,
                                         &LockShared,
                                         &BarrierShared,
                                         &UnmapShared,
                                         nullptr,
                                         nullptr};

int OpenFile(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) {
    return base_vfs->xOpen(base_vfs, name, file, flags, flags_out);
  }
  auto* const checked = reinterpret_cast<CheckedFile*>(file);
  checked->base.pMethods = nullptr;
  checked->real =
      reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + kCheckedFileBytes);
  const int code = base_vfs->xOpen(base_vfs, name, checked->real, flags, flags_out);
  if (checked->real->pMethods != nullptr) checked->base.pMethods = &kMethods;
  return code;
}

}  // namespace

const char* RegisterCheckedVfs() {
  base_vfs = sqlite3_vfs_find("unix");
  if (base_vfs == nullptr) return "this SQLite library has no unix file layer";
  static sqlite3_vfs checked = *base_vfs;
  checked.zName = kCheckedVfsName;
  checked.szOsFile = kCheckedFileBytes + base_vfs->szOsFile;
  checked.pNext = nullptr;
  checked.xOpen = &OpenFile;
  if (sqlite3_vfs_register(&checked, 0) != SQLITE_OK) {
    return "the checking file layer could not be registered";
  }
  return nullptr;
}

PageState CheckPage(ByteView page, std::uint32_t page_number) {
  const char* const stamp = page.data() + kStampedBytes;
  if (std::all_of(stamp, stamp + kPageReservedBytes, [](char byte) { return byte == 0; })) {
    return PageState::kUnstamped;
  }
  const bool valid = LoadLittleEndian<std::uint32_t>(stamp) == Checksum(page, page_number) &&
                     LoadLittleEndian<std::uint32_t>(stamp + 4) == kStampMagic;
  return valid ? PageState::kValid : PageState::kDamaged;
}

void StampPage(char* page, std::uint32_t page_number) {
  std::string stamp;
  AppendLittleEndian(stamp, Checksum({page, kPageBytes}, page_number));
  AppendLittleEndian(stamp, kStampMagic);
  std::memcpy(page + kStampedBytes, stamp.data(), kPageReservedBytes);
}

std::uint32_t LastDamagedPage() { return last_damaged_page; }

}  // namespace lamina::catalog::internal
