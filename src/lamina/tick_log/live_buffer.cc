#include "lamina/tick_log/live_buffer.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include "lamina/tick_log/group_read.h"

namespace lamina::tick_log {
namespace {

constexpr std::size_t kFirstChunkRows = 64;
constexpr std::size_t kChunkRowsMax = 4096;
constexpr std::size_t kChunkTextsMax = 256;

/// Optional columns of a chunk.
enum ChunkColumn : unsigned { kFlagsColumn = 1, kRequestsColumn = 2, kFirstText = 4 };

/// Rows of one series. Nothing that was written moves: the vectors have their memory from the
/// start, so that readers copy rows below the size that they saw without a lock.
struct Chunk {
  Chunk(TickKind kind, std::size_t rows, unsigned with) : capacity(rows), columns(with) {
    ts_ns.resize(rows);
    recv_ns.resize(rows);
    seq.resize(rows);
    for (std::size_t i = 0; i < ValueCount(kind); ++i) values[i].resize(rows);
    if ((with & kFlagsColumn) != 0) flags.resize(rows);
    if ((with & kRequestsColumn) != 0) requests.resize(rows);
    for (std::size_t i = 0; i < 4; ++i) {
      if ((with & kFirstText << i) == 0) continue;
      codes[i].resize(rows);
      texts[i].reserve(kChunkTextsMax);
    }
    bytes = rows * (24 + 8 * ValueCount(kind) + ((with & kFlagsColumn) != 0 ? 4 : 0) +
                    ((with & kRequestsColumn) != 0 ? 8 : 0));
    for (std::size_t i = 0; i < 4; ++i) bytes += codes[i].size() * 4;
  }
  std::size_t capacity, size = 0, bytes = 0;
  unsigned columns;
  std::vector<std::int64_t> ts_ns, recv_ns, seq;
  std::array<std::vector<double>, 4> values;
  std::vector<std::uint32_t> flags;
  std::vector<std::int64_t> requests;
  std::array<std::vector<std::uint32_t>, 4> codes;
  std::array<std::vector<std::string>, 4> texts;
  std::int64_t ts_min = INT64_MAX, ts_max = INT64_MIN, recv_max = INT64_MIN;
};

/// Rows of a batch that go to one series.
struct Span {
  const TickBatch& batch;
  const std::vector<std::uint32_t>& positions;
  const GroupHeader& header;
  std::string_view source;
  const std::uint32_t* rows = nullptr;  ///< null: all, in their order
  std::size_t count = 0;
  std::size_t at(std::size_t i) const { return rows == nullptr ? i : rows[i]; }
};

const TextColumn& TextsOf(const TickBatch& batch, std::size_t number) {
  return TextColumnOf(const_cast<TickBatch&>(batch), number);
}

unsigned ColumnsOf(const Span& span) {
  unsigned columns = 0;
  if (!span.batch.flags.empty()) columns |= kFlagsColumn;
  if (!span.batch.request_id.empty()) columns |= kRequestsColumn;
  for (std::size_t i = 0; i < 4; ++i) {
    const bool given = i == 2 && !span.source.empty();
    if (given || !TextsOf(span.batch, i).codes.empty()) columns |= kFirstText << i;
  }
  return columns;
}

std::string_view TextAt(const Span& span, std::size_t column, std::size_t row) {
  const std::string_view text = TextsOf(span.batch, column).at(row);
  return column == 2 && text.empty() ? span.source : text;
}

/// The code of a text in a chunk; absent when the chunk has no room for one more.
std::optional<std::uint32_t> CodeOf(Chunk& chunk, std::size_t column, std::string_view text) {
  if (text.empty()) return 0;
  std::vector<std::string>& texts = chunk.texts[column];
  // The last one first: neighbours are mostly alike.
  for (std::size_t i = texts.size(); i-- > 0;) {
    if (texts[i] == text) return static_cast<std::uint32_t>(i + 1);
  }
  if (texts.size() == kChunkTextsMax) return {};
  texts.emplace_back(text);
  chunk.bytes += 32 + text.size();
  return static_cast<std::uint32_t>(texts.size());
}

template <class T>
void CopyRows(const Span& span, std::size_t from, std::size_t count, const std::vector<T>& column,
              T* to) {
  if (span.rows == nullptr) {
    std::copy_n(column.data() + from, count, to);
  } else {
    for (std::size_t i = 0; i < count; ++i) to[i] = column[span.rows[from + i]];
  }
}

/// Adds rows [from, …) of a span as far as the chunk takes them. RETURNS how many.
std::size_t Fill(Chunk& chunk, const Span& span, std::size_t from) {
  std::size_t count = std::min(span.count - from, chunk.capacity - chunk.size);
  const std::size_t to = chunk.size;
  for (std::size_t column = 0; column < 4; ++column) {
    if (chunk.codes[column].empty()) continue;
    for (std::size_t i = 0; i < count; ++i) {
      const auto code = CodeOf(chunk, column, TextAt(span, column, span.at(from + i)));
      if (!code) count = i;
      if (code) chunk.codes[column][to + i] = *code;
    }
  }
  CopyRows(span, from, count, span.batch.ts_ns, chunk.ts_ns.data() + to);
  if (span.batch.recv_ns.empty()) {
    std::fill_n(chunk.recv_ns.data() + to, count, span.header.recv_ns);
  } else {
    CopyRows(span, from, count, span.batch.recv_ns, chunk.recv_ns.data() + to);
  }
  for (std::size_t i = 0; i < count; ++i) {
    chunk.seq[to + i] = span.header.first_seq + span.positions[span.at(from + i)];
    chunk.ts_min = std::min(chunk.ts_min, chunk.ts_ns[to + i]);
    chunk.ts_max = std::max(chunk.ts_max, chunk.ts_ns[to + i]);
    chunk.recv_max = std::max(chunk.recv_max, chunk.recv_ns[to + i]);
  }
  for (std::size_t v = 0; v < ValueCount(span.batch.kind); ++v) {
    CopyRows(span, from, count, span.batch.values[v], chunk.values[v].data() + to);
  }
  if (!chunk.flags.empty() && !span.batch.flags.empty()) {
    CopyRows(span, from, count, span.batch.flags, chunk.flags.data() + to);
  }
  if (!chunk.requests.empty()) {
    if (span.batch.request_id.empty()) {
      std::fill_n(chunk.requests.data() + to, count, TickBatch::kNoRequest);
    } else {
      CopyRows(span, from, count, span.batch.request_id, chunk.requests.data() + to);
    }
  }
  chunk.size += count;
  return count;
}

using SeriesKey = std::pair<std::int64_t, TickType>;

struct Series {
  std::deque<std::shared_ptr<Chunk>> chunks;
  std::int64_t complete_from = 0;
};

/// A chunk as a reader saw it.
struct Seen {
  std::shared_ptr<const Chunk> chunk;
  std::size_t size = 0;
  std::array<std::size_t, 4> texts{};
};

template <class T>
void AppendPassing(const std::vector<T>& column, const std::vector<std::uint32_t>& rows, bool all,
                   std::size_t size, std::vector<T>& out) {
  if (all) {
    out.insert(out.end(), column.begin(), column.begin() + static_cast<std::ptrdiff_t>(size));
    return;
  }
  for (const std::uint32_t row : rows) out.push_back(column[row]);
}

class LiveReader {
 public:
  LiveReader(TickType type, std::int64_t begin_ns, std::int64_t end_ns, std::int64_t from_seq)
      : begin_ns_(begin_ns), end_ns_(end_ns), from_seq_(from_seq) {
    out_.kind = KindOf(type);
  }

