#include "base/worker.h"

#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <csignal>
#include <exception>

namespace dualstream::base {
namespace {

// After its last work a worker first naps, so that a steady trickle never pays a pusher for waking
// it, and parks only when it has been idle for a while.
constexpr Duration kNapsFor = std::chrono::milliseconds{2};

// Blocks every signal for the life of the object; a thread started meanwhile inherits that.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

void run(Duty& duty, Parker& parker) {
  TimePoint worked_at = Clock::now();
  while (!duty.finished()) {
    TimePoint now = Clock::now();
    if (duty.do_work(now) > 0) {
      worked_at = now;
      continue;
    }
    WakeUp wake_up = duty.wake_up();
    if (now - worked_at < kNapsFor) {
      wake_up.at = std::min(wake_up.at, now + wake_up.nap);
      parker.nap(now, wake_up);
      continue;
    }
    parker.prepare_to_park();
    now = Clock::now();
    if (duty.do_work(now) > 0) {
      parker.cancel_park();
      worked_at = now;
      continue;
    }
    if (duty.finished()) return;
    parker.park(now, duty.wake_up());
  }
}

}  // namespace

Worker::~Worker() { join(); }

bool Worker::start(const std::string& name, Duty& duty, Parker& parker) {
  const AllSignalsBlocked blocked;
  try {
    thread_ = std::thread{[name, &duty, &parker] {
      ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
      ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // A nap of 100 us is not one of 150.
      run(duty, parker);
    }};
  } catch (const std::exception&) {
    return false;  // No thread, or no memory for one.
  }
  return true;
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

bool Worker::is_current() const noexcept { return thread_.get_id() == std::this_thread::get_id(); }

}  // namespace dualstream::base
