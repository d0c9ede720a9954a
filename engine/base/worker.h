// Worker runs a Duty on a thread of its own. The one file that starts threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>

#include "base/parker.h"
#include "base/time.h"

namespace dualstream::base {

// What a worker does, a cycle at a time, so that a test can step it by hand.
//
// Thread: one at a time.
class Duty {
 public:
  virtual ~Duty() = default;

  // One duty cycle: bounded work, no waiting. Returns how much it did; 0 lets the worker sleep.
  virtual std::size_t do_work(TimePoint now) = 0;

  // What ends a sleep besides Parker::unpark().
  [[nodiscard]] virtual WakeUp wake_up() const = 0;

  // Nothing is left to do, for ever: the thread ends.
  [[nodiscard]] virtual bool finished() const = 0;
};

// Lifetime: the Duty and the Parker outlive it. The destructor joins, so the duty has to finish.
class Worker {
 public:
  Worker() = default;
  ~Worker();

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Starts the thread, with every signal blocked in it: the host's handlers run on the host's
  // threads, and a write to a closed socket cannot kill the program. False if the system refused a
  // thread.
  [[nodiscard]] bool start(const std::string& name, Duty& duty, Parker& parker);

  void join();

  // Whether the calling thread is this worker's.
  [[nodiscard]] bool is_current() const noexcept;

 private:
  std::thread thread_;
};

}  // namespace dualstream::base
