#include "lamina/table/arrow_file.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>

#include "lamina/base/hash.h"

namespace lamina::table {
namespace {

constexpr std::size_t kPendingMax = 1 << 20;

arrow::Status AsArrow(const Error& error) { return arrow::Status::IOError(error.message()); }

}  // namespace

EnvOutputStream::EnvOutputStream(std::unique_ptr<io::WritableFile> file) : file_(std::move(file)) {}

arrow::Status EnvOutputStream::Write(const void* data, std::int64_t length) {
  const ByteView bytes(static_cast<const char*>(data), static_cast<std::size_t>(length));
  position_ += length;
  if (holding_) {
    tail_.append(bytes);
    return arrow::Status::OK();
  }
  checksum_ = Crc32c(bytes, checksum_);
  if (pending_.size() + bytes.size() > kPendingMax) ARROW_RETURN_NOT_OK(Flush());
  if (bytes.size() < kPendingMax) {
    pending_.append(bytes);
    return arrow::Status::OK();
  }
  if (Status appended = file_->Append(bytes); !appended.ok()) {
    error_ = std::move(appended).error();
    return AsArrow(*error_);
  }
  return arrow::Status::OK();
}

arrow::Status EnvOutputStream::Flush() {
  if (pending_.empty()) return arrow::Status::OK();
  Status appended = file_->Append(pending_);
  pending_.clear();
  if (appended.ok()) return arrow::Status::OK();
  error_ = std::move(appended).error();
  return AsArrow(*error_);
}

arrow::Status EnvOutputStream::ReleaseTail() {
  holding_ = false;
  position_ -= static_cast<std::int64_t>(tail_.size());
  return Write(tail_.data(), static_cast<std::int64_t>(tail_.size()));
}

Status EnvOutputStream::SyncAndClose() {
  if (arrow::Status flushed = Flush(); !flushed.ok()) {
    return error_.has_value() ? std::move(*TakeError()) : IoError(flushed.message());
  }
  closed_ = true;
  LAMINA_TRY(file_->Sync());
  return file_->Close();
}

std::uint32_t EnvOutputStream::TakeChecksum() { return std::exchange(checksum_, 0); }

EnvInputFile::EnvInputFile(std::unique_ptr<io::ReadableFile> file) : file_(std::move(file)) {}

arrow::Result<std::int64_t> EnvInputFile::ReadAt(std::int64_t position, std::int64_t length,
                                                 void* out) {
  if (position < 0 || length < 0 || position > file_->size()) {
    return arrow::Status::Invalid("a read at ", position, " of ", length,
                                  " bytes is outside the file");
  }
  length = std::min(length, file_->size() - position);
  if (tail_ != nullptr && position >= tail_begin_) {
    std::memcpy(out, tail_->data() + (position - tail_begin_), static_cast<std::size_t>(length));
    return length;
  }
  Status read = file_->ReadAt(position, static_cast<std::size_t>(length), static_cast<char*>(out));
  if (!read.ok()) {
    const std::lock_guard<std::mutex> lock(error_mutex_);
    error_ = std::move(read).error();
    return AsArrow(*error_);
  }
  bytes_read_ += length;
  return length;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> EnvInputFile::ReadAt(std::int64_t position,
                                                                   std::int64_t length) {
  if (position < 0 || length < 0 || position > file_->size()) {
    return arrow::Status::Invalid("a read at ", position, " of ", length,
                                  " bytes is outside the file");
  }
  length = std::min(length, file_->size() - position);  // before the allocation
  if (tail_ != nullptr && position >= tail_begin_) {
    return arrow::SliceBuffer(tail_, position - tail_begin_, length);
  }
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer(length));
  ARROW_RETURN_NOT_OK(ReadAt(position, length, buffer->mutable_data()).status());
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

void EnvInputFile::KeepTail(std::string tail) {
  tail_begin_ = file_->size() - static_cast<std::int64_t>(tail.size());
  tail_ = arrow::Buffer::FromString(std::move(tail));
}

arrow::Result<std::int64_t> EnvInputFile::Read(std::int64_t length, void* out) {
  ARROW_ASSIGN_OR_RAISE(const std::int64_t read, ReadAt(position_, length, out));
  position_ += read;
  return read;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> EnvInputFile::Read(std::int64_t length) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, length));
  position_ += buffer->size();
  return buffer;
}

arrow::Status EnvInputFile::Seek(std::int64_t position) {
  if (position < 0) return arrow::Status::Invalid("seek to ", position);
  position_ = position;
  return arrow::Status::OK();
}

}  // namespace lamina::table
