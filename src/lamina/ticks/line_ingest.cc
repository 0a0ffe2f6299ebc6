#include "lamina/ticks/line_ingest.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "lamina/base/json.h"

namespace lamina::ticks {
namespace {

constexpr std::size_t kLineBytesMax = std::size_t{16} << 20;
constexpr std::string_view kFirstRow = " row 0: ";

/// False at the end. A line that is too long is read to its end and cut.
Result<bool> ReadLine(std::FILE* in, std::string& line) {
  line.clear();
  for (int c = std::getc(in); c != '\n'; c = std::getc(in)) {
    if (c == EOF) {
      if (std::ferror(in) != 0) return IoError("the input cannot be read");
      return false;
    }
    if (line.size() <= kLineBytesMax) line += static_cast<char>(c);
  }
  return true;
}

}  // namespace

LineIngest::LineIngest(io::Env& env, tick_log::TickWriter& writer, IngestOptions options)
    : env_(env),
      writer_(writer),
      options_(std::move(options)),
      lines_(options_.input),
      header_(!options_.json) {}

Status LineIngest::ReadAll(std::FILE* in) {
  std::string line;
  std::int64_t number = 0;
  for (bool more = true; more;) {
    if (options_.cancel != nullptr && options_.cancel->cancelled()) break;
    LAMINA_ASSIGN(more, ReadLine(in, line));
    ++number;
    if (line.empty() || line == "\r") continue;
    LAMINA_TRY(Add(number, line));
  }
  LAMINA_TRY(Store());
  std::vector<RejectedLine>& told = report_.rejected.first;
  std::sort(told.begin(), told.end(),
            [](const RejectedLine& a, const RejectedLine& b) { return a.line < b.line; });
  return Ok();
}

Status LineIngest::Add(std::int64_t number, const std::string& line) {
  if (line.size() > kLineBytesMax) {
    Reject(number, "the line is longer than 16 MiB");
    return Ok();
  }
  if (std::exchange(header_, false)) return lines_.SetCsvHeader(line);
  const Status added = Parse(line);
  if (!added.ok()) {
    Reject(number, std::string(added.error().message()));
  } else {
    kept_.push_back({number, line});
  }
  return lines_.rows() >= options_.batch_rows ? Store() : Ok();
}

Status LineIngest::Parse(std::string_view line) {
  return options_.json ? lines_.AddJson(line) : lines_.AddCsv(line);
}

void LineIngest::Reject(std::int64_t line, std::string message) {
  report_.rejected.Add({line, std::move(message)}, options_.on_rejected);
}

Status LineIngest::Append(TickRows rows, std::int64_t number) {
  if (rows.rows == 0) return Ok();
  const std::int64_t count = rows.rows;
  LAMINA_ASSIGN(const tick_log::Ack ack,
                writer_.Append(std::move(rows.ticks), std::move(rows.order),
                               options_.numbered ? std::optional(number) : std::nullopt));
  (ack.repeated ? report_.repeated : report_.accepted) += count;
  report_.durable[ack.writer] = ack.seq_last + 1;
  if (options_.progress) options_.progress(report_.accepted);
  return Ok();
}

Status LineIngest::Store() {
  const std::vector<Line> kept = std::exchange(kept_, {});
  return kept.empty() ? Ok() : StoreLines(kept);
}

/// What was parsed, as one append; when that is refused, half by half.
Status LineIngest::StoreLines(std::span<const Line> lines) {
  Status stored = Append(lines_.Take(env_.Now()), lines.back().number);
  if (stored.ok() || stored.error().code() != ErrorCode::kInvalidArgument) return stored;
  if (lines.size() == 1) {
    // The line is told; its row in the append is not of interest.
    std::string_view message = stored.error().message();
    if (const auto row = message.find(kFirstRow); row != std::string_view::npos)
      message.remove_prefix(row + kFirstRow.size());
    Reject(lines.front().number, std::string(message));
    return Ok();
  }
  const std::size_t half = lines.size() / 2;
  for (const std::span<const Line> part : {lines.first(half), lines.subspan(half)}) {
    for (const Line& line : part) LAMINA_TRY(Parse(line.text));
    LAMINA_TRY(StoreLines(part));
  }
  return Ok();
}

std::string IngestReportJson(const IngestReport& report) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("accepted");
  json.Int(report.accepted);
  WriteRejected(json, report.rejected);
  json.Key("durable_seq");
  json.String(FormatLogCursor(report.durable));
  json.EndObject();
  return out;
}

}  // namespace lamina::ticks
