#include "lamina/tick_log/gate.h"

namespace lamina::tick_log {

Gate::Place::Place(Gate& gate) : gate_(gate) {
  std::unique_lock lock(gate_.mutex_);
  gate_.left_.wait(lock, [&] { return gate_.places_ > 0; });
  --gate_.places_;
}

Gate::Place::~Place() {
  {
    const std::lock_guard lock(gate_.mutex_);
    ++gate_.places_;
  }
  gate_.left_.notify_one();
}

}  // namespace lamina::tick_log
