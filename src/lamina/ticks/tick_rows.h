#pragma once

/// \file lamina/ticks/tick_rows.h
/// Rows as a query of ticks gives them: names and types of the columns, log rows as Arrow tables,
/// and the merge of sorted runs into the one order. Pure functions; thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/row_scan.h"
#include "lamina/tick_log/tick.h"

namespace arrow {
class Schema;
class Table;
}  // namespace arrow

namespace lamina::ticks {

using tick_log::TickBatch;
using tick_log::TickBatches;
using tick_log::TickKind;
using tick_log::TickType;

/// By number, each once. RETURNS kInvalidArgument for none, and for an unknown name.
Result<std::vector<TickType>> ParseTickTypes(const std::vector<std::string>& names);
/// The same for types.
std::vector<TickType> NormalTypes(std::vector<TickType> types);
/// Those of `types` that are of `kind`.
std::vector<TickType> TypesOfKind(const std::vector<TickType>& types, TickKind kind);

/// The columns of a result: `names` as asked for, else ts_ns, recv_ns, contract_id, tick_type,
/// writer, seq, then price, size, bid_price, bid_size, ask_price, ask_size, exchange, conditions,
/// flags as far as the types have them. request_id, source and extra come when asked for. int64;
/// prices and sizes double; flags int32; tick_type a dictionary of text; the others text.
/// RETURNS kInvalidArgument for an unknown or repeated name.
Result<std::shared_ptr<arrow::Schema>> ResultSchema(
    const std::vector<TickType>& types, const std::optional<std::vector<std::string>>& names = {});

/// What a run of one kind must hold so that the result can be made of it: the columns of the order
/// (ts_ns, recv_ns, writer, seq) and those of `result` that the kind has.
std::vector<std::string> RunColumns(TickKind kind, const arrow::Schema& result);

/// Rows of a log as a run: `columns`, sorted. Takes the batch's memory where it can.
Result<std::shared_ptr<arrow::Table>> RunOfBatch(TickBatch ticks,
                                                 const std::vector<std::string>& columns);

/// A file's rows (sorted, of one contract and of `types`) as a run: `contract_id` and `tick_type`
/// put in. `rows` has the other columns of `columns`, and of two types tick_type as text.
Result<std::shared_ptr<arrow::Table>> RunOfFile(std::int64_t contract,
                                                const std::vector<TickType>& types,
                                                const std::vector<std::string>& columns,
                                                const std::shared_ptr<arrow::Table>& rows);

/// All rows of the runs in the one order, as `result`. Nothing is copied where runs follow each
/// other. RETURNS kCorruption when a run is not sorted.
Result<std::shared_ptr<arrow::Table>> MergeRuns(std::vector<std::shared_ptr<arrow::Table>> runs,
                                                const std::shared_ptr<arrow::Schema>& result);

/// The columns of the order, as views; `holder` keeps what had to be copied.
Result<series::OrderColumns> OrderOf(const arrow::Table& rows,
                                     std::vector<std::shared_ptr<const void>>& holder);

}  // namespace lamina::ticks
