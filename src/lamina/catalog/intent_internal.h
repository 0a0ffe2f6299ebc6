#pragma once

/// \file lamina/catalog/intent_internal.h
/// An intent: the final paths of the files that one commit is about to move into place, so that
/// they can be taken away again when the commit does not happen. Bytes: docs/format/commit.md. Pure
/// functions.

#include <string>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"

namespace lamina::catalog::internal {

struct Intent {
  std::vector<std::string> lake_paths;   ///< relative to lake/
  std::vector<std::string> chunk_paths;  ///< relative to the root
  bool empty() const { return lake_paths.empty() && chunk_paths.empty(); }
  bool operator==(const Intent&) const = default;
};

/// RETURNS kInvalidArgument for a path that is not plain and relative.
Result<std::string> EncodeIntent(const Intent& intent);
/// RETURNS kCorruption for anything but a whole intent.
Result<Intent> DecodeIntent(ByteView bytes);

}  // namespace lamina::catalog::internal
