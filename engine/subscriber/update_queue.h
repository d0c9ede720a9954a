// UpdateQueue holds what a subscription's reader has not taken yet.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

#include "base/parker.h"
#include "dualstream/subscriber.h"

namespace dualstream::subscriber {

[[nodiscard]] inline std::size_t bytes_of(const Update& update) noexcept {
  return sizeof update + update.id.size() + update.type.size() + update.source_type.size() +
         update.source_id.size() + update.payload.size();
}

// Thread:   push(), full() and has_room() on the worker's, receive() on the reader's, close() on
// any.
// Lifetime: `worker` outlives it.
class UpdateQueue {
 public:
  struct Limits {
    std::size_t updates_max = 16'384;
    std::size_t bytes_max = 64 * 1024 * 1024;
  };
  UpdateQueue(const Limits& limits, base::Parker& worker) : limits_(limits), worker_(worker) {}

  // Takes it in any case: the bounds are looked at before something is fetched for it.
  void push(Update&& update) {
    const std::lock_guard lock{mutex_};
    bytes_ += bytes_of(update);
    updates_.push_back(std::move(update));
    if (updates_.size() == 1) changed_.notify_one();
  }

  [[nodiscard]] bool full() const {
    const std::lock_guard lock{mutex_};
    return updates_.size() >= limits_.updates_max || bytes_ >= limits_.bytes_max;
  }
  // Half of it is free again.
  [[nodiscard]] bool has_room() const {
    const std::lock_guard lock{mutex_};
    return updates_.size() <= limits_.updates_max / 2 && bytes_ <= limits_.bytes_max / 2;
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return updates_.size();
  }

  std::size_t receive(std::vector<Update>& out, std::chrono::milliseconds timeout,
                      std::size_t count_max) {
    out.clear();
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, timeout, [this] { return !updates_.empty() || closed_; });
    const bool was_large =
        updates_.size() > limits_.updates_max / 2 || bytes_ > limits_.bytes_max / 2;
    while (!updates_.empty() && out.size() < count_max) {
      bytes_ -= bytes_of(updates_.front());
      out.push_back(std::move(updates_.front()));
      updates_.pop_front();
    }
    lock.unlock();
    if (was_large) worker_.unpark();
    return out.size();
  }

  // What is in it can still be received.
  void close() {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool closed() const {
    const std::lock_guard lock{mutex_};
    return closed_;
  }

 private:
  const Limits limits_;
  base::Parker& worker_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Update> updates_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace dualstream::subscriber
