#include "lamina/cli/memory.h"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace lamina::cli {
namespace {

constexpr const char* kPool = "ARROW_DEFAULT_MEMORY_POOL";

TEST(PrepareMemory, TakesTheHeapUnlessTheEnvironmentSaysOtherwise) {
  ::unsetenv(kPool);
  PrepareMemory();
  EXPECT_EQ(std::string(std::getenv(kPool)), "system");
  ::setenv(kPool, "mimalloc", 1);
  PrepareMemory();
  EXPECT_EQ(std::string(std::getenv(kPool)), "mimalloc");
  ::unsetenv(kPool);
}

}  // namespace
}  // namespace lamina::cli
