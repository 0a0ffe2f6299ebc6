#include "lamina/backtests/convert.h"

#include <algorithm>
#include <utility>

#include "lamina/backtests/convert_internal.h"

namespace lamina::backtests {
namespace {

using bundle::Kind;
using bundle::Layout;
using bundle::RunPart;
using bundle::Value;
using bundle::Writer;

using Maybe = std::optional<Value>;

/// The runs of one engine and what goes with them.
struct Slot {
  std::string engine;
  std::vector<const RunPart*> runs;
  Maybe summary, by_universe, tests;
  bool Used() const { return !runs.empty() || summary || HasTests() || HasUniverses(); }
  bool HasTests() const { return tests && tests->size() != 0; }
  bool HasUniverses() const { return by_universe && by_universe->size() != 0; }
};

/// A study, or all of a document without studies.
struct Study {
  std::string name = "default";
  Maybe map;  ///< version 5
  Maybe description, risk_free_rate;
  std::vector<Slot> slots;
};

Maybe Present(const Value& map, std::string_view key) {
  Maybe value = map.Find(key);
  if (value && value->is_nil()) value.reset();
  return value;
}

bool IsContainer(const Value& value) {
  return value.is_array() || value.is_map() || value.is_string();
}

bool HasItems(const Maybe& value) { return value && IsContainer(*value) && value->size() != 0; }

/// RETURNS kUnsupported for a document of another version than its header says.
Status CheckShape(std::uint32_t version, const Value& root) {
  std::uint32_t found = 0;
  if (Present(root, "studies")) {
    found = 5;
  } else if (Present(root, "backtest")) {
    found = 1;
  } else if (root.Find("vector_runs") || root.Find("event_runs") || root.Find("backtest_runs")) {
    found = 2;
  } else if (Present(root, "vector") || Present(root, "event")) {
    found = version == 4 ? 4 : 3;
  }
  if (found == 0 || found == version) return Ok();
  return Unsupported("the header says version " + std::to_string(version) +
                     ", the document has the shape of version " + std::to_string(found) +
                     "; it is not converted");
}

/// The one slot of versions 1 and 2.
Study FlatStudy(const Layout& layout) {
  Study study;
  study.risk_free_rate = layout.risk_free_rate;
  Slot slot;
  for (const auto& part : layout.summaries) {
    slot.engine = part.engine;
    slot.summary = part.summary;
  }
  for (const RunPart& run : layout.runs) slot.runs.push_back(&run);
  slot.tests = Present(layout.backtest, "backtest_permutation_tests");
  study.slots.push_back(std::move(slot));
  return study;
}

Result<Study> EnginesStudy(const Layout& layout) {
  const Value& root = layout.backtest;
  Study study;
  study.risk_free_rate = layout.risk_free_rate;
  if (const Maybe name = Present(root, "study_name")) study.name = name->AsString();
  study.description = Present(root, "study_description");
  for (const std::string_view engine : {"vector", "event"}) {
    Slot slot;
    slot.engine = engine;
    for (const RunPart& run : layout.runs) {
      if (run.engine == engine) slot.runs.push_back(&run);
    }
    if (const Maybe map = Present(root, engine)) {
      slot.summary = Present(*map, "summary");
      slot.by_universe = Present(*map, "summaries_by_universe");
    }
    study.slots.push_back(std::move(slot));
  }
  if (const Maybe tests = Present(root, "monte_carlo_tests"); HasItems(tests)) {
    if (study.slots[0].Used() && study.slots[1].Used()) {
      return Unsupported("nothing tells which engine the Monte-Carlo tests belong to");
    }
    study.slots[study.slots[1].Used() ? 1 : 0].tests = tests;
  }
  return study;
}

Result<std::vector<Study>> Studies(const Layout& layout) {
  std::vector<Study> studies;
  const Maybe maps = Present(layout.backtest, "studies");
  if (!maps) return studies;
  for (const auto& [key, map] : maps->entries()) {
    Study study;
    study.name = key.AsString();
    study.map = map;
    study.description = Present(map, "description");
    study.risk_free_rate = Present(map, "risk_free_rate");
    for (const std::string engine : {"vector", "event"}) {
      Slot slot;
      slot.engine = engine;
      for (const RunPart& run : layout.runs) {
        if (run.study == study.name && run.engine == engine) slot.runs.push_back(&run);
      }
      slot.summary = Present(map, engine + "_summary");
      slot.by_universe = Present(map, engine + "_summaries_by_universe");
      slot.tests = Present(map, engine + "_monte_carlo_tests");
      if (slot.tests && !slot.tests->is_array()) {
        return InvalidArgument(engine + "_monte_carlo_tests is not an array");
      }
      study.slots.push_back(std::move(slot));
    }
    studies.push_back(std::move(study));
  }
  return studies;
}

class Converter {
 public:
  Converter(std::uint32_t from, const Layout& layout, std::uint32_t to,
            std::vector<std::string>& warnings)
      : from_(from),
        to_(to),
        layout_(layout),
        warnings_(warnings),
        series_(layout.blobs, to != 1, &warnings),
        runs_(from <= 2 ? RunForm::kFlat : RunForm::kWindowed,
              to <= 2 ? RunForm::kFlat : RunForm::kWindowed, series_, warnings) {}

