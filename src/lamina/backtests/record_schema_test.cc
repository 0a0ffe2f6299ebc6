#include "lamina/backtests/record_schema.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace lamina::backtests {
namespace {

/// Keys of the records whose path ends in `suffix`, over all releases of KEY_ORDER.txt.
std::set<std::string> KeysOf(const std::string& suffix) {
  std::ifstream in(std::filesystem::path(LAMINA_SHARED_DIR) / "data/bundles/golden/KEY_ORDER.txt");
  std::set<std::string> keys;
  std::string line;
  while (std::getline(in, line)) {
    const std::size_t end = line.find(" (");
    if (end == std::string::npos || end < suffix.size()) continue;
    if (line.compare(end - suffix.size(), suffix.size(), suffix) != 0) continue;
    std::istringstream words(line.substr(line.find("): ") + 3));
    for (std::string word; words >> word;) keys.insert(word);
  }
  return keys;
}

TEST(RecordSchemaTest, EveryKeyOfEveryReleaseHasAColumn) {
  const std::map<RecordTable, std::string> kPaths = {
      {RecordTable::kSnapshots, ".portfolio_snapshots[]"},
      {RecordTable::kTrades, ".best_trade"},
      {RecordTable::kOrders, ".best_trade.orders[]"},
      {RecordTable::kPositions, ".positions[]"}};
  for (const auto& [table, path] : kPaths) {
    std::set<std::string> known;
    for (const ColumnRule& rule : ColumnRules(table)) {
      if (!rule.key.empty()) known.emplace(rule.key);
    }
    const std::set<std::string> keys = KeysOf(path);
    EXPECT_GE(keys.size(), 4U) << path;
    for (const std::string& key : keys) EXPECT_TRUE(known.contains(key)) << path << " " << key;
  }
}

TEST(RecordSchemaTest, CodecsHaveTheColumnsTheyNeed) {
  for (std::size_t t = 0; t < kRecordTableCount; ++t) {
    const auto& rules = ColumnRules(static_cast<RecordTable>(t));
    EXPECT_EQ(rules[0].column, "seq");
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (rules[i].codec != CellCodec::kId && rules[i].codec != CellCodec::kOrderMetadata) continue;
      ASSERT_LT(i + 1, rules.size());
      EXPECT_TRUE(rules[i + 1].key.empty());
      EXPECT_EQ(rules[i + 1].type, table::LakeType::kVarchar);
    }
  }
}

}  // namespace
}  // namespace lamina::backtests
