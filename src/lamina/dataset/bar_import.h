#pragma once

/// \file lamina/dataset/bar_import.h
/// Files of bars into a dataset of bars. Functions; thread-safe.

#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/dataset/bar_files.h"
#include "lamina/dataset/datasets.h"

namespace lamina::dataset {

struct BarImportOptions {
  std::optional<std::string> instrument = {};  ///< else what the file or its name says
  std::optional<std::string> timeframe = {};   ///< likewise; 1h when nothing says
  std::string dataset = "ohlcv";               ///< made when it is not there
  BarFileOptions file = {};
};

struct ImportedBarFile {
  std::string path;
  std::string instrument;  ///< empty for a Parquet file with a column of them
  std::string timeframe;
  SaveReport saved;
  RejectedLines rejected;
  std::vector<std::string> ignored_columns;
};

/// The files named, and those in folders that are named (`*.csv`, `*.json`, `*.parquet`; not
/// deeper), by name. RETURNS kNotFound, kInvalidArgument for a folder without such a file.
Result<std::vector<std::string>> FindBarFiles(io::Env& env, const std::vector<std::string>& paths);

/// One file in one commit, merged by key: again changes nothing. `.csv` by ParseBarCsv, `.json` by
/// ParseCandles, `.parquet` with the columns of bars (others are ignored; times without zone are
/// UTC, `time` is taken for `timestamp`). RETURNS kInvalidArgument naming file and place.
Result<ImportedBarFile> ImportBarFile(Datasets& datasets, const std::string& path,
                                      const BarImportOptions& options = {});

}  // namespace lamina::dataset
