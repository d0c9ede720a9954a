// Histogram is one thread's Latencies, which others may read at any time.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "dualstream/latencies.h"

namespace dualstream::base {

// Thread: one writer, any number of readers.
class alignas(64) Histogram {
 public:
  void record(Duration time) noexcept {
    // One writer, so no locked instruction; and nothing is ordered by these counts.
    const std::chrono::nanoseconds ns = time;
    add(counts_[Latencies::bucket_of(ns)], 1);
    add(sum_ns_, ns.count() > 0 ? static_cast<std::uint64_t>(ns.count()) : 0);
  }

  [[nodiscard]] Latencies read() const noexcept {
    Latencies latencies;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      latencies.counts[i] = counts_[i].load(std::memory_order_relaxed);
    }
    latencies.sum_ns = sum_ns_.load(std::memory_order_relaxed);
    return latencies;
  }

 private:
  static void add(std::atomic<std::uint64_t>& value, std::uint64_t n) noexcept {
    value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  std::array<std::atomic<std::uint64_t>, Latencies::kBuckets> counts_{};
  std::atomic<std::uint64_t> sum_ns_{0};
};

}  // namespace dualstream::base
