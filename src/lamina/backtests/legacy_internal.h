#pragma once

/// \file lamina/backtests/legacy_internal.h
/// Maps of a legacy folder as the framework writes them into a bundle. Pure functions; thread-safe.

#include <optional>
#include <string>

#include "lamina/backtests/convert_internal.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {

/// The run map of `form` with all of its keys, times in UTC, records completed, and `metrics`, if
/// there, as its backtest_metrics. Keys that the framework does not know stand at the end.
std::string LegacyRun(RunForm form, const bundle::Value& run,
                      const std::optional<bundle::Value>& metrics);

/// A map of metrics: its trades completed, months and years as the framework spells them.
std::string LegacyMetrics(RunForm form, const bundle::Value& metrics);

/// A time of JSON as bundles have it: UTC when it names no zone. What is no time stays.
std::string LegacyTime(const bundle::Value& value);

}  // namespace lamina::backtests
