#include "lamina/backtests/index_row.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/json_member.h"
#include "lamina/base/matchers.h"
#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/scan.h"

namespace lamina::backtests {
namespace {

namespace fs = std::filesystem;

const fs::path kBundles = fs::path(LAMINA_SHARED_DIR) / "data" / "bundles";

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

bool IsBundle(const fs::path& path) {
  return path.extension() == ".iafbt" || path.extension() == ".obtf";
}

/// The texts of one JSON value in a spelling that two writers share.
std::string Canonical(std::string_view json) {
  constexpr std::string_view kFloat = "{\"__float__\":\"";
  if (json.starts_with(kFloat)) {
    const std::string_view rest = json.substr(kFloat.size());
    return rest.starts_with("nan") ? "NaN" : rest.starts_with("inf") ? "Infinity" : "-Infinity";
  }
  const auto value = ParseJsonScalar(json);
  EXPECT_TRUE(value.has_value()) << json;
  if (const auto* text = std::get_if<std::string>(&*value)) return "text " + *text;
  return std::string(json);
}

std::string Canonical(const std::vector<JsonMember>& members) {
  std::string out;
  for (const JsonMember& member : members) {
    out += member.name + " = " + Canonical(member.value) + "\n";
  }
  return out;
}

struct Judged {
  std::vector<IndexRow> rows;
  std::vector<std::string> flat;
  std::uint32_t version = 0;
};

Judged RowsOfFile(const fs::path& path) {
  auto file = bundle::ReadBundle(ReadAll(path));
  EXPECT_THAT(file, IsOk()) << path;
  const auto document = bundle::Document::Parse(std::move(file->document));
  EXPECT_THAT(document, IsOk()) << path;
  const auto layout = bundle::ReadLayout(file->version, *document);
  EXPECT_THAT(layout, IsOk()) << path;
  Judged judged;
  judged.version = file->version;
  judged.rows = IndexRowsOf(*layout, path.filename().string());
  for (const IndexRow& row : judged.rows) judged.flat.push_back(ToFlatJson(row, file->version));
  return judged;
}

TEST(IndexRowTest, ReproducesEveryRowThatTheFrameworkGave) {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kBundles)) {
    if (!IsBundle(entry.path())) continue;
    fs::path judge = entry.path();
    judge.replace_extension(".index.json");
    if (!fs::exists(judge)) continue;
    ++files;
    const std::string expected = ReadAll(judge);
    std::vector<std::string_view> wanted = {expected};
    if (expected.find_first_of("[{") == expected.find('[')) wanted = JsonElements(expected);
    const Judged judged = RowsOfFile(entry.path());
    if (wanted.empty()) {  // the framework gives nothing of a backtest without engines; we its
                           // identity
      ASSERT_EQ(judged.rows.size(), 1u) << entry.path();
      EXPECT_FALSE(judged.rows.front().has_summary);
      EXPECT_EQ(judged.rows.front().number_of_runs, 0);
      continue;
    }
    ASSERT_EQ(judged.flat.size(), wanted.size()) << entry.path();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_FALSE(JsonMembers(wanted[i]).empty()) << judge;
      EXPECT_EQ(Canonical(JsonMembers(judged.flat[i])), Canonical(JsonMembers(wanted[i])))
          << entry.path();
    }
  }
  EXPECT_EQ(files, 156);
}

TEST(IndexRowTest, ScanAndLayoutAgree) {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kBundles)) {
    const bool quirk = entry.path().parent_path().filename() == "quirks";
    if (!IsBundle(entry.path())) continue;
    const std::string bytes = ReadAll(entry.path());
    const auto scan = bundle::ScanBundle(bytes);
    if (quirk && !scan.ok()) continue;
    ASSERT_THAT(scan, IsOk()) << entry.path();
    const auto scanned = IndexRowsOf(*scan, entry.path().filename().string());
    ASSERT_THAT(scanned, IsOk()) << entry.path();
    if (quirk && !bundle::ReadBundle(bytes).ok()) continue;
    const Judged judged = RowsOfFile(entry.path());
    ASSERT_EQ(scanned->size(), judged.rows.size()) << entry.path();
    for (std::size_t i = 0; i < judged.rows.size(); ++i) {
      EXPECT_TRUE(SameRow((*scanned)[i], judged.rows[i])) << entry.path();
    }
    ++files;
  }
  EXPECT_GE(files, 200);
}

