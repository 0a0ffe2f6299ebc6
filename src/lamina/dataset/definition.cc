#include "lamina/dataset/definition.h"

#include <algorithm>
#include <set>
#include <utility>

#include "lamina/base/json.h"
#include "lamina/catalog/lake_names.h"

namespace lamina::dataset {
namespace {

using table::LakeType;

/// A table with more is a mistake: DuckLake keeps a row of statistics per column and file.
constexpr std::size_t kColumnsMax = 10'000;

bool IsKeyType(LakeType type) {
  return type == LakeType::kVarchar || type == LakeType::kInt32 || type == LakeType::kInt64 ||
         type == LakeType::kDate || type == LakeType::kTimestampTz;
}

std::vector<Column> BarColumns() {
  return {{"timestamp", LakeType::kTimestampTz, true},
          {"open", LakeType::kDouble, true},
          {"high", LakeType::kDouble, true},
          {"low", LakeType::kDouble, true},
          {"close", LakeType::kDouble, true},
          {"volume", LakeType::kInt64, false},
          {"instrument", LakeType::kVarchar, true},
          {"timeframe", LakeType::kVarchar, true},
          {"complete", LakeType::kBoolean, false},
          {std::string(kProvenanceColumn), LakeType::kInt64, false}};
}

}  // namespace

std::string_view PartitionName(Partition partition) {
  switch (partition) {
    case Partition::kNone:
      return "none";
    case Partition::kYear:
      return "year";
    case Partition::kDate:
      return "date";
  }
  return "none";
}

Result<Partition> PartitionFromName(std::string_view name) {
  for (const Partition each : {Partition::kNone, Partition::kYear, Partition::kDate}) {
    if (PartitionName(each) == name) return each;
  }
  return InvalidArgument("'" + std::string(name) + "' is no partition; there are none, year, date");
}

const Column* Definition::Find(std::string_view column) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& each) { return each.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> TimeParts(Partition partition) {
  switch (partition) {
    case Partition::kYear:
      return {"year", "month"};
    case Partition::kDate:
      return {"date"};
    case Partition::kNone:
      break;
  }
  return {};
}

Status CheckDefinition(const Definition& definition) {
  const std::string where = "dataset '" + definition.name + "'";
  LAMINA_TRY_WITH(catalog::CheckObjectName(definition.name), where);
  LAMINA_TRY_WITH(catalog::CheckObjectName(definition.lake_schema), where);
  // Lineage names a series `dataset/instrument/timeframe`.
  if (definition.name.find_first_of("/\\") != std::string::npos) {
    return InvalidArgument(where + ": a name has no slashes");
  }
  if (definition.columns.size() > kColumnsMax) {
    return InvalidArgument(where + " has " + std::to_string(definition.columns.size()) +
                           " columns, at most " + std::to_string(kColumnsMax) + " are possible");
  }
  std::set<std::string> names;
  for (const std::string& part : TimeParts(definition.partition)) names.insert(part);
  for (const Column& column : definition.columns) {
    LAMINA_TRY_WITH(catalog::CheckColumnName(column.name), where);
    if (!names.insert(catalog::LowerAscii(column.name)).second) {
      return InvalidArgument(where + " has column '" + column.name +
                             "' twice (letter case does not count; year, month and date are made "
                             "from the time)");
    }
  }
  const Column* time = definition.Find(definition.time_column);
  if (time == nullptr || time->type != LakeType::kTimestampTz || !time->required) {
    return InvalidArgument(where + ": time column '" + definition.time_column +
                           "' must be a required column of type timestamptz");
  }
  if (definition.keys.empty() || definition.keys.back() != definition.time_column) {
    return InvalidArgument(where + ": the last key must be the time column '" +
                           definition.time_column + "'");
  }
  std::set<std::string> keys;
  for (const std::string& key : definition.keys) {
    const Column* column = definition.Find(key);
    if (column == nullptr || !column->required || !IsKeyType(column->type) ||
        !keys.insert(key).second) {
      return InvalidArgument(where + ": key '" + key +
                             "' must be a required column of text, whole numbers, dates or times, "
                             "named once");
    }
  }
  if (definition.complete_column) {
    const Column* complete = definition.Find(*definition.complete_column);
    if (complete == nullptr || complete->type != LakeType::kBoolean) {
      return InvalidArgument(where + ": '" + *definition.complete_column +
                             "' is no boolean column");
    }
  }
  return Ok();
}

std::vector<catalog::LakeColumn> LakeColumns(const Definition& definition) {
  std::vector<catalog::LakeColumn> columns;
  for (const Column& column : definition.columns) {
    columns.push_back({.name = column.name, .type = column.type, .nullable = !column.required});
  }
  for (const std::string& part : TimeParts(definition.partition)) {
    columns.push_back({.name = part,
                       .type = part == "date" ? LakeType::kDate : LakeType::kInt32,
                       .nullable = false});
  }
  return columns;
}

Definition OhlcvDefinition(std::string name) {
  Definition definition;
  definition.name = std::move(name);
  definition.kind = "ohlcv";
  definition.lake_schema = "bars";
  definition.columns = BarColumns();
  definition.keys = {"instrument", "timeframe", "timestamp"};
  definition.complete_column = "complete";
  return definition;
}

Definition SplitsDefinition(std::string name) {
  Definition definition = OhlcvDefinition(std::move(name));
  definition.kind = "splits";
  definition.lake_schema = "features";
  definition.columns.insert(definition.columns.begin(), {"split", LakeType::kVarchar, true});
  definition.keys.insert(definition.keys.begin(), "split");
  return definition;
}

Definition WideDefinition(std::string name, std::string kind, std::vector<Column> columns) {
  Definition definition;
  definition.name = std::move(name);
  definition.kind = std::move(kind);
  definition.lake_schema = "features";
  definition.columns = {{"timestamp", LakeType::kTimestampTz, true}};
  for (Column& column : columns) {
    if (column.name != "timestamp") definition.columns.push_back(std::move(column));
  }
  return definition;
}

Result<Definition> FeaturesDefinition(std::string name, std::string kind,
                                      const FeatureShape& shape) {
  if (kind != "features" && kind != "normalized") {
    return InvalidArgument("'" + kind + "' is no kind of features; there are features, normalized");
  }
  if (shape.instruments < 0 ||
      static_cast<std::uint64_t>(shape.instruments) * shape.indicators.size() > kColumnsMax) {
    return InvalidArgument("features of " + std::to_string(shape.instruments) +
                           " instruments: the columns would be no number from 0 to " +
                           std::to_string(kColumnsMax));
  }
  std::vector<Column> columns;
  for (std::int64_t i = 0; i < shape.instruments; ++i) {
    for (const std::string& indicator : shape.indicators) {
      columns.push_back({indicator + "_" + std::to_string(i)});
    }
  }
  for (const std::string& context : shape.context) columns.push_back({context});
  Definition definition = WideDefinition(std::move(name), std::move(kind), std::move(columns));
  definition.parameters.clear();
  JsonWriter json(definition.parameters);
  json.BeginObject();
  json.Key("instruments");
  json.Int(shape.instruments);
  const auto list = [&](const char* key, const std::vector<std::string>& values) {
    json.Key(key);
    json.BeginArray();
    for (const std::string& value : values) json.String(value);
    json.EndArray();
  };
  list("indicators", shape.indicators);
  list("context", shape.context);
  json.EndObject();
  LAMINA_TRY(CheckDefinition(definition));
  return definition;
}

Result<Definition> LatentsDefinition(std::string name, std::int64_t size) {
  if (size < 1 || size > static_cast<std::int64_t>(kColumnsMax) - 1) {
    return InvalidArgument("latents of " + std::to_string(size) + " dimensions");
  }
  std::vector<Column> columns;
  for (std::int64_t i = 0; i < size; ++i) columns.push_back({"latent_" + std::to_string(i)});
  Definition definition = WideDefinition(std::move(name), "latents", std::move(columns));
  definition.parameters = "{\"size\":" + std::to_string(size) + "}";
  return definition;
}

}  // namespace lamina::dataset
