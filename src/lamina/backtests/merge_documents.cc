#include "lamina/backtests/merge_documents.h"

#include <algorithm>
#include <optional>

#include "lamina/backtests/convert.h"
#include "lamina/backtests/convert_internal.h"
#include "lamina/backtests/json_text.h"
#include "lamina/backtests/summary_metrics.h"
#include "lamina/base/time.h"

namespace lamina::backtests {
namespace {

using bundle::Value;
using bundle::Writer;
using Maybe = std::optional<Value>;

Maybe Present(const Maybe& map, std::string_view key) {
  Maybe value = map ? map->Find(key) : std::nullopt;
  if (value && value->is_nil()) value.reset();
  return value;
}

bool IsEmpty(const Maybe& value) {
  return !value || value->is_nil() ||
         ((value->is_map() || value->is_array() || value->is_string()) && value->size() == 0);
}

/// What stands when only one may: the first that says anything.
std::string FirstOf(const Maybe& held, const Maybe& other) {
  if (!IsEmpty(held)) return std::string(held->raw());
  if (!IsEmpty(other)) return std::string(other->raw());
  return held ? std::string(held->raw()) : (other ? std::string(other->raw()) : "\xc0");
}

/// The pairs of both; of one key the other's.
std::string UnionOf(const Maybe& held, const Maybe& other) {
  const bool maps = held && other && held->is_map() && other->is_map();
  if (!maps) return FirstOf(other, held);
  std::string body;
  std::uint32_t pairs = 0;
  const auto find = [](const Value& map, const Value& key) -> Maybe {
    Maybe found;
    for (const auto& [name, value] : map.entries()) {
      if (name.raw() == key.raw()) found = value;
    }
    return found;
  };
  for (const auto& [key, value] : held->entries()) {
    const Maybe newer = find(*other, key);
    body.append(key.raw()).append(newer ? newer->raw() : value.raw());
    ++pairs;
  }
  for (const auto& [key, value] : other->entries()) {
    if (find(*held, key)) continue;
    body.append(key.raw()).append(value.raw());
    ++pairs;
  }
  std::string out;
  Writer(out).MapHeader(pairs);
  return out + body;
}

/// The items of both in order, each once.
std::string ItemsOf(const Maybe& held, const Maybe& other) {
  if (IsEmpty(other) || !other->is_array() || (held && !held->is_nil() && !held->is_array())) {
    return FirstOf(held, other);
  }
  std::vector<ByteView> items;
  for (const Maybe& list : {held, other}) {
    if (!list) continue;
    for (const Value item : list->items()) {
      if (std::find(items.begin(), items.end(), item.raw()) == items.end()) {
        items.push_back(item.raw());
      }
    }
  }
  std::string out;
  Writer(out).ArrayHeader(static_cast<std::uint32_t>(items.size()));
  for (const ByteView item : items) out += item;
  return out;
}

std::vector<Value> RunsIn(const Maybe& list) {
  std::vector<Value> runs;
  if (list && list->is_array()) {
    for (const Value run : list->items()) runs.push_back(run);
  }
  return runs;
}

std::string DateKey(const Value& run, std::string_view name) {
  const Maybe date = Present(run, name);
  if (!date) return "?";
  const Result<Micros> time =
      date->is_string() ? ParseTime(date->AsString()) : Result<Micros>(InvalidArgument("no text"));
  return time.ok() ? FormatTime(*time) : ToJson(*date);
}

/// The universe of a run; empty when it names none.
std::string UniverseOf(const Value& run) {
  const Maybe metadata = Present(run, "metadata");
  if (!metadata || !metadata->is_map()) return {};
  const Maybe key = Present(metadata, "universe_key");
  return key && key->is_string() ? std::string(key->AsString()) : std::string();
}

/// What makes two runs of one slot the same one.
std::string WindowKey(const Value& run) {
  const std::string universe = UniverseOf(run);
  return DateKey(run, "backtest_start_date") + " to " + DateKey(run, "backtest_end_date") +
         (universe.empty() ? "" : " in universe " + universe);
}

class Merger {
 public:
  Merger(const MergeInput& held, const MergeInput& other, bool replace, MergedDocument& merged)
      : held_(held),
        other_(other),
        replace_(replace),
        merged_(merged),
        form_(held.version <= 2 ? RunForm::kFlat : RunForm::kWindowed),
        rule_(held.version <= 2 ? ReturnRule::kCompound : ReturnRule::kCapital),
        series_(std::nullopt, held.version != 1, &merged.warnings),
        mover_(form_, form_, series_, merged.warnings) {}

