// RunClock is the time of a run: one clock for the sender, Kafka's answers and the subscriber.
#pragma once

#include <atomic>
#include <chrono>

namespace dualstream::command {

// Thread: any.
class RunClock {
 public:
  using Clock = std::chrono::steady_clock;

  RunClock() { start(); }

  // From now on it is this long after the start: 0.
  void start() noexcept { start_.store(Clock::now().time_since_epoch().count()); }

  // Since the start of the run.
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept {
    return Clock::now().time_since_epoch() -
           Clock::duration{start_.load(std::memory_order_relaxed)};
  }

 private:
  std::atomic<Clock::rep> start_{0};
};

}  // namespace dualstream::command
