#include "lamina/tick_log/jsonl_group.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

#include <simdjson.h>

#include "lamina/base/hash.h"
#include "lamina/base/json.h"
#include "lamina/tick_log/tick_check.h"

namespace lamina::tick_log {
namespace {

constexpr std::string_view kCommit = "{\"_commit\":";
constexpr std::array<std::string_view, 4> kFlagNames = {"past_limit", "unreported", "bid_past_low",
                                                        "ask_past_high"};
constexpr std::array<std::string_view, 4> kTextNames = {"exchange", "conditions", "source",
                                                        "extra"};

template <class Number>
std::string HexDigits(Number value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = static_cast<int>(sizeof(Number)) * 8 - 4; shift >= 0; shift -= 4) {
    text += kDigits[value >> shift & 15];
  }
  return text;
}

template <class Number>
std::optional<Number> FromHex(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return text.size() == sizeof(Number) * 2 ? std::optional(value) : std::nullopt;
}

void Field(JsonWriter& json, std::string_view name, std::int64_t value) {
  json.Key(name);
  json.Int(value);
}

/// `{…},"crc":"8 digits"}`: what stands before the last key, and the number.
struct Checked {
  std::size_t covered = 0;
  std::uint32_t crc = 0;
};
constexpr std::string_view kCrcKey = ",\"crc\":\"";

std::optional<Checked> FindCrc(std::string_view line) {
  const std::size_t tail = kCrcKey.size() + 10;  // 8 digits, a quote, a brace
  if (line.size() < tail || !line.ends_with("\"}")) return {};
  const std::size_t at = line.size() - tail;
  if (line.substr(at, kCrcKey.size()) != kCrcKey) return {};
  const auto crc = FromHex<std::uint32_t>(line.substr(at + kCrcKey.size(), 8));
  if (!crc) return {};
  return Checked{at, *crc};
}

void AppendCrc(std::string& line, std::uint32_t crc) {
  line += kCrcKey;
  line += HexDigits(crc);
  line += "\"}";
}

std::uint32_t SeatCrc(std::int64_t offset, std::uint64_t salt) {
  char place[16];
  std::memcpy(place, &salt, 8);
  std::memcpy(place + 8, &offset, 8);
  return Crc32c(ByteView(place, sizeof(place)));
}

/// Integers of an object, which all have to be there.
class Object {
 public:
  explicit Object(simdjson::dom::element element) {
    if (element.get(object_) != simdjson::SUCCESS) whole_ = false;
  }
  std::int64_t Int(std::string_view name) {
    std::int64_t value = 0;
    if (!whole_ || object_.at_key(name).get(value) != simdjson::SUCCESS) whole_ = false;
    return value;
  }
  std::optional<std::int64_t> OptionalInt(std::string_view name) {
    std::int64_t value = 0;
    if (!whole_ || object_.at_key(name).get(value) != simdjson::SUCCESS) return {};
    return value;
  }
  std::string_view Text(std::string_view name) {
    std::string_view value;
    if (!whole_ || object_.at_key(name).get(value) != simdjson::SUCCESS) return {};
    return value;
  }
  bool Bool(std::string_view name) {
    bool value = false;
    return whole_ && object_.at_key(name).get(value) == simdjson::SUCCESS && value;
  }
  double Number(std::string_view name) {
    double value = 0;
    if (!whole_ || object_.at_key(name).get(value) != simdjson::SUCCESS) whole_ = false;
    return value;
  }
  bool whole() const { return whole_; }

