#pragma once

/// \file lamina/ticks/tick_input.h
/// Ticks from outside: Arrow tables, JSON lines, CSV lines, as what a TickWriter takes.
/// TicksOfArrow is pure; TickLines is thread-compatible.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/tick_log/tick_writer.h"

namespace arrow {
class Table;
}

namespace lamina::ticks {

/// What TickWriter::Append takes.
struct TickRows {
  tick_log::TickBatches ticks;
  std::vector<tick_log::TickWriter::RowRef> order;  ///< empty: kind after kind is the input's order
  std::int64_t rows = 0;
};

struct InputOptions {
  /// The contract that a symbol means. RETURNS kNotFound.
  std::function<Result<std::int64_t>(std::string_view symbol)> resolve = {};
  std::optional<std::int64_t> contract_id = {};  ///< of rows that name none
  std::optional<tick_log::TickType> type = {};   ///< of rows that name none
  Nanos now = {};  ///< receive time of rows without one, where others of their kind have it
};

/// Rows of a table with the columns of a query's result, in any order and type that fits: ts_ns (or
/// timestamp), contract_id (or symbol), tick_type, the values of the row's type; recv_ns, flags,
/// request_id, exchange, conditions, source and extra may be absent or NULL. writer and seq are
/// ignored: they are given anew. RETURNS kInvalidArgument that names column and row: a value that
/// is not there, or one that the row's type does not have; an unknown column.
Result<TickRows> TicksOfArrow(const arrow::Table& table, const InputOptions& options = {});

/// Gathers ticks line by line.
class TickLines {
 public:
  explicit TickLines(InputOptions options);
  ~TickLines();

  /// One JSON object with the keys of a query's result; other keys go into `extra`. `timestamp` is
  /// ISO-8601. Also a message of the IB-Stream recorder (tick_log/recorder_message.h), which is
  /// told by its `ts` or `st`, or by `data` where no contract or type stands beside it. On an error
  /// nothing was added. RETURNS kInvalidArgument.
  Status AddJson(std::string_view line);
  /// The names of the columns that the lines have from now on.
  Status SetCsvHeader(std::string_view line);
  /// One line of CSV; an empty field is none. Errors as AddJson.
  Status AddCsv(std::string_view line);

  std::int64_t rows() const { return rows_.rows; }
  /// What was added since the last call. Where some rows of a kind have no receive time it is
  /// `now`; where all have none it is left to the writer.
  TickRows Take(Nanos now);

 private:
  struct Row;
  struct Parser;
  /// False for an unknown name.
  Result<bool> Set(Row& row, std::string_view name, std::string_view text, bool quoted);
  Status Add(Row row);
  /// Added; or, of a recorder's message where `foreign` is allowed, the line with our own keys.
  Result<std::optional<std::string>> AddObject(std::string_view line, bool foreign);

  InputOptions options_;
  TickRows rows_;
  std::vector<std::string> header_;
  std::map<std::string, std::int64_t, std::less<>> symbols_;
  std::array<std::array<std::map<std::string, std::uint32_t, std::less<>>, 4>, 3> words_;
  std::unique_ptr<Parser> parser_;
};

/// All lines of `text` (TickLines::AddJson); blank ones are none. RETURNS kInvalidArgument that
/// names the line, the first being 1.
Result<TickRows> TicksOfJsonLines(std::string_view text, const InputOptions& options);

}  // namespace lamina::ticks