  Result<std::string> Convert(const Value& root) {
    LAMINA_ASSIGN(const Study study, TheStudy());
    Result<std::string> document = to_ == 5 ? ToStudies(study, root) : ToFlat(study, root);
    if (document.ok()) WarnOfTheRest(root);
    return document;
  }

 private:
  Result<Study> TheStudy() const {
    if (from_ <= 2) {
      Study study = FlatStudy(layout_);
      if (study.slots[0].tests && !study.slots[0].tests->is_array()) {
        return InvalidArgument("backtest_permutation_tests is not an array");
      }
      return study;
    }
    if (from_ <= 4) return EnginesStudy(layout_);
    LAMINA_ASSIGN(auto studies, Studies(layout_));
    if (studies.size() > 1) {
      std::string names;
      for (const Study& study : studies) names += (names.empty() ? "" : ", ") + study.name;
      return Unsupported("the backtest has several studies (" + names + "); version " +
                         std::to_string(to_) + " holds one");
    }
    return studies.empty() ? Study() : std::move(studies.front());
  }

  /// Nil when there are none, as versions 1 and 2 have it, else an array.
  Result<std::string> RunArray(const Slot& slot, const std::string& prefix, const Maybe& symbol) {
    std::string out;
    Writer writer(out);
    writer.ArrayHeader(static_cast<std::uint32_t>(slot.runs.size()));
    for (std::size_t i = 0; i < slot.runs.size(); ++i) {
      LAMINA_ASSIGN(const auto run,
                    runs_.Run(slot.runs[i]->run, prefix + std::to_string(i) + "/metrics/", symbol));
      writer.Raw(run);
    }
    return out;
  }

  Result<std::string> TestArray(const Slot& slot, const Maybe& symbol) {
    std::string out;
    Writer writer(out);
    writer.ArrayHeader(slot.tests ? slot.tests->size() : 0);
    if (!slot.tests) return out;
    for (const Value test : slot.tests->items()) {
      LAMINA_ASSIGN(const auto moved, runs_.Test(test, symbol));
      writer.Raw(moved);
    }
    return out;
  }

  /// The value, or `empty` (encoded) in place of nil and absence.
  static void Identity(bundle::MapWriter& out, std::string_view key, const Maybe& value,
                       std::string_view empty) {
    if (value) {
      out.Raw(key, value->raw());
    } else {
      out.Raw(key, empty);
    }
  }

  // ---- versions 1 and 2

