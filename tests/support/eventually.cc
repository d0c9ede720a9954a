#include "support/eventually.h"

#include <thread>

namespace dualstream::testing {

bool eventually(std::chrono::milliseconds timeout, const std::function<bool()>& state) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!state()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(
        std::chrono::milliseconds{1});  // tidy: allow(sleep) between two looks at the state
  }
  return true;
}

}  // namespace dualstream::testing
