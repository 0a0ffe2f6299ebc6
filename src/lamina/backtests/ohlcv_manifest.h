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
  std::string path;                    ///< <the bundle's folder>/<store_dir>/<file>
  std::string name;                    ///< the file's name; a plain one when `sha256` is there
  std::optional<Sha256Digest> sha256;  ///< absent when the file's name is not a hash
};

/// The folder of the price files, relative to the bundle's, as the document says; empty for none.
/// It is a stranger's text: it may be absolute or lead out of the bundle's folder.
std::string OhlcvStoreDir(const bundle::Layout& layout);

/// An absolute store_dir belongs to the machine that wrote the bundle: it counts as none.
/// RETURNS kInvalidArgument when the manifest is not a map of file names.
Result<std::vector<OhlcvReference>> ReadOhlcvManifest(const bundle::Layout& layout,
                                                      const std::string& bundle_path);
/// The same from a document's value of `ohlcv`.
Result<std::vector<OhlcvReference>> ReadOhlcvManifest(const bundle::Value& ohlcv,
                                                      const std::string& bundle_path);

}  // namespace lamina::backtests
