#pragma once

/// \file lamina/io/file_system_internal.h
/// Names of file systems, and which of them live on another host. Pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "lamina/io/env.h"

namespace lamina::io::internal {

inline constexpr std::uint32_t kFuseMagic = 0x65735546;

/// By the `f_type` of statfs(2).
Env::FileSystemKind KindOfMagic(std::uint32_t magic);

/// By the type's name as in /proc/self/mountinfo ("fuse.sshfs").
Env::FileSystemKind KindOfName(std::string_view name);

/// The type of the mount of `device` in the text of /proc/self/mountinfo; "fuse" when not found.
std::string MountedType(std::string_view mountinfo, dev_t device);

}  // namespace lamina::io::internal
