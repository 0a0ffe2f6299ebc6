#pragma once

/// \file lamina/folder_index/archive.h
/// Files moved so that at every moment a whole copy has a name. Free functions; thread-safe.

#include <string>

#include "lamina/base/result.h"
#include "lamina/io/env.h"

namespace lamina::folder_index {

/// What stands where a file is to go.
enum class Destination { kFree, kSameContent, kOther };

/// RETURNS kIo and others when a file cannot be read.
Result<Destination> LookAt(io::Env& env, const std::string& from, const std::string& to);

/// Move `from` to `to`, where nothing or a file of the same content stands; folders are made.
/// By link and unlink within a file system; else copied, synced, read back and compared before
/// `from` is removed. Killed at any moment it leaves the file under one name or both.
/// RETURNS kAlreadyExists (another file at `to`), kConflict (`from` changed meanwhile; it stays),
/// kNotFound, kIo, kResourceExhausted.
Status MoveFile(io::Env& env, const std::string& from, const std::string& to);

/// The same by copying only, as across file systems.
Status CopyAndRemove(io::Env& env, const std::string& from, const std::string& to);

}  // namespace lamina::folder_index
