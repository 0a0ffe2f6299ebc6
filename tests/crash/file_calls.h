#pragma once

/// \file tests/crash/file_calls.h
/// What a program asks of the operating system below one folder, as an ordered log, and calls that
/// fail on demand. The C library's own functions are replaced in the program that links this, so
/// that Env, SQLite and everything else is seen alike. Thread-safe; one recording at a time.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::crash {

/// A change of files, or a mark, in the order in which the system saw them.
struct Change {
  enum class Kind : std::uint8_t {
    kCreate,        ///< `path` names the new, empty `file`
    kWrite,         ///< `bytes` at `offset` of `file`
    kTruncate,      ///< `file` to length `offset`
    kSync,          ///< the content of `file` is on the disk
    kRename,        ///< `path` to `to`
    kLink,          ///< `to` is another name of `path`
    kUnlink,        ///< `path`
    kMakeFolder,    ///< `path`
    kRemoveFolder,  ///< `path`
    kSyncFolder,    ///< the names in `path` are on the disk
    kAcknowledge,   ///< no change: the next step of the scenario was told to be done
  };
  Kind kind = Kind::kAcknowledge;
  int file = -1;
  std::int64_t offset = 0;
  std::string path, to, bytes;
};
std::string_view KindName(Change::Kind kind);

/// Log what happens below `root` (absolute, resolved) from now on. Files named `*-shm` are left
/// out: they hold nothing that outlives a power cut. `files` are there already: their numbers are
/// their places in it.
void StartRecording(const std::string& root, const std::vector<std::string>& files);
void Acknowledge();
std::vector<Change> StopRecording();

enum class FileCall : std::uint8_t {
  kOpen,
  kOpenToWrite,
  kRead,
  kWrite,
  kSync,
  kTruncate,
  kRename,
  kUnlink,
  kMakeFolder,
};
std::string_view CallName(FileCall call);

class FileCalls {
 public:
  constexpr FileCalls(std::initializer_list<FileCall> calls) {
    for (const FileCall call : calls) bits_ |= 1U << static_cast<unsigned>(call);
  }
  constexpr bool Has(FileCall call) const {
    return (bits_ >> static_cast<unsigned>(call) & 1) != 0;
  }

 private:
  unsigned bits_ = 0;
};

/// The `at`-th of `calls` below the root, counted from 1, fails with `error`.
struct CallFault {
  std::int64_t at = 0;
  int error = 0;
  bool short_write = false;  ///< half of the bytes are written, and nothing fails
  bool lasting = false;      ///< until ClearFault every later one fails too
  FileCalls calls = {};
};
/// REQUIRES a recording. Restarts the count.
void SetFault(const CallFault& fault);
void ClearFault();
/// After ClearFault: count on from where the count was.
void ResumeFault();
bool FaultFired();
/// What failed: "write /…/catalog.sqlite-wal".
std::string FaultPlace();
/// Calls of the fault's kind since SetFault.
std::int64_t CallCount();

}  // namespace lamina::crash
