#include "lamina/catalog/lake_bytes.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "lamina/base/parallel.h"
#include "lamina/catalog/catalog_internal.h"
#include "lamina/catalog/lake.h"
#include "lamina/catalog/lake_files.h"

namespace lamina::catalog {
namespace {

/// SQL takes no notice of the case of names.
std::string Folded(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name;
}

std::string NameOf(const LakeTable& table) { return Folded(table.schema + "." + table.name); }

std::vector<LakeTable> NamedTables(const std::vector<LakeTable>& all,
                                   std::vector<std::string> names) {
  std::transform(names.begin(), names.end(), names.begin(), Folded);
  const auto is_table = [&](const std::string& name) {
    return std::any_of(all.begin(), all.end(),
                       [&](const LakeTable& table) { return NameOf(table) == name; });
  };
  std::vector<LakeTable> named;
  for (const LakeTable& table : all) {
    const bool wanted = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return name == NameOf(table) ||
             (name.starts_with(Folded(table.schema) + ".") && !is_table(name));
    });
    if (wanted) named.push_back(table);
  }
  return named;
}

Status Compare(Catalog& catalog, const NamedLakeFile& file) {
  // Files of stores of the first version have no checksum.
  LAMINA_TRY_WITH(
      internal::CheckFileChecksum(catalog.env(), catalog.LakePath(file.path), file.file_crc32c),
      "lake/" + file.path);
  return Ok();
}

}  // namespace

Result<LakeBytesReport> LakeBytes::Check(Catalog& catalog, std::int64_t snapshot,
                                         const std::vector<std::string>& tables,
                                         std::optional<std::int64_t> limit) {
  std::vector<NamedLakeFile> files;
  LAMINA_TRY(catalog.Read([&](Database& database) -> Status {
    files.clear();
    LAMINA_ASSIGN(const auto all, LakeReader(database).Tables(snapshot));
    for (const LakeTable& table : NamedTables(all, tables)) {
      LAMINA_ASSIGN(auto its, LiveLakeFiles(database, table.table_id, snapshot));
      std::move(its.begin(), its.end(), std::back_inserter(files));
    }
    return Ok();
  }));
  LakeBytesReport report;
  std::vector<std::pair<NamedLakeFile, Seen>> wanted;
  for (NamedLakeFile& file : files) {
    const auto info = catalog.env().Stat(catalog.LakePath(file.path));
    if (!info.ok()) {
      if (info.error().code() != ErrorCode::kNotFound) return info.error().Clone();
      return Corruption("lake/" + file.path + " is missing");
    }
    if (info->size != file.size_bytes) {
      return Corruption("lake/" + file.path + " has " + std::to_string(info->size) +
                        " bytes instead of " + std::to_string(file.size_bytes));
    }
    const Seen now{info->size, info->mtime_ns};
    const std::lock_guard lock(mutex_);
    const auto before = seen_.find(file.path);
    if (before != seen_.end() && before->second == now) {
      report.known += now.size;
    } else {
      report.left += now.size;
      wanted.emplace_back(std::move(file), now);
    }
  }
  if (limit && report.left > *limit) return report;
  LAMINA_TRY(ParallelFor(wanted.size(), 0, [&](std::size_t index, std::size_t) -> Status {
    return Compare(catalog, wanted[index].first);
  }));
  std::swap(report.checked, report.left);
  const std::lock_guard lock(mutex_);
  for (auto& [file, now] : wanted) seen_.insert_or_assign(std::move(file.path), now);
  return report;
}

}  // namespace lamina::catalog
