#pragma once

/// \file lamina/table/arrow_file.h
/// io::Env files in Arrow's clothes. Thread-compatible; they own the file they are given.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include "lamina/base/result.h"
#include "lamina/io/env.h"

namespace lamina::table {

/// Collects small writes into large appends. The first failure of the file is kept with its code:
/// ask TakeError() when Arrow reports one.
class EnvOutputStream final : public arrow::io::OutputStream {
 public:
  explicit EnvOutputStream(std::unique_ptr<io::WritableFile> file);

  arrow::Status Write(const void* data, std::int64_t length) override;
  using arrow::io::OutputStream::Write;
  arrow::Status Flush() override;
  /// Does nothing: SyncAndClose is the end of the file, so that an abandoned writer syncs nothing.
  arrow::Status Close() override { return arrow::Status::OK(); }
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  bool closed() const override { return closed_; }

  /// Write what is collected, sync, close.
  Status SyncAndClose();

  /// CRC32C of what was written since the last call.
  std::uint32_t TakeChecksum();
  /// What is written from here on is held back, to be changed, until ReleaseTail.
  void HoldTail() { holding_ = true; }
  std::string& tail() { return tail_; }
  arrow::Status ReleaseTail();

  std::optional<Error> TakeError() { return std::exchange(error_, std::nullopt); }

 private:
  std::unique_ptr<io::WritableFile> file_;
  std::string pending_;
  std::int64_t position_ = 0;
  std::uint32_t checksum_ = 0;
  std::string tail_;
  bool holding_ = false;
  std::optional<Error> error_;
  bool closed_ = false;
};

/// Random access over an io::ReadableFile; counts the bytes it reads. Errors as above. ReadAt may
/// be called from several threads.
class EnvInputFile final : public arrow::io::RandomAccessFile {
 public:
  explicit EnvInputFile(std::unique_ptr<io::ReadableFile> file);

  arrow::Result<std::int64_t> GetSize() override { return file_->size(); }
  arrow::Result<std::int64_t> ReadAt(std::int64_t position, std::int64_t length,
                                     void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(std::int64_t position,
                                                       std::int64_t length) override;
  arrow::Result<std::int64_t> Read(std::int64_t length, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t length) override;
  arrow::Status Seek(std::int64_t position) override;
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }

  /// The last bytes of the file, read already: reads inside are served from here.
  void KeepTail(std::string tail);
  std::int64_t bytes_read() const { return bytes_read_; }
  std::optional<Error> TakeError() {
    const std::lock_guard<std::mutex> lock(error_mutex_);
    return std::exchange(error_, std::nullopt);
  }

 private:
  std::unique_ptr<io::ReadableFile> file_;
  std::int64_t position_ = 0;
  std::atomic<std::int64_t> bytes_read_ = 0;
  std::mutex error_mutex_;
  std::shared_ptr<arrow::Buffer> tail_;
  std::int64_t tail_begin_ = 0;
  std::optional<Error> error_;
};

}  // namespace lamina::table
