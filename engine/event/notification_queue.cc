#include "event/notification_queue.h"

#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/concurrent_queue.h"

namespace dualstream::event {
namespace {

std::string source_key(const Notification& notification) {
  std::string key;
  key.reserve(notification.source_type().size() + 1 + notification.source_id().size());
  key.append(notification.source_type()).push_back('\0');
  key.append(notification.source_id());
  return key;
}

}  // namespace

struct NotificationQueue::State {
  State(const Limits& given, base::Counters& kafka_counters, base::Parker& redis_parker)
      : limits(given), counters(kafka_counters), consumer(redis_parker), producer_token(queue) {}

  const Limits limits;
  base::Counters& counters;
  base::Parker& consumer;

  base::ConcurrentQueue<Notification> queue;

  // Written by the Kafka worker.
  alignas(64) base::ProducerToken producer_token;
  std::uint64_t pushed = 0;
  std::uint64_t pushed_bytes = 0;
  bool wake_owed = false;
  bool last_one_lost = false;  // For want of memory.
  std::atomic<std::uint64_t> visible_pushed{0};
  std::atomic<bool> closed{false};

  // Written by whoever takes one out: the Redis worker, and at an overflow the Kafka worker.
  alignas(64) std::atomic<std::uint64_t> taken{0};
  std::atomic<std::uint64_t> taken_bytes{0};

  // Held while something is taken out, so that the Redis worker, when it takes what followed a
  // dropped one, knows of the drop. The Kafka worker waits for it only at an overflow.
  alignas(64) std::mutex mutex;
  // Guarded by it: sources whose dropped notifications no later one has told of yet.
  std::unordered_map<std::string, std::uint32_t> missed;
  bool lost_track = false;  // Some did not find room there.

  [[nodiscard]] bool has_room_for(std::size_t bytes) const noexcept {
    const std::uint64_t held = pushed - taken.load(std::memory_order_relaxed);
    const std::uint64_t held_bytes = pushed_bytes - taken_bytes.load(std::memory_order_relaxed);
    return held < limits.notifications_max && held_bytes + bytes <= limits.bytes_max;
  }

  void count_taken(std::uint64_t count, std::uint64_t bytes) noexcept {
    taken.fetch_add(count, std::memory_order_relaxed);
    taken_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }

  void make_room_for(std::size_t bytes) {
    const std::lock_guard lock{mutex};
    while (!has_room_for(bytes) && drop_oldest()) {
    }
  }

  // False when the consumer was faster and nothing is left to drop.
  bool drop_oldest() {
    Notification oldest;
    if (!queue.try_dequeue_from_producer(producer_token, oldest)) return false;
    count_taken(1, oldest.bytes());
    counters.add(Counter::dropped_overflow, limits.units);
    std::string key = source_key(oldest);
    if (oldest.lost_track()) lost_track = true;
    if (missed.size() < limits.missed_sources_max || missed.contains(key)) {
      missed[std::move(key)] += 1;
    } else {
      lost_track = true;
    }
    return true;
  }

  // All that was dropped lay before all of these: the first one of a source tells.
  void tell_missed(std::span<Notification> notifications) {
    if (lost_track) notifications.front().set_lost_track();
    lost_track = false;
    for (Notification& notification : notifications) {
      if (missed.empty()) return;
      const auto found = missed.find(source_key(notification));
      if (found == missed.end()) continue;
      notification.set_missed_before(found->second);
      missed.erase(found);
    }
  }
};

NotificationQueue::NotificationQueue(const Limits& limits, base::Counters& counters,
                                     base::Parker& consumer)
    : state_(std::make_unique<State>(limits, counters, consumer)) {}

NotificationQueue::~NotificationQueue() = default;

void NotificationQueue::push(Notification&& notification) {
  State& state = *state_;
  const std::size_t bytes = notification.bytes();
  if (!state.has_room_for(bytes)) [[unlikely]]
    state.make_room_for(bytes);
  if (state.last_one_lost) notification.set_lost_track();
  state.last_one_lost = !state.queue.enqueue(state.producer_token, std::move(notification));
  if (state.last_one_lost) {
    // No memory for another block: this one is the drop, and the next one has to tell.
    state.counters.add(Counter::dropped_overflow, state.limits.units);
    return;
  }
  state.pushed += 1;
  state.pushed_bytes += bytes;
  state.visible_pushed.store(state.pushed, std::memory_order_relaxed);
  state.wake_owed = true;
}

void NotificationQueue::flush() noexcept {
  if (!state_->wake_owed) return;
  state_->wake_owed = false;
  state_->consumer.unpark();
}

std::size_t NotificationQueue::pop(std::span<Notification> out) {
  State& state = *state_;
  const std::lock_guard lock{state.mutex};
  const std::size_t count =
      state.queue.try_dequeue_bulk_from_producer(state.producer_token, out.data(), out.size());
  if (count == 0) return 0;
  std::uint64_t bytes = 0;
  for (const Notification& notification : out.first(count)) bytes += notification.bytes();
  state.count_taken(count, bytes);
  if (state.lost_track || !state.missed.empty()) [[unlikely]]
    state.tell_missed(out.first(count));
  return count;
}

void NotificationQueue::close() noexcept {
  state_->closed.store(true, std::memory_order_release);
  state_->consumer.unpark();
}

bool NotificationQueue::closed() const noexcept {
  return state_->closed.load(std::memory_order_acquire);
}

std::size_t NotificationQueue::size() const noexcept {
  const std::uint64_t taken = state_->taken.load(std::memory_order_relaxed);
  const std::uint64_t pushed = state_->visible_pushed.load(std::memory_order_relaxed);
  return pushed > taken ? pushed - taken : 0;
}

}  // namespace dualstream::event
