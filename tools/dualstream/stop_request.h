// StopRequest is how anybody asks the intake to stop, and how those who wait hear of it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "dualstream/status.h"

namespace dualstream::command {

enum class StopReason : std::uint8_t {
  none,
  signal,
  too_many_bad,
  output_failed,
  events_failed,  // And nothing keeps them but the checkpoint.
};

// Thread: any.
class StopRequest {
 public:
  // `drain_timeout` gives the deadline of whatever goes on after the request.
  [[nodiscard]] static Status make(std::chrono::milliseconds drain_timeout,
                                   std::unique_ptr<StopRequest>& request);
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;
  ~StopRequest();

  // The first reason is kept.
  void request(StopReason reason) noexcept;

  [[nodiscard]] bool requested() const noexcept { return reason() != StopReason::none; }
  [[nodiscard]] StopReason reason() const noexcept {
    return reason_.load(std::memory_order_acquire);
  }

  // How long until the deadline; all of `drain_timeout` when nothing was requested.
  [[nodiscard]] std::chrono::milliseconds time_left() const noexcept;

  // Readable from the request on; never read it.
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  StopRequest(std::chrono::milliseconds drain_timeout, int fd) noexcept
      : drain_timeout_(drain_timeout), fd_(fd) {}

  const std::chrono::milliseconds drain_timeout_;
  const int fd_;
  std::atomic<StopReason> reason_{StopReason::none};
  // Milliseconds of the steady clock; written before the descriptor becomes readable, 0 until then.
  std::atomic<std::int64_t> requested_at_ms_{0};
};

}  // namespace dualstream::command
