#include <random>

#include "layer.h"

#include "lamina/tick_log/log_files.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/tick_log/tick_test_support.h"
#include "lamina/tick_log/tick_writer.h"

namespace lamina::crash {

std::unique_ptr<Layer> MakeTickLog(const std::string& folder);
std::unique_ptr<Layer> MakeReadableTickLog(const std::string& folder);

namespace {

namespace log = tick_log;

constexpr int kSteps = 7;

/// The log of one writer: each step is one durable append, of a producer who may send it again.
/// Segments are so small that the steps go over several.
class TickLogLayer final : public Layer {
 public:
  TickLogLayer(std::string folder, log::LogPayload payload)
      : folder_(std::move(folder)), payload_(payload) {}

  Status Prepare() override {
    LAMINA_TRY(Open(false));
    LAMINA_TRY(Step(-1));
    LAMINA_TRY(writer_->Close());
    Close();
    return Ok();
  }
  Status Open(bool read_only) override {
    if (read_only) return Ok();
    log::LogOptions options;
    options.payload = payload_;
    options.segment_bytes = 12 << 10;
    options.background = false;
    options.producer = "crash";
    LAMINA_ASSIGN(writer_,
                  log::TickWriter::Open(io::PosixEnv(), folder_, log::test::StoreId(), 1, options));
    return Ok();
  }
  void Close() override { writer_.reset(); }
  int steps() const override { return kSteps; }
  Status Step(int number) override {
    std::mt19937_64 random(static_cast<std::uint64_t>(number + 100));
    const log::test::TicksAndOrder made =
        log::test::RandomTicks(random, number == 3 ? 400 : 20 + random() % 60);
    LAMINA_TRY(writer_->Append(made.ticks, made.order, number));
    return number == 4 ? writer_->Seal() : Ok();
  }
  Result<std::vector<std::string>> Describe() override {
    log::LogReader reader(io::PosixEnv(), folder_, log::test::StoreId());
    LAMINA_ASSIGN(const log::TickBatches ticks, reader.Read(1, 0, INT64_MAX));
    return log::test::Lines(ticks, true, false);
  }
  Status Verify() override {
    LAMINA_ASSIGN(const auto lines, Describe());
    log::LogReader reader(io::PosixEnv(), folder_, log::test::StoreId());
    LAMINA_ASSIGN(const auto logs, reader.Logs());
    if (logs.size() == 1 && logs[0].durable_end == std::ssize(lines)) return Ok();
    return Corruption("the log's end is not where its ticks end");
  }
  /// Of segments that were not begun there is the one filled ahead.
  Status CheckLeftovers() override {
    const std::string folder = log::WriterFolder(folder_, 1);
    LAMINA_ASSIGN(const auto numbers, log::ListSegments(io::PosixEnv(), folder));
    int unused = 0;
    for (const std::int64_t number : numbers) {
      LAMINA_ASSIGN(const auto file,
                    log::SegmentFile::Open(io::PosixEnv(), log::SegmentPath(folder, number),
                                           log::test::StoreId(), 1, number));
      if (!file) ++unused;
    }
    if (unused <= 1 || writer_ == nullptr) return Ok();
    return Corruption(std::to_string(unused) + " segments were never begun");
  }

 private:
  std::string folder_;
  log::LogPayload payload_;
  std::unique_ptr<log::TickWriter> writer_;
};

}  // namespace

std::unique_ptr<Layer> MakeTickLog(const std::string& folder) {
  return std::make_unique<TickLogLayer>(folder, log::LogPayload::kBinary);
}
std::unique_ptr<Layer> MakeReadableTickLog(const std::string& folder) {
  return std::make_unique<TickLogLayer>(folder, log::LogPayload::kJsonl);
}

}  // namespace lamina::crash
