#include "lamina/backtests/ohlcv_manifest.h"

#include "lamina/io/env.h"

namespace lamina::backtests {

namespace {

std::string StoreDirOf(const bundle::Value& ohlcv) {
  const auto directory = ohlcv.Find("store_dir");
  return directory && directory->is_string() ? std::string(directory->AsString()) : std::string();
}

}  // namespace

std::string OhlcvStoreDir(const bundle::Layout& layout) {
  return layout.ohlcv ? StoreDirOf(*layout.ohlcv) : std::string();
}

Result<std::vector<OhlcvReference>> ReadOhlcvManifest(const bundle::Layout& layout,
                                                      const std::string& bundle_path) {
  if (!layout.ohlcv) return std::vector<OhlcvReference>();
  return ReadOhlcvManifest(*layout.ohlcv, bundle_path);
}

Result<std::vector<OhlcvReference>> ReadOhlcvManifest(const bundle::Value& ohlcv,
                                                      const std::string& bundle_path) {
  std::vector<OhlcvReference> references;
  const auto manifest = ohlcv.Find("manifest");
  if (!manifest || manifest->is_nil()) return references;
  if (!manifest->is_map()) return InvalidArgument("ohlcv.manifest is not a map");
  std::string folder = io::ParentPath(bundle_path);
  const std::string relative = StoreDirOf(ohlcv);
  if (!relative.starts_with('/')) folder = io::JoinPath(folder, relative);
  constexpr std::string_view kSuffix = ".parquet";
  for (const auto& [key, value] : manifest->entries()) {
    if (!key.is_string() || !value.is_string()) {
      return InvalidArgument("ohlcv.manifest holds an entry that is not text");
    }
    const std::string_view name = value.AsString();
    OhlcvReference reference;
    reference.key = key.AsString();
    reference.path = io::JoinPath(folder, name);
    reference.name = name;
    if (name.ends_with(kSuffix)) {
      auto digest = Sha256Digest::FromHex(name.substr(0, name.size() - kSuffix.size()));
      if (digest.ok()) reference.sha256 = *digest;
    }
    references.push_back(std::move(reference));
  }
  return references;
}

}  // namespace lamina::backtests
