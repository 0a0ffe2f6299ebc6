#include "lamina/tick_log/gate.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace lamina::tick_log {
namespace {

TEST(GateTest, NeverMoreInsideThanThereArePlacesAndAllGetIn) {
  for (const int places : {1, 3}) {
    Gate gate(places);
    std::atomic<int> inside{0}, most{0}, entered{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          const Gate::Place place(gate);
          const int now = ++inside;
          int seen = most;
          while (now > seen && !most.compare_exchange_weak(seen, now)) {
          }
          ++entered;
          std::this_thread::yield();
          --inside;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(entered, 400);
    EXPECT_LE(most, places);
  }
}

}  // namespace
}  // namespace lamina::tick_log
