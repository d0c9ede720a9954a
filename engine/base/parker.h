// Parker lets a worker sleep until somebody has work for it, and costs that somebody almost nothing
// while it is awake.
#pragma once

#include <atomic>

#include "base/time.h"

namespace dualstream::base {

// What else ends a sleep: a descriptor, or a time.
struct WakeUp {
  int fd = -1;              // Polled for reading when >= 0.
  bool want_write = false;  // And for writing.
  TimePoint at = kNever;
  // How long new work may lie there while the worker naps between looks. A nap costs some 10 us of
  // CPU.
  Duration nap = std::chrono::microseconds{100};
  // Naps are slept to their end, whatever the descriptor says: what comes there can wait for more.
  bool nap_ignores_fd = false;
};

// Thread:   park() and nap() on one thread, unpark() on any.
// Lifetime: outlives every caller of unpark().
class Parker {
 public:
  Parker();
  ~Parker();

  Parker(const Parker&) = delete;
  Parker& operator=(const Parker&) = delete;

  // False if the system had no descriptor left; then nothing else may be called.
  [[nodiscard]] bool ok() const noexcept { return event_fd_ >= 0; }

  // Sleeps until unpark(), `wake_up` or a signal-free eternity. Between prepare_to_park() and
  // park() the worker looks for work once more: what was pushed before an unpark() that saw it
  // awake is found there.
  void prepare_to_park() noexcept;
  void cancel_park() noexcept;
  void park(TimePoint now, const WakeUp& wake_up) noexcept;

  // Sleeps until `wake_up`, without asking to be unparked: pushers stay cheap, and the sleep has to
  // be short.
  void nap(TimePoint now, const WakeUp& wake_up) noexcept;

  // Call after making the work visible. A fence and a load when the worker is awake, a system call
  // when it sleeps.
  void unpark() noexcept;

  // Written to wake the worker, also by a C library: 8 bytes in the host's order, see eventfd(2).
  [[nodiscard]] int event_fd() const noexcept { return event_fd_; }

 private:
  void wait(TimePoint now, const WakeUp& wake_up) noexcept;

  const int event_fd_;
  alignas(64) std::atomic<bool> parked_{false};
};

}  // namespace dualstream::base
