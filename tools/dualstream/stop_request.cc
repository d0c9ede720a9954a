#include "stop_request.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace dualstream::command {
namespace {

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Status StopRequest::make(std::chrono::milliseconds drain_timeout,
                         std::unique_ptr<StopRequest>& request) {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) {
    return Status::error(StatusCode::exhausted, "the system refused an event descriptor: " +
                                                    std::generic_category().message(errno));
  }
  // tidy: allow(naked_new) the constructor is private
  request.reset(new StopRequest{drain_timeout, fd});
  return {};
}

StopRequest::~StopRequest() { ::close(fd_); }

void StopRequest::request(StopReason reason) noexcept {
  std::int64_t never = 0;
  requested_at_ms_.compare_exchange_strong(never, now_ms());
  StopReason none = StopReason::none;
  // Pairs with the acquire in reason(): who sees the reason sees the time.
  if (!reason_.compare_exchange_strong(none, reason, std::memory_order_acq_rel)) return;
  // Only a counter that is full could refuse, and it is written once.
  [[maybe_unused]] const int written = ::eventfd_write(fd_, 1);
}

std::chrono::milliseconds StopRequest::time_left() const noexcept {
  const std::int64_t requested_at_ms = requested_at_ms_.load();
  if (requested_at_ms == 0) return drain_timeout_;
  const std::chrono::milliseconds since{now_ms() - requested_at_ms};
  return std::max(drain_timeout_ - since, std::chrono::milliseconds{0});
}

}  // namespace dualstream::command
