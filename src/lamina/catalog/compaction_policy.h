#pragma once

/// \file lamina/catalog/compaction_policy.h
/// Which small files are worth merging. Pure functions; thread-safe.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lamina::catalog {

/// Files at least this large are left alone.
inline constexpr std::int64_t kSmallFileBytes = std::int64_t{8} << 20;
/// One merge reads at most this much of files, and as much of decoded rows (estimated).
inline constexpr std::int64_t kMergeBytesMax = std::int64_t{64} << 20;
inline constexpr std::int64_t kMergeDecodedBytesMax = std::int64_t{128} << 20;

/// Of tables that hold series (lake_rows.h): rows of a page, and of the files that are merged
/// until they fill one.
inline constexpr std::int64_t kSeriesPageRows = 25'000;
inline constexpr std::int64_t kSeriesFilesMin = 8;

/// One merge on demand decodes at most this much (estimated).
inline constexpr std::int64_t kDemandDecodedBytesMax = std::int64_t{512} << 20;

struct MergeCandidate {
  std::int64_t bytes = 0;          ///< of the file
  std::int64_t decoded_bytes = 0;  ///< estimated
};

/// The places of the files to merge into one; empty when there are fewer than `min_files`, or
/// nothing to gain. Smallest first, as many as there are such that the largest of them is at most
/// an eighth of all smaller ones: every byte moves into a file at least nine times larger than the
/// one it was in, so n appended bytes cost O(n log n) of rewriting, and what remains grows
/// geometrically. (Fewer than 32 `min_files` weaken the eighth to a quarter of their number.)
std::vector<std::size_t> ChooseMerge(const std::vector<MergeCandidate>& files,
                                     std::int64_t min_files);

}  // namespace lamina::catalog
