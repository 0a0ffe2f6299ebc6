#include "lamina/ticks/file_facts.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "lamina/ticks/coverage.h"

namespace lamina::ticks {
namespace {

constexpr std::size_t kSampleRows = 256;
constexpr std::size_t kGatheredRows = 512;

/// Rows that lie far apart, beside each other: column by column, so that the processor fetches
/// many of them at a time.
struct Gathered {
  std::array<std::int64_t, kGatheredRows> contract_id, ts_ns, writer;
  std::array<TickType, kGatheredRows> type;
  std::array<std::array<double, 4>, kGatheredRows> values{};

  void Take(const TickBatch& ticks, std::span<const std::uint32_t> rows) {
    const auto take = [&](const auto& from, auto& to) {
      for (std::size_t i = 0; i < rows.size(); ++i) to[i] = from[rows[i]];
    };
    take(ticks.contract_id, contract_id);
    take(ticks.ts_ns, ts_ns);
    take(ticks.writer, writer);
    take(ticks.type, type);
    for (std::size_t value = 0; value < ValueCount(ticks.kind); ++value) {
      const std::vector<double>& from = ticks.values[value];
      for (std::size_t i = 0; i < rows.size(); ++i) values[i][value] = from[rows[i]];
    }
  }
};

template <class T>
std::size_t TextLength(T value) {
  std::array<char, 40> text;
  return static_cast<std::size_t>(std::to_chars(text.data(), text.data() + text.size(), value).ptr -
                                  text.data());
}

/// Of one tick as a line of JSON with the short keys of recorders (ts, st, cid, tt, bp, …).
std::size_t JsonLength(const TickBatch& ticks, std::size_t row) {
  std::size_t length = 29 + TextLength(ticks.ts_ns[row] / 1000) +
                       TextLength(ticks.recv_ns[row] / 1000) + TextLength(ticks.contract_id[row]) +
                       tick_log::TickTypeName(ticks.type[row]).size();
  for (std::size_t i = 0; i < ValueCount(ticks.kind); ++i)
    length += 6 + TextLength(ticks.values[i][row]);
  if (!ticks.request_id.empty()) length += 7 + TextLength(ticks.request_id[row]);
  for (const auto* text : {&ticks.exchange, &ticks.conditions, &ticks.extra})
    if (!text->at(row).empty()) length += 8 + text->at(row).size();
  return length;
}

void AddSpan(std::vector<TickSpan>& spans, std::int64_t writer, std::int64_t ts_ns) {
  // Few writers: the last spans are those of all of them.
  for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
    if (span->writer != writer) continue;
    if (ts_ns - span->last_ns > kCoverageSilenceNs) break;
    span->last_ns = ts_ns;
    ++span->ticks;
    return;
  }
  spans.push_back({writer, ts_ns, ts_ns, 1});
}

Status AddSpanRow(catalog::Database& database, std::int64_t contract, std::string_view type,
                  TickSpan span) {
  LAMINA_ASSIGN(auto read,
                database.Prepare("SELECT start_time, end_time, tick_count FROM coverage WHERE "
                                 "contract_id=?1 AND tick_type=?2 AND start_time<=?3 AND writer=?4 "
                                 "ORDER BY start_time DESC"));
  read.Bind(1, contract).Bind(2, type).Bind(3, span.last_ns + kCoverageSilenceNs);
  read.Bind(4, span.writer);
  std::vector<std::int64_t> joined;
  const std::int64_t touch = span.first_ns - kCoverageSilenceNs;
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row || read.Int(1) < touch) break;  // spans of one writer do not overlap
    joined.push_back(read.Int(0));
    span.first_ns = std::min(span.first_ns, read.Int(0));
    span.last_ns = std::max(span.last_ns, read.Int(1));
    span.ticks += read.Int(2);
  }
  read.Reset();
  for (const std::int64_t start : joined) {
    LAMINA_ASSIGN(auto drop, database.Prepare("DELETE FROM coverage WHERE contract_id=?1 AND "
                                              "tick_type=?2 AND start_time=?3 AND writer=?4"));
    LAMINA_TRY(drop.Bind(1, contract).Bind(2, type).Bind(3, start).Bind(4, span.writer).Run());
  }
  LAMINA_ASSIGN(auto put, database.Prepare("INSERT INTO coverage(contract_id, tick_type, "
                                           "start_time, end_time, writer, tick_count) "
                                           "VALUES(?1,?2,?3,?4,?5,?6)"));
  put.Bind(1, contract).Bind(2, type).Bind(3, span.first_ns).Bind(4, span.last_ns);
  return put.Bind(5, span.writer).Bind(6, span.ticks).Run();
}

}  // namespace

