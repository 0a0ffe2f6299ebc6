#include "lamina/tick_log/group_read.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "lamina/base/hash.h"
#include "lamina/tick_log/group_draft.h"
#include "lamina/tick_log/tick_check.h"

namespace lamina::tick_log {
namespace {

template <class T>
T Get(const char* bytes) {
  return LoadLittleEndian<T>(bytes);
}

/// Above this part of a group its ticks are put in order by their places, without comparing.
constexpr std::uint32_t kManyOfGroup = 16;
constexpr std::uint32_t kNoRun = std::numeric_limits<std::uint32_t>::max();

Look Bad(const char* reason) { return {Found::kBad, 0, reason}; }

/// The sizes in a header, which nothing has checked yet.
const char* ImpossibleSize(const GroupHeader& header, std::uint64_t runs, std::uint64_t texts,
                           std::uint64_t producer) {
  if (header.length % 8 != 0 || header.length < kGroupHeaderBytes ||
      header.length > kGroupBytesMax) {
    return "impossible length";
  }
  const std::uint64_t least = kGroupHeaderBytes + runs * kRunEntryBytes + producer + 4 * texts;
  if (header.front % 8 != 0 || header.front < least || header.front > header.length) {
    return "impossible length of its front";
  }
  if (header.rows > kAppendRowsMax || runs > header.rows) return "impossible number of rows";
  if (header.seal ? header.rows != 0 : runs == 0) return "impossible number of runs";
  return nullptr;
}

const char* ReadRuns(const char* entries, std::uint32_t count, Group& group) {
  group.runs.resize(count);
  std::uint64_t rows = 0;
  for (Run& run : group.runs) {
    run.contract_id = Get<std::int64_t>(entries);
    run.ts_min = Get<std::int64_t>(entries + 8);
    run.ts_max = Get<std::int64_t>(entries + 16);
    run.rows = Get<std::uint32_t>(entries + 24);
    run.offset = Get<std::uint32_t>(entries + 28);
    run.bytes = Get<std::uint32_t>(entries + 32);
    run.crc = Get<std::uint32_t>(entries + 36);
    const auto type = static_cast<unsigned char>(entries[40]);
    run.columns = static_cast<std::uint8_t>(entries[41]);
    run.text_widths = static_cast<std::uint8_t>(entries[42]);
    entries += kRunEntryBytes;
    if (type < 1 || type > 4) return "unknown type of tick";
    run.type = static_cast<TickType>(type);
    if (run.offset < group.header.front || run.offset > group.header.length ||
        run.bytes > group.header.length - run.offset || run.rows == 0) {
      return "a run outside its group";
    }
    rows += run.rows;
  }
  return rows == group.header.rows ? nullptr : "its runs have other many rows";
}

template <class T>
void AppendColumn(std::vector<T>& out, const char* from, std::size_t rows) {
  const std::size_t size = out.size();
  out.resize(size + rows);
  std::memcpy(out.data() + size, from, rows * sizeof(T));
}

}  // namespace

Look LookAtBinaryGroup(ByteView bytes, std::int64_t offset, const Seat& seat, bool whole,
                       Group& group) {
  constexpr auto kHeader = static_cast<std::size_t>(kGroupHeaderBytes);
  if (bytes.size() < kHeader) {
    const bool zeros = std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
    return {zeros ? Found::kNothing : Found::kMore, kHeader, ""};
  }
  const char* const at = bytes.data();
  if (!bytes.starts_with("LGRP")) {
    const ByteView header = bytes.substr(0, kHeader);
    const bool zeros = std::all_of(header.begin(), header.end(), [](char c) { return c == 0; });
    return zeros ? Look{} : Bad("no group begins here");
  }
  GroupHeader& header = group.header;
  header.length = Get<std::uint32_t>(at + 8);
  header.front = Get<std::uint32_t>(at + 12);
  header.first_seq = Get<std::int64_t>(at + 16);
  header.synced_end = Get<std::int64_t>(at + 24);
  header.recv_ns = Get<std::int64_t>(at + 32);
  header.rows = Get<std::uint32_t>(at + 48);
  const auto runs = Get<std::uint32_t>(at + 52);
  const auto texts = Get<std::uint32_t>(at + 56);
  const auto producer = Get<std::uint16_t>(at + 60);
  const auto flags = static_cast<unsigned char>(at[62]);
  header.seal = (flags & 2) != 0;
  if (const char* reason = ImpossibleSize(header, runs, texts, producer)) return Bad(reason);
  if (bytes.size() < header.front) return {Found::kMore, header.front, ""};
  if (Get<std::uint32_t>(at + 4) != FrontCrc(bytes, header.front, offset, seat.salt)) {
    return Bad("wrong checksum");
  }
  header.producer_seq.reset();
  if ((flags & 1) != 0) header.producer_seq = Get<std::int64_t>(at + 40);
  group.offset = offset;
  if (const char* reason = ReadRuns(at + kHeader, runs, group)) return Bad(reason);
  header.producer =
      bytes.substr(kHeader + static_cast<std::size_t>(kRunEntryBytes) * runs, producer);
  if (!whole) return {Found::kGroup, 0, ""};
  if (bytes.size() < header.length) return {Found::kMore, header.length, ""};
  for (const Run& run : group.runs) {
    if (!RunIsWhole(bytes, run)) return Bad("wrong checksum of its ticks");
  }
  return {Found::kGroup, 0, ""};
}

bool RunIsWhole(ByteView group_bytes, const Run& run) {
  return Crc32c(group_bytes.substr(run.offset, run.bytes)) == run.crc;
}

TextColumn& TextColumnOf(TickBatch& batch, std::size_t number) {
  switch (number) {
    case 0:
      return batch.exchange;
    case 1:
      return batch.conditions;
    case 2:
      return batch.source;
    default:
      return batch.extra;
  }
}

/// Where the columns of a run are.
struct TickCollector::RunColumns {
  const Run* run = nullptr;
  std::size_t kind = 0;
  const char* ts = nullptr;
  const char* recv = nullptr;
  const char* positions = nullptr;
  std::array<const char*, 4> values{};
  const char* flags = nullptr;
  const char* requests = nullptr;
  std::array<const char*, 4> texts{};
  std::array<unsigned, 4> widths{};