 private:
  simdjson::dom::object object_;
  bool whole_ = true;
};

/// The parser wants blanks behind its text: it keeps its own copy.
simdjson::simdjson_result<simdjson::dom::element> Parse(simdjson::dom::parser& parser,
                                                        ByteView text) {
  return parser.parse(text.data(), text.size());
}

std::string TickLine(const TickBatch& batch, std::size_t row, std::string_view source) {
  std::string line;
  JsonWriter json(line);
  json.BeginObject();
  Field(json, "ts_ns", batch.ts_ns[row]);
  if (!batch.recv_ns.empty()) Field(json, "recv_ns", batch.recv_ns[row]);
  Field(json, "contract_id", batch.contract_id[row]);
  json.Key("tick_type");
  json.String(TickTypeName(batch.type[row]));
  const std::vector<std::string> names = ValueNames(batch.kind);
  for (std::size_t i = 0; i < names.size(); ++i) {
    json.Key(names[i]);
    json.Raw(PythonFloatRepr(batch.values[i][row]));
  }
  const std::uint32_t flags = batch.flags.empty() ? 0 : batch.flags[row];
  for (std::size_t i = 0; i < kFlagNames.size(); ++i) {
    if ((flags >> i & 1U) == 0) continue;
    json.Key(kFlagNames[i]);
    json.Bool(true);
  }
  const bool has_request =
      !batch.request_id.empty() && batch.request_id[row] != TickBatch::kNoRequest;
  if (has_request) Field(json, "request_id", batch.request_id[row]);
  for (std::size_t i = 0; i < kTextNames.size(); ++i) {
    std::string_view text = TextColumnOf(const_cast<TickBatch&>(batch), i).at(row);
    if (i == 2 && text.empty()) text = source;
    if (text.empty()) continue;
    json.Key(kTextNames[i]);
    json.String(text);
  }
  json.EndObject();
  line += '\n';
  return line;
}

/// The runs of a group that has no directory: for its index.
class RunCounter {
 public:
  void Add(std::int64_t contract, TickType type, std::int64_t ts_ns) {
    std::size_t& number = known_[contract][static_cast<std::size_t>(type)];
    if (number == 0) {
      Run run;
      run.contract_id = contract;
      run.type = type;
      run.ts_min = run.ts_max = ts_ns;
      runs_.push_back(run);
      number = runs_.size();
    }
    Run& run = runs_[number - 1];
    run.ts_min = std::min(run.ts_min, ts_ns);
    run.ts_max = std::max(run.ts_max, ts_ns);
    ++run.rows;
  }
  std::vector<Run> Take() { return std::move(runs_); }

 private:
  std::vector<Run> runs_;
  std::unordered_map<std::int64_t, std::array<std::size_t, 5>> known_;
};

Status BadLine(std::size_t number, std::string_view what) {
  return Corruption("line " + std::to_string(number) + " of the group: " + std::string(what));
}

Status ReadTick(simdjson::dom::element element, std::int64_t group_recv_ns, TickRow& row) {
  Object object(element);
  row.ts_ns = object.Int("ts_ns");
  row.recv_ns = object.OptionalInt("recv_ns").value_or(group_recv_ns);
  row.contract_id = object.Int("contract_id");
  LAMINA_ASSIGN(row.type, ParseTickType(object.Text("tick_type")));
  const std::vector<std::string> names = ValueNames(KindOf(row.type));
  for (std::size_t i = 0; i < names.size(); ++i) row.values[i] = object.Number(names[i]);
  row.flags = 0;
  for (std::size_t i = 0; i < kFlagNames.size(); ++i) {
    if (object.Bool(kFlagNames[i])) row.flags |= 1U << i;
  }
  row.request_id = object.OptionalInt("request_id").value_or(TickBatch::kNoRequest);
  for (std::size_t i = 0; i < kTextNames.size(); ++i) row.texts[i] = object.Text(kTextNames[i]);
  return object.whole() ? Ok() : Status(Corruption("a value is missing"));
}

Look Bad(const char* reason) { return {Found::kBad, 0, reason}; }

Look ReadCommit(ByteView line, Group& group) {
  simdjson::dom::parser parser;
  simdjson::dom::element root, commit;
  if (Parse(parser, line).get(root) != simdjson::SUCCESS ||
      root.at_key("_commit").get(commit) != simdjson::SUCCESS) {
    return Bad("a commit line that is no JSON");
  }
  Object object(commit);
  GroupHeader& header = group.header;
  header.first_seq = object.Int("first_seq");
  const std::int64_t rows = object.Int("rows");
  const std::int64_t bytes = object.Int("bytes");
  header.synced_end = object.Int("synced_end");
  header.recv_ns = object.Int("recv_ns");
  header.producer = object.Text("producer");
  header.producer_seq = object.OptionalInt("producer_seq");
  header.seal = object.Bool("seal");
  if (!object.whole()) return Bad("a commit line without all of its values");
  if (rows < 0 || rows > kAppendRowsMax || bytes != header.front) {
    return Bad("a commit line of other many lines");
  }
  header.rows = static_cast<std::uint32_t>(rows);
  return {Found::kGroup, 0, ""};
}

}  // namespace

