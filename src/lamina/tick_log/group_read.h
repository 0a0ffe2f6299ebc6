#pragma once

/// \file lamina/tick_log/group_read.h
/// Binary groups found in bytes, and the ticks of groups. LookAtBinaryGroup is pure; TickCollector
/// is thread-compatible.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"
#include "lamina/tick_log/segment_format.h"
#include "lamina/tick_log/tick.h"

namespace lamina::tick_log {

Look LookAtBinaryGroup(ByteView bytes, std::int64_t offset, const Seat& seat, bool whole,
                       Group& group);

/// Which rows of a log are wanted.
struct RowFilter {
  std::int64_t from_seq = 0, end_seq = INT64_MAX;
  std::int64_t begin_ns = INT64_MIN, end_ns = INT64_MAX;
  bool Has(std::int64_t seq, std::int64_t ts_ns) const {
    return seq >= from_seq && seq < end_seq && ts_ns >= begin_ns && ts_ns < end_ns;
  }
};

/// One tick, as a view.
struct TickRow {
  TickType type = TickType::kLast;
  std::int64_t contract_id = 0, ts_ns = 0, recv_ns = 0, seq = 0;
  std::array<double, 4> values{};
  std::uint32_t flags = 0;
  std::int64_t request_id = TickBatch::kNoRequest;
  std::array<std::string_view, 4> texts;  ///< exchange, conditions, source, extra
};

/// The four text columns of a batch, in the order of TickRow::texts.
TextColumn& TextColumnOf(TickBatch& batch, std::size_t number);

/// Collects ticks of many groups, in seq order within each kind.
class TickCollector {
 public:
  explicit TickCollector(std::int64_t writer);

  /// Make room for so many more rows of each kind: nothing moves while they are added.
  void Reserve(const std::array<std::size_t, 3>& more);

  struct RunBytes {
    const Run* run = nullptr;
    ByteView bytes;
  };
  /// Rows of some runs of one binary group. `front`: the group's first header.front bytes. RETURNS
  /// kCorruption when a run does not hold what it says.
  Status AddRuns(const Group& group, ByteView front, std::span<const RunBytes> runs,
                 const RowFilter& filter);
  /// One row, in seq order.
  void AddRow(const TickRow& row);

  TickBatches Take();
  std::size_t rows() const { return out_[0].size() + out_[1].size() + out_[2].size(); }

 private:
  struct RunColumns;
  class GroupTexts;
  struct Place;
  using Interned = std::unordered_map<std::string, std::uint32_t>;

  static Result<RunColumns> FindColumns(const Run& run, ByteView bytes);
  static Result<std::vector<Place>> PlacesOf(const Group& group,
                                             const std::vector<RunColumns>& runs,
                                             const RowFilter& filter);
  static Result<std::vector<Place>> InOrder(std::vector<Place> places, std::uint32_t group_rows);
  static bool PassesWhole(const Group& group, const RunColumns& columns, const RowFilter& filter);
  static void AddWholeRun(const Group& group, const RunColumns& columns, std::int64_t writer,
                          TickBatch& out);
  void AddPlaces(const Group& group, std::span<const RunColumns> found,
                 std::span<const Place> places);
  Status AddTexts(std::size_t column, std::size_t before, const GroupTexts& texts,
                  std::span<const RunColumns> found, std::span<const Place> places);
  void AddColumns(const TickRow& row);
  std::uint32_t Code(std::size_t kind, std::size_t column, std::string_view text);
  void AddText(std::size_t kind, std::size_t column, std::string_view text);

  std::int64_t writer_;
  TickBatches out_;
  std::array<std::array<Interned, 4>, 3> interned_;
};

}  // namespace lamina::tick_log
