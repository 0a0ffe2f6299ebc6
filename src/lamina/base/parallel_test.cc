#include "lamina/base/parallel.h"

#include <chrono>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina {
namespace {

TEST(AvailableCores, AtLeastOne) { EXPECT_GE(AvailableCores(), 1U); }

TEST(ParallelFor, EachIndexOnce) {
  for (const std::size_t count : {0, 1, 2, 3, 1000}) {
    for (const std::size_t workers : {0, 1, 2, 7}) {
      std::vector<std::atomic<int>> seen(count);
      std::atomic<bool> bad_worker = false;
      EXPECT_THAT(ParallelFor(count, workers,
                              [&](std::size_t index, std::size_t worker) {
                                ++seen[index];
                                if (workers > 0 && worker >= workers) bad_worker = true;
                                return Ok();
                              }),
                  IsOk());
      for (const auto& times : seen) EXPECT_EQ(times, 1);
      EXPECT_FALSE(bad_worker);
    }
  }
}

TEST(ParallelFor, OneWorkerIsThisThreadInOrder) {
  const std::thread::id self = std::this_thread::get_id();
  std::vector<std::size_t> order;
  EXPECT_THAT(ParallelFor(5, 1,
                          [&](std::size_t index, std::size_t worker) {
                            EXPECT_EQ(std::this_thread::get_id(), self);
                            EXPECT_EQ(worker, 0U);
                            order.push_back(index);
                            return Ok();
                          }),
              IsOk());
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

TEST(ParallelFor, WorkersAreThreadsOfTheirOwn) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<int> inside = 0;
  EXPECT_THAT(ParallelFor(3, 3,
                          [&](std::size_t, std::size_t) {
                            ++inside;
                            while (inside < 3) std::this_thread::yield();
                            const std::lock_guard lock(mutex);
                            threads.insert(std::this_thread::get_id());
                            return Ok();
                          }),
              IsOk());
  EXPECT_EQ(threads.size(), 3U);
}

TEST(ParallelFor, FirstErrorStopsNewWork) {
  for (const std::size_t workers : {1, 3}) {
    std::atomic<std::size_t> done = 0;
    const Status status =
        ParallelFor(100'000, workers, [&](std::size_t index, std::size_t) -> Status {
          if (index == 10) return Conflict("at 10");
          ++done;
          return Ok();
        });
    EXPECT_THAT(status, IsError(ErrorCode::kConflict, "at 10"));
    EXPECT_LT(done, 100'000U);
    EXPECT_GE(done, 10U);
  }
}

TEST(ParallelFor, LowestIndexAmongTheFailedIsReported) {
  std::atomic<int> inside = 0;
  const Status status = ParallelFor(3, 3, [&](std::size_t index, std::size_t) -> Status {
    ++inside;
    while (inside < 3) std::this_thread::yield();
    // All three have begun; the lowest fails last.
    std::this_thread::sleep_for(std::chrono::milliseconds(index == 0 ? 20 : 0));
    return IoError(std::to_string(index));
  });
  EXPECT_THAT(status, IsError(ErrorCode::kIo, "0"));
}

TEST(ParallelFor, Cancellation) {
  CancelToken token;
  EXPECT_FALSE(token.cancelled());
  std::atomic<std::size_t> begun = 0;
  const Status status = ParallelFor(100'000, 2, [&](std::size_t index, std::size_t) -> Status {
    if (token.cancelled()) return Cancelled("stopped");
    ++begun;
    if (index == 5) token.Cancel();
    return Ok();
  });
  EXPECT_THAT(status, IsError(ErrorCode::kCancelled));
  EXPECT_TRUE(token.cancelled());
  EXPECT_LT(begun, 100'000U);
}

TEST(ParallelFor, ExceptionsBecomeErrors) {
  for (const std::size_t workers : {1, 2}) {
    EXPECT_THAT(
        ParallelFor(4, workers, [](std::size_t, std::size_t) -> Status { throw std::bad_alloc(); }),
        IsError(ErrorCode::kResourceExhausted));
    EXPECT_THAT(
        ParallelFor(4, workers,
                    [](std::size_t, std::size_t) -> Status { throw std::runtime_error("odd"); }),
        IsError(ErrorCode::kInternal, testing::HasSubstr("odd")));
  }
}

}  // namespace
}  // namespace lamina
