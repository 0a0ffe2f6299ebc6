#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <utility>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/reader.h>
#include <parquet/arrow/reader.h>

#include "lamina/base/json.h"
#include "lamina/cli/output.h"
#include "lamina/cli/tick_arguments.h"
#include "lamina/cli/tick_commands.h"
#include "lamina/store/contract_names.h"
#include "lamina/table/arrow_status.h"
#include "lamina/ticks/tick_cursor.h"
#include "lamina/ticks/tick_input.h"
#include "lamina/ticks/tick_store.h"

namespace lamina::cli {
namespace {

constexpr std::size_t kLineBytesMax = std::size_t{16} << 20;
constexpr std::size_t kRejectedShown = 1000;
constexpr std::string_view kWhat = "reading ticks";

struct Rejected {
  std::int64_t line = 0;
  std::string message;
};

/// Lines into a writer, in batches; what is refused is told by line.
class Ingest {
 public:
  Ingest(const Context& context, store::Store& store, ticks::TickRecorder& recorder)
      : context_(&context),
        store_(&store),
        recorder_(&recorder),
        lines_(Options()),
        batch_rows_(store.ticks().config().batch_size),
        progress_(context, "ticks") {}

  /// `json`: lines of JSON; else of CSV below a header.
  Status Lines(std::FILE* in, bool json) {
    std::string line;
    std::int64_t number = 0;
    bool header = !json, more = true;
    while (more) {
      if (context_->cancel->cancelled()) break;
      LAMINA_ASSIGN(more, ReadLine(in, line));
      ++number;
      if (line.empty() || line == "\r") continue;
      if (line.size() > kLineBytesMax) {
        Reject(number, "the line is longer than 16 MiB");
      } else if (std::exchange(header, false)) {
        LAMINA_TRY(lines_.SetCsvHeader(line));
      } else {
        const Status added = json ? lines_.AddJson(line) : lines_.AddCsv(line);
        if (!added.ok()) {
          Reject(number, std::string(added.error().message()));
        } else {
          kept_.push_back({number, line});
        }
        if (lines_.rows() >= batch_rows_) LAMINA_TRY(Store(json));
      }
    }
    return Store(json);
  }

  Status Tables(arrow::RecordBatchReader& reader) {
    std::int64_t row = 0;
    for (;;) {
      if (context_->cancel->cancelled()) return Ok();
      std::shared_ptr<arrow::RecordBatch> batch;
      LAMINA_ARROW(reader.ReadNext(&batch), kWhat);
      if (batch == nullptr) return Ok();
      LAMINA_ARROW_ASSIGN(const auto table, arrow::Table::FromRecordBatches({batch}), kWhat);
      ticks::InputOptions options = Options();
      options.now = io::PosixEnv().Now();
      const std::string where = "rows from " + std::to_string(row);
      auto rows = ticks::TicksOfArrow(*table, options);
      if (!rows.ok()) return std::move(rows).error().With(where);
      LAMINA_TRY_WITH(Append(*std::move(rows)), where);
      row += batch->num_rows();
    }
  }

  std::int64_t accepted() const { return accepted_; }
  const std::vector<Rejected>& rejected() const { return rejected_; }
  std::int64_t rejected_count() const { return rejected_count_; }
  std::string durable_seq() const { return ticks::FormatLogCursor(durable_); }

 private:
  struct Line {
    std::int64_t number;
    std::string text;
  };

  ticks::InputOptions Options() {
    ticks::InputOptions options;
    options.resolve = [this](std::string_view symbol) {
      return store::ContractOf(store_->instruments(), symbol);
    };
    return options;
  }