  std::uint32_t TextCode(std::size_t column, std::size_t row) const {
    const char* const at = texts[column];
    if (at == nullptr) return 0;
    switch (widths[column]) {
      case 0:
        return Get<std::uint32_t>(at);
      case 1:
        return static_cast<unsigned char>(at[row]);
      case 2:
        return Get<std::uint16_t>(at + 2 * row);
      default:
        return Get<std::uint32_t>(at + 4 * row);
    }
  }
};

Result<TickCollector::RunColumns> TickCollector::FindColumns(const Run& run, ByteView bytes) {
  RunColumns found;
  found.run = &run;
  const TickKind kind = KindOf(run.type);
  found.kind = static_cast<std::size_t>(kind);
  const std::size_t rows = run.rows;
  std::size_t at = 0;
  const auto take = [&](bool there, std::size_t size) -> const char* {
    if (!there) return nullptr;
    const char* const begin = bytes.data() + std::min(at, bytes.size());
    at += size;
    return begin;
  };
  found.ts = take(true, 8 * rows);
  found.recv = take((run.columns & kRunRecv) != 0, 8 * rows);
  found.positions = take((run.columns & kRunPositions) != 0, 4 * rows);
  for (std::size_t i = 0; i < ValueCount(kind); ++i) found.values[i] = take(true, 8 * rows);
  found.flags = take((run.columns & kRunFlags) != 0, rows);
  found.requests = take((run.columns & kRunRequests) != 0, 8 * rows);
  for (std::size_t i = 0; i < 4; ++i) {
    const unsigned width = run.text_widths >> (2 * i) & 3U;
    found.widths[i] = width;
    found.texts[i] = take((run.columns & (kRunExchange << i)) != 0,
                          width == 0 ? 4 : (std::size_t{1} << (width - 1)) * rows);
  }
  if (at <= bytes.size()) return found;
  return Corruption("a run of " + std::to_string(run.bytes) + " bytes should have " +
                    std::to_string(at));
}

/// The texts of a group, and their codes in the batches.
class TickCollector::GroupTexts {
 public:
  /// `front` was looked at: its sizes are possible.
  static GroupTexts Find(ByteView front) {
    GroupTexts texts;
    if (front.empty()) return texts;  // not read: no run has texts
    texts.count_ = Get<std::uint32_t>(front.data() + 56);
    texts.ends_ = front.data() + kGroupHeaderBytes +
                  kRunEntryBytes * std::int64_t{Get<std::uint32_t>(front.data() + 52)} +
                  Get<std::uint16_t>(front.data() + 60);
    const char* const bytes = texts.ends_ + 4 * std::size_t{texts.count_};
    texts.bytes_ = ByteView(bytes, static_cast<std::size_t>(front.data() + front.size() - bytes));
    return texts;
  }
  /// Of code 1 and above.
  Result<std::string_view> at(std::uint32_t code) const {
    const auto end = [&](std::uint32_t number) -> std::size_t {
      return number == 0 ? 0 : Get<std::uint32_t>(ends_ + 4 * std::size_t{number - 1});
    };
    if (code > count_ || end(code) > bytes_.size() || end(code - 1) > end(code)) {
      return Corruption("a text that is not there");
    }
    return bytes_.substr(end(code - 1), end(code) - end(code - 1));
  }
  std::uint32_t count() const { return count_; }

