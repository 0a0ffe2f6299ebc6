#pragma once

/// \file lamina/tick_log/gate.h
/// Gate: lets so many threads in at once, the others wait. Thread-safe.

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace lamina::tick_log {

class Gate {
 public:
  /// REQUIRES places >= 1.
  explicit Gate(std::int64_t places) : places_(places) {}

  /// Inside for as long as it lives; made when there is room.
  class Place {
   public:
    explicit Place(Gate& gate);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    Gate& gate_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  std::int64_t places_;
};

}  // namespace lamina::tick_log