FileFacts FactsOf(const TickBatch& ticks, std::span<const std::uint32_t> rows) {
  FileFacts facts;
  std::int64_t contract = 0;
  std::array<ContractFacts*, 5> of_type{};
  Gathered gathered;
  for (std::size_t begin = 0; begin < rows.size(); begin += kGatheredRows) {
    const auto block = rows.subspan(begin, std::min(kGatheredRows, rows.size() - begin));
    gathered.Take(ticks, block);
    for (std::size_t i = 0; i < block.size(); ++i) {
      if (gathered.contract_id[i] != contract) {
        contract = gathered.contract_id[i];
        of_type.fill(nullptr);
      }
      const TickType type = gathered.type[i];
      ContractFacts*& own = of_type[static_cast<std::size_t>(type)];
      const std::int64_t ts_ns = gathered.ts_ns[i];
      if (own == nullptr) {
        own = &facts.contracts[{contract, type}];
        own->first_ns = ts_ns;
      }
      own->last_ns = ts_ns;
      ++own->ticks;
      own->statistics.Add(type, ts_ns, gathered.values[i].data());
      AddSpan(own->spans, gathered.writer[i], ts_ns);
    }
  }
  const std::size_t step = std::max<std::size_t>(1, rows.size() / kSampleRows);
  double sampled = 0, length = 0;
  for (std::size_t i = 0; i < rows.size(); i += step, ++sampled)
    length += static_cast<double>(JsonLength(ticks, rows[i]));
  if (sampled > 0) facts.json_bytes = length / sampled * static_cast<double>(rows.size());
  return facts;
}

Status InsertArchives(catalog::Database& database, std::int64_t snapshot,
                      const catalog::LakeTable& table, const std::string& name,
                      const FileFacts& facts) {
  std::int64_t file_id = -1, size = 0;
  std::string path;
  {
    LAMINA_ASSIGN(auto find,
                  database.Prepare("SELECT data_file_id, path, file_size_bytes FROM "
                                   "ducklake_data_file WHERE table_id=?1 AND begin_snapshot=?2"));
    find.Bind(1, table.table_id).Bind(2, snapshot);
    for (;;) {
      LAMINA_ASSIGN(const bool row, find.Step());
      if (!row) return Internal("a file of ticks is not in its own commit: " + name);
      if (!find.Text(1).ends_with(name)) continue;
      file_id = find.Int(0);
      path = table.directory + std::string(find.Text(1));
      size = find.Int(2);
      break;
    }
  }
  LAMINA_ASSIGN(auto put,
                database.Prepare("INSERT INTO tick_archives(contract_id, tick_type, start_time, "
                                 "end_time, file_path, tick_count, file_size_bytes, "
                                 "compression_ratio, data_file_id, begin_snapshot) "
                                 "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)"));
  for (const auto& [key, contract] : facts.contracts) {
    put.Bind(1, key.first).Bind(2, tick_log::TickTypeName(key.second));
    put.Bind(3, contract.first_ns).Bind(4, contract.last_ns).Bind(5, path);
    put.Bind(6, contract.ticks).Bind(7, size);
    put.Bind(8, facts.json_bytes / static_cast<double>(std::max<std::int64_t>(1, size)));
    put.Bind(9, file_id).Bind(10, snapshot);
    LAMINA_TRY(put.Run());
  }
  return Ok();
}

Status EndArchives(catalog::Database& database, std::int64_t snapshot,
                   const std::vector<std::int64_t>& data_file_ids) {
  LAMINA_ASSIGN(auto end, database.Prepare("UPDATE tick_archives SET end_snapshot=?1 WHERE "
                                           "data_file_id=?2 AND end_snapshot IS NULL"));
  for (const std::int64_t id : data_file_ids) LAMINA_TRY(end.Bind(1, snapshot).Bind(2, id).Run());
  return Ok();
}

Status AddCoverage(catalog::Database& database, const FileFacts& facts) {
  for (const auto& [key, contract] : facts.contracts)
    for (const TickSpan& span : contract.spans)
      LAMINA_TRY(AddSpanRow(database, key.first, tick_log::TickTypeName(key.second), span));
  return Ok();
}

}  // namespace lamina::ticks
