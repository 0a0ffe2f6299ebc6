#pragma once

/// \file lamina/base/csv.h
/// CSV text (RFC 4180), record by record. Thread-compatible; the text outlives the reader.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"

namespace lamina {

struct CsvRecord {
  std::int64_t line = 0;  ///< that it begins on, from 1
  std::vector<std::string> cells;
};

/// Quotes may hold commas and line ends; lines end in LF or CRLF; a byte order mark is skipped.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text);

  bool done() const { return rest_.empty(); }
  std::int64_t line() const { return line_; }
  /// RETURNS kInvalidArgument for bad quotes: then SkipLine leads to the next line.
  Result<CsvRecord> Next();
  /// Leave out what is left of a bad line.
  void SkipLine();

 private:
  Result<std::string> Cell();
  void EndLine();

  std::string_view rest_;
  std::int64_t line_ = 1;
};

/// A cell; in quotes where it must be.
void AppendCsvField(std::string& out, std::string_view text);

}  // namespace lamina