std::string EncodeJsonlHeader(const SegmentHeader& header) {
  std::string line;
  JsonWriter json(line);
  json.BeginObject();
  json.Key("_segment");
  json.BeginObject();
  json.Key("format");
  json.String("lamina.tick_log");
  Field(json, "version", kLogVersion);
  json.Key("store");
  json.String(header.store_id.ToString());
  Field(json, "writer", header.writer);
  Field(json, "number", header.number);
  Field(json, "first_seq", header.first_seq);
  Field(json, "created_ns", header.created_ns);
  json.Key("salt");
  json.String(HexDigits(header.salt));
  json.EndObject();
  AppendCrc(line, Crc32c(line));
  line.resize(kSegmentHeaderBytes, ' ');
  line.back() = '\n';
  return line;
}

Result<SegmentHeader> DecodeJsonlHeader(ByteView bytes) {
  const std::size_t end = bytes.find_last_not_of(std::string_view(" \n\0", 3));
  const ByteView line = bytes.substr(0, end == ByteView::npos ? 0 : end + 1);
  const std::optional<Checked> checked = FindCrc(line);
  if (!checked || checked->crc != Crc32c(line.substr(0, checked->covered))) {
    return Corruption("the checksum of the segment's header at byte 0 is wrong");
  }
  simdjson::dom::parser parser;
  simdjson::dom::element root, segment;
  if (Parse(parser, line).get(root) != simdjson::SUCCESS ||
      root.at_key("_segment").get(segment) != simdjson::SUCCESS) {
    return Corruption("the segment's header at byte 0 is no JSON");
  }
  Object object(segment);
  if (object.Int("version") > kLogVersion) {
    return Unsupported("the segment was written by a later release");
  }
  SegmentHeader header;
  header.payload = LogPayload::kJsonl;
  header.writer = object.Int("writer");
  header.number = object.Int("number");
  header.first_seq = object.Int("first_seq");
  header.created_ns = object.Int("created_ns");
  const auto salt = FromHex<std::uint64_t>(object.Text("salt"));
  const auto store = Uuid::Parse(object.Text("store"));
  if (!object.whole() || !salt || !store) {
    return Corruption("the segment's header at byte 0 lacks a value");
  }
  header.salt = *salt;
  header.store_id = *store;
  return header;
}

Result<DraftGroup> DraftJsonlGroup(const TickBatches& ticks, const RowPositions& positions,
                                   const DraftOptions& options) {
  std::vector<TickWriter::RowRef> order(CountTicks(ticks));
  for (const TickKind kind : kTickKinds) {
    const std::vector<std::uint32_t>& own = positions[static_cast<std::size_t>(kind)];
    for (std::size_t row = 0; row < own.size(); ++row) {
      order[own[row]] = {kind, static_cast<std::uint32_t>(row)};
    }
  }
  DraftGroup draft;
  for (const TickWriter::RowRef& ref : order) {
    draft.bytes += TickLine(ticks[static_cast<std::size_t>(ref.kind)], ref.row, options.source);
    if (std::ssize(draft.bytes) > kGroupBytesMax / 2) {
      return InvalidArgument("an append has at most " + std::to_string(kGroupBytesMax >> 21) +
                             " MiB of JSON: append in parts");
    }
  }
  draft.header.rows = static_cast<std::uint32_t>(order.size());
  draft.header.front = static_cast<std::uint32_t>(draft.bytes.size());
  draft.header.producer = options.producer;
  draft.header.producer_seq = options.producer_seq;
  RunCounter runs;
  for (const TickBatch& batch : ticks) {
    for (std::size_t row = 0; row < batch.size(); ++row) {
      runs.Add(batch.contract_id[row], batch.type[row], batch.ts_ns[row]);
    }
  }
  draft.runs = runs.Take();
  return draft;
}