 private:
  std::uint32_t count_ = 0;
  const char* ends_ = nullptr;
  ByteView bytes_;
};

/// Rows that pass, of all runs of a kind, by position.
struct TickCollector::Place {
  std::uint32_t position = 0, run = 0, row = 0;
};

Result<std::vector<TickCollector::Place>> TickCollector::PlacesOf(
    const Group& group, const std::vector<RunColumns>& runs, const RowFilter& filter) {
  std::vector<Place> places;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunColumns& columns = runs[i];
    for (std::uint32_t row = 0; row < columns.run->rows; ++row) {
      const std::uint32_t position =
          columns.positions == nullptr ? row : Get<std::uint32_t>(columns.positions + 4 * row);
      if (position >= group.header.rows) {
        return Corruption("a tick behind the end of its group");
      }
      if (!filter.Has(group.header.first_seq + position,
                      Get<std::int64_t>(columns.ts + 8 * std::size_t{row}))) {
        continue;
      }
      places.push_back({position, static_cast<std::uint32_t>(i), row});
    }
  }
  return InOrder(std::move(places), group.header.rows);
}

/// Places by position. RETURNS kCorruption when two have the same one.
Result<std::vector<TickCollector::Place>> TickCollector::InOrder(std::vector<Place> places,
                                                                 std::uint32_t group_rows) {
  const auto before = [](const Place& a, const Place& b) { return a.position < b.position; };
  const auto not_after = [](const Place& a, const Place& b) { return a.position >= b.position; };
  if (std::adjacent_find(places.begin(), places.end(), not_after) == places.end()) return places;
  if (places.size() < group_rows / kManyOfGroup) {
    std::sort(places.begin(), places.end(), before);
    if (std::adjacent_find(places.begin(), places.end(), not_after) == places.end()) return places;
    return Corruption("two ticks of one seq");
  }
  std::vector<Place> seats(group_rows, Place{0, kNoRun, 0});  // by position
  for (const Place& place : places) {
    if (seats[place.position].run != kNoRun) return Corruption("two ticks of one seq");
    seats[place.position] = place;
  }
  std::erase_if(seats, [](const Place& seat) { return seat.run == kNoRun; });
  return seats;
}

TickCollector::TickCollector(std::int64_t writer) : writer_(writer) {
  for (const TickKind kind : kTickKinds) out_[static_cast<std::size_t>(kind)].kind = kind;
}

void TickCollector::Reserve(const std::array<std::size_t, 3>& more) {
  for (std::size_t kind = 0; kind < 3; ++kind) {
    if (more[kind] == 0) continue;
    TickBatch& out = out_[kind];
    const std::size_t rows = out.size() + more[kind];
    out.type.reserve(rows);
    for (auto* column : {&out.contract_id, &out.ts_ns, &out.recv_ns, &out.writer, &out.seq}) {
      column->reserve(rows);
    }
    for (std::size_t i = 0; i < ValueCount(out.kind); ++i) out.values[i].reserve(rows);
  }
}

std::uint32_t TickCollector::Code(std::size_t kind, std::size_t column, std::string_view text) {
  TextColumn& texts = TextColumnOf(out_[kind], column);
  const auto [place, fresh] = interned_[kind][column].try_emplace(
      std::string(text), static_cast<std::uint32_t>(texts.values.size() + 1));
  if (fresh) texts.values.emplace_back(text);
  return place->second;
}

/// Of the row that was just added.
void TickCollector::AddText(std::size_t kind, std::size_t column, std::string_view text) {
  TextColumn& texts = TextColumnOf(out_[kind], column);
  if (text.empty() && texts.codes.empty()) return;
  const std::uint32_t code = text.empty() ? 0 : Code(kind, column, text);
  texts.codes.resize(out_[kind].size() - 1);
  texts.codes.push_back(code);
}

