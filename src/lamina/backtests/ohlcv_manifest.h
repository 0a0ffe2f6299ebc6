#pragma once

/// \file lamina/backtests/ohlcv_manifest.h
/// The price files that a bundle names. Pure functions of a Layout; thread-safe.

#include <optional>
#include <string>
#include <vector>

#include "lamina/base/hash.h"
#include "lamina/bundle/layout.h"

namespace lamina::backtests {

struct OhlcvReference {
  std::string key;                     ///< e.g. "BTC/EUR:1h"
  std::string path;                    ///< beside the bundle: <its folder>/<store_dir>/<file>
  std::optional<Sha256Digest> sha256;  ///< absent when the file's name is not a hash
};

/// RETURNS kInvalidArgument when the manifest is not a map of file names.
Result<std::vector<OhlcvReference>> ReadOhlcvManifest(const bundle::Layout& layout,
                                                      const std::string& bundle_path);

}  // namespace lamina::backtests
