#pragma once

/// \file lamina/dataset/key_values.h
/// Which values a key of a dataset has, and whether those that are asked for are among them.
/// Functions; thread-safe.

#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/dataset/datasets.h"

namespace lamina::dataset {

/// The values, each once and in order, that a key of text has in the rows of `request` (its range,
/// keys and snapshot). Reads the columns of keys of every file that may hold such rows, one file
/// after the other. RETURNS kNotFound (dataset, column, snapshot), kUnsupported (no text).
Result<std::vector<std::string>> KeyValues(Datasets& datasets, std::string_view name,
                                           std::string_view column, const LoadRequest& request);

/// `loaded`: what the request found. Reads nothing more when that shows that its keys are known.
/// RETURNS kNotFound naming the first value of its keys that no row has, at any time, and what is
/// near; the values of a key are looked for among the rows of the keys before it.
Status CheckKeysKnown(Datasets& datasets, std::string_view name, const LoadRequest& request,
                      const arrow::Table& loaded);

}  // namespace lamina::dataset
