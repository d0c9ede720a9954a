// EventQueue takes events from the ingest threads to the Kafka worker, and bounds what the engine
// holds.
//
// An event is admitted (charged) before it is copied and released after its outcome, so the bound
// covers its whole life: in the queue, in the Batcher and in the Kafka client. One atomic word
// holds the charge, so that admission is one instruction and stop() can draw a line that no event
// slips over:
//
//   | 63: closed | 62..40: events | 39..0: bytes |
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <utility>

#include "base/concurrent_queue.h"
#include "base/fork_guard.h"
#include "base/parker.h"
#include "base/time.h"
#include "event/event.h"

namespace dualstream::event {

// Order: first in, first out for the events of one Producer; none between Producers.
// Thread: admit(), push() and wait_for_room() on any, each Producer on one at a time; pop() and
// release() on the Kafka
//         worker only.
class EventQueue {
 public:
  static constexpr std::size_t kEventsMax = std::size_t{1} << 22;
  static constexpr std::size_t kBytesMax = std::size_t{1} << 36;
  // Of the bound in bytes: the chunks that blocks are cut from, and what is kept of them for the
  // events to come.
  static constexpr std::size_t kChunksShare = 2;
  static constexpr std::size_t kKeptShare = 16;

  struct Limits {
    std::size_t events_max = 262'144;
    std::size_t bytes_max = 256 * 1024 * 1024;
  };

  // closed also in a forked child: its queue has no worker.
  enum class Admission : std::uint8_t { admitted, full, closed };

  // An ingest thread's end of the queue.
  class Producer {
   public:
    explicit Producer(EventQueue& queue) : token_(queue.queue_), blocks_(queue.blocks_) {}

    // Copies an event whose block_bytes() were admitted. Empty when there is no memory.
    [[nodiscard]] EventPtr make(const EventView& view) noexcept {
      return make_event(view, blocks_);
    }

   private:
    friend class EventQueue;
    base::ProducerToken token_;
    BlockPool::Taker blocks_;
  };

  EventQueue(const Limits& limits, base::Parker& consumer);
  ~EventQueue();

  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  // Charges one event of `bytes`. What was admitted has to be pushed or released, and soon: stop()
  // waits for it.
  [[nodiscard]] Admission admit(std::size_t bytes) noexcept;

  // Takes `event`, which was admitted. False when the queue could not grow: `event` is untouched.
  [[nodiscard]] bool push(Producer& producer, EventPtr& event) noexcept;

  // Moves up to `out.size()` events, in the order above; returns how many.
  [[nodiscard]] std::size_t pop(std::span<EventPtr> out);

  // The largest key + payload that Kafka takes now; publishers refuse a larger one. Set by the
  // Kafka worker.
  void limit_records(std::size_t bytes_max) noexcept {
    record_bytes_max_.store(bytes_max, std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t record_bytes_max() const noexcept {
    return record_bytes_max_.load(std::memory_order_relaxed);
  }

  // Gives back the charge of `events` events of `bytes` in all, and wakes those who wait for room.
  void release(std::size_t events, std::size_t bytes) noexcept;

  // Waits until admit(bytes) may succeed again, the queue is closed or `deadline`. False at the
  // deadline.
  [[nodiscard]] bool wait_for_room(std::size_t bytes, base::TimePoint deadline);

  // From here on admit() says closed.
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept;
  // Whether this process was forked from the one that made the queue.
  [[nodiscard]] bool in_child() const noexcept { return fork_guard_.in_child(); }

  // Waits until nothing is charged, for a moment at least; false at `deadline`. Of a closed queue:
  // a publish() that comes late charges it before it sees that it is closed, and takes that back.
  [[nodiscard]] bool settles_by(base::TimePoint deadline) const noexcept;

  // Admitted and not released, and attempts that are about to be refused.
  [[nodiscard]] std::size_t pending_events() const noexcept;
  [[nodiscard]] std::size_t pending_bytes() const noexcept;

 private:
  [[nodiscard]] bool has_room(std::uint64_t charge, std::size_t bytes) const noexcept;

  const Limits limits_;
  const base::ForkGuard fork_guard_;
  std::atomic<std::size_t> record_bytes_max_{SIZE_MAX};
  base::Parker& consumer_;
  BlockPool blocks_;
  base::ConcurrentQueue<EventPtr> queue_;
  base::ConsumerToken consumer_token_;

  alignas(64) std::atomic<std::uint64_t> charge_{0};

  alignas(64) std::atomic<std::uint32_t> waiting_{0};
  std::mutex room_mutex_;
  std::condition_variable room_;
};

}  // namespace dualstream::event