  Status Run() {
    LAMINA_TRY(CheckIdentity());
    LAMINA_ASSIGN(merged_.document, held_.version == 5 ? Studies() : Flat());
    const std::size_t named =
        BlobCount(held_) + BlobCount(other_) - std::min(BlobCount(other_), dropped_);
    if (series_.blobs_used() < named) {
      AddWarning(merged_.warnings, std::to_string(named - series_.blobs_used()) +
                                       " blob(s) that no series of a kept run names are left out");
    }
    return Ok();
  }

 private:
  struct Placed {
    Value run;
    bool from_other;
  };
  /// The runs of one engine, merged.
  struct Slot {
    std::vector<Placed> runs;
    bool changed = false;  ///< other runs than the held ones
  };

  static std::size_t BlobCount(const MergeInput& input) {
    return input.layout.blobs ? input.layout.blobs->size() : 0;
  }

  Status CheckIdentity() const {
    const auto& mine = held_.layout;
    const auto& theirs = other_.layout;
    const auto agree = [](const Maybe& a, const Maybe& b, const char* what) -> Status {
      if (!a || !b || a->raw() == b->raw()) return Ok();
      return InvalidArgument(std::string("the ") + what + " differ (" + ToJson(*a) + ", " +
                             ToJson(*b) + "): only runs of one algorithm are merged");
    };
    LAMINA_TRY(agree(mine.algorithm_id, theirs.algorithm_id, "algorithms"));
    LAMINA_TRY(agree(mine.anchor_algorithm_id, theirs.anchor_algorithm_id, "anchors"));
    if (held_.version == 5) return Ok();
    const auto engine = [](const Maybe& type) {
      return type ? std::string(type->raw()) : std::string("\xc0");
    };
    if (engine(mine.engine_type) != engine(theirs.engine_type)) {
      return Unsupported("version " + std::to_string(held_.version) +
                         " holds the runs of one engine; export the backtest as version 5, "
                         "import that, and merge into it");
    }
    return Ok();
  }

  /// A run with its series, wherever they stand.
  Result<std::string> Whole(const Placed& placed) {
    SeriesMover series(SourceOf(placed), held_.version != 1, &unheard_);
    RunMover mover(form_, form_, series, unheard_);
    LAMINA_ASSIGN(std::string run, mover.Run(placed.run, "run/", std::nullopt));
    return run + series.blobs().Finish();
  }

  Maybe SourceOf(const Placed& placed) const {
    return placed.from_other ? other_.layout.blobs : held_.layout.blobs;
  }

  Result<Slot> MergeRuns(const Maybe& held, const Maybe& other, const std::string& where) {
    Slot slot;
    for (const Value& run : RunsIn(held)) slot.runs.push_back({run, false});
    const std::size_t held_count = slot.runs.size();
    for (const Value& run : RunsIn(other)) {
      const Placed placed{run, true};
      const std::string key = WindowKey(run);
      LAMINA_ASSIGN(const std::string whole, Whole(placed));
      std::optional<std::size_t> at;
      bool same = false;
      for (std::size_t i = 0; i < held_count && !same; ++i) {
        if (WindowKey(slot.runs[i].run) != key) continue;
        LAMINA_ASSIGN(const std::string present, Whole(slot.runs[i]));
        same = present == whole;
        if (!at) at = i;
      }
      if (same) {
        ++merged_.runs_unchanged;
        dropped_ += SeriesCount(run);
      } else if (!at) {
        slot.runs.push_back(placed);
        slot.changed = true;
        ++merged_.runs_added;
      } else if (replace_) {
        dropped_ += SeriesCount(slot.runs[*at].run);
        slot.runs[*at] = placed;
        slot.changed = true;
        ++merged_.runs_replaced;
      } else {
        return Conflict("the window " + key + where +
                        " is there with another result; replace windows to take the new one");
      }
    }
    return slot;
  }