void TickCollector::AddRow(const TickRow& row) {
  AddColumns(row);
  for (std::size_t i = 0; i < 4; ++i) {
    AddText(static_cast<std::size_t>(KindOf(row.type)), i, row.texts[i]);
  }
}

void TickCollector::AddColumns(const TickRow& row) {
  const TickKind tick_kind = KindOf(row.type);
  const auto kind = static_cast<std::size_t>(tick_kind);
  TickBatch& out = out_[kind];
  const std::size_t before = out.size();
  out.contract_id.push_back(row.contract_id);
  out.type.push_back(row.type);
  out.ts_ns.push_back(row.ts_ns);
  out.recv_ns.push_back(row.recv_ns);
  out.writer.push_back(writer_);
  out.seq.push_back(row.seq);
  for (std::size_t i = 0; i < ValueCount(tick_kind); ++i) out.values[i].push_back(row.values[i]);
  if (row.flags != 0 || !out.flags.empty()) {
    out.flags.resize(before, 0);
    out.flags.push_back(row.flags);
  }
  if (row.request_id != TickBatch::kNoRequest || !out.request_id.empty()) {
    out.request_id.resize(before, TickBatch::kNoRequest);
    out.request_id.push_back(row.request_id);
  }
}

/// A whole run whose rows follow each other: column by column.
void TickCollector::AddWholeRun(const Group& group, const RunColumns& columns, std::int64_t writer,
                                TickBatch& out) {
  const Run& run = *columns.run;
  const std::size_t rows = run.rows;
  const std::size_t before = out.size();
  out.contract_id.resize(before + rows, run.contract_id);
  out.type.resize(before + rows, run.type);
  AppendColumn(out.ts_ns, columns.ts, rows);
  if (columns.recv != nullptr) {
    AppendColumn(out.recv_ns, columns.recv, rows);
  } else {
    out.recv_ns.resize(before + rows, group.header.recv_ns);
  }
  out.writer.resize(before + rows, writer);
  out.seq.resize(before + rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint32_t position = columns.positions == nullptr
                                       ? static_cast<std::uint32_t>(i)
                                       : Get<std::uint32_t>(columns.positions + 4 * i);
    out.seq[before + i] = group.header.first_seq + position;
  }
  for (std::size_t i = 0; i < ValueCount(KindOf(run.type)); ++i) {
    AppendColumn(out.values[i], columns.values[i], rows);
  }
  if (columns.flags != nullptr || !out.flags.empty()) {
    out.flags.resize(before, 0);
    for (std::size_t i = 0; i < rows; ++i) {
      out.flags.push_back(columns.flags == nullptr ? 0U
                                                   : static_cast<unsigned char>(columns.flags[i]));
    }
  }
  if (columns.requests != nullptr || !out.request_id.empty()) {
    out.request_id.resize(before, TickBatch::kNoRequest);
    if (columns.requests == nullptr) {
      out.request_id.resize(before + rows, TickBatch::kNoRequest);
    } else {
      AppendColumn(out.request_id, columns.requests, rows);
    }
  }
}

/// Whether every row of a run passes, in the order they have.
bool TickCollector::PassesWhole(const Group& group, const RunColumns& columns,
                                const RowFilter& filter) {
  const Run& run = *columns.run;
  if (run.ts_min < filter.begin_ns || run.ts_max >= filter.end_ns ||
      group.header.first_seq < filter.from_seq || group.end_seq() > filter.end_seq) {
    return false;
  }
  if (columns.positions == nullptr) return true;
  std::int64_t last = -1;
  for (std::size_t i = 0; i < run.rows; ++i) {
    const std::int64_t position = Get<std::uint32_t>(columns.positions + 4 * i);
    if (position <= last || position >= group.header.rows) return false;
    last = position;
  }
  return true;
}

