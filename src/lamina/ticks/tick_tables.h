#pragma once

/// \file lamina/ticks/tick_tables.h
/// The three tables of ticks in the lake, one a kind, and their rows as Arrow batches. Pure
/// functions; thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/catalog/lake.h"
#include "lamina/tick_log/tick.h"

namespace arrow {
class RecordBatch;
class Schema;
class Table;
}  // namespace arrow

namespace lamina::ticks {

using tick_log::TickBatch;
using tick_log::TickBatches;
using tick_log::TickKind;
using tick_log::TickType;

inline constexpr const char* kTickSchema = "ticks";
/// `trades`, `quotes`, `midpoints`.
const char* TickTableName(TickKind kind);
/// Columns: contract_id BIGINT, tick_type VARCHAR, date DATE (UTC day of ts_ns), ts_ns BIGINT,
/// recv_ns BIGINT, writer BIGINT, seq BIGINT, the kind's values DOUBLE, flags INTEGER, and what may
/// be NULL: exchange VARCHAR, conditions VARCHAR, request_id BIGINT, source VARCHAR, extra VARCHAR.
/// Partitioned by date, sorted by contract_id, ts_ns, recv_ns, writer, seq.
std::vector<catalog::LakeColumn> TickTableColumns(TickKind kind);
std::shared_ptr<arrow::Schema> TickArrowSchema(TickKind kind);
/// By these the rows of every file are sorted.
const std::vector<std::string>& TickSortKeys();
/// How their files are written.
table::WriteOptions TickWriteOptions(int zstd_level);
/// Find the table, or make schema and table inside the commit.
Result<catalog::LakeTable> FindOrCreateTickTable(catalog::Database& database,
                                                 catalog::LakeWriter& writer, TickKind kind);
/// RETURNS nothing for a store without ticks of that kind at `snapshot`.
Result<std::optional<catalog::LakeTable>> FindTickTable(catalog::LakeReader& reader, TickKind kind,
                                                        std::int64_t snapshot);

/// Days since 1970-01-01 of a stamp.
std::int32_t TickDay(std::int64_t ts_ns);
/// Rows in the lake's columns, in the order given. RETURNS kInvalidArgument for columns of unequal
/// length, or a type of another kind.
Result<std::shared_ptr<arrow::RecordBatch>> ToArrow(const TickBatch& ticks);
/// Row rows[i] becomes row i. REQUIRES rows of
/// `ticks`.
Result<std::shared_ptr<arrow::RecordBatch>> ToArrow(const TickBatch& ticks,
                                                    std::span<const std::uint32_t> rows);
/// The same back; `table` has the columns of TickArrowSchema. RETURNS kCorruption for a row that
/// cannot be a tick.
Result<TickBatch> FromArrow(TickKind kind, const arrow::Table& table);

/// How far one writer's log is in the archive: one past the last archived seq.
struct Watermark {
  std::int64_t writer = 0, end_seq = 0;
};
/// Of all writers, by writer. REQUIRES a read transaction for an answer that fits a snapshot.
Result<std::vector<Watermark>> ReadWatermarks(catalog::Database& database);

}  // namespace lamina::ticks
