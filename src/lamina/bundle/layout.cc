#include "lamina/bundle/layout.h"

#include <algorithm>
#include <array>

#include "lamina/bundle/layout_internal.h"

namespace lamina::bundle {
namespace {

Error WrongType(const std::string& path, std::string_view expected, const Value& value) {
  return InvalidArgument(path + ": expected " + std::string(expected) + ", found " +
                         std::string(KindName(value.kind())));
}

std::string Indexed(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

Status CheckStringKeys(const Value& map, const std::string& path) {
  for (const Value::Entry entry : map.entries()) {
    if (!entry.key.is_string()) {
      return InvalidArgument((path.empty() ? "the document" : path) +
                             ": a map key is not a string but " +
                             std::string(KindName(entry.key.kind())));
    }
  }
  return Ok();
}

/// The value under `key`; nil counts as absent.
std::optional<Value> Present(const Value& map, ByteView key) {
  std::optional<Value> value = map.Find(key);
  if (value.has_value() && value->is_nil()) value.reset();
  return value;
}

using KindCheck = bool (*)(const Value&);
bool IsMap(const Value& value) { return value.is_map(); }
bool IsArray(const Value& value) { return value.is_array(); }
bool IsString(const Value& value) { return value.is_string(); }
bool IsNumber(const Value& value) { return value.is_number(); }
bool IsMapOrString(const Value& value) { return value.is_map() || value.is_string(); }

/// Find `key` in `map`; present and not nil, it must pass `check`.
Result<std::optional<Value>> Known(const Value& map, const std::string& path, ByteView key,
                                   KindCheck check, std::string_view expected) {
  std::optional<Value> value = Present(map, key);
  if (value.has_value() && !check(*value)) {
    return WrongType(path.empty() ? std::string(key) : path + "." + std::string(key), expected,
                     *value);
  }
  return value;
}

}  // namespace

Shape ShapeByMarkers(std::uint32_t version, const ShapeMarkers& markers,
                     std::vector<std::string>& warnings) {
  const auto fits = [&](std::uint32_t candidate) {
    switch (candidate) {
      case 1:
        return markers.backtest;
      case 2:
        return markers.flat_pair;
      case 3:
      case 4:
        return markers.engine_map;
      default:
        return markers.studies;
    }
  };
  std::uint32_t shape = version;
  if (!fits(version)) {
    const std::array<std::uint32_t, 4> others = {5, 1, 2, markers.study_name ? 4U : 3U};
    const auto found = std::find_if(others.begin(), others.end(), fits);
    if (found != others.end()) {
      shape = *found;
    } else if (markers.inner_version >= 1 && markers.inner_version <= 5) {
      shape =
          static_cast<std::uint32_t>(markers.inner_version);  // an empty document of its version
    }
  }
  if (shape != version) {
    warnings.push_back("the header says version " + std::to_string(version) +
                       ", the document has the shape of version " + std::to_string(shape) +
                       " and is read as that");
  } else if (markers.inner_version != version) {
    warnings.push_back(markers.inner_version == 0
                           ? std::string("the document states no format_version")
                           : "the header says version " + std::to_string(version) +
                                 ", format_version says " + std::to_string(markers.inner_version));
  }
  return static_cast<Shape>(shape);
}

EngineSlot SlotOf(std::string_view engine_type, bool known) {
  if (engine_type == "vector") return {"vector", "vector_runs", "vector_metrics"};
  if (engine_type == "event") return {"event", "event_runs", "event_metrics"};
  return {known ? std::string(engine_type) : std::string(), "backtest_runs", "backtest_summary"};
}

namespace {

Layout EmptyLayout(std::uint32_t version, const Document& document) {
  return {version, document.root(), {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
}

class LayoutReader {
 public:
  LayoutReader(std::uint32_t version, const Document& document)
      : root_(document.root()), layout_(EmptyLayout(version, document)) {}

  Result<Layout> Read() {
    if (!root_.is_map()) {
      return InvalidArgument("the document is not a map but " +
                             std::string(KindName(root_.kind())));
    }
    LAMINA_TRY(CheckStringKeys(root_, ""));
    const Shape shape = ShapeByMarkers(layout_.version, Markers(), layout_.warnings);
    if (shape == Shape::kNested) {
      LAMINA_ASSIGN(const auto backtest, Known(root_, "", "backtest", IsMap, "a map"));
      if (backtest.has_value()) {
        path_ = "backtest";
        layout_.backtest = *backtest;
        LAMINA_TRY(CheckStringKeys(*backtest, path_));
      }
    }
    LAMINA_TRY(ReadIdentity());
    LAMINA_TRY(ReadBlobs());
    LAMINA_TRY(ReadOhlcv());
    switch (shape) {
      case Shape::kNested:
        LAMINA_TRY(ReadOnePair(/*nested=*/true));
        break;
      case Shape::kFlat:
        LAMINA_TRY(ReadOnePair(/*nested=*/false));
        break;
      case Shape::kEngines:
      case Shape::kStudy:
        LAMINA_TRY(ReadEngines());
        break;
      case Shape::kStudies:
        LAMINA_TRY(ReadStudies());
        break;
    }
    return std::move(layout_);
  }

 private:
  ShapeMarkers Markers() const {
    ShapeMarkers markers;
    for (const Value::Entry entry : root_.entries()) {
      markers.Note(entry.key.AsString(), entry.value.is_nil());
      if (entry.key.AsString() == "format_version") {
        markers.inner_version = entry.value.kind() == Kind::kInt ? entry.value.AsInt() : 0;
      }
    }
    return markers;
  }

  Result<std::optional<Value>> Identity(ByteView key, KindCheck check, std::string_view expected) {
    return Known(layout_.backtest, path_, key, check, expected);
  }

  Status ReadIdentity() {
    LAMINA_ASSIGN(layout_.algorithm_id, Identity("algorithm_id", IsString, "a string"));
    LAMINA_ASSIGN(layout_.anchor_algorithm_id,
                  Identity("anchor_algorithm_id", IsString, "a string"));
    LAMINA_ASSIGN(layout_.tag, Identity("tag", IsString, "a string"));
    LAMINA_ASSIGN(layout_.parameters, Identity("parameters", IsMap, "a map"));
    LAMINA_ASSIGN(layout_.strategy_ids, Identity("strategy_ids", IsArray, "an array"));
    LAMINA_ASSIGN(layout_.metadata, Identity("metadata", IsMapOrString, "a map"));
    LAMINA_ASSIGN(layout_.risk_free_rate, Identity("risk_free_rate", IsNumber, "a number"));
    LAMINA_ASSIGN(layout_.engine_type, Identity("engine_type", IsString, "a string"));
    return Ok();
  }

  Status ReadBlobs() {
    LAMINA_ASSIGN(layout_.blobs, Known(root_, "", "blobs", IsMap, "a map"));
    if (!layout_.blobs.has_value()) return Ok();
    LAMINA_TRY(CheckStringKeys(*layout_.blobs, "blobs"));
    for (const Value::Entry entry : layout_.blobs->entries()) {
      if (entry.value.kind() != Kind::kBinary) {
        return WrongType("blobs." + std::string(entry.key.AsString()), "binary", entry.value);
      }
    }
    return Ok();
  }

  Status ReadOhlcv() {
    LAMINA_ASSIGN(layout_.ohlcv, Known(root_, "", "ohlcv", IsMap, "a map"));
    if (!layout_.ohlcv.has_value()) return Ok();
    LAMINA_TRY(CheckStringKeys(*layout_.ohlcv, "ohlcv"));
    LAMINA_TRY(Known(*layout_.ohlcv, "ohlcv", "store_dir", IsString, "a string"));
    LAMINA_ASSIGN(const auto manifest, Known(*layout_.ohlcv, "ohlcv", "manifest", IsMap, "a map"));
    if (!manifest.has_value()) return Ok();
    LAMINA_TRY(CheckStringKeys(*manifest, "ohlcv.manifest"));
    for (const Value::Entry entry : manifest->entries()) {
      if (!entry.value.is_string()) {
        return WrongType("ohlcv.manifest." + std::string(entry.key.AsString()), "a string",
                         entry.value);
      }
    }
    return Ok();
  }

  /// Versions 1 and 2: one run array and one summary.
  Status ReadOnePair(bool nested) {
    const std::string engine_type(layout_.engine_type.has_value() ? layout_.engine_type->AsString()
                                                                  : ByteView());
    EngineSlot slot = SlotOf(engine_type, layout_.engine_type.has_value());
    if (nested) {
      slot.runs = "backtest_runs";
      slot.summary = "backtest_summary";
    }
    if (layout_.engine_type.has_value() && engine_type != "vector" && engine_type != "event") {
      layout_.warnings.push_back("engine_type \"" + engine_type +
                                 "\" is not known; runs are read " + "from " +
                                 std::string(slot.runs));
    }
    SummaryPart part;
    part.engine = slot.engine;
    part.study = "default";
    part.risk_free_rate = layout_.risk_free_rate;
    LAMINA_TRY(ReadRuns(layout_.backtest, path_, slot.runs, part,
                        nested ? std::string() : std::string("runs/")));
    LAMINA_TRY(ReadSummary(layout_.backtest, path_, slot.summary, part.summary));
    layout_.summaries.push_back(std::move(part));
    return Ok();
  }

  /// Versions 3 and 4: a map for each engine that ran.
  Status ReadEngines() {
    LAMINA_ASSIGN(const auto study_name, Known(root_, "", "study_name", IsString, "a string"));
    LAMINA_ASSIGN(const auto description,
                  Known(root_, "", "study_description", IsString, "a string"));
    for (const std::string_view engine : kEngines) {
      LAMINA_ASSIGN(const auto map, Known(root_, "", engine, IsMap, "a map"));
      if (!map.has_value()) continue;
      const std::string path(engine);
      LAMINA_TRY(CheckStringKeys(*map, path));
      SummaryPart part;
      part.engine = engine;
      part.study = study_name.has_value() ? study_name->AsString() : ByteView("default");
      part.risk_free_rate = layout_.risk_free_rate;
      if (description.has_value()) part.study_description = description->AsString();
      LAMINA_TRY(ReadSlot(*map, path, "", path + "_runs/", std::move(part)));
    }
    return Ok();
  }

  /// Version 5: named studies, each with a slot for either engine.
  Status ReadStudies() {
    LAMINA_ASSIGN(const auto studies, Known(root_, "", "studies", IsMap, "a map"));
    if (!studies.has_value()) return Ok();
    LAMINA_TRY(CheckStringKeys(*studies, "studies"));
    for (const Value::Entry entry : studies->entries()) {
      const std::string name(entry.key.AsString());
      const std::string path = "studies." + name;
      if (studies->Find(name)->offset() != entry.value.offset()) {
        layout_.warnings.push_back(path + " stands twice; the last one is read");
        continue;
      }
      if (!entry.value.is_map()) return WrongType(path, "a map", entry.value);
      LAMINA_TRY(CheckStringKeys(entry.value, path));
      LAMINA_ASSIGN(const auto description,
                    Known(entry.value, path, "description", IsString, "a string"));
      for (const std::string_view engine : kEngines) {
        SummaryPart part;
        part.engine = engine;
        part.study = name;
        part.study_map = entry.value;
        if (description.has_value()) part.study_description = description->AsString();
        LAMINA_ASSIGN(part.risk_free_rate,
                      Known(entry.value, path, "risk_free_rate", IsNumber, "a number"));
        const std::string prefix = std::string(engine) + "_";
        LAMINA_TRY(ReadSlot(entry.value, path, prefix, "studies/" + name + "/" + prefix + "runs/",
                            std::move(part)));
      }
    }
    return Ok();
  }

  /// `<prefix>runs`, `<prefix>summary`, `<prefix>summaries_by_universe` of `map` (versions 3 to 5).
  Status ReadSlot(const Value& map, const std::string& path, const std::string& prefix,
                  const std::string& blob_prefix, SummaryPart part) {
    const std::size_t first_run = layout_.runs.size();
    LAMINA_TRY(ReadRuns(map, path, prefix + "runs", part, blob_prefix));
    LAMINA_TRY(ReadSummary(map, path, prefix + "summary", part.summary));
    SummaryPart of_universe = part;
    if (part.run_count != 0 || part.summary.has_value()) {
      layout_.summaries.push_back(std::move(part));
    }
    const std::string key = prefix + "summaries_by_universe";
    LAMINA_ASSIGN(const auto universes, Known(map, path, key, IsMap, "a map"));
    if (!universes.has_value()) return Ok();
    LAMINA_TRY(CheckStringKeys(*universes, path + "." + key));
    for (const Value::Entry entry : universes->entries()) {
      const std::string_view name = entry.key.AsString();
      if (universes->Find(name)->offset() != entry.value.offset()) continue;
      of_universe.universe = name;
      LAMINA_TRY(CheckSummary(entry.value, path + "." + key + "." + of_universe.universe));
      of_universe.summary = entry.value;
      if (entry.value.is_nil()) of_universe.summary.reset();
      of_universe.run_count = CountRunsOf(name, first_run);
      layout_.summaries.push_back(of_universe);
    }
    return Ok();
  }

  std::uint32_t CountRunsOf(std::string_view universe, std::size_t first_run) const {
    std::uint32_t count = 0;
    for (std::size_t i = first_run; i < layout_.runs.size(); ++i) {
      const auto metadata = layout_.runs[i].run.Find("metadata");
      const auto key = metadata.has_value() ? metadata->Find("universe_key") : std::nullopt;
      if (key.has_value() && key->is_string() && key->AsString() == universe) ++count;
    }
    return count;
  }

  Status ReadRuns(const Value& map, const std::string& path, std::string_view key,
                  SummaryPart& part, const std::string& blob_prefix) {
    LAMINA_ASSIGN(const auto runs, Known(map, path, key, IsArray, "an array"));
    if (!runs.has_value()) return Ok();
    const std::string runs_path = (path.empty() ? path : path + ".") + std::string(key);
    layout_.runs.reserve(layout_.runs.size() + runs->size());
    for (const Value run : runs->items()) {
      LAMINA_TRY(CheckRun(run, runs_path, part.run_count));
      RunPart run_part{run, part.engine, part.study, part.run_count++, {}};
      if (!blob_prefix.empty()) {
        run_part.blob_prefix = blob_prefix + std::to_string(run_part.index) + "/metrics/";
      }
      layout_.runs.push_back(std::move(run_part));
    }
    return Ok();
  }

  static Status CheckRun(const Value& run, const std::string& runs_path, std::uint32_t index) {
    if (!run.is_map()) return WrongType(Indexed(runs_path, index), "a map", run);
    for (const Value::Entry entry : run.entries()) {
      if (!entry.key.is_string()) {
        return CheckStringKeys(run, Indexed(runs_path, index));
      }
      if (entry.value.is_nil()) continue;
      const RunField* field = FindRunField(entry.key.AsString());
      if (field != nullptr && entry.value.kind() != field->kind) {
        return WrongType(Indexed(runs_path, index) + "." + std::string(field->name),
                         field->kind == Kind::kMap ? "a map" : "an array", entry.value);
      }
    }
    return Ok();
  }

  static Status CheckSummary(const Value& summary, const std::string& path) {
    if (summary.is_nil()) return Ok();
    if (!summary.is_map()) return WrongType(path, "a map", summary);
    return CheckStringKeys(summary, path);
  }

  static Status ReadSummary(const Value& map, const std::string& path, std::string_view key,
                            std::optional<Value>& summary) {
    summary = Present(map, key);
    if (!summary.has_value()) return Ok();
    return CheckSummary(*summary, (path.empty() ? path : path + ".") + std::string(key));
  }

  Value root_;
  Layout layout_;
  std::string path_;  ///< of layout_.backtest
};

}  // namespace

Result<Layout> ReadLayout(std::uint32_t version, const Document& document) {
  if (version < 1 || version > 5) {
    return Unsupported("bundle version " + std::to_string(version) +
                       " is not known; versions 1 to 5 are");
  }
  return LayoutReader(version, document).Read();
}

}  // namespace lamina::bundle
