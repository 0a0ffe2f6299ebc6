#pragma once

/// \file lamina/tick_log/index_file.h
/// The file beside a sealed segment: its groups, and its runs by contract, so that who asks for one
/// contract reads a few kilobytes of it. A hint: without it the segment is looked through.
/// Thread-compatible.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/io/env.h"
#include "lamina/tick_log/segment_index.h"

namespace lamina::tick_log {

/// The bytes of the file for a whole segment.
std::string EncodeIndexFile(const SegmentIndex& index, const SegmentHeader& header);

class IndexFile {
 public:
  /// Reads groups and contracts. Absent for anything but the whole file of that segment.
  static std::optional<IndexFile> Open(io::Env& env, const std::string& path,
                                       const SegmentHeader& header);
  static std::optional<IndexFile> Read(std::unique_ptr<io::ReadableFile> file,
                                       const SegmentHeader& header);

  const std::vector<IndexedGroup>& groups() const { return groups_; }
  /// Whether a run of `contract` may have ticks in [begin_ns, end_ns).
  bool MayHold(std::int64_t contract, std::int64_t begin_ns, std::int64_t end_ns) const;
  /// In the order of their groups. Absent when the file is damaged there.
  std::optional<std::vector<IndexedRun>> RunsOf(std::int64_t contract) const;
  /// Everything. Absent when the file is damaged.
  std::optional<SegmentIndex> ReadAll() const;

 private:
  struct Contract {
    std::int64_t id = 0, ts_min = 0, ts_max = 0;
    std::uint32_t runs = 0, crc = 0;
    std::uint64_t first = 0;  ///< number of its first run in the file
  };

  const Contract* Find(std::int64_t contract) const;
  bool AppendRuns(const Contract& contract, std::vector<IndexedRun>& runs) const;
  std::optional<std::vector<ProducedGroup>> ReadProduced() const;

  std::unique_ptr<io::ReadableFile> file_;
  std::vector<IndexedGroup> groups_;
  std::vector<Contract> contracts_;
  std::int64_t runs_begin_ = 0, produced_begin_ = 0;
  std::uint64_t produced_ = 0, produced_bytes_ = 0;
  std::uint32_t produced_crc_ = 0;
};

}  // namespace lamina::tick_log
