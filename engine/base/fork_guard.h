// ForkGuard tells an object in a forked child from the same object in its parent.
//
// A child has the parent's memory and descriptors but none of its threads: what waits for a worker
// there waits for ever, and what writes to a socket writes into the parent's conversation.
#pragma once

#include <atomic>
#include <cstdint>

namespace dualstream::base {

// Thread:   any.
// Limits:   sees fork(); a raw clone() or vfork() runs no handlers, and after those only exec is of
// use anyway.
class ForkGuard {
 public:
  // Remembers this process.
  ForkGuard() noexcept;

  // False if the system had no memory to watch for forks; then in_child() never says so.
  [[nodiscard]] static bool ok() noexcept;

  // Whether this process is a child, at any depth, of the one that made the object. A load.
  [[nodiscard]] bool in_child() const noexcept {
    return depth_ != depth.load(std::memory_order_relaxed);
  }

 private:
  // Forks between the first guard's process and this one. Changed only while a child has one
  // thread.
  static constinit std::atomic<std::uint32_t> depth;

  std::uint32_t depth_;
};

}  // namespace dualstream::base
