#include "lamina/bundle/layout.h"

#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/bundle_test_support.h"

namespace lamina::bundle {
namespace {

/// A document that stays where its Values point.
struct Opened {
  std::uint32_t version = 0;
  std::unique_ptr<Document> document;
  Layout layout;
};

Result<Opened> Open(std::uint32_t version, std::string bytes) {
  LAMINA_ASSIGN(auto document, Document::Parse(std::move(bytes)));
  auto kept = std::make_unique<Document>(std::move(document));
  LAMINA_ASSIGN(auto layout, ReadLayout(version, *kept));
  return Opened{version, std::move(kept), std::move(layout)};
}

Result<Opened> OpenFile(const std::filesystem::path& path) {
  LAMINA_ASSIGN(auto file, ReadBundle(test::ReadAll(path)));
  LAMINA_ASSIGN(auto opened, Open(file.version, std::move(file.document)));
  for (std::string& warning : file.warnings) opened.layout.warnings.push_back(std::move(warning));
  return opened;
}

Result<Opened> OpenGolden(const std::string& name) {
  return OpenFile(test::BundleFolder("golden") / name);
}

struct Quirk {
  const char* name;
  int code;           ///< 0: valid
  const char* words;  ///< of the error, or of the only warning; empty: none
};
constexpr int kInvalid = static_cast<int>(ErrorCode::kInvalidArgument);
constexpr int kCorrupt = static_cast<int>(ErrorCode::kCorruption);
constexpr int kTooMuch = static_cast<int>(ErrorCode::kResourceExhausted);
constexpr int kUnknown = static_cast<int>(ErrorCode::kUnsupported);

/// Every file of bundles/quirks. What is odd inside a series' Parquet or a snapshot's fields is
/// data.
constexpr Quirk kQuirks[] = {
    {"bad_magic", kInvalid, "does not start with IAFB"},
    {"bad_version_0", kUnknown, "version 0 is not known"},
    {"bad_version_max", kUnknown, "version 4294967295 is not known"},
    {"bitflip_middle", 0, ""},
    {"corrupt_blob", 0, ""},
    {"engine_unknown", 0, "engine_type \"hybrid\" is not known"},
    {"float32_numbers", 0, ""},
    {"frame_checksum", 0, ""},
    {"frame_level22", 0, ""},
    {"frame_level3", 0, ""},
    {"frame_no_content_size", kCorrupt, "does not state its content size"},
    {"frame_raw_block", kCorrupt, "9 bytes after the document"},
    {"frame_stream", kCorrupt, "does not state its content size"},
    {"frame_trailing_garbage", 0, "7 bytes after the zstd frame were ignored"},
    {"frame_two", kCorrupt, "a payload goes past the end"},
    {"header_v1_doc_v2", 0, "the header says version 1, the document has the shape of version 2"},
    {"metadata_string", 0, ""},
    {"missing_blob", 0, ""},
    {"mixed_types", 0, ""},
    {"msgpack_array_top", kInvalid, "not a map but array"},
    {"msgpack_deep", kTooMuch, "nested deeper than 128"},
    {"msgpack_dup_key", 0, "states no format_version"},
    {"msgpack_trailing", kCorrupt, "1 bytes after the document"},
    {"msgpack_truncated", kCorrupt, "a payload goes past the end"},
    {"parquet_big", 0, ""},
    {"parquet_brotli", 0, ""},
    {"parquet_colorder", 0, ""},
    {"parquet_extracol", 0, ""},
    {"parquet_lz4", 0, ""},
    {"parquet_nodict", 0, ""},
    {"parquet_pagev2", 0, ""},
    {"parquet_rowgroups", 0, ""},
    {"parquet_snappy", 0, ""},
    {"parquet_v1", 0, ""},
    {"positive_trades_pair", 0, ""},
    {"snap_irregular", 0, ""},
    {"snap_naive", 0, ""},
    {"snap_nan", 0, ""},
    {"snap_subsecond", 0, ""},
    {"snap_unsorted", 0, ""},
    {"str_blobs", 0, ""},
    {"trunc_0", kInvalid, "0 bytes"},
    {"trunc_3", kInvalid, "3 bytes"},
    {"trunc_4", kInvalid, "4 bytes"},
    {"trunc_7", kInvalid, "7 bytes"},
    {"trunc_8", kCorrupt, "truncated in its header"},
    {"unknown_keys", 0, ""},
    {"unknown_summary_key", 0, ""},
    {"zstd_bomb_64MiB", kCorrupt, "67108863 bytes after the document"},
};

TEST(LayoutTest, EveryQuirkIsAcceptedOrRefusedAsTheTableSays) {
  EXPECT_EQ(std::size(kQuirks), test::BundlesIn("quirks").size());
  for (const Quirk& quirk : kQuirks) {
    const auto opened =
        OpenFile(test::BundleFolder("quirks") / (std::string(quirk.name) + ".iafbt"));
    ASSERT_EQ(opened.ok(), quirk.code == 0)
        << quirk.name << (opened.ok() ? "" : opened.error().message());
    std::string said;
    if (opened.ok()) {
      for (const std::string& warning : opened->layout.warnings) said += warning;
      EXPECT_EQ(said.empty(), *quirk.words == '\0') << quirk.name << ": " << said;
    } else {
      EXPECT_EQ(static_cast<int>(opened.error().code()), quirk.code) << quirk.name;
      said = opened.error().message();
    }
    EXPECT_NE(said.find(quirk.words), std::string::npos) << quirk.name << ": " << said;
  }
}

TEST(LayoutTest, EveryGoldenAndRealBundleIsAcceptedWithoutWarning) {
  std::size_t files = 0;
  for (const char* folder : {"golden", "real"}) {
    for (const auto& path : test::BundlesIn(folder)) {
      const auto opened = OpenFile(path);
      ASSERT_TRUE(opened.ok()) << path << opened.error().message();
      EXPECT_TRUE(opened->layout.warnings.empty()) << path << opened->layout.warnings.front();
      ++files;
    }
  }
  EXPECT_EQ(files, 158U + 44U);
}

/// `study/engine/universe:runs` of each summary, with `-` when it is nil.
std::string SummariesOf(const Layout& layout) {
  std::string text;
  for (const SummaryPart& part : layout.summaries) {
    if (!text.empty()) text += " ";
    text += part.study + "/" + part.engine + "/" + part.universe + ":" +
            std::to_string(part.run_count) + (part.summary.has_value() ? "" : "-");
  }
  return text;
}

TEST(LayoutTest, SummariesOfTheVersions) {
  struct Case {
    const char* name;
    const char* summaries;
  };
  const std::string universes =
      "default/vector/:2 default/vector/BTC/EUR,ETH/EUR|EUR|BITVAVO:1 default/vector/alts:1";
  const Case cases[] = {
      {"v1_8.8.0/one_run.iafbt", "default//:1"},
      {"v1_8.8.0/zero_runs.iafbt", "default//:0-"},
      {"v1_8.10.0/one_run.iafbt", "default/vector/:1"},
      {"v1_8.10.0/one_run_engine_none.iafbt", "default//:1"},
      {"v2_8.10.0/one_run.iafbt", "default/vector/:1"},
      {"v2_8.10.0/one_run_engine_event.iafbt", "default/event/:1"},
      {"v2_8.10.0/one_run_engine_none.iafbt", "default//:1"},
      {"v2_8.10.0/windows3_full.iafbt", "default/vector/:3"},
      {"v2_8.10.0/zero_runs.iafbt", "default/vector/:0-"},
      {"v3_synthetic/universes.iafbt", "default/vector/:2"},
      {"v3_synthetic/zero_runs.iafbt", ""},
      {"v4_synthetic/universes.iafbt", universes.c_str()},
      {"v4_synthetic/one_run_engine_event.iafbt", "default/event/:1"},
      {"v5_9.0.0a6/universes.obtf", universes.c_str()},
      {"v5_9.0.0a6/zero_runs.obtf", ""},
      {"v5_9.0.0a6/zero_runs_empty_summary.obtf", "default/vector/:0"},
      {"v5_9.0.0a6/one_run_engine_event.obtf", "default/event/:1"},
  };
  for (const Case& c : cases) {
    const auto opened = OpenGolden(c.name);
    ASSERT_TRUE(opened.ok()) << c.name;
    EXPECT_EQ(SummariesOf(opened->layout), c.summaries) << c.name;
  }
}

TEST(LayoutTest, BlobPrefixesNameEveryBlob) {
  for (const auto& path : test::BundlesIn("golden")) {
    const auto opened = OpenFile(path);
    ASSERT_TRUE(opened.ok()) << path;
    if (!opened->layout.blobs.has_value()) continue;
    EXPECT_NE(opened->version, 1U) << path;
    for (const Value::Entry entry : opened->layout.blobs->entries()) {
      const bool claimed =
          std::any_of(opened->layout.runs.begin(), opened->layout.runs.end(), [&](const auto& run) {
            return !run.blob_prefix.empty() && entry.key.AsString().starts_with(run.blob_prefix);
          });
      EXPECT_TRUE(claimed) << path << " " << entry.key.AsString();
    }
  }
}

TEST(LayoutTest, IdentityAndOhlcv) {
  const auto opened = OpenGolden("v1_8.10.0/ohlcv_a.iafbt");
  ASSERT_TRUE(opened.ok());
  const Layout& layout = opened->layout;
  EXPECT_EQ(layout.algorithm_id->AsString(), "ohlcv_a");
  EXPECT_EQ(layout.engine_type->AsString(), "vector");
  EXPECT_FALSE(layout.anchor_algorithm_id.has_value());
  EXPECT_TRUE(layout.backtest.Find("backtest_runs").has_value());
  ASSERT_TRUE(layout.ohlcv.has_value());
  EXPECT_GT(layout.ohlcv->Find("manifest")->size(), 0U);
  ASSERT_EQ(layout.runs.size(), 1U);
  EXPECT_EQ(layout.runs[0].blob_prefix, "");
  EXPECT_EQ(layout.runs[0].engine, "vector");
  const auto none = OpenGolden("v2_8.10.0/no_algorithm_id.iafbt");
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->layout.algorithm_id.has_value());
  const auto five = OpenGolden("v5_9.0.0a6/windows3_full.obtf");
  ASSERT_TRUE(five.ok());
  EXPECT_EQ(five->layout.runs[2].blob_prefix, "studies/default/vector_runs/2/metrics/");
  EXPECT_TRUE(five->layout.summaries[0].study_map.has_value());
  EXPECT_TRUE(five->layout.summaries[0].risk_free_rate.has_value());
}

using Build = std::function<void(Writer&)>;
std::string Made(const Build& build) {
  std::string out;
  Writer writer(out);
  build(writer);
  return out;
}

TEST(LayoutTest, OnlyThePairOfTheEngineIsRead) {
  const auto opened = Open(2, Made([](Writer& w) {
                             w.MapHeader(5);
                             w.String("format_version"), w.Int(2);
                             w.String("engine_type"), w.String("event");
                             w.String("vector_runs"), w.String("not looked at");
                             w.String("event_runs"), w.ArrayHeader(1), w.MapHeader(0);
                             w.String("event_metrics"), w.Nil();
                           }));
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  EXPECT_EQ(SummariesOf(opened->layout), "default/event/:1-");
  EXPECT_EQ(opened->layout.runs[0].blob_prefix, "runs/0/metrics/");
}

TEST(LayoutTest, TheShapeDecidesAgainstTheHeader) {
  const auto nested = Made([](Writer& w) {
    w.MapHeader(2);
    w.String("format_version"), w.Int(1);
    w.String("backtest"), w.MapHeader(1), w.String("backtest_runs"), w.ArrayHeader(1),
        w.MapHeader(0);
  });
  const auto studies = Made([](Writer& w) {
    w.MapHeader(2);
    w.String("studies"), w.MapHeader(1), w.String("s"), w.MapHeader(1);
    w.String("event_runs"), w.ArrayHeader(1), w.MapHeader(0);
    w.String("format_version"), w.Int(5);
  });
  const auto engines = Made([](Writer& w) {
    w.MapHeader(2);
    w.String("format_version"), w.Int(3);
    w.String("vector"), w.MapHeader(1), w.String("runs"), w.ArrayHeader(1), w.MapHeader(0);
  });
  const auto flat = Made([](Writer& w) {
    w.MapHeader(2);
    w.String("format_version"), w.Int(2);
    w.String("backtest_runs"), w.ArrayHeader(1), w.MapHeader(0);
  });
  struct Case {
    const std::string& document;
    std::uint32_t version;
    const char* blob_prefix;
  };
  const Case cases[] = {{nested, 1, ""},
                        {flat, 2, "runs/0/metrics/"},
                        {engines, 3, "vector_runs/0/metrics/"},
                        {studies, 5, "studies/s/event_runs/0/metrics/"}};
  for (const Case& c : cases) {
    for (std::uint32_t header = 1; header <= 5; ++header) {
      const auto opened = Open(header, c.document);
      ASSERT_TRUE(opened.ok()) << opened.error().message();
      ASSERT_EQ(opened->layout.runs.size(), 1U) << c.version << " under " << header;
      EXPECT_EQ(opened->layout.runs[0].blob_prefix, c.blob_prefix);
      EXPECT_EQ(opened->layout.warnings.empty(), header == c.version)
          << c.version << " under " << header;
    }
  }
}

TEST(LayoutTest, OfEqualKeysTheLastIsRead) {
  const auto opened = Open(5, Made([](Writer& w) {
                             w.MapHeader(4);
                             w.String("format_version"), w.Int(5);
                             w.String("algorithm_id"), w.Int(1);
                             w.String("algorithm_id"), w.String("last");
                             w.String("studies"), w.MapHeader(2);
                             w.String("s"), w.Int(1);
                             w.String("s"), w.MapHeader(1), w.String("vector_runs");
                             w.ArrayHeader(1), w.MapHeader(0);
                           }));
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  EXPECT_EQ(opened->layout.algorithm_id->AsString(), "last");
  EXPECT_EQ(SummariesOf(opened->layout), "s/vector/:1-");
  EXPECT_EQ(opened->layout.warnings.size(), 1U);
}

/// `value` written again, with the value at `path` (keys and indices) replaced by `replacement`.
void Replace(Writer& writer, const Value& value, std::span<const std::string_view> path,
             const Build& replacement) {
  if (path.empty()) return replacement(writer);
  if (value.is_array()) {
    writer.ArrayHeader(value.size());
    bool first = true;
    for (const Value item : value.items()) {
      if (first) {
        Replace(writer, item, path.subspan(1), replacement);
      } else {
        writer.Raw(item.raw());
      }
      first = false;
    }
    return;
  }
  writer.MapHeader(value.size());
  for (const Value::Entry entry : value.entries()) {
    writer.Raw(entry.key.raw());
    if (entry.key.is_string() && (entry.key.AsString() == path[0] || path[0] == "*")) {
      Replace(writer, entry.value, path.subspan(1), replacement);
    } else {
      writer.Raw(entry.value.raw());
    }
  }
}

/// Everything that is not the expected type is an error that names the place, or is data.
TEST(LayoutTest, WrongTypesInEveryKnownField) {
  const std::pair<char, Build> values[] = {
      {'n', [](Writer& w) { w.Nil(); }},
      {'b', [](Writer& w) { w.Bool(true); }},
      {'i', [](Writer& w) { w.Int(-70'000); }},
      {'f', [](Writer& w) { w.Double(0.5); }},
      {'s', [](Writer& w) { w.String("text"); }},
      {'B', [](Writer& w) { w.Binary("bytes"); }},
      {'a', [](Writer& w) { w.ArrayHeader(1), w.Int(1); }},
      {'m', [](Writer& w) { w.MapHeader(1), w.String("k"), w.Int(1); }},
      {'k', [](Writer& w) { w.MapHeader(1), w.Int(1), w.Int(1); }},
      {'x', [](Writer& w) { w.Extension(1, "x"); }},
  };
  struct Case {
    const char* golden;
    std::vector<std::string_view> path;
    const char* accepted;  ///< of `values`, in their order, nil apart
  };
  const Case cases[] = {
      {"v2_8.10.0/ohlcv_a.iafbt", {}, "m"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"format_version"}, "bifsBamkx"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"algorithm_id"}, "s"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"tag"}, "s"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"engine_type"}, "s"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"parameters"}, "mk"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"strategy_ids"}, "a"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"metadata"}, "smk"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"risk_free_rate"}, "if"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"vector_runs"}, ""},
      {"v2_8.10.0/ohlcv_a.iafbt", {"vector_runs", "0"}, "m"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"vector_runs", "0", "backtest_metrics"}, "mk"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"vector_runs", "0", "portfolio_snapshots"}, "a"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"vector_runs", "0", "trades"}, "a"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"vector_runs", "0", "orders"}, "a"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"vector_runs", "0", "positions"}, "a"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"vector_metrics"}, "m"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"blobs"}, ""},
      {"v2_8.10.0/ohlcv_a.iafbt", {"blobs", "*"}, "B"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"ohlcv"}, "m"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"ohlcv", "store_dir"}, "s"},
      {"v2_8.10.0/ohlcv_a.iafbt", {"ohlcv", "manifest"}, ""},
      {"v2_8.10.0/ohlcv_a.iafbt", {"ohlcv", "manifest", "*"}, "s"},
      {"v1_8.10.0/one_run.iafbt", {"backtest"}, "m"},
      {"v1_8.10.0/one_run.iafbt", {"backtest", "backtest_runs"}, ""},
      {"v1_8.10.0/one_run.iafbt", {"backtest", "backtest_summary"}, "m"},
      {"v1_8.10.0/one_run.iafbt", {"backtest", "algorithm_id"}, "s"},
      {"v4_synthetic/universes.iafbt", {"study_name"}, "s"},
      {"v4_synthetic/universes.iafbt", {"study_description"}, "s"},
      {"v4_synthetic/universes.iafbt", {"vector"}, "m"},
      {"v4_synthetic/universes.iafbt", {"vector", "runs"}, ""},
      {"v4_synthetic/universes.iafbt", {"vector", "summary"}, "m"},
      {"v4_synthetic/universes.iafbt", {"vector", "summaries_by_universe"}, ""},
      {"v4_synthetic/universes.iafbt", {"vector", "summaries_by_universe", "*"}, "m"},
      {"v5_9.0.0a6/universes.obtf", {"anchor_algorithm_id"}, "s"},
      {"v5_9.0.0a6/universes.obtf", {"studies"}, ""},
      {"v5_9.0.0a6/universes.obtf", {"studies", "default"}, "m"},
      {"v5_9.0.0a6/universes.obtf", {"studies", "default", "description"}, "s"},
      {"v5_9.0.0a6/universes.obtf", {"studies", "default", "risk_free_rate"}, "if"},
      {"v5_9.0.0a6/universes.obtf", {"studies", "default", "vector_runs"}, ""},
      {"v5_9.0.0a6/universes.obtf", {"studies", "default", "event_runs"}, ""},
      {"v5_9.0.0a6/universes.obtf", {"studies", "default", "vector_summary"}, "m"},
      {"v5_9.0.0a6/universes.obtf", {"studies", "default", "vector_summaries_by_universe"}, ""},
  };
  for (const Case& c : cases) {
    const auto golden = OpenGolden(c.golden);
    ASSERT_TRUE(golden.ok()) << c.golden;
    std::string path;
    for (const auto part : c.path) path += "/" + std::string(part);
    std::string accepted;
    for (const auto& [name, build] : values) {
      const std::string bytes =
          Made([&](Writer& w) { Replace(w, golden->document->root(), c.path, build); });
      ASSERT_TRUE(name == 'n' || bytes != golden->document->bytes()) << path << " " << name;
      const auto changed = Open(golden->version, bytes);
      if (changed.ok()) {
        if (name != 'n') accepted += name;
        continue;
      }
      EXPECT_EQ(changed.error().code(), ErrorCode::kInvalidArgument) << path << " " << name;
      const std::string_view place = c.path.empty() ? "document" : c.path.back();
      if (place == "0" || place == "*") continue;
      EXPECT_NE(changed.error().message().find(place), std::string::npos)
          << path << " " << name << ": " << changed.error().message();
    }
    EXPECT_EQ(accepted, c.accepted) << c.golden << path;
  }
}

}  // namespace
}  // namespace lamina::bundle
