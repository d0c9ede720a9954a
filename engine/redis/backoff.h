// Backoff says how long to wait before the next attempt to connect: longer from failure to failure,
// and never exactly as long as others who lost the same server wait.
//
//   network   100, 200, 400, 800, 800 … ms, each times 0.9 to 1.1: a server that is back is found
//             within a second.
//   refusal   1, 2, 4, 4 … s, each times 1.0 to 1.25: at most one attempt a second, as each costs
//             the server a log line or a place.
//
// Pure: no clock; its randomness comes from a seed.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace dualstream::redis {

// Thread: Redis worker only.
class Backoff {
 public:
  explicit Backoff(std::uint64_t seed) noexcept : state_(seed) {}

  [[nodiscard]] base::Duration after_network_failure() noexcept {
    refusals_ = 0;
    return jittered(std::chrono::milliseconds{100} * (1 << step(network_failures_, 3)), 0.9, 1.1);
  }

  [[nodiscard]] base::Duration after_refusal() noexcept {
    network_failures_ = 0;
    return jittered(std::chrono::seconds{1} * (1 << step(refusals_, 2)), 1.0, 1.25);
  }

  // All is well: the next failure is the first again.
  void reset() noexcept {
    network_failures_ = 0;
    refusals_ = 0;
  }

 private:
  [[nodiscard]] static int step(int& failures, int max) noexcept {
    const int now = failures;
    failures = std::min(failures + 1, max);
    return now;
  }

  [[nodiscard]] base::Duration jittered(base::Duration base, double low, double high) noexcept {
    // splitmix64
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    const double part = static_cast<double>((mixed ^ (mixed >> 31)) >> 11) * 0x1.0p-53;
    return base::Duration{static_cast<base::Duration::rep>(static_cast<double>(base.count()) *
                                                           (low + (high - low) * part))};
  }

  std::uint64_t state_;
  int network_failures_ = 0;
  int refusals_ = 0;
};

}  // namespace dualstream::redis
