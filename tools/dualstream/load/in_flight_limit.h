// InFlightLimit is what closes a closed loop: a thread sends its next event when an answer to an
// earlier one has made room.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace dualstream::command {

// Thread: any.
class InFlightLimit {
 public:
  explicit InFlightLimit(std::size_t events_max) : room_(events_max) {}

  // Waits until there is room for one more, at most `timeout`. False if there was none.
  [[nodiscard]] bool take(std::chrono::milliseconds timeout) {
    std::unique_lock lock{mutex_};
    if (!released_.wait_for(lock, timeout, [this] { return room_ > 0; })) return false;
    --room_;
    return true;
  }

  void release(std::size_t count) {
    {
      const std::lock_guard lock{mutex_};
      room_ += count;
    }
    released_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable released_;
  std::size_t room_;  // Guarded by mutex_.
};

}  // namespace dualstream::command
