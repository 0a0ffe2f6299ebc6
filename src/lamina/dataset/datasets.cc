#include "lamina/dataset/datasets.h"

#include <algorithm>
#include <utility>

#include "lamina/base/json.h"
#include "lamina/base/near_names.h"
#include "lamina/catalog/lost_race.h"

namespace lamina::dataset {
namespace {

using catalog::Database;
using catalog::LakeReader;
using catalog::LakeWriter;
using catalog::Statement;

/// A commit that lost a race is made again from the new state.
constexpr int kAttempts = 8;
constexpr const char* kColumns =
    "name, kind, lake_schema, lake_table, time_column, key_columns, required_columns, "
    "partition_by, complete_column, parameters";

std::string NameList(const std::vector<std::string>& names) {
  std::string text;
  JsonWriter json(text);
  json.BeginArray();
  for (const std::string& name : names) json.String(name);
  json.EndArray();
  return text;
}

Result<std::vector<std::string>> ParseNameList(Database& database, std::string_view text) {
  LAMINA_ASSIGN(Statement each, database.Prepare("SELECT value FROM json_each(?1) ORDER BY key"));
  each.Bind(1, text);
  std::vector<std::string> names;
  for (;;) {
    LAMINA_ASSIGN(const bool row, each.Step());
    if (!row) return names;
    names.emplace_back(each.Text(0));
  }
}

std::string Where(std::optional<std::int64_t> snapshot) {
  return snapshot ? "begin_snapshot <= ?2 AND (end_snapshot IS NULL OR end_snapshot > ?2)"
                  : "end_snapshot IS NULL";
}

/// The definition without its columns; `lake_table` is its table's name.
struct DefinitionRow {
  Definition definition;
  std::string lake_table;
  std::vector<std::string> required;
};

Result<DefinitionRow> TakeRow(Database& database, const Statement& row) {
  DefinitionRow made;
  Definition& definition = made.definition;
  definition.name = row.Text(0);
  definition.kind = row.Text(1);
  definition.lake_schema = row.Text(2);
  made.lake_table = row.Text(3);
  definition.time_column = row.Text(4);
  LAMINA_ASSIGN(definition.keys, ParseNameList(database, row.Text(5)));
  LAMINA_ASSIGN(made.required, ParseNameList(database, row.Text(6)));
  LAMINA_ASSIGN(definition.partition, PartitionFromName(row.Text(7)));
  definition.complete_column = row.OptionalText(8);
  definition.parameters = row.Text(9);
  return made;
}

Result<StoredDataset> Complete(LakeReader& reader, DefinitionRow row, std::int64_t snapshot) {
  StoredDataset dataset;
  dataset.snapshot = snapshot;
  LAMINA_ASSIGN(dataset.table,
                reader.FindTable(row.definition.lake_schema, row.lake_table, snapshot));
  const std::vector<std::string> parts = TimeParts(row.definition.partition);
  for (const catalog::LakeColumn& column : dataset.table.columns) {
    if (std::find(parts.begin(), parts.end(), column.name) != parts.end()) continue;
    const bool required =
        std::find(row.required.begin(), row.required.end(), column.name) != row.required.end();
    row.definition.columns.push_back({column.name, column.type, required});
  }
  dataset.definition = std::move(row.definition);
  return dataset;
}

Result<std::optional<DefinitionRow>> ReadRow(Database& database, std::string_view name,
                                             std::optional<std::int64_t> snapshot) {
  LAMINA_ASSIGN(Statement read,
                database.Prepare("SELECT " + std::string(kColumns) +
                                 " FROM dataset WHERE name = ?1 AND " + Where(snapshot)));
  read.Bind(1, name);
  if (snapshot) read.Bind(2, *snapshot);
  LAMINA_ASSIGN(const bool found, read.Step());
  if (!found) return std::optional<DefinitionRow>();
  LAMINA_ASSIGN(DefinitionRow row, TakeRow(database, read));
  return std::optional<DefinitionRow>(std::move(row));
}

Error Unknown(Database& database, std::string_view name, std::optional<std::int64_t> snapshot) {
  std::vector<std::string> names;
  auto read = database.Prepare("SELECT name FROM dataset WHERE end_snapshot IS NULL ORDER BY name");
  while (read.ok()) {
    const auto row = read->Step();
    if (!row.ok() || !*row) break;
    names.emplace_back(read->Text(0));
  }
  std::string message = "there is no dataset '" + std::string(name) + "'";
  if (snapshot) message += " at snapshot " + std::to_string(*snapshot);
  return NotFound(message + DidYouMean(name, names));
}

Status InsertRow(Database& database, const Definition& definition, std::int64_t snapshot) {
  std::vector<std::string> required;
  for (const Column& column : definition.columns) {
    if (column.required) required.push_back(column.name);
  }
  LAMINA_ASSIGN(Statement insert,
                database.Prepare("INSERT INTO dataset(" + std::string(kColumns) +
                                 ", begin_snapshot) VALUES(?1, ?2, ?3, ?1, ?4, ?5, ?6, ?7, ?8, ?9, "
                                 "?10)"));
  insert.Bind(1, std::string_view(definition.name)).Bind(2, std::string_view(definition.kind));
  insert.Bind(3, std::string_view(definition.lake_schema));
  insert.Bind(4, std::string_view(definition.time_column));
  insert.Bind(5, std::string_view(NameList(definition.keys)));
  insert.Bind(6, std::string_view(NameList(required)));
  insert.Bind(7, PartitionName(definition.partition));
  if (definition.complete_column) {
    insert.Bind(8, std::string_view(*definition.complete_column));
  } else {
    insert.BindNull(8);
  }
  insert.Bind(9, std::string_view(definition.parameters)).Bind(10, snapshot);
  return insert.Run();
}

Status MakeTable(Database& database, LakeWriter& writer, const Definition& definition) {
  LAMINA_ASSIGN(const auto row, ReadRow(database, definition.name, {}));
  if (row) return AlreadyExists("there is a dataset '" + definition.name + "' already");
  LAMINA_ASSIGN(Statement schema,
                database.Prepare("SELECT 1 FROM ducklake_schema WHERE end_snapshot IS NULL AND "
                                 "schema_name = ?1"));
  schema.Bind(1, std::string_view(definition.lake_schema));
  LAMINA_ASSIGN(const bool present, schema.Step());
  schema.Reset();
  if (!present) LAMINA_TRY(writer.CreateSchema(definition.lake_schema));
  std::vector<std::string> partition;
  if (definition.partition != Partition::kNone) {
    partition.push_back(TimeParts(definition.partition).front());
  }
  LAMINA_TRY(writer.CreateTable(definition.lake_schema, definition.name, LakeColumns(definition),
                                partition, definition.keys));
  return InsertRow(database, definition, writer.snapshot_id());
}

}  // namespace

Result<WriteMode> WriteModeFromName(std::string_view name) {
  if (name == "append") return WriteMode::kAppend;
  if (name == "merge") return WriteMode::kMerge;
  if (name == "replace") return WriteMode::kReplace;
  return InvalidArgument("'" + std::string(name) +
                         "' is no way to write; there are append, merge, replace");
}

Status Datasets::Create(const Definition& definition) {
  LAMINA_TRY(CheckDefinition(definition));
  LAMINA_TRY(catalog::RetryLostRaces(kAttempts, [&]() -> Result<std::int64_t> {
    LAMINA_ASSIGN(auto commit, catalog_->BeginCommit("create dataset " + definition.name));
    return commit->Finish([&](Database& database, LakeWriter& writer) {
      return MakeTable(database, writer, definition);
    });
  }));
  return Ok();
}

Status Datasets::CreateIfAbsent(const Definition& definition) {
  bool present = false;
  LAMINA_TRY(catalog_->Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(const auto row, ReadRow(database, definition.name, {}));
    present = row.has_value();
    return Ok();
  }));
  if (present) return Ok();
  Status made = Create(definition);
  if (!made.ok() && made.error().code() == ErrorCode::kAlreadyExists) return Ok();
  return made;
}

