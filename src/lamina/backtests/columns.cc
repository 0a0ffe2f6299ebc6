#include "lamina/backtests/columns.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lamina/backtests/filter_lexer.h"
#include "lamina/backtests/index_row.h"
#include "lamina/base/near_names.h"
#include "lamina/metrics/metric.h"

namespace lamina::backtests {
namespace {

constexpr std::array<IndexColumn, 17> kLeadingColumns = {{
    {"bundle_path", ColumnType::kText, -1, true},
    {"algorithm_id"},
    {"anchor_algorithm_id"},
    {"tag"},
    {"framework_version"},
    {"engine_type", ColumnType::kText, -1, true},
    {"universe_key"},
    {"study_name", ColumnType::kText, -1, true},
    {"study_description"},
    {"risk_free_rate", ColumnType::kReal},
    {"number_of_runs", ColumnType::kInteger},
    {"parameters_json"},
    {"strategy_ids_json"},
    {"extras_json"},
    {"summary_extras_json"},
    {"bundle_mtime_ns", ColumnType::kInteger},
    {"bundle_size", ColumnType::kInteger},
}};

/// Of our own metrics, those in kNarrowIndex; and what stands beside them.
constexpr std::array<std::string_view, 6> kNarrowValidated = {
    "cagr", "sharpe_ratio", "sortino_ratio", "calmar_ratio", "max_drawdown", "profit_factor"};
constexpr std::array<IndexColumn, 4> kBesideValidated = {{
    {"validated_number_of_windows", ColumnType::kInteger},
    {"validated_disagreements", ColumnType::kInteger},
    {"validated_definitions", ColumnType::kInteger},
    {"validated_details_json"},
}};

constexpr std::array<IndexColumn, 7> kTrailingColumns = {{
    {"backtest_id", ColumnType::kInteger},
    {"document_sha256", ColumnType::kDigest},
    {"start_date", ColumnType::kTime},
    {"end_date", ColumnType::kTime},
    {"imported_at", ColumnType::kTime},
    {"tags"},
    {"note"},
}};

/// The metrics in kNarrowIndex.
constexpr std::array<std::string_view, 15> kNarrowMetrics = {"sharpe_ratio",
                                                             "sortino_ratio",
                                                             "calmar_ratio",
                                                             "total_net_gain",
                                                             "total_net_gain_percentage",
                                                             "cagr",
                                                             "max_drawdown",
                                                             "annual_volatility",
                                                             "profit_factor",
                                                             "win_rate",
                                                             "number_of_trades",
                                                             "trades_per_year",
                                                             "number_of_windows",
                                                             "consistency_score",
                                                             "stability_score"};
template <class Names>
constexpr bool Holds(const Names& names, std::string_view metric) {
  return std::find(names.begin(), names.end(), metric) != names.end();
}

constexpr std::string_view kSummaryPrefix = "summary_";
constexpr std::string_view kValidatedPrefix = "validated_";

/// "<prefix><field>", one after another, so that column names can be views of constant text.
template <class Fields>
constexpr std::size_t NameBytes(std::string_view prefix, const Fields& fields) {
  std::size_t bytes = 0;
  for (const auto& field : fields) bytes += prefix.size() + field.name.size();
  return bytes;
}
template <std::size_t Bytes, class Fields>
constexpr std::array<char, Bytes> PrefixedNames(std::string_view prefix, const Fields& fields) {
  std::array<char, Bytes> names{};
  std::size_t at = 0;
  for (const auto& field : fields) {
    for (const char c : prefix) names[at++] = c;
    for (const char c : field.name) names[at++] = c;
  }
  return names;
}
constexpr auto kSummaryNames =
    PrefixedNames<NameBytes(kSummaryPrefix, kSummaryFields)>(kSummaryPrefix, kSummaryFields);
constexpr auto kValidatedNames = PrefixedNames<NameBytes(kValidatedPrefix, metrics::kMetricFields)>(
    kValidatedPrefix, metrics::kMetricFields);

constexpr std::size_t kColumnCount = kLeadingColumns.size() + kSummaryFieldCount +
                                     kTrailingColumns.size() + metrics::kMetricCount +
                                     kBesideValidated.size();
constexpr std::array<IndexColumn, kColumnCount> kColumns = [] {
  std::array<IndexColumn, kColumnCount> columns{};
  std::size_t count = 0;
  for (const IndexColumn& column : kLeadingColumns) columns[count++] = column;
  std::size_t at = 0;
  for (std::size_t i = 0; i < kSummaryFieldCount; ++i) {
    const std::size_t length = kSummaryPrefix.size() + kSummaryFields[i].name.size();
    columns[count++] = {std::string_view(kSummaryNames.data() + at, length),
                        kSummaryFields[i].integer ? ColumnType::kInteger : ColumnType::kReal,
                        static_cast<int>(i), Holds(kNarrowMetrics, kSummaryFields[i].name)};
    at += length;
  }
  for (const IndexColumn& column : kTrailingColumns) columns[count++] = column;
  at = 0;
  for (const metrics::MetricField& field : metrics::kMetricFields) {
    const std::size_t length = kValidatedPrefix.size() + field.name.size();
    columns[count++] = {std::string_view(kValidatedNames.data() + at, length),
                        field.integer ? ColumnType::kInteger : ColumnType::kReal, -1,
                        Holds(kNarrowValidated, field.name)};
    at += length;
  }
  for (const IndexColumn& column : kBesideValidated) columns[count++] = column;
  return columns;
}();

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kAliases = {{
    {"sharpe", "summary_sharpe_ratio"},
    {"sortino", "summary_sortino_ratio"},
    {"calmar", "summary_calmar_ratio"},
    {"return", "summary_total_net_gain_percentage"},
    {"drawdown", "summary_max_drawdown"},
    {"trades", "summary_number_of_trades"},
    {"handle", "bundle_path"},
    {"engine", "engine_type"},
    {"study", "study_name"},
    {"universe", "universe_key"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kMemberPrefixes = {{
    {"parameters", "parameters_json"},
    {"metadata", "extras_json"},
}};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

const IndexColumn* FindExact(std::string_view name) {
  const auto found = std::find_if(kColumns.begin(), kColumns.end(),
                                  [&](const IndexColumn& column) { return column.name == name; });
  return found == kColumns.end() ? nullptr : &*found;
}

std::string Joined(std::span<const std::string> parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ".") + part;
  return out;
}

}  // namespace

std::span<const IndexColumn> IndexColumns() { return kColumns; }

const IndexColumn* FindColumn(std::string_view name) {
  std::string lower = Lower(name);
  if (const IndexColumn* column = FindExact(lower)) return column;
  for (const auto& [alias, column] : kAliases) {
    if (alias == lower) return FindExact(column);
  }
  if (lower.starts_with("validated_") || lower.starts_with("validated.")) {
    std::string_view bare = std::string_view(lower).substr(kValidatedPrefix.size());
    for (const auto& [alias, column] : kAliases) {
      if (alias == bare && column.starts_with(kSummaryPrefix)) {
        bare = column.substr(kSummaryPrefix.size());
      }
    }
    return FindExact(std::string(kValidatedPrefix).append(bare));
  }
  if (lower.starts_with("summary.")) {
    lower[kSummaryPrefix.size() - 1] = '_';
    return FindExact(lower);
  }
  return FindExact(std::string(kSummaryPrefix) + lower);
}

Result<NameRef> ResolveName(std::span<const std::string> parts) {
  const std::string name = Joined(parts);
  if (const IndexColumn* column = FindColumn(name)) return NameRef{column, {}};
  for (const auto& [prefix, column] : kMemberPrefixes) {
    if (Lower(parts.front()) != prefix) continue;
    if (parts.size() == 1) {
      return InvalidArgument("'" + name + "' needs a key: " + std::string(prefix) + ".<key>");
    }
    return NameRef{FindExact(column), std::vector<std::string>(parts.begin() + 1, parts.end())};
  }
  return InvalidArgument("unknown name '" + name + "'" + NearNamesHint(name));
}

Result<NameRef> ResolveName(std::string_view text) {
  auto tokens = LexFilter(text);
  if (tokens.ok() && tokens->size() == 2 && tokens->front().kind == TokenKind::kName) {
    return ResolveName(tokens->front().path);
  }
  return InvalidArgument("'" + std::string(text) + "' is not a column name" + NearNamesHint(text));
}

std::string ColumnSql(const IndexColumn& column) {
  const std::string quoted = "i.\"" + std::string(column.name) + "\"";
  return column.type == ColumnType::kDigest ? "lower(hex(" + quoted + "))" : quoted;
}

std::string NearNamesHint(std::string_view name) {
  std::vector<std::string> candidates;
  candidates.reserve(kColumns.size() + kAliases.size() + kMemberPrefixes.size());
  for (const IndexColumn& column : kColumns) {
    candidates.emplace_back(column.summary_field >= 0 ? column.name.substr(kSummaryPrefix.size())
                                                      : column.name);
  }
  for (const auto& [alias, column] : kAliases) {
    candidates.emplace_back(alias);
    const std::string validated = std::string(kValidatedPrefix).append(alias);
    if (FindColumn(validated) != nullptr) candidates.push_back(validated);
  }
  for (const auto& prefix : kMemberPrefixes) candidates.emplace_back(prefix.first);
  std::string lower = Lower(name);
  if (lower.starts_with("summary_") || lower.starts_with("summary.")) lower.erase(0, 8);
  return DidYouMean(lower, candidates);
}

}  // namespace lamina::backtests
