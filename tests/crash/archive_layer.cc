#include <random>
#include <set>

#include "layer.h"
#include <arrow/api.h>

#include "lamina/tick_log/log_reader.h"
#include "lamina/tick_log/tick_test_support.h"
#include "lamina/ticks/verify_ticks.h"

namespace lamina::crash {

std::unique_ptr<Layer> MakeTickArchive(const std::string& folder);

namespace {

namespace log = tick_log;

/// The whole way of ticks in a store: appended, sealed, archived, folded, their segments removed,
/// bad prints taken out, and appended again by one producer who may repeat himself. What is seen
/// are the ticks of a query, wherever they lie.
class TickArchiveLayer final : public Layer {
 public:
  explicit TickArchiveLayer(std::string root) : root_(std::move(root)) {}

  Status Prepare() override {
    store::StoreOptions options;
    options.create = true;
    LAMINA_ASSIGN(store_, store::Store::Open(io::PosixEnv(), root_, options));
    return ticks::CreateTickTables(store_->catalog());
  }
  Status Open(bool read_only) override {
    store::StoreOptions options;
    options.read_only = read_only;
    LAMINA_ASSIGN(store_, store::Store::Open(io::PosixEnv(), root_, options));
    ticks::TickConfig config;
    config.buffer_retention_hours = 0;
    config.archive_retention_days = 0;
    ticks_ = std::make_unique<ticks::TickStore>(store_->catalog(), config);
    return Ok();
  }
  void Close() override {
    recorder_.reset();
    ticks_.reset();
    store_.reset();
  }

  int steps() const override { return static_cast<int>(std::size(kSteps)); }
  Status Step(int number) override {
    const OneStep& step = kSteps[static_cast<std::size_t>(number)];
    return (this->*step.work)(step.number);
  }