  void Add(const Seen& seen) {
    const Chunk& chunk = *seen.chunk;
    rows_.clear();
    for (std::size_t i = 0; i < seen.size; ++i) {
      const bool passes =
          chunk.ts_ns[i] >= begin_ns_ && chunk.ts_ns[i] < end_ns_ && chunk.seq[i] >= from_seq_;
      if (passes) rows_.push_back(static_cast<std::uint32_t>(i));
    }
    if (rows_.empty()) return;
    const bool all = rows_.size() == seen.size;
    const auto take = [&](const auto& column, auto& out) {
      AppendPassing(column, rows_, all, seen.size, out);
    };
    const std::size_t before = out_.size();
    take(chunk.ts_ns, out_.ts_ns);
    take(chunk.recv_ns, out_.recv_ns);
    take(chunk.seq, out_.seq);
    for (std::size_t v = 0; v < ValueCount(out_.kind); ++v) take(chunk.values[v], out_.values[v]);
    if (!chunk.flags.empty() || !out_.flags.empty()) {
      out_.flags.resize(before, 0);
      if (chunk.flags.empty())
        out_.flags.resize(out_.size(), 0);
      else
        take(chunk.flags, out_.flags);
    }
    if (!chunk.requests.empty() || !out_.request_id.empty()) {
      out_.request_id.resize(before, TickBatch::kNoRequest);
      if (chunk.requests.empty())
        out_.request_id.resize(out_.size(), TickBatch::kNoRequest);
      else
        take(chunk.requests, out_.request_id);
    }
    for (std::size_t column = 0; column < 4; ++column) AddTexts(seen, column, before);
  }