  /// False at the end. A line that is too long is read to its end and cut.
  static Result<bool> ReadLine(std::FILE* in, std::string& line) {
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

  void Reject(std::int64_t line, std::string message) {
    ++rejected_count_;
    if (rejected_.size() < kRejectedShown) rejected_.push_back({line, std::move(message)});
  }

  Status Append(ticks::TickRows rows) {
    if (rows.rows == 0) return Ok();
    const std::int64_t count = rows.rows;
    LAMINA_ASSIGN(const tick_log::Ack ack,
                  recorder_->writer().Append(std::move(rows.ticks), std::move(rows.order)));
    accepted_ += count;
    durable_[ack.writer] = ack.seq_last + 1;
    progress_.Update({.files_total = accepted_, .files_done = accepted_});
    return Ok();
  }

  /// What was gathered, as one append; when that is refused, line by line.
  Status Store(bool json) {
    const Status stored = Append(lines_.Take(io::PosixEnv().Now()));
    const std::vector<Line> kept = std::exchange(kept_, {});
    if (stored.ok()) return Ok();
    if (stored.error().code() != ErrorCode::kInvalidArgument) return stored.error().Clone();
    for (const Line& line : kept) {
      LAMINA_TRY(json ? lines_.AddJson(line.text) : lines_.AddCsv(line.text));
      const Status one = Append(lines_.Take(io::PosixEnv().Now()));
      if (one.ok()) continue;
      if (one.error().code() != ErrorCode::kInvalidArgument) return one.error().Clone();
      Reject(line.number, std::string(one.error().message()));
    }
    return Ok();
  }

  const Context* context_;
  store::Store* store_;
  ticks::TickRecorder* recorder_;
  ticks::TickLines lines_;
  std::int64_t batch_rows_;
  ProgressLine progress_;
  std::vector<Line> kept_;
  std::vector<Rejected> rejected_;
  std::int64_t rejected_count_ = 0, accepted_ = 0;
  ticks::LogCursor durable_;
};

Status ReadArrow(const std::string& path, Ingest& ingest) {
  if (path.empty()) {
    const auto in = std::make_shared<arrow::io::StdinStream>();
    LAMINA_ARROW_ASSIGN(const auto reader, arrow::ipc::RecordBatchStreamReader::Open(in), kWhat);
    return ingest.Tables(*reader);
  }
  LAMINA_ARROW_ASSIGN(const auto in, arrow::io::ReadableFile::Open(path), "reading " + path);
  const auto file = arrow::ipc::RecordBatchFileReader::Open(in);
  if (!file.ok()) {  // a stream in a file
    LAMINA_ARROW(in->Seek(0), kWhat);
    LAMINA_ARROW_ASSIGN(const auto reader, arrow::ipc::RecordBatchStreamReader::Open(in),
                        "reading " + path);
    return ingest.Tables(*reader);
  }
  LAMINA_ARROW_ASSIGN(const auto table, (*file)->ToTable(), "reading " + path);
  arrow::TableBatchReader reader(*table);
  reader.set_chunksize(100'000);
  return ingest.Tables(reader);
}

Status ReadParquetFile(const std::string& path, Ingest& ingest) {
  if (path.empty()) return InvalidArgument("Parquet is read from a file, not from stdin");
  LAMINA_ARROW_ASSIGN(const auto in, arrow::io::ReadableFile::Open(path), "reading " + path);
  try {
    LAMINA_ARROW_ASSIGN(const auto file, parquet::arrow::OpenFile(in, arrow::default_memory_pool()),
                        "reading " + path);
    LAMINA_ARROW_ASSIGN(const auto reader, file->GetRecordBatchReader(), "reading " + path);
    return ingest.Tables(*reader);
  } catch (const std::exception& error) {
    return Corruption("reading " + path + ": " + error.what());
  }
}

Status ReadText(const std::string& path, bool json, Ingest& ingest) {
  std::FILE* in = path.empty() ? stdin : std::fopen(path.c_str(), "rb");
  if (in == nullptr) return NotFound("there is no file " + path);
  Status read = ingest.Lines(in, json);
  if (!path.empty()) std::fclose(in);
  return read;
}

/// The format asked for, or the one that the file's name says; JSON lines otherwise.
Result<std::string> FormatOf(const TickArguments& arguments, const std::string& path) {
  std::string format = arguments.format;
  if (format.empty()) {
    const std::size_t dot = path.rfind('.');
    format = path.empty() || dot == std::string::npos ? "jsonl" : path.substr(dot + 1);
    if (format == "json" || format == "ndjson") format = "jsonl";
  }
  for (const char* known : {"jsonl", "csv", "parquet", "arrow"}) {
    if (format == known) return format;
  }
  return InvalidArgument("unknown format '" + format + "': known are jsonl, csv, parquet, arrow");
}

int Report(const Context& context, const Ingest& ingest) {
  if (context.structured()) {
    std::string out;
    JsonWriter json(out);
    json.BeginObject();
    json.Key("accepted");
    json.Int(ingest.accepted());
    json.Key("rejected");
    json.BeginArray();
    for (const Rejected& one : ingest.rejected()) {
      json.BeginObject();
      json.Key("line");
      json.Int(one.line);
      json.Key("message");
      json.String(one.message);
      json.EndObject();
    }
    json.EndArray();
    json.Key("rejected_count");
    json.Int(ingest.rejected_count());
    json.Key("durable_seq");
    json.String(ingest.durable_seq());
    json.EndObject();
    Print(out + "\n");
  } else {
    for (const Rejected& one : ingest.rejected()) {
      Say(context, "line " + std::to_string(one.line) + ": " + one.message);
    }
    Say(context, HumanCount(ingest.accepted()) + " ticks stored, " +
                     HumanCount(ingest.rejected_count()) + " lines refused");
  }
  return ingest.rejected_count() > 0 ? 1 : 0;
}

}  // namespace

Outcome TicksIngest(const Context& context, const TickArguments& arguments) {
  const std::string path = arguments.input == "-" ? "" : arguments.input;
  LAMINA_ASSIGN(const std::string format, FormatOf(arguments, path));
  LAMINA_ASSIGN(const auto store, OpenStore(context));
  ticks::RecorderOptions options = store->ticks().DefaultRecorder();
  options.log.source = arguments.source;
  options.archive_in_background = false;
  LAMINA_ASSIGN(const auto recorder, store->ticks().OpenRecorder(options));
  Ingest ingest(context, *store, *recorder);
  const Status read = format == "arrow"     ? ReadArrow(path, ingest)
                      : format == "parquet" ? ReadParquetFile(path, ingest)
                                            : ReadText(path, format == "jsonl", ingest);
  LAMINA_TRY(recorder->Close());
  if (!read.ok()) {
    if (ingest.accepted() > 0) {
      Say(context, HumanCount(ingest.accepted()) + " ticks were stored before");
    }
    return read.error().Clone();
  }
  const int code = Report(context, ingest);
  if (context.cancel->cancelled()) return Cancelled("interrupted; what was read is stored");
  return code;
}

}  // namespace lamina::cli
