#pragma once

/// \file lamina/backtests/record_schema.h
/// Which key of a bundle's record becomes which column of which lake table, and how.
/// Constant data; thread-safe.

#include <cstdint>
#include <string_view>
#include <vector>

#include "lamina/table/lake_type.h"

namespace lamina::backtests {

/// Tables whose rows are records of a run. The numbers are part of the skeleton format.
enum class RecordTable : std::uint8_t {
  kSnapshots = 0,
  kTrades = 1,
  kOrders = 2,
  kPositions = 3,
};
inline constexpr std::size_t kRecordTableCount = 4;

/// How the values of a key are kept in its column. The numbers are part of the skeleton format.
enum class CellCodec : std::uint8_t {
  kRaw = 0,              ///< no column
  kDouble = 1,           ///< float64; integers up to 2^53 too
  kText = 2,             ///< varchar; integers as decimal text
  kTime = 3,             ///< timestamptz
  kBool = 4,             ///< boolean
  kId = 5,               ///< uuid column, any other text or integer in the varchar column after it
  kJson = 6,             ///< varchar: JSON text for readers, NULL when the empty map
  kOrderMetadata = 7,    ///< as kJson, and the varchar column after it for {"order_reason": text}
  kOrderReferences = 8,  ///< list of positions in the run's orders
};

/// What a column holds when a record lacks the key.
enum class AbsentValue : std::uint8_t { kNull, kFalse, kZero };

struct ColumnRule {
  std::string_view column;
  table::LakeType type;
  std::string_view key = {};  ///< empty: not from a key (seq, second column of a codec)
  CellCodec codec = CellCodec::kRaw;
  AbsentValue absent = AbsentValue::kNull;
};

/// The columns of a table without `run_id`, in lake order; `seq` first.
const std::vector<ColumnRule>& ColumnRules(RecordTable table);
std::string_view RecordTableName(RecordTable table);  ///< "portfolio_snapshots", "trades", …

}  // namespace lamina::backtests