  TickBatch Take(std::int64_t contract_id, TickType type, std::int64_t writer) {
    out_.contract_id.assign(out_.size(), contract_id);
    out_.type.assign(out_.size(), type);
    out_.writer.assign(out_.size(), writer);
    return std::move(out_);
  }

 private:
  void AddTexts(const Seen& seen, std::size_t column, std::size_t before) {
    const Chunk& chunk = *seen.chunk;
    TextColumn& texts = TextColumnOf(out_, column);
    if (chunk.codes[column].empty() && texts.codes.empty()) return;
    texts.codes.resize(before, 0);
    if (chunk.codes[column].empty()) {
      texts.codes.resize(out_.size(), 0);
      return;
    }
    std::vector<std::uint32_t> translated(seen.texts[column] + 1, 0);
    for (std::size_t i = 0; i < seen.texts[column]; ++i) {
      const std::string& text = chunk.texts[column].data()[i];
      const auto [place, fresh] =
          known_[column].try_emplace(text, static_cast<std::uint32_t>(texts.values.size() + 1));
      if (fresh) texts.values.push_back(text);
      translated[i + 1] = place->second;
    }
    for (const std::uint32_t row : rows_) {
      texts.codes.push_back(translated[chunk.codes[column][row]]);
    }
  }

  std::int64_t begin_ns_, end_ns_, from_seq_;
  TickBatch out_;
  std::vector<std::uint32_t> rows_;
  std::array<std::unordered_map<std::string, std::uint32_t>, 4> known_;
};

}  // namespace

struct LiveBuffer::State {
  std::int64_t writer;
  LiveOptions options;
  mutable std::shared_mutex mutex;  ///< of the series, and of sizes within chunks
  std::map<SeriesKey, Series> series;
  std::int64_t first_seq, complete_from;
  std::int64_t rows = 0, bytes = 0, newest_recv = INT64_MIN;
  /// All chunks with their series, the oldest first: they go in this order.
  std::deque<std::pair<SeriesKey, std::shared_ptr<Chunk>>> ages;