  static std::size_t SeriesCount(const Value& run) {
    std::size_t count = 0;
    const Maybe metrics = Present(run, "backtest_metrics");
    if (!metrics || !metrics->is_map()) return 0;
    for (const auto& [key, value] : metrics->entries()) count += value.Find("@blob") ? 1 : 0;
    return count;
  }

  Result<std::string> Encode(const Slot& slot, const std::string& prefix) {
    std::string out;
    Writer(out).ArrayHeader(static_cast<std::uint32_t>(slot.runs.size()));
    for (std::size_t i = 0; i < slot.runs.size(); ++i) {
      series_.SetSource(SourceOf(slot.runs[i]));
      LAMINA_ASSIGN(const auto run,
                    mover_.Run(slot.runs[i].run, prefix + std::to_string(i) + "/metrics/", {}));
      out += run;
    }
    return out;
  }

  /// Of the runs of `universe`, of all when it is empty.
  std::string SummaryOf(const Slot& slot, ByteView universe = {}) const {
    std::vector<Value> runs;
    for (const Placed& placed : slot.runs) {
      if (universe.empty() || UniverseOf(placed.run) == universe) runs.push_back(placed.run);
    }
    return EncodeSummaryOf(runs, rule_);
  }

  /// Keys of the held map with the merged values, then what only the other has. `values`: encoded.
  static std::string MapOf(const Maybe& held, const Maybe& other,
                           const std::vector<std::pair<std::string, std::string>>& values) {
    bundle::MapWriter out;
    std::vector<std::string> written;
    const auto write = [&](std::string_view key, const Maybe& value) {
      if (std::find(written.begin(), written.end(), key) != written.end()) return;
      written.emplace_back(key);
      const auto merged = std::find_if(values.begin(), values.end(),
                                       [&](const auto& pair) { return pair.first == key; });
      if (merged == values.end()) {
        out.Copy(key, value);
      } else if (!merged->second.empty()) {
        out.Raw(key, merged->second);
      }
    };
    for (const Maybe& map : {held, other}) {
      if (!map) continue;
      for (const auto& [key, value] : map->entries()) {
        // Of duplicate keys the last one counts.
        write(key.AsString(), map->Find(key.AsString()));
      }
    }
    for (const auto& [key, value] : values) {
      if (!value.empty()) write(key, std::nullopt);
    }
    return out.Finish();
  }

  using Pairs = std::vector<std::pair<std::string, std::string>>;

  static Maybe In(const Maybe& map, const std::string& key) {
    return map ? map->Find(key) : std::nullopt;
  }

  /// What neither has is not made up.
  static void AddItems(const std::string& key, const Maybe& held, const Maybe& other,
                       Pairs& values) {
    if (!In(held, key) && !In(other, key)) return;
    values.emplace_back(key, ItemsOf(In(held, key), In(other, key)));
  }

  /// No runs stay as they are said: an empty array, nil, or nothing at all.
  static void AddRuns(const std::string& key, const Slot& slot, const std::string& encoded,
                      const Maybe& held, const Maybe& other, Pairs& values) {
    if (!slot.runs.empty()) {
      values.emplace_back(key, encoded);
    } else if (In(held, key) || In(other, key)) {
      values.emplace_back(key, FirstOf(In(held, key), In(other, key)));
    }
  }

  /// Identity, merged.
  Pairs Identity() const {
    const Value& a = held_.layout.backtest;
    const Value& b = other_.layout.backtest;
    Pairs values;
    for (const char* key : {"algorithm_id", "anchor_algorithm_id", "tag", "risk_free_rate"}) {
      if (a.Find(key) || b.Find(key)) values.emplace_back(key, FirstOf(a.Find(key), b.Find(key)));
    }
    for (const char* key : {"metadata", "parameters"}) {
      if (a.Find(key) || b.Find(key)) values.emplace_back(key, UnionOf(a.Find(key), b.Find(key)));
    }
    AddItems("strategy_ids", a, b, values);
    return values;
  }

