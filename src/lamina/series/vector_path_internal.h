#pragma once

/// \file lamina/series/vector_path_internal.h
/// How a kernel is compiled twice, for the machine at hand and for AVX2, and chosen at run time.
/// One body, plain vectors of the compiler, no contraction: both paths give the same bits.

#include <cstdint>
#include <cstring>

namespace lamina::series::internal {

using Doubles = double __attribute__((vector_size(32)));
using Integers = std::int64_t __attribute__((vector_size(32)));

/// By reference: a vector as a return value depends on the target.
template <class Vector, class Value>
[[gnu::always_inline]] inline void Load(Vector& vector, const Value* values) {
  std::memcpy(&vector, values, sizeof vector);
}

#if defined(__x86_64__)
#  define LAMINA_AVX2 __attribute__((target("avx2")))
inline bool HasAvx2() { return __builtin_cpu_supports("avx2") != 0; }
#else
#  define LAMINA_AVX2
inline bool HasAvx2() { return false; }
#endif

}  // namespace lamina::series::internal
