#pragma once

/// \file lamina/market/embedded_internal.h
/// The data files of the module, built into the library (cmake/EmbedFiles.cmake). Constants.

#include <span>
#include <string_view>

namespace lamina::market {

struct EmbeddedFile {
  std::string_view name;  ///< as in the folder: `XNYS.txt`
  std::string_view text;
};

/// calendars/*.txt, by name.
std::span<const EmbeddedFile> CalendarFiles();
/// zones/zones.txt.
std::string_view ZoneFile();

}  // namespace lamina::market