  Result<std::string> Flat() {
    const Value& a = held_.layout.backtest;
    const Value& b = other_.layout.backtest;
    const Maybe type = held_.layout.engine_type;
    const std::string engine(type && type->is_string() ? type->AsString() : ByteView());
    const bool known = held_.version == 2 && (engine == "vector" || engine == "event");
    const std::string runs_key = known ? engine + "_runs" : "backtest_runs";
    const std::string summary_key = known ? engine + "_metrics" : "backtest_summary";
    LAMINA_ASSIGN(const Slot slot, MergeRuns(a.Find(runs_key), b.Find(runs_key), ""));
    auto values = Identity();
    LAMINA_ASSIGN(const std::string runs, Encode(slot, "runs/"));
    AddRuns(runs_key, slot, runs, a, b, values);
    if (slot.changed) values.emplace_back(summary_key, SummaryOf(slot));
    AddItems("backtest_permutation_tests", a, b, values);
    if (held_.version == 2) return Top(std::move(values));
    Pairs top;
    top.emplace_back("backtest", MapOf(a, b, values));
    return Top(std::move(top));
  }

  /// The whole document: blobs and prices last.
  Result<std::string> Top(Pairs values) {
    const Value held = held_.document.root();
    const Value other = other_.document.root();
    LAMINA_ASSIGN(const std::string prices, Prices());
    values.emplace_back("format_version",
                        FirstOf(held.Find("format_version"), other.Find("format_version")));
    values.emplace_back("blobs", Blobs(held.Find("blobs").has_value()));
    values.emplace_back("ohlcv", prices);
    return MapOf(held, other, values);
  }

  /// Empty when there are none, unless the held document names an empty map.
  std::string Blobs(bool named) const {
    if (series_.blobs().pairs() != 0) return series_.blobs().Finish();
    return named ? "\x80" : "";
  }

  /// The price files of both; empty when neither has any.
  Result<std::string> Prices() const {
    const Maybe a = held_.layout.ohlcv;
    const Maybe b = other_.layout.ohlcv;
    if (IsEmpty(a) || IsEmpty(b)) return IsEmpty(a) && IsEmpty(b) ? "" : FirstOf(a, b);
    const Maybe mine = Present(a, "manifest");
    const Maybe theirs = Present(b, "manifest");
    if (mine && theirs) {
      for (const auto& [key, file] : mine->entries()) {
        const Maybe again = key.is_string() ? theirs->Find(key.AsString()) : std::nullopt;
        if (again && again->raw() != file.raw() && !replace_) {
          return Conflict("the prices of " + ToJson(key) +
                          " differ; replace windows to take the new ones");
        }
      }
    }
    return MapOf(a, b, {{"manifest", UnionOf(mine, theirs)}});
  }

  Result<std::string> Studies() {
    const Value held = held_.document.root();
    const Value other = other_.document.root();
    const Maybe mine = Present(held, "studies");
    const Maybe theirs = Present(other, "studies");
    const auto find = [](const Maybe& map, ByteView name) {
      return map ? map->Find(name) : std::nullopt;
    };
    bundle::MapWriter studies;
    for (const bool from_held : {true, false}) {
      const Maybe& maps = from_held ? mine : theirs;
      if (!maps) continue;
      for (const auto& [key, value] : maps->entries()) {
        const ByteView name = key.AsString();
        if (!from_held && find(mine, name)) continue;
        LAMINA_ASSIGN(const auto study,
                      StudyOf(std::string(name), find(mine, name), find(theirs, name)));
        studies.Raw(name, study);
      }
    }
    auto values = Identity();
    values.emplace_back("studies", studies.Finish());
    if (held.Find("universes") || other.Find("universes")) {
      values.emplace_back("universes", ItemsOf(held.Find("universes"), other.Find("universes")));
    }
    return Top(std::move(values));
  }

