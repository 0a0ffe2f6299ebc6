#include "lamina/cli/rejects_file.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "lamina/base/csv.h"
#include "lamina/cli/output.h"

namespace lamina::cli {
namespace {

constexpr std::size_t kBufferedBytes = std::size_t{1} << 16;

}  // namespace

Result<std::unique_ptr<RejectsFile>> RejectsFile::Make(io::Env& env, const std::string& path,
                                                       const std::vector<std::string>& inputs) {
  std::unique_ptr<RejectsFile> made(new RejectsFile);
  if (path.empty()) return made;
  for (const std::string& input : inputs) {
    std::error_code none;
    if (input == path || std::filesystem::equivalent(input, path, none))
      return InvalidArgument("--rejects " + path + " would replace a file that is to be read");
  }
  made->path_ = path;
  auto file = env.NewWritableFile(path);
  if (!file.ok()) return std::move(file).error().With("--rejects " + path);
  made->file_ = *std::move(file);
  made->text_ = "file,line,reason\n";
  return made;
}

RejectedLineSink RejectsFile::SinkOf(std::string input) {
  if (file_ == nullptr) return {};
  return [this, input = std::move(input)](const RejectedLine& line) {
    AppendCsvField(text_, input);
    text_ += "," + std::to_string(line.line) + ",";
    AppendCsvField(text_, line.message);
    text_ += "\n";
    if (text_.size() >= kBufferedBytes && failed_.ok()) failed_ = Flush();
  };
}

Status RejectsFile::Flush() {
  const std::string text = std::exchange(text_, {});
  LAMINA_TRY_WITH(file_->Append(text), "--rejects " + path_);
  return Ok();
}

Status RejectsFile::Finish() {
  if (file_ == nullptr) return Ok();
  if (failed_.ok()) failed_ = Flush();
  if (!failed_.ok()) return failed_.error().Clone();
  LAMINA_TRY_WITH(file_->Close(), "--rejects " + path_);
  return Ok();
}

void RejectsFile::Say(const Context& context, const RejectedLines& rejected,
                      std::size_t shown) const {
  shown = std::min(shown, rejected.first.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const RejectedLine& one = rejected.first[i];
    cli::Say(context, "  line " + std::to_string(one.line) + ": " + one.message);
  }
  const std::int64_t more = rejected.count - static_cast<std::int64_t>(shown);
  if (file_ != nullptr && rejected.count > 0) {
    cli::Say(context, "  all " + HumanCount(rejected.count) + " are in " + path_);
  } else if (more > 0) {
    cli::Say(context, "  and " + HumanCount(more) + " more; --rejects FILE writes all of them");
  }
}

}  // namespace lamina::cli
