#include "lamina/cli/memory.h"

#include <cstdlib>

#include <malloc.h>

namespace lamina::cli {
namespace {

/// Smaller blocks stay in the heap. The C library takes no larger number.
constexpr int kHeapBlockMax = 32 << 20;
/// So much that is free at the end of the heap stays.
constexpr int kHeapKept = 64 << 20;

}  // namespace

void PrepareMemory() {
  ::setenv("ARROW_DEFAULT_MEMORY_POOL", "system", /*overwrite=*/0);
  ::mallopt(M_MMAP_THRESHOLD, kHeapBlockMax);
  ::mallopt(M_TRIM_THRESHOLD, kHeapKept);
}

}  // namespace lamina::cli
