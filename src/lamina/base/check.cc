#include "lamina/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace lamina {

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "lamina: broken invariant `%s` at %s:%d\n", condition, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace lamina
