#pragma once

/// \file lamina/catalog/catalog_test_support.h
/// Folders and child processes for this module's tests.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/catalog/database.h"

namespace lamina::catalog::test {

/// A fresh folder, gone afterwards. In memory where the machine has such a place: what these tests
/// ask of durability is asked of FaultyEnv, and killed processes do not lose the page cache.
class TempFolder {
 public:
  explicit TempFolder(const std::string& name = "catalog") {
    const bool memory = access("/dev/shm", W_OK | X_OK) == 0;
    std::string pattern =
        (memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path()) /
        "lamina-XXXXXX";
    base_ = mkdtemp(pattern.data());
    chmod(base_.c_str(), 0755);
    path_ = base_ + "/" + name;
    std::filesystem::create_directory(path_);
  }
  ~TempFolder() {
    MakeWritable();
    std::error_code ignored;
    std::filesystem::remove_all(base_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  void MakeReadOnly() const { chmod(path_.c_str(), 0555); }
  void MakeWritable() const { chmod(path_.c_str(), 0755); }
  /// Every file below, relative, sorted.
  std::vector<std::string> List() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      if (!entry.is_directory()) {
        names.push_back(std::filesystem::relative(entry.path(), path_));
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  std::string base_, path_;
};

inline std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What Wait gives for a child that left with `code`; a signal gives its negative number.
inline int ChildExit(int code) { return code; }

inline pid_t Spawn(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(120);
    _exit(work());
  }
  return child;
}

inline int Wait(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) return -1000;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// `work` in a forked child.
inline int InChild(const std::function<int()>& work) { return Wait(Spawn(work)); }

inline std::unique_ptr<Database> Make(const std::string& path) {
  auto database = Database::Open(path, OpenMode::kCreate);
  EXPECT_TRUE(database.ok()) << database.error().message();
  return *std::move(database);
}

inline std::int64_t One(Database& database, std::string_view sql) {
  auto statement = database.Prepare(sql);
  EXPECT_TRUE(statement.ok()) << statement.error().message();
  auto row = statement->Step();
  EXPECT_TRUE(row.ok()) << row.error().message();
  return *row ? statement->Int(0) : -1;
}

}  // namespace lamina::catalog::test
