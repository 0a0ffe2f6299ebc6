#pragma once

/// \file lamina/backtests/price_files.h
/// The price files of a bundle written beside it. Borrows the Catalog; thread-safe.

#include <string>
#include <vector>

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

}  // namespace lamina::backtests
