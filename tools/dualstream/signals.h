// Signals turns SIGINT, SIGTERM and SIGHUP into a StopRequest, and a second one into the end.
#pragma once

#include <memory>

#include "console.h"
#include "dualstream/status.h"
#include "stop_request.h"
#include "thread.h"

namespace dualstream::command {

// The signals are blocked in every thread and taken by one that waits for nothing else; so no code
// of ours runs in a signal handler.
//
// Thread:   start() before any other thread is made, which inherits what is blocked.
// Lifetime: `console` and `stop` outlive it.
class Signals {
 public:
  [[nodiscard]] static Status start(Console& console, StopRequest& stop,
                                    std::unique_ptr<Signals>& signals);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

 private:
  Signals(Console& console, StopRequest& stop, int signal_fd, int end_fd) noexcept
      : console_(console), stop_(stop), signal_fd_(signal_fd), end_fd_(end_fd) {}

  void listen();
  void take(int signal);

  Console& console_;
  StopRequest& stop_;
  const int signal_fd_;
  const int end_fd_;  // Readable when the listener has to end.

  // The listener's.
  bool taken_ = false;

  Thread thread_;
};

}  // namespace dualstream::command
