// NotificationQueue takes notifications from the Kafka worker to the Redis worker, and drops the
// oldest when it is full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/counters.h"
#include "base/parker.h"
#include "event/notification.h"

namespace dualstream::event {

// First in, first out. Bounded by count and bytes. A drop is counted as `dropped_overflow`, and the
// next notification of that source to be popped says how many were missed.
//
// Thread: push() on the Kafka worker only; pop() on the Redis worker only; the rest on any.
class NotificationQueue {
 public:
  struct Limits {
    std::size_t notifications_max = 32'768;
    std::size_t bytes_max = 16 * 1024 * 1024;
    // Sources of dropped notifications that are remembered until their next one.
    std::size_t missed_sources_max = 65'536;
    // How many notifications of the ledger one of these stands for: the channel templates.
    std::size_t units = 1;
  };

  // `counters` is the Kafka worker's; `consumer` is woken by flush().
  NotificationQueue(const Limits& limits, base::Counters& counters, base::Parker& consumer);
  ~NotificationQueue();

  NotificationQueue(const NotificationQueue&) = delete;
  NotificationQueue& operator=(const NotificationQueue&) = delete;

  void push(Notification&& notification);

  // Wakes the consumer, once for what was pushed since the last time.
  void flush() noexcept;

  // Moves up to `out.size()` of the oldest to the front of `out`; returns how many.
  [[nodiscard]] std::size_t pop(std::span<Notification> out);

  // Nothing more will be pushed. On the Kafka worker.
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept;

  // Notifications in the queue; exact only for a thread that neither side runs against.
  [[nodiscard]] std::size_t size() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dualstream::event
