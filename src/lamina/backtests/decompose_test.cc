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
#include "lamina/backtests/series_blob.h"
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
  Opened opened{bundle.version, std::make_unique<bundle::Document>(std::move(document)),
                std::nullopt};
  LAMINA_ASSIGN(opened.layout, bundle::ReadLayout(opened.version, *opened.document));
  return opened;
}

PartSource SourceOf(const DecomposedBacktest& parts) {
  PartSource source;
  source.run = [&parts](std::size_t slot) -> Result<RunRows> {
    if (slot >= parts.runs.size()) return NotFound("slot");
    return parts.runs[slot].rows;
  };
  source.chunk = [&parts](const catalog::ChunkId& id) -> Result<std::string> {
    for (const auto& chunk : parts.chunks) {
      if (chunk.id != id) continue;
      catalog::ChunkRow row;
      row.content_bytes = chunk.content_bytes;
      row.stored_bytes = static_cast<std::int64_t>(chunk.stored.size());
      row.compressed = chunk.compressed;
      return catalog::DecodeChunk(id, row, chunk.stored, "test");
    }
    return NotFound("chunk");
  };
  return source;
}

TEST(DecomposeTest, EveryBundleComesBack) {
  std::size_t count = 0;
  for (const char* folder : {"golden", "real", "quirks"}) {
    for (const fs::path& path : BundlesBelow(kBundles / folder)) {
      SCOPED_TRACE(path);
      auto opened = Open(path);
      if (!opened.ok()) continue;  // the bundle module's tests say which must be refused
      auto parts = Decompose(*opened->document, *opened->layout);
      ASSERT_TRUE(parts.ok()) << parts.error().message();
      EXPECT_FALSE(parts->whole_document);
      auto document = Assemble(parts->skeleton, SourceOf(*parts));
      ASSERT_TRUE(document.ok()) << document.error().message();
      EXPECT_TRUE(*document == opened->document->bytes());
      ++count;
    }
  }
  EXPECT_GT(count, 200U);
}

}  // namespace
}  // namespace lamina::backtests
