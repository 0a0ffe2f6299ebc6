#pragma once

/// \file lamina/backtests/filter_lexer.h
/// Tokens of the filter language (docs/guide/filters.md). Pure functions; thread-safe.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"

namespace lamina::backtests {

enum class TokenKind : std::uint8_t {
  kEnd,
  kNumber,
  kText,     ///< '…' or "…"
  kName,     ///< column, or dotted path
  kKeyword,  ///< AND OR NOT LIKE IN BETWEEN IS NULL TRUE FALSE, in `text` as capitals
  kSymbol    ///< = != < <= > >= ( ) , + - * /   (== is =, <> is !=)
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t offset = 0;           ///< first byte in the filter
  std::size_t length = 0;           ///< bytes
  std::string text;                 ///< keyword, symbol, number as written, or text without quotes
  std::vector<std::string> path{};  ///< of a name: its parts without back-ticks
};

/// RETURNS kInvalidArgument with the column of what cannot be read.
Result<std::vector<Token>> LexFilter(std::string_view filter);

/// "column N" of a byte offset, counted in characters from 1.
std::string ColumnText(std::string_view filter, std::size_t offset);

}  // namespace lamina::backtests
