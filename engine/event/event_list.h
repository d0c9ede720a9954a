// EventList is a first-in-first-out list of events.
//
// A ring of pointers and sizes in one block, not a chain through the events: a backlog is larger
// than the cache, and a walk along a chain would miss at every step (measured: a fifth of the Kafka
// worker's time).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "event/event.h"

namespace dualstream::event {

// Owns its events. Grows as needed, and gives the memory of a large backlog back once that is gone.
// Thread: one at a time.
class EventList {
 public:
  EventList() = default;
  EventList(EventList&& other) noexcept { swap(other); }
  EventList& operator=(EventList&& other) noexcept {
    swap(other);
    other.clear();
    return *this;
  }
  ~EventList() = default;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // The i-th event from the front; i < size().
  [[nodiscard]] const Event& operator[](std::size_t i) const noexcept { return *slot(i).event; }
  [[nodiscard]] const Event& front() const noexcept { return (*this)[0]; }
  // record_bytes() of the first, without touching it.
  [[nodiscard]] std::size_t front_record_bytes() const noexcept { return slot(0).record_bytes; }

  void push_back(EventPtr event) {
    if (size_ == capacity_) grow();
    const auto record_bytes = static_cast<std::uint32_t>(event->record_bytes());
    slot(size_++) = {std::move(event), record_bytes};
  }

  void push_front(EventPtr event) {
    if (size_ == capacity_) grow();
    head_ = (head_ - 1) & (capacity_ - 1);
    size_ += 1;
    const auto record_bytes = static_cast<std::uint32_t>(event->record_bytes());
    slot(0) = {std::move(event), record_bytes};
  }

  // The list must not be empty.
  [[nodiscard]] EventPtr pop_front() noexcept {
    EventPtr event = std::move(slot(0).event);
    drop_front();
    return event;
  }

  [[nodiscard]] EventPtr pop_back() noexcept { return std::move(slot(--size_).event); }

  // Moves up to `count` from the front of `from` behind the last of this one, while their records
  // are within `bytes_max` at `overhead` bytes more each; the first goes in any case. Returns the
  // bytes moved.
  std::size_t take_front(EventList& from, std::size_t count, std::size_t bytes_max,
                         std::size_t overhead) {
    std::size_t bytes = 0;
    while (count > 0 && !from.empty()) {
      const std::size_t next = from.front_record_bytes() + overhead;
      if (bytes > 0 && bytes + next > bytes_max) break;
      if (size_ == capacity_) grow();
      slot(size_++) = std::move(from.slot(0));
      from.drop_front();
      bytes += next;
      count -= 1;
    }
    return bytes;
  }

  // Moves all of `other` behind the last.
  void splice_back(EventList&& other) {
    while (!other.empty()) push_back(other.pop_front());
  }

  // Moves all of `other` before the first.
  void splice_front(EventList&& other) {
    while (!other.empty()) push_front(other.pop_back());
  }

  void clear() noexcept {
    while (!empty()) static_cast<void>(pop_front());
  }

 private:
  struct Slot {
    EventPtr event;
    std::uint32_t record_bytes = 0;
  };
  static constexpr std::size_t kFirstCapacity = 16;
  static constexpr std::size_t kKeptCapacity = 8192;

  [[nodiscard]] Slot& slot(std::size_t i) noexcept { return slots_[(head_ + i) & (capacity_ - 1)]; }
  [[nodiscard]] const Slot& slot(std::size_t i) const noexcept {
    return slots_[(head_ + i) & (capacity_ - 1)];
  }

  void drop_front() noexcept {
    head_ = (head_ + 1) & (capacity_ - 1);
    size_ -= 1;
    if (size_ > 0 || capacity_ <= kKeptCapacity) return;
    slots_.reset();
    capacity_ = 0;
    head_ = 0;
  }

  void grow() {
    const std::size_t capacity = capacity_ == 0 ? kFirstCapacity : 2 * capacity_;
    auto slots = std::make_unique<Slot[]>(capacity);
    for (std::size_t i = 0; i < size_; ++i) slots[i] = std::move(slot(i));
    slots_ = std::move(slots);
    capacity_ = capacity;
    head_ = 0;
  }

  void swap(EventList& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(capacity_, other.capacity_);
    std::swap(head_, other.head_);
    std::swap(size_, other.size_);
  }

  std::unique_ptr<Slot[]> slots_;
  std::size_t capacity_ = 0;  // 0 or a power of two.
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace dualstream::event
