#include "lamina/backtests/decompose.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/run_batch.h"
#include "lamina/bundle/bundle_file.h"

namespace lamina::backtests {
namespace {

namespace fs = std::filesystem;

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<fs::path> BundlesBelow(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto suffix = entry.path().extension();
    if (suffix == ".iafbt" || suffix == ".obtf") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

const fs::path kBundles = fs::path(LAMINA_SHARED_DIR) / "data" / "bundles";

struct Opened {
  std::uint32_t version = 0;
  std::unique_ptr<bundle::Document> document;
  std::optional<bundle::Layout> layout;
};

Result<Opened> Open(const fs::path& path) {
  const std::string file = ReadAll(path);
  LAMINA_ASSIGN(bundle::BundleFile bundle, bundle::ReadBundle(file));
  LAMINA_ASSIGN(bundle::Document document, bundle::Document::Parse(std::move(bundle.document)));
  Opened opened{bundle.version, std::make_unique<bundle::Document>(std::move(document)), std::nullopt};
  LAMINA_ASSIGN(opened.layout, bundle::ReadLayout(opened.version, *opened.document));
  return opened;
}

PartSource SourceOf(const DecomposedBacktest& parts) {
  PartSource source;
  source.run = [&parts](std::size_t slot) -> Result<RunRows> {
    if (slot >= parts.runs.size()) return NotFound("slot");
    return parts.runs[slot].rows;
  };
  return source;
}

TEST(DecomposeTest, Explore) {
  for (const char* folder : {"golden", "real", "quirks"}) {
    for (const fs::path& path : BundlesBelow(kBundles / folder)) {
      auto opened = Open(path);
      if (!opened.ok()) {
        std::printf("refused %s: %s\n", path.filename().c_str(),
                    std::string(opened.error().message()).c_str());
        continue;
      }
      auto parts = Decompose(*opened->document, *opened->layout);
      ASSERT_TRUE(parts.ok()) << path << parts.error().message();
      std::size_t rows = 0;
      std::string masks;
      for (const auto& run : parts->runs) {
        rows += run.rows.series->num_rows();
        masks += " " + std::to_string(run.facts.derived_series_mask);
      }
      std::printf("%s/%s: %zu -> skeleton %zu, chunks %zu, series rows %zu, masks%s %s\n",
                  path.parent_path().filename().c_str(), path.filename().c_str(),
                  opened->document->bytes().size(), parts->skeleton.size(), parts->chunks.size(),
                  rows, masks.c_str(), parts->whole_document ? "WHOLE" : "");
      for (const auto& warning : parts->warnings) std::printf("   %s\n", warning.c_str());
      if (parts->chunks.empty()) {
        auto document = Assemble(parts->skeleton, SourceOf(*parts));
        ASSERT_TRUE(document.ok()) << path << document.error().message();
        ASSERT_TRUE(*document == opened->document->bytes()) << path;
      }
    }
  }
}

}  // namespace
}  // namespace lamina::backtests
