#include "lamina/io/temporary_folder.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "lamina/base/check.h"
#include "lamina/io/env.h"

namespace lamina::io {

TemporaryFolder::TemporaryFolder(const std::string& parent) {
  std::string below = parent;
  if (below.empty()) {
    const char* const configured = std::getenv("TMPDIR");
    below = configured != nullptr && *configured != '\0' ? configured : "/tmp";
  }
  path_ = JoinPath(below, "lamina-XXXXXX");
  LAMINA_CHECK(::mkdtemp(path_.data()) != nullptr);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // A leftover in the temporary folder harms nobody.
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::File(std::string_view name) const { return JoinPath(path_, name); }

}  // namespace lamina::io
