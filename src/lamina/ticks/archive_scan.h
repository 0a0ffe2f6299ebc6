#pragma once

/// \file lamina/ticks/archive_scan.h
/// Which files of the archive a query touches, and their rows as sorted runs. Free functions;
/// thread-safe. docs/guide/ticks.md: what a query touches.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/catalog/catalog.h"
#include "lamina/catalog/lake.h"
#include "lamina/ticks/tick_rows.h"

namespace lamina::ticks {

/// Half open, by event time in UTC nanoseconds.
struct TimeSpan {
  std::int64_t begin = 0, end = 0;
  bool empty() const { return begin >= end; }
  bool operator==(const TimeSpan&) const = default;
};

/// Some ticks of one writer.
struct SeqSpan {
  std::int64_t writer = 0, from_seq = 0, end_seq = 0;
};

/// Contracts (sorted, each once) and types (as NormalTypes) of a query.
struct TickSelection {
  std::vector<std::int64_t> contracts;
  std::vector<TickType> types;
  std::optional<SeqSpan> seqs = {};  ///< of the archive only these
};

/// What a query touched.
struct ScanCounts {
  std::int64_t files_live = 0;     ///< of the tables asked, at the snapshot
  std::int64_t files_planned = 0;  ///< that may hold rows of it
  std::int64_t row_groups = 0, row_groups_read = 0, bytes_read = 0;
  std::int64_t archive_rows = 0, log_rows = 0;
  std::int64_t slices = 0;  ///< stretches of time that were loaded one after the other

  void Add(const ScanCounts& more);
};

/// The files that may hold rows of a selection and span, at one snapshot.
struct ArchivePlan {
  std::int64_t snapshot = 0;
  std::array<std::optional<catalog::LakeTable>, 3> tables;  ///< by kind
  std::array<std::vector<catalog::LakeFile>, 3> files;
  std::int64_t files_live = 0;

  std::int64_t file_count() const;
  /// Equal for plans that read the same files with the same deletions.
  std::string Fingerprint() const;
};

/// REQUIRES a read transaction. RETURNS kNotFound for a snapshot that is not kept.
Result<ArchivePlan> PlanArchive(catalog::Database& database, std::int64_t snapshot,
                                const TickSelection& selection, TimeSpan span);

/// Rows of the plan's files within `span`, a run for each file and contract that has some, with the
/// columns that `result` needs. `workers` as ParallelFor; the answer does not depend on it.
/// RETURNS kCorruption naming the file.
Result<std::vector<std::shared_ptr<arrow::Table>>> LoadArchive(
    catalog::Catalog& catalog, const ArchivePlan& plan, const TickSelection& selection,
    TimeSpan span, const arrow::Schema& result, std::size_t workers, ScanCounts& counts);

/// At most how many rows LoadArchive would give, from footers and page indexes.
Result<std::int64_t> CountArchive(catalog::Catalog& catalog, const ArchivePlan& plan,
                                  const TickSelection& selection, TimeSpan span);

}  // namespace lamina::ticks