/// Rows by place, except for their texts: column by column.
void TickCollector::AddPlaces(const Group& group, std::span<const RunColumns> found,
                              std::span<const Place> places) {
  TickBatch& out = out_[found[0].kind];
  const std::size_t before = out.size();
  const auto add = [&](auto& column, auto value_of) {
    column.resize(before + places.size());
    auto* to = column.data() + before;
    for (const Place& place : places) *to++ = value_of(place, found[place.run]);
  };
  const auto at = [](const char* column, const Place& place) {
    return Get<std::int64_t>(column + 8 * std::size_t{place.row});
  };
  add(out.contract_id,
      [](const Place&, const RunColumns& columns) { return columns.run->contract_id; });
  add(out.type, [](const Place&, const RunColumns& columns) { return columns.run->type; });
  add(out.ts_ns,
      [&](const Place& place, const RunColumns& columns) { return at(columns.ts, place); });
  add(out.recv_ns, [&](const Place& place, const RunColumns& columns) {
    return columns.recv == nullptr ? group.header.recv_ns : at(columns.recv, place);
  });
  out.writer.resize(before + places.size(), writer_);
  add(out.seq, [&](const Place& place, const RunColumns&) {
    return group.header.first_seq + place.position;
  });
  for (std::size_t i = 0; i < ValueCount(out.kind); ++i) {
    add(out.values[i], [&](const Place& place, const RunColumns& columns) {
      return std::bit_cast<double>(at(columns.values[i], place));
    });
  }
  const auto any = [&](const char* const RunColumns::* column) {
    return std::any_of(found.begin(), found.end(),
                       [&](const RunColumns& columns) { return columns.*column != nullptr; });
  };
  if (!out.flags.empty() || any(&RunColumns::flags)) {
    out.flags.resize(before, 0);
    add(out.flags, [](const Place& place, const RunColumns& columns) {
      return columns.flags == nullptr ? 0U : static_cast<unsigned char>(columns.flags[place.row]);
    });
  }
  if (!out.request_id.empty() || any(&RunColumns::requests)) {
    out.request_id.resize(before, TickBatch::kNoRequest);
    add(out.request_id, [&](const Place& place, const RunColumns& columns) {
      return columns.requests == nullptr ? TickBatch::kNoRequest : at(columns.requests, place);
    });
  }
}

/// One text column of the rows from `before` on; each text is looked up once a group.
Status TickCollector::AddTexts(std::size_t column, std::size_t before, const GroupTexts& texts,
                               std::span<const RunColumns> found, std::span<const Place> places) {
  const std::size_t kind = found[0].kind;
  TextColumn& out = TextColumnOf(out_[kind], column);
  const bool any =
      !out.codes.empty() || std::any_of(found.begin(), found.end(), [&](const RunColumns& columns) {
        return columns.texts[column] != nullptr;
      });
  if (!any || out_[kind].size() == before) return Ok();
  // Codes of the group as those of the batch; 0: not looked up yet.
  std::vector<std::uint32_t> known(std::size_t{texts.count()} + 1, 0);
  const auto add = [&](const RunColumns& columns, std::size_t row) -> Status {
    const std::uint32_t code = columns.TextCode(column, row);
    if (code >= known.size() || (code != 0 && known[code] == 0)) {
      LAMINA_ASSIGN(const std::string_view text, texts.at(code));
      known[code] = Code(kind, column, text);
    }
    out.codes.push_back(known[code]);
    return Ok();
  };
  out.codes.resize(before, 0);
  for (const Place& place : places) LAMINA_TRY(add(found[place.run], place.row));
  if (!places.empty()) return Ok();
  const bool constant = found[0].texts[column] == nullptr || found[0].widths[column] == 0;
  for (std::size_t row = 0; row < (constant ? 1 : found[0].run->rows); ++row) {
    LAMINA_TRY(add(found[0], row));
  }
  out.codes.resize(out_[kind].size(), out.codes.back());
  return Ok();
}

Status TickCollector::AddRuns(const Group& group, ByteView front, std::span<const RunBytes> runs,
                              const RowFilter& filter) {
  const GroupTexts texts = GroupTexts::Find(front);
  std::array<std::vector<RunColumns>, 3> by_kind;
  for (const RunBytes& each : runs) {
    LAMINA_ASSIGN(const RunColumns columns, FindColumns(*each.run, each.bytes));
    by_kind[columns.kind].push_back(columns);
  }
  for (std::size_t kind = 0; kind < 3; ++kind) {
    const std::vector<RunColumns>& found = by_kind[kind];
    if (found.empty()) continue;
    const std::size_t before = out_[kind].size();
    std::vector<Place> places;
    if (found.size() == 1 && PassesWhole(group, found[0], filter)) {
      AddWholeRun(group, found[0], writer_, out_[kind]);
    } else {
      LAMINA_ASSIGN(places, PlacesOf(group, found, filter));
      if (places.empty()) continue;
      AddPlaces(group, found, places);
    }
    for (std::size_t column = 0; column < 4; ++column) {
      LAMINA_TRY(AddTexts(column, before, texts, found, places));
    }
  }
  return Ok();
}

TickBatches TickCollector::Take() {
  TickBatches taken = std::move(out_);
  *this = TickCollector(writer_);
  return taken;
}

}  // namespace lamina::tick_log