  Result<std::string> StudyOf(const std::string& name, const Maybe& held, const Maybe& other) {
    Pairs values;
    const auto find = [](const Maybe& map, const std::string& key) {
      return map ? map->Find(key) : std::nullopt;
    };
    for (const Maybe& map : {held, other}) {
      if (!map) continue;
      for (const auto& [key, value] : map->entries()) {
        const std::string field(key.AsString());
        if (field.starts_with("vector_") || field.starts_with("event_")) continue;
        const Maybe a = find(held, field), b = find(other, field);
        values.emplace_back(field, field == "metadata"           ? UnionOf(a, b)
                                   : field == "backtest_windows" ? ItemsOf(a, b)
                                                                 : FirstOf(a, b));
      }
    }
    for (const std::string engine : {"vector", "event"}) {
      LAMINA_TRY(AddEngine(name, engine, held, other, values));
    }
    return MapOf(held, other, values);
  }

  Status AddEngine(const std::string& name, const std::string& engine, const Maybe& held,
                   const Maybe& other, Pairs& values) {
    const auto find = [&](const Maybe& map, const char* what) {
      return map ? map->Find(engine + what) : std::nullopt;
    };
    LAMINA_ASSIGN(const Slot slot, MergeRuns(find(held, "_runs"), find(other, "_runs"),
                                             " of study '" + name + "', engine " + engine));
    LAMINA_ASSIGN(const std::string runs,
                  Encode(slot, "studies/" + name + "/" + engine + "_runs/"));
    AddRuns(engine + "_runs", slot, runs, held, other, values);
    AddItems(engine + "_monte_carlo_tests", held, other, values);
    const bool only_one = !held || !other;
    if (!slot.changed || only_one) {
      for (const char* what : {"_summary", "_summaries_by_universe"}) {
        if (!find(held, what) && !find(other, what)) continue;
        values.emplace_back(engine + what, FirstOf(find(held, what), find(other, what)));
      }
      return Ok();
    }
    values.emplace_back(engine + "_summary", SummaryOf(slot));
    bundle::MapWriter universes;
    std::vector<std::string> done;
    for (const Maybe& map :
         {find(held, "_summaries_by_universe"), find(other, "_summaries_by_universe")}) {
      if (!map || !map->is_map()) continue;
      for (const auto& [key, value] : map->entries()) {
        const std::string universe(key.AsString());
        if (std::find(done.begin(), done.end(), universe) != done.end()) continue;
        done.push_back(universe);
        universes.Raw(universe, SummaryOf(slot, universe));
      }
    }
    values.emplace_back(engine + "_summaries_by_universe", universes.Finish());
    return Ok();
  }

  const MergeInput& held_;
  const MergeInput& other_;
  const bool replace_;
  MergedDocument& merged_;
  const RunForm form_;
  const ReturnRule rule_;
  SeriesMover series_;
  RunMover mover_;
  std::size_t dropped_ = 0;           ///< series of runs that are not written
  std::vector<std::string> unheard_;  ///< warnings of comparisons
};

}  // namespace

Result<MergedDocument> MergeDocuments(const MergeInput& held, const MergeInput& other,
                                      bool replace_windows) {
  if (held.version == 3 || held.version == 4) {
    return Unsupported("bundles of version " + std::to_string(held.version) +
                       " are not merged; export it as version 5 and import that");
  }
  MergedDocument merged;
  if (held.version == other.version) {
    LAMINA_TRY(Merger(held, other, replace_windows, merged).Run());
    return merged;
  }
  LAMINA_ASSIGN(std::string converted, ConvertDocument(other.version, other.document, other.layout,
                                                       held.version, &merged.warnings));
  LAMINA_ASSIGN(const auto document, bundle::Document::Parse(std::move(converted)));
  LAMINA_ASSIGN(const auto layout, bundle::ReadLayout(held.version, document));
  LAMINA_TRY(Merger(held, {held.version, document, layout}, replace_windows, merged).Run());
  return merged;
}

}  // namespace lamina::backtests
