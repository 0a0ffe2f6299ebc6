#include "lamina/cli/inspect.h"

#include "lamina/base/hash.h"
#include "lamina/base/json.h"
#include "lamina/bundle/describe.h"
#include "lamina/cli/output.h"
#include "lamina/table/inspect.h"

namespace lamina::cli {
namespace {

constexpr std::int64_t kMaxBundleBytes = std::int64_t{1} << 31;

void WriteOptional(JsonWriter& json, const char* key, const std::optional<std::string>& value) {
  json.Key(key);
  if (value) {
    json.String(*value);
  } else {
    json.Null();
  }
}

std::string BundleJson(const std::string& path, const bundle::BundleDescription& bundle,
                       const Sha256Digest& sha256) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("kind");
  json.String("bundle");
  json.Key("path");
  json.String(path);
  json.Key("sha256");
  json.String(sha256.Hex());
  for (const auto& [key, value] :
       {std::pair{"version", std::uint64_t{bundle.version}},
        std::pair{"file_bytes", bundle.file_bytes},
        std::pair{"document_bytes", bundle.document_bytes}, std::pair{"values", bundle.nodes},
        std::pair{"blob_count", std::uint64_t{bundle.blob_count}},
        std::pair{"blob_bytes", bundle.blob_bytes},
        std::pair{"ohlcv_count", std::uint64_t{bundle.ohlcv_count}}}) {
    json.Key(key);
    json.Uint(value);
  }
  WriteOptional(json, "algorithm_id", bundle.algorithm_id);
  WriteOptional(json, "tag", bundle.tag);
  WriteOptional(json, "engine_type", bundle.engine_type);
  json.Key("keys");
  json.BeginArray();
  for (const auto& key : bundle.keys) {
    json.BeginObject();
    json.Key("key");
    json.String(key.key);
    json.Key("kind");
    json.String(key.kind);
    json.Key("encoded_bytes");
    json.Uint(key.encoded_bytes);
    json.EndObject();
  }
  json.EndArray();
  json.Key("runs");
  json.BeginArray();
  for (const auto& run : bundle.runs) {
    json.BeginObject();
    for (const auto& [key, value] : {std::pair{"study", run.study}, std::pair{"engine", run.engine},
                                     std::pair{"window", run.window_name},
                                     std::pair{"start", run.start}, std::pair{"end", run.end}}) {
      json.Key(key);
      json.String(value);
    }
    for (const auto& [key, value] :
         {std::pair{"snapshots", run.snapshots}, std::pair{"trades", run.trades},
          std::pair{"orders", run.orders}, std::pair{"positions", run.positions},
          std::pair{"blobs", run.blobs}}) {
      json.Key(key);
      json.Uint(value);
    }
    json.EndObject();
  }
  json.EndArray();
  json.Key("warnings");
  json.BeginArray();
  for (const std::string& warning : bundle.warnings) json.String(warning);
  json.EndArray();
  json.EndObject();
  return out + "\n";
}

std::string BundleText(const std::string& path, const bundle::BundleDescription& bundle,
                       const Sha256Digest& sha256) {
  const auto count = [](std::uint64_t n) { return HumanCount(static_cast<std::int64_t>(n)); };
  const auto bytes = [](std::uint64_t n) { return HumanBytes(static_cast<std::int64_t>(n)); };
  std::string out = path + ": bundle, version " + std::to_string(bundle.version) + "\n";
  out += "  sha256        " + sha256.Hex() + "\n";
  out += "  file          " + bytes(bundle.file_bytes) + ", one zstd frame of " +
         count(bundle.block_count) + " blocks" + (bundle.has_checksum ? " with a checksum" : "") +
         "\n";
  out += "  document      " + bytes(bundle.document_bytes) + ", " + count(bundle.nodes) +
         " MessagePack values\n";
  out += "  algorithm     " + bundle.algorithm_id.value_or("(none)") + "\n";
  out += "  tag           " + bundle.tag.value_or("(none)") + "\n";
  out += "  engine        " + bundle.engine_type.value_or("(not said)") + "\n";
  out += "  blobs         " + count(bundle.blob_count) + ", " + bytes(bundle.blob_bytes) + "\n";
  if (bundle.ohlcv_count > 0) {
    out += "  price files   " + count(bundle.ohlcv_count) + " in " +
           bundle.ohlcv_store_dir.value_or("?") + "\n";
  }
  for (const std::string& warning : bundle.warnings) out += "  warning       " + warning + "\n";
  out += "keys\n";
  for (const auto& key : bundle.keys) {
    out += "  " + key.key + " (" + key.kind + ", " + bytes(key.encoded_bytes) + ")\n";
  }
  out += "runs\n";
  for (const auto& run : bundle.runs) {
    out += "  " + run.study + "/" + (run.engine.empty() ? "-" : run.engine) + "  " +
           run.window_name + "  " + run.start + " .. " + run.end + "  " + count(run.snapshots) +
           " snapshots, " + count(run.trades) + " trades, " + count(run.orders) + " orders, " +
           count(run.positions) + " positions, " + count(run.blobs) + " blobs\n";
  }
  return out;
}

std::string ParquetJson(const std::string& path, const table::FileDescription& file) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("kind");
  json.String("parquet");
  json.Key("path");
  json.String(path);
  for (const auto& [key, value] :
       {std::pair{"rows", file.rows}, std::pair{"size_bytes", file.size_bytes},
        std::pair{"footer_size", file.footer_size},
        std::pair{"footer_crc32c", static_cast<std::int64_t>(file.footer_crc32c)}}) {
    json.Key(key);
    json.Int(value);
  }
  json.Key("created_by");
  json.String(file.created_by);
  json.Key("row_groups");
  json.BeginArray();
  for (const auto& group : file.row_groups) {
    json.BeginObject();
    json.Key("rows");
    json.Int(group.rows);
    json.Key("columns");
    json.BeginArray();
    for (const auto& chunk : group.chunks) {
      json.BeginObject();
      for (const auto& [key, value] :
           {std::pair{"column", chunk.path}, std::pair{"physical_type", chunk.physical_type},
            std::pair{"logical_type", chunk.logical_type}, std::pair{"codec", chunk.codec}}) {
        json.Key(key);
        json.String(value);
      }
      json.Key("encodings");
      json.BeginArray();
      for (const std::string& encoding : chunk.encodings) json.String(encoding);
      json.EndArray();
      for (const auto& [key, value] :
           {std::pair{"compressed_bytes", chunk.compressed_bytes},
            std::pair{"uncompressed_bytes", chunk.uncompressed_bytes},
            std::pair{"values", chunk.values}, std::pair{"pages", chunk.pages},
            std::pair{"pages_with_checksum", chunk.pages_with_checksum}}) {
        json.Key(key);
        json.Int(value);
      }
      json.Key("page_index");
      json.Bool(chunk.page_index);
      WriteOptional(json, "min", chunk.min_value);
      WriteOptional(json, "max", chunk.max_value);
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return out + "\n";
}

}  // namespace

Result<std::string> InspectFile(io::Env& env, const std::string& path, bool json) {
  LAMINA_ASSIGN(const auto info, env.Stat(path));
  if (!info.is_regular) return InvalidArgument(path + " is not a file");
  std::string magic(4, '\0');
  if (info.size >= 4) {
    LAMINA_ASSIGN(const auto file, env.OpenReadable(path));
    LAMINA_TRY(file->ReadAt(0, magic.size(), magic.data()));
  }
  if (magic == "PAR1") {
    LAMINA_ASSIGN(const auto description, table::DescribeParquet(env, path));
    return json ? ParquetJson(path, description) : table::FormatDescription(description);
  }
  if (magic == "IAFB") {
    LAMINA_ASSIGN(const std::string file, env.ReadFile(path, kMaxBundleBytes));
    auto description = bundle::DescribeBundle(file);
    if (!description.ok()) return std::move(description).error().With(path);
    const Sha256Digest sha256 = Sha256(file);
    return json ? BundleJson(path, *description, sha256) : BundleText(path, *description, sha256);
  }
  return Unsupported(path + " is neither a bundle (IAFB) nor a Parquet file (PAR1)");
}

}  // namespace lamina::cli
