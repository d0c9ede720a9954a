#include "base/parker.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <ctime>

namespace dualstream::base {

Parker::Parker() : event_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Parker::~Parker() {
  if (event_fd_ >= 0) ::close(event_fd_);
}

void Parker::prepare_to_park() noexcept {
  // Pairs with the fence in unpark(): either the pusher sees parked_, or the worker sees what was
  // pushed.
  parked_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Parker::cancel_park() noexcept { parked_.store(false, std::memory_order_relaxed); }

void Parker::park(TimePoint now, const WakeUp& wake_up) noexcept {
  wait(now, wake_up);
  cancel_park();
}

void Parker::nap(TimePoint now, const WakeUp& wake_up) noexcept {
  WakeUp until = wake_up;
  if (until.nap_ignores_fd) until.fd = -1;
  wait(now, until);
}

void Parker::unpark() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!parked_.load(std::memory_order_relaxed)) return;
  if (!parked_.exchange(false, std::memory_order_relaxed)) return;  // Somebody else woke it.
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the worker is awake anyway.
  [[maybe_unused]] const ssize_t written = ::write(event_fd_, &one, sizeof one);
}

void Parker::wait(TimePoint now, const WakeUp& wake_up) noexcept {
  pollfd fds[2] = {{event_fd_, POLLIN, 0}, {wake_up.fd, POLLIN, 0}};
  if (wake_up.want_write) fds[1].events |= POLLOUT;
  timespec timeout{};
  if (wake_up.at != kNever) {
    const auto left = std::max(wake_up.at - now, Duration::zero());
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
    timeout.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
    timeout.tv_nsec = static_cast<long>(ns % 1'000'000'000);
  }
  const int ready =
      ::ppoll(fds, wake_up.fd >= 0 ? 2 : 1, wake_up.at == kNever ? nullptr : &timeout, nullptr);
  if (ready > 0 && (fds[0].revents & POLLIN) != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(event_fd_, &count, sizeof count);
  }
}

}  // namespace dualstream::base
