#pragma once

/// \file lamina/backtests/price_files.h
/// The price files of a bundle written and read beside it. thread-safe.

#include <functional>
#include <string>
#include <vector>

#include "lamina/backtests/ohlcv_manifest.h"
#include "lamina/base/result.h"
#include "lamina/bundle/layout.h"
#include "lamina/catalog/catalog.h"

namespace lamina::backtests {

/// Write the price files that the document names, the store holds and the disk lacks, for a bundle
/// at `bundle_path`. Never outside its folder: when the document keeps them elsewhere (`..`, an
/// absolute folder, a folder that is a link) they are put beside the bundle, and a warning says so.
/// RETURNS kIo, kCorruption of a chunk, kInvalidArgument for a manifest that is none.
Status WritePriceFiles(catalog::Catalog& catalog, const bundle::Layout& layout,
                       const std::string& bundle_path, std::vector<std::string>& warnings);

/// Content of a price file. RETURNS kNotFound when it cannot be had: it is left out then.
using PriceSource = std::function<Result<std::string>(const OhlcvReference& reference)>;
/// The same with files that come from anywhere.
Status WritePriceFiles(io::Env& env, const PriceSource& prices, const bundle::Layout& layout,
                       const std::string& bundle_path, std::vector<std::string>& warnings);

/// The price file that a bundle at `bundle_path` names: where its document says, or beside it.
/// RETURNS kNotFound (naming both), kCorruption when the content is not what the name says.
Result<std::string> ReadPriceFile(io::Env& env, const std::string& bundle_path,
                                  const OhlcvReference& reference);

}  // namespace lamina::backtests