Result<StoredDataset> Datasets::Find(std::string_view name, std::optional<std::int64_t> snapshot) {
  StoredDataset dataset;
  LAMINA_TRY(catalog_->Read([&](Database& database) -> Status {
    LakeReader reader(database);
    std::int64_t at = 0;
    if (snapshot) {
      LAMINA_TRY(reader.CheckSnapshot(*snapshot));
      at = *snapshot;
    } else {
      LAMINA_ASSIGN(at, reader.LatestSnapshot());
    }
    LAMINA_ASSIGN(auto row, ReadRow(database, name, snapshot));
    if (!row) return Unknown(database, name, snapshot);
    LAMINA_ASSIGN(dataset, Complete(reader, *std::move(row), at));
    return Ok();
  }));
  return dataset;
}

Result<std::vector<DatasetInfo>> Datasets::List(std::optional<std::int64_t> snapshot) {
  std::vector<DatasetInfo> all;
  LAMINA_TRY(catalog_->Read([&](Database& database) -> Status {
    LakeReader reader(database);
    std::int64_t at = 0;
    if (snapshot) {
      LAMINA_TRY(reader.CheckSnapshot(*snapshot));
      at = *snapshot;
    } else {
      LAMINA_ASSIGN(at, reader.LatestSnapshot());
    }
    std::vector<DefinitionRow> rows;
    {
      LAMINA_ASSIGN(Statement read, database.Prepare("SELECT " + std::string(kColumns) +
                                                     " FROM dataset WHERE ?1 IS NULL AND " +
                                                     Where(snapshot) + " ORDER BY name"));
      read.BindNull(1);
      if (snapshot) read.Bind(2, *snapshot);
      for (;;) {
        LAMINA_ASSIGN(const bool found, read.Step());
        if (!found) break;
        LAMINA_ASSIGN(DefinitionRow row, TakeRow(database, read));
        rows.push_back(std::move(row));
      }
    }
    for (DefinitionRow& row : rows) {
      LAMINA_ASSIGN(StoredDataset dataset, Complete(reader, std::move(row), at));
      DatasetInfo& info = all.emplace_back();
      LAMINA_ASSIGN(const auto files, reader.Plan(dataset.table, at));
      info.definition = std::move(dataset.definition);
      info.files = static_cast<std::int64_t>(files.size());
      for (const catalog::LakeFile& file : files) {
        info.rows += file.rows - (file.deletes ? file.deletes->rows : 0);
        info.bytes += file.size_bytes;
      }
    }
    return Ok();
  }));
  return all;
}

Status Datasets::AddColumns(std::string_view name, const std::vector<Column>& columns) {
  if (columns.empty()) return Ok();
  LAMINA_TRY(catalog::RetryLostRaces(kAttempts, [&]() -> Result<std::int64_t> {
    LAMINA_ASSIGN(const StoredDataset dataset, Find(name));
    Definition wider = dataset.definition;
    for (const Column& column : columns) {
      if (column.required) {
        return InvalidArgument("column '" + column.name +
                               "' cannot be required: rows that are stored have no value of it");
      }
      if (wider.Find(column.name) != nullptr) {
        return AlreadyExists("dataset '" + std::string(name) + "' has a column '" + column.name +
                             "' already");
      }
      wider.columns.push_back(column);
    }
    LAMINA_TRY(CheckDefinition(wider));
    LAMINA_ASSIGN(auto commit, catalog_->BeginCommit("add columns to dataset " + wider.name));
    return commit->Finish([&](Database&, LakeWriter& writer) -> Status {
      for (const Column& column : columns) {
        LAMINA_TRY(
            writer.AddColumn(dataset.table.table_id, {.name = column.name, .type = column.type}));
      }
      return Ok();
    });
  }));
  return Ok();
}

}  // namespace lamina::dataset
