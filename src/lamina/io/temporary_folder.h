#pragma once

/// \file lamina/io/temporary_folder.h
/// A folder of its own for a test or one piece of work, removed with everything in it at the end.
/// Thread-compatible.

#include <string>
#include <string_view>

namespace lamina::io {

class TemporaryFolder {
 public:
  /// Below `parent`, or below TMPDIR (/tmp) when it is empty. Aborts when it cannot be made.
  explicit TemporaryFolder(const std::string& parent = {});
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  /// The path of `name` in it; nothing is made.
  std::string File(std::string_view name) const;

 private:
  std::string path_;
};

}  // namespace lamina::io
