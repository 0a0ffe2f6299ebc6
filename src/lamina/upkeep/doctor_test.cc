#include "lamina/upkeep/doctor.h"

#include <algorithm>
#include <fstream>

#include "lamina/upkeep/upkeep_test_support.h"

namespace lamina::upkeep {
namespace {

using test::UnitStore;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Finding Of(const std::vector<Finding>& findings, const std::string& check) {
  const auto found = std::find_if(findings.begin(), findings.end(),
                                  [&](const Finding& one) { return one.check == check; });
  EXPECT_NE(found, findings.end()) << check;
  return found == findings.end() ? Finding{} : *found;
}

TEST(Doctor, AStoreThatOpens) {
  UnitStore store;
  store.Put(1);
  const auto findings = Examine(io::PosixEnv(), store.root());
  ASSERT_THAT(findings, IsOk());
  EXPECT_EQ(Of(*findings, "store").health, Health::kOk);
  EXPECT_THAT(Of(*findings, "versions").value, HasSubstr("SQLite 3."));
  EXPECT_THAT(Of(*findings, "fsync").value, HasSubstr("ms"));
  EXPECT_THAT(Of(*findings, "writers").value, HasSubstr(std::to_string(getpid())));
  for (const char* check : {"file system", "free space", "descriptors", "write-ahead log", "clock"})
    EXPECT_FALSE(Of(*findings, check).value.empty()) << check;
  for (const Finding& finding : *findings) {
    EXPECT_EQ(finding.advice.empty(), finding.health == Health::kOk) << finding.check;
  }
}

TEST(Doctor, AStoreThatDoesNot) {
  UnitStore store;
  std::ofstream(store.root() + "/lamina.toml") << "[store]\ncolour = 1\n";
  const auto findings = Examine(io::PosixEnv(), store.root());
  ASSERT_THAT(findings, IsOk());
  EXPECT_EQ(Of(*findings, "store").health, Health::kBad);
  EXPECT_THAT(Of(*findings, "store").value, HasSubstr("lamina.toml"));
  EXPECT_THAT(Examine(io::PosixEnv(), store.File("absent")), IsError(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace lamina::upkeep