TEST(IndexRowTest, UnknownSummaryKeysAndDates) {
  const Judged judged = RowsOfFile(kBundles / "quirks" / "unknown_summary_key.iafbt");
  ASSERT_EQ(judged.rows.size(), 1u);
  ASSERT_TRUE(judged.rows.front().summary_extras_json.has_value());
  EXPECT_THAT(*judged.rows.front().summary_extras_json, ::testing::HasSubstr("future_summary"));
  const Judged dated = RowsOfFile(kBundles / "golden" / "v2_8.10.0" / "one_run.iafbt");
  ASSERT_TRUE(dated.rows.front().start && dated.rows.front().end);
  EXPECT_EQ(FormatTime(*dated.rows.front().start), "2024-01-01T00:00:00+00:00");
  EXPECT_EQ(FormatTime(*dated.rows.front().end), "2024-01-02T23:00:00+00:00");
}

/// A version 2 document with `summary` as its vector_metrics.
std::string DocumentWith(const std::function<void(bundle::Writer&)>& summary) {
  std::string bytes;
  bundle::Writer writer(bytes);
  writer.MapHeader(4);
  writer.String("format_version");
  writer.Int(2);
  writer.String("engine_type");
  writer.String("vector");
  writer.String("vector_runs");
  writer.Nil();
  writer.String("vector_metrics");
  summary(writer);
  return bytes;
}

TEST(IndexRowTest, ValuesThatAColumnCannotHoldAreKeptAsExtras) {
  const auto document = bundle::Document::Parse(DocumentWith([](bundle::Writer& writer) {
    writer.MapHeader(6);
    writer.String("number_of_trades");
    writer.Double(2.5);
    writer.String("number_of_windows");
    writer.Double(3.0);
    writer.String("sharpe_ratio");
    writer.String("high");
    writer.String("cagr");
    writer.Double(std::nan(""));
    writer.String("max_consecutive_wins");
    writer.Double(HUGE_VAL);
    writer.String("total_net_gain");
    writer.Int(5);
  }));
  ASSERT_THAT(document, IsOk());
  const auto layout = bundle::ReadLayout(2, *document);
  ASSERT_THAT(layout, IsOk());
  const auto rows = IndexRowsOf(*layout, "x");
  ASSERT_EQ(rows.size(), 1u);
  const IndexRow& row = rows.front();
  EXPECT_EQ(
      row.summary_extras_json,
      R"({"number_of_trades": 2.5, "sharpe_ratio": "high", "max_consecutive_wins": Infinity})");
  EXPECT_EQ(row.summary[*FindSummaryField("number_of_trades")], Number());
  EXPECT_EQ(row.summary[*FindSummaryField("number_of_windows")], Number(3.0));
  EXPECT_EQ(row.summary[*FindSummaryField("total_net_gain")], Number(std::int64_t{5}));
  EXPECT_EQ(NanMask(row), std::int64_t{1} << *FindSummaryField("cagr"));
}

TEST(IndexRowTest, FileOrderIsAPermutation) {
  std::vector<int> seen(kSummaryFieldCount, 0);
  for (const std::uint8_t field : kSummaryFileOrder) ++seen.at(field);
  EXPECT_THAT(seen, ::testing::Each(1));
  EXPECT_EQ(FindSummaryField("no_such"), std::nullopt);
}

}  // namespace
}  // namespace lamina::backtests
