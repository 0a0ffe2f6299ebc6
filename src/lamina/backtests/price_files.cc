#include "lamina/backtests/price_files.h"

#include <string_view>

#include "lamina/backtests/ohlcv_manifest.h"

namespace lamina::backtests {
namespace {

constexpr std::int64_t kMaxPriceFileBytes = std::int64_t{1} << 30;

/// Where price files go, and why not where the document says (empty: they do).
struct PriceFolder {
  std::string path, why_not;
};

/// `store_dir` below `folder`, as far as no part of it leads out.
Result<PriceFolder> Confine(io::Env& env, const std::string& bundle_path,
                            std::string_view store_dir) {
  const std::string folder = io::ParentPath(bundle_path);
  const auto refuse = [&](std::string why) { return PriceFolder{folder, std::move(why)}; };
  if (store_dir.starts_with('/')) return refuse("that is an absolute path");
  if (store_dir.find('\0') != std::string_view::npos) return refuse("that is no folder's name");
  std::string path = folder;
  bool exists = true;
  while (!store_dir.empty()) {
    const std::size_t slash = store_dir.find('/');
    const std::string_view part = store_dir.substr(0, slash);
    store_dir.remove_prefix(slash == std::string_view::npos ? store_dir.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") return refuse("that is outside the folder of the exported file");
    path = io::JoinPath(path, part);
    if (path == io::JoinPath(folder, io::BaseName(bundle_path))) {
      return refuse("that is the exported file itself");
    }
    if (!exists) continue;
    auto link = env.IsSymlink(path);
    exists = link.ok();
    if (!link.ok() && link.error().code() != ErrorCode::kNotFound) return std::move(link).error();
    if (link.ok() && *link) return refuse(path + " is a link");
  }
  return PriceFolder{path, ""};
}

}  // namespace

Status WritePriceFiles(catalog::Catalog& catalog, const bundle::Layout& layout,
                       const std::string& bundle_path, std::vector<std::string>& warnings) {
  const auto prices = [&](const OhlcvReference& reference) {
    return catalog.ReadChunk({catalog::ChunkKind::kOhlcv, *reference.sha256});
  };
  return WritePriceFiles(catalog.env(), prices, layout, bundle_path, warnings);
}

Status WritePriceFiles(io::Env& env, const PriceSource& prices, const bundle::Layout& layout,
                       const std::string& bundle_path, std::vector<std::string>& warnings) {
  LAMINA_ASSIGN(const auto references, ReadOhlcvManifest(layout, bundle_path));
  if (references.empty()) return Ok();
  const std::string store_dir = OhlcvStoreDir(layout);
  LAMINA_ASSIGN(const PriceFolder folder, Confine(env, bundle_path, store_dir));
  std::int64_t written = 0;
  for (const OhlcvReference& reference : references) {
    // Only a name that is a hash is sure to have no folders of its own.
    if (!reference.sha256) continue;
    const std::string path = io::JoinPath(folder.path, reference.name);
    if (env.Exists(path) || env.Exists(reference.path)) continue;
    auto content = prices(reference);
    if (!content.ok() && content.error().code() == ErrorCode::kNotFound) continue;
    if (!content.ok()) return std::move(content).error();
    LAMINA_TRY(env.CreateDirectories(folder.path));
    LAMINA_TRY(env.WriteFileAtomically(path, *content));
    ++written;
  }
  if (written > 0 && !folder.why_not.empty()) {
    warnings.push_back("the bundle keeps its price files in '" + store_dir + "', but " +
                       folder.why_not + ": " + std::to_string(written) +
                       " of them were written to " + folder.path +
                       " instead; move them where its readers look");
  }
  return Ok();
}

Result<std::string> ReadPriceFile(io::Env& env, const std::string& bundle_path,
                                  const OhlcvReference& reference) {
  auto content = env.ReadFile(reference.path, kMaxPriceFileBytes);
  // A name that is no hash may have folders of its own, and is nothing that could be checked.
  if (!content.ok() && reference.sha256) {
    auto beside =
        env.ReadFile(io::JoinPath(io::ParentPath(bundle_path), reference.name), kMaxPriceFileBytes);
    if (beside.ok()) content = std::move(beside);
  }
  if (!content.ok()) return std::move(content).error();
  if (reference.sha256 && Sha256(*content) != *reference.sha256) {
    return Corruption(reference.path + ": content does not match its name");
  }
  return content;
}

}  // namespace lamina::backtests
