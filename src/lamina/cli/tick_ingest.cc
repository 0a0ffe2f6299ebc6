#include <cstdio>
#include <memory>
#include <utility>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/reader.h>
#include <parquet/arrow/reader.h>

#include "lamina/cli/output.h"
#include "lamina/cli/rejects_file.h"
#include "lamina/cli/tick_arguments.h"
#include "lamina/cli/tick_commands.h"
#include "lamina/store/contract_names.h"
#include "lamina/table/arrow_status.h"
#include "lamina/ticks/line_ingest.h"
#include "lamina/ticks/tick_store.h"

namespace lamina::cli {
namespace {

constexpr std::string_view kWhat = "reading ticks";

/// What is read into a recorder's log, and its progress on a terminal.
class Ingest {
 public:
  Ingest(const Context& context, store::Store& store, ticks::TickRecorder& recorder, bool json,
         RejectedLineSink on_rejected)
      : context_(context),
        store_(store),
        progress_(context, "ticks"),
        lines_(io::PosixEnv(), recorder.writer(), Options(json, std::move(on_rejected))) {}

  Status Lines(std::FILE* in) { return lines_.ReadAll(in); }

  Status Tables(arrow::RecordBatchReader& reader) {
    std::int64_t row = 0;
    for (;;) {
      if (context_.cancel->cancelled()) return Ok();
      std::shared_ptr<arrow::RecordBatch> batch;
      LAMINA_ARROW(reader.ReadNext(&batch), kWhat);
      if (batch == nullptr) return Ok();
      LAMINA_ARROW_ASSIGN(const auto table, arrow::Table::FromRecordBatches({batch}), kWhat);
      ticks::InputOptions options = Input();
      options.now = io::PosixEnv().Now();
      const std::string where = "rows from " + std::to_string(row);
      auto rows = ticks::TicksOfArrow(*table, options);
      if (!rows.ok()) return std::move(rows).error().With(where);
      LAMINA_TRY_WITH(lines_.Append(*std::move(rows)), where);
      row += batch->num_rows();
    }
  }

  const ticks::IngestReport& report() const { return lines_.report(); }

 private:
  ticks::InputOptions Input() {
    ticks::InputOptions options;
    options.resolve = [this](std::string_view symbol) {
      return store::ContractOf(store_.instruments(), symbol);
    };
    return options;
  }
  ticks::IngestOptions Options(bool json, RejectedLineSink on_rejected) {
    ticks::IngestOptions options;
    options.input = Input();
    options.batch_rows = store_.ticks().config().batch_size;
    options.json = json;
    options.cancel = context_.cancel;
    options.on_rejected = std::move(on_rejected);
    options.progress = [this](std::int64_t accepted) {
      progress_.Update({.files_total = accepted, .files_done = accepted});
    };
    return options;
  }

  const Context& context_;
  store::Store& store_;
  ProgressLine progress_;
  ticks::LineIngest lines_;
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

Status ReadText(const std::string& path, Ingest& ingest) {
  std::FILE* in = path.empty() ? stdin : std::fopen(path.c_str(), "rb");
  if (in == nullptr) return NotFound("there is no file " + path);
  Status read = ingest.Lines(in);
  if (path.empty()) return read;
  std::fclose(in);
  LAMINA_TRY_WITH(std::move(read), "reading " + path);
  return Ok();
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

int Report(const Context& context, const ticks::IngestReport& report, const RejectsFile& rejects) {
  if (context.structured()) {
    Print(ticks::IngestReportJson(report) + "\n");
  } else {
    constexpr std::size_t kShown = 100;
    rejects.Say(context, report.rejected, kShown);
    Say(context, HumanCount(report.accepted) + " ticks stored, " +
                     HumanCount(report.rejected.count) + " lines refused");
  }
  return report.rejected.count > 0 ? 1 : 0;
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
  const std::string input = path.empty() ? "-" : path;
  LAMINA_ASSIGN(const auto rejects, RejectsFile::Make(io::PosixEnv(), arguments.rejects, {input}));
  Ingest ingest(context, *store, *recorder, format == "jsonl", rejects->SinkOf(input));
  const Status read = format == "arrow"     ? ReadArrow(path, ingest)
                      : format == "parquet" ? ReadParquetFile(path, ingest)
                                            : ReadText(path, ingest);
  LAMINA_TRY(recorder->Close());
  LAMINA_TRY(rejects->Finish());
  if (!read.ok()) {
    if (ingest.report().accepted > 0) {
      Say(context, HumanCount(ingest.report().accepted) + " ticks were stored before");
    }
    return read.error().Clone();
  }
  const int code = Report(context, ingest.report(), *rejects);
  if (context.cancel->cancelled()) return Cancelled("interrupted; what was read is stored");
  return code;
}

}  // namespace lamina::cli
