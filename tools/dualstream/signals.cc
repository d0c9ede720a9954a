#include "signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "exit_code.h"

namespace dualstream::command {
namespace {

std::string signal_name(int signal) {
  switch (signal) {
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    default:
      return "SIGHUP";
  }
}

// Says so if stderr takes it at once, and ends without waiting for anything: whatever the other
// threads are doing may never come to an end.
[[noreturn]] void end_at_once() {
  static constexpr std::string_view kText =
      "\ndualstream: a second signal: ended at once; what had no answer may or may not be in "
      "Kafka.\n";
  pollfd out{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0) {
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kText.data(), kText.size());
  }
  ::_exit(static_cast<int>(ExitCode::interrupted));
}

}  // namespace

Status Signals::start(Console& console, StopRequest& stop, std::unique_ptr<Signals>& signals) {
  const auto refused = [](const char* what, int error) {
    return Status::error(StatusCode::exhausted, std::string{"the system refused "} + what + ": " +
                                                    std::generic_category().message(error));
  };
  sigset_t taken;
  sigemptyset(&taken);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&taken, signal);
  if (const int error = pthread_sigmask(SIG_BLOCK, &taken, nullptr); error != 0) {
    return refused("to block signals", error);
  }
  const int signal_fd = ::signalfd(-1, &taken, SFD_CLOEXEC);
  if (signal_fd < 0) return refused("a signal descriptor", errno);
  const int end_fd = ::eventfd(0, EFD_CLOEXEC);
  if (end_fd < 0) {
    const int error = errno;
    ::close(signal_fd);
    return refused("an event descriptor", error);
  }
  // tidy: allow(naked_new) the constructor is private
  signals.reset(new Signals{console, stop, signal_fd, end_fd});
  Signals* self = signals.get();
  return signals->thread_.start("ds-signals", [self] { self->listen(); });
}

Signals::~Signals() {
  // Only a counter that is full could refuse, and it is written once.
  [[maybe_unused]] const int written = ::eventfd_write(end_fd_, 1);
  thread_.join();
  ::close(signal_fd_);
  ::close(end_fd_);
}

void Signals::listen() {
  while (true) {
    std::array<pollfd, 2> fds{{{.fd = signal_fd_, .events = POLLIN, .revents = 0},
                               {.fd = end_fd_, .events = POLLIN, .revents = 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR, the only error it can have.
    if (fds[0].revents != 0) {
      signalfd_siginfo info{};
      if (::read(signal_fd_, &info, sizeof info) == sizeof info) {
        take(static_cast<int>(info.ssi_signo));
      }
    }
    if (fds[1].revents != 0) return;
  }
}

void Signals::take(int signal) {
  if (std::exchange(taken_, true)) end_at_once();
  stop_.request(StopReason::signal);
  console_.log(LogLevel::warning, signal_name(signal) +
                                      ": no more is taken, what was taken is delivered; a "
                                      "second signal ends at once");
}

}  // namespace dualstream::command
