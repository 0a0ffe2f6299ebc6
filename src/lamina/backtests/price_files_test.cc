#include "lamina/backtests/price_files.h"

#include <filesystem>
#include <set>

#include <gmock/gmock.h>

#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

namespace fs = std::filesystem;
using test::Prices;
using test::SmallBundle;
using test::TestStore;
using test::WriteTo;
using ::testing::HasSubstr;

const std::string kContent = "price bytes";
const std::string kName = Sha256(kContent).Hex() + ".parquet";

std::set<std::string> FilesBelow(const std::string& folder) {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory() || entry.is_symlink()) {
      files.insert(entry.path().lexically_relative(folder).string());
    }
  }
  return files;
}

/// A bundle whose document keeps its one price file in `store_dir`; the file lies beside it.
ImportSource WriteBundle(const TestStore& store, const std::string& name,
                         const std::string& store_dir) {
  const std::string path = store.File("in/" + name + "/x.iafbt");
  WriteTo(path, SmallBundle(name, {{}}, 3, Prices{store_dir, {{"BTC", kName}}}));
  WriteTo(store.File("in/" + name + "/" + kName), kContent);
  return {path, name};
}

void ImportAll(TestStore& store, const std::vector<ImportSource>& sources) {
  const auto report = ImportBundles(*store, sources);
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->imported, static_cast<std::int64_t>(sources.size()));
  for (const auto& warning : report->warnings) ADD_FAILURE() << warning.message;
  for (const ImportSource& source : sources) {
    EXPECT_EQ(store.Ask("SELECT count(*) FROM chunk_ref r JOIN backtest b ON b.backtest_id = "
                        "r.backtest_id WHERE r.kind = " +
                        std::to_string(static_cast<int>(catalog::ChunkKind::kOhlcv)) +
                        " AND b.handle = '" + source.handle + "'"),
              1)
        << source.handle;
  }
}

struct Case {
  const char* name;
  std::string store_dir;
  std::string expected;  ///< relative to the bundle's folder
  const char* warning;   ///< a part of it; empty: none
};

TEST(PriceFiles, NothingIsWrittenOutsideTheFolder) {
  const Case cases[] = {
      {"plain", "ohlcv", "ohlcv/" + kName, ""},
      {"deep", "a//b/./c/", "a/b/c/" + kName, ""},
      {"beside", "", kName, ""},
      {"dot", ".", kName, ""},
      {"parent", "..", kName, "outside the folder"},
      {"parents_folder", "../shared", kName, "outside the folder"},
      {"parent_inside", "a/../../shared", kName, "outside the folder"},
      {"far_up", "../../../../../../../../../tmp", kName, "outside the folder"},
      {"absolute", "/lamina-test-prices/a", kName, "absolute path"},
      {"link", "link", kName, "is a link"},
      {"below_link", "link/a/b", kName, "is a link"},
      {"dangling", "dangling", kName, "is a link"},
      {"link_below_folder", "real/inner", kName, "is a link"},
      {"itself", "x.iafbt/a", kName, "exported file itself"},
      {"nul", std::string("oh\0lcv", 6), kName, "no folder's name"},
  };
  TestStore store;
  std::vector<ImportSource> sources;
  for (const Case& c : cases) sources.push_back(WriteBundle(store, c.name, c.store_dir));
  ImportAll(store, sources);

  std::vector<ImportSource> exported;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const std::string outer = store.File(std::string("out_") + c.name);
    ASSERT_THAT(io::PosixEnv().CreateDirectories(outer + "/deep/real"), IsOk());
    ASSERT_THAT(io::PosixEnv().CreateDirectories(outer + "/elsewhere"), IsOk());
    fs::create_directory_symlink("../elsewhere", outer + "/deep/link");
    fs::create_directory_symlink("../nowhere", outer + "/deep/dangling");
    fs::create_directory_symlink("../../elsewhere", outer + "/deep/real/inner");
    const auto report = store->Export(c.name, outer + "/deep/x.iafbt");
    ASSERT_THAT(report, IsOk());
    EXPECT_TRUE(report->identical_to_original);
    EXPECT_EQ(FilesBelow(outer),
              (std::set<std::string>{"deep/x.iafbt", "deep/" + c.expected, "deep/link",
                                     "deep/dangling", "deep/real/inner"}));
    EXPECT_FALSE(fs::exists(store.File(kName)));
    EXPECT_FALSE(fs::exists(store.File("shared")));
    EXPECT_EQ(report->warnings.size(), *c.warning == '\0' ? 0U : 1U);
    for (const std::string& warning : report->warnings) EXPECT_THAT(warning, HasSubstr(c.warning));
    exported.push_back({outer + "/deep/x.iafbt", c.name});
  }
  // Another import of what was written finds the prices, wherever they were put.
  TestStore second;
  ImportAll(second, exported);
}

TEST(PriceFiles, NamesThatLeadOutAreNotWritten) {
  TestStore store;
  const std::string in = store.File("in/x.iafbt");
  WriteTo(in, SmallBundle("t", {{}}, 3,
                          Prices{"ohlcv", {{"BTC", "../../" + kName}, {"ETH", "/" + kName}}}));
  WriteTo(store.File(kName), kContent);
  const auto report = ImportBundles(*store, {{in, "x"}});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->warnings.size(), 2U);
  ASSERT_THAT(io::PosixEnv().CreateDirectories(store.File("out/deep")), IsOk());
  ASSERT_THAT(store->Export("x", store.File("out/deep/x.iafbt")), IsOk());
  EXPECT_EQ(FilesBelow(store.File("out")), std::set<std::string>{"deep/x.iafbt"});
}

TEST(PriceFiles, LinksUnderTheFilesNameAreReplacedOrKept) {
  TestStore store;
  ImportAll(store, {WriteBundle(store, "x", "ohlcv")});
  const std::string folder = store.File("out/ohlcv");
  ASSERT_THAT(io::PosixEnv().CreateDirectories(folder), IsOk());
  // A link to nowhere is no file: the price file takes its place, nothing is written through it.
  fs::create_symlink("../../target", folder + "/" + kName);
  ASSERT_THAT(store->Export("x", store.File("out/x.iafbt")), IsOk());
  EXPECT_FALSE(fs::exists(store.File("target")));
  EXPECT_FALSE(fs::is_symlink(folder + "/" + kName));
  EXPECT_EQ(*io::PosixEnv().ReadFile(folder + "/" + kName, 100), kContent);
}

TEST(PriceFiles, FilesThatAreThereStay) {
  TestStore store;
  ImportAll(store, {WriteBundle(store, "x", "../shared")});
  ASSERT_THAT(io::PosixEnv().CreateDirectories(store.File("out/deep")), IsOk());
  WriteTo(store.File("out/shared/" + kName), "another");
  const auto report = store->Export("x", store.File("out/deep/x.iafbt"));
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->warnings.empty());
  EXPECT_EQ(*io::PosixEnv().ReadFile(store.File("out/shared/" + kName), 100), "another");
  EXPECT_FALSE(fs::exists(store.File("out/deep/" + kName)));
}

}  // namespace
}  // namespace lamina::backtests