  Result<const Slot*> TheSlot(const Study& study) const {
    const std::string target = "version " + std::to_string(to_);
    const Slot* found = nullptr;
    for (const Slot& slot : study.slots) {
      if (slot.HasUniverses()) {
        return Unsupported("the backtest has summaries by universe; " + target + " holds none");
      }
      if (!slot.Used()) continue;
      if (found != nullptr) {
        return Unsupported("the backtest has runs of both engines; " + target + " holds one");
      }
      found = &slot;
    }
    if (HasItems(Present(layout_.backtest, "universes"))) {
      return Unsupported("the backtest has universes; " + target + " holds none");
    }
    return found;
  }

  void WarnOfStudy(const Study& study) {
    if (study.name != "default") Lost("the study's name \"" + study.name + "\"");
    if (HasItems(study.description)) Lost("the study's description");
    if (layout_.anchor_algorithm_id) Lost("anchor_algorithm_id");
    if (study.map) WarnOfStudyMap(study);
    for (const std::string_view engine : {"vector", "event"}) {
      const Maybe map = study.map ? std::nullopt : Present(layout_.backtest, engine);
      if (!map || !map->is_map()) continue;
      for (const auto& [key, value] : map->entries()) {
        if (key.AsString() != "runs" && key.AsString() != "summary" && HasItems(value)) {
          Lost("the " + std::string(engine) + " engine's " + std::string(key.AsString()));
        }
      }
    }
  }

  void WarnOfStudyMap(const Study& study) {
    static constexpr std::string_view kCarried[] = {"name", "description", "risk_free_rate"};
    for (const auto& [key, value] : study.map->entries()) {
      const std::string name(key.AsString());
      const bool of_engine = name.starts_with("vector_") || name.starts_with("event_");
      if (of_engine ||
          std::find(std::begin(kCarried), std::end(kCarried), name) != std::end(kCarried)) {
        continue;
      }
      if (value.is_nil() || (IsContainer(value) && value.size() == 0)) continue;
      if (name == "window_part" && value.is_string() && value.AsString() == "test") continue;
      const Maybe capital = name == "initial_capital" ? FirstCapital(study) : std::nullopt;
      if (capital && capital->raw() == value.raw()) continue;
      Lost("the study's " + name);
    }
  }

  /// The capital of the first run: a study that names the same says no more.
  static Maybe FirstCapital(const Study& study) {
    for (const Slot& slot : study.slots) {
      if (!slot.runs.empty()) return slot.runs.front()->run.Find("initial_unallocated");
    }
    return std::nullopt;
  }

  void Lost(const std::string& what) {
    AddWarning(warnings_,
               what + " is left out: version " + std::to_string(to_) + " has no place for it");
  }

  /// Where a study names its currency.
  static Maybe StudySymbol(const Study& study) {
    const Maybe universe = study.map ? Present(*study.map, "universe") : std::nullopt;
    return universe && universe->is_map() ? Present(*universe, "trading_symbol") : std::nullopt;
  }

  Result<std::string> ToFlat(const Study& study, const Value& root) {
    LAMINA_ASSIGN(const Slot* slot, TheSlot(study));
    if (from_ > 2) WarnOfStudy(study);
    const Slot none;
    if (slot == nullptr) slot = from_ <= 2 ? &study.slots.front() : &none;
    const Maybe symbol = StudySymbol(study);
    std::string runs("\xc0"), tests("\xc0");
    if (!slot->runs.empty()) {
      LAMINA_ASSIGN(runs, RunArray(*slot, "runs/", symbol));
    }
    if (slot->tests && (from_ <= 2 || slot->HasTests())) {
      LAMINA_ASSIGN(tests, TestArray(*slot, symbol));
    }
    std::string engine("\xc0");
    if (from_ <= 2) {
      if (layout_.engine_type) engine = layout_.engine_type->raw();
    } else if (!slot->engine.empty()) {
      engine.clear();
      Writer(engine).String(slot->engine);
    }
    return to_ == 1 ? Nested(*slot, study, root, runs, tests, engine)
                    : Flat(*slot, study, root, runs, tests, engine);
  }

