#pragma once

/// \file lamina/backtests/text_array.h
/// Lists of short texts as the catalog keeps them: a JSON array. Pure functions; thread-safe.

#include <string>
#include <string_view>
#include <vector>

namespace lamina::backtests {

/// Texts of a JSON array; what is not text is left out, and text that is not JSON gives none.
std::vector<std::string> ParseTextArray(std::string_view json);
std::string FormatTextArray(const std::vector<std::string>& texts);

/// Whether `text` may be kept as a note: UTF-8, at most 64 KiB.
bool ValidNote(std::string_view text);

}  // namespace lamina::backtests
