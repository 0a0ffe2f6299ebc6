#include "lamina/cli/output.h"

#include <chrono>
#include <cstdio>

#include <unistd.h>

#include "lamina/base/error_table.h"
#include "lamina/base/json.h"

namespace lamina::cli {
namespace {

double SecondsNow() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void Print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void Say(const Context& context, std::string_view text) {
  if (context.quiet) return;
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

void PrintError(const Context& context, const Error& error) {
  std::string out;
  if (context.structured()) {
    JsonWriter json(out);
    json.BeginObject();
    json.Key("code");
    json.String(ErrorName(error.code()));
    json.Key("message");
    json.String(error.message());
    json.Key("where");
    json.String(std::string(io::BaseName(error.where().file_name())) + ":" +
                std::to_string(error.where().line()));
    json.EndObject();
  } else {
    out = "lamina: " + std::string(error.message());
  }
  std::fprintf(stderr, "%s\n", out.c_str());
}

std::string Padded(std::string text, std::size_t width, bool right) {
  if (text.size() < width) text.insert(right ? 0 : text.size(), width - text.size(), ' ');
  return text;
}

void WriteTexts(JsonWriter& json, const std::vector<std::string>& texts) {
  json.BeginArray();
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
}

void WriteFields(JsonWriter& json, std::initializer_list<JsonField> fields) {
  for (const JsonField& field : fields) {
    json.Key(field.name);
    json.Int(field.value);
  }
}

std::string OneDecimal(double value) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

std::string HumanBytes(std::int64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes);
  for (const char* unit : {"kB", "MB", "GB", "TB"}) {
    value /= 1000;
    if (value < 999.95) return OneDecimal(value) + " " + unit;
  }
  return OneDecimal(value / 1000) + " PB";
}

std::string HumanCount(std::int64_t count) {
  std::string digits = std::to_string(count);
  if (count < 0) digits.erase(0, 1);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return count < 0 ? "-" + digits : digits;
}

std::string HumanSeconds(double seconds) {
  if (seconds < 1) return std::to_string(static_cast<int>(seconds * 1000)) + " ms";
  return OneDecimal(seconds) + " s";
}

ProgressLine::ProgressLine(const Context& context, std::string unit)
    : unit_(std::move(unit)),
      active_(!context.quiet && !context.structured() && ::isatty(STDERR_FILENO) == 1),
      begin_(SecondsNow()) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
}

void ProgressLine::Update(const backtests::ImportProgress& progress) {
  if (!active_) return;
  shown_ = true;
  const double seconds = SecondsNow() - begin_;
  const double rate = seconds > 0 ? static_cast<double>(progress.files_done) / seconds : 0;
  std::string line = HumanCount(progress.files_done) + " of " + HumanCount(progress.files_total) +
                     " " + unit_ + ", ";
  if (progress.bytes_total > 0) {
    line += HumanBytes(progress.bytes_done) + " of " + HumanBytes(progress.bytes_total) + ", ";
  }
  line += OneDecimal(rate) + " " + unit_ + "/s";
  if (rate > 0 && progress.files_done < progress.files_total) {
    line += ", " +
            HumanSeconds(static_cast<double>(progress.files_total - progress.files_done) / rate) +
            " left";
  }
  std::fprintf(stderr, "\r%s\033[K", line.c_str());
  std::fflush(stderr);
}

WorkLine::WorkLine(const Context& context, std::string work)
    : work_(std::move(work)), begin_(SecondsNow()) {
  if (context.quiet || context.structured() || ::isatty(STDERR_FILENO) != 1) return;
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, std::chrono::milliseconds(500), [this] { return ended_; })) Show();
  });
}

WorkLine::~WorkLine() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wake_.notify_all();
  thread_.join();
  if (shown_) std::fprintf(stderr, "\r\033[K");
}

void WorkLine::Update(const catalog::WorkProgress& progress) {
  const std::lock_guard lock(mutex_);
  figures_ = ", " + HumanCount(progress.files_done) + " of " + HumanCount(progress.files_total) +
             " files, " + HumanBytes(progress.bytes_done) + " of " +
             HumanBytes(progress.bytes_total);
}

void WorkLine::Show() {
  shown_ = true;
  std::fprintf(stderr, "\r%s%s, %s\033[K", work_.c_str(), figures_.c_str(),
               HumanSeconds(SecondsNow() - begin_).c_str());
  std::fflush(stderr);
}

}  // namespace lamina::cli
