#pragma once

/// \file lamina/cli/rejects_file.h
/// `--rejects FILE`: every line of an input that was refused, as CSV below `file,line,reason`. Used
/// by one thread.

#include <memory>
#include <string>
#include <vector>

#include "lamina/base/rejected_lines.h"
#include "lamina/base/result.h"
#include "lamina/cli/commands.h"
#include "lamina/io/env.h"

namespace lamina::cli {

class RejectsFile {
 public:
  /// Replaces the file; an empty path: none is asked for, and nothing is written. RETURNS
  /// kInvalidArgument when it is one of `inputs`, kIo.
  static Result<std::unique_ptr<RejectsFile>> Make(io::Env& env, const std::string& path,
                                                   const std::vector<std::string>& inputs);

  /// For the lines of one input. What cannot be written is told by Finish. The sink must not
  /// outlive this.
  RejectedLineSink SinkOf(std::string input);
  /// RETURNS kIo, also of a write before.
  Status Finish();

  /// The first of `rejected` on stderr, at most `shown`, and where the others are.
  void Say(const Context& context, const RejectedLines& rejected, std::size_t shown) const;

 private:
  RejectsFile() = default;
  Status Flush();

  std::string path_, text_;
  std::unique_ptr<io::WritableFile> file_;
  Status failed_ = Ok();
};

}  // namespace lamina::cli
