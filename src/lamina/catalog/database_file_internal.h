#pragma once

/// \file lamina/catalog/database_file_internal.h
/// The making of database files, and the meaning of SQLite's codes. Free functions; thread-safe.

#include <string>
#include <string_view>

#include "lamina/base/result.h"

namespace lamina::catalog::internal {

ErrorCode SqliteErrorCode(int extended_code);

/// Make an empty database in WAL mode under another name, and give it its own when it is whole.
/// REQUIRES InstallSqliteLocks. RETURNS kAlreadyExists, kNotFound (no such folder).
Status CreateDatabaseFile(const std::string& path);

/// `path` as a `file:` URI, for the options that have no other way in.
std::string FileUri(const std::string& path, std::string_view options);
std::string FolderOf(const std::string& path);

}  // namespace lamina::catalog::internal
