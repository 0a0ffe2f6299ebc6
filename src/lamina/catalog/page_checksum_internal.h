#pragma once

/// \file lamina/catalog/page_checksum_internal.h
/// A file layer under SQLite that keeps a checksum in the reserved bytes of every page of a
/// database file and holds each page against it when it is read. Layout: docs/format/catalog.md.
/// Thread-safe.

#include <cstdint>
#include <string>

#include "lamina/base/bytes.h"

namespace lamina::catalog::internal {

inline constexpr int kPageBytes = 4096;
inline constexpr int kPageReservedBytes = 8;  ///< header byte 20
inline constexpr char kCheckedVfsName[] = "lamina-unix";

/// Register the layer over SQLite's unix layer. RETURNS what went wrong, or nullptr.
const char* RegisterCheckedVfs();

enum class PageState : std::uint8_t {
  kValid,
  kUnstamped,  ///< written by a program that knows no checksums
  kDamaged,
};
/// REQUIRES a page of kPageBytes. `page_number` counts from 1.
PageState CheckPage(ByteView page, std::uint32_t page_number);
/// Put the checksum into the last bytes of `page`.
void StampPage(char* page, std::uint32_t page_number);

/// The page that last failed its check in this thread; 0: none.
std::uint32_t LastDamagedPage();

}  // namespace lamina::catalog::internal
