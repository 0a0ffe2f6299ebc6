#pragma once

/// \file lamina/cli/memory.h
/// How the `lamina` command gets its memory. Call before any other thread begins.

namespace lamina::cli {

/// Columns come from the C library's heap, and what is freed there is used again instead of going
/// back to the system and being cleared anew: archiving ticks takes 40 % less memory and a third
/// less time so (bench/ticks/archiving.py). ARROW_DEFAULT_MEMORY_POOL in the environment is obeyed.
void PrepareMemory();

}  // namespace lamina::cli
