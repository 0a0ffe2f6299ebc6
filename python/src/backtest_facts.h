#pragma once

/// \file backtest_facts.h
/// Reports, records, runs and index rows of backtests as Python dicts. Needs the GIL.

#include <optional>
#include <string>
#include <vector>

#include "interop.h"

#include "lamina/backtests/backtest_store.h"
#include "lamina/backtests/import.h"
#include "lamina/backtests/index_table.h"

namespace lamina::python {

nb::object NumberOf(const backtests::Number& number);
nb::object OptionalText(const std::optional<std::string>& text);
nb::list Texts(const std::vector<std::string>& texts);

/// As tuples (path, code, message).
nb::list FailuresOf(const std::vector<backtests::ImportFailure>& failures);
nb::dict ReportOf(const backtests::ImportReport& report);
nb::dict ReportOf(const backtests::ExportReport& report);
nb::dict FactsOf(const backtests::BacktestRecord& record);
nb::list FactsOf(const std::vector<backtests::RunRecord>& runs);
/// What the row has of the bundle's summary.
nb::dict FactsOf(const backtests::IndexRow& row);
/// With what the store knows beside it.
nb::dict FactsOf(const backtests::IndexRow& row, const backtests::IndexPlace& place);

/// `name`: a lake table of schema `backtests`. RETURNS kInvalidArgument.
Result<backtests::RunTable> TableNamed(const std::string& name);
/// RETURNS kInvalidArgument.
Result<Uuid> RunId(const std::string& text);
Result<std::vector<Uuid>> RunIds(const std::vector<std::string>& texts);

}  // namespace lamina::python
