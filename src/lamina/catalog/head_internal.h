#pragma once

/// \file lamina/catalog/head_internal.h
/// The file `head`: the last snapshot that was acknowledged. A hint that finds a catalog which lost
/// commits; never needed to read the store. Bytes: docs/format/commit.md. Thread-safe.

#include <cstdint>
#include <optional>
#include <string>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"
#include "lamina/io/env.h"

namespace lamina::catalog::internal {

std::string EncodeHead(std::int64_t snapshot_id);
/// RETURNS kCorruption for anything but what EncodeHead writes.
Result<std::int64_t> DecodeHead(ByteView bytes);

/// Absent when there is no head, or it cannot be read or is damaged: a hint proves nothing then.
std::optional<std::int64_t> ReadHead(io::Env& env, const std::string& root);
/// Replace it by way of `temporary`. Not synced: the commit it speaks of is durable already.
Status WriteHead(io::Env& env, const std::string& root, const std::string& temporary,
                 std::int64_t snapshot_id);

}  // namespace lamina::catalog::internal