  std::string Nested(const Slot& slot, const Study& study, const Value& root,
                     const std::string& runs, const std::string& tests,
                     const std::string& engine) const {
    bundle::MapWriter backtest;
    backtest.Raw("backtest_runs", runs);
    backtest.Copy("backtest_summary", slot.summary);
    backtest.Raw("backtest_permutation_tests", tests);
    Identity(backtest, "metadata", layout_.metadata, "\x80");
    backtest.Copy("risk_free_rate", study.risk_free_rate);
    Identity(backtest, "strategy_ids", layout_.strategy_ids, "\x90");
    backtest.Copy("algorithm_id", layout_.algorithm_id);
    Identity(backtest, "parameters", layout_.parameters, "\x80");
    backtest.Copy("tag", layout_.tag);
    backtest.Raw("engine_type", engine);
    bundle::MapWriter out;
    out.Key("format_version").Int(1);
    out.Raw("backtest", backtest.Finish());
    End(out, root);
    return out.Finish();
  }

  std::string Flat(const Slot& slot, const Study& study, const Value& root, const std::string& runs,
                   const std::string& tests, const std::string& engine) const {
    bundle::MapWriter out;
    out.Key("format_version").Int(2);
    out.Raw("engine_type", engine);
    out.Copy("algorithm_id", layout_.algorithm_id);
    Identity(out, "metadata", layout_.metadata, "\x80");
    out.Copy("risk_free_rate", study.risk_free_rate);
    Identity(out, "strategy_ids", layout_.strategy_ids, "\x90");
    Identity(out, "parameters", layout_.parameters, "\x80");
    out.Copy("tag", layout_.tag);
    out.Raw("backtest_permutation_tests", tests);
    const bool known = slot.engine == "vector" || slot.engine == "event";
    out.Raw(known ? slot.engine + "_runs" : "backtest_runs", runs);
    out.Copy(known ? slot.engine + "_metrics" : "backtest_summary", slot.summary);
    End(out, root);
    return out.Finish();
  }

  /// Blobs and price files.
  void End(bundle::MapWriter& out, const Value& root) const {
    if (series_.blobs().pairs() != 0) out.Raw("blobs", series_.blobs().Finish());
    if (const Maybe ohlcv = root.Find("ohlcv")) out.Raw("ohlcv", ohlcv->raw());
  }

  // ---- version 5

  Result<std::string> ToStudies(const Study& study, const Value& root) {
    LAMINA_ASSIGN(const std::string map, StudyMap(study));
    bundle::MapWriter out;
    out.Copy("algorithm_id", layout_.algorithm_id);
    out.Copy("anchor_algorithm_id", layout_.anchor_algorithm_id);
    Identity(out, "metadata", layout_.metadata, "\x80");
    Identity(out, "strategy_ids", layout_.strategy_ids, "\x90");
    Identity(out, "parameters", layout_.parameters, "\x80");
    out.Copy("tag", layout_.tag);
    bundle::MapWriter studies;
    studies.Raw(study.name, map);
    out.Raw("studies", studies.Finish());
    if (const Maybe universes = Present(root, "universes"); HasItems(universes)) {
      out.Raw("universes", universes->raw());
    }
    out.Key("format_version").Int(5);
    End(out, root);
    return out.Finish();
  }

  Result<std::string> StudyMap(const Study& study) {
    bundle::MapWriter out;
    out.Key("name").String(study.name);
    out.Copy("description", study.description);
    out.Key("initial_capital").Nil();  // as the framework leaves it: the runs have theirs
    out.Copy("risk_free_rate", study.risk_free_rate);
    out.Key("universe").Nil();
    out.Key("backtest_windows").ArrayHeader(0);
    out.Key("metadata").MapHeader(0);
    out.Key("sample_type").Nil();
    out.Key("window_part").String("test");
    out.Key("execution_config").Nil();
    const Slot none;
    for (const std::string engine : {"vector", "event"}) {
      const Slot* slot = &none;
      for (const Slot& candidate : study.slots) {
        if (EngineOf(candidate) == engine) slot = &candidate;
      }
      LAMINA_ASSIGN(const auto runs,
                    RunArray(*slot, "studies/" + study.name + "/" + engine + "_runs/", {}));
      out.Raw(engine + "_runs", runs);
      out.Copy(engine + "_summary", slot->summary);
      Identity(out, engine + "_summaries_by_universe", slot->by_universe, "\x80");
      LAMINA_ASSIGN(const auto tests, TestArray(*slot, {}));
      out.Raw(engine + "_monte_carlo_tests", tests);
    }
    return out.Finish();
  }

