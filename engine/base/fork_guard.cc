#include "base/fork_guard.h"

#include <pthread.h>

namespace dualstream::base {

constinit std::atomic<std::uint32_t> ForkGuard::depth{0};

bool ForkGuard::ok() noexcept {
  // Registered once a process; a child inherits it.
  static const bool watching = ::pthread_atfork(nullptr, nullptr, [] {
                                 depth.fetch_add(1, std::memory_order_relaxed);
                               }) == 0;
  return watching;
}

ForkGuard::ForkGuard() noexcept {
  static_cast<void>(ok());
  depth_ = depth.load(std::memory_order_relaxed);
}

}  // namespace dualstream::base
