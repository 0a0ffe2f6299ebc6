#pragma once

/// \file lamina/table/published_parquet.h
/// Parquet files of other programs as bytes in memory: what they hold, apart from how it is
/// encoded, and how one of them is made again from another that holds the same. Pure functions;
/// thread-safe.

#include <string>

#include "lamina/base/bytes.h"
#include "lamina/base/hash.h"
#include "lamina/base/result.h"

namespace lamina::table {

/// SHA-256 over names, types and values of the columns: equal for files that hold the same and were
/// written differently. Values are compared by their bits, NaN payloads too; NULL is a value. Not
/// in it: metadata of schema and file, order of row groups' encodings, codecs, statistics. RETURNS
/// kCorruption for what is no Parquet file, kUnsupported for column types that it does not know and
/// for files that unpack to more than 1 GiB.
Result<Sha256Digest> LogicalId(ByteView file);

/// How the linked libparquet makes `file` from `source`, which holds the same: its settings and
/// metadata, about as long as these. RETURNS kUnsupported when it does not come out bit for bit
/// (another writer, settings that cannot be told from the file).
Result<std::string> RewriteRecipe(ByteView source, ByteView file);
/// RETURNS kCorruption when recipe or source are damaged. The caller checks the hash of the answer.
Result<std::string> Rewrite(ByteView source, ByteView recipe);

}  // namespace lamina::table