  void AddSpan(const SeriesKey& key, const Span& span);
  void Evict();
};

void LiveBuffer::State::AddSpan(const SeriesKey& key, const Span& span) {
  const auto [place, fresh] = series.try_emplace(key);
  Series& own = place->second;
  if (fresh) own.complete_from = first_seq;
  const unsigned columns = ColumnsOf(span);
  for (std::size_t from = 0; from < span.count;) {
    const Chunk* const last = own.chunks.empty() ? nullptr : own.chunks.back().get();
    const bool fits =
        last != nullptr && last->size < last->capacity && (columns & ~last->columns) == 0;
    if (!fits) {
      const std::size_t grown = last == nullptr ? kFirstChunkRows : 2 * last->capacity;
      const std::size_t wanted = std::max(grown, std::min(span.count - from, kChunkRowsMax));
      auto chunk =
          std::make_shared<Chunk>(KindOf(key.second), std::min(wanted, kChunkRowsMax), columns);
      own.chunks.push_back(chunk);
      ages.emplace_back(key, std::move(chunk));
      bytes += static_cast<std::int64_t>(own.chunks.back()->bytes);
    }
    Chunk& chunk = *own.chunks.back();
    const std::size_t before = chunk.bytes;
    const std::size_t added = Fill(chunk, span, from);
    bytes += static_cast<std::int64_t>(chunk.bytes - before);
    rows += static_cast<std::int64_t>(added);
    newest_recv = std::max(newest_recv, chunk.recv_max);
    if (added == 0) chunk.capacity = chunk.size;  // no room for its texts: the next chunk
    from += added;
  }
}

void LiveBuffer::State::Evict() {
  while (!ages.empty()) {
    const auto& [key, chunk] = ages.front();
    const bool old = chunk->recv_max < newest_recv - options.keep_ns;
    if (!old && bytes <= options.max_bytes) return;
    const auto found = series.find(key);
    Series& own = found->second;
    rows -= static_cast<std::int64_t>(chunk->size);
    bytes -= static_cast<std::int64_t>(chunk->bytes);
    if (chunk->size > 0) {
      own.complete_from = chunk->seq[chunk->size - 1] + 1;
      complete_from = std::max(complete_from, own.complete_from);
    }
    own.chunks.pop_front();
    ages.pop_front();
  }
}

LiveBuffer::LiveBuffer(std::int64_t writer, std::int64_t first_seq, const LiveOptions& options)
    : state_(new State) {
  state_->writer = writer;
  state_->options = options;
  state_->first_seq = state_->complete_from = first_seq;
}
LiveBuffer::~LiveBuffer() = default;

void LiveBuffer::Add(const TickBatches& ticks, const RowPositions& positions,
                     const RunsByKind& runs, const GroupHeader& header, std::string_view source) {
  State& state = *state_;
  const std::unique_lock lock(state.mutex);
  if (state.options.max_bytes <= 0 || state.options.keep_ns <= 0) {
    state.complete_from = state.first_seq = header.first_seq + header.rows;
    return;
  }
  for (std::size_t kind = 0; kind < 3; ++kind) {
    const std::uint32_t* const rows = runs[kind].rows.empty() ? nullptr : runs[kind].rows.data();
    for (const RowRun& run : runs[kind].runs) {
      const Span span{ticks[kind],
                      positions[kind],
                      header,
                      source,
                      rows == nullptr ? nullptr : rows + run.first,
                      run.count};
      state.AddSpan({run.contract_id, run.type}, span);
    }
  }
  state.Evict();
}

LiveTicks LiveBuffer::Read(std::int64_t contract_id, TickType type, std::int64_t begin_ns,
                           std::int64_t end_ns, std::int64_t from_seq) const {
  const State& state = *state_;
  std::vector<Seen> seen;
  LiveTicks live;
  {
    const std::shared_lock lock(state.mutex);
    const auto found = state.series.find({contract_id, type});
    live.complete_from =
        found == state.series.end() ? state.first_seq : found->second.complete_from;
    if (found != state.series.end()) {
      for (const std::shared_ptr<Chunk>& chunk : found->second.chunks) {
        if (chunk->ts_max < begin_ns || chunk->ts_min >= end_ns) continue;
        seen.push_back({chunk,
                        chunk->size,
                        {chunk->texts[0].size(), chunk->texts[1].size(), chunk->texts[2].size(),
                         chunk->texts[3].size()}});
      }
    }
  }
  LiveReader reader(type, begin_ns, end_ns, from_seq);
  for (const Seen& each : seen) reader.Add(each);
  live.ticks = reader.Take(contract_id, type, state.writer);
  return live;
}

std::vector<std::pair<std::int64_t, TickType>> LiveBuffer::Contracts() const {
  const std::shared_lock lock(state_->mutex);
  std::vector<std::pair<std::int64_t, TickType>> keys;
  for (const auto& [key, series] : state_->series) {
    if (!series.chunks.empty()) keys.push_back(key);
  }
  return keys;
}

LiveCounts LiveBuffer::counts() const {
  const std::shared_lock lock(state_->mutex);
  return {state_->rows, state_->bytes, std::ssize(state_->series), state_->complete_from};
}

}  // namespace lamina::tick_log
