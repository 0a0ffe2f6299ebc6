#include "lamina/tick_log/group_draft.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "lamina/base/hash.h"
#include "lamina/tick_log/jsonl_group.h"

namespace lamina::tick_log {
namespace {

static_assert(std::endian::native == std::endian::little, "columns are written as they are");

template <class T>
void Put(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof(T));
}

std::size_t Padded(std::size_t size) { return (size + 7) & ~std::size_t{7}; }

/// Rows of one batch that make one run.
struct RunRows {
  const TickBatch* batch = nullptr;
  const std::vector<std::uint32_t>* positions = nullptr;
  const std::uint32_t* rows = nullptr;  ///< null: all of the batch, in order
  std::size_t count = 0;
  std::size_t at(std::size_t i) const { return rows == nullptr ? i : rows[i]; }
};

/// The texts of a group, numbered from 1.
class GroupTexts {
 public:
  std::uint32_t Code(std::string_view text) {
    const auto [place, fresh] =
        codes_.try_emplace(text, static_cast<std::uint32_t>(texts_.size() + 1));
    if (fresh) {
      texts_.push_back(text);
      bytes_ += text.size();
    }
    return place->second;
  }
  /// Codes of a batch's texts by theirs.
  std::vector<std::uint32_t> Translate(const TextColumn& column, std::uint32_t none) {
    std::vector<std::uint32_t> codes(column.values.size() + 1, none);
    for (std::size_t i = 0; i < column.values.size(); ++i) codes[i + 1] = Code(column.values[i]);
    return codes;
  }
  std::size_t count() const { return texts_.size(); }
  std::size_t bytes() const { return bytes_; }
  void Write(std::string& out, std::size_t at) const {
    std::uint32_t end = 0;
    for (const std::string_view text : texts_) {
      end += static_cast<std::uint32_t>(text.size());
      Put(out, at, end);
      at += 4;
    }
    for (const std::string_view text : texts_) {
      std::memcpy(out.data() + at, text.data(), text.size());
      at += text.size();
    }
  }

 private:
  std::unordered_map<std::string_view, std::uint32_t> codes_;
  std::vector<std::string_view> texts_;
  std::size_t bytes_ = 0;
};

/// A text column of a run: codes, or one for all rows.
struct RunTexts {
  std::vector<std::uint32_t> codes;
  std::uint32_t constant = 0;
  int width = 0;  ///< 0 constant, else 1, 2, 3 for 1, 2, 4 bytes
  bool any = false;
};

RunTexts TextsOf(const RunRows& run, const TextColumn& column,
                 const std::vector<std::uint32_t>& translated) {
  RunTexts texts;
  if (column.codes.empty()) {
    texts.constant = translated[0];
    texts.any = texts.constant != 0;
    return texts;
  }
  texts.codes.resize(run.count);
  std::uint32_t all = 0, most = 0;
  for (std::size_t i = 0; i < run.count; ++i) {
    const std::uint32_t code = translated[column.codes[run.at(i)]];
    texts.codes[i] = code;
    all |= code ^ texts.codes[0];
    most = std::max(most, code);
  }
  texts.any = most != 0;
  texts.constant = texts.codes[0];
  if (all != 0) texts.width = most < 256 ? 1 : most < 65536 ? 2 : 3;
  return texts;
}

constexpr std::array<std::size_t, 4> kWidthBytes = {0, 1, 2, 4};

/// Writes the columns of runs one behind the other.
class ColumnWriter {
 public:
  ColumnWriter(std::string& out, std::size_t at) : out_(out), at_(at) {}
  template <class T>
  void Gather(const RunRows& run, const std::vector<T>& column) {
    char* const to = out_.data() + at_;
    if (run.rows == nullptr) {
      std::memcpy(to, column.data(), run.count * sizeof(T));
    } else {
      for (std::size_t i = 0; i < run.count; ++i) {
        std::memcpy(to + i * sizeof(T), &column[run.rows[i]], sizeof(T));
      }
    }
    at_ += run.count * sizeof(T);
  }
  void Flags(const RunRows& run, const std::vector<std::uint32_t>& flags) {
    for (std::size_t i = 0; i < run.count; ++i) out_[at_++] = static_cast<char>(flags[run.at(i)]);
  }
  void Texts(const RunTexts& texts) {
    if (texts.width == 0) {
      Put(out_, at_, texts.constant);
      at_ += 4;
    }
    const std::size_t width = kWidthBytes[static_cast<std::size_t>(texts.width)];
    for (std::size_t i = 0; width != 0 && i < texts.codes.size(); ++i, at_ += width) {
      std::memcpy(out_.data() + at_, &texts.codes[i], width);
    }
  }
  std::size_t at() const { return at_; }

