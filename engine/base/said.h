// Said holds what one thread last said of a state, and why, for others to read.
#pragma once

#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace dualstream::base {

// Thread: any; it is for what changes now and then, not for each event.
template <typename State>
class Said {
 public:
  explicit Said(State state) : state_(state) {}

  void say(State state, std::string_view reason = {}) noexcept {
    const std::lock_guard lock{mutex_};
    state_ = state;
    try {
      reason_ = reason;
    } catch (const std::bad_alloc&) {
      reason_.clear();  // The state tells enough.
    }
  }

  [[nodiscard]] std::pair<State, std::string> heard() const {
    const std::lock_guard lock{mutex_};
    return {state_, reason_};
  }

 private:
  mutable std::mutex mutex_;
  State state_;         // Guarded by mutex_.
  std::string reason_;  // Guarded by mutex_.
};

}  // namespace dualstream::base
