#pragma once

/// \file lamina/backtests/convert.h
/// A backtest's document in another bundle version. What is kept: docs/format/bundle.md. Pure
/// function, thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/bundle/layout.h"

namespace lamina::backtests {

/// The document of version `to` (1, 2 or 5) that holds the backtest of `document`. Adds to
/// `warnings` what that version has no place for. REQUIRES `layout` from ReadLayout(from,
/// document). RETURNS kInvalidArgument for another target, kUnsupported when it cannot hold the
/// runs (several studies, both engines, universes) or the document's shape is not that of `from`.
Result<std::string> ConvertDocument(std::uint32_t from, const bundle::Document& document,
                                    const bundle::Layout& layout, std::uint32_t to,
                                    std::vector<std::string>* warnings);

}  // namespace lamina::backtests