 private:
  std::string& out_;
  std::size_t at_;
};

/// A run with what its bytes will be.
struct PlannedRun {
  RunRows rows;
  Run run;
  std::array<RunTexts, 4> texts;
};

struct KindTexts {
  std::array<const TextColumn*, 4> columns{};
  std::array<std::vector<std::uint32_t>, 4> translated;
};

std::size_t RunBytes(const PlannedRun& planned) {
  const std::uint8_t columns = planned.run.columns;
  const std::size_t rows = planned.rows.count;
  std::size_t row_bytes = 8 + 8 * ValueCount(planned.rows.batch->kind);
  if ((columns & kRunRecv) != 0) row_bytes += 8;
  if ((columns & kRunPositions) != 0) row_bytes += 4;
  if ((columns & kRunFlags) != 0) row_bytes += 1;
  if ((columns & kRunRequests) != 0) row_bytes += 8;
  std::size_t bytes = row_bytes * rows;
  for (std::size_t i = 0; i < 4; ++i) {
    if ((columns & (kRunExchange << i)) == 0) continue;
    const auto width = static_cast<std::size_t>(planned.texts[i].width);
    bytes += width == 0 ? 4 : kWidthBytes[width] * rows;
  }
  return Padded(bytes);
}

void Plan(PlannedRun& planned, const KindTexts& texts, bool positions) {
  const TickBatch& batch = *planned.rows.batch;
  Run& run = planned.run;
  const std::size_t first = planned.rows.at(0);
  run.contract_id = batch.contract_id[first];
  run.type = batch.type[first];
  run.rows = static_cast<std::uint32_t>(planned.rows.count);
  run.ts_min = run.ts_max = batch.ts_ns[first];
  for (std::size_t i = 0; i < planned.rows.count; ++i) {
    const std::int64_t ts = batch.ts_ns[planned.rows.at(i)];
    run.ts_min = std::min(run.ts_min, ts);
    run.ts_max = std::max(run.ts_max, ts);
  }
  unsigned columns = positions ? kRunPositions : 0;
  if (!batch.recv_ns.empty()) columns |= kRunRecv;
  std::uint32_t flags = 0;
  for (std::size_t i = 0; !batch.flags.empty() && i < planned.rows.count; ++i) {
    flags |= batch.flags[planned.rows.at(i)];
  }
  if (flags != 0) columns |= kRunFlags;
  if (!batch.request_id.empty()) columns |= kRunRequests;
  for (std::size_t i = 0; i < 4; ++i) {
    planned.texts[i] = TextsOf(planned.rows, *texts.columns[i], texts.translated[i]);
    if (!planned.texts[i].any) continue;
    columns |= static_cast<unsigned>(kRunExchange) << i;
    run.text_widths =
        static_cast<std::uint8_t>(run.text_widths | planned.texts[i].width << (2 * i));
  }
  run.columns = static_cast<std::uint8_t>(columns);
}

void WriteRun(PlannedRun& planned, std::string& out) {
  const TickBatch& batch = *planned.rows.batch;
  Run& run = planned.run;
  ColumnWriter writer(out, run.offset);
  writer.Gather(planned.rows, batch.ts_ns);
  if ((run.columns & kRunRecv) != 0) writer.Gather(planned.rows, batch.recv_ns);
  if ((run.columns & kRunPositions) != 0) writer.Gather(planned.rows, *planned.rows.positions);
  for (std::size_t i = 0; i < ValueCount(batch.kind); ++i) {
    writer.Gather(planned.rows, batch.values[i]);
  }
  if ((run.columns & kRunFlags) != 0) writer.Flags(planned.rows, batch.flags);
  if ((run.columns & kRunRequests) != 0) writer.Gather(planned.rows, batch.request_id);
  for (std::size_t i = 0; i < 4; ++i) {
    if ((run.columns & (kRunExchange << i)) != 0) writer.Texts(planned.texts[i]);
  }
  run.crc = Crc32c(ByteView(out).substr(run.offset, run.bytes));
}

void WriteEntry(const Run& run, std::string& out, std::size_t at) {
  Put(out, at, run.contract_id);
  Put(out, at + 8, run.ts_min);
  Put(out, at + 16, run.ts_max);
  Put(out, at + 24, run.rows);
  Put(out, at + 28, run.offset);
  Put(out, at + 32, run.bytes);
  Put(out, at + 36, run.crc);
  out[at + 40] = static_cast<char>(run.type);
  out[at + 41] = static_cast<char>(run.columns);
  out[at + 42] = static_cast<char>(run.text_widths);
}

std::vector<PlannedRun> PlanRuns(const TickBatches& ticks, const RowPositions& positions,
                                 const RunsByKind& runs, const DraftOptions& options,
                                 GroupTexts& texts) {
  const std::size_t count = runs[0].runs.size() + runs[1].runs.size() + runs[2].runs.size();
  std::vector<PlannedRun> planned(count);
  std::size_t next = 0;
  for (std::size_t kind = 0; kind < 3; ++kind) {
    const TickBatch& batch = ticks[kind];
    if (batch.size() == 0) continue;
    KindTexts own;
    own.columns = {&batch.exchange, &batch.conditions, &batch.source, &batch.extra};
    for (std::size_t i = 0; i < 4; ++i) {
      const bool source = i == 2 && !options.source.empty();
      own.translated[i] = texts.Translate(*own.columns[i], source ? texts.Code(options.source) : 0);
    }
    for (const RowRun& run : runs[kind].runs) {
      const std::uint32_t* const rows =
          runs[kind].rows.empty() ? nullptr : runs[kind].rows.data() + run.first;
      planned[next].rows = {&batch, &positions[kind], rows, run.count};
      Plan(planned[next++], own, count > 1);
    }
  }
  return planned;
}

void WriteHeader(const GroupHeader& header, std::size_t runs, const GroupTexts& texts,
                 std::string& out) {
  out.replace(0, 4, "LGRP");
  Put(out, 8, header.length);
  Put(out, 12, header.front);
  Put(out, 40, header.producer_seq.value_or(0));
  Put(out, 48, header.rows);
  Put(out, 52, static_cast<std::uint32_t>(runs));
  Put(out, 56, static_cast<std::uint32_t>(texts.count()));
  Put(out, 60, static_cast<std::uint16_t>(header.producer.size()));
  out[62] = static_cast<char>((header.producer_seq ? 1 : 0) | (header.seal ? 2 : 0));
}

}  // namespace