void SeatJsonlGroup(DraftGroup& draft, std::int64_t offset, const Seat& seat) {
  const GroupHeader& header = draft.header;
  draft.bytes.resize(header.front);  // a group that is seated again elsewhere
  std::string line;
  JsonWriter json(line);
  json.BeginObject();
  json.Key("_commit");
  json.BeginObject();
  Field(json, "first_seq", header.first_seq);
  Field(json, "rows", header.rows);
  Field(json, "bytes", header.front);
  Field(json, "synced_end", header.synced_end);
  Field(json, "recv_ns", header.recv_ns);
  if (!header.producer.empty()) {
    json.Key("producer");
    json.String(header.producer);
  }
  if (header.producer_seq) Field(json, "producer_seq", *header.producer_seq);
  if (header.seal) {
    json.Key("seal");
    json.Bool(true);
  }
  json.EndObject();
  const std::uint32_t crc = Crc32c(line, Crc32c(draft.bytes, SeatCrc(offset, seat.salt)));
  AppendCrc(line, crc);
  draft.bytes += line;
  draft.bytes += '\n';
  draft.header.length = static_cast<std::uint32_t>(draft.bytes.size());
}

std::size_t EndOfNextCommit(ByteView bytes, std::size_t from) {
  while (from < bytes.size()) {
    const std::size_t at = bytes.find(kCommit, from);
    if (at == ByteView::npos) return ByteView::npos;
    const std::size_t end = bytes.find('\n', at);
    if (end == ByteView::npos) return ByteView::npos;
    if (at == 0 || bytes[at - 1] == '\n') return end + 1;
    from = end + 1;
  }
  return ByteView::npos;
}

Look LookAtJsonlGroup(ByteView bytes, std::int64_t offset, const Seat& seat, Group& group) {
  if (bytes.empty() || bytes.front() == '\0') return {};
  const std::size_t end = EndOfNextCommit(bytes, 0);
  if (end == ByteView::npos) {
    if (std::ssize(bytes) >= kGroupBytesMax) return Bad("no commit line within the limit");
    return {Found::kMore, std::max<std::size_t>(2 * bytes.size(), 1 << 16), ""};
  }
  const std::size_t before = bytes.substr(0, end - 1).rfind('\n');
  const std::size_t start = before == ByteView::npos ? 0 : before + 1;
  const ByteView line = bytes.substr(start, end - 1 - start);
  const std::optional<Checked> checked = FindCrc(line);
  if (!checked) return Bad("a commit line without checksum");
  const std::uint32_t crc =
      Crc32c(bytes.substr(0, start + checked->covered), SeatCrc(offset, seat.salt));
  if (crc != checked->crc) return Bad("wrong checksum");
  group.offset = offset;
  group.runs.clear();
  group.header = {};
  group.header.front = static_cast<std::uint32_t>(start);
  group.header.length = static_cast<std::uint32_t>(end);
  return ReadCommit(line, group);
}

Status ForEachJsonlTick(const Group& group, ByteView bytes,
                        const std::function<void(const TickRow&)>& add) {
  simdjson::dom::parser parser;
  std::size_t number = 0;
  const ByteView lines = bytes.substr(0, group.header.front);
  for (std::size_t at = 0; at < lines.size(); ++number) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    simdjson::dom::element element;
    if (Parse(parser, lines.substr(at, end - at)).get(element) != simdjson::SUCCESS) {
      return BadLine(number, "no JSON");
    }
    TickRow row;
    row.seq = group.header.first_seq + static_cast<std::int64_t>(number);
    LAMINA_TRY_WITH(ReadTick(element, group.header.recv_ns, row),
                    "line " + std::to_string(number) + " of the group");
    add(row);
    at = end + 1;
  }
  if (number == group.header.rows) return Ok();
  return BadLine(number, "there are not as many lines as the commit says");
}

Result<std::vector<Run>> JsonlRuns(const Group& group, ByteView bytes) {
  RunCounter runs;
  LAMINA_TRY(ForEachJsonlTick(
      group, bytes, [&](const TickRow& row) { runs.Add(row.contract_id, row.type, row.ts_ns); }));
  return runs.Take();
}

}  // namespace lamina::tick_log