  /// Version 5 has no runs of an unknown engine.
  std::string EngineOf(const Slot& slot) {
    if (slot.engine == "vector" || slot.engine == "event") {
      if (!slot.Used() && from_ <= 2) Lost("engine_type of a backtest without runs");
      return slot.engine;
    }
    if (slot.Used() || layout_.engine_type) {
      AddWarning(warnings_, "the engine is not known; the runs are written as \"vector\"");
    }
    return "vector";
  }

  // ---- what stays behind

  void WarnOfTheRest(const Value& root) {
    static constexpr std::string_view kKnown[] = {"format_version",
                                                  "backtest",
                                                  "ohlcv",
                                                  "blobs",
                                                  "algorithm_id",
                                                  "anchor_algorithm_id",
                                                  "metadata",
                                                  "strategy_ids",
                                                  "parameters",
                                                  "tag",
                                                  "studies",
                                                  "universes",
                                                  "risk_free_rate",
                                                  "engine_type",
                                                  "backtest_permutation_tests",
                                                  "monte_carlo_tests",
                                                  "vector",
                                                  "event",
                                                  "study_name",
                                                  "study_description",
                                                  "backtest_runs",
                                                  "backtest_summary",
                                                  "vector_runs",
                                                  "vector_metrics",
                                                  "event_runs",
                                                  "event_metrics"};
    for (const Value* map : {&root, &layout_.backtest}) {
      for (const auto& [key, value] : map->entries()) {
        bool known = false;
        for (const std::string_view name : kKnown) known = known || key.AsString() == name;
        if (!known) Lost("\"" + std::string(key.AsString()) + "\"");
      }
    }
    if (from_ == 2) WarnOfOtherSlots(root);
    if (layout_.blobs && layout_.blobs->size() > series_.blobs_used()) {
      Lost(std::to_string(layout_.blobs->size() - series_.blobs_used()) +
           " blob(s) that no series names");
    }
  }

  /// Version 2 may name runs of an engine that engine_type does not.
  void WarnOfOtherSlots(const Value& root) {
    const std::string engine(layout_.engine_type ? layout_.engine_type->AsString() : ByteView());
    const std::string own =
        engine == "vector" || engine == "event" ? engine + "_runs" : "backtest_runs";
    for (const std::string_view key : {"vector_runs", "event_runs", "backtest_runs"}) {
      if (key != own && HasItems(Present(root, key))) Lost("\"" + std::string(key) + "\"");
    }
  }

  std::uint32_t from_, to_;
  const Layout& layout_;
  std::vector<std::string>& warnings_;
  SeriesMover series_;
  RunMover runs_;
};

}  // namespace

Result<std::string> ConvertDocument(std::uint32_t from, const bundle::Document& document,
                                    const Layout& layout, std::uint32_t to,
                                    std::vector<std::string>* warnings) {
  if (to != 1 && to != 2 && to != 5) {
    return InvalidArgument("bundles are written as version 1, 2 or 5, not " + std::to_string(to));
  }
  if (from < 1 || from > 5) return Unsupported("bundle version " + std::to_string(from));
  if (from == to) return std::string(document.bytes());
  const Value root = document.root();
  LAMINA_TRY(CheckShape(from, root));
  return Converter(from, layout, to, *warnings).Convert(root);
}

}  // namespace lamina::backtests