  Result<std::vector<std::string>> Describe() override {
    ticks::TickQuery query;
    for (std::int64_t i = 0; i < kContracts; ++i) query.contracts.push_back(1 + i * 5'000'000'000);
    query.types = {log::TickType::kLast, log::TickType::kAllLast, log::TickType::kBidAsk,
                   log::TickType::kMidPoint};
    query.end_ns = log::test::kStart + 2000 * log::test::kSecond;
    query.columns = {"writer", "seq",       "ts_ns",      "contract_id", "tick_type", "price",
                     "size",   "bid_price", "bid_size",   "ask_price",   "ask_size",  "exchange",
                     "flags",  "source",    "conditions", "extra",       "request_id"};
    LAMINA_ASSIGN(const ticks::QueryAnswer answer, store_->tick_reader().Query(query));
    LAMINA_ASSIGN(std::vector<std::string> lines, LinesOf(*answer.rows));
    LAMINA_TRY(CheckOnce(*answer.rows));
    return lines;
  }
  Status Verify() override {
    LAMINA_TRY(CheckCatalogVerifies(store_->catalog()));
    LAMINA_ASSIGN(const auto problems, ticks::VerifyTicks(store_->catalog(), true));
    if (problems.empty()) return Ok();
    const auto& problem = problems.front();
    return Corruption("verify: " + problem.kind + " " + problem.path + ": " + problem.detail);
  }
  Status CheckLeftovers() override { return CheckCatalogLeftovers(store_->catalog()); }

 private:
  struct OneStep {
    Status (TickArchiveLayer::*work)(int number);
    int number = 0;
  };
  static const OneStep kSteps[11];
  static constexpr std::int64_t kContracts = 3;

  Result<log::TickWriter*> Writer() {
    if (recorder_ == nullptr) {
      ticks::RecorderOptions options = ticks_->DefaultRecorder();
      options.archive_in_background = false;
      options.log.background = false;
      options.log.segment_bytes = 12 << 10;
      options.log.producer = "crash";
      LAMINA_ASSIGN(recorder_, ticks_->OpenRecorder(options));
    }
    return &recorder_->writer();
  }
  Status Append(int number) {
    std::mt19937_64 random(static_cast<std::uint64_t>(number + 500));
    const std::size_t rows = number == 1 ? 400 : 30 + random() % 30;
    log::test::TicksAndOrder made = log::test::RandomTicks(random, rows, kContracts);
    LAMINA_ASSIGN(log::TickWriter* const writer, Writer());
    LAMINA_TRY(writer->Append(std::move(made.ticks), std::move(made.order), number));
    return Ok();
  }
  Status Seal(int) {
    LAMINA_ASSIGN(log::TickWriter* const writer, Writer());
    return writer->Seal();
  }
  /// 0: what is sealed; 1: the durable part of open segments, too.
  Status Archive(int open_segments) { return Plain(ticks_->ArchiveAll(open_segments != 0)); }
  Status Fold(int) { return Plain(ticks_->FoldDays()); }
  Status Retain(int) { return Plain(ticks_->ApplyRetention(false)); }
  Status Void(int) {
    ticks::VoidRequest request;
    request.contract_id = 1;
    request.begin_ns = log::test::kStart;
    request.end_ns = log::test::kStart + 300 * log::test::kSecond;
    request.reason = "a bad print";
    request.author = "crash";
    const auto done = ticks_->Void(request);
    // Asked again after the commit there are none.
    if (!done.ok() && done.error().code() == ErrorCode::kNotFound) return Ok();
    return Plain(done);
  }

  template <class Outcome>
  static Status Plain(const Outcome& outcome) {
    return outcome.ok() ? Ok() : Status(outcome.error().Clone());
  }

  static Result<std::vector<std::string>> LinesOf(const arrow::Table& rows) {
    std::vector<std::string> lines(static_cast<std::size_t>(rows.num_rows()));
    for (int column = 0; column < rows.num_columns(); ++column) {
      std::size_t row = 0;
      for (const auto& chunk : rows.column(column)->chunks()) {
        for (std::int64_t i = 0; i < chunk->length(); ++i, ++row) {
          const auto value = chunk->GetScalar(i);
          if (!value.ok()) return Internal(value.status().ToString());
          if ((*value)->is_valid) lines[row] += (*value)->ToString() + " ";
        }
      }
    }
    return lines;
  }
  /// A tick is its writer and seq.
  static Status CheckOnce(const arrow::Table& rows) {
    std::set<std::int64_t> seen;
    for (const auto& chunk : rows.GetColumnByName("seq")->chunks()) {
      const auto& seqs = static_cast<const arrow::Int64Array&>(*chunk);
      for (std::int64_t i = 0; i < seqs.length(); ++i) {
        if (!seen.insert(seqs.Value(i)).second)
          return Corruption("seq " + std::to_string(seqs.Value(i)) + " comes twice");
      }
    }
    return Ok();
  }

  std::string root_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ticks::TickStore> ticks_;
  std::unique_ptr<ticks::TickRecorder> recorder_;
};

const TickArchiveLayer::OneStep TickArchiveLayer::kSteps[] = {
    {&TickArchiveLayer::Append, 0},   // in a segment that stays open
    {&TickArchiveLayer::Archive, 1},  // a watermark inside it
    {&TickArchiveLayer::Append, 1},   // over several segments
    {&TickArchiveLayer::Seal},        //
    {&TickArchiveLayer::Archive, 0},  // the sealed ones
    {&TickArchiveLayer::Append, 2},   // late ones of the same day
    {&TickArchiveLayer::Fold},        //
    {&TickArchiveLayer::Void},        // archives first what is in the log
    {&TickArchiveLayer::Fold},        // the deleted rows out
    {&TickArchiveLayer::Retain},      //
    {&TickArchiveLayer::Append, 3},   // seqs go on where they were
};

}  // namespace

std::unique_ptr<Layer> MakeTickArchive(const std::string& folder) {
  return std::make_unique<TickArchiveLayer>(folder + "/store");
}

}  // namespace lamina::crash
