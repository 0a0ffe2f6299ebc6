#pragma once

/// \file lamina/backtests/bundle_fixtures_internal.h
/// For tests: the bundles of ../shared, opened; and where Assemble finds what Decompose gave.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "lamina/backtests/decompose.h"
#include "lamina/bundle/bundle_file.h"

#ifndef LAMINA_SHARED_DIR
#  define LAMINA_SHARED_DIR "../shared"
#endif

namespace lamina::backtests {

inline std::string ReadWholeFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

inline std::filesystem::path SharedBundles() {
  return std::filesystem::path(LAMINA_SHARED_DIR) / "data" / "bundles";
}

/// Every bundle below `folder`, sorted by path.
inline std::vector<std::filesystem::path> BundlesBelow(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto suffix = entry.path().extension();
    if (suffix == ".iafbt" || suffix == ".obtf") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

struct OpenedDocument {
  std::uint32_t version = 0;
  std::unique_ptr<bundle::Document> document;
  std::optional<bundle::Layout> layout;
};

inline Result<OpenedDocument> OpenDocument(std::uint32_t version, std::string text) {
  LAMINA_ASSIGN(bundle::Document document, bundle::Document::Parse(std::move(text)));
  OpenedDocument opened;
  opened.version = version;
  opened.document = std::make_unique<bundle::Document>(std::move(document));
  LAMINA_ASSIGN(opened.layout, bundle::ReadLayout(version, *opened.document));
  return opened;
}

inline Result<OpenedDocument> OpenBundle(const std::filesystem::path& path) {
  LAMINA_ASSIGN(bundle::BundleFile bundle, bundle::ReadBundle(ReadWholeFile(path)));
  return OpenDocument(bundle.version, std::move(bundle.document));
}

inline std::function<Result<std::string>(const catalog::ChunkId&)> ChunksOf(
    const DecomposedBacktest& parts) {
  return [&parts](const catalog::ChunkId& id) -> Result<std::string> {
    for (const auto& chunk : parts.chunks) {
      if (chunk.id != id) continue;
      catalog::ChunkRow row;
      row.content_bytes = chunk.content_bytes;
      row.stored_bytes = static_cast<std::int64_t>(chunk.stored.size());
      row.compressed = chunk.compressed;
      return catalog::DecodeChunk(id, row, chunk.stored, "memory");
    }
    return NotFound("no chunk " + id.ToString());
  };
}

/// Rows as Decompose made them.
inline PartSource SourceOf(const DecomposedBacktest& parts) {
  PartSource source;
  source.run = [&parts](std::size_t slot) -> Result<RunRows> {
    if (slot >= parts.runs.size()) return NotFound("no slot " + std::to_string(slot));
    return parts.runs[slot].rows;
  };
  source.chunk = ChunksOf(parts);
  return source;
}

}  // namespace lamina::backtests
