#pragma once

/// \file lamina/bundle/layout_internal.h
/// What ReadLayout and ScanBundle must decide alike: the document's shape, the engine's keys, the
/// types of a run's parts. Pure functions.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/bundle/msgpack.h"

namespace lamina::bundle {

enum class Shape : std::uint32_t {
  kNested = 1,   ///< {"backtest": {…}}
  kFlat = 2,     ///< one pair of runs and summary at the top
  kEngines = 3,  ///< "vector" and "event" maps at the top
  kStudy = 4,    ///< the same, with one study's name
  kStudies = 5,  ///< {"studies": {…}}
};

inline constexpr std::array<std::string_view, 2> kEngines = {"vector", "event"};

/// Top-level keys that only one shape has.
struct ShapeMarkers {
  bool backtest = false, flat_pair = false, engine_map = false, study_name = false, studies = false;
  std::int64_t inner_version = 0;  ///< `format_version` when it is an int

  void Note(std::string_view key, bool is_nil) {
    if (key == "vector_runs" || key == "event_runs" || key == "backtest_runs") flat_pair = true;
    if (is_nil) return;
    backtest |= key == "backtest";
    engine_map |= key == "vector" || key == "event";
    study_name |= key == "study_name";
    studies |= key == "studies";
  }
};

/// The header's version where the document does not contradict it; a contradiction adds a warning.
Shape ShapeByMarkers(std::uint32_t version, const ShapeMarkers& markers,
                     std::vector<std::string>& warnings);

/// Where a version 2 document keeps the runs and the summary of its engine.
struct EngineSlot {
  std::string engine;
  std::string_view runs, summary;
};
EngineSlot SlotOf(std::string_view engine_type, bool known);

/// Parts of a run whose type is fixed (nil is always allowed).
struct RunField {
  std::string_view name;
  Kind kind;
};
inline constexpr std::array<RunField, 5> kRunFields = {{{"backtest_metrics", Kind::kMap},
                                                        {"portfolio_snapshots", Kind::kArray},
                                                        {"trades", Kind::kArray},
                                                        {"orders", Kind::kArray},
                                                        {"positions", Kind::kArray}}};
inline const RunField* FindRunField(std::string_view name) {
  for (const RunField& field : kRunFields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

}  // namespace lamina::bundle
