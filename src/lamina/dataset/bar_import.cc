#include "lamina/dataset/bar_import.h"

#include <algorithm>
#include <utility>

#include <arrow/api.h>

#include "lamina/table/arrow_status.h"
#include "lamina/table/parquet_file.h"

namespace lamina::dataset {
namespace {

constexpr std::int64_t kTextBytesMax = std::int64_t{4} << 30;

bool EndsIn(const std::string& path, std::string_view suffix) {
  return path.size() > suffix.size() && path.ends_with(suffix);
}

bool IsBarFile(const std::string& path) {
  return EndsIn(path, ".csv") || EndsIn(path, ".json") || EndsIn(path, ".parquet");
}

Result<BarFile> ReadParquetBars(io::Env& env, const std::string& path,
                                const Definition& definition) {
  BarFile file;
  LAMINA_ASSIGN(file.rows, table::ReadParquet(env, path));
  const auto has = [&](const char* name) { return file.rows->schema()->GetFieldIndex(name) >= 0; };
  if (!has("timestamp") && has("time")) {
    std::vector<std::string> names = file.rows->ColumnNames();
    std::replace(names.begin(), names.end(), std::string("time"), std::string("timestamp"));
    LAMINA_ARROW_ASSIGN(file.rows, file.rows->RenameColumns(names), "reading " + path);
  }
  for (int i = file.rows->num_columns() - 1; i >= 0; --i) {
    const std::string name = file.rows->field(i)->name();
    if (definition.Find(name) != nullptr || name == "year" || name == "month") continue;
    file.ignored_columns.insert(file.ignored_columns.begin(), name);
    LAMINA_ARROW_ASSIGN(file.rows, file.rows->RemoveColumn(i), "reading " + path);
  }
  return file;
}

Result<BarFile> ReadBars(io::Env& env, const std::string& path, const Definition& definition,
                         const BarFileOptions& options) {
  if (EndsIn(path, ".parquet")) return ReadParquetBars(env, path, definition);
  LAMINA_ASSIGN(const std::string text, env.ReadFile(path, kTextBytesMax));
  if (EndsIn(path, ".json")) return ParseCandles(text, path, options);
  return ParseBarCsv(text, path, options);
}

}  // namespace

Result<std::vector<std::string>> FindBarFiles(io::Env& env, const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    const auto entries = env.ListDirectory(path);
    if (!entries.ok()) {
      if (!env.Exists(path)) return NotFound(path + ": no such file or folder");
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (const auto& entry : *entries) {
      if (IsBarFile(entry.name)) found.push_back(io::JoinPath(path, entry.name));
    }
    if (found.empty()) {
      return InvalidArgument(path + ": no file *.csv, *.json or *.parquet is in this folder");
    }
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

Result<ImportedBarFile> ImportBarFile(Datasets& datasets, const std::string& path,
                                      const BarImportOptions& options) {
  LAMINA_TRY(datasets.CreateIfAbsent(OhlcvDefinition(options.dataset)));
  LAMINA_ASSIGN(const StoredDataset dataset, datasets.Find(options.dataset));
  LAMINA_ASSIGN(BarFile file,
                ReadBars(datasets.catalog().env(), path, dataset.definition, options.file));
  const BarFileName name = ReadBarFileName(path);
  ImportedBarFile imported;
  imported.path = path;
  SaveOptions save;
  save.prepare.assume_utc = true;
  const auto choose = [&](const char* column, const std::optional<std::string>& asked,
                          const std::optional<std::string>& in_file,
                          const std::optional<std::string>& in_name) {
    if (!asked && file.rows->schema()->GetFieldIndex(column) >= 0) return std::string();
    std::string value = asked ? *asked : in_file ? *in_file : in_name.value_or("1h");
    save.prepare.constants.push_back({column, value});
    return value;
  };
  imported.instrument = choose("instrument", options.instrument, file.instrument, name.instrument);
  imported.timeframe = choose("timeframe", options.timeframe, file.timeframe, name.timeframe);
  auto saved = datasets.Save(options.dataset, *file.rows, save);
  if (!saved.ok()) return std::move(saved).error().With(path);
  imported.saved = *std::move(saved);
  imported.rejected = std::move(file.rejected);
  imported.ignored_columns = std::move(file.ignored_columns);
  return imported;
}

}  // namespace lamina::dataset
