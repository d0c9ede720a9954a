// Counters is one thread's set of the public counters; Engine::stats() adds the sets up.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "dualstream/stats.h"

namespace dualstream::base {

// Thread: one writer at a time, any number of readers. A reader that sees a count also sees the
// counts that its writer added before it.
class alignas(64) Counters {
 public:
  void add(Counter counter, std::uint64_t n = 1) noexcept {
    // One writer, so a load and a store are enough, and cost no locked instruction.
    auto& value = values_[static_cast<std::size_t>(counter)];
    value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_release);
  }

  // Takes back one that was counted too early.
  void take_back(Counter counter) noexcept {
    auto& value = values_[static_cast<std::size_t>(counter)];
    value.store(value.load(std::memory_order_relaxed) - 1, std::memory_order_release);
  }

  [[nodiscard]] std::uint64_t get(Counter counter) const noexcept {
    return values_[static_cast<std::size_t>(counter)].load(std::memory_order_acquire);
  }

 private:
  std::array<std::atomic<std::uint64_t>, kCounterCount> values_{};
};

}  // namespace dualstream::base