Result<DraftGroup> DraftBinaryGroup(const TickBatches& ticks, const RowPositions& positions,
                                    const RunsByKind& runs, const DraftOptions& options) {
  GroupTexts texts;
  std::vector<PlannedRun> planned = PlanRuns(ticks, positions, runs, options, texts);
  DraftGroup draft;
  draft.header.producer = options.producer;
  draft.header.producer_seq = options.producer_seq;
  const std::size_t producer_at =
      static_cast<std::size_t>(kGroupHeaderBytes + kRunEntryBytes * std::ssize(planned));
  const std::size_t texts_at = producer_at + options.producer.size();
  const std::size_t front = Padded(texts_at + 4 * texts.count() + texts.bytes());
  std::size_t length = front;
  for (PlannedRun& each : planned) {
    each.run.offset = static_cast<std::uint32_t>(length);
    const std::size_t bytes = RunBytes(each);
    each.run.bytes = static_cast<std::uint32_t>(bytes);
    length += bytes;
    if (std::cmp_greater(length, kGroupBytesMax)) {
      return InvalidArgument("an append has at most " + std::to_string(kGroupBytesMax >> 20) +
                             " MiB: append in parts");
    }
    draft.header.rows += each.run.rows;
  }
  draft.header.front = static_cast<std::uint32_t>(front);
  draft.header.length = static_cast<std::uint32_t>(length);
  draft.bytes.resize(length);
  WriteHeader(draft.header, planned.size(), texts, draft.bytes);
  std::size_t entry = static_cast<std::size_t>(kGroupHeaderBytes);
  draft.runs.reserve(planned.size());
  for (PlannedRun& each : planned) {
    WriteRun(each, draft.bytes);
    WriteEntry(each.run, draft.bytes, entry);
    entry += static_cast<std::size_t>(kRunEntryBytes);
    draft.runs.push_back(each.run);
  }
  draft.bytes.replace(producer_at, options.producer.size(), options.producer);
  texts.Write(draft.bytes, texts_at);
  return draft;
}

DraftGroup DraftSeal(LogPayload payload) {
  DraftGroup draft;
  draft.header.seal = true;
  if (payload == LogPayload::kJsonl) return draft;
  draft.header.length = draft.header.front = static_cast<std::uint32_t>(kGroupHeaderBytes);
  draft.bytes.resize(static_cast<std::size_t>(kGroupHeaderBytes));
  WriteHeader(draft.header, 0, {}, draft.bytes);
  return draft;
}

void SeatGroup(DraftGroup& draft, std::int64_t offset, const Seat& seat) {
  if (seat.payload == LogPayload::kJsonl) return SeatJsonlGroup(draft, offset, seat);
  Put(draft.bytes, 16, draft.header.first_seq);
  Put(draft.bytes, 24, draft.header.synced_end);
  Put(draft.bytes, 32, draft.header.recv_ns);
  Put(draft.bytes, 4, FrontCrc(draft.bytes, draft.header.front, offset, seat.salt));
}

std::uint32_t FrontCrc(ByteView group, std::uint32_t front, std::int64_t offset,
                       std::uint64_t salt) {
  char place[16];
  std::memcpy(place, &salt, 8);
  std::memcpy(place + 8, &offset, 8);
  return Crc32c(group.substr(8, front - 8), Crc32c(ByteView(place, sizeof(place))));
}

}  // namespace lamina::tick_log
