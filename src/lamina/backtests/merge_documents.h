#pragma once

/// \file lamina/backtests/merge_documents.h
/// Two documents of one algorithm as one: the runs of both. Rules: docs/format/bundle.md,
/// "Merging". Pure function, thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/bundle/layout.h"

namespace lamina::backtests {

struct MergeInput {
  std::uint32_t version;
  const bundle::Document& document;
  const bundle::Layout& layout;  ///< of ReadLayout(version, document)
};

struct MergedDocument {
  std::string document;  ///< in the version of the one held
  std::int64_t runs_added = 0, runs_replaced = 0, runs_unchanged = 0;
  std::vector<std::string> warnings;
};

/// `held` and what `other` has besides. A run of the same study, engine, window and universe is the
/// same run: when it says another thing, the result is an error, or the other's stands in its place
/// with `replace_windows`. Summaries are made anew from the metrics of the runs as the framework
/// does. RETURNS kConflict naming the window; kInvalidArgument when the algorithms differ;
/// kUnsupported for versions 3 and 4, two engines in version 2, and what ConvertDocument cannot
/// give in the version of `held`.
Result<MergedDocument> MergeDocuments(const MergeInput& held, const MergeInput& other,
                                      bool replace_windows);

}  // namespace lamina::backtests
