#include "event/event_queue.h"

#include <thread>

#include "base/check.h"

namespace dualstream::event {
namespace {

constexpr int kEventShift = 40;
constexpr std::uint64_t kOneEvent = std::uint64_t{1} << kEventShift;
constexpr std::uint64_t kBytesMask = kOneEvent - 1;
constexpr std::uint64_t kClosed = std::uint64_t{1} << 63;

constexpr std::size_t events_of(std::uint64_t charge) noexcept {
  return (charge & ~kClosed) >> kEventShift;
}
constexpr std::size_t bytes_of(std::uint64_t charge) noexcept { return charge & kBytesMask; }

}  // namespace

EventQueue::EventQueue(const Limits& limits, base::Parker& consumer)
    : limits_(limits),
      consumer_(consumer),
      blocks_({.chunks_max = limits.bytes_max / kChunksShare,
               .kept_max = limits.bytes_max / kKeptShare}),
      consumer_token_(queue_) {
  CHECK(limits.events_max <= kEventsMax && limits.bytes_max <= kBytesMax,
        "the charge has room for both bounds and for attempts beyond them");
}

EventQueue::~EventQueue() = default;

bool EventQueue::has_room(std::uint64_t charge, std::size_t bytes) const noexcept {
  return events_of(charge) < limits_.events_max && bytes_of(charge) + bytes <= limits_.bytes_max;
}

EventQueue::Admission EventQueue::admit(std::size_t bytes) noexcept {
  if (fork_guard_.in_child()) [[unlikely]]
    return Admission::closed;
  const std::uint64_t mine = kOneEvent + bytes;
  const std::uint64_t before = charge_.fetch_add(mine, std::memory_order_acq_rel);
  if ((before & kClosed) == 0 && has_room(before, bytes)) [[likely]] {
    return Admission::admitted;
  }
  // Taken back at once. Meanwhile another thread may find the queue full that just had room for it:
  // `full` is always a snapshot, and the bound is never passed.
  charge_.fetch_sub(mine, std::memory_order_acq_rel);
  return (before & kClosed) != 0 ? Admission::closed : Admission::full;
}

bool EventQueue::push(Producer& producer, EventPtr& event) noexcept {
  if (!queue_.enqueue(producer.token_, std::move(event))) return false;
  consumer_.unpark();
  return true;
}

std::size_t EventQueue::pop(std::span<EventPtr> out) {
  return queue_.try_dequeue_bulk(consumer_token_, out.data(), out.size());
}

void EventQueue::release(std::size_t events, std::size_t bytes) noexcept {
  charge_.fetch_sub(events * kOneEvent + bytes, std::memory_order_seq_cst);
  // Pairs with the increment in wait_for_room(): either the waiter sees the room or we see the
  // waiter.
  if (waiting_.load(std::memory_order_seq_cst) == 0) return;
  { const std::lock_guard lock{room_mutex_}; }
  room_.notify_all();
}

bool EventQueue::wait_for_room(std::size_t bytes, base::TimePoint deadline) {
  waiting_.fetch_add(1, std::memory_order_seq_cst);
  std::unique_lock lock{room_mutex_};
  const bool room = room_.wait_until(lock, deadline, [this, bytes] {
    const std::uint64_t charge = charge_.load(std::memory_order_seq_cst);
    return (charge & kClosed) != 0 || has_room(charge, bytes);
  });
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  return room;
}

void EventQueue::close() noexcept {
  charge_.fetch_or(kClosed, std::memory_order_seq_cst);
  { const std::lock_guard lock{room_mutex_}; }
  room_.notify_all();
  consumer_.unpark();
}

bool EventQueue::closed() const noexcept {
  return (charge_.load(std::memory_order_acquire) & kClosed) != 0;
}

bool EventQueue::settles_by(base::TimePoint deadline) const noexcept {
  while (charge_.load(std::memory_order_acquire) != kClosed) {
    if (base::Clock::now() >= deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

std::size_t EventQueue::pending_events() const noexcept {
  return events_of(charge_.load(std::memory_order_acquire));
}

std::size_t EventQueue::pending_bytes() const noexcept {
  return bytes_of(charge_.load(std::memory_order_acquire));
}

}  // namespace dualstream::event
